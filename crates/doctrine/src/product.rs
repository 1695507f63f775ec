//! The product file, `produit.toml`: what the product is, who makes it, what it is made of, where it is
//! hosted, which schemes it aims at, and the facts that conditions ask for.
//!
//! Read strictly: an unknown key, kind, scheme or fact is an error that says what is accepted, and all
//! errors are listed. A fact that is not answered is unknown, which is not the same as no.

mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;
use socle_finding::Text;

use crate::catalogue::{Catalogue, Kind};

pub use write::Draft;

/// A product, as its vendor describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its name: `[NomDuProduit] [OS] [Appareil]` for Convergence.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When this version came out: evidence made before it is to be made again.
    pub released: Option<Date>,
    /// Who makes it.
    pub vendor: Vendor,
    /// What it is.
    pub kinds: BTreeSet<Kind>,
    /// Programmes and corridors aimed at.
    pub schemes: BTreeSet<String>,
    /// What it is made of.
    pub components: Vec<Component>,
    /// Who hosts it; empty when no third party does.
    pub hosting: Vec<Hosting>,
    /// Facts that were answered.
    pub facts: BTreeMap<String, bool>,
    /// What the European regulation asks.
    pub ehr: Ehr,
}

/// Who makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// Legal name.
    pub legal_name: String,
    /// Nine digits.
    pub siren: Option<String>,
}

/// The role of a component in the trust space of Pro Santé Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Role {
    /// The software of the user.
    #[serde(rename = "LPS")]
    Lps,
    /// The proxy e-santé.
    #[serde(rename = "PROXY")]
    Proxy,
    /// Integration software, which the CNDA approves.
    #[serde(rename = "EAI")]
    Eai,
    /// The operator.
    #[serde(rename = "OPERATEUR")]
    Operator,
    /// Anything else.
    #[serde(rename = "AUTRE")]
    Other,
}

/// A part of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The number that links the Ségur and trust-space desks.
    pub nru: Option<String>,
    /// The attestation of the CNDA.
    pub cnda_attestation: Option<String>,
}

/// Which version of the HDS reference a certificate was given against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HdsReference {
    /// That of 2018.
    V1,
    /// That of the arrêté of 26 April 2024.
    V2,
}

/// A host of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosting {
    /// Its name.
    pub host: String,
    /// The number of its HDS certificate.
    pub certificate: Option<String>,
    /// Against which reference.
    pub reference: Option<HdsReference>,
    /// The activities of the certificate, by number as the certificate prints them.
    pub activities: BTreeSet<u8>,
    /// Until when.
    pub valid_until: Option<Date>,
    /// Where data is stored, ISO 3166.
    pub countries: Vec<String>,
}

/// A priority category of Regulation (EU) 2025/327, art. 14(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EhrCategory {
    /// Patient summaries.
    A,
    /// Prescriptions.
    B,
    /// Dispensations.
    C,
    /// Imaging.
    D,
    /// Test results.
    E,
    /// Discharge reports.
    F,
}

/// How an EHR system is put into service (art. 26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EhrMode {
    /// Placed on the market.
    Marketed,
    /// Developed by a care provider for itself.
    InHouse,
    /// Offered as a service.
    Service,
}

/// What is known of the product as an EHR system. `None`: not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ehr {
    /// Is it one?
    pub system: Option<bool>,
    /// Which data it is intended to process.
    pub categories: Option<BTreeSet<EhrCategory>>,
    /// How it is put into service. Several at once are possible, and then have several dates.
    pub modes: Option<BTreeSet<EhrMode>>,
}

impl Product {
    /// Reads a product file. The catalogue says which schemes and facts exist.
    ///
    /// # Errors
    /// [`ProductError`] lists every problem.
    pub fn read(text: &str, catalogue: &Catalogue) -> Result<Self, ProductError> {
        read::product(text, catalogue)
    }

    /// Whom requirements may name when they mean this product: its kinds and what follows from them.
    ///
    /// Software for professionals is an LPS; software has a vendor; what a third party hosts brings the
    /// duties of the host; a component that is a proxy brings those of a proxy.
    #[must_use]
    pub fn closure(&self) -> BTreeSet<Kind> {
        let mut all = self.kinds.clone();
        all.insert(Kind::Any);
        if self.kinds.iter().any(|kind| kind.is_professional()) {
            all.insert(Kind::Lps);
        }
        if self.kinds.iter().any(|kind| kind.is_software()) {
            all.insert(Kind::Editor);
        }
        if !self.hosting.is_empty() {
            all.insert(Kind::Host);
        }
        if self.components.iter().any(|component| component.role == Role::Proxy) {
            all.insert(Kind::Proxy);
        }
        all
    }

    /// Is a scheme aimed at? Aiming at a corridor of Ségur is aiming at its listing.
    #[must_use]
    pub fn aims_at(&self, scheme: &str, catalogue: &Catalogue) -> bool {
        let by_corridor = || self.schemes.iter().any(|code| catalogue.corridor(code).is_some());
        self.schemes.contains(scheme) || (scheme == SEGUR && by_corridor())
    }
}

/// The code of the Ségur listing.
pub(crate) const SEGUR: &str = "SEGUR-REF";

/// One problem of a product file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductProblem {
    /// The key, or the line when the file is not TOML.
    pub place: String,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub mend: Text,
}

/// A product file that cannot be used: all its problems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the product file cannot be used: {}", .0.iter().map(|one| format!("{}: {}", one.place, one.message.en)).collect::<Vec<_>>().join("; "))]
pub struct ProductError(pub Vec<ProductProblem>);
