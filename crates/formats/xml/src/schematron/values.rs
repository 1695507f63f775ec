//! The documents that rules look values up in, read when first asked for and kept.

use std::sync::Arc;

use super::files::{Files, resolve};
use crate::arena::{AppendMap, Arena, Names};
use crate::xpath::{Documents, Missing};
use crate::{Limits, decode, parse};

/// Value sets of one package. Shared by all its schemas and by all threads.
pub struct Values {
    files: Arc<dyn Files>,
    names: Names,
    known: AppendMap<String, Result<Arena, Missing>>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Values")
    }
}

impl Values {
    /// Those of some files; `names` are those of the schemas.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, names: &Names) -> Self {
        Self { files, names: names.clone(), known: AppendMap::default() }
    }

    fn get(&self, from: &str, path: &str) -> Result<&Arena, Missing> {
        // The path may hold data of the document: only files of the package are remembered.
        let stored = resolve(from, path).and_then(|path| self.files.find(&path)).ok_or(Missing::Absent)?;
        let arena = self.known.get_or_insert_with(stored.clone(), || self.read(&stored));
        arena.as_ref().map_err(|missing| *missing)
    }

    fn read(&self, stored: &str) -> Result<Arena, Missing> {
        let bytes = self.files.read(stored).map_err(|_| Missing::Unreadable)?;
        let limits = Limits::default();
        let text = decode(&bytes, &limits).map_err(|_| Missing::Unreadable)?;
        let parsed = parse(&text.text, &limits).map_err(|_| Missing::Unreadable)?;
        Ok(Arena::known(&parsed, &self.names))
    }
}

/// The values as one schema sees them: from its own folder.
pub(super) struct Seen<'a> {
    pub(super) values: &'a Values,
    pub(super) from: &'a str,
}

impl<'a> Documents<'a> for Seen<'a> {
    fn document(&self, path: &str) -> Result<&'a Arena, Missing> {
        self.values.get(self.from, path)
    }
}
