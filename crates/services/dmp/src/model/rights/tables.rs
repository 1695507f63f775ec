//! The cells, and nothing else: one row per transaction, in the order of the sheets.

use super::{Action, Note, Right};

/// A transaction and what each column of the sheet says of it.
#[derive(Debug, Clone, Copy)]
pub struct Row<const COLUMNS: usize> {
    /// The transaction.
    pub action: Action,
    /// Its number in the sheet.
    pub td: &'static str,
    /// The columns, in the order of the sheet.
    pub cells: [Right; COLUMNS],
}

const N: Right = Right::No;
const Y: Right = Right::Yes;
const Y1: Right = Right::Under(Note::GivenToStructure);
const Y2: Right = Right::Under(Note::SameStructure);
const Y3: Right = Right::Under(Note::NewAuthorisations);
const Y4: Right = Right::Under(Note::ImputedToStructure);
const Y5: Right = Right::Under(Note::ReferenceOnly);
const Y6: Right = Right::Under(Note::OwnDocuments);
const Y7: Right = Right::Under(Note::PatientAllows);
const Y8: Right = Right::Under(Note::Author);
const Y9: Right = Right::Under(Note::StructureDocuments);

const fn row<const COLUMNS: usize>(action: Action, td: &'static str, cells: [Right; COLUMNS]) -> Row<COLUMNS> {
    Row { action, td, cells }
}

/// PDT-INF-526 v1.8 of 25/09/2024, direct and indirect modes. Columns: professional not a physician
/// (normal, régulation, bris de glace), physician (the same three), médecin du travail, médecin traitant
/// (normal, bris de glace), CPE, structure (normal, régulation).
#[rustfmt::skip]
pub static CARDS_AND_STRUCTURES: [Row<12>; 27] = [
    row(Action::AcquireIdentity, "TD0.0", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::Authenticate, "TD0.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::TestExistence, "TD0.2", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::DeclareAuthorised, "TD0.3", [Y, N, N, Y, N, N, N, Y, N, Y1, N, N]),
    row(Action::RemoveAuthorisation, "TD0.3", [Y, N, N, Y, N, N, N, Y, N, N, N, N]),
    row(Action::StopAttending, "TD0.3", [N, N, N, N, N, N, N, Y, N, N, N, N]),
    row(Action::ListAuthorised, "TD0.4", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y2, Y3, N]),
    row(Action::FindWithoutIns, "TD0.5", [N, Y, N, N, Y, N, N, N, N, N, N, Y]),
    row(Action::WebAccess, "TD0.9", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, N, N]),
    row(Action::ReadAdministrative, "TD1.3a", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::ListProfessionals, "TD1.6", [Y, N, N, Y, N, N, Y, Y, N, N, N, N]),
    row(Action::Feed, "TD2.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y, N, Y4, Y4]),
    row(Action::FeedByEmployee, "TD2.2", [N, N, N, N, N, N, N, N, N, Y4, N, N]),
    row(Action::SearchMetadata, "TD3.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y, N, N, N]),
    row(Action::SearchReference, "TD3.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y5, Y5, Y5]),
    row(Action::ReadUnmasked, "TD3.2", [Y, Y, Y, Y, Y, Y, N, Y, Y, N, N, N]),
    row(Action::ReadMasked, "TD3.2", [Y6, Y7, Y7, Y6, Y7, Y7, N, Y, Y7, N, N, N]),
    row(Action::ReadInvisible, "TD3.2", [Y, Y, Y, Y, Y, Y, N, Y, Y, N, N, N]),
    row(Action::ReadArchived, "TD3.2", [Y, Y, Y, Y, Y, Y, N, Y, Y, N, N, N]),
    row(Action::ReadObsolete, "TD3.2", [Y, Y, Y, Y, Y, Y, N, Y, Y, N, N, N]),
    row(Action::ReadDeleted, "TD3.2", [Y, Y, Y, Y, Y, Y, N, Y, Y, N, N, N]),
    row(Action::Mask, "TD3.3a", [Y, N, N, Y, N, N, Y, Y, N, N, N, N]),
    row(Action::Unmask, "TD3.3a", [Y8, N, N, Y8, N, N, Y8, Y, N, N, N, N]),
    row(Action::ShowToPatient, "TD3.3b", [Y, N, N, Y, N, N, Y, Y, N, N, N, N]),
    row(Action::Archive, "TD3.3d", [Y8, N, N, Y8, Y, Y, Y8, Y, Y, N, N, N]),
    row(Action::Unarchive, "TD3.3d", [Y8, N, N, Y8, Y, Y, Y8, Y, Y, N, N, N]),
    row(Action::Delete, "TD3.3c", [Y8, Y8, Y8, Y8, Y8, Y8, Y8, Y8, Y8, Y9, Y9, Y9]),
];

/// PDT-INF-606, AIR. Columns: professional not a physician (normal, régulation, bris de glace), physician
/// (the same three), médecin traitant (normal, bris de glace), staff who are not professionals.
#[rustfmt::skip]
pub static AIR: [Row<9>; 25] = [
    row(Action::Authenticate, "TD0.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::TestExistence, "TD0.2", [Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::DeclareAuthorised, "TD0.3", [Y, N, N, Y, N, N, Y, N, Y1]),
    row(Action::RemoveAuthorisation, "TD0.3", [Y, N, N, Y, N, N, Y, N, N]),
    row(Action::ListAuthorised, "TD0.4", [Y, Y, Y, Y, Y, Y, Y, Y, Y3]),
    row(Action::FindWithoutIns, "TD0.5", [N, Y, N, N, Y, N, N, N, N]),
    row(Action::WebAccess, "TD0.10", [Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::ReadAdministrative, "TD1.3a", [Y, Y, Y, Y, Y, Y, Y, Y, Y]),
    row(Action::ListProfessionals, "TD1.6", [Y, N, N, Y, N, N, Y, N, N]),
    row(Action::Feed, "TD2.1", [N, N, N, N, N, N, N, N, N]),
    row(Action::FeedByEmployee, "TD2.2", [N, N, N, N, N, N, N, N, N]),
    row(Action::SearchMetadata, "TD3.1", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::SearchReference, "TD3.1", [Y, Y, Y, Y, Y, Y, Y, Y, Y5]),
    row(Action::ReadUnmasked, "TD3.2", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::ReadMasked, "TD3.2", [Y6, Y7, Y7, Y6, Y7, Y7, Y, Y7, N]),
    row(Action::ReadInvisible, "TD3.2", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::ReadArchived, "TD3.2", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::ReadObsolete, "TD3.2", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::ReadDeleted, "TD3.2", [Y, Y, Y, Y, Y, Y, Y, Y, N]),
    row(Action::Mask, "TD3.3a", [Y, N, N, Y, N, N, Y, N, N]),
    row(Action::Unmask, "TD3.3a", [Y8, N, N, Y8, N, N, Y, N, N]),
    row(Action::ShowToPatient, "TD3.3b", [Y, N, N, Y, N, N, Y, N, N]),
    row(Action::Archive, "TD3.3d", [Y8, N, N, Y, Y, Y, Y, Y, N]),
    row(Action::Unarchive, "TD3.3d", [Y8, N, N, Y, Y, Y, Y, Y, N]),
    row(Action::Delete, "TD3.3c", [Y8, Y8, Y8, Y8, Y8, Y8, Y8, Y8, Y9]),
];
