//! The XML declaration, read before anything else: version and encoding decide whether to go on.

/// `<?xml version="…" encoding="…"?>`, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) encoding: Option<&'a str>,
    /// Bytes of the declaration, `?>` included.
    pub(super) len: usize,
}

/// A declaration cannot reasonably be longer.
const LONGEST: usize = 1024;

/// The declaration at the very start of a text, if there is one. An unfinished one has no values.
pub(super) fn declaration(text: &str) -> Option<Declaration<'_>> {
    let rest = text.strip_prefix("<?xml")?;
    if !rest.starts_with([' ', '\t', '\r', '\n']) {
        return None;
    }
    let mut end = rest.len().min(LONGEST);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    let Some(end) = rest[..end].find("?>") else {
        return Some(Declaration::default());
    };
    let mut found = Declaration { len: "<?xml".len() + end + "?>".len(), ..Declaration::default() };
    let mut rest = &rest[..end];
    while let Some((name, value, after)) = pseudo_attribute(rest) {
        match name {
            "version" => found.version = Some(value),
            "encoding" => found.encoding = Some(value),
            _ => {}
        }
        rest = after;
    }
    Some(found)
}

/// `S Name Eq ('"' … '"' | "'" … "'")`: name, value, what follows.
fn pseudo_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, after) = rest[1..].split_once(quote)?;
    Some((name.trim(), value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_version_and_encoding_as_they_are_written() {
        let cases = [
            ("no declaration", "<a/>", None),
            ("instruction of another name", "<?xml-stylesheet href='a'?><a/>", None),
            ("only a version", "<?xml version='1.0'?><a/>", Some((Some("1.0"), None))),
            ("both", "<?xml version=\"1.1\" encoding=\"UTF-8\"?>", Some((Some("1.1"), Some("UTF-8")))),
            (
                "spaces and standalone",
                "<?xml  version = '1.0'\n encoding\t='x' standalone='no' ?>",
                Some((Some("1.0"), Some("x"))),
            ),
            ("unfinished", "<?xml version='1.0'", Some((None, None))),
            ("no quote", "<?xml version=1.0?>", Some((None, None))),
        ];
        for (name, text, expected) in cases {
            let found = declaration(text).map(|d| (d.version, d.encoding));
            assert_eq!(found, expected, "{name}");
        }
    }
}
