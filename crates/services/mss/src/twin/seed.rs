use socle_identity::{IdNatPs, IdNatStruct, MssAddress};

use crate::model::MailboxKind;

/// A mailbox that the twin has from the start.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its address, of a professional or an organisation.
    pub address: MssAddress,
    /// Its kind, which decides how it is opened.
    pub kind: MailboxKind,
    /// What the directory would show.
    pub name: String,
    /// Who may open it.
    pub owner: Owner,
    /// For plain mail clients: a convenience of the twin, no operator has it.
    pub password: String,
}

/// Who may open a mailbox.
#[derive(Debug, Clone)]
pub enum Owner {
    /// PER: the holder of a Pro Santé Connect token with this identifier.
    Person(IdNatPs),
    /// ORG: any of these persons.
    Members(Vec<IdNatPs>),
    /// APP: whoever shows a certificate of this structure (`OU` of its subject).
    Structure(IdNatStruct),
}

/// The mailboxes of the demonstration.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    Vec::new()
}
