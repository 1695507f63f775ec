//! One verdict on one document: Socle's own rules, then the official layers when their package is there.
//!
//! Order: the report, the door to the official layers, validation. A layer that was not run says so and
//! why: it is never counted as passed. Not here: the rules (`rules`, `header`), the engines (`socle-xml`).

use bytes::Bytes;
use serde::Serialize;
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_xml::library::{LayerOutcome, Library};
use socle_xml::roxmltree::Node;

use crate::document::Document;
use crate::volet::{Choice, Claim};

/// What validation says of a document.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the document claims to be; none when it is no CDA document.
    pub claim: Option<Claim>,
    /// The layers, in the order of their running.
    pub layers: Vec<Layer>,
}

/// One set of rules, and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Layer {
    /// What judged: Socle's rules, the schema, a schematron.
    pub name: Text,
    /// The edition of the rules, as a report must say it; none for a layer that is not installed.
    pub edition: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a layer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran; the list may be empty.
    Checked(Vec<Finding>),
    /// It did not run: neither success nor failure.
    NotChecked(Text),
}

impl Report {
    /// All findings, layer after layer.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.layers.iter().flat_map(|layer| match &layer.outcome {
            Outcome::Checked(findings) => findings.as_slice(),
            Outcome::NotChecked(_) => &[],
        })
    }

    /// No error in any layer that ran.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.findings().all(|finding| finding.severity != Severity::Error)
    }

    /// Layers that did not run, and why.
    pub fn not_checked(&self) -> impl Iterator<Item = (&Layer, &Text)> {
        self.layers.iter().filter_map(|layer| match &layer.outcome {
            Outcome::NotChecked(why) => Some((layer, why)),
            Outcome::Checked(_) => None,
        })
    }
}

/// The official layers of one installed package: the schema and the schematrons of the ANS.
pub trait Official {
    /// Name and version of the package, for the report.
    fn edition(&self) -> String;

    /// The schematrons that judge every document, by name, in the order of the test bed.
    fn common(&self) -> Vec<&str>;

    /// The schematrons of volets, by name (`CI-SIS_LDL-SES_2022.01`).
    fn volets(&self) -> Vec<&str>;

    /// Runs the schema on a ClinicalDocument.
    fn schema(&self, root: Node<'_, '_>) -> Outcome;

    /// Runs schematrons on a ClinicalDocument, in this order; one outcome each.
    fn schematrons(&self, names: &[&str], root: Node<'_, '_>) -> Vec<Outcome>;
}

/// Validates a document with every layer that is there.
#[must_use]
pub fn validate(bytes: impl Into<Bytes>, official: Option<&dyn Official>) -> Report {
    match Document::parse(bytes) {
        Ok(document) => validate_document(&document, official),
        Err(error) => Report { claim: None, layers: vec![own(vec![error.finding()])] },
    }
}

/// The same for a document that is already read.
#[must_use]
pub fn validate_document(document: &Document, official: Option<&dyn Official>) -> Report {
    let claim = Claim::of(document);
    let mut layers = vec![own(document.findings().to_vec())];
    match official {
        Some(official) => layers.extend(official_layers(document, &claim, official)),
        None => layers.push(no_package()),
    }
    Report { claim: Some(claim), layers }
}

fn own(findings: Vec<Finding>) -> Layer {
    Layer {
        name: Text::fixed("règles de Socle", "Socle's rules"),
        edition: Some(concat!("socle ", env!("CARGO_PKG_VERSION")).to_owned()),
        outcome: Outcome::Checked(findings),
    }
}

fn no_package() -> Layer {
    Layer {
        name: Text::fixed("schéma et schématrons officiels", "official schema and schematrons"),
        edition: None,
        outcome: Outcome::NotChecked(Text::fixed(
            "non vérifié : aucun paquet de schématrons n'est installé (socle package add <banc de test de l'ANS>)",
            "not checked: no schematron package installed (socle package add <test bed of the ANS>)",
        )),
    }
}

fn official_layers(document: &Document, claim: &Claim, official: &dyn Official) -> Vec<Layer> {
    let common = official.common();
    let volets = official.volets();
    let (chosen, nearest, not_checked) = match claim.choose(volets.iter().copied()) {
        Choice::Exact(name) => (Some(name), false, None),
        Choice::Nearest(name) => (Some(name), true, None),
        Choice::NotNeeded => (None, false, None),
        Choice::NoVolet => (None, false, Some(NO_VOLET)),
        Choice::SeveralVolets => (None, false, Some(SEVERAL_VOLETS)),
        Choice::NotInstalled => (None, false, Some(NOT_INSTALLED)),
    };
    let names: Vec<&str> = common.iter().copied().chain(chosen).collect();
    let edition = Some(official.edition());
    let layer = |name: Text, outcome| Layer { name, edition: edition.clone(), outcome };
    let run = document.with_root(|root| {
        let schema = layer(Text::fixed("schéma XML", "XML schema"), official.schema(root));
        let judged = official.schematrons(&names, root);
        let judged = names.iter().zip(judged).map(|(name, outcome)| layer(schematron(name), outcome));
        std::iter::once(schema).chain(judged).collect::<Vec<_>>()
    });
    let mut layers = run.unwrap_or_default();
    if let (true, Some(Layer { outcome: Outcome::Checked(findings), .. })) = (nearest, layers.last_mut()) {
        findings.insert(0, other_edition(chosen.unwrap_or_default()));
    }
    if let Some(why) = not_checked {
        let name = Text::fixed("schématron du volet", "schematron of the volet");
        layers.push(layer(name, Outcome::NotChecked(why)));
    }
    layers
}

fn schematron(name: &str) -> Text {
    Text::new(format!("schématron {name}"), format!("schematron {name}"))
}

/// The verdict of another edition is worth reading, and is not that of the document's own.
fn other_edition(name: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        rule: Rule::fixed("CI-SIS", "édition du volet"),
        at: Location::path("ClinicalDocument/templateId"),
        message: Text::new(
            format!("l'édition que dit le document n'est pas installée : {name} a jugé à sa place"),
            format!("the edition that the document claims is not installed: {name} judged instead"),
        ),
        mend: Text::fixed(
            "installez le banc de test qui contient cette édition, ou donnez l'édition dans le templateId",
            "install the test bed that holds this edition, or give the edition in the templateId",
        ),
    }
}

const NO_VOLET: Text = Text::fixed(
    "non vérifié : aucun templateId du document n'est celui d'un volet connu",
    "not checked: no templateId of the document is that of a known volet",
);
const SEVERAL_VOLETS: Text = Text::fixed(
    "non vérifié : le document se réclame de plusieurs volets",
    "not checked: the document claims several volets",
);
const NOT_INSTALLED: Text = Text::fixed(
    "non vérifié : le paquet installé n'a pas de schématron pour ce volet",
    "not checked: the installed package has no schematron for this volet",
);

/// An installed package, as `socle package add` keeps it.
impl Official for Library {
    fn edition(&self) -> String {
        self.package().edition.clone()
    }

    fn common(&self) -> Vec<&str> {
        self.package().common.iter().map(String::as_str).collect()
    }

    fn volets(&self) -> Vec<&str> {
        self.package().volets.iter().map(String::as_str).collect()
    }

    fn schema(&self, root: Node<'_, '_>) -> Outcome {
        Self::schema(self, root).outcome.into()
    }

    fn schematrons(&self, names: &[&str], root: Node<'_, '_>) -> Vec<Outcome> {
        Self::schematrons(self, names, root).into_iter().map(|layer| layer.outcome.into()).collect()
    }
}

impl From<LayerOutcome> for Outcome {
    fn from(outcome: LayerOutcome) -> Self {
        match outcome {
            LayerOutcome::Checked(findings) => Self::Checked(findings),
            LayerOutcome::NotChecked(why) => Self::NotChecked(why),
        }
    }
}
