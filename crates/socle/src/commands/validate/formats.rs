//! What can be judged, and how it is recognised.

use anyhow::Result;
use bytes::Bytes;
use socle_finding::Text;

use super::cda::Cda;
use super::checked::Judged;
use super::fhir::{Fhir, FhirJson, FhirNdjson, FhirXml};
use super::official::Installed;
use super::xdm::Xdm;
use crate::cli::{As, Validate};
use crate::say::Speaker;

/// A format that can be judged.
pub(super) trait Format: Sync {
    /// The name that `--as` takes and that reports show.
    fn name(&self) -> &'static str;

    /// Is this what the beginning of a file looks like?
    fn recognises(&self, head: &Head) -> bool;

    /// Do lines and columns of its findings point into the file?
    fn shows_lines(&self) -> bool {
        true
    }

    /// What judges each line, for a file that is read and judged line by line, however long it is.
    fn by_line(&self) -> Option<&Fhir> {
        None
    }

    /// Judges a whole file.
    fn judge(&self, bytes: Bytes) -> Judged;
}

/// The beginning of a file.
pub(super) struct Head {
    /// It is a ZIP archive.
    pub(super) is_zip: bool,
    /// Its first signs as text, without byte order mark and white space; UTF-16 is read as well.
    pub(super) text: String,
    /// Its name ends so, in lower case.
    pub(super) ending: String,
}

impl Head {
    /// So much of a file tells what it is.
    pub(super) const BYTES: usize = 16 << 10;

    pub(super) fn of(bytes: &[u8], ending: &str) -> Self {
        let first = &bytes[..bytes.len().min(Self::BYTES)];
        let text = match first {
            [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
            [first_byte, 0, ..] if first_byte.is_ascii() => utf16(first, u16::from_le_bytes),
            [0, second, ..] if second.is_ascii() => utf16(first, u16::from_be_bytes),
            _ => String::from_utf8_lossy(first).into_owned(),
        };
        let text = text.trim_start_matches('\u{feff}').trim_start().to_owned();
        Self { is_zip: first.starts_with(b"PK\x03\x04"), text, ending: ending.to_ascii_lowercase() }
    }

    /// The root element of XML and its attributes, as written.
    pub(super) fn root(&self) -> Option<&str> {
        let mut rest = self.text.as_str();
        loop {
            let start = rest.find('<')?;
            rest = &rest[start + 1..];
            let end = match rest.as_bytes().first()? {
                b'?' => "?>",
                b'!' if rest.starts_with("!--") => "-->",
                b'!' => ">",
                _ => return Some(rest.split('>').next().unwrap_or(rest)),
            };
            rest = &rest[rest.find(end)? + end.len()..];
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// All formats, ready to judge.
pub(super) struct Formats {
    all: Vec<Box<dyn Format>>,
    forced: Option<As>,
}

impl Formats {
    pub(super) fn prepare(options: &Validate, speaker: &Speaker) -> Result<Self> {
        let fhir = Fhir::prepare(options, speaker)?;
        let official = Installed::newest(options.cache.as_deref())?;
        let all: Vec<Box<dyn Format>> = vec![
            Box::new(Xdm(official.clone())),
            Box::new(FhirNdjson(fhir.clone())),
            Box::new(FhirJson(fhir.clone())),
            Box::new(FhirXml(fhir)),
            Box::new(Cda(official)),
        ];
        Ok(Self { all, forced: options.kind })
    }

    /// The format of a file, by its content; or why there is none, and what to do.
    pub(super) fn of(&self, head: &Head) -> Result<&dyn Format, (Text, Text)> {
        let found = match self.forced {
            Some(kind) => self.all.iter().find(|format| format.name() == kind.name()),
            None => self.all.iter().find(|format| format.recognises(head)),
        };
        found.map(AsRef::as_ref).ok_or_else(|| unrecognised(head))
    }
}

fn unrecognised(head: &Head) -> (Text, Text) {
    let formats = Text::fixed(
        "formats connus : FHIR (JSON, NDJSON, XML), CDA, XDM ; --as en impose un",
        "known formats: FHIR (JSON, NDJSON, XML), CDA, XDM; --as imposes one",
    );
    if head.text.is_empty() {
        return (Text::fixed("ce fichier est vide", "this file is empty"), formats);
    }
    let why = match head.root() {
        Some(root) => {
            let name: String =
                root.split([' ', '\n', '\t', '\r', '/']).next().unwrap_or_default().chars().take(40).collect();
            Text::new(
                format!("ce XML ({name}) n'est ni FHIR ni CDA"),
                format!("this XML ({name}) is neither FHIR nor CDA"),
            )
        }
        None => Text::fixed(
            "le format n'est pas reconnu : ni JSON, ni XML, ni ZIP",
            "the format is not recognised: neither JSON, nor XML, nor ZIP",
        ),
    };
    (why, formats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_xml_is_found_behind_what_may_precede_it() {
        let cases = [
            ("<a b='c'>", Some("a b='c'")),
            ("\u{feff}<?xml version='1.0'?>\n<!-- <no> --><!DOCTYPE x><p:a/>", Some("p:a/")),
            ("<?xml version='1.0'", None),
            ("{}", None),
        ];
        for (text, root) in cases {
            assert_eq!(Head::of(text.as_bytes(), "").root(), root, "{text}");
        }
        let wide: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Head::of(&wide, "").root(), Some("a/"));
    }
}
