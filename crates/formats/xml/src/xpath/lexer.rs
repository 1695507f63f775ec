//! Text of an expression to tokens. Which words are operators is the parser's affair: XPath has no reserved words.

use super::SyntaxError;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'t> {
    /// `a`, `p:a`, `*:a`, `p:*`: prefix and local name.
    Name(Option<&'t str>, &'t str),
    /// A literal with its quotes taken off; doubled quotes are still doubled.
    Literal(&'t str, char),
    Integer(&'t str),
    Decimal(&'t str),
    Double(&'t str),
    Variable(Option<&'t str>, &'t str),
    Sign(&'static str),
    End,
}

/// Longest first.
const SIGNS: [&str; 29] = [
    "::", "//", "..", "!=", "<=", ">=", "<<", ">>", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "*", "=",
    "<", ">", "?", "$", "{", "}", ":", ";",
];

pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, SyntaxError> {
    let mut found = Vec::new();
    let mut at = skip(text, 0)?;
    while at < text.len() {
        let (token, end) = token(text, at)?;
        found.push((token, at));
        at = skip(text, end)?;
    }
    found.push((Token::End, text.len()));
    Ok(found)
}

/// White space and nested comments `(: :)`.
fn skip(text: &str, mut at: usize) -> Result<usize, SyntaxError> {
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        at += blank;
        if !text[at..].starts_with("(:") {
            return Ok(at);
        }
        at = comment(text, at)?;
    }
}

fn comment(text: &str, start: usize) -> Result<usize, SyntaxError> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, start);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"(:" => (depth, at) = (depth + 1, at + 2),
            b":)" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(SyntaxError::new(start, "a comment is not closed"))
}

fn token(text: &str, at: usize) -> Result<(Token<'_>, usize), SyntaxError> {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or('\0');
    if first == '"' || first == '\'' {
        return literal(text, at, first);
    }
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
        return number(text, at);
    }
    if first == '$' {
        let start = skip(text, at + 1)?;
        let (prefix, local, end) = name(text, start)?;
        return Ok((Token::Variable(prefix, local), end));
    }
    if starts_name(first) || rest.starts_with("*:") {
        let (prefix, local, end) = name(text, at)?;
        return Ok((Token::Name(prefix, local), end));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((Token::Sign(sign), at + sign.len())),
        None => Err(SyntaxError::new(at, "unexpected character")),
    }
}

fn literal(text: &str, at: usize, quote: char) -> Result<(Token<'_>, usize), SyntaxError> {
    let mut end = at + 1;
    while let Some(found) = text[end..].find(quote) {
        end += found + 1;
        if !text[end..].starts_with(quote) {
            return Ok((Token::Literal(&text[at + 1..end - 1], quote), end));
        }
        end += 1;
    }
    Err(SyntaxError::new(at, "a literal is not closed"))
}

fn number(text: &str, at: usize) -> Result<(Token<'_>, usize), SyntaxError> {
    let digits = |from: usize| from + text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(at);
    let mut decimal = false;
    // `1..2` is no number: the sequence operator of other languages does not exist, but the sign `..` does.
    if text[end..].starts_with('.') && !text[end..].starts_with("..") {
        (end, decimal) = (digits(end + 1), true);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            return Ok((Token::Double(&text[at..exponent]), exponent));
        }
    }
    if text[end..].starts_with(starts_name) {
        return Err(SyntaxError::new(end, "a name follows a number without space"));
    }
    Ok((if decimal { Token::Decimal(&text[at..end]) } else { Token::Integer(&text[at..end]) }, end))
}

/// A name: `a`, `p:a`, `p:*`, `*:a`. Not `a::b`, which is an axis, nor `a :b`.
fn name(text: &str, at: usize) -> Result<(Option<&str>, &str, usize), SyntaxError> {
    let first = if text[at..].starts_with('*') { at + 1 } else { end_of_name(text, at) };
    if first == at {
        return Err(SyntaxError::new(at, "a name is expected"));
    }
    let after = &text[first..];
    if !after.starts_with(':') || after.starts_with("::") {
        return Ok((None, &text[at..first], first));
    }
    if after[1..].starts_with('*') {
        return Ok((Some(&text[at..first]), "*", first + 2));
    }
    let end = end_of_name(text, first + 1);
    if end == first + 1 {
        return Ok((None, &text[at..first], first));
    }
    Ok((Some(&text[at..first]), &text[first + 1..end], end))
}

fn end_of_name(text: &str, at: usize) -> usize {
    if !text[at..].starts_with(starts_name) {
        return at;
    }
    let rest = &text[at..];
    at + rest.find(|c: char| !continues_name(c)).unwrap_or(rest.len())
}

fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_alphanumeric() || matches!(c, '-' | '.' | '\u{B7}')
}
