//! What the twin answers to a request of WS_INS2 that its SOAP layer let pass. Pure.
//!
//! The order of the checks decides the code: authorisation number, certificate, traits, search.

use std::time::Duration;

use socle_identity::{BirthPlace, InsiName};

use super::population::{Person, Population, Scenario, Sought};
use crate::model::{Caller, InsiFault, Severity};
use crate::wire::{Answer, HistoryOrder, Received};

/// The codes of `siram_10` by field. Only `insi_19` (birth name missing) is published; the others are
/// UNKNOWN and **ours**, named so that nobody takes them for the teleservice's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCodes {
    /// `NomNaissance` outside the lexical profile.
    pub birth_name: String,
    /// `Prenom` missing or outside it.
    pub given_name: String,
    /// `Sexe` missing, or neither `M` nor `F`.
    pub sex: String,
    /// `DateNaissance` missing or no date.
    pub birth_date: String,
    /// `LieuNaissance` that is no COG code.
    pub birth_place: String,
}

impl Default for FieldCodes {
    fn default() -> Self {
        Self {
            birth_name: "socle_nom".into(),
            given_name: "socle_prenom".into(),
            sex: "socle_sexe".into(),
            birth_date: "socle_date".into(),
            birth_place: "socle_lieu".into(),
        }
    }
}

/// Who may ask.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    pub(crate) authorised: Vec<String>,
    pub(crate) codes: FieldCodes,
}

/// An answer, and how late it comes.
pub(crate) type Judged = (Answer, HistoryOrder, Duration);

pub(crate) fn judge(
    received: &Received,
    common_name: Option<&str>,
    admission: &Admission,
    population: &Population,
) -> Result<Judged, Box<InsiFault>> {
    let known = received.idam.as_ref().is_some_and(|idam| admission.authorised.contains(idam));
    if !known {
        return Err(software_unknown());
    }
    if common_name.unwrap_or_default().parse::<Caller>().is_err() {
        return Err(access_too_low());
    }
    let given_names = received.given_names.join(" ");
    let sought = check_fields(received, &given_names, &admission.codes)?;
    answer(&population.find(&sought))
}

fn answer(found: &[&Person]) -> Result<Judged, Box<InsiFault>> {
    match found {
        [] => Ok((Answer::NotFound, HistoryOrder::Schema, Duration::ZERO)),
        [person] => {
            let delay = match person.scenario {
                Scenario::Broken(code) => return Err(out_of_order(code)),
                Scenario::Slow(delay) => delay,
                Scenario::Plain | Scenario::OddOrder | Scenario::NoKey => Duration::ZERO,
            };
            let (answer, order) = person.answer();
            Ok((answer, order, delay))
        }
        _ => Ok((Answer::Several, HistoryOrder::Schema, Duration::ZERO)),
    }
}

/// The lexical profile of SEL-MP-043 (EF_INS10_01, EF_INS10_02): the service transliterates nothing.
fn check_fields<'a>(
    received: &'a Received,
    given_names: &'a str,
    codes: &FieldCodes,
) -> Result<Sought<'a>, Box<InsiFault>> {
    let birth_name =
        received.birth_name.as_deref().ok_or_else(|| refused("insi_19", "le nom de naissance est obligatoire"))?;
    if !InsiName::birth_name(birth_name).is_ok_and(|name| name.as_str() == birth_name) {
        return Err(refused(&codes.birth_name, "le nom de naissance sort de l'alphabet du téléservice"));
    }
    if given_names.is_empty() {
        return Err(refused(&codes.given_name, "un prénom de naissance au moins est obligatoire"));
    }
    if !InsiName::given_name(given_names).is_ok_and(|name| name.as_str() == given_names) {
        return Err(refused(&codes.given_name, "un prénom sort de l'alphabet du téléservice"));
    }
    let sex = received.sex.as_deref().filter(|sex| matches!(*sex, "M" | "F"));
    let sex = sex.ok_or_else(|| refused(&codes.sex, "le sexe est obligatoire et vaut M ou F"))?;
    let date = received.birth_date.as_deref().filter(|date| is_date(date));
    let birth_date =
        date.ok_or_else(|| refused(&codes.birth_date, "la date de naissance est obligatoire, au format AAAA-MM-JJ"))?;
    let birth_place = received.birth_place.as_deref();
    if birth_place.is_some_and(|place| place.parse::<BirthPlace>().is_err()) {
        return Err(refused(&codes.birth_place, "le lieu de naissance n'est pas un code du COG"));
    }
    Ok(Sought { birth_name, given_names, sex, birth_date, birth_place })
}

/// `YYYY-MM-DD`, possibly lunar: the type is DateLunaire, so month 13 or day 32 are not refused.
fn is_date(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 10
        && b.iter().enumerate().all(|(at, c)| if matches!(at, 4 | 7) { *c == b'-' } else { c.is_ascii_digit() })
}

fn refused(code: &str, detail: &str) -> Box<InsiFault> {
    fault(true, Some("siram_10"), code, "La requête n'a pas passé les contrôles fonctionnels.", detail)
}

fn software_unknown() -> Box<InsiFault> {
    let reason = "Ce logiciel n'a pas accès au service : adressez-vous à son éditeur.";
    fault(true, Some("siram_100"), "desir_550", reason, "Le numéro d'autorisation du logiciel (IDAM) est inconnu.")
}

fn access_too_low() -> Box<InsiFault> {
    let reason = "Ce moyen d'authentification n'a pas accès au service.";
    let detail = "Niveau d'accès insuffisant : le nom commun du certificat doit être INSI-AUTO ou INSI-MANU.";
    fault(true, Some("siram_100"), "desir_560", reason, detail)
}

fn out_of_order(code: &str) -> Box<InsiFault> {
    let detail = if code == "insi_111" {
        "Les téléservices sont indisponibles."
    } else {
        "Erreur technique pendant la recherche par traits."
    };
    fault(false, Some("siram_40"), code, "Le service ne peut pas répondre pour le moment.", detail)
}

fn fault(sender: bool, subcode: Option<&str>, code: &str, reason: &str, detail: &str) -> Box<InsiFault> {
    Box::new(InsiFault {
        sender,
        subcode: subcode.map(Into::into),
        code: Some(code.into()),
        severity: Some(Severity::Error),
        reason: reason.into(),
        detail: Some(detail.into()),
        message_id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Admission {
        Admission { authorised: vec!["IDAM-1".into()], codes: FieldCodes::default() }
    }

    fn request() -> Received {
        Received {
            idam: Some("IDAM-1".into()),
            birth_name: Some("PAT-TROIS".into()),
            given_names: vec!["DOMINIQUE".into()],
            sex: Some("F".into()),
            birth_date: Some("1979-03-28".into()),
            birth_place: None,
        }
    }

    fn play(received: &Received, common_name: Option<&str>) -> Result<&'static str, Box<InsiFault>> {
        judge(received, common_name, &admission(), &Population::official()).map(|(answer, _, _)| answer.code())
    }

    #[test]
    fn the_first_check_that_fails_gives_its_code() {
        type Case<'a> = (&'a str, fn(&mut Received), Option<&'a str>, &'a str);
        let auto = Some("INSI-AUTO");
        let cases: [Case; 16] = [
            ("no IDAM", |r| r.idam = None, auto, "desir_550"),
            ("unknown IDAM", |r| r.idam = Some("IDAM-2".into()), auto, "desir_550"),
            ("unknown IDAM and certificate", |r| r.idam = None, Some("srv.example"), "desir_550"),
            ("another common name", |_| (), Some("INSI-auto"), "desir_560"),
            ("no certificate", |_| (), None, "desir_560"),
            ("certificate before traits", |r| r.birth_name = None, Some("X"), "desir_560"),
            ("no birth name", |r| r.birth_name = None, auto, "insi_19"),
            ("lower case", |r| r.birth_name = Some("Pat-Trois".into()), auto, "socle_nom"),
            ("accent", |r| r.given_names = vec!["LÉA".into()], auto, "socle_prenom"),
            ("no given name", |r| r.given_names.clear(), auto, "socle_prenom"),
            ("double hyphen in a given name", |r| r.given_names = vec!["A--B".into()], auto, "socle_prenom"),
            ("no sex", |r| r.sex = None, auto, "socle_sexe"),
            ("undetermined", |r| r.sex = Some("I".into()), auto, "socle_sexe"),
            ("no date", |r| r.birth_date = None, auto, "socle_date"),
            ("French date", |r| r.birth_date = Some("28/03/1979".into()), auto, "socle_date"),
            ("place in letters", |r| r.birth_place = Some("REIMS".into()), auto, "socle_lieu"),
        ];
        for (name, spoil, common_name, code) in cases {
            let mut received = request();
            spoil(&mut received);
            let fault = play(&received, common_name).expect_err(name);
            assert_eq!(fault.code.as_deref(), Some(code), "{name}");
            assert!(fault.sender, "{name}");
        }
    }

    #[test]
    fn answers_by_person_and_scenario() {
        type Case<'a> = (&'a str, &'a [&'a str], &'a str, &'a str, Result<&'a str, &'a str>);
        let cases: [Case; 9] = [
            ("PAT-TROIS", &["DOMINIQUE"], "F", "1979-03-28", Ok("00")),
            ("PAT-TROIS", &["DOMINIQUE", "MARIE-LOUISE"], "F", "1979-03-28", Ok("00")),
            ("PAT-TROIS", &["DOMINIQUE"], "M", "1979-03-28", Ok("01")),
            ("PAT-TROIS", &["DOMINIQUE"], "F", "1979-13-28", Ok("01")),
            ("HOUILLES", &["PIERRE"], "M", "1993-01-27", Ok("01")),
            ("HOMONYME", &["CAMILLE"], "F", "1985-05-05", Ok("02")),
            ("HOMONYME", &["CAMILLE", "JEANNE"], "F", "1985-05-05", Ok("00")),
            ("PANNE-TECHNIQUE", &["ANNE"], "F", "1990-09-09", Err("insi_102")),
            ("PANNE-SERVICE", &["ANNE"], "F", "1990-09-09", Err("insi_111")),
        ];
        for (name, given_names, sex, date, expected) in cases {
            let received = Received {
                birth_name: Some(name.into()),
                given_names: given_names.iter().map(ToString::to_string).collect(),
                sex: Some(sex.into()),
                birth_date: Some(date.into()),
                ..request()
            };
            let got = play(&received, Some("INSI-MANU")).map_err(|fault| fault.code.unwrap());
            assert_eq!(got, expected.map_err(str::to_owned), "{name} {given_names:?}");
        }
    }
}
