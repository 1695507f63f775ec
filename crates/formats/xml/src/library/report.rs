//! What the rules of a package say of a document.

use socle_finding::{Finding, Severity, Text};

use crate::XmlError;
use crate::schematron::LoadError;

/// The layers of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The package that judged, as it must be printed.
    pub edition: String,
    /// The schema, then the schematrons in the order asked.
    pub layers: Vec<Layer>,
}

/// One set of rules, and what it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The file of the rules, without its ending for a schematron.
    pub name: String,
    /// How many rules fired, for a schematron.
    pub fired: Option<usize>,
    /// What came of it.
    pub outcome: LayerOutcome,
}

/// What came of a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerOutcome {
    /// It ran. What it could not check is among the findings, as a warning.
    Checked(Vec<Finding>),
    /// It did not run: neither success nor failure.
    NotChecked(Text),
}

impl Layer {
    pub(super) fn not_xml(error: &XmlError) -> Self {
        Self { name: "XML".to_owned(), fired: None, outcome: LayerOutcome::Checked(vec![error.finding()]) }
    }

    pub(super) fn unavailable(name: &str, error: &LoadError) -> Self {
        Self {
            name: name.to_owned(),
            fired: None,
            outcome: LayerOutcome::NotChecked(Text::new(
                format!("le schématron {name} est absent du paquet installé ou illisible"),
                format!("the schematron {name} is not in the installed package or cannot be read: {error}"),
            )),
        }
    }

    /// What it found; nothing when it did not run.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match &self.outcome {
            LayerOutcome::Checked(findings) => findings,
            LayerOutcome::NotChecked(_) => &[],
        }
    }
}

impl Report {
    /// All findings, layer after layer.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.layers.iter().flat_map(Layer::findings)
    }

    /// Every layer ran, and none found an error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let ran = |layer: &Layer| matches!(layer.outcome, LayerOutcome::Checked(_));
        self.layers.iter().all(ran) && self.findings().all(|finding| finding.severity != Severity::Error)
    }
}
