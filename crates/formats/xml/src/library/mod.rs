//! The official rules for CDA documents as packages that the user installs: the test bed of the CI-SIS (schemas,
//! schematrons, value sets), kept in a folder and loaded when first used.
//!
//! Order: [`recognise`] and [`Shelf`] (install, list, remove), [`Package`] (what is there, printed with every report),
//! [`Library`] (the rules, ready to run), [`Report`]. Socle carries none of these files. Which volet a document claims
//! is not decided here (`socle-cda`).

mod install;
mod report;
mod shelf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use socle_finding::Text;

pub use install::recognise;
pub use report::{Layer, LayerOutcome, Report};
pub use shelf::{LibraryError, Shelf};

use crate::arena::{Arena, Names};
use crate::roxmltree::{Document, Node};
use crate::schematron::{Files, Folder, LoadError, Schematron, Values};
use crate::xsd::{Xsd, XsdError};
use crate::{Limits, decode, parse};

/// The schema of CDA documents in a test bed.
const CDA_XSD: &str = "infrastructure/cda/CDA_extended.xsd";

/// The schematrons that judge every document, in the order of the test bed, by the names of their files.
pub const COMMON: [&str; 5] =
    ["IHE", "terminologie", "CI-SIS_ModelesDeContenusCDA", "ASIP-STRUCT-MIN-StrucMin", "CI-SIS_Modeles_ANS"];

/// The one that the homologation of DMP-compatibility asks a report of (CNDA, scenario 2.1-160).
pub const STRUCTURATION_MINIMALE: &str = "ASIP-STRUCT-MIN-StrucMin";

/// Which rules a package holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Volets and common profiles: what the Ségur scenarios are judged by.
    Segur,
    /// Structuration minimale alone: what the DMP homologation asks for.
    DmpHomologation,
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name in the shelf: the beginning of its fingerprint.
    pub id: String,
    /// Which rules.
    pub family: Family,
    /// Name, newest year of its volets and fingerprint, to be printed with every report. The published files carry no
    /// release number.
    pub edition: String,
    /// SHA-256 of all names and contents.
    pub fingerprint: String,
    /// Common schematrons, by name.
    pub common: Vec<String>,
    /// Schematrons of volets, by name (`CI-SIS_LDL-SES_2022.01`).
    pub volets: Vec<String>,
    /// Does it hold the schema?
    pub schema: bool,
    /// How many value sets.
    pub value_sets: usize,
    /// How many files.
    pub files: usize,
    /// Their size together.
    pub bytes: u64,
    /// When it was installed, RFC 3339.
    pub added: String,
}

/// Which schematrons to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'w> {
    /// The common ones.
    Common,
    /// Those of the DMP homologation.
    DmpHomologation,
    /// The common ones and that of a volet, by name.
    Volet(&'w str),
    /// These, by name.
    Named(&'w [&'w str]),
}

/// The rules of an installed package. Shared by all threads; each schematron is loaded when first asked for.
pub struct Library {
    package: Package,
    files: Arc<dyn Files>,
    names: Names,
    values: Values,
    xsd: Option<Xsd>,
    schematrons: BTreeMap<String, Entry>,
    cache: PathBuf,
}

struct Entry {
    path: String,
    loaded: OnceLock<Result<Schematron, LoadError>>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Library({})", self.package.edition)
    }
}

impl Library {
    /// Opens an installed package; nothing is loaded yet.
    pub(crate) fn open(package: Package, files: Folder, cache: PathBuf) -> Self {
        let files: Arc<dyn Files> = Arc::new(files);
        let names = Names::new();
        let values = Values::new(files.clone(), &names);
        let entries = install::schematrons(&*files).into_iter();
        let schematrons = entries.map(|(name, path)| (name, Entry { path, loaded: OnceLock::new() })).collect();
        let xsd = files.find(CDA_XSD).map(|entry| Xsd::new(files.clone(), entry));
        Self { package, files, names, values, xsd, schematrons, cache }
    }

    /// What is installed.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// The schema, when the package holds one.
    #[must_use]
    pub fn xsd(&self) -> Option<&Xsd> {
        self.xsd.as_ref()
    }

    /// A schematron by name, loaded now if it was not: from its compiled form when that is there, else from its source,
    /// whose compiled form is then kept.
    ///
    /// # Errors
    /// The package has none of this name, or it cannot be read.
    pub fn schematron(&self, name: &str) -> Result<&Schematron, LoadError> {
        let entry = self.schematrons.get(name).ok_or_else(|| LoadError::Absent { path: name.to_owned() })?;
        entry.loaded.get_or_init(|| self.load(name, &entry.path)).as_ref().map_err(Clone::clone)
    }

    /// Loads all schematrons; gives how many there are.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn load_all(&self) -> Result<usize, LoadError> {
        self.schematrons.keys().try_for_each(|name| self.schematron(name).map(drop))?;
        Ok(self.schematrons.len())
    }

    fn load(&self, name: &str, path: &str) -> Result<Schematron, LoadError> {
        let kept = self.cache.join(format!("{name}.socle"));
        let key = &self.package.fingerprint;
        let compiled = fs::read(&kept).ok().and_then(|bytes| Schematron::from_cache(&bytes, key, &self.names));
        if let Some(schema) = compiled {
            return Ok(schema);
        }
        let schema = Schematron::load(&*self.files, path, &self.names)?;
        // Without it the next start is slower, nothing else.
        let _ = schema.to_cache(key, &self.names).map(|bytes| keep(&kept, &bytes));
        Ok(schema)
    }

    /// Runs schema and schematrons on a document. Bytes that are no XML are one finding.
    #[must_use]
    pub fn check(&self, bytes: &[u8], which: Which<'_>) -> Report {
        let limits = Limits::default();
        let text = match decode(bytes, &limits) {
            Ok(text) => text,
            Err(error) => return self.report(vec![Layer::not_xml(&error)]),
        };
        match parse(&text.text, &limits) {
            Ok(document) => self.check_parsed(&document, which),
            Err(error) => self.report(vec![Layer::not_xml(&error)]),
        }
    }

    /// The same for a document that is parsed already. The schematrons are run even when the schema refuses: the test bed
    /// does so.
    #[must_use]
    pub fn check_parsed(&self, document: &Document<'_>, which: Which<'_>) -> Report {
        let names = self.chosen(which);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut layers = vec![self.schema(document.root_element())];
        layers.extend(self.schematrons(&names, document.root_element()));
        self.report(layers)
    }

    fn report(&self, layers: Vec<Layer>) -> Report {
        Report { edition: self.package.edition.clone(), layers }
    }

    fn chosen(&self, which: Which<'_>) -> Vec<String> {
        let common = self.package.common.clone();
        match which {
            Which::Common => common,
            Which::DmpHomologation => vec![STRUCTURATION_MINIMALE.to_owned()],
            Which::Volet(name) => common.into_iter().chain([name.to_owned()]).collect(),
            Which::Named(names) => names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// Runs the schema on the document of this element. A ClinicalDocument inside a stylesheet is judged alone.
    #[must_use]
    pub fn schema(&self, root: Node<'_, '_>) -> Layer {
        let outcome = match &self.xsd {
            None => LayerOutcome::NotChecked(Text::fixed(
                "le paquet installé ne contient pas le schéma XML",
                "the installed package does not hold the XML schema",
            )),
            Some(xsd) => match xsd.check_parsed(root.document()) {
                Ok(verdict) => LayerOutcome::Checked(verdict.findings),
                Err(XsdError::NotXml(error)) => LayerOutcome::Checked(vec![error.finding()]),
                Err(error) => LayerOutcome::NotChecked(Text::new(
                    format!("le schéma XML installé est inutilisable : {error}"),
                    format!("the installed XML schema cannot be used: {error}"),
                )),
            },
        };
        Layer { name: "CDA_extended.xsd".to_owned(), fired: None, outcome }
    }

    /// Runs schematrons, by name, on the document of this element; one layer each, in this order.
    #[must_use]
    pub fn schematrons(&self, names: &[&str], root: Node<'_, '_>) -> Vec<Layer> {
        // All are loaded before the document is copied: it must know the names of every rule.
        let loaded: Vec<_> = names.iter().map(|name| self.schematron(name)).collect();
        let document = root.document();
        let arena = Arena::new(document, &self.names);
        let run = |(name, schema): (&&str, &Result<&Schematron, LoadError>)| match schema {
            Ok(schema) => self.run(schema, &arena, document.input_text()),
            Err(error) => Layer::unavailable(name, error),
        };
        names.iter().zip(&loaded).map(run).collect()
    }

    fn run(&self, schema: &Schematron, arena: &Arena, source: &str) -> Layer {
        let name = schema.name().to_owned();
        match schema.run(arena, &self.values) {
            Ok(outcome) => {
                let mut findings = outcome.findings(source);
                findings.extend(schema.defect_findings());
                Layer { name, fired: Some(outcome.fired.len()), outcome: LayerOutcome::Checked(findings) }
            }
            Err(stale) => Layer {
                name,
                fired: None,
                outcome: LayerOutcome::NotChecked(Text::new(
                    "le schématron n'a pas pu être exécuté",
                    format!("the schematron could not be run: {stale}"),
                )),
            },
        }
    }
}

/// Written beside, then renamed: another process never sees half a file.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}
