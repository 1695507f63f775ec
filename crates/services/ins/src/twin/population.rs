//! Who the twin knows: the official test persons, a few of ours for the cases that they do not show,
//! and those of a CSV file.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use socle_identity::{InsAuthority, InsiName, Matricule};

use crate::wire::{Answer, HistoryOrder, Individual, WrittenIns, WrittenTraits};

/// What a person's line does to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The identity.
    Plain,
    /// `Prenom` is absent and the dates of the history come first, as in a published sample.
    OddOrder,
    /// `Cle` is absent: the schema allows it.
    NoKey,
    /// A fault of the teleservice: `siram_40`, this code.
    Broken(&'static str),
    /// The identity, late.
    Slow(Duration),
}

/// One person.
#[derive(Debug, Clone)]
pub struct Person {
    /// The identity, as it is answered.
    pub individual: Individual,
    /// What happens when it is asked for.
    pub scenario: Scenario,
    /// Why this person is here, in French and in English.
    pub note: (&'static str, &'static str),
}

impl Person {
    /// The answer about this person.
    #[must_use]
    pub fn answer(&self) -> (Answer, HistoryOrder) {
        let mut individual = self.individual.clone();
        let mut order = HistoryOrder::Schema;
        match self.scenario {
            Scenario::OddOrder => {
                individual.traits.given_name = None;
                order = HistoryOrder::DatesFirst;
            }
            Scenario::NoKey => individual.active.key = None,
            Scenario::Plain | Scenario::Broken(_) | Scenario::Slow(_) => {}
        }
        (Answer::Found(Box::new(individual)), order)
    }

    fn list(&self) -> &str {
        self.individual.traits.given_names.as_deref().unwrap_or_default()
    }

    /// A given name matches when it is the first, or whole words at the beginning of the list.
    fn answers_to(&self, asked: &Sought<'_>) -> bool {
        let traits = &self.individual.traits;
        let starts =
            self.list().strip_prefix(asked.given_names).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        let first = traits.given_name.as_deref() == Some(asked.given_names);
        let place = asked.birth_place.is_none_or(|place| traits.birth_place.as_deref() == Some(place));
        (starts || first) && place && traits.sex.as_deref() == Some(asked.sex)
    }
}

/// What is looked for, in the alphabet of INSi.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    pub(crate) birth_name: &'a str,
    pub(crate) given_names: &'a str,
    pub(crate) sex: &'a str,
    pub(crate) birth_date: &'a str,
    pub(crate) birth_place: Option<&'a str>,
}

/// All persons, found by birth name and date.
#[derive(Debug, Default)]
pub struct Population {
    people: Vec<Person>,
    index: HashMap<(String, String), Vec<usize>>,
}

impl Population {
    /// The official test persons and ours.
    #[must_use]
    pub fn official() -> Self {
        let mut population = Self::default();
        for line in OFFICIAL {
            population.add(line.person());
        }
        population
    }

    /// Adds the persons of a CSV file: `;` between fields, a header line
    /// `nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid`, dates `YYYY-MM-DD`, the place
    /// possibly empty. At most 100 000 lines.
    ///
    /// # Errors
    /// [`PopulationError`] names the line and what is wrong there; nobody of the file is added.
    pub fn load(&mut self, file: &Path) -> Result<usize, PopulationError> {
        let failed = |error: std::io::Error| PopulationError::File { file: file.display().to_string(), error };
        let text = std::fs::read_to_string(file).map_err(failed)?;
        let people = read_csv(&text)?;
        let count = people.len();
        people.into_iter().for_each(|person| self.add(person));
        Ok(count)
    }

    fn add(&mut self, person: Person) {
        let traits = &person.individual.traits;
        let key = (traits.birth_name.clone().unwrap_or_default(), traits.birth_date.clone().unwrap_or_default());
        self.index.entry(key).or_default().push(self.people.len());
        self.people.push(person);
    }

    /// Everybody, in order.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    pub(crate) fn find(&self, sought: &Sought<'_>) -> Vec<&Person> {
        let key = (sought.birth_name.to_owned(), sought.birth_date.to_owned());
        let rows = self.index.get(&key).map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(|&row| &self.people[row]).filter(|person| person.answers_to(sought)).collect()
    }
}

const LINES_MAX: usize = 100_000;
const CSV_HEADER: &str = "nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid";

fn read_csv(text: &str) -> Result<Vec<Person>, PopulationError> {
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    if lines.next().is_none_or(|(_, header)| header.trim() != CSV_HEADER) {
        return Err(PopulationError::Line {
            line: 1,
            what: "the header must be nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid",
        });
    }
    let mut people = Vec::new();
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        if people.len() == LINES_MAX {
            return Err(PopulationError::Line { line: at + 1, what: "more than 100 000 persons" });
        }
        people.push(read_line(line).map_err(|what| PopulationError::Line { line: at + 1, what })?);
    }
    Ok(people)
}

fn read_line(line: &str) -> Result<Person, &'static str> {
    let fields: Vec<&str> = line.split(';').map(str::trim).collect();
    let [name, given_names, sex, date, place, matricule, oid] = fields[..] else {
        return Err("seven fields are needed");
    };
    let is_insi_form = |read: Result<InsiName, _>, text: &str| read.is_ok_and(|name| name.as_str() == text);
    if !is_insi_form(InsiName::birth_name(name), name) || !is_insi_form(InsiName::given_name(given_names), given_names)
    {
        return Err("names are written A-Z, space, apostrophe, hyphen");
    }
    if !matches!(sex, "M" | "F") {
        return Err("the sex is M or F");
    }
    date.parse::<jiff::civil::Date>().map_err(|_| "the date is no date YYYY-MM-DD")?;
    if !place.is_empty() && place.parse::<socle_identity::BirthPlace>().is_err() {
        return Err("the place is no COG code");
    }
    let matricule: Matricule = matricule.parse().map_err(|_| "the matricule is malformed or its key is wrong")?;
    let authority: InsAuthority = oid.parse().map_err(|_| "the OID is not of the INS")?;
    Ok(Person {
        individual: Individual {
            active: written(matricule.as_str(), authority.oid()),
            history: Vec::new(),
            traits: traits(name, given_names, sex, date, place),
        },
        scenario: Scenario::Plain,
        note: ("chargé d'un fichier CSV", "loaded from a CSV file"),
    })
}

fn written(matricule: &str, oid: &str) -> WrittenIns {
    let (number, key) = matricule.split_at(13);
    WrittenIns { number: number.into(), key: Some(key.into()), kind: None, oid: oid.into(), from: None, to: None }
}

fn traits(name: &str, given_names: &str, sex: &str, date: &str, place: &str) -> WrittenTraits {
    WrittenTraits {
        birth_name: Some(name.into()),
        given_name: given_names.split(' ').next().map(Into::into),
        given_names: Some(given_names.into()),
        sex: Some(sex.into()),
        birth_date: Some(date.into()),
        birth_place: Some(place.into()).filter(|place: &String| !place.is_empty()),
    }
}

/// Why a file of persons is refused. Shows nobody of it.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// It does not read.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// A line.
    #[error("population, line {line}: {what}")]
    Line {
        /// From 1, the header being 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

const NIR: &str = InsAuthority::Nir.oid();
const NIA: &str = InsAuthority::Nia.oid();
const TEST: &str = InsAuthority::NirTest.oid();

/// A person of the program itself.
struct Line {
    name: &'static str,
    given_names: &'static str,
    sex: &'static str,
    date: &'static str,
    place: &'static str,
    matricule: &'static str,
    oid: &'static str,
    /// Matricule, start, end; the authority is that of the active one.
    history: &'static [(&'static str, Option<&'static str>, Option<&'static str>)],
    scenario: Scenario,
    note: (&'static str, &'static str),
}

impl Line {
    fn person(&self) -> Person {
        let former = |&(matricule, from, to): &(&str, Option<&str>, Option<&str>)| WrittenIns {
            from: from.map(Into::into),
            to: to.map(Into::into),
            ..written(matricule, self.oid)
        };
        Person {
            individual: Individual {
                active: written(self.matricule, self.oid),
                history: self.history.iter().map(former).collect(),
                traits: traits(self.name, self.given_names, self.sex, self.date, self.place),
            },
            scenario: self.scenario,
            note: self.note,
        }
    }
}

/// The official test persons of the CNDA and of the ANS (facts published with their test documents),
/// then ours. Ours have the test OID and a matricule of département 99, rank 9xx: no person has it.
const OFFICIAL: &[Line] = &[
    Line {
        name: "ADRUN",
        given_names: "ZOE",
        sex: "F",
        date: "1975-12-31",
        place: "63220",
        matricule: "275126322074974",
        oid: NIR,
        history: &[],
        scenario: Scenario::Plain,
        note: ("le cas le plus simple", "the simplest case"),
    },
    Line {
        name: "TCHITCHI",
        given_names: "CATARINA BELLA",
        sex: "F",
        date: "1936-06-21",
        place: "63220",
        matricule: "236066322083656",
        oid: NIR,
        history: &[],
        scenario: Scenario::Plain,
        note: (
            "OLA donne 01, CATARINA donne 00 : le papier dit OLA CATARINA BELLA",
            "OLA gives 01, CATARINA gives 00: the paper says OLA CATARINA BELLA",
        ),
    },
    Line {
        name: "ECETINSI",
        given_names: "PIERRE-ALAIN MURIEL FLORIANT",
        sex: "M",
        date: "2009-07-14",
        place: "63220",
        matricule: "109076322083489",
        oid: NIR,
        history: &[("209076322083439", Some("2019-03-01"), Some("2019-02-28")), ("209066322012355", None, None)],
        scenario: Scenario::OddOrder,
        note: (
            "historique ; sans Prenom, dates en premier et à l'envers, comme l'exemple publié",
            "history; no Prenom, dates first and reversed, as in the published sample",
        ),
    },
    Line {
        name: "HERMANN",
        given_names: "GATIEN",
        sex: "M",
        date: "1981-03-24",
        place: "63220",
        matricule: "181036322045660",
        oid: NIR,
        history: &[("181036322045660", None, None), ("281036322045610", None, None)],
        scenario: Scenario::Plain,
        note: (
            "clés officiellement fausses, l'historique répète l'actif : un client doit le dire, pas tomber",
            "officially wrong keys, the history repeats the active one: a client must say so, not fall",
        ),
    },
    Line {
        name: "PROVISOIRE",
        given_names: "MATRICULE",
        sex: "M",
        date: "2009-07-01",
        place: "63220",
        matricule: "109076322088835",
        oid: NIA,
        history: &[],
        scenario: Scenario::Plain,
        note: ("NIA", "NIA"),
    },
    Line {
        name: "ADRTROIS",
        given_names: "DOMINIQUE",
        sex: "F",
        date: "1997-02-26",
        place: "2A020",
        matricule: "297022A02077878",
        oid: NIR,
        history: &[],
        scenario: Scenario::Plain,
        note: ("Corse-du-Sud", "Corse-du-Sud (2A)"),
    },
    Line {
        name: "ADRTROIS",
        given_names: "TOUSSAINT",
        sex: "M",
        date: "1960-01-01",
        place: "2B020",
        matricule: "160012B02077713",
        oid: NIR,
        history: &[],
        scenario: Scenario::Plain,
        note: ("Haute-Corse", "Haute-Corse (2B)"),
    },
    Line {
        name: "NESSI",
        given_names: "RUTH",
        sex: "F",
        date: "1977-07-14",
        place: "63220",
        matricule: "277076322082910",
        oid: NIR,
        history: &[],
        scenario: Scenario::Plain,
        note: ("titulaire d'une carte Vitale de test", "holder of a test carte Vitale"),
    },
    Line {
        name: "PAT-TROIS",
        given_names: "DOMINIQUE MARIE-LOUISE",
        sex: "F",
        date: "1979-03-28",
        place: "51215",
        matricule: "279035121518989",
        oid: TEST,
        history: &[],
        scenario: Scenario::Plain,
        note: (
            "patiente des documents d'exemple nationaux (CDA, HL7)",
            "patient of the national example documents (CDA, HL7)",
        ),
    },
    Line {
        name: "HOMONYME",
        given_names: "CAMILLE ROSE",
        sex: "F",
        date: "1985-05-05",
        place: "75056",
        matricule: "285059999990104",
        oid: TEST,
        history: &[],
        scenario: Scenario::Plain,
        note: (
            "CAMILLE seul donne 02, CAMILLE ROSE aussi, le lieu tranche",
            "CAMILLE alone gives 02, CAMILLE ROSE too, the place tells",
        ),
    },
    Line {
        name: "HOMONYME",
        given_names: "CAMILLE ROSE",
        sex: "F",
        date: "1985-05-05",
        place: "13055",
        matricule: "285059999990203",
        oid: TEST,
        history: &[],
        scenario: Scenario::Plain,
        note: ("même nom, même date, né ailleurs", "same name, same date, born elsewhere"),
    },
    Line {
        name: "HOMONYME",
        given_names: "CAMILLE JEANNE",
        sex: "F",
        date: "1985-05-05",
        place: "69123",
        matricule: "285059999990302",
        oid: TEST,
        history: &[],
        scenario: Scenario::Plain,
        note: ("CAMILLE JEANNE donne 00", "CAMILLE JEANNE gives 00"),
    },
    Line {
        name: "SANS-CLE",
        given_names: "ANNE",
        sex: "F",
        date: "1990-09-09",
        place: "99999",
        matricule: "290099999990414",
        oid: TEST,
        history: &[],
        scenario: Scenario::NoKey,
        note: (
            "la clé est absente de la réponse, comme le schéma le permet",
            "the key is absent from the answer, as the schema allows",
        ),
    },
    Line {
        name: "PANNE-TECHNIQUE",
        given_names: "ANNE",
        sex: "F",
        date: "1990-09-09",
        place: "99999",
        matricule: "290099999990513",
        oid: TEST,
        history: &[],
        scenario: Scenario::Broken("insi_102"),
        note: ("erreur technique : siram_40, insi_102", "technical error: siram_40, insi_102"),
    },
    Line {
        name: "PANNE-SERVICE",
        given_names: "ANNE",
        sex: "F",
        date: "1990-09-09",
        place: "99999",
        matricule: "290099999990612",
        oid: TEST,
        history: &[],
        scenario: Scenario::Broken("insi_111"),
        note: ("téléservice indisponible : siram_40, insi_111", "teleservice unavailable: siram_40, insi_111"),
    },
    Line {
        name: "LENTEUR",
        given_names: "ANNE",
        sex: "F",
        date: "1990-09-09",
        place: "99999",
        matricule: "290099999990711",
        oid: TEST,
        history: &[],
        scenario: Scenario::Slow(Duration::from_secs(8)),
        note: ("répond au bout de 8 secondes", "answers after 8 seconds"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sought<'a>(birth_name: &'a str, given_names: &'a str, date: &'a str, place: Option<&'a str>) -> Sought<'a> {
        Sought { birth_name, given_names, sex: "F", birth_date: date, birth_place: place }
    }

    #[test]
    fn finds_by_the_first_given_name_or_the_beginning_of_the_list() {
        type Case<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, usize);
        let cases: [Case; 15] = [
            ("TCHITCHI", "OLA", "1936-06-21", None, 0),
            ("TCHITCHI", "CATARINA", "1936-06-21", None, 1),
            ("TCHITCHI", "CATARINA BELLA", "1936-06-21", None, 1),
            ("TCHITCHI", "CATARIN", "1936-06-21", None, 0),
            ("TCHITCHI", "BELLA", "1936-06-21", None, 0),
            ("TCHITCHI", "CATARINA", "1936-06-22", None, 0),
            ("TCHITCHI", "CATARINA", "1936-06-21", Some("63220"), 1),
            ("TCHITCHI", "CATARINA", "1936-06-21", Some("75056"), 0),
            ("PAT-TROIS", "DOMINIQUE", "1979-03-28", None, 1),
            ("PAT-TROIS", "DOMINIQUE MARIE-LOUISE", "1979-03-28", Some("51215"), 1),
            ("PAT TROIS", "DOMINIQUE", "1979-03-28", None, 0),
            ("HOMONYME", "CAMILLE", "1985-05-05", None, 3),
            ("HOMONYME", "CAMILLE ROSE", "1985-05-05", None, 2),
            ("HOMONYME", "CAMILLE ROSE", "1985-05-05", Some("13055"), 1),
            ("HOUILLES", "PIERRE", "1993-01-27", None, 0),
        ];
        let population = Population::official();
        for (name, given_names, date, place, expected) in cases {
            let found = population.find(&sought(name, given_names, date, place)).len();
            assert_eq!(found, expected, "{name} {given_names} {date} {place:?}");
        }
    }

    #[test]
    fn everybody_has_a_right_key_but_the_person_published_with_a_wrong_one() {
        for person in Population::official().people() {
            let active = &person.individual.active;
            let matricule = format!("{}{}", active.number, active.key.as_deref().unwrap());
            let name = person.individual.traits.birth_name.as_deref().unwrap();
            assert_eq!(matricule.parse::<Matricule>().is_err(), name == "HERMANN", "{name}");
            assert_ne!(person.note.0, "");
        }
    }

    #[test]
    fn reads_a_file_of_persons_or_names_the_line() {
        let good = format!("{CSV_HEADER}\r\nDUPONT--MARTIN;ANNE LISE;F;2001-02-03;;279035121518989;{TEST}\r\n\r\n");
        let people = read_csv(&good).unwrap();
        assert_eq!(people[0].individual.traits.given_name.as_deref(), Some("ANNE"));
        assert_eq!(people[0].individual.traits.birth_place, None);
        let cases = [
            ("no header", "DUPONT;ANNE;F;2001-02-03;;279035121518989;oid".to_owned(), 1),
            ("empty", String::new(), 1),
            ("six fields", format!("{CSV_HEADER}\nDUPONT;ANNE;F;2001-02-03;;279035121518989"), 2),
            ("lower case", format!("{CSV_HEADER}\nDupont;ANNE;F;2001-02-03;;279035121518989;{TEST}"), 2),
            ("sex", format!("{CSV_HEADER}\nDUPONT;ANNE;I;2001-02-03;;279035121518989;{TEST}"), 2),
            ("date", format!("{CSV_HEADER}\nDUPONT;ANNE;F;2001-02-30;;279035121518989;{TEST}"), 2),
            ("place", format!("{CSV_HEADER}\nDUPONT;ANNE;F;2001-02-03;PARIS;279035121518989;{TEST}"), 2),
            ("key", format!("{CSV_HEADER}\n\nDUPONT;ANNE;F;2001-02-03;;279035121518988;{TEST}"), 3),
            ("OID", format!("{CSV_HEADER}\nDUPONT;ANNE;F;2001-02-03;;279035121518989;1.2.3"), 2),
        ];
        for (name, text, expected) in cases {
            match read_csv(&text) {
                Err(PopulationError::Line { line, .. }) => assert_eq!(line, expected, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
