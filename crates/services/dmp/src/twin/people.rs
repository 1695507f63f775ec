//! Who has which DMP. Everybody has one, as Mon espace santé opens them by opt-out, but for scripted test
//! persons: official ones of INSi, to whom we give a situation.

use std::collections::HashMap;

use socle_identity::{IdNatPs, Ins, Matricule};

use crate::model::{Authorisation, Existence};

/// The DMPs, by matricule: a person keeps theirs when the authority of the INS changes.
#[derive(Debug, Clone, Default)]
pub struct People(HashMap<Matricule, Situation>);

/// How a DMP stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// Is there one, is it open, and may it be consulted? TD0.3 is not in this twin: nobody changes it.
    pub existence: Existence,
    /// OPPOSITION_BRIS_DE_GLACE.
    pub opposes_bris_de_glace: bool,
    /// OPPOSITION_ACCES_URGENCE.
    pub opposes_centre15: bool,
    /// The médecin traitant.
    pub attending: Option<IdNatPs>,
}

impl Default for Situation {
    fn default() -> Self {
        Self {
            existence: Existence::Open(Authorisation::Valid),
            opposes_bris_de_glace: false,
            opposes_centre15: false,
            attending: None,
        }
    }
}

/// Official test persons of INSi with a situation of ours.
const SCRIPT: [(&str, &str, &str, Scene); 6] = [
    ("236066322083656", "TCHITCHI : aucun DMP", "TCHITCHI: no DMP", Scene::NoDmp),
    ("109076322088835", "PROVISOIRE : DMP fermé", "PROVISOIRE: closed DMP", Scene::Closed),
    ("160012B02077713", "ADRTROIS TOUSSAINT : accès interdit", "ADRTROIS TOUSSAINT: forbidden", Scene::Forbidden),
    (
        "297022A02077878",
        "ADRTROIS DOMINIQUE : pas d'autorisation",
        "ADRTROIS DOMINIQUE: no authorisation",
        Scene::Missing,
    ),
    ("109076322083489", "ECETINSI : autorisation expirée", "ECETINSI: expired authorisation", Scene::Expired),
    (
        "275126322074974",
        "ADRUN : opposée au bris de glace et à l'accès d'urgence",
        "ADRUN: opposes bris de glace and emergency access",
        Scene::Opposed,
    ),
];

#[derive(Debug, Clone, Copy)]
enum Scene {
    NoDmp,
    Closed,
    Forbidden,
    Missing,
    Expired,
    Opposed,
}

impl Scene {
    fn situation(self) -> Situation {
        let usual = Situation::default();
        match self {
            Self::NoDmp => Situation { existence: Existence::None, ..usual },
            Self::Closed => Situation { existence: Existence::Closed, ..usual },
            Self::Forbidden => Situation { existence: Existence::Open(Authorisation::Forbidden), ..usual },
            Self::Missing => Situation { existence: Existence::Open(Authorisation::Missing), ..usual },
            Self::Expired => Situation { existence: Existence::Open(Authorisation::Expired), ..usual },
            Self::Opposed => Situation { opposes_bris_de_glace: true, opposes_centre15: true, ..usual },
        }
    }
}

impl People {
    /// The scripted persons.
    #[must_use]
    pub fn official() -> Self {
        let scripted = SCRIPT.iter().filter_map(|(ins, _, _, scene)| Some((ins.parse().ok()?, scene.situation())));
        Self(scripted.collect())
    }

    /// The same with another situation for this person.
    #[must_use]
    pub fn with(mut self, matricule: Matricule, situation: Situation) -> Self {
        self.0.insert(matricule, situation);
        self
    }

    /// How this person's DMP stands.
    #[must_use]
    pub fn situation(&self, ins: &Ins) -> Situation {
        self.0.get(&ins.matricule).cloned().unwrap_or_default()
    }

    /// Who is scripted, in French and English, for the page.
    pub(super) fn notes() -> impl Iterator<Item = (&'static str, &'static str)> {
        SCRIPT.iter().map(|(_, fr, en, _)| (*fr, *en))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scripted_person_has_a_right_matricule_and_their_scene() {
        let people = People::official();
        assert_eq!(people.0.len(), SCRIPT.len(), "a matricule of the script does not parse");
        let ins = |text: &str| Ins { matricule: text.parse().unwrap(), authority: socle_identity::InsAuthority::Nir };
        assert_eq!(people.situation(&ins("236066322083656")).existence, Existence::None);
        assert_eq!(people.situation(&ins("279035121518989")), Situation::default());
    }
}
