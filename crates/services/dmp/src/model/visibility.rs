//! Who sees which document: a function of the viewer, of the document's status and of its visibility codes.
//!
//! The author's structure sees all that it fed. The médecin traitant sees masked documents, other
//! professionals do not; the patient does not see INVISIBLE_PATIENT, nor a legal representative
//! INVISIBLE_REPRESENTANTS_LEGAUX.
//!
//! Source: CI-SIS, TRE_A07; PDT-INF-526, rows of TD3.2 and their notes.

use socle_cda::xds::{Status, Visibility};
use socle_identity::{IdNatPs, IdNatStruct};

use super::rights::{Action, Note, Profile, Right, right};
use super::{Mode, Purpose};

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// A professional or the staff of a structure, through an LPS.
    Lps(LpsViewer),
    /// The patient, in Mon espace santé.
    Patient,
    /// The legal representative of a minor, in Mon espace santé.
    Representative,
}

/// Someone who looks through an LPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LpsViewer {
    /// How they authenticated.
    pub mode: Mode,
    /// Who the DMP takes them for.
    pub profile: Profile,
    /// Why they look.
    pub purpose: Purpose,
    /// The professional, when one is named.
    pub professional: Option<IdNatPs>,
    /// Their structure.
    pub structure: IdNatStruct,
    /// Did the patient oppose the bris de glace, or the access of the SAMU, whichever is the purpose?
    pub patient_opposed: bool,
}

/// What the question is about.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its status.
    pub status: Status,
    /// Its visibility codes.
    pub visibility: Visibility,
    /// The structure that fed it.
    pub fed_by: &'a IdNatStruct,
    /// The professionals among its authors.
    pub authors: &'a [String],
}

impl Viewer {
    /// May this viewer know that the document exists, and read it?
    #[must_use]
    pub fn sees(&self, document: &Shown<'_>) -> bool {
        match self {
            Self::Patient => document.status != Status::Deleted && !document.visibility.is_invisible_to_patient(),
            Self::Representative => {
                document.status != Status::Deleted && !document.visibility.is_invisible_to_representatives()
            }
            Self::Lps(viewer) => viewer.sees(document),
        }
    }
}

impl LpsViewer {
    /// Each property of the document has its row in the matrix; all of them must allow.
    fn sees(&self, document: &Shown<'_>) -> bool {
        let status = match document.status {
            Status::Approved => None,
            Status::Deprecated => Some(Action::ReadObsolete),
            Status::Archived => Some(Action::ReadArchived),
            Status::Deleted => Some(Action::ReadDeleted),
        };
        let masked = document.visibility.is_masked_to_professionals();
        let base = if masked { Action::ReadMasked } else { Action::ReadUnmasked };
        let invisible = document.visibility.is_invisible_to_representatives().then_some(Action::ReadInvisible);
        [Some(base), status, invisible].into_iter().flatten().all(|action| self.may(action, document))
    }

    fn may(&self, action: Action, document: &Shown<'_>) -> bool {
        match right(self.mode, self.profile, self.purpose, action) {
            Right::No => false,
            Right::Yes => true,
            Right::Under(Note::OwnDocuments) => self.is_author(document),
            Right::Under(Note::PatientAllows) => !self.patient_opposed,
            Right::Under(_) => self.is_of_structure(document),
        }
    }

    /// The professional wrote it, or their structure fed it.
    fn is_author(&self, document: &Shown<'_>) -> bool {
        let wrote = |id: &IdNatPs| document.authors.iter().any(|author| author == id.as_str());
        self.is_of_structure(document) || self.professional.as_ref().is_some_and(wrote)
    }

    fn is_of_structure(&self, document: &Shown<'_>) -> bool {
        *document.fed_by == self.structure
    }
}

#[cfg(test)]
mod tests {
    use socle_cda::xds::Cumulation;

    use super::*;

    fn viewer(profile: Profile, purpose: Purpose, structure: &str) -> Viewer {
        Viewer::Lps(LpsViewer {
            mode: Mode::IndirectRenforcee,
            profile,
            purpose,
            professional: Some("899700000017".parse().unwrap()),
            structure: structure.parse().unwrap(),
            patient_opposed: false,
        })
    }

    fn visibility(masked: bool, invisible: bool, representatives: bool) -> Visibility {
        Visibility::new(masked, invisible, representatives, Cumulation::Allowed).unwrap()
    }

    #[test]
    fn who_sees_what() {
        let feeder: IdNatStruct = "1HOME".parse().unwrap();
        let open = Visibility::OPEN;
        let masked = visibility(true, false, false);
        let invisible = visibility(false, true, false);
        let secret = visibility(false, false, true);
        let elsewhere = |profile| viewer(profile, Purpose::Normal, "1AWAY");
        let at_home = |profile| viewer(profile, Purpose::Normal, "1HOME");
        let cases = [
            ("a physician sees an open document", elsewhere(Profile::Physician), open, Status::Approved, true),
            ("a physician does not see a masked one", elsewhere(Profile::Physician), masked, Status::Approved, false),
            ("the structure that fed it sees it masked", at_home(Profile::Physician), masked, Status::Approved, true),
            ("the médecin traitant sees it masked", elsewhere(Profile::Attending), masked, Status::Approved, true),
            ("a nurse does not", elsewhere(Profile::NotPhysician), masked, Status::Approved, false),
            (
                "bris de glace shows masked",
                viewer(Profile::Physician, Purpose::BrisDeGlace, "1AWAY"),
                masked,
                Status::Approved,
                true,
            ),
            (
                "a physician sees what the patient does not",
                elsewhere(Profile::Physician),
                invisible,
                Status::Approved,
                true,
            ),
            ("a physician sees an obsolete version", elsewhere(Profile::Physician), open, Status::Deprecated, true),
            ("staff sees nothing", at_home(Profile::Employee), open, Status::Approved, false),
            (
                "occupational medicine sees nothing",
                at_home(Profile::OccupationalPhysician),
                open,
                Status::Approved,
                false,
            ),
            ("a structure that speaks alone sees nothing", at_home(Profile::Structure), open, Status::Approved, false),
            ("the patient sees an open document", Viewer::Patient, open, Status::Approved, true),
            ("the patient sees a masked one", Viewer::Patient, masked, Status::Approved, true),
            ("the patient does not see an invisible one", Viewer::Patient, invisible, Status::Approved, false),
            ("the patient sees what parents do not", Viewer::Patient, secret, Status::Approved, true),
            ("parents do not", Viewer::Representative, secret, Status::Approved, false),
            ("nor what the patient does not", Viewer::Representative, invisible, Status::Approved, false),
            ("deleted is gone for the patient", Viewer::Patient, open, Status::Deleted, false),
        ];
        for (case, viewer, visibility, status, expected) in cases {
            let document = Shown { status, visibility, fed_by: &feeder, authors: &[] };
            assert_eq!(viewer.sees(&document), expected, "{case}");
        }
    }

    #[test]
    fn an_author_sees_their_masked_document_from_elsewhere() {
        let feeder: IdNatStruct = "1HOME".parse().unwrap();
        let authors = ["899700000017".to_owned()];
        let masked = visibility(true, false, false);
        let document = Shown { status: Status::Approved, visibility: masked, fed_by: &feeder, authors: &authors };
        assert!(viewer(Profile::NotPhysician, Purpose::Normal, "1AWAY").sees(&document));
    }

    #[test]
    fn an_opposition_closes_the_masked_documents_to_bris_de_glace() {
        let feeder: IdNatStruct = "1HOME".parse().unwrap();
        let masked = visibility(true, false, false);
        let document = Shown { status: Status::Approved, visibility: masked, fed_by: &feeder, authors: &[] };
        let Viewer::Lps(open) = viewer(Profile::Physician, Purpose::BrisDeGlace, "1AWAY") else { unreachable!() };
        let opposed = LpsViewer { patient_opposed: true, ..open };
        assert!(!Viewer::Lps(opposed).sees(&document));
    }
}
