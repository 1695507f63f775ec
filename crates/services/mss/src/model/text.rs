use std::fmt;
use std::str::FromStr;

/// A text that may stand in a mail header: one line, no control character, 1 to 500 characters.
///
/// Header injection stops here: a directory's display name, a title of a CDA or a folder number
/// becomes a header only through this type. Spaces at both ends go, inner runs of spaces become one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderText(String);

impl HeaderText {
    /// The longest text, in characters: what keeps a folded header under the 998 octets of a line
    /// (RFC 5322 §2.1.1) once encoded is not this limit but the folding; this one keeps headers readable.
    pub const CHARACTERS_MAX: usize = 500;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text in capitals.
    #[must_use]
    pub fn to_uppercase(&self) -> Self {
        Self(self.0.to_uppercase())
    }
}

impl FromStr for HeaderText {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.chars().any(|c| c.is_control() || is_line_separator(c)) {
            return Err(TextError::Control);
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match text.chars().count() {
            0 => Err(TextError::Empty),
            n if n > Self::CHARACTERS_MAX => Err(TextError::TooLong { characters_max: Self::CHARACTERS_MAX }),
            _ => Ok(Self(text)),
        }
    }
}

/// U+2028 and U+2029 are no control characters, and some readers break lines there.
const fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// It may be a person's name.
impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderText(…)")
    }
}

/// The plain text of a mail: lines, no control character but tabs, at most 64 Ki characters.
#[derive(Clone, PartialEq, Eq)]
pub struct BodyText(String);

impl BodyText {
    /// The longest body, in characters.
    pub const CHARACTERS_MAX: usize = 65_536;

    /// The text, lines separated by `\n`, without a line break at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What Socle writes when nobody wrote a body.
    #[must_use]
    pub fn standard() -> Self {
        Self(
            "Bonjour,\n\nVeuillez trouver ci-joint un document de santé. L'archive IHE_XDM.zip est destinée à votre \
             logiciel.\n\nCordialement"
                .to_owned(),
        )
    }
}

impl FromStr for BodyText {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(TextError::Control);
        }
        let text = text.trim_end();
        match text.chars().count() {
            0 => Err(TextError::Empty),
            n if n > Self::CHARACTERS_MAX => Err(TextError::TooLong { characters_max: Self::CHARACTERS_MAX }),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Debug for BodyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyText(…)")
    }
}

/// Why a text cannot stand in a mail. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but spaces.
    #[error("the text is empty")]
    Empty,
    /// A line break, a tab or another control character.
    #[error("the text holds a line break or another control character")]
    Control,
    /// Too many characters.
    #[error("the text has more than {characters_max} characters")]
    TooLong {
        /// The limit.
        characters_max: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_text_is_one_line() {
        let cases = [
            ("CR d'imagerie médicale", Ok("CR d'imagerie médicale")),
            ("  deux   espaces ", Ok("deux espaces")),
            ("", Err(TextError::Empty)),
            (" \u{a0} ", Err(TextError::Empty)),
            ("x\r\nBcc: tous@ailleurs.fr", Err(TextError::Control)),
            ("x\ny", Err(TextError::Control)),
            ("x\ry", Err(TextError::Control)),
            ("x\0", Err(TextError::Control)),
            ("x\ty", Err(TextError::Control)),
            ("x\u{85}y", Err(TextError::Control)),
            ("x\u{2028}y", Err(TextError::Control)),
        ];
        for (text, expected) in cases {
            assert_eq!(
                text.parse::<HeaderText>().as_ref().map(HeaderText::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
        let long = "a".repeat(501);
        assert_eq!(long.parse::<HeaderText>(), Err(TextError::TooLong { characters_max: 500 }));
        assert_eq!(format!("{:?}", "PAT-TROIS".parse::<HeaderText>().unwrap()), "HeaderText(…)");
    }

    #[test]
    fn a_body_keeps_its_lines() {
        assert_eq!("a\r\nb\rc\n\n".parse::<BodyText>().unwrap().as_str(), "a\nb\nc");
        assert_eq!("a\u{7}".parse::<BodyText>(), Err(TextError::Control));
        assert_eq!("\r\n".parse::<BodyText>(), Err(TextError::Empty));
    }

    proptest! {
        #[test]
        fn no_text_brings_a_line_break_into_a_header(text in any::<String>()) {
            if let Ok(kept) = text.parse::<HeaderText>() {
                prop_assert!(!kept.as_str().chars().any(char::is_control));
                prop_assert!(!kept.as_str().is_empty());
            }
        }
    }
}
