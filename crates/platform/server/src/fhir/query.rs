//! The parameters of a search, read strictly: one that is not known is said, never ignored.

use socle_fhir::datatypes::Identifier;
use socle_fhir::pdsm::SearchParameter;
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_gateway::DocumentQuery;

/// The parameters that are served; `_count` is a result parameter and is not declared (FHIR R4 §3.1.1.5).
pub(crate) const KNOWN: [SearchParameter; 5] = [
    parameter(
        "patient",
        "http://hl7.org/fhir/SearchParameter/clinical-patient",
        "reference",
        "chained: patient.identifier=<system>|<value>",
    ),
    parameter("identifier", "http://hl7.org/fhir/SearchParameter/clinical-identifier", "token", "masterIdentifier"),
    parameter("status", "http://hl7.org/fhir/SearchParameter/DocumentReference-status", "token", "current, superseded"),
    parameter("type", "http://hl7.org/fhir/SearchParameter/clinical-type", "token", "the code of the document's type"),
    parameter(
        "category",
        "http://hl7.org/fhir/SearchParameter/DocumentReference-category",
        "token",
        "the code of the class",
    ),
];

const fn parameter(
    name: &'static str,
    definition: &'static str,
    kind: &'static str,
    documentation: &'static str,
) -> SearchParameter {
    SearchParameter { name, definition, kind, documentation }
}

/// The parameters as they came.
pub(crate) struct SearchText {
    pairs: Vec<(String, String)>,
    from_url: bool,
}

impl SearchText {
    pub(crate) fn of_url(query: &str) -> Self {
        Self { pairs: pairs(query.as_bytes()), from_url: true }
    }

    pub(crate) fn of_form(query: &str, body: &[u8]) -> Self {
        let mut all = pairs(query.as_bytes());
        all.extend(pairs(body));
        Self { pairs: all, from_url: false }
    }

    /// What the `self` link repeats: nothing of what came by form, since it was kept out of the URL.
    pub(crate) fn shown(&self) -> String {
        if !self.from_url || self.pairs.is_empty() {
            return String::new();
        }
        let each = self.pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        format!("?{}", each.collect::<Vec<_>>().join("&"))
    }

    pub(crate) fn query(&self) -> Result<DocumentQuery, Vec<Issue>> {
        let mut query = DocumentQuery { count: 50, ..DocumentQuery::default() };
        let mut issues = Vec::new();
        for (name, value) in &self.pairs {
            match name.as_str() {
                "patient.identifier" | "patient:identifier" => match Identifier::from_token(value) {
                    Some(identifier) => query.patient = Some(identifier),
                    None => issues.push(wrong(name, "<système>|<valeur>", "<system>|<value>")),
                },
                "identifier" => match Identifier::from_token(value) {
                    Some(identifier) => query.identifier = Some(identifier),
                    None => issues.push(wrong(name, "<système>|<valeur>", "<system>|<value>")),
                },
                "status" => query.status = value.split(',').map(str::to_owned).collect(),
                "type" => query.type_code = Some(code_of(value)),
                "category" => query.category = Some(code_of(value)),
                "_count" => match value.parse() {
                    Ok(count) => query.count = count,
                    Err(_) => issues.push(wrong(name, "un nombre", "a number")),
                },
                "_format" | "_pretty" => {}
                _ => issues.push(unknown(name)),
            }
        }
        if issues.is_empty() { Ok(query) } else { Err(issues) }
    }
}

/// `system|code` or `code`: types and categories of documents have codes of their own.
fn code_of(token: &str) -> String {
    token.rsplit('|').next().unwrap_or(token).to_owned()
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    text.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(64)
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            (decoded(halves.next().unwrap_or_default()), decoded(halves.next().unwrap_or_default()))
        })
        .collect()
}

fn decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                out.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn wrong(name: &str, fr: &str, en: &str) -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed("FHIR R4", "search.html#token"),
        Text::new(format!("le paramètre {name} attend {fr}"), format!("the parameter {name} wants {en}")),
        Text::fixed("corrigez l'adresse de la recherche", "mend the search"),
    )
}

fn unknown(name: &str) -> Issue {
    let shown: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._:-".contains(*c)).take(40).collect();
    Issue::error(
        IssueType::NotSupported,
        Rule::fixed("FHIR R4", "search.html#errors"),
        Text::new(
            format!("le paramètre de recherche « {shown} » n'est pas connu"),
            format!("the search parameter `{shown}` is not known"),
        ),
        Text::fixed(
            "connus : patient.identifier, identifier, status, type, category, _count (voir /fhir/metadata)",
            "known: patient.identifier, identifier, status, type, category, _count (see /fhir/metadata)",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pdsm_asks_and_names_what_it_does_not_know() {
        let text = SearchText::of_url(
            "patient.identifier=urn%3Aoid%3A1.2.250.1.213.1.4.10%7C279035121518989&status=current,superseded&_count=3",
        );
        let query = text.query().unwrap();
        assert_eq!(query.patient.unwrap().system, "urn:oid:1.2.250.1.213.1.4.10");
        assert_eq!((query.status.len(), query.count), (2, 3));
        let cases = [("patient=Patient/1", 1), ("patient.identifier=279", 1), ("_count=many&foo=bar", 2), ("", 0)];
        for (text, issues) in cases {
            assert_eq!(SearchText::of_url(text).query().err().map_or(0, |found| found.len()), issues, "{text}");
        }
    }

    #[test]
    fn a_form_s_values_are_not_shown_again() {
        let form = SearchText::of_form("", b"patient.identifier=a%7Cb");
        assert!(form.query().is_ok());
        assert_eq!(form.shown(), "");
        assert_eq!(SearchText::of_url("type=11490-0&x=%C3%A9").shown(), "?type=11490-0&x=%C3%A9");
    }
}
