//! Two words used on every side: a code and an instance identifier.

use serde::{Deserialize, Serialize};
use socle_identity::{Oid, OidError};

/// A code with its system: `CD`/`CE` of CDA, a Classification of XDS.
///
/// Two codes are the same when code and system are: labels are for people.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The code.
    pub code: String,
    /// OID of the code system (`codeSystem`, `codingScheme`); a few XDS codes have a word (`URN`, `ASTM`).
    pub system: String,
    /// The label; empty when none came.
    #[serde(default)]
    pub label: String,
}

impl Code {
    /// A code.
    pub fn new(code: impl Into<String>, system: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code: code.into(), system: system.into(), label: label.into() }
    }

    /// Is it this code of this system?
    #[must_use]
    pub fn is(&self, code: &str, system: &str) -> bool {
        self.code == code && self.system == system
    }

    /// The form of stored queries (IHE ITI TF-2 3.18.4.1.2.3.4) and of CE data: `code^^system`.
    #[must_use]
    pub fn to_query(&self) -> String {
        format!("{}^^{}", self.code, self.system)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.system == other.system
    }
}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.code.hash(state);
        self.system.hash(state);
    }
}

/// An instance identifier (`II` of CDA): a root, with or without an extension.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// An OID, or a UUID in some documents.
    pub root: String,
    /// What the root numbers.
    pub extension: Option<String>,
}

impl Identifier {
    /// `root` or `root^extension`: the uniqueId of XDS (IHE ITI TF-3 4.2.3.2.26).
    #[must_use]
    pub fn to_unique_id(&self) -> String {
        match &self.extension {
            Some(extension) => format!("{}^{extension}", self.root),
            None => self.root.clone(),
        }
    }

    /// The root, when it is an OID.
    ///
    /// # Errors
    /// [`OidError`] when it is none: a UUID, for instance.
    pub fn oid(&self) -> Result<Oid, OidError> {
        self.root.parse()
    }
}

impl std::fmt::Debug for Identifier {
    /// The extension may be a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extension = if self.extension.is_some() { "#…" } else { "" };
        write!(f, "Identifier({}{extension})", self.root)
    }
}
