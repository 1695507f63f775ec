//! The names that a CQL library defines, read from its source; nothing is evaluated.

use crate::base64;
use crate::tape::Node;

/// What a library is called and what it defines.
pub(super) struct Names {
    names: Vec<String>,
    defined: Vec<String>,
}

impl Names {
    /// None when the Library has no CQL source in it.
    pub(super) fn read(canonical: &str, library: Node<'_>) -> Option<Self> {
        let source = library.all("content").find(|content| content.text("contentType") == Some("text/cql"))?;
        let text = String::from_utf8(base64::decode(source.text("data")?).ok()?).ok()?;
        let tail = canonical.split('|').next().unwrap_or(canonical).rsplit('/').next();
        let mut names: Vec<String> = library.text("name").into_iter().chain(tail).map(str::to_owned).collect();
        let (mut defined, mut after) = (Vec::new(), After::Other);
        for token in tokens(&text) {
            after = match (after, token) {
                (_, Token::Word(word)) if word == "define" => After::Define,
                (_, Token::Word(word)) if word == "library" => After::Library,
                (After::Define, Token::Word(word))
                    if matches!(word.as_str(), "private" | "public" | "function" | "fluent") =>
                {
                    After::Define
                }
                (After::Define, Token::Word(name) | Token::Name(name)) => {
                    defined.push(name);
                    After::Other
                }
                (After::Library, Token::Word(name) | Token::Name(name)) => {
                    names.push(name);
                    After::Other
                }
                _ => After::Other,
            };
        }
        Some(Self { names, defined })
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    pub(super) fn defines(&self, name: &str) -> bool {
        self.defined.iter().any(|own| own == name)
    }
}

/// What stands before a token.
enum After {
    Define,
    Library,
    Other,
}

enum Token {
    Word(String),
    /// `"…"` or `` `…` ``.
    Name(String),
    Other,
}

/// Words, quoted names and the rest, without comments and texts.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("//") {
            rest = after.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(after) = rest.strip_prefix("/*") {
            rest = after.split_once("*/").map_or("", |(_, after)| after);
        } else if matches!(first, '"' | '`' | '\'') {
            let (inside, after) = quoted(&rest[1..], first);
            tokens.push(if first == '\'' { Token::Other } else { Token::Name(inside) });
            rest = after;
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Other);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

/// What is inside the quotes, and what follows them.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let (mut inside, mut signs) = (String::new(), text.char_indices());
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => inside.extend(signs.next().map(|(_, escaped)| escaped)),
            sign if sign == quote => return (inside, &text[at + sign.len_utf8()..]),
            sign => inside.push(sign),
        }
    }
    (inside, "")
}

/// The definition that a criterion names: `Library.name`, `"name"`, for `text/cql.identifier` the whole text. None
/// when it is a longer expression, or of another language.
pub(super) fn name<'a>(language: &str, expression: &'a str) -> Option<(Option<&'a str>, &'a str)> {
    let expression = expression.trim();
    let is_word = |text: &str| {
        !text.is_empty()
            && text.chars().all(|sign| sign.is_alphanumeric() || sign == '_')
            && !text.starts_with(|sign: char| sign.is_ascii_digit())
    };
    let plain = |text: &'a str| {
        let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        inside.filter(|inside| !inside.contains(['"', '\\'])).or_else(|| is_word(text).then_some(text))
    };
    match language {
        "text/cql.identifier" | "text/cql-identifier" => Some((None, plain(expression).unwrap_or(expression))),
        "text/cql" => match expression.split_once('.') {
            Some((of, name)) if is_word(of) => Some((Some(of), plain(name)?)),
            _ => Some((None, plain(expression)?)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, name};
    use crate::tape::Document;

    #[test]
    fn a_criterion_names_a_definition() {
        for (language, expression, wanted) in [
            ("text/cql", "Flu.Adults", Some((Some("Flu"), "Adults"))),
            ("text/cql", "Flu.\"All adults\"", Some((Some("Flu"), "All adults"))),
            ("text/cql", "Adults", Some((None, "Adults"))),
            ("text/cql", "Adults and Flu", None),
            ("text/cql", "Flu.Adults(1)", None),
            ("text/cql.identifier", "All adults", Some((None, "All adults"))),
            ("text/fhirpath", "Patient.gender", None),
        ] {
            assert_eq!(name(language, expression), wanted, "{language} {expression}");
        }
    }

    #[test]
    fn names_are_read_from_the_source() {
        let source = "library Flu version '1.0'\n// define Not: 1\n/* define Nor: 2 */\n\
            define \"All adults\": [Patient] P where P.x = 'define No: 1'\ndefine Adults: 1\n\
            define private Hidden: 2\ndefine function Age(p Patient): 3\ndefine fluent function \"Old one\"(p Patient): 4";
        let data = crate::base64::encode(source.as_bytes());
        let json = format!(r#"{{"resourceType":"Library","content":[{{"contentType":"text/cql","data":"{data}"}}]}}"#);
        let document = Document::parse(json).unwrap();
        let names = Names::read("http://x.org/Library/Grippe|2", document.root()).unwrap();
        for known in ["All adults", "Adults", "Hidden", "Age", "Old one"] {
            assert!(names.defines(known), "{known} in {:?}", names.defined);
        }
        for unknown in ["Not", "Nor", "No", "private", "function", "fluent"] {
            assert!(!names.defines(unknown), "{unknown}");
        }
        assert!(names.is_named("Flu") && names.is_named("Grippe") && !names.is_named("version"));
    }
}
