/// `text` as RFC 3461 §4 writes ENVID and ORCPT: `+XX` for what is not printable, `+` and `=`.
#[must_use]
pub fn xtext(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_graphic() && byte != b'+' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("+{byte:02X}"));
        }
        out
    })
}

/// The text behind an xtext; nothing when it is none, or hides a control character.
#[must_use]
pub fn xtext_decode(xtext: &str) -> Option<String> {
    let mut out = Vec::with_capacity(xtext.len());
    let mut bytes = xtext.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'+' => hexadecimal(bytes.next()?)? * 16 + hexadecimal(bytes.next()?)?,
            b'=' => return None,
            byte if byte.is_ascii_graphic() => byte,
            _ => return None,
        };
        out.push(decoded);
    }
    let text = String::from_utf8(out).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Capitals only (RFC 3461 §4, hexchar).
const fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_the_rule_allows() {
        for (coded, text) in [("a+2Bb", Some("a+b")), ("a=b", None), ("+2", None), ("+2b", None), ("+0D+0A", None)] {
            assert_eq!(xtext_decode(coded).as_deref(), text, "{coded}");
        }
    }

    proptest! {
        #[test]
        fn a_text_comes_back(text in "\\PC{0,60}") {
            let coded = xtext(&text);
            prop_assert!(coded.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(xtext_decode(&coded), Some(text));
        }
    }
}
