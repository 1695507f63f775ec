//! `application/x-www-form-urlencoded`, where a parameter given twice is an error (RFC 6749 §3.1).

use std::collections::BTreeMap;

/// Largest form or query read.
const BYTES_MAX: usize = 64 * 1024;
/// Most parameters read.
const PARAMETERS_MAX: usize = 100;

/// Writes parameters in order; those without a value are left out.
#[must_use]
pub fn write(parameters: &[(&str, Option<&str>)]) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

/// Adds parameters to a URL that may have some already.
#[must_use]
pub fn with_query(url: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{}", write(parameters))
}

/// One value, escaped.
#[must_use]
pub fn escaped(value: &str) -> String {
    let mut out = String::new();
    escape(value, &mut out);
    out
}

fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The parameters of a query or a form; the empty ones count as absent (RFC 6749 §3.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Values may be secrets.
impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Reads a query or a form.
///
/// # Errors
/// [`FormError`]: too large, badly escaped, or a parameter given twice.
pub fn read(text: &str) -> Result<Parameters, FormError> {
    if text.len() > BYTES_MAX {
        return Err(FormError::TooLarge);
    }
    let mut parameters = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescape(name)?, unescape(value)?);
        if parameters.len() == PARAMETERS_MAX {
            return Err(FormError::TooLarge);
        }
        if parameters.insert(name, value).is_some() {
            return Err(FormError::Repeated);
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Ok(Parameters(parameters))
}

/// One escaped value.
///
/// # Errors
/// [`FormError::Escape`].
pub fn unescape(text: &str) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [bytes.next().ok_or(FormError::Escape)?, bytes.next().ok_or(FormError::Escape)?];
                let digits = std::str::from_utf8(&digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(value.ok_or(FormError::Escape)?);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| FormError::Escape)
}

/// Why a form is refused. Shows none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than 64 KB or 100 parameters.
    #[error("the form is larger than 64 KB or has more than 100 parameters")]
    TooLarge,
    /// `%` without two hexadecimal digits, or no UTF-8.
    #[error("a parameter is badly escaped")]
    Escape,
    /// A parameter given twice.
    #[error("a parameter is given twice (RFC 6749 §3.1)")]
    Repeated,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_forms_and_refuses_the_broken_ones() {
        let parameters = read("a=1&b=x+y%2B%C3%A9&c=&d").unwrap();
        assert_eq!(parameters.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "x y+é")]);
        for (text, error) in [
            ("a=1&a=1", FormError::Repeated),
            ("a=1&%61=2", FormError::Repeated),
            ("a=%", FormError::Escape),
            ("a=%4", FormError::Escape),
            ("a=%+1", FormError::Escape),
            ("a=%FF", FormError::Escape),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
        assert_eq!(read(&"a".repeat(BYTES_MAX + 1)), Err(FormError::TooLarge));
    }

    #[test]
    fn a_url_keeps_its_own_parameters() {
        assert_eq!(with_query("http://h/p?x=1", &[("a", Some("b c")), ("d", None)]), "http://h/p?x=1&a=b%20c");
        assert_eq!(with_query("http://h/p", &[("a", Some("&"))]), "http://h/p?a=%26");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(pairs in proptest::collection::btree_map("[a-z_]{1,8}", ".{1,20}", 0..8)) {
            let list: Vec<(&str, Option<&str>)> = pairs.iter().map(|(n, v)| (n.as_str(), Some(v.as_str()))).collect();
            let back = read(&write(&list)).unwrap();
            prop_assert_eq!(back.0, pairs);
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
