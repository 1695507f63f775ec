use std::path::Path;
use std::sync::Arc;

use socle_store::Store;

use crate::person::PersonKeys;
use crate::settings::{Services, Settings};

/// The place where documents are handed in and from where they leave. Cheap to share behind an `Arc`.
pub struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) services: Services,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) persons: PersonKeys,
}

impl Gateway {
    /// Opens the gateway over a store; `folder` holds the secret that names persons.
    ///
    /// # Errors
    /// The system's, when that secret can be neither read nor made.
    pub fn open(settings: Settings, services: Services, store: Arc<dyn Store>, folder: &Path) -> std::io::Result<Self> {
        Ok(Self { settings, services, store, persons: PersonKeys::open(folder)? })
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}
