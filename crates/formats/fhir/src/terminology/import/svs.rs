//! Value sets as the IHE profile SVS gives them (ITI TF-2 §3.48): the form in which the ANS publishes the
//! JDV of the NOS for CDA.

use socle_xml::roxmltree::Node;
use socle_xml::{Limits, parse};

use super::ImportError;
use crate::terminology::model::{Compose, Header, Include, IncludedConcept, ValueSet};

/// Reads a `RetrieveValueSetResponse`.
///
/// The canonical is the `urlFichier` of the ANS when there is one, else `urn:oid:` and the identifier.
/// `system_of` gives the canonical of a code system from its OID; without an answer it is `urn:oid:`
/// and the OID.
///
/// # Errors
/// When the text is no such response.
pub fn read(text: &str, system_of: &dyn Fn(&str) -> Option<String>) -> Result<ValueSet, ImportError> {
    let document = parse(text, &Limits::default()).map_err(|error| ImportError::Xml(error.to_string()))?;
    let named = |node: &Node<'_, '_>, name: &str| node.is_element() && node.tag_name().name() == name;
    let found = document.descendants().find(|node| named(node, "ValueSet"));
    let set = found.ok_or_else(|| ImportError::Xml("there is no ValueSet in it".to_owned()))?;
    let id = set.attribute("id").ok_or_else(|| ImportError::Xml("the ValueSet has no id".to_owned()))?;
    let mut include: Vec<Include> = Vec::new();
    for concept in set.descendants().filter(|node| named(node, "Concept")) {
        let (Some(code), Some(oid)) = (concept.attribute("code"), concept.attribute("codeSystem")) else {
            return Err(ImportError::Xml("a Concept has no code or no codeSystem".to_owned()));
        };
        let system = system_of(oid).unwrap_or_else(|| format!("urn:oid:{oid}"));
        let version = concept.attribute("codeSystemVersion").filter(|version| !version.is_empty());
        let is_same = |one: &Include| one.system.as_deref() == Some(&*system) && one.version.as_deref() == version;
        let display = concept.attribute("displayName").map(Into::into);
        let own = IncludedConcept { code: code.into(), display, ..IncludedConcept::default() };
        match include.iter_mut().find(|one| is_same(one)) {
            Some(known) => known.concepts.push(own),
            None => include.push(Include {
                system: Some(system.into()),
                version: version.map(Into::into),
                concepts: vec![own],
                ..Include::default()
            }),
        }
    }
    if include.is_empty() {
        return Err(ImportError::Empty);
    }
    let url = set.attribute("urlFichier").filter(|url| !url.is_empty());
    let text = |name: &str| set.attribute(name).filter(|text| !text.is_empty()).map(Box::from);
    let header = Header {
        url: url.map_or_else(|| format!("urn:oid:{id}"), str::to_owned).into(),
        version: text("version").or_else(|| text("dateMaj")),
        name: text("displayName"),
        title: text("description"),
        status: Some("active".into()),
        language: Some("fr".into()),
        ..Header::default()
    };
    Ok(ValueSet { header, compose: Some(Compose { include, ..Compose::default() }), ..ValueSet::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concepts_are_grouped_by_system() {
        let text = r#"<RetrieveValueSetResponse xmlns="urn:ihe:iti:svs:2008"><ValueSet id="1.2.3" displayName="JDV_Essai"
            dateMaj="20260101" urlFichier=""><ConceptList><Concept code="a" codeSystem="1.1" displayName="A"/>
            <Concept code="b" codeSystem="1.2" displayName="B"/><Concept code="c" codeSystem="1.1"/></ConceptList></ValueSet>
            </RetrieveValueSetResponse>"#;
        let set = read(text, &|oid| (oid == "1.2").then(|| "http://e/two".to_owned())).unwrap();
        assert_eq!(set.header.canonical(), "urn:oid:1.2.3|20260101");
        let include = &set.compose.unwrap().include;
        let shown: Vec<_> = include.iter().map(|one| (one.system.as_deref().unwrap(), one.concepts.len())).collect();
        assert_eq!(shown, [("urn:oid:1.1", 2), ("http://e/two", 1)]);
        for bad in ["<a/>", "<ValueSet/>", "<ValueSet id='1'/>", "<ValueSet id='1'><Concept code='a'/></ValueSet>"] {
            assert!(read(bad, &|_| None).is_err(), "{bad}");
        }
    }
}
