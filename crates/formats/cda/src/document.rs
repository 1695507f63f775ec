//! A received CDA document: its bytes, untouched, and what a first reading says of them.
//!
//! The ClinicalDocument is found where the field puts it: as the root, inside an *autoprésentable*
//! stylesheet, or inside the XAdES envelope of a signed document. The bytes are never written again:
//! hash and signatures are over them, and what is stored is what was received.
//!
//! Not here: the rules of the header (`header`), the body's content, any stylesheet (none is run).
//! Source: CI-SIS, volet Structuration minimale V1.16.8.

use base64::Engine as _;
use bytes::Bytes;
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_xml::roxmltree::{self, Node};
use socle_xml::{Encoding, Limits, NodeExt as _, XmlError};

use crate::finding::{Findings, at};
use crate::header::{self, Header, Patient, Template};
use crate::rules;

/// The namespace of CDA.
pub const HL7_V3: &str = "urn:hl7-org:v3";
const XSLT: &str = "http://www.w3.org/1999/XSL/Transform";
const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// A document as it came, with its first reading.
///
/// `Debug` shows no content.
#[derive(Clone)]
pub struct Document {
    bytes: Bytes,
    form: Form,
    body: Body,
    code: Option<String>,
    templates: Vec<Template>,
    header: Option<Box<Header>>,
    patient: Option<Patient>,
    findings: Vec<Finding>,
}

/// How the ClinicalDocument is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The ClinicalDocument is the root.
    Plain,
    /// Inside an `xsl:stylesheet` that shows it (*autoprésentable*; the ANS deprecates it).
    SelfPresenting,
    /// Inside a `ds:Signature` (XAdES enveloping).
    Signed,
}

impl Form {
    /// The MIME type of XDS metadata.
    #[must_use]
    pub const fn mime_type(self) -> &'static str {
        match self {
            Self::SelfPresenting => "application/xslt+xml",
            Self::Plain | Self::Signed => "text/xml",
        }
    }
}

/// What the body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Niveau 1: one encapsulated file of this media type.
    Level1 {
        /// `application/pdf`, `text/plain`, `text/rtf`, `image/jpeg` or `image/tiff` when it is right.
        media_type: String,
    },
    /// Niveau 3: sections.
    Level3,
    /// Neither `nonXMLBody` nor `structuredBody` (a finding says so).
    Missing,
}

impl Document {
    /// Reads a document. The header is read at once: see [`Header::read`] and [`Self::findings`].
    ///
    /// # Errors
    /// [`DocumentError`] when the bytes are not safe XML, or hold no ClinicalDocument, or several.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, DocumentError> {
        let bytes = bytes.into();
        let text = socle_xml::decode(&bytes, &Limits::CDA)?;
        let tree = socle_xml::parse(&text, &Limits::CDA)?;
        let (root, form) = find(&tree)?;
        let mut findings = Findings::default();
        if text.encoding != Encoding::Utf8 {
            findings.warning(UTF8, at(root), NOT_UTF8, SAVE_AS_UTF8);
        }
        let body = body_of(root);
        rules::judge_container(root, &body, &mut findings);
        let code = child(root, "code").and_then(|code| code.attribute("code")).map(str::to_owned);
        let (header, patient) = header::read(root, &mut findings);
        let header = header.filter(|_| !findings.has_error()).map(Box::new);
        header::judge_ins(root, &mut findings);
        let templates = header::templates_of(root);
        rules::judge(
            root,
            &rules::Known { body: &body, templates: &templates, patient: patient.as_ref() },
            &mut findings,
        );
        let findings = findings.into_vec();
        Ok(Self { body, code, templates, form, header, patient, findings, bytes: bytes.clone() })
    }

    /// The bytes, as received.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How the ClinicalDocument is wrapped.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// `ClinicalDocument/code/@code`, even when the header is refused (`X-MSS-CODECDA` needs no more).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// `templateId` of the document, in order, even when the header is refused.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Everything that Socle's own rules find, header first, then body. A wrong key of the INS is an error
    /// here and does not prevent [`Header::read`]: the caller judges it by [`Header::ins`].
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The patient, even when the header is refused for another reason.
    #[must_use]
    pub const fn patient(&self) -> Option<&Patient> {
        self.patient.as_ref()
    }

    pub(crate) fn header(&self) -> Option<&Header> {
        self.header.as_deref()
    }

    /// The file inside a niveau 1 body, decoded; none for a niveau 3.
    ///
    /// # Errors
    /// [`DocumentError::Payload`] when it is not Base64.
    pub fn payload(&self) -> Result<Option<Vec<u8>>, DocumentError> {
        if !matches!(self.body, Body::Level1 { .. }) {
            return Ok(None);
        }
        self.with_root(|root| {
            let text = path(root, &["component", "nonXMLBody", "text"]).ok_or(DocumentError::Payload)?;
            payload_of(text).map(Some)
        })?
    }

    /// Runs `look` on the ClinicalDocument element. The tree is parsed for the occasion: for checks
    /// that need more than the header.
    ///
    /// # Errors
    /// Those of [`Self::parse`], which has succeeded on the same bytes.
    pub fn with_root<T>(&self, look: impl FnOnce(Node<'_, '_>) -> T) -> Result<T, DocumentError> {
        let text = socle_xml::decode(&self.bytes, &Limits::CDA)?;
        let tree = socle_xml::parse(&text, &Limits::CDA)?;
        let (root, _) = find(&tree)?;
        Ok(look(root))
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {:?}, {:?})", self.bytes.len(), self.form, self.body)
    }
}

fn find<'a, 'i>(tree: &'a roxmltree::Document<'i>) -> Result<(Node<'a, 'i>, Form), DocumentError> {
    let root = tree.root_element();
    let form = match (root.tag_name().namespace(), root.tag_name().name()) {
        (Some(HL7_V3), "ClinicalDocument") => return Ok((root, Form::Plain)),
        (Some(XSLT), "stylesheet" | "transform") => Form::SelfPresenting,
        (Some(XMLDSIG), "Signature") => Form::Signed,
        _ => return Err(DocumentError::NoClinicalDocument),
    };
    let mut all = root.descendants().filter(|n| n.has_tag_name((HL7_V3, "ClinicalDocument")));
    let first = all.next().ok_or(DocumentError::NoClinicalDocument)?;
    if all.next().is_some() {
        return Err(DocumentError::SeveralClinicalDocuments);
    }
    Ok((first, form))
}

fn body_of(root: Node<'_, '_>) -> Body {
    if let Some(text) = path(root, &["component", "nonXMLBody", "text"]) {
        return Body::Level1 { media_type: media_type_of(text) };
    }
    if path(root, &["component", "structuredBody"]).is_some() {
        return Body::Level3;
    }
    Body::Missing
}

/// `@mediaType`, in lower case.
pub(crate) fn media_type_of(node: Node<'_, '_>) -> String {
    node.attribute("mediaType").unwrap_or_default().trim().to_ascii_lowercase()
}

/// The bytes of an `ED` in Base64.
pub(crate) fn payload_of(text: Node<'_, '_>) -> Result<Vec<u8>, DocumentError> {
    let mut packed = text.full_text().into_bytes();
    packed.retain(|b| !b.is_ascii_whitespace());
    base64::engine::general_purpose::STANDARD.decode(packed).map_err(|_| DocumentError::Payload)
}

/// The first child of this name in CDA's namespace.
pub(crate) fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.child(Some(HL7_V3), name)
}

/// All children of this name.
pub(crate) fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children_named(Some(HL7_V3), name)
}

/// The first node at the end of a path of names.
pub(crate) fn path<'a, 'i: 'a>(node: Node<'a, 'i>, names: &[&str]) -> Option<Node<'a, 'i>> {
    node.path(Some(HL7_V3), names)
}

const UTF8: Rule = Rule::fixed("CI-SIS Structuration minimale 1.16.8", "encodage UTF-8");
const NOT_UTF8: Text = Text::fixed("le document n'est pas en UTF-8", "the document is not in UTF-8");
const SAVE_AS_UTF8: Text = Text::fixed("produisez-le en UTF-8", "produce it in UTF-8");

/// Why bytes are not a CDA document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not safe XML.
    #[error("the document is not XML that may be read: {0}")]
    Xml(#[from] XmlError),
    /// Well-formed, but something else.
    #[error("no ClinicalDocument (urn:hl7-org:v3) in the file")]
    NoClinicalDocument,
    /// A wrapper around more than one.
    #[error("several ClinicalDocument in one file: which one is meant cannot be known")]
    SeveralClinicalDocuments,
    /// The body of a niveau 1 document does not decode.
    #[error("the file inside the nonXMLBody is not Base64")]
    Payload,
}

impl DocumentError {
    /// The same as a finding.
    #[must_use]
    pub fn finding(&self) -> Finding {
        const SHAPE: Rule = Rule::fixed("CI-SIS Structuration minimale 1.16.8", "ClinicalDocument");
        let (rule, at, message, mend) = match self {
            Self::Xml(error) => return error.finding(),
            Self::NoClinicalDocument => (
                SHAPE,
                Location::path("/"),
                Text::fixed("le fichier ne contient pas de ClinicalDocument", "the file holds no ClinicalDocument"),
                Text::fixed(
                    "envoyez un document CDA R2 (espace de noms urn:hl7-org:v3)",
                    "send a CDA R2 document (namespace urn:hl7-org:v3)",
                ),
            ),
            Self::SeveralClinicalDocuments => (
                SHAPE,
                Location::path("/"),
                Text::fixed(
                    "le fichier contient plusieurs ClinicalDocument",
                    "the file holds several ClinicalDocument elements",
                ),
                Text::fixed("envoyez un document par fichier", "send one document per file"),
            ),
            Self::Payload => (
                Rule::fixed("CI-SIS Structuration minimale 1.16.8", "nonXMLBody/text"),
                Location::path("ClinicalDocument/component/nonXMLBody/text"),
                Text::fixed("le fichier encapsulé n'est pas en Base64", "the encapsulated file is not in Base64"),
                Text::fixed("encodez le fichier en Base64", "encode the file in Base64"),
            ),
        };
        Finding { severity: Severity::Error, rule, at, message, mend }
    }
}
