/// A test professional of the twin. All are invented; their RPPS have wrong keys, so that no person can
/// have one and production refuses them.
#[derive(Debug, Clone, Copy)]
pub struct Persona {
    /// What the login form calls them: `marie-martin`.
    pub id: &'static str,
    /// PS_IdNat, EDIT identifier or UUID of PSI.
    pub national_id: &'static str,
    /// RPPS behind another identifier.
    pub rpps: Option<&'static str>,
    /// `RPPS`, `EDIT`, `PSI`…
    pub origin: &'static str,
    /// `M`, `MME`.
    pub civility: &'static str,
    /// Given name.
    pub given_name: &'static str,
    /// Family name.
    pub family_name: &'static str,
    /// Professions practised.
    pub practices: &'static [Practice],
    /// Mailbox at the MSSanté twin, when they have one.
    pub mailbox: Option<&'static str>,
    /// For people, in French and in English.
    pub note: (&'static str, &'static str),
}

/// One profession.
#[derive(Debug, Clone, Copy)]
pub struct Practice {
    /// TRE_G15; empty for an employee.
    pub profession: &'static str,
    /// `C`, `E`…; empty for an employee.
    pub category: &'static str,
    /// `DR`, `M`…
    pub civility: &'static str,
    /// Savoir-faire, possibly empty.
    pub skill: &'static str,
    /// Where.
    pub places: &'static [Place],
}

/// One place of practice.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// `L`, `S`.
    pub mode: &'static str,
    /// `SA01`, `SA07`.
    pub sector: &'static str,
    /// FINESS of the site, possibly empty.
    pub finess: &'static str,
    /// FINESS of the legal entity, possibly empty.
    pub finess_legal: &'static str,
    /// Technical identifier of the directory.
    pub technical_id: &'static str,
    /// Former identifier, in the form of Struct_IdNat.
    pub former_id: &'static str,
    /// Raison sociale.
    pub name: &'static str,
}

const HOSPITAL: Place = Place {
    mode: "S",
    sector: "SA01",
    finess: "0B0000001",
    finess_legal: "0B0000002",
    technical_id: "F0B0000001",
    former_id: "10B0000001",
    name: "HOPITAL DES ESSAIS",
};

const fn practice(
    profession: &'static str,
    civility: &'static str,
    skill: &'static str,
    places: &'static [Place],
) -> Practice {
    Practice { profession, category: "C", civility, skill, places }
}

const fn cabinet(technical_id: &'static str, former_id: &'static str, name: &'static str) -> Place {
    Place { mode: "L", sector: "SA07", finess: "", finess_legal: "", technical_id, former_id, name }
}

/// The test professionals, known to the twins of Pro Santé Connect and of MSSanté alike.
pub const PERSONAS: &[Persona] = &[
    Persona {
        id: "marie-martin",
        national_id: "899700000017",
        rpps: None,
        origin: "RPPS",
        civility: "MME",
        given_name: "Marie",
        family_name: "MARTIN",
        practices: &[practice("10", "DR", "SM26", &[HOSPITAL])],
        mailbox: Some("dr.marie.martin@medecin.mssante.test"),
        note: ("médecin à l'hôpital", "physician in a hospital"),
    },
    Persona {
        id: "paul-durand",
        national_id: "899700000025",
        rpps: None,
        origin: "RPPS",
        civility: "M",
        given_name: "Paul",
        family_name: "DURAND",
        practices: &[practice(
            "10",
            "DR",
            "SM54",
            &[cabinet("R99700000025010", "499700000025010", "CABINET DU DR DURAND")],
        )],
        mailbox: Some("dr.paul.durand@medecin.mssante.test"),
        note: ("médecin libéral", "physician in private practice"),
    },
    Persona {
        id: "nadia-benali",
        national_id: "899700000033",
        rpps: None,
        origin: "RPPS",
        civility: "MME",
        given_name: "Nadia",
        family_name: "BENALI",
        practices: &[practice(
            "60",
            "MME",
            "",
            &[cabinet("R99700000033010", "499700000033010", "CABINET INFIRMIER BENALI")],
        )],
        mailbox: Some("nadia.benali@infirmier.mssante.test"),
        note: ("infirmière libérale", "nurse in private practice"),
    },
    Persona {
        id: "alice-lefevre",
        national_id: "899700000041",
        rpps: None,
        origin: "RPPS",
        civility: "MME",
        given_name: "Alice",
        family_name: "LEFEVRE",
        practices: &[practice(
            "10",
            "DR",
            "SM54",
            &[HOSPITAL, cabinet("R99700000041010", "499700000041010", "CABINET DU DR LEFEVRE")],
        )],
        mailbox: Some("dr.alice.lefevre@medecin.mssante.test"),
        note: ("médecin, deux situations d'exercice à choisir", "physician, two situations of exercise to choose from"),
    },
    Persona {
        id: "hugo-petit",
        national_id: "899700000058",
        rpps: None,
        origin: "RPPS",
        civility: "M",
        given_name: "Hugo",
        family_name: "PETIT",
        practices: &[practice("10", "DR", "", &[])],
        mailbox: None,
        note: ("médecin sans activité", "physician without activity"),
    },
    Persona {
        id: "camille-edit",
        national_id: "ANS20261124000001",
        rpps: None,
        origin: "EDIT",
        civility: "MME",
        given_name: "Camille",
        family_name: "ESSAI",
        practices: &[practice("50", "MME", "", &[HOSPITAL])],
        mailbox: None,
        note: ("sage-femme, identifiant EDIT en lettres", "midwife, EDIT identifier with letters"),
    },
    Persona {
        id: "sacha-psi",
        national_id: "5a0c1e00-0000-4000-8000-000000000066",
        rpps: Some("899700000066"),
        origin: "PSI",
        civility: "M",
        given_name: "Sacha",
        family_name: "ROUSSEL",
        practices: &[practice("21", "M", "", &[HOSPITAL])],
        mailbox: None,
        note: (
            "pharmacien, identifiant PSI (UUID) et RPPS derrière",
            "pharmacist, PSI identifier (UUID) with an RPPS behind",
        ),
    },
    Persona {
        id: "dan-agent",
        national_id: "30B0000001/AGENT42",
        rpps: None,
        origin: "FINESS",
        civility: "M",
        given_name: "Dan",
        family_name: "MOREAU",
        practices: &[Practice { profession: "", category: "", civility: "M", skill: "", places: &[HOSPITAL] }],
        mailbox: None,
        note: ("secrétaire, employé de l'hôpital", "secretary, employee of the hospital"),
    },
];

/// The persona of this name.
#[must_use]
pub fn persona(id: &str) -> Option<&'static Persona> {
    PERSONAS.iter().find(|persona| persona.id == id)
}

#[cfg(test)]
mod tests {
    use socle_identity::{IdNatPs, MssAddress};

    use super::*;

    #[test]
    fn personas_are_usable_and_cannot_be_real() {
        for (at, persona) in PERSONAS.iter().enumerate() {
            assert!(
                PERSONAS[..at].iter().all(|other| other.id != persona.id && other.national_id != persona.national_id)
            );
            let id: IdNatPs = persona.national_id.parse().unwrap();
            let rpps = id.rpps().or_else(|| persona.rpps.and_then(|rpps| rpps.parse::<IdNatPs>().unwrap().rpps()));
            assert!(
                rpps.is_none_or(|rpps| !rpps.has_right_key() && rpps.as_str().starts_with("997")),
                "{}",
                persona.id
            );
            if let Some(mailbox) = persona.mailbox {
                let address: MssAddress = mailbox.parse().unwrap();
                assert!(address.domain().as_str().ends_with(".mssante.test"), "{}", persona.id);
            }
        }
    }
}
