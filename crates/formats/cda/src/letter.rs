//! Socle's own synthetic *lettre de liaison à la sortie* (LDL-SES, niveau 3), for demonstrations and tests.
//!
//! Patient: the official test person PAT-TROIS DOMINIQUE, or other traits given. Professionals,
//! hospital and story are invented.

use jiff::Timestamp;
use jiff::tz::Offset;
use socle_identity::{Ins, Traits};
use uuid::Uuid;

use crate::document::{Document, DocumentError};

/// What may change from one letter to the next.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Gives the document's id: `2.25.<this number>`.
    pub id: Uuid,
    /// Gives the setId, the same for all versions.
    pub set_id: Uuid,
    /// From 1.
    pub version: u32,
    /// The id of the document that this one replaces.
    pub replaces: Option<String>,
    /// effectiveTime.
    pub written_at: Timestamp,
    /// Offset of the writer's clock.
    pub offset: Offset,
    /// The patient's INS.
    pub ins: Ins,
    /// The patient's traits.
    pub traits: Traits,
}

impl Letter {
    /// The letter as a document.
    ///
    /// # Errors
    /// [`DocumentError`], if what is written were no CDA.
    pub fn to_document(&self) -> Result<Document, DocumentError> {
        Err(DocumentError::NoClinicalDocument)
    }
}
