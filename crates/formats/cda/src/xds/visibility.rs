use crate::code::Code;

/// Code system of the visibility codes (TRE_A07).
const SYSTEM: &str = "1.2.250.1.213.1.1.4.13";
const MASKED: (&str, &str) = ("MASQUE_PS", "Masqué aux professionnels de santé");
const INVISIBLE: (&str, &str) = ("INVISIBLE_PATIENT", "Non visible par le patient");
const NOT_FOR_REPRESENTATIVES: (&str, &str) =
    ("INVISIBLE_REPRESENTANTS_LEGAUX", "Non visible par les représentants légaux du patient");

/// Who may not see a document in the DMP. Made by [`Self::new`], which knows the rule on cumulation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Visibility {
    masked: bool,
    invisible: bool,
    not_for_representatives: bool,
}

/// The DMP parameter `cumul-invisible_patient-masque_ps`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Cumulation {
    /// Both restrictions together are refused.
    #[default]
    Refused,
    /// They are allowed.
    Allowed,
}

impl Visibility {
    /// Everybody who may see the DMP sees the document.
    pub const OPEN: Self = Self { masked: false, invisible: false, not_for_representatives: false };

    /// A set of restrictions: hidden from professionals other than the author and the médecin traitant
    /// (`MASQUE_PS`), from the patient (`INVISIBLE_PATIENT`), from the legal representatives of a minor
    /// (`INVISIBLE_REPRESENTANTS_LEGAUX`).
    ///
    /// # Errors
    /// [`VisibilityError`] for the first two together, unless the DMP allows it (EX_2.1-1050).
    pub fn new(
        masked_to_professionals: bool,
        invisible_to_patient: bool,
        invisible_to_representatives: bool,
        cumulation: Cumulation,
    ) -> Result<Self, VisibilityError> {
        if masked_to_professionals && invisible_to_patient && cumulation == Cumulation::Refused {
            return Err(VisibilityError);
        }
        Ok(Self {
            masked: masked_to_professionals,
            invisible: invisible_to_patient,
            not_for_representatives: invisible_to_representatives,
        })
    }

    /// What received codes say; a receiver does not refuse what is already there.
    #[must_use]
    pub fn of(codes: &[Code]) -> Self {
        let has = |name: &str| codes.iter().any(|code| code.code == name);
        Self {
            masked: has(MASKED.0),
            invisible: has(INVISIBLE.0),
            not_for_representatives: has(NOT_FOR_REPRESENTATIVES.0),
        }
    }

    /// The same, judged again under the rule on cumulation.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn judged(self, cumulation: Cumulation) -> Result<Self, VisibilityError> {
        Self::new(self.masked, self.invisible, self.not_for_representatives, cumulation)
    }

    /// `MASQUE_PS`.
    #[must_use]
    pub const fn is_masked_to_professionals(self) -> bool {
        self.masked
    }

    /// `INVISIBLE_PATIENT`.
    #[must_use]
    pub const fn is_invisible_to_patient(self) -> bool {
        self.invisible
    }

    /// `INVISIBLE_REPRESENTANTS_LEGAUX`; what is hidden from the patient is hidden from them too.
    #[must_use]
    pub const fn is_invisible_to_representatives(self) -> bool {
        self.not_for_representatives || self.invisible
    }

    /// The codes, as confidentialityCode carries them.
    #[must_use]
    pub fn codes(self) -> Vec<Code> {
        [(self.masked, MASKED), (self.invisible, INVISIBLE), (self.not_for_representatives, NOT_FOR_REPRESENTATIVES)]
            .into_iter()
            .filter(|(set, _)| *set)
            .map(|(_, (code, label))| Code::new(code, SYSTEM, label))
            .collect()
    }
}

pub(super) fn is_visibility(code: &Code) -> bool {
    [MASKED, INVISIBLE, NOT_FOR_REPRESENTATIVES].iter().any(|(name, _)| code.code == *name)
}

/// Both restrictions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a document is not hidden from professionals and from the patient at once (DMP, EX_2.1-1050), unless the DMP parameter cumul-invisible_patient-masque_ps allows it"
)]
pub struct VisibilityError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_restrictions_together_need_the_dmp_s_permission() {
        let cases = [
            (false, false, Cumulation::Refused, true),
            (true, false, Cumulation::Refused, true),
            (false, true, Cumulation::Refused, true),
            (true, true, Cumulation::Refused, false),
            (true, true, Cumulation::Allowed, true),
        ];
        for (masked, invisible, cumulation, accepted) in cases {
            let made = Visibility::new(masked, invisible, false, cumulation);
            assert_eq!(made.is_ok(), accepted, "{masked} {invisible} {cumulation:?}");
        }
    }

    #[test]
    fn codes_there_and_back() {
        for bits in 0..8u8 {
            let made = Visibility::new(bits & 1 != 0, bits & 2 != 0, bits & 4 != 0, Cumulation::Allowed).unwrap();
            assert_eq!(Visibility::of(&made.codes()), made);
            assert_eq!(made.codes().len(), bits.count_ones() as usize);
        }
        assert!(Visibility::of(&[Code::new("N", "2.16.840.1.113883.5.25", "")]).codes().is_empty());
    }

    #[test]
    fn what_the_patient_may_not_see_the_parents_may_not_see() {
        let hidden = Visibility::new(false, true, false, Cumulation::Refused).unwrap();
        assert!(hidden.is_invisible_to_representatives());
        assert!(!Visibility::OPEN.is_invisible_to_representatives());
    }
}
