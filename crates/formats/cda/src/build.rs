//! Documents made, valid or not at all: niveau 1 around a file, for any type of the tables; niveau 3 for the
//! *lettre de liaison à la sortie* (LDL-SES 2022.01).
//!
//! A caller fills plain values ([`model`], which JSON gives too; [`fhir`] takes them from a PDSm transaction), the
//! builder writes every templateId, code and reference, then reads what it wrote with Socle's own rules:
//! a document with an error is not given out. Order: what to build, writing the header (`head`), the letter
//! (`letter`).
//!
//! What it will not do: invent a value that the caller did not give, carry an INS that the caller does not
//! state as qualified (RNIV, EXI SI 08).

pub mod fhir;
mod head;
mod letter;
pub mod model;

use base64::Engine as _;
use socle_xml::write::Writer;
use uuid::Uuid;

use crate::codes;
use crate::document::{Document, DocumentError, HL7_V3};
use crate::finding::Refused;
use crate::volet::XDS_SD;
use model::{DischargeLetter, Head, Level1};

/// A plan of a niveau 1 document, to start from. Patient and professionals are of test.
pub const EXAMPLE_N1: &str = include_str!("build/examples/n1.json");
/// A plan of a lettre de liaison à la sortie, to start from.
pub const EXAMPLE_LDL_SES: &str = include_str!("build/examples/ldl-ses.json");

impl Level1 {
    /// The document.
    ///
    /// # Errors
    /// [`BuildError`] when what was given makes no right document; every fault is listed.
    pub fn build(&self) -> Result<Document, BuildError> {
        let media_type = media_type_of(&self.file).ok_or(BuildError::MediaType)?;
        let label = codes::type_label(&self.kind).ok_or_else(|| BuildError::Kind(self.kind.clone()))?;
        let system = codes::type_system(&self.kind).unwrap_or(codes::LOINC);
        let mut page = Page::new(&self.head);
        page.open();
        page.header(&[(XDS_SD, None)], (&self.kind, system, label), self.head.title.as_deref().unwrap_or(label));
        page.w.open("component").open("nonXMLBody").open("text");
        page.w.attr("mediaType", media_type).attr("representation", "B64");
        page.w.text(&base64::engine::general_purpose::STANDARD.encode(&self.file));
        judged(page.w.finish())
    }
}

impl DischargeLetter {
    /// The document.
    ///
    /// # Errors
    /// As [`Level1::build`].
    pub fn build(&self) -> Result<Document, BuildError> {
        judged(self.to_xml())
    }

    /// Written, not judged.
    pub(crate) fn to_xml(&self) -> String {
        let mut page = Page::new(&self.head);
        page.open();
        let title = self.head.title.as_deref().unwrap_or("Lettre de liaison à la sortie de l'établissement de santé");
        let kind = ("11490-0", codes::LOINC, "Lettre de liaison à la sortie d'un établissement de soins");
        page.header(&[("1.2.250.1.213.1.1.1.29", Some("2022.01"))], kind, title);
        page.letter(self);
        page.w.finish()
    }
}

/// What was written, read again: nothing with an error leaves.
fn judged(xml: String) -> Result<Document, BuildError> {
    let document = Document::parse(xml.into_bytes())?;
    if document.findings().iter().any(socle_finding::Finding::is_error) {
        return Err(BuildError::Refused(Refused { findings: document.findings().to_vec() }));
    }
    Ok(document)
}

/// The media type of a file that a niveau 1 body may hold, from its first bytes.
fn media_type_of(file: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| file.starts_with(magic);
    if starts(b"%PDF-") {
        Some("application/pdf")
    } else if starts(&[0xFF, 0xD8, 0xFF]) {
        Some("image/jpeg")
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        Some("image/tiff")
    } else if starts(b"{\\rtf") {
        Some("text/rtf")
    } else {
        let text = std::str::from_utf8(file).is_ok_and(|text| !text.trim().is_empty() && !text.contains('\0'));
        text.then_some("text/plain")
    }
}

/// A document being written.
struct Page<'h> {
    w: Writer,
    head: &'h Head,
    last_id: u128,
}

impl<'h> Page<'h> {
    fn new(head: &'h Head) -> Self {
        Self { w: Writer::document(), head, last_id: 1 }
    }

    fn open(&mut self) {
        self.w.open("ClinicalDocument").ns("", HL7_V3).ns("xsi", "http://www.w3.org/2001/XMLSchema-instance");
    }

    /// An identifier of a section or entry: the same document always gives the same ones.
    fn fresh_id(&mut self) {
        self.last_id += 1;
        let uuid = Uuid::from_u128(self.head.id.as_u128() ^ (self.last_id << 64));
        self.w.open("id").attr("root", &uuid.hyphenated().to_string().to_uppercase()).close();
    }

    fn template(&mut self, root: &str) {
        self.w.open("templateId").attr("root", root).close();
    }

    fn templates(&mut self, roots: &[&str]) {
        roots.iter().for_each(|root| self.template(root));
    }

    fn id(&mut self, root: &str, extension: &str) {
        self.w.open("id").attr("root", root).attr("extension", extension).close();
    }

    fn code(&mut self, element: &'static str, code: &str, system: System<'_>, label: &str) {
        self.open_code(element, code, system, label);
        self.w.close();
    }

    fn open_code(&mut self, element: &'static str, code: &str, system: System<'_>, label: &str) {
        self.w.open(element).attr("code", code);
        if !label.is_empty() {
            self.w.attr("displayName", label);
        }
        self.w.attr("codeSystem", system.oid);
        if !system.name.is_empty() {
            self.w.attr("codeSystemName", system.name);
        }
    }

    fn value(&mut self, element: &'static str, value: &str) {
        self.w.open(element).attr("value", value).close();
    }

    fn interval(&mut self, low: &str, high: Option<&str>) {
        self.w.open("effectiveTime");
        self.value("low", low);
        if let Some(high) = high {
            self.value("high", high);
        }
        self.w.close();
    }

    fn null(&mut self, element: &'static str, flavor: &str) {
        self.w.open(element).attr("nullFlavor", flavor).close();
    }

    /// A line break between parts, for people who read the source.
    fn line(&mut self) {
        self.w.raw("\n");
    }
}

/// A code system and its usual name, empty when it has none.
#[derive(Clone, Copy)]
struct System<'s> {
    oid: &'s str,
    name: &'s str,
}

const LOINC: System<'static> = System { oid: codes::LOINC, name: "LOINC" };
const SNOMED_CT: System<'static> = System { oid: "2.16.840.1.113883.6.96", name: "SNOMED CT" };
const CI_SIS: System<'static> = System { oid: "1.2.250.1.213.1.1.4.322", name: "TerminologieCISIS" };
const ACT_CODE: System<'static> = System { oid: "2.16.840.1.113883.5.4", name: "HL7:ActCode" };

/// Why a document was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The type is not one of JDV_J07, or has no published label.
    #[error("{0} is not a type of document that the CI-SIS publishes (JDV_J07)")]
    Kind(String),
    /// A niveau 1 body holds a PDF, a text, RTF, JPEG or TIFF.
    #[error("the file is neither a PDF, a text in UTF-8, RTF, JPEG nor TIFF")]
    MediaType,
    /// What was written breaks a rule: a value that was given is wrong or missing.
    #[error("what was given makes no right document: {0}")]
    Refused(Refused),
    /// What was written is no CDA.
    #[error(transparent)]
    Document(#[from] DocumentError),
}
