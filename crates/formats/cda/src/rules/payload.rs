//! Files inside the document: what they say they are, they are.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8, nonXMLBody; PDF/A: ISO 19005 (the flag is XMP
//! metadata, never compressed).

use socle_finding::{Severity, Text};
use socle_xml::roxmltree::Node;

use crate::codes;
use crate::document::{media_type_of, path, payload_of};
use crate::finding::{Findings, at};
use crate::header::{bad_value, rule, text};

/// Judges an element of a structured body, if it holds a file.
pub(super) fn judge(node: Node<'_, '_>, found: &mut Findings) {
    let of_level_1 = node.parent_element().is_some_and(|parent| parent.tag_name().name() == "nonXMLBody");
    if !of_level_1 && node.attribute("representation") == Some("B64") {
        judge_file(node, "corps, fichier encapsulé", Severity::Warning, found);
    }
}

/// A niveau 1 body: one file of a listed media type, in Base64.
pub(super) fn judge_level_1(root: Node<'_, '_>, found: &mut Findings) {
    let point = "corps, nonXMLBody/text";
    let Some(node) = path(root, &["component", "nonXMLBody", "text"]) else { return };
    if codes::format_of_media_type(&media_type_of(node)).is_none() {
        let mend = text(
            "mediaType est application/pdf, text/plain, text/rtf, image/jpeg ou image/tiff",
            "mediaType is application/pdf, text/plain, text/rtf, image/jpeg or image/tiff",
        );
        bad_value(node, point, mend, found);
    }
    if node.attribute("representation") != Some("B64") {
        bad_value(node, point, ENCODE, found);
        return;
    }
    judge_file(node, point, Severity::Error, found);
}

const ENCODE: Text = text(
    "encodez le fichier en Base64 et écrivez representation=\"B64\"",
    "encode the file in Base64 and write representation=\"B64\"",
);

/// `severity` is that of a file which is not what it says; that a PDF is none is always an error, since
/// nobody can read it, while readers know images by their bytes.
fn judge_file(node: Node<'_, '_>, point: &'static str, severity: Severity, found: &mut Findings) {
    let Ok(bytes) = payload_of(node) else {
        bad_value(node, point, ENCODE, found);
        return;
    };
    if bytes.is_empty() {
        bad_value(node, point, ENCODE, found);
        return;
    }
    let media_type = media_type_of(node);
    if !is_of_type(&bytes, &media_type) {
        let severity = if media_type == "application/pdf" { Severity::Error } else { severity };
        found.add(
            severity,
            rule("corps, fichier et mediaType"),
            at(node),
            Text::new(
                format!("le fichier n'est pas ce que dit mediaType ({})", shown(&media_type)),
                format!("the file is not what mediaType says ({})", shown(&media_type)),
            ),
            text("donnez le vrai type, ou le bon fichier", "give the true type, or the right file"),
        );
    }
    if media_type == "application/pdf" {
        judge_pdf(node, &bytes, found);
    }
}

/// A media type is the sender's text.
fn shown(media_type: &str) -> &str {
    let plain = media_type.len() <= 40 && media_type.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+-.".contains(&b));
    if plain { media_type } else { "…" }
}

fn is_of_type(bytes: &[u8], media_type: &str) -> bool {
    match media_type {
        // Readers take a header that is not at the first byte (ISO 32000-1, implementation note 13).
        "application/pdf" => memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some(),
        "image/jpeg" => bytes.starts_with(&[0xFF, 0xD8, 0xFF]),
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/gif" => bytes.starts_with(b"GIF8"),
        "image/tiff" => bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*"),
        "text/rtf" | "application/rtf" => bytes.starts_with(b"{\\rtf"),
        "text/plain" => !bytes.contains(&0),
        _ => true,
    }
}

/// PDF/A or not, and actions that no document of care needs.
fn judge_pdf(node: Node<'_, '_>, bytes: &[u8], found: &mut Findings) {
    match pdf_a(bytes) {
        Some(part) => found.note(
            rule("corps, PDF/A"),
            at(node),
            Text::new(format!("le PDF se dit PDF/A-{part}"), format!("the PDF says that it is PDF/A-{part}")),
            text("rien à faire", "nothing to do"),
        ),
        None => found.note(
            rule("corps, PDF/A"),
            at(node),
            text("le PDF ne se dit pas PDF/A", "the PDF does not say that it is PDF/A"),
            text("la CNDA demande PDF/A-1 dans ses tests", "the CNDA asks for PDF/A-1 in its tests"),
        ),
    }
    for action in ["/JavaScript", "/Launch", "/EmbeddedFile", "/RichMedia"] {
        if memchr::memmem::find(bytes, action.as_bytes()).is_some() {
            found.add(
                Severity::Warning,
                rule("corps, PDF sans action"),
                at(node),
                Text::new(
                    format!("le PDF contient une action ou un fichier joint ({action})"),
                    format!("the PDF holds an action or an attached file ({action})"),
                ),
                text("produisez un PDF/A, qui n'en contient pas", "produce a PDF/A, which has none"),
            );
        }
    }
}

/// The part of ISO 19005 that the metadata claim.
fn pdf_a(bytes: &[u8]) -> Option<char> {
    let at = memchr::memmem::find(bytes, b"pdfaid:part")? + "pdfaid:part".len();
    bytes[at..].iter().take(8).find(|b| b.is_ascii_digit()).map(|digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        let cases: [(&[u8], &str, bool); 12] = [
            (b"%PDF-1.4", "application/pdf", true),
            (b"\n%PDF-1.4", "application/pdf", true),
            (b"<html>", "application/pdf", false),
            (b"\xFF\xD8\xFF\xE0", "image/jpeg", true),
            (b"\x89PNG\r\n\x1a\n", "image/jpeg", false),
            (b"\x89PNG\r\n\x1a\n", "image/png", true),
            (b"II*\0", "image/tiff", true),
            (b"MM\0*", "image/tiff", true),
            (b"{\\rtf1", "text/rtf", true),
            (b"bonjour", "text/plain", true),
            (b"a\0b", "text/plain", false),
            (b"anything", "application/dicom", true),
        ];
        for (bytes, media_type, expected) in cases {
            assert_eq!(is_of_type(bytes, media_type), expected, "{media_type}");
        }
        assert_eq!(pdf_a(b"<pdfaid:part>3</pdfaid:part>"), Some('3'));
        assert_eq!(pdf_a(b"pdfaid:part='1'"), Some('1'));
        assert_eq!(pdf_a(b"nothing"), None);
    }
}
