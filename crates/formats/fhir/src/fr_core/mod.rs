//! FR Core patients: who somebody says the patient is (`read.rs`), and who we say they are (`write.rs`).
//!
//! Three editions are in the field, and one code means two things (`codes.rs`): in the published 2.1 and
//! 2.2, `VALI` is HL7 v2's word, "qualified" when an INS goes with it; in the edition in preparation,
//! statuses are RNIV's (`PROV RECUP VALI QUAL`).
//!
//! Nothing is assumed: no `validationMode`, or one that is no device of high confidence, is no evidence.
//! A declared status is a declaration; what an identity is worth is decided from evidence, elsewhere.

mod codes;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use jiff::civil::Date;
use socle_identity::{Doubt, Evidence, HighConfidenceDevice, Ins, Status, Traits};

pub use codes::{BASE, Edition};
pub use read::{has_no_trait, read_patient};
pub(crate) use write::write_into;
pub use write::{write_declared, write_patient};

/// A patient as somebody declares them.
#[derive(Clone, PartialEq, Eq)]
pub struct DeclaredPatient {
    /// The traits.
    pub traits: Traits,
    /// The active INS, its key being right. That it may be used is another matter.
    pub ins: Option<Ins>,
    /// Former INS (`use` = `old`).
    pub former_ins: Vec<Ins>,
    /// The status, in RNIV's words.
    pub status: Option<Status>,
    /// DOUT or FICT.
    pub doubt: Option<Doubt>,
    /// The paper that was checked.
    pub evidence: Option<DeclaredEvidence>,
    /// How the traits were got, by FR Core's code: `SM CV INSI CB RFID AV`.
    pub method: Option<String>,
    /// When INSi was asked, by the declarant's own account.
    pub asked_insi_on: Option<Date>,
    /// Identifiers of hospitals and regions.
    pub local: Vec<LocalIdentifier>,
}

impl DeclaredPatient {
    /// A patient of whom nothing but the traits is declared.
    #[must_use]
    pub const fn new(traits: Traits) -> Self {
        Self {
            traits,
            ins: None,
            former_ins: Vec::new(),
            status: None,
            doubt: None,
            evidence: None,
            method: None,
            asked_insi_on: None,
            local: Vec::new(),
        }
    }

    /// The oldest edition that can say all of this; the newest when none can.
    #[must_use]
    pub fn edition(&self) -> Edition {
        let says_all = |edition: &Edition| {
            let device = self.evidence.map(|evidence| evidence.device);
            let says_device = device.is_none_or(|device| edition.device_code(device).is_some());
            let has_ins = self.ins.is_some();
            let says_status = self
                .status
                .is_none_or(|status| status != Status::Retrieved && edition.status_code(status, has_ins).is_some());
            says_device && says_status
        };
        Edition::ALL.into_iter().find(says_all).unwrap_or(Edition::Rniv)
    }
}

impl fmt::Debug for DeclaredPatient {
    /// No trait and no number: they are a person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ins, status, doubt, evidence, .. } = self;
        write!(f, "DeclaredPatient({ins:?}, {status:?}, {doubt:?}, {evidence:?}, …)")
    }
}

/// The check of a paper, as it is declared: the device and the day. Who vouches for it is the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredEvidence {
    /// What was shown (`validationMode`).
    pub device: HighConfidenceDevice,
    /// When (`validationDate`).
    pub checked_on: Date,
}

impl DeclaredEvidence {
    /// The evidence, once the authenticated caller stands behind it.
    #[must_use]
    pub const fn vouched_by(self, checked_by: String) -> Evidence {
        Evidence { device: self.device, checked_on: self.checked_on, checked_by }
    }
}

/// An identifier that is no INS.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalIdentifier {
    /// Who assigned it: a URI.
    pub system: String,
    /// What was assigned.
    pub value: String,
    /// Of what kind.
    pub kind: LocalKind,
}

impl fmt::Debug for LocalIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalIdentifier({:?}, {}|…)", self.kind, self.system)
    }
}

/// The kinds of local identifiers of FR Core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalKind {
    /// IPP of a hospital, in use.
    Pi,
    /// IPP of a hospital, no longer in use.
    PiOld,
    /// Identifier of a region.
    Rri,
    /// No type was said.
    Untyped,
}
