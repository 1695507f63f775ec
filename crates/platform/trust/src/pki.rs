//! The twins' look-alike of IGC-Santé.

use std::path::Path;

use socle_identity::{IdNatPs, IdNatStruct};

use crate::{Anchors, Credentials, CredentialsError};

/// The authorities of the twins, kept in a folder, and the certificates they signed.
///
/// Made once: RSA keys take about a second. Several processes and threads may share the folder.
#[derive(Debug)]
pub struct TestPki {
    anchors: Anchors,
}

impl TestPki {
    /// Opens the folder, or makes the authorities in it. Blocking: call it outside async code.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn open_or_create(dir: &Path) -> Result<Self, PkiError> {
        Err(PkiError::File { file: dir.display().to_string(), error: "not yet".into() })
    }

    /// What clients and servers of the twins trust.
    #[must_use]
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The credentials called `name` in the folder, made at the first call, made again when they
    /// expire within 30 days or no longer fit the profile. Blocking.
    ///
    /// # Errors
    /// [`PkiError`] naming the file.
    pub fn credentials(&self, name: &str, profile: &Profile) -> Result<Credentials, PkiError> {
        let _ = profile;
        Err(PkiError::File { file: name.to_owned(), error: "not yet".into() })
    }

    /// Several at once: keys are made in parallel.
    ///
    /// # Errors
    /// The first [`PkiError`].
    pub fn credentials_for(&self, wanted: &[(&str, Profile)]) -> Result<Vec<Credentials>, PkiError> {
        wanted.iter().map(|(name, profile)| self.credentials(name, profile)).collect()
    }
}

/// What a certificate of the twins is for; the profiles are those of IGC-Santé.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// TLS server: `localhost`, `127.0.0.1`, `::1` and these names.
    Server {
        /// More DNS names.
        names: Vec<String>,
    },
    /// ORG AUTH_CLI: the TLS client of a structure.
    OrgAuthCli(Organisation),
    /// ORG SIGN, the seal of a structure.
    OrgSign(Organisation),
    /// Signature of a person (CPS).
    PersonSign(Person),
    /// Authentication of a person (CPS).
    PersonAuth(Person),
}

/// Subject of a structure's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// CN: DNS name or free text.
    pub cn: String,
    /// OU: Struct_IdNat.
    pub id: IdNatStruct,
    /// O: name, cut at 40 characters.
    pub name: String,
    /// ST: `Paris (75)`.
    pub department: String,
}

/// Subject of a professional's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// CN: PS_IdNat.
    pub id: IdNatPs,
    /// SN: exercise surname.
    pub family: String,
    /// GN: exercise given name.
    pub given: String,
    /// title: `Médecin`.
    pub title: String,
}

/// Why the twins' keys could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or the folder.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The system's words.
        error: String,
    },
    /// A file of the folder does not hold what it should.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A key or a certificate could not be made.
    #[error("{what} could not be made: {error}")]
    Make {
        /// Which one.
        what: String,
        /// Why.
        error: String,
    },
}
