//! XML Schema 1.0 (W3C): is a document what its schema says?
//!
//! Order: [`Xsd`] (a schema by its entry file), [`Xsd::check`], then inside `load` (files to a compiled set, with the two
//! corrections that the published CDA schemas need), `workers` (the threads that own compiled sets, made when first
//! needed) and `message` (constraint codes in two languages).
//!
//! Absent on purpose: schemas named by the document (`xsi:schemaLocation`), network, XSD 1.1.

mod load;
mod message;
mod workers;

use std::sync::Arc;

use socle_finding::Finding;
use workers::{Judged, Workers};

use crate::roxmltree::{Document, Node};
use crate::schematron::Files;
use crate::{Limits, NodeExt, XmlError, parse};

/// Findings of one document; the verdict does not depend on the limit.
const FINDINGS: usize = 1000;

const NS_XSL: &str = "http://www.w3.org/1999/XSL/Transform";

/// A schema of some files, by its entry.
pub struct Xsd {
    files: Arc<dyn Files>,
    entry: String,
    workers: Workers,
}

/// A schema that cannot be used. Nothing is valid against it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XsdError {
    /// A file that the schema needs is not there.
    #[error("{file}: the file is missing or cannot be read")]
    Missing {
        /// The name asked for.
        file: String,
    },
    /// The files are no schema.
    #[error("{entry}: the schema cannot be used: {reason}")]
    Unusable {
        /// The entry file.
        entry: String,
        /// What the compiler says, in English.
        reason: String,
    },
    /// The document is not well-formed: there is nothing to judge.
    #[error(transparent)]
    NotXml(#[from] XmlError),
}

/// What the schema says of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Nothing is against the schema.
    pub valid: bool,
    /// What is, in document order, the first thousand.
    pub findings: Vec<Finding>,
}

impl std::fmt::Debug for Xsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Xsd({})", self.entry)
    }
}

impl Xsd {
    /// The schema whose entry file is `entry`; read when first used.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, entry: impl Into<String>) -> Self {
        Self { files, entry: entry.into(), workers: Workers::new() }
    }

    /// The entry file.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Compiles the schema, so that the first document does not wait.
    ///
    /// # Errors
    /// The schema itself cannot be used.
    pub fn prepare(&self) -> Result<(), XsdError> {
        self.workers.prepare(&self.files, &self.entry)
    }

    /// Judges a document. One that presents itself (its root is an XSLT stylesheet around the document) is judged by the
    /// `ClinicalDocument` inside.
    ///
    /// # Errors
    /// The schema cannot be used, or the text is not well-formed.
    pub fn check(&self, text: &str) -> Result<Verdict, XsdError> {
        let document = parse(text, &Limits::default())?;
        self.check_parsed(&document)
    }

    /// The same for a document that is parsed already.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_parsed(&self, document: &Document<'_>) -> Result<Verdict, XsdError> {
        match inner_document(document) {
            None => self.judge(document.input_text(), document.root_element()),
            Some(inner) => self.judge(&alone(inner), inner),
        }
    }

    /// `root` is the element that `text` is the source of: it says where the findings are.
    fn judge(&self, text: &str, root: Node<'_, '_>) -> Result<Verdict, XsdError> {
        self.workers.judge(&self.files, &self.entry, text).map(|judged| verdict(judged, root))
    }
}

fn verdict(judged: Judged, root: Node<'_, '_>) -> Verdict {
    let valid = judged.root_is_valid && judged.count == 0 && judged.stopped.is_none();
    let mut findings: Vec<Finding> = judged.errors.iter().map(|error| message::finding(error, root)).collect();
    findings.extend(judged.stopped.as_deref().map(message::refused));
    if !valid && findings.is_empty() {
        findings.push(message::refused("the root element is not known to the schema"));
    }
    Verdict { valid, findings }
}

fn inner_document<'a, 'i>(document: &'a Document<'i>) -> Option<Node<'a, 'i>> {
    let root = document.root_element();
    if !root.is(Some(NS_XSL), "stylesheet") {
        return None;
    }
    root.descendants().find(|node| node.is(Some("urn:hl7-org:v3"), "ClinicalDocument"))
}

/// The source of an element with the namespaces that it inherits.
fn alone(node: Node<'_, '_>) -> String {
    let source = node.source();
    let name = node.qname().len() + 1;
    let (start, rest) = source.split_at(name.min(source.len()));
    let tag_end = rest.find('>').unwrap_or(rest.len());
    let mut declared = String::new();
    for namespace in node.namespaces().filter(|namespace| namespace.name() != Some("xml")) {
        let attribute = namespace.name().map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
        // Its own declarations stay where they are; only inherited ones are added.
        let is_own = rest[..tag_end]
            .split_ascii_whitespace()
            .any(|part| part.strip_prefix(attribute.as_str()).is_some_and(|after| after.trim_start().starts_with('=')));
        if !is_own {
            let value = namespace.uri().replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            declared.push_str(&format!(" {attribute}=\"{value}\""));
        }
    }
    format!("{start}{declared}{rest}")
}
