//! JSON Canonicalization Scheme (RFC 8785), for data of our own.
//!
//! Strings, booleans, null, arrays, objects, and integers that a double holds exactly. A fraction is
//! refused rather than printed: no record of ours has one, and two languages disagree on their digits.

use serde::Serialize;
use serde_json::Value;

/// The largest integer that every JSON reader keeps exactly (2^53 - 1, RFC 8785 §3.2.2.3 and I-JSON).
pub const MAX_INTEGER: u64 = 9_007_199_254_740_991;

/// The canonical bytes of a value.
///
/// # Errors
/// [`JcsError`] when the value holds a number that is not an exact integer, or does not serialize.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, JcsError> {
    let value = serde_json::to_value(value).map_err(|e| JcsError::Serialize(e.to_string()))?;
    let mut out = Vec::with_capacity(512);
    write(&value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), JcsError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(integer(number)?.as_bytes()),
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => object(members, out)?,
    }
    Ok(())
}

/// Members sorted by the UTF-16 code units of their names (RFC 8785 §3.2.3), which differs from the
/// order of UTF-8 bytes above U+FFFF.
fn object(members: &serde_json::Map<String, Value>, out: &mut Vec<u8>) -> Result<(), JcsError> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        write(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn integer(number: &serde_json::Number) -> Result<String, JcsError> {
    let exact = match (number.as_u64(), number.as_i64()) {
        (Some(n), _) => n <= MAX_INTEGER,
        (None, Some(n)) => n.unsigned_abs() <= MAX_INTEGER,
        (None, None) => false,
    };
    if exact { Ok(number.to_string()) } else { Err(JcsError::Number) }
}

/// RFC 8785 §3.2.2.2: the short escapes, `\u00xx` in lower case for other controls, the rest as is.
fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Why a value has no canonical form here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JcsError {
    /// A fraction, or an integer beyond ±(2^53 - 1).
    #[error("a number is not an integer that JSON keeps exactly (RFC 8785 §3.2.2.3)")]
    Number,
    /// The type itself refused to become JSON.
    #[error("the value has no JSON form: {0}")]
    Serialize(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_form_follows_rfc_8785() {
        let cases = [
            (json!(null), "null"),
            (json!([true, false, [], {}]), "[true,false,[],{}]"),
            (json!({"b": 1, "a": -2}), r#"{"a":-2,"b":1}"#),
            (json!("\u{8}\t\n\u{c}\r\"\\/\u{1f}\u{7f}é€"), "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\u{7f}é€\""),
            (json!(9_007_199_254_740_991_u64), "9007199254740991"),
            (json!(-9_007_199_254_740_991_i64), "-9007199254740991"),
        ];
        for (value, expected) in cases {
            assert_eq!(String::from_utf8(to_vec(&value).unwrap()).unwrap(), expected);
        }
    }

    /// The sorting example of RFC 8785 §3.2.3.
    #[test]
    fn names_are_sorted_by_utf16_code_units() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let text = String::from_utf8(to_vec(&value).unwrap()).unwrap();
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn numbers_that_are_not_exact_integers_are_refused() {
        for value in [json!(0.5), json!(1e300), json!(9_007_199_254_740_992_u64), json!(i64::MIN), json!(u64::MAX)] {
            assert_eq!(to_vec(&value), Err(JcsError::Number), "{value}");
        }
    }
}
