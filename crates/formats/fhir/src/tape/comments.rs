//! JSON with comments, as people write it by hand: FHIR has none, a reader may let them pass.

/// The same bytes with comments (`// …` and `/* … */`, outside of strings) made blank; what stands after them keeps
/// its line and column.
///
/// ```
/// use socle_fhir::{Document, without_comments};
///
/// let text = b"// a patient\n{\"resourceType\":\"Patient\" /* no more */}";
/// assert!(Document::parse(text.to_vec()).is_err());
/// assert!(Document::parse(without_comments(text)).is_ok());
/// ```
#[must_use]
pub fn without_comments(json: &[u8]) -> Vec<u8> {
    let mut bytes = json.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'"', ..] => {
                at = after_string(&bytes, at);
                continue;
            }
            [b'/', b'/', rest @ ..] => memchr::memchr(b'\n', rest).map(|end| at + 2 + end),
            [b'/', b'*', rest @ ..] => memchr::memmem::find(rest, b"*/").map(|end| at + 4 + end),
            _ => {
                at += 1;
                continue;
            }
        };
        let end = end.unwrap_or(bytes.len());
        for byte in bytes[at..end].iter_mut().filter(|byte| !matches!(**byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        at = end;
    }
    bytes
}

fn after_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_become_blank_and_nothing_else_does() {
        for (text, wanted) in [
            ("{}// a", "{}    "),
            ("// a\n{}", "    \n{}"),
            ("{/* a\nb */}", "{    \n    }"),
            (r#"{"a":"http://b"}"#, r#"{"a":"http://b"}"#),
            (r#"{"a":"\"// b"}// c"#, r#"{"a":"\"// b"}    "#),
            ("{}/* a", "{}    "),
            ("\"a\\", "\"a\\"),
            ("/", "/"),
        ] {
            assert_eq!(without_comments(text.as_bytes()), wanted.as_bytes(), "{text}");
        }
    }
}
