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
    /// PER and ORG: whoever shows a Pro Santé Connect token of one of these persons.
    Persons(Vec<IdNatPs>),
    /// APP: whoever shows a certificate of this structure (`OU` of its subject).
    Structure(IdNatStruct),
}

/// The password of the seeded mailboxes and of every citizen's, for `LOGIN` and `AUTH PLAIN`.
pub const TEST_PASSWORD: &str = "jumeau";

/// The structure whose certificate opens the seeded application mailboxes: a FINESS of test.
pub const HOSPITAL_A: &str = "10B0000001";

/// The test professionals (PS_IdNat) and their mailboxes; the twin of Pro Santé Connect knows the same.
const PERSONS: [(&str, &str, &str); 4] = [
    ("899700000017", "dr.marie.martin@medecin.mssante.test", "Dr Marie MARTIN"),
    ("899700000025", "dr.paul.durand@medecin.mssante.test", "Dr Paul DURAND"),
    ("899700000033", "nadia.benali@infirmier.mssante.test", "Nadia BENALI"),
    ("899700000041", "dr.alice.lefevre@medecin.mssante.test", "Dr Alice LEFEVRE"),
];

/// A team: its members open it with their own tokens.
const TEAM: (&str, &str) = ("secretariat@cabinet-b.mssante.test", "Cabinet B - secrétariat");
const MEMBERS: [&str; 2] = ["899700000025", "899700000041"];

const APPLICATIONS: [(&str, &str); 2] = [
    ("dpi@hopital-a.mssante.test", "Hôpital A - dossier patient informatisé"),
    ("socle@hopital-a.mssante.test", "Hôpital A - Socle"),
];

/// The mailboxes of the demonstration: four persons, a team, two applications of a hospital.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let persons = PERSONS.into_iter().filter_map(|(id, address, name)| {
        seed(address, MailboxKind::Personal, name, Owner::Persons(vec![id.parse().ok()?]))
    });
    let members = MEMBERS.into_iter().filter_map(|id| id.parse().ok()).collect();
    let team = seed(TEAM.0, MailboxKind::Organisational, TEAM.1, Owner::Persons(members));
    let applications = APPLICATIONS.into_iter().filter_map(|(address, name)| {
        seed(address, MailboxKind::Application, name, Owner::Structure(HOSPITAL_A.parse().ok()?))
    });
    persons.chain(team).chain(applications).collect()
}

fn seed(address: &str, kind: MailboxKind, name: &str, owner: Owner) -> Option<Seed> {
    let (name, password) = (name.to_owned(), TEST_PASSWORD.to_owned());
    Some(Seed { address: address.parse().ok()?, kind, name, owner, password })
}

#[cfg(test)]
mod tests {
    use socle_identity::Environment;

    use super::*;

    #[test]
    fn every_seed_is_a_mailbox_of_the_twins() {
        let all = seeds();
        assert_eq!(all.len(), PERSONS.len() + 1 + APPLICATIONS.len(), "every literal parses");
        for seed in all {
            assert!(seed.address.domain().admit_in(Environment::Jumeau).is_ok(), "{:?}", seed.address);
            let is_application = matches!(seed.owner, Owner::Structure(_));
            assert_eq!(is_application, seed.kind == MailboxKind::Application, "{:?}", seed.address);
        }
    }
}
