//! Functions on texts.

use regex::{Regex, RegexBuilder};

use super::error::ErrorKind;
use crate::base64;

/// A regular expression as FHIRPath has it: the dot matches line ends (FHIRPath 2.0 §5.6.9), unanchored unless it
/// must match the whole text. Flags: `i` without case, `m` line anchors, `x` extended, as in R5.
pub(super) fn regex(pattern: &str, is_whole: bool, flags: &str) -> Result<Regex, ErrorKind> {
    const SIZE: usize = 1 << 20;
    let whole;
    let pattern = if is_whole {
        whole = format!("^(?:{pattern})$");
        &whole
    } else {
        pattern
    };
    RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .ignore_whitespace(flags.contains('x'))
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(100)
        .build()
        .map_err(|_| ErrorKind::Regex)
}

/// A replacement pattern of FHIRPath (`$1`, `${name}`) is that of the crate, but that `$1a` ends after the digit.
pub(super) fn replacement(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('$') {
        let (before, after) = rest.split_at(place);
        result.push_str(before);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            result.push('$');
            rest = &after[1..];
        } else {
            result.push_str("${");
            result.push_str(&after[1..=digits]);
            result.push('}');
            rest = &after[digits + 1..];
        }
    }
    result.push_str(rest);
    result
}

/// From that character, so many; none when the start is outside.
pub(super) fn substring(text: &str, start: i64, length: Option<i64>) -> Option<String> {
    let start = usize::try_from(start).ok()?;
    text.chars().nth(start)?;
    let rest = text.chars().skip(start);
    Some(match length {
        None => rest.collect(),
        Some(length) => rest.take(usize::try_from(length).unwrap_or(0)).collect(),
    })
}

/// The character where the first of these starts.
pub(super) fn index_of(text: &str, part: &str) -> i64 {
    text.find(part).map_or(-1, |byte| characters(&text[..byte]))
}

/// The character where the last of these starts.
pub(super) fn last_index_of(text: &str, part: &str) -> i64 {
    text.rfind(part).map_or(-1, |byte| characters(&text[..byte]))
}

/// How many characters.
pub(super) fn characters(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// `hex`, `base64` or `urlbase64`; none for any other encoding.
pub(super) fn encode(text: &str, encoding: &str) -> Option<String> {
    match encoding {
        "hex" => Some(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        "base64" => Some(base64::encode(text.as_bytes())),
        "urlbase64" => Some(base64::encode(text.as_bytes()).replace('+', "-").replace('/', "_")),
        _ => None,
    }
}

/// The text that was encoded; none when it was not, or is no text.
pub(super) fn decode(text: &str, encoding: &str) -> Option<String> {
    let bytes = match encoding {
        "hex" => hex(text)?,
        "base64" => base64::decode(text).ok()?,
        "urlbase64" => base64::decode(&text.replace('-', "+").replace('_', "/")).ok()?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|sign| u8::try_from(sign.to_digit(16)?).ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}

/// `html` or `json`; none for any other target.
pub(super) fn escape(text: &str, target: &str) -> Option<String> {
    match target {
        "html" => Some(
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;"),
        ),
        "json" => {
            let mut result = String::with_capacity(text.len());
            for sign in text.chars() {
                match sign {
                    '"' | '\\' => result.extend(['\\', sign]),
                    '\n' => result.push_str("\\n"),
                    '\r' => result.push_str("\\r"),
                    '\t' => result.push_str("\\t"),
                    sign if sign < ' ' => result.push_str(&format!("\\u{:04x}", u32::from(sign))),
                    sign => result.push(sign),
                }
            }
            Some(result)
        }
        _ => None,
    }
}

/// The text that was escaped.
pub(super) fn unescape(text: &str, target: &str) -> Option<String> {
    match target {
        "html" => Some(
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&"),
        ),
        "json" => {
            let mut result = String::with_capacity(text.len());
            let mut signs = text.chars();
            while let Some(sign) = signs.next() {
                let escaped = if sign == '\\' { signs.next()? } else { '\0' };
                match (sign, escaped) {
                    ('\\', 'n') => result.push('\n'),
                    ('\\', 'r') => result.push('\r'),
                    ('\\', 't') => result.push('\t'),
                    ('\\', 'u') => {
                        let digits: String = signs.by_ref().take(4).collect();
                        result.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    ('\\', other) => result.push(other),
                    (sign, _) => result.push(sign),
                }
            }
            Some(result)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_ends_after_its_digits() {
        assert_eq!(replacement("$1a-$$2"), "${1}a-$${2}");
        let regex = regex("(\\d+)", false, "").unwrap();
        assert_eq!(regex.replace_all("a12", replacement("<$1x>")), "a<12x>");
    }

    #[test]
    fn bombs_are_refused_or_linear() {
        assert_eq!(regex("(?=a)", false, "").unwrap_err(), ErrorKind::Regex);
        assert_eq!(regex("((a{100}){100}){100}", false, "").unwrap_err(), ErrorKind::Regex);
        let evil = regex("^(a+)+$", false, "").unwrap();
        assert!(!evil.is_match(&format!("{}!", "a".repeat(20_000))));
    }

    #[test]
    fn characters_are_not_bytes() {
        assert_eq!(substring("été", 1, Some(1)).as_deref(), Some("t"));
        assert_eq!((index_of("été", "t"), last_index_of("été", "é"), characters("été")), (1, 2, 3));
        assert_eq!(substring("abc", 1, Some(-1)).as_deref(), Some(""));
        assert_eq!(substring("abc", 3, None), None);
    }
}
