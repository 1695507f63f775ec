//! Bytes to text: byte order mark, else the shape of the first bytes, else the declaration (XML 1.0,
//! appendix F). Order: the entry, finding the encoding, the transcoders.

use std::borrow::Cow;
use std::ops::Deref;

use super::declaration::declaration;
use super::{Limits, XmlError, XmlErrorKind, line_and_column};

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
    /// The text is not the received bytes: a hash or signature over them must use the bytes.
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

/// Encodings that are read. XML 1.0 §4.3.3 obliges to UTF-8 and UTF-16; the others are seen in the field.
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
    /// ISO-8859-15: ISO-8859-1 with € and Œ.
    Latin9,
    /// windows-1252.
    Windows1252,
}

impl Encoding {
    /// Name as registered at IANA.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Latin1 => "ISO-8859-1",
            Self::Latin9 => "ISO-8859-15",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// Reads bytes as text.
///
/// UTF-8 without a declaration is the rule; anything else must be announced by a byte order mark or a
/// declaration, and the bytes must agree. A one-byte encoding is contradicted when the bytes are UTF-8 with
/// accents (a name would be stored as "HÃ©lÃ¨ne") or hold a code that the encoding leaves to controls.
///
/// # Errors
/// [`XmlErrorKind::TooBig`] before anything is read; [`XmlErrorKind::UnknownEncoding`];
/// [`XmlErrorKind::EncodingMismatch`] when the declaration and the bytes disagree.
///
/// # Source
/// XML 1.0 §4.3.3 and appendix F.
pub fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, XmlError> {
    if bytes.len() > limits.bytes {
        return Err(XmlError::whole(XmlErrorKind::TooBig { limit: limits.bytes }));
    }
    let decoded = match shape(bytes) {
        Shape::Unsupported => return Err(XmlError::whole(XmlErrorKind::UnknownEncoding)),
        Shape::Utf16 { encoding, bom } => utf16(bytes, encoding, bom)?,
        Shape::Utf8Bom => utf8_after_bom(bytes)?,
        Shape::Ascii => one_byte_or_utf8(bytes)?,
    };
    if decoded.text.len() > limits.bytes {
        return Err(XmlError::whole(XmlErrorKind::TooBig { limit: limits.bytes }));
    }
    Ok(decoded)
}

/// What the first bytes look like.
enum Shape {
    Utf8Bom,
    Utf16 {
        encoding: Encoding,
        bom: bool,
    },
    /// Compatible with ASCII: the declaration can be read.
    Ascii,
    /// UTF-32 or EBCDIC.
    Unsupported,
}

fn shape(bytes: &[u8]) -> Shape {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Shape::Utf8Bom,
        [0, 0, 0xFE, 0xFF, ..] | [0xFF, 0xFE, 0, 0, ..] | [0x4C, 0x6F, 0xA7, 0x94, ..] => Shape::Unsupported,
        [0xFE, 0xFF, ..] => Shape::Utf16 { encoding: Encoding::Utf16Be, bom: true },
        [0xFF, 0xFE, ..] => Shape::Utf16 { encoding: Encoding::Utf16Le, bom: true },
        [0, b'<', ..] => Shape::Utf16 { encoding: Encoding::Utf16Be, bom: false },
        [b'<', 0, ..] => Shape::Utf16 { encoding: Encoding::Utf16Le, bom: false },
        _ => Shape::Ascii,
    }
}

/// What a declared encoding name stands for.
enum Declared {
    Utf8,
    Ascii,
    Utf16,
    OneByte(Encoding),
    Unknown,
}

fn declared(name: Option<&str>) -> Declared {
    let Some(name) = name else { return Declared::Utf8 };
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Declared::Utf8,
        "us-ascii" | "ascii" => Declared::Ascii,
        "utf-16" | "utf-16le" | "utf-16be" => Declared::Utf16,
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" => Declared::OneByte(Encoding::Latin1),
        "iso-8859-15" | "iso8859-15" | "iso_8859-15" => Declared::OneByte(Encoding::Latin9),
        "windows-1252" | "cp1252" => Declared::OneByte(Encoding::Windows1252),
        _ => Declared::Unknown,
    }
}

fn utf8_after_bom(bytes: &[u8]) -> Result<Decoded<'_>, XmlError> {
    let text = utf8(&bytes[3..])?;
    match declared(declaration(text).and_then(|d| d.encoding)) {
        Declared::Utf8 | Declared::Ascii => {
            Ok(Decoded { text: Cow::Borrowed(text), encoding: Encoding::Utf8, bom: true })
        }
        _ => Err(mismatch()),
    }
}

fn utf16(bytes: &[u8], encoding: Encoding, bom: bool) -> Result<Decoded<'static>, XmlError> {
    let (units, rest) = bytes[if bom { 2 } else { 0 }..].as_chunks::<2>();
    if !rest.is_empty() {
        return Err(mismatch());
    }
    let units = units.iter().map(|unit| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*unit),
        _ => u16::from_le_bytes(*unit),
    });
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| mismatch())?;
    // Without a mark, UTF-16 must be declared (XML 1.0 §4.3.3); with one, it must not be denied.
    match declaration(&text).map(|d| declared(d.encoding.or(bom.then_some("utf-16")))) {
        Some(Declared::Utf16) => {}
        None if bom => {}
        _ => return Err(mismatch()),
    }
    Ok(Decoded { text: Cow::Owned(text), encoding, bom })
}

fn one_byte_or_utf8(bytes: &[u8]) -> Result<Decoded<'_>, XmlError> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) => std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default(),
    };
    match declared(declaration(head).and_then(|d| d.encoding)) {
        Declared::Utf8 => Ok(Decoded { text: Cow::Borrowed(utf8(bytes)?), encoding: Encoding::Utf8, bom: false }),
        Declared::Ascii if bytes.is_ascii() => {
            Ok(Decoded { text: Cow::Borrowed(utf8(bytes)?), encoding: Encoding::Utf8, bom: false })
        }
        Declared::OneByte(encoding) => one_byte(bytes, encoding),
        Declared::Ascii | Declared::Utf16 => Err(mismatch()),
        Declared::Unknown => Err(XmlError::whole(XmlErrorKind::UnknownEncoding)),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, XmlError> {
    std::str::from_utf8(bytes).map_err(|e| {
        let before = std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default();
        XmlError::new(XmlErrorKind::EncodingMismatch, line_and_column(before, before.len()))
    })
}

fn one_byte(bytes: &[u8], encoding: Encoding) -> Result<Decoded<'_>, XmlError> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if !text.is_ascii() {
            return Err(mismatch());
        }
        return Ok(Decoded { text: Cow::Borrowed(text), encoding, bom: false });
    }
    let text: Option<String> = bytes.iter().map(|&byte| one_byte_char(byte, encoding)).collect();
    Ok(Decoded { text: Cow::Owned(text.ok_or_else(mismatch)?), encoding, bom: false })
}

/// The character of a byte; `None` where the encoding has only a control or nothing.
fn one_byte_char(byte: u8, encoding: Encoding) -> Option<char> {
    match (byte, encoding) {
        (0x80..=0x9F, Encoding::Windows1252) => WINDOWS_1252[usize::from(byte - 0x80)],
        (0x80..=0x9F, _) => None,
        (0xA4..=0xBE, Encoding::Latin9) => Some(latin9(byte)),
        _ => Some(char::from(byte)),
    }
}

fn latin9(byte: u8) -> char {
    match byte {
        0xA4 => '€',
        0xA6 => 'Š',
        0xA8 => 'š',
        0xB4 => 'Ž',
        0xB8 => 'ž',
        0xBC => 'Œ',
        0xBD => 'œ',
        0xBE => 'Ÿ',
        _ => char::from(byte),
    }
}

/// 0x80 to 0x9F of windows-1252; five codes are not assigned.
const WINDOWS_1252: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

fn mismatch() -> XmlError {
    XmlError::whole(XmlErrorKind::EncodingMismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, big: bool, bom: bool) -> Vec<u8> {
        let mark = bom.then_some(0xFEFF_u16);
        mark.into_iter()
            .chain(text.encode_utf16())
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    fn one_byte_file(name: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = format!("<?xml version=\"1.0\" encoding=\"{name}\"?><n>").into_bytes();
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"</n>");
        bytes
    }

    #[test]
    fn reads_every_encoding_that_is_announced_and_true() {
        let mut with_bom = vec![0xEF, 0xBB, 0xBF];
        with_bom.extend_from_slice("<n>é</n>".as_bytes());
        let cases: [(&str, Vec<u8>, Encoding, &str); 12] = [
            ("plain UTF-8", "<n>é</n>".into(), Encoding::Utf8, "é"),
            ("UTF-8 with mark", with_bom, Encoding::Utf8, "é"),
            ("declared UTF-8", one_byte_file("utf-8", "é".as_bytes()), Encoding::Utf8, "é"),
            ("US-ASCII", one_byte_file("US-ASCII", b"e"), Encoding::Utf8, "e"),
            ("UTF-16 BE, mark, no declaration", utf16_bytes("<n>é</n>", true, true), Encoding::Utf16Be, "é"),
            ("UTF-16 LE, mark, pair", utf16_bytes("<n>𝄞</n>", false, true), Encoding::Utf16Le, "𝄞"),
            (
                "UTF-16 LE, declared, no mark",
                utf16_bytes("<?xml version='1.0' encoding='UTF-16'?><n>é</n>", false, false),
                Encoding::Utf16Le,
                "é",
            ),
            ("Latin-1", one_byte_file("ISO-8859-1", b"H\xE9l\xE8ne"), Encoding::Latin1, "Hélène"),
            ("Latin-1 that is ASCII", one_byte_file("iso-8859-1", b"Jean"), Encoding::Latin1, "Jean"),
            ("Latin-9", one_byte_file("ISO-8859-15", b"\xA4 c\xBDur"), Encoding::Latin9, "€ cœur"),
            ("windows-1252", one_byte_file("windows-1252", b"\x80 c\x9Cur \x92"), Encoding::Windows1252, "€ cœur ’"),
            ("cp1252", one_byte_file("CP1252", b"\xE9"), Encoding::Windows1252, "é"),
        ];
        for (name, bytes, encoding, expected) in cases {
            let decoded = decode(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(decoded.encoding, encoding, "{name}");
            assert!(decoded.contains(expected), "{name}: {}", decoded.text);
            assert_eq!(decoded.was_transcoded(), encoding != Encoding::Utf8, "{name}");
        }
    }

    #[test]
    fn refuses_a_declaration_that_the_bytes_deny() {
        let mut bom_latin1 = vec![0xEF, 0xBB, 0xBF];
        bom_latin1.extend_from_slice(&one_byte_file("iso-8859-1", b"a"));
        let mut odd = utf16_bytes("<n/>", true, true);
        odd.pop();
        let cases: [(&str, Vec<u8>, XmlErrorKind); 13] = [
            ("ASCII declared, UTF-8 sent", one_byte_file("us-ascii", "é".as_bytes()), XmlErrorKind::EncodingMismatch),
            (
                "Latin-1 declared, UTF-8 sent",
                one_byte_file("iso-8859-1", "é".as_bytes()),
                XmlErrorKind::EncodingMismatch,
            ),
            (
                "1252 declared, UTF-8 sent",
                one_byte_file("windows-1252", "œ".as_bytes()),
                XmlErrorKind::EncodingMismatch,
            ),
            ("Latin-1 declared, 1252 sent", one_byte_file("iso-8859-1", b"c\x9Cur"), XmlErrorKind::EncodingMismatch),
            ("1252, unassigned code", one_byte_file("windows-1252", b"\x81"), XmlErrorKind::EncodingMismatch),
            ("UTF-8 declared, Latin-1 sent", one_byte_file("utf-8", b"\xE9"), XmlErrorKind::EncodingMismatch),
            ("nothing declared, Latin-1 sent", b"<n>\xE9</n>".to_vec(), XmlErrorKind::EncodingMismatch),
            ("UTF-16 declared, ASCII sent", one_byte_file("utf-16", b"a"), XmlErrorKind::EncodingMismatch),
            ("UTF-8 mark, Latin-1 declared", bom_latin1, XmlErrorKind::EncodingMismatch),
            (
                "UTF-16 mark, UTF-8 declared",
                utf16_bytes("<?xml version='1.0' encoding='UTF-8'?><n/>", true, true),
                XmlErrorKind::EncodingMismatch,
            ),
            ("half a unit", odd, XmlErrorKind::EncodingMismatch),
            ("UTF-32", vec![0, 0, 0xFE, 0xFF, 0, 0, 0, b'<'], XmlErrorKind::UnknownEncoding),
            ("EBCDIC by name", one_byte_file("ebcdic-cp-fr", b"a"), XmlErrorKind::UnknownEncoding),
        ];
        for (name, bytes, kind) in cases {
            let refused = decode(&bytes, &Limits::default()).expect_err(name);
            assert_eq!(refused.kind, kind, "{name}");
        }
    }

    #[test]
    fn says_where_the_first_wrong_byte_is() {
        let refused = decode(b"<n>\n  h\xE9</n>", &Limits::default()).expect_err("Latin-1 without declaration");
        assert_eq!((refused.line, refused.column), (2, 4));
    }

    #[test]
    fn text_may_not_outgrow_the_limit_by_transcoding() {
        let bytes = one_byte_file("iso-8859-1", &[0xE9; 100]);
        let limits = Limits { bytes: bytes.len(), ..Limits::default() };
        let refused = decode(&bytes, &limits).expect_err("100 more bytes as UTF-8");
        assert_eq!(refused.kind, XmlErrorKind::TooBig { limit: bytes.len() });
    }
}
