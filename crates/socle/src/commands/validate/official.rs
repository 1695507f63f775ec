//! The official layers of CDA documents: the schema and the schematrons of the test bed that the user
//! installed (`socle package add`). Without one they are told as not checked.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use socle_cda::validate::{Official, Outcome};
use socle_xml::library::{Layer, LayerOutcome, Library};
use socle_xml::roxmltree::Node;

use crate::commands::package::test_beds;

/// The newest test bed that is installed; its rules are loaded when a document first needs them.
#[derive(Clone)]
pub(super) struct Installed(Arc<Library>);

impl Installed {
    pub(super) fn newest(packages: Option<&Path>) -> Result<Option<Self>> {
        let library = test_beds(packages)?.newest(None)?;
        Ok(library.map(|library| Self(Arc::new(library))))
    }

    pub(super) fn layers(&self) -> &dyn Official {
        self
    }
}

impl Official for Installed {
    fn edition(&self) -> String {
        self.0.package().edition.clone()
    }

    fn common(&self) -> Vec<&str> {
        self.0.package().common.iter().map(String::as_str).collect()
    }

    fn volets(&self) -> Vec<&str> {
        self.0.package().volets.iter().map(String::as_str).collect()
    }

    fn schema(&self, root: Node<'_, '_>) -> Outcome {
        outcome(self.0.schema(root))
    }

    fn schematrons(&self, names: &[&str], root: Node<'_, '_>) -> Vec<Outcome> {
        self.0.schematrons(names, root).into_iter().map(outcome).collect()
    }
}

fn outcome(layer: Layer) -> Outcome {
    match layer.outcome {
        LayerOutcome::Checked(findings) => Outcome::Checked(findings),
        LayerOutcome::NotChecked(why) => Outcome::NotChecked(why),
    }
}
