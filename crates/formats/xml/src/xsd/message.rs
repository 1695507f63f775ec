//! Constraints of XML Schema in two languages. The values of the document are not repeated: they may be a person's.

use socle_finding::{Finding, Location, Rule, Severity, Text};
use xsd_schema::validation::{InstancePath, ValidationError, ValidationSubject};

use crate::NodeExt;
use crate::roxmltree::Node;

/// The compiler counts no lines while it judges: the path that it gives is followed in the document, from `root`.
pub(super) fn finding(error: &ValidationError, root: Node<'_, '_>) -> Finding {
    let (node, mut path) = error.instance_path().map_or_else(|| (root, String::new()), |path| place(path, root));
    let name = match error.subject() {
        Some(ValidationSubject::Attribute(name)) => format!("@{}", name.local_name()),
        Some(other) => other.name().local_name().to_owned(),
        None => String::new(),
    };
    if name.starts_with('@') {
        path = format!("{path}/{name}");
    }
    let (line, column) = node.position();
    Finding {
        severity: Severity::Error,
        rule: Rule { text: "XML Schema 1.0".into(), point: error.constraint.into() },
        at: Location { path, line: Some(line), column: Some(column) },
        message: detailed(error, text(error.constraint, &name)),
        mend: Text::fixed(
            "comparez cet endroit au schéma : ordre et nom des éléments, attributs permis, forme des valeurs",
            "compare this place with the schema: order and names of elements, allowed attributes, form of values",
        ),
    }
}

/// What the compiler says of these constraints holds names of the schema and no values.
const NAMES_ONLY: [&str; 3] = ["cvc-complex-type.2.4", "cvc-complex-type.3.2.2", "cvc-complex-type.4"];

fn detailed(error: &ValidationError, text: Text) -> Text {
    if !NAMES_ONLY.iter().any(|code| error.constraint.starts_with(code)) {
        return text;
    }
    Text::new(format!("{} : {}", text.fr, error.message), format!("{}: {}", text.en, error.message))
}

/// The element of a path, or the last one that is found, and the path as names with `[n]` where several share one.
fn place<'a, 'i>(path: &InstancePath, root: Node<'a, 'i>) -> (Node<'a, 'i>, String) {
    let (mut node, mut shown) = (root, String::new());
    for (depth, step) in path.steps().enumerate() {
        let Some(position) = step.position() else { break };
        let (namespace, local) = (step.name().namespace(), step.name().local_name());
        if depth > 0 {
            let Some(child) = node.children_named(namespace, local).nth(position.saturating_sub(1)) else { break };
            node = child;
        }
        shown.push('/');
        shown.push_str(node.qname());
        if depth > 0 && position > 1 {
            shown.push_str(&format!("[{position}]"));
        }
    }
    (node, shown)
}

/// The document could not be walked to its end.
pub(super) fn refused(reason: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        rule: Rule::fixed("XML Schema 1.0", "cvc-assess-elt"),
        at: Location::default(),
        message: Text::new(
            format!("le document ne peut pas être validé par le schéma ({reason})"),
            format!("the document cannot be validated by the schema ({reason})"),
        ),
        mend: Text::fixed(
            "vérifiez l'élément racine et son espace de noms",
            "check the root element and its namespace",
        ),
    }
}

/// Longest code first where one begins another.
const TEXTS: [(&str, &str, &str); 20] = [
    ("cvc-complex-type.2.1", "l'élément {} doit être vide", "the element {} must be empty"),
    ("cvc-complex-type.2.3", "l'élément {} ne peut pas contenir de texte", "the element {} cannot hold text"),
    (
        "cvc-complex-type.2.4",
        "un élément est inattendu ou manque à cet endroit ({})",
        "an element is unexpected or missing here ({})",
    ),
    ("cvc-complex-type.3", "l'attribut {} n'est pas permis ici", "the attribute {} is not allowed here"),
    ("cvc-complex-type.4", "un attribut obligatoire manque ({})", "a required attribute is missing ({})"),
    ("cvc-complex-type.5", "l'élément {} a deux attributs de type ID", "the element {} has two attributes of type ID"),
    ("cvc-elt.1", "l'élément {} n'est pas déclaré par le schéma", "the element {} is not declared by the schema"),
    ("cvc-elt.2", "l'élément {} est abstrait", "the element {} is abstract"),
    ("cvc-elt.3", "xsi:nil est mal employé sur {}", "xsi:nil is misused on {}"),
    ("cvc-elt.4", "xsi:type de {} n'est pas un type permis ici", "xsi:type of {} is not a type allowed here"),
    ("cvc-elt.5", "la valeur de {} n'est pas celle que le schéma fixe", "the value of {} is not the one that is fixed"),
    ("cvc-type", "le type de {} ne peut pas être employé ici", "the type of {} cannot be used here"),
    ("cvc-attribute", "la valeur de {} n'est pas celle que le schéma permet", "the value of {} is not allowed"),
    ("cvc-enumeration-valid", "la valeur de {} n'est pas dans la liste permise", "the value of {} is not in the list"),
    ("cvc-pattern-valid", "la valeur de {} n'a pas la forme requise", "the value of {} has not the required form"),
    ("cvc-datatype-valid", "la valeur de {} n'est pas du type requis", "the value of {} is not of the required type"),
    ("cvc-simple-type", "la valeur de {} n'est pas du type requis", "the value of {} is not of the required type"),
    ("cvc-id.2", "un identifiant (ID) est employé deux fois ({})", "an identifier (ID) is used twice ({})"),
    ("cvc-id", "une référence (IDREF) ne désigne rien ({})", "a reference (IDREF) points to nothing ({})"),
    ("cvc-identity-constraint", "une clé du schéma n'est pas respectée ({})", "a key of the schema is broken ({})"),
];

fn text(constraint: &str, name: &str) -> Text {
    let known = TEXTS.iter().find(|(code, ..)| constraint.starts_with(code));
    let (fr, en) = known
        .map_or(("{} n'est pas conforme au schéma", "{} does not conform to the schema"), |(_, fr, en)| (*fr, *en));
    let named = |text: &str| text.replace(" ({})", if name.is_empty() { "" } else { " ({})" }).replace("{}", name);
    Text::new(named(fr), named(en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_never_the_value() {
        let cases = [
            ("cvc-complex-type.2.4.a", "title", "un élément est inattendu ou manque à cet endroit (title)"),
            ("cvc-enumeration-valid", "@code", "la valeur de @code n'est pas dans la liste permise"),
            ("cvc-id.2", "", "un identifiant (ID) est employé deux fois"),
            ("cvc-unknown", "x", "x n'est pas conforme au schéma"),
        ];
        for (constraint, name, expected) in cases {
            assert_eq!(text(constraint, name).fr, expected, "{constraint}");
        }
    }
}
