//! XML Schema 1.0 (W3C): is a document what its schema says?
//!
//! Order: [`Xsd`] (a schema by its entry file), [`Xsd::check`], then inside `load` (files to a compiled set, with the two
//! corrections that the published CDA schemas need) and `message` (constraint codes in two languages). The compiled set
//! lives once per thread, made when first used there: the library that compiles it does not share it.
//!
//! Absent on purpose: schemas named by the document (`xsi:schemaLocation`), network, XSD 1.1.

mod load;
mod message;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use socle_finding::Finding;
use xsd_schema::SchemaSet;
use xsd_schema::validation::{
    SchemaValidator, SchemaValidity, ValidationError, ValidationFlags, ValidationSink, ValidationWarning,
    drive_quick_xml,
};
use xsd_schema::xml::ParseLimits;

use crate::roxmltree::{Document, Node};
use crate::schematron::Files;
use crate::{Limits, NodeExt, XmlError, parse};

/// Findings of one document; the verdict does not depend on the limit.
const FINDINGS: usize = 1000;
/// Compiled sets kept by one thread.
const SETS: usize = 4;

const NS_XSL: &str = "http://www.w3.org/1999/XSL/Transform";

/// A schema of some files, by its entry.
pub struct Xsd {
    files: Arc<dyn Files>,
    entry: String,
    id: u64,
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

thread_local! {
    /// A compiled set is not for two threads at once (it holds cells): each thread has its own.
    static COMPILED: RefCell<Vec<(u64, Rc<SchemaSet>)>> = const { RefCell::new(Vec::new()) };
}

impl Xsd {
    /// The schema whose entry file is `entry`; read when first used.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, entry: impl Into<String>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { files, entry: entry.into(), id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The entry file.
    #[must_use]
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// Compiles the schema in this thread, so that the first document does not wait.
    ///
    /// # Errors
    /// The schema itself cannot be used.
    pub fn prepare(&self) -> Result<(), XsdError> {
        self.compiled().map(drop)
    }

    fn compiled(&self) -> Result<Rc<SchemaSet>, XsdError> {
        let known = COMPILED.with_borrow(|sets| sets.iter().find(|(id, _)| *id == self.id).map(|(_, set)| set.clone()));
        if let Some(set) = known {
            return Ok(set);
        }
        let set = Rc::new(load::load(&self.files, &self.entry)?);
        COMPILED.with_borrow_mut(|sets| {
            if sets.len() >= SETS {
                sets.remove(0);
            }
            sets.push((self.id, set.clone()));
        });
        Ok(set)
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
        let set = self.compiled()?;
        match inner_document(document) {
            None => Ok(judge(&set, document.input_text(), document.root_element())),
            Some(inner) => Ok(judge(&set, &alone(inner), inner)),
        }
    }
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

/// `root` is the element that `text` is the source of: it says where the findings are.
fn judge(set: &SchemaSet, text: &str, root: Node<'_, '_>) -> Verdict {
    let validator = SchemaValidator::new(set, ValidationFlags::default() - ValidationFlags::BUILD_PSVI_TYPED_VALUES);
    let mut found = Found { root, errors: 0, findings: Vec::new() };
    let mut runtime = validator.start_run(&mut found);
    let limits = Limits::default();
    runtime.set_parse_limits(
        ParseLimits::none()
            .with_max_depth(limits.depth)
            .with_max_name_bytes(limits.name)
            .with_max_nodes(limits.nodes as usize * 4),
    );
    let driven = drive_quick_xml(text.as_bytes(), &mut runtime, set);
    drop(runtime);
    let root_is_valid = match driven {
        Ok(outcome) => outcome.root_validity == Some(SchemaValidity::Valid),
        Err(error) => {
            found.findings.push(message::refused(&error.to_string()));
            false
        }
    };
    if !root_is_valid && found.errors == 0 && found.findings.is_empty() {
        found.findings.push(message::refused("the root element is not known to the schema"));
    }
    Verdict { valid: root_is_valid && found.errors == 0, findings: found.findings }
}

struct Found<'a, 'i> {
    root: Node<'a, 'i>,
    errors: usize,
    findings: Vec<Finding>,
}

impl ValidationSink for &mut Found<'_, '_> {
    fn on_error(&mut self, error: ValidationError) {
        self.errors += 1;
        if self.findings.len() < FINDINGS {
            self.findings.push(message::finding(&error, self.root));
        }
    }

    fn on_warning(&mut self, _: ValidationWarning) {}
}
