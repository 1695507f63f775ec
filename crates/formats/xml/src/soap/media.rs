//! Media types of SOAP messages and of their parts, written and read (RFC 9110 §8.3, RFC 2045 §5.1).

/// A media type with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// `type/subtype`, lower case.
    pub essence: String,
    /// Names in lower case, values unquoted, in order.
    pub parameters: Vec<(String, String)>,
}

impl ContentType {
    /// Value of a parameter; the first one when it comes twice.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// Content type of a plain SOAP 1.2 message (RFC 3902).
#[must_use]
pub fn content_type(action: &str) -> String {
    format!("application/soap+xml; charset=UTF-8; action={}", quoted(action))
}

/// A parameter value in quotes. Characters that no header may carry are left out.
pub(crate) fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Reads a `Content-Type` value. `None` when it has not the form of one, or is absurdly long.
#[must_use]
pub fn read_content_type(value: &str) -> Option<ContentType> {
    const LONGEST: usize = 8 << 10;
    if value.len() > LONGEST {
        return None;
    }
    let (essence, mut rest) = value.split_once(';').unwrap_or((value, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    if !is_token(kind) || !is_token(subtype) {
        return None;
    }
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return Some(ContentType { essence, parameters });
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let (value, after) = parameter_value(after.trim_start())?;
        parameters.push((name, value));
        rest = after;
    }
}

/// A token or a quoted string, then what follows it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
