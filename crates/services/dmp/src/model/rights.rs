//! Who may do what on a DMP: the two functional rights matrices of the GIE SESAM-Vitale, as data.
//!
//! A client must not enforce them (the sheet says so); the twin must, since the DMP does. Some cells
//! look odd (a physician in régulation archives without being the author): they are kept as printed.
//!
//! Source: PDT-INF-526 v1.8 (25/09/2024) for cards and structures, PDT-INF-606 for AIR.

mod tables;

use super::{Mode, Purpose};
pub use tables::{AIR, CARDS_AND_STRUCTURES, Row};

/// A row of the matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// TD0.0, until 30/09/2023.
    AcquireIdentity,
    /// TD0.1.
    Authenticate,
    /// TD0.2.
    TestExistence,
    /// TD0.3, se déclarer autorisé.
    DeclareAuthorised,
    /// TD0.3, supprimer son autorisation.
    RemoveAuthorisation,
    /// TD0.3, se supprimer médecin traitant.
    StopAttending,
    /// TD0.4.
    ListAuthorised,
    /// TD0.5.
    FindWithoutIns,
    /// TD0.9 with a card, TD0.10 in AIR.
    WebAccess,
    /// TD1.3a.
    ReadAdministrative,
    /// TD1.6.
    ListProfessionals,
    /// TD2.1.
    Feed,
    /// TD2.2, by the employee's card of a medical secretary.
    FeedByEmployee,
    /// TD3.1, métadonnées.
    SearchMetadata,
    /// TD3.1, référence technique d'un document.
    SearchReference,
    /// TD3.2, document not masked.
    ReadUnmasked,
    /// TD3.2, document masked to professionals.
    ReadMasked,
    /// TD3.2, document not visible to the patient or the legal representative.
    ReadInvisible,
    /// TD3.2, archived document.
    ReadArchived,
    /// TD3.2, former version.
    ReadObsolete,
    /// TD3.2, deleted document.
    ReadDeleted,
    /// TD3.3a, mask.
    Mask,
    /// TD3.3a, unmask.
    Unmask,
    /// TD3.3b.
    ShowToPatient,
    /// TD3.3d, archive.
    Archive,
    /// TD3.3d, unarchive.
    Unarchive,
    /// TD3.3c.
    Delete,
}

/// Who the DMP takes the speaker for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A professional who is not a physician.
    NotPhysician,
    /// A physician who is not the patient's médecin traitant.
    Physician,
    /// Médecin du travail.
    OccupationalPhysician,
    /// The patient's médecin traitant.
    Attending,
    /// Staff without a profession of health: CPE card, or "PE non PS" in AIR.
    Employee,
    /// The structure itself.
    Structure,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `N`.
    No,
    /// `Y`.
    Yes,
    /// `Y(n)`: yes, under the condition of the sheet's note.
    Under(Note),
}

/// A note of the sheets that limits a right, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// (1) The authorisation is given to the structure.
    GivenToStructure,
    /// (2) Only the professionals of the same structure.
    SameStructure,
    /// (3) Only new authorisations, by date.
    NewAuthorisations,
    /// (4) Imputed to the structure.
    ImputedToStructure,
    /// (5) The reference of a document only, for instance in order to delete it.
    ReferenceOnly,
    /// (6) Own documents only.
    OwnDocuments,
    /// (7) Only when the patient did not oppose.
    PatientAllows,
    /// (8) Own documents only: the author.
    Author,
    /// (9) Documents of the structure only.
    StructureDocuments,
}

impl Note {
    /// The number in the sheets.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::GivenToStructure => 1,
            Self::SameStructure => 2,
            Self::NewAuthorisations => 3,
            Self::ImputedToStructure => 4,
            Self::ReferenceOnly => 5,
            Self::OwnDocuments => 6,
            Self::PatientAllows => 7,
            Self::Author => 8,
            Self::StructureDocuments => 9,
        }
    }
}

/// What the matrix of the mode says. A column that the sheet does not have gives [`Right::No`].
#[must_use]
pub fn right(mode: Mode, profile: Profile, purpose: Purpose, action: Action) -> Right {
    match mode {
        Mode::IndirectRenforcee => cell(&AIR, action, air_column(profile, purpose)),
        Mode::Direct | Mode::Indirect => cell(&CARDS_AND_STRUCTURES, action, card_column(profile, purpose)),
    }
}

fn cell<const COLUMNS: usize>(table: &[Row<COLUMNS>], action: Action, column: Option<usize>) -> Right {
    let row = table.iter().find(|row| row.action == action);
    row.zip(column).and_then(|(row, column)| row.cells.get(column)).copied().unwrap_or(Right::No)
}

const fn card_column(profile: Profile, purpose: Purpose) -> Option<usize> {
    match (profile, purpose) {
        (Profile::NotPhysician, Purpose::Normal) => Some(0),
        (Profile::NotPhysician, Purpose::Centre15) => Some(1),
        (Profile::NotPhysician, Purpose::BrisDeGlace) => Some(2),
        (Profile::Physician, Purpose::Normal) => Some(3),
        (Profile::Physician, Purpose::Centre15) => Some(4),
        (Profile::Physician, Purpose::BrisDeGlace) => Some(5),
        (Profile::OccupationalPhysician, Purpose::Normal) => Some(6),
        (Profile::Attending, Purpose::Normal) => Some(7),
        (Profile::Attending, Purpose::BrisDeGlace) => Some(8),
        (Profile::Employee, Purpose::Normal) => Some(9),
        (Profile::Structure, Purpose::Normal) => Some(10),
        (Profile::Structure, Purpose::Centre15) => Some(11),
        _ => None,
    }
}

/// The AIR sheet has no column for the médecin du travail, nor for a structure that speaks alone.
const fn air_column(profile: Profile, purpose: Purpose) -> Option<usize> {
    match (profile, purpose) {
        (Profile::Attending, Purpose::Normal) => Some(6),
        (Profile::Attending, Purpose::BrisDeGlace) => Some(7),
        (Profile::Employee, Purpose::Normal) => Some(8),
        (Profile::NotPhysician | Profile::Physician, _) => card_column(profile, purpose),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_data;

    #[test]
    fn one_mode_never_both_feeds_and_consults() {
        let purposes = [Purpose::Normal, Purpose::Centre15, Purpose::BrisDeGlace];
        let profiles = [Profile::NotPhysician, Profile::Physician, Profile::Attending, Profile::Employee];
        for purpose in purposes {
            for profile in profiles {
                let air = right(Mode::IndirectRenforcee, profile, purpose, Action::Feed);
                assert_eq!(air, Right::No, "AIR feeds for {profile:?} {purpose:?}");
            }
            for action in [Action::SearchMetadata, Action::ReadUnmasked, Action::ReadMasked, Action::ReadArchived] {
                let indirect = right(Mode::Indirect, Profile::Structure, purpose, action);
                assert_eq!(indirect, Right::No, "a structure consults: {action:?} {purpose:?}");
            }
        }
        let feed = right(Mode::Indirect, Profile::Structure, Purpose::Normal, Action::Feed);
        assert_eq!(feed, Right::Under(Note::ImputedToStructure));
        let reference = right(Mode::Indirect, Profile::Structure, Purpose::Normal, Action::SearchReference);
        assert_eq!(reference, Right::Under(Note::ReferenceOnly));
    }

    #[test]
    fn a_column_that_the_sheet_lacks_gives_no_right() {
        let cases = [
            (Mode::Direct, Profile::Attending, Purpose::Centre15),
            (Mode::Indirect, Profile::Structure, Purpose::BrisDeGlace),
            (Mode::IndirectRenforcee, Profile::OccupationalPhysician, Purpose::Normal),
            (Mode::IndirectRenforcee, Profile::Structure, Purpose::Normal),
        ];
        for (mode, profile, purpose) in cases {
            assert_eq!(right(mode, profile, purpose, Action::Authenticate), Right::No, "{mode:?} {profile:?}");
        }
    }

    /// Our tables against the sheets, re-keyed by other hands.
    #[test]
    fn the_tables_are_those_of_the_sheets() {
        compare("rights_matrix_PDT-INF-526.csv", &CARDS_AND_STRUCTURES);
        compare("rights_matrix_AIR_PDT-INF-606.csv", &AIR);
    }

    fn compare<const COLUMNS: usize>(name: &str, table: &[Row<COLUMNS>]) {
        let Some(csv) = shared_data("the_tables_are_those_of_the_sheets", &format!("documents/terminology/{name}"))
        else {
            return;
        };
        let csv = String::from_utf8(csv).unwrap();
        let lines: Vec<_> = csv.lines().skip(1).collect();
        assert_eq!(lines.len(), table.len(), "{name}");
        for (line, row) in lines.iter().zip(table) {
            let mut cells: Vec<_> = line.rsplitn(COLUMNS + 1, ',').collect();
            cells.reverse();
            assert!(cells[0].trim_start_matches('"').starts_with(row.td), "{name}: `{}` is not {}", cells[0], row.td);
            let printed: Vec<_> = row.cells.iter().map(|cell| print(*cell)).collect();
            assert_eq!(&cells[1..], printed.as_slice(), "{name}: {}", cells[0]);
        }
    }

    fn print(right: Right) -> String {
        match right {
            Right::No => "N".into(),
            Right::Yes => "Y".into(),
            Right::Under(note) => format!("Y({})", note.number()),
        }
    }
}
