use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use socle_identity::IdNatPs;

/// What the UserInfo endpoint says of a professional. Absent values are empty, as on the wire.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// `f:<federation>:<identifier>`; changes when identities are merged.
    #[serde(default, deserialize_with = "text")]
    pub sub: String,
    /// The national identifier (PS_IdNat): an RPPS behind `8`, an EDIT identifier, a UUID of PSI…
    #[serde(rename = "SubjectNameID")]
    pub subject_name_id: IdNatPs,
    /// Given name.
    #[serde(default, deserialize_with = "text")]
    pub given_name: String,
    /// Family name.
    #[serde(default, deserialize_with = "text")]
    pub family_name: String,
    /// The other identifiers of the same person.
    #[serde(default, rename = "otherIds", deserialize_with = "list")]
    pub other_ids: Vec<OtherId>,
    /// `10^1.2.250.1.213.1.1.5.5`, then specialties.
    #[serde(default, rename = "SubjectRole", deserialize_with = "texts")]
    pub subject_role: Vec<String>,
    /// `SA07^1.2.250.1.71.4.2.4`.
    #[serde(default, rename = "Secteur_Activite", deserialize_with = "text")]
    pub sector: String,
    /// Label of the structure, possibly empty.
    #[serde(default, rename = "SubjectOrganization", deserialize_with = "text")]
    pub organization: String,
    /// Technical identifier of the structure, possibly empty.
    #[serde(default, rename = "SubjectOrganizationID", deserialize_with = "text")]
    pub organization_id: String,
    /// Professions and activities.
    #[serde(default, rename = "SubjectRefPro", deserialize_with = "object")]
    pub ref_pro: RefPro,
}

impl UserInfo {
    /// The identifier to know the person by: the RPPS where there is one, whatever the identifier of the
    /// session (an identity enrolled in PSI shows a UUID first), else that of the session.
    #[must_use]
    pub fn national_id(&self) -> IdNatPs {
        if self.subject_name_id.rpps().is_some() {
            return self.subject_name_id.clone();
        }
        let rpps = self.other_ids.iter().filter(|other| other.origin == "RPPS").find_map(OtherId::as_id_nat);
        rpps.unwrap_or_else(|| self.subject_name_id.clone())
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfo").field("exercises", &self.ref_pro.exercises.len()).finish_non_exhaustive()
    }
}

/// Another identifier of the person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherId {
    /// The identifier.
    #[serde(default, rename = "identifiant", deserialize_with = "text")]
    pub identifier: String,
    /// `RPPS`, `ADELI`, `EDIT`, `PSI`…
    #[serde(default, rename = "origine", deserialize_with = "text")]
    pub origin: String,
    /// 1: the reference.
    #[serde(default, rename = "qualite", skip_serializing_if = "Option::is_none")]
    pub quality: Option<i64>,
}

impl OtherId {
    /// The identifier as PS_IdNat: a bare RPPS gets its `8`.
    fn as_id_nat(&self) -> Option<IdNatPs> {
        let is_bare = self.identifier.len() == 11 && self.identifier.bytes().all(|b| b.is_ascii_digit());
        let text = if is_bare { format!("8{}", self.identifier) } else { self.identifier.clone() };
        text.parse::<IdNatPs>().ok().filter(|id| id.rpps().is_some())
    }
}

impl fmt::Debug for OtherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherId(…, {})", self.origin)
    }
}

/// `SubjectRefPro`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefPro {
    /// `M`, `MME`.
    #[serde(default, rename = "codeCivilite", deserialize_with = "text")]
    pub civility: String,
    /// Professions practised.
    #[serde(default, rename = "exercices", deserialize_with = "list")]
    pub exercises: Vec<Exercise>,
}

/// An `exercice`: one profession, one savoir-faire, its activities.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercise {
    /// TRE_G15: `10` physician, `60` nurse…
    #[serde(default, rename = "codeProfession", deserialize_with = "text")]
    pub profession: String,
    /// `C` civil, `M` military, `E` student…
    #[serde(default, rename = "codeCategorieProfessionnelle", deserialize_with = "text")]
    pub category: String,
    /// `DR`, `M`…
    #[serde(default, rename = "codeCiviliteDexercice", deserialize_with = "text")]
    pub civility: String,
    /// Name of exercise.
    #[serde(default, rename = "nomDexercice", deserialize_with = "text")]
    pub family_name: String,
    /// Given name of exercise.
    #[serde(default, rename = "prenomDexercice", deserialize_with = "text")]
    pub given_name: String,
    /// `S` speciality…
    #[serde(default, rename = "codeTypeSavoirFaire", deserialize_with = "text")]
    pub skill_type: String,
    /// `SM26`…
    #[serde(default, rename = "codeSavoirFaire", deserialize_with = "text")]
    pub skill: String,
    /// Where.
    #[serde(default, rename = "activities", deserialize_with = "list")]
    pub activities: Vec<Activity>,
}

impl fmt::Debug for Exercise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exercise")
            .field("profession", &self.profession)
            .field("activities", &self.activities.len())
            .finish_non_exhaustive()
    }
}

/// One place of practice. The postal and telephone fields of the wire are not kept: nothing needs them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// `L` liberal, `S` salaried, `B` volunteer.
    #[serde(default, rename = "codeModeExercice", deserialize_with = "text")]
    pub mode: String,
    /// `SA01`…
    #[serde(default, rename = "codeSecteurDactivite", deserialize_with = "text")]
    pub sector: String,
    /// Role code.
    #[serde(default, rename = "codeRole", deserialize_with = "text")]
    pub role: String,
    /// SIRET of the place.
    #[serde(default, rename = "numeroSiretSite", deserialize_with = "text")]
    pub siret: String,
    /// SIREN.
    #[serde(default, rename = "numeroSirenSite", deserialize_with = "text")]
    pub siren: String,
    /// FINESS of the place (ET).
    #[serde(default, rename = "numeroFinessSite", deserialize_with = "text")]
    pub finess: String,
    /// FINESS of the legal entity (EJ); the wire writes `etablissement` with a small e.
    #[serde(default, rename = "numeroFinessetablissementJuridique", deserialize_with = "text")]
    pub finess_legal: String,
    /// Technical identifier of the directory.
    #[serde(default, rename = "identifiantTechniqueDeLaStructure", deserialize_with = "text")]
    pub technical_id: String,
    /// Raison sociale.
    #[serde(default, rename = "raisonSocialeSite", deserialize_with = "text")]
    pub name: String,
    /// Former identifier, in the form of Struct_IdNat.
    #[serde(default, rename = "ancienIdentifiantDeLaStructure", deserialize_with = "text")]
    pub former_id: String,
}

/// The most exercises, activities and identifiers read.
const LIST_MAX: usize = 200;

/// `null` is an absent text, and numbers are taken as texts.
fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Text(String),
        Number(serde_json::Number),
        Flag(bool),
    }
    Ok(match Option::<Loose>::deserialize(input)? {
        Some(Loose::Text(text)) => text.trim().to_owned(),
        Some(Loose::Number(number)) => number.to_string(),
        Some(Loose::Flag(flag)) => flag.to_string(),
        None => String::new(),
    })
}

/// One text or several.
fn texts<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Loose>::deserialize(input)? {
        Some(Loose::One(one)) => vec![one],
        Some(Loose::Many(mut many)) => {
            many.truncate(LIST_MAX);
            many
        }
        None => Vec::new(),
    })
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Vec<T>, D::Error> {
    let mut list = Option::<Vec<T>>::deserialize(input)?.unwrap_or_default();
    list.truncate(LIST_MAX);
    Ok(list)
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<UserInfo, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_the_least_that_may_come() {
        let user = read(r#"{"SubjectNameID":"899700218896"}"#).unwrap();
        assert_eq!(user.national_id().as_str(), "899700218896");
        assert!(user.ref_pro.exercises.is_empty() && user.subject_role.is_empty());
    }

    #[test]
    fn reads_absent_values_however_they_are_written() {
        let user = read(
            r#"{"SubjectNameID":"899700218896","given_name":null,"otherIds":null,"SubjectRefPro":null,
                "SubjectRole":"10^1.2.250.1.213.1.1.5.5","SubjectOrganizationID":42,"Secteur_Activite":""}"#,
        )
        .unwrap();
        assert_eq!((user.given_name.as_str(), user.organization_id.as_str()), ("", "42"));
        assert_eq!(user.subject_role, ["10^1.2.250.1.213.1.1.5.5"]);
    }

    #[test]
    fn refuses_what_identifies_nobody() {
        for json in
            ["{}", r#"{"SubjectNameID":""}"#, r#"{"SubjectNameID":"a^b"}"#, r#"{"SubjectNameID":1}"#, "[]", "null"]
        {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn finds_the_rpps_behind_any_identifier() {
        let other = |id: &str, origin: &str| format!(r#"{{"identifiant":"{id}","origine":"{origin}","qualite":1}}"#);
        let cases = [
            ("899700218896", other("899700000017", "RPPS"), "899700218896"),
            ("d2c6b2a4-0000-4000-8000-000000000000", other("899700000017", "RPPS"), "899700000017"),
            ("d2c6b2a4-0000-4000-8000-000000000000", other("99700000017", "RPPS"), "899700000017"),
            (
                "d2c6b2a4-0000-4000-8000-000000000000",
                other("99700000017", "PSI"),
                "d2c6b2a4-0000-4000-8000-000000000000",
            ),
            ("ANS20210107161422", other("ANS20210107161422", "EDIT"), "ANS20210107161422"),
            ("ANS20210107161422", other("12", "RPPS"), "ANS20210107161422"),
        ];
        for (subject, others, expected) in cases {
            let user = read(&format!(r#"{{"SubjectNameID":"{subject}","otherIds":[{others}]}}"#)).unwrap();
            assert_eq!(user.national_id().as_str(), expected, "{subject} {others}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_or_refused_without_panic(text in r#"\{("[a-zA-Z_]{1,12}":("[^"\\]{0,8}"|null|[0-9]{1,3}|\[\]|\{\}),?){0,6}\}"#) {
            let _ = read(&text);
        }
    }
}
