//! The values of stored-query slots (IHE ITI TF-2 3.18.4.1.2.3.5): `'text'`, `('a','b')`, `20260302`.
//!
//! A quote inside a text is doubled. Order: reading, writing.

/// Longest text of one `rim:Value`.
const VALUE_MAX: usize = 64 * 1024;
/// Most scalars in one list.
const SCALARS_MAX: usize = 1000;

/// One `rim:Value`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotValue {
    /// Its scalars, unquoted: one, or those of the list.
    pub scalars: Vec<String>,
    /// Was it written with parentheses?
    pub is_list: bool,
}

/// Reads the text of one `rim:Value`.
///
/// # Errors
/// [`SlotError`], which never repeats the text: it may hold an INS.
pub fn read(text: &str) -> Result<SlotValue, SlotError> {
    if text.len() > VALUE_MAX {
        return Err(SlotError::TooLong);
    }
    let mut rest = text.trim();
    let is_list = rest.starts_with('(');
    if is_list {
        rest = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or(SlotError::Parenthesis)?;
    }
    let mut scalars = Vec::new();
    loop {
        let (scalar, after) = scalar(rest.trim_start())?;
        scalars.push(scalar);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(SlotValue { scalars, is_list });
        }
        rest = rest.strip_prefix(',').filter(|_| is_list).ok_or(SlotError::Trailing)?;
        if scalars.len() == SCALARS_MAX {
            return Err(SlotError::TooMany);
        }
    }
}

/// The scalar at the beginning of the text, and what follows it.
fn scalar(text: &str) -> Result<(String, &str), SlotError> {
    let Some(quoted) = text.strip_prefix('\'') else {
        return number(text);
    };
    let mut scalar = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('\'').ok_or(SlotError::Unterminated)?;
        scalar.push_str(part);
        let Some(after_doubled) = after.strip_prefix('\'') else {
            return Ok((scalar, after));
        };
        scalar.push('\'');
        rest = after_doubled;
    }
}

fn number(text: &str) -> Result<(String, &str), SlotError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Err(if text.is_empty() { SlotError::Empty } else { SlotError::Unquoted });
    }
    Ok((digits.to_owned(), rest))
}

/// A single value: `'text'`.
#[must_use]
pub fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list: `('a','b')`.
#[must_use]
pub fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> = texts.into_iter().map(|text| single(text.as_ref())).collect();
    format!("({})", quoted.join(","))
}

/// Why the text of a `rim:Value` is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Nothing, or a list without anything.
    #[error("a value is missing")]
    Empty,
    /// A text without quotes.
    #[error("a text stands between single quotes; only a number goes without")]
    Unquoted,
    /// The closing quote is missing.
    #[error("the closing quote is missing (a quote inside a text is doubled)")]
    Unterminated,
    /// The closing parenthesis is missing.
    #[error("the closing parenthesis is missing")]
    Parenthesis,
    /// Something after the value that is no comma of a list.
    #[error("something follows the value; several values stand in parentheses, separated by commas")]
    Trailing,
    /// A list of more than 1 000.
    #[error("a list has at most 1 000 values")]
    TooMany,
    /// More than 64 KB.
    #[error("a value has at most 64 KB")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(scalars: &[&str], is_list: bool) -> SlotValue {
        SlotValue { scalars: scalars.iter().map(ToString::to_string).collect(), is_list }
    }

    #[test]
    fn reads_the_forms_of_the_standard() {
        let cases = [
            (
                "'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'",
                value(&["urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"], false),
            ),
            ("('11502-2^^2.16.840.1.113883.6.1')", value(&["11502-2^^2.16.840.1.113883.6.1"], true)),
            ("('a','b')", value(&["a", "b"], true)),
            (" ( 'a' , 'b' ) ", value(&["a", "b"], true)),
            ("20260302", value(&["20260302"], false)),
            ("(1, 2)", value(&["1", "2"], true)),
            ("'L''Hôte'", value(&["L'Hôte"], false)),
            ("''", value(&[""], false)),
            ("'a,b)('", value(&["a,b)("], false)),
            ("('a)','(b')", value(&["a)", "(b"], true)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_the_others() {
        let cases = [
            ("", SlotError::Empty),
            ("()", SlotError::Empty),
            ("('a',)", SlotError::Empty),
            ("Approved", SlotError::Unquoted),
            ("(a)", SlotError::Unquoted),
            ("'a", SlotError::Unterminated),
            ("'a''", SlotError::Unterminated),
            ("('a'", SlotError::Parenthesis),
            ("'a','b'", SlotError::Trailing),
            ("'a' 'b'", SlotError::Trailing),
            ("('a' 'b')", SlotError::Trailing),
            ("12a", SlotError::Trailing),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        let long = list((0..1001).map(|n| n.to_string()));
        assert_eq!(read(&long), Err(SlotError::TooMany));
        assert_eq!(read(&"9".repeat(VALUE_MAX + 1)), Err(SlotError::TooLong));
    }

    proptest! {
        /// Whatever a text holds, quotes and parentheses included, it comes back as it went.
        #[test]
        fn what_is_written_is_read_back(texts in proptest::collection::vec(".{0,40}", 1..8)) {
            let read_list = read(&list(&texts)).unwrap();
            prop_assert_eq!(&read_list.scalars, &texts);
            prop_assert!(read_list.is_list);
            let read_single = read(&single(&texts[0])).unwrap();
            prop_assert_eq!(&read_single.scalars[0], &texts[0]);
        }

        /// Hostile or not: an answer, never a panic; and what is accepted says the same once rewritten.
        #[test]
        fn anything_is_read_or_refused(text in "[ (),'0-9a-é^]{0,60}") {
            if let Ok(value) = read(&text) {
                let rewritten = if value.is_list { list(&value.scalars) } else { single(&value.scalars[0]) };
                prop_assert_eq!(read(&rewritten), Ok(value));
            }
        }
    }
}
