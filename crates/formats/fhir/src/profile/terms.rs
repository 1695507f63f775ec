//! Terminology of a point of view: code systems and value sets as the definitions hold them.

use std::sync::Arc;

use crate::definitions::Definitions;
use crate::terminology::{CodeSystem, Source, ValueSet, read_code_system, read_value_set};

/// The definitions as a source of terminology.
pub(super) struct OfDefinitions(pub(super) Arc<dyn Definitions>);

impl Source for OfDefinitions {
    fn code_systems(&self, url: &str) -> Vec<Arc<CodeSystem>> {
        let document = self.0.resource("CodeSystem", url);
        document.and_then(|document| read_code_system(document.root()).ok()).map(Arc::new).into_iter().collect()
    }

    fn value_sets(&self, url: &str) -> Vec<Arc<ValueSet>> {
        let document = self.0.resource("ValueSet", url);
        document.and_then(|document| read_value_set(document.root()).ok()).map(Arc::new).into_iter().collect()
    }
}
