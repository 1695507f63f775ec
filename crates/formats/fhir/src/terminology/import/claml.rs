//! Classifications in ClaML (EN ISO 13120, formerly CEN/TS 14463), as the WHO publishes the CIM-10.

use std::collections::HashMap;

use socle_xml::roxmltree::Node;
use socle_xml::{Limits, parse};

use super::ImportError;
use crate::terminology::code_system::{CodeSystem, CodeSystemBuilder};
use crate::terminology::model::{Coding, Concept, Content, Designation, Property, PropertyDefinition, PropertyValue};

/// Reads a classification: its classes with their kind (`chapter`, `block`, `category`), their preferred
/// name, their other rubrics as designations, and the class above.
///
/// Modifiers are not combined with the classes that they modify: the combined codes are not in the file.
///
/// # Errors
/// When the text is no ClaML.
pub fn read(text: &str, url: &str, version: Option<&str>, language: &str) -> Result<CodeSystem, ImportError> {
    let text = without_doctype(text);
    let document = parse(&text, &Limits::default()).map_err(|error| ImportError::Xml(error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "ClaML" {
        return Err(ImportError::Xml("the root element is not ClaML".to_owned()));
    }
    let mut builder = CodeSystemBuilder::new(url, Content::Complete);
    builder.language(language);
    builder.property(PropertyDefinition { code: "kind".into(), uri: None, kind: "string".into() });
    let own = elements(root, "Title").next().and_then(|title| title.attribute("version"));
    if let Some(version) = version.or(own) {
        builder.version(version);
    }
    let mut ids = HashMap::new();
    let mut above = Vec::new();
    for class in elements(root, "Class") {
        let Some(code) = class.attribute("code") else {
            return Err(ImportError::Xml("a Class has no code".to_owned()));
        };
        let id = builder.add(concept(class, code, language), None);
        ids.insert(code, id);
        above.extend(elements(class, "SuperClass").filter_map(|one| Some((one.attribute("code")?, id))));
    }
    if ids.is_empty() {
        return Err(ImportError::Empty);
    }
    for (parent, below) in above {
        if let Some(parent) = ids.get(parent) {
            builder.edge(*parent, below);
        }
    }
    Ok(builder.finish())
}

fn concept(class: Node<'_, '_>, code: &str, language: &str) -> Concept {
    let mut concept = Concept { code: code.into(), ..Concept::default() };
    if let Some(kind) = class.attribute("kind") {
        concept.properties.push(Property { code: "kind".into(), value: PropertyValue::Text(kind.into()) });
    }
    for rubric in elements(class, "Rubric") {
        let kind = rubric.attribute("kind").unwrap_or_default();
        for label in elements(rubric, "Label") {
            let words = words(label);
            if words.is_empty() {
                continue;
            }
            if kind == "preferred" && concept.display.is_none() {
                concept.display = Some(words.into());
            } else if kind == "definition" && concept.definition.is_none() {
                concept.definition = Some(words.into());
            } else if matches!(kind, "preferred" | "preferredLong" | "inclusion") {
                let language = label.attribute(("http://www.w3.org/XML/1998/namespace", "lang")).unwrap_or(language);
                concept.designations.push(Designation {
                    language: Some(language.into()),
                    usage: Some(Coding { code: Some(kind.into()), ..Coding::default() }),
                    value: words.into(),
                    status: None,
                    source: None,
                    extensions: Vec::new(),
                });
            }
        }
    }
    concept
}

fn elements<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The text of a label, references and fragments included, white space squeezed.
fn words(label: Node<'_, '_>) -> String {
    let text: String = label.descendants().filter_map(|node| node.is_text().then(|| node.text())?).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Published files name their DTD. It is taken away unread; one with declarations inside stays, and is
/// refused by the parser.
fn without_doctype(text: &str) -> std::borrow::Cow<'_, str> {
    let Some(start) = text.find("<!DOCTYPE") else { return text.into() };
    match text[start..].find(['[', '>']) {
        Some(length) if text[start + length..].starts_with('>') => {
            format!("{}{}", &text[..start], &text[start + length + 1..]).into()
        }
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Invented classes in the published form: not content of the CIM-10.
    const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ClaML SYSTEM "ClaML.dtd">
<ClaML version="2.0.0"><Title name="X" version="2026">Essai</Title>
 <Class code="I" kind="chapter"><SubClass code="Z01"/><Rubric id="r1" kind="preferred"><Label xml:lang="fr">Chapitre</Label></Rubric></Class>
 <Class code="Z01" kind="category"><SuperClass code="I"/>
  <Rubric id="r2" kind="preferred"><Label xml:lang="fr" xml:space="default">Maladie
    <Reference>inventée</Reference></Label></Rubric>
  <Rubric id="r3" kind="inclusion"><Label xml:lang="fr">Autre nom</Label></Rubric>
  <Rubric id="r4" kind="exclusion"><Label xml:lang="fr">Pas cela</Label></Rubric></Class>
</ClaML>"#;

    #[test]
    fn classes_are_read_with_their_names_and_their_place() {
        let system = read(SAMPLE, "http://e/c", None, "fr").unwrap();
        assert_eq!((system.version(), system.len()), (Some("2026"), 2));
        let (chapter, disease) = (system.find("I").unwrap(), system.find("Z01").unwrap());
        assert!(system.hierarchy().subsumes(chapter, disease));
        assert_eq!(system.concept(disease).unwrap().display.as_deref(), Some("Maladie inventée"));
        assert_eq!(
            (system.is_named(disease, "autre nom"), system.is_named(disease, "Pas cela")),
            (Some(true), Some(false))
        );
        assert_eq!(system.values_of(disease, "kind").next().unwrap().text(), "category");
    }

    #[test]
    fn what_is_no_claml_is_refused() {
        let declared = SAMPLE.replace("\"ClaML.dtd\">", "\"ClaML.dtd\" [<!ENTITY a \"b\">]>");
        for text in ["", "<a/>", "<ClaML/>", "<ClaML><Class/></ClaML>", &declared] {
            assert!(read(text, "http://e/c", None, "fr").is_err(), "{text}");
        }
    }
}
