use jiff::Timestamp;
use jiff::civil::Date;
use socle_finding::Text;
use socle_identity::{
    BirthPlace, Environment, EnvironmentMix, Ins, InsAuthority, InsError, InsiAnswer, Matricule, Sex, Traits,
    UnknownInsAuthority, consistent_first_given_name,
};

use crate::wire::{Individual, WrittenIns, WrittenTraits};

/// What a search ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchOutcome {
    /// Code 00: exactly one identity. Whether it is the patient is for a person to say.
    Found(Box<InsiAnswer>),
    /// Code 01 to every question of the plan.
    NotFound,
    /// Code 02, and nothing left to tell them apart.
    Several,
}

/// Something in an answer that the schema or the arithmetic would not have, and that hinders nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// A former INS is unreadable or has a wrong key: it is left out of the history.
    FormerInsLeftOut(InsError),
    /// A former INS of an authority that is not of the INS: left out.
    FormerAuthorityLeftOut,
    /// A period ends before it begins.
    PeriodReversed,
    /// The history repeats the active INS: the repetition is dropped.
    ActiveRepeated,
    /// The place of birth is no code of the COG: it is left out.
    BirthPlaceUnreadable,
    /// `Prenom` is not the beginning of `ListePrenom`: the list decides (RNIV EXI SI 29-30).
    GivenNameNotInList,
}

impl Remark {
    /// The remark for people.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::FormerInsLeftOut(InsError::Key) => Text::fixed(
                "un ancien matricule a une clé fausse : écarté",
                "a former matricule has a wrong key: left out",
            ),
            Self::FormerInsLeftOut(InsError::Shape) => {
                Text::fixed("un ancien matricule est mal formé : écarté", "a former matricule is malformed: left out")
            }
            Self::FormerAuthorityLeftOut => Text::fixed(
                "un ancien matricule n'a pas d'OID de l'INS : écarté",
                "a former matricule has no OID of the INS: left out",
            ),
            Self::PeriodReversed => {
                Text::fixed("une période finit avant de commencer", "a period ends before it begins")
            }
            Self::ActiveRepeated => {
                Text::fixed("l'historique répète l'INS actif", "the history repeats the active INS")
            }
            Self::BirthPlaceUnreadable => Text::fixed(
                "le lieu de naissance n'est pas un code COG : écarté",
                "the place of birth is no COG code: left out",
            ),
            Self::GivenNameNotInList => Text::fixed(
                "le prénom n'est pas le début de la liste",
                "the given name is not the beginning of the list",
            ),
        }
    }
}

/// Why an answer 00 cannot be taken. The raw bytes are kept all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// An element without which there is no INS.
    #[error("INSi's answer has no {0}")]
    Missing(&'static str),
    /// The active matricule is malformed, or its key is wrong.
    #[error("the active matricule of INSi's answer is refused: {0} (RNIV: the INS may not be used)")]
    Matricule(InsError),
    /// The OID is not of the INS.
    #[error("INSi's answer: {0}")]
    Authority(#[from] UnknownInsAuthority),
    /// The sex is neither M nor F.
    #[error("the sex of INSi's answer is neither M nor F")]
    Sex,
    /// A lunar or impossible date.
    #[error("the date of birth of INSi's answer is not a date of the calendar (a lunar date): a person must decide")]
    BirthDate,
    /// A test INS in production.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

/// Makes an identity of an answer 00, tolerant as the official samples need.
///
/// `asked` is the first given name of the local record: when it agrees with INSi's list it is kept,
/// since a composed first name (`JEAN CHRISTOPHE`) is known to the person, not to the list.
///
/// # Errors
/// [`AnswerError`]; an INS with a wrong key never becomes one.
pub fn interpret(
    individual: &Individual,
    asked: &str,
    environment: Environment,
    received_at: Timestamp,
    answer_digest: &str,
) -> Result<(InsiAnswer, Vec<Remark>), AnswerError> {
    let mut remarks = Vec::new();
    let ins = active(&individual.active)?;
    ins.authority.admit_in(environment)?;
    let history = history(&individual.history, &ins, &mut remarks);
    let traits = traits(&individual.traits, asked, &mut remarks)?;
    let answer = InsiAnswer { ins, history, traits, received_at, environment, answer_digest: answer_digest.to_owned() };
    Ok((answer, remarks))
}

fn active(written: &WrittenIns) -> Result<Ins, AnswerError> {
    let matricule = matricule(written).map_err(AnswerError::Matricule)?;
    Ok(Ins { matricule, authority: written.oid.parse()? })
}

/// `Cle` is optional: it is computed when it is not there, and compared when it is.
fn matricule(written: &WrittenIns) -> Result<Matricule, InsError> {
    match &written.key {
        Some(key) => format!("{}{key}", written.number).parse(),
        None => Matricule::from_number(&written.number),
    }
}

fn history(written: &[WrittenIns], active: &Ins, remarks: &mut Vec<Remark>) -> Vec<Ins> {
    let mut former = Vec::new();
    for entry in written {
        if matches!((&entry.from, &entry.to), (Some(from), Some(to)) if from > to) {
            remarks.push(Remark::PeriodReversed);
        }
        let ins = match (matricule(entry), entry.oid.parse::<InsAuthority>()) {
            (Ok(matricule), Ok(authority)) => Ins { matricule, authority },
            (Err(error), _) => {
                remarks.push(Remark::FormerInsLeftOut(error));
                continue;
            }
            (_, Err(UnknownInsAuthority)) => {
                remarks.push(Remark::FormerAuthorityLeftOut);
                continue;
            }
        };
        if ins == *active {
            remarks.push(Remark::ActiveRepeated);
        } else if !former.contains(&ins) {
            former.push(ins);
        }
    }
    former
}

fn traits(written: &WrittenTraits, asked: &str, remarks: &mut Vec<Remark>) -> Result<Traits, AnswerError> {
    let birth_name = required(&written.birth_name, "TIQ/NomNaissance")?.to_owned();
    let given_names = written.given_names.as_deref().or(written.given_name.as_deref()).unwrap_or_default().to_owned();
    if given_names.is_empty() {
        return Err(AnswerError::Missing("TIQ/ListePrenom"));
    }
    Ok(Traits {
        birth_name,
        first_given_name: first_given_name(written, &given_names, asked, remarks),
        given_names,
        sex: sex(written)?,
        birth_date: required(&written.birth_date, "TIQ/DateNaissance")?
            .parse::<Date>()
            .map_err(|_| AnswerError::BirthDate)?,
        birth_place: birth_place(written, remarks),
        used_name: None,
        used_given_name: None,
    })
}

fn required<'a>(value: &'a Option<String>, name: &'static str) -> Result<&'a str, AnswerError> {
    value.as_deref().filter(|text| !text.is_empty()).ok_or(AnswerError::Missing(name))
}

fn sex(written: &WrittenTraits) -> Result<Sex, AnswerError> {
    match required(&written.sex, "TIQ/Sexe")? {
        "M" => Ok(Sex::Male),
        "F" => Ok(Sex::Female),
        _ => Err(AnswerError::Sex),
    }
}

fn first_given_name(written: &WrittenTraits, list: &str, asked: &str, remarks: &mut Vec<Remark>) -> String {
    if consistent_first_given_name(asked, list) {
        return asked.to_owned();
    }
    if let Some(name) = written.given_name.as_deref().filter(|name| !name.is_empty()) {
        if consistent_first_given_name(name, list) {
            return name.to_owned();
        }
        remarks.push(Remark::GivenNameNotInList);
    }
    list.split_whitespace().next().unwrap_or_default().to_owned()
}

fn birth_place(written: &WrittenTraits, remarks: &mut Vec<Remark>) -> Option<BirthPlace> {
    let text = written.birth_place.as_deref().filter(|text| !text.is_empty())?;
    let place = text.to_ascii_uppercase().parse().ok();
    if place.is_none() {
        remarks.push(Remark::BirthPlaceUnreadable);
    }
    place
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn written(number: &str, key: Option<&str>, oid: &str) -> WrittenIns {
        WrittenIns {
            number: number.into(),
            key: key.map(Into::into),
            kind: None,
            oid: oid.into(),
            from: None,
            to: None,
        }
    }

    fn individual() -> Individual {
        Individual {
            active: written("2790351215189", Some("89"), "1.2.250.1.213.1.4.10"),
            history: Vec::new(),
            traits: WrittenTraits {
                birth_name: Some("PAT-TROIS".into()),
                given_name: Some("DOMINIQUE".into()),
                given_names: Some("DOMINIQUE MARIE-LOUISE".into()),
                sex: Some("F".into()),
                birth_date: Some("1979-03-28".into()),
                birth_place: Some("51215".into()),
            },
        }
    }

    fn read(individual: &Individual, asked: &str) -> Result<(InsiAnswer, Vec<Remark>), AnswerError> {
        interpret(individual, asked, Environment::Jumeau, Timestamp::UNIX_EPOCH, "00")
    }

    #[test]
    fn an_answer_becomes_an_identity_stamped_with_its_origin() {
        let (answer, remarks) = read(&individual(), "DOMINIQUE").unwrap();
        assert_eq!(answer.ins.to_cx(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
        assert_eq!((answer.environment, answer.answer_digest.as_str()), (Environment::Jumeau, "00"));
        assert_eq!(answer.traits.given_names, "DOMINIQUE MARIE-LOUISE");
        assert_eq!(answer.traits.birth_date, date(1979, 3, 28));
        assert!(remarks.is_empty() && answer.history.is_empty());
    }

    #[test]
    fn refuses_what_is_no_identity_and_says_why() {
        type Case<'a> = (&'a str, fn(&mut Individual), AnswerError);
        let cases: [Case; 9] = [
            ("wrong key", |i| i.active.key = Some("88".into()), AnswerError::Matricule(InsError::Key)),
            ("malformed", |i| i.active.number = "279035121518".into(), AnswerError::Matricule(InsError::Shape)),
            (
                "not an INS",
                |i| i.active.oid = "1.2.250.1.213.1.4.2".into(),
                AnswerError::Authority(UnknownInsAuthority),
            ),
            ("no birth name", |i| i.traits.birth_name = None, AnswerError::Missing("TIQ/NomNaissance")),
            (
                "no given name",
                |i| (i.traits.given_name, i.traits.given_names) = (None, Some(String::new())),
                AnswerError::Missing("TIQ/ListePrenom"),
            ),
            ("no sex", |i| i.traits.sex = None, AnswerError::Missing("TIQ/Sexe")),
            ("another sex", |i| i.traits.sex = Some("I".into()), AnswerError::Sex),
            ("no date", |i| i.traits.birth_date = None, AnswerError::Missing("TIQ/DateNaissance")),
            ("lunar date", |i| i.traits.birth_date = Some("1979-00-31".into()), AnswerError::BirthDate),
        ];
        for (name, spoil, expected) in cases {
            let mut spoilt = individual();
            spoil(&mut spoilt);
            assert_eq!(read(&spoilt, "DOMINIQUE").map(|_| ()), Err(expected), "{name}");
        }
    }

    #[test]
    fn a_test_ins_is_refused_in_production() {
        let production =
            interpret(&individual(), "DOMINIQUE", Environment::Production, Timestamp::UNIX_EPOCH, "00").map(|_| ());
        assert!(matches!(production, Err(AnswerError::Environment(_))));
    }

    #[test]
    fn a_missing_key_is_computed() {
        let mut without = individual();
        without.active.key = None;
        assert_eq!(read(&without, "DOMINIQUE").unwrap().0.ins.matricule.key(), "89");
    }

    #[test]
    fn the_first_given_name_follows_the_record_then_the_answer_then_the_list() {
        type Case<'a> = (&'a str, &'a str, Option<&'a str>, &'a str, &'a [Remark]);
        let cases: [Case; 5] = [
            ("the record agrees", "Dominique Marie", Some("DOMINIQUE"), "Dominique Marie", &[]),
            ("the record does not", "LOUISE", Some("DOMINIQUE"), "DOMINIQUE", &[]),
            ("Prenom is absent", "LOUISE", None, "DOMINIQUE", &[]),
            ("Prenom is composed", "LOUISE", Some("DOMINIQUE MARIE"), "DOMINIQUE MARIE", &[]),
            ("Prenom is not in the list", "LOUISE", Some("OLA"), "DOMINIQUE", &[Remark::GivenNameNotInList]),
        ];
        for (name, asked, given_name, expected, expected_remarks) in cases {
            let mut individual = individual();
            individual.traits.given_name = given_name.map(Into::into);
            let (answer, remarks) = read(&individual, asked).unwrap();
            assert_eq!(answer.traits.first_given_name, expected, "{name}");
            assert_eq!(remarks, expected_remarks, "{name}");
        }
    }

    #[test]
    fn a_history_is_kept_without_what_is_not_one_and_each_loss_is_told() {
        let mut individual = individual();
        let reversed = WrittenIns {
            from: Some("2019-03-01".into()),
            to: Some("2019-02-28".into()),
            ..written("2090763220834", Some("39"), "1.2.250.1.213.1.4.8")
        };
        individual.history = vec![
            written("2790351215189", Some("89"), "1.2.250.1.213.1.4.10"),
            reversed.clone(),
            written("2090763220834", Some("40"), "1.2.250.1.213.1.4.8"),
            written("20907632208", None, "1.2.250.1.213.1.4.8"),
            written("2090763220834", None, "1.2.250"),
            WrittenIns { from: None, ..reversed },
        ];
        individual.traits.birth_place = Some("inconnu".into());
        let (answer, remarks) = read(&individual, "DOMINIQUE").unwrap();
        assert_eq!(answer.history.len(), 1);
        assert_eq!(answer.history[0].matricule.as_str(), "209076322083439");
        assert_eq!(answer.traits.birth_place, None);
        assert_eq!(
            remarks,
            [
                Remark::ActiveRepeated,
                Remark::PeriodReversed,
                Remark::FormerInsLeftOut(InsError::Key),
                Remark::FormerInsLeftOut(InsError::Shape),
                Remark::FormerAuthorityLeftOut,
                Remark::BirthPlaceUnreadable,
            ]
        );
        for remark in remarks {
            assert_ne!(remark.text().fr, remark.text().en);
        }
    }
}
