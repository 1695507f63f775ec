use std::fmt;

use socle_identity::{Environment, Finess, IdNatStruct};
use socle_trust::{Actor, ActorId, Role};

use super::{Activity, Exercise, SKILL_OID, SUBJECT_ROLE_OID, UserInfo};

/// A situation of exercise: a profession at a place. Somebody who has several chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// What a user chooses by: `10C/10B0000001`, or `10C/1` when the place has no identifier.
    pub key: String,
    /// TRE_G15.
    pub profession: String,
    /// `C`, `M`, `E`…
    pub category: String,
    /// Savoir-faire, possibly empty.
    pub skill: String,
    /// `L`, `S`, `B`, possibly empty.
    pub mode: String,
    /// `SA01`…, possibly empty.
    pub sector: String,
    /// The structure, when it has an identifier.
    pub structure: Option<IdNatStruct>,
    /// Its label.
    pub structure_name: String,
}

impl Situation {
    fn new(exercise: &Exercise, activity: Option<&Activity>, at: usize) -> Self {
        let structure = activity.and_then(structure_of);
        let place = structure.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
        Self {
            key: match format!("{}{}", exercise.profession, exercise.category) {
                profession if profession.is_empty() => place,
                profession => format!("{profession}/{place}"),
            },
            profession: exercise.profession.clone(),
            category: exercise.category.clone(),
            skill: exercise.skill.clone(),
            mode: activity.map(|activity| activity.mode.clone()).unwrap_or_default(),
            sector: activity.map(|activity| activity.sector.clone()).unwrap_or_default(),
            structure,
            structure_name: activity.map(|activity| activity.name.clone()).unwrap_or_default(),
        }
    }

    fn roles(&self) -> Vec<Role> {
        let role = |code: &str, system: &str| Role { code: code.to_owned(), system: system.to_owned() };
        [(&self.profession, SUBJECT_ROLE_OID), (&self.skill, SKILL_OID)]
            .into_iter()
            .filter(|(code, _)| !code.is_empty())
            .map(|(code, system)| role(code, system))
            .collect()
    }
}

/// Struct_IdNat of a place: FINESS before SIRET, then what the directory itself gives.
fn structure_of(activity: &Activity) -> Option<IdNatStruct> {
    let finess = |text: &str| text.parse::<Finess>().ok().map(|finess| IdNatStruct::from(&finess));
    let numbered = |kind: char, text: &str, digits: usize| {
        let is_number = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| format!("{kind}{text}").parse().ok()).flatten()
    };
    let as_is = |text: &str| text.parse::<IdNatStruct>().ok();
    finess(&activity.finess)
        .or_else(|| numbered('3', &activity.siret, 14))
        .or_else(|| as_is(&activity.former_id))
        .or_else(|| finess(&activity.finess_legal))
        .or_else(|| numbered('2', &activity.siren, 9))
        .or_else(|| as_is(&activity.technical_id))
}

/// A professional whom Pro Santé Connect vouched for, in the environment of that provider.
#[derive(Clone)]
pub struct Professional {
    user: UserInfo,
    environment: Environment,
}

impl Professional {
    /// Made from a UserInfo that came with a verified token; the caller vouches for that.
    #[must_use]
    pub const fn new(user: UserInfo, environment: Environment) -> Self {
        Self { user, environment }
    }

    /// What the provider says.
    #[must_use]
    pub const fn user(&self) -> &UserInfo {
        &self.user
    }

    /// The name to show: that of exercise, else the civil one.
    #[must_use]
    pub fn name(&self) -> String {
        let exercise = self.user.ref_pro.exercises.first();
        let of_exercise = exercise.map(|exercise| join(&exercise.given_name, &exercise.family_name));
        of_exercise
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| join(&self.user.given_name, &self.user.family_name))
    }

    /// All situations, in the provider's order; none for somebody without exercise. Keys are unique.
    #[must_use]
    pub fn situations(&self) -> Vec<Situation> {
        let mut found: Vec<Situation> = Vec::new();
        for exercise in &self.user.ref_pro.exercises {
            let activities: Vec<Option<&Activity>> = match exercise.activities.as_slice() {
                [] => vec![None],
                activities => activities.iter().map(Some).collect(),
            };
            for activity in activities {
                let mut situation = Situation::new(exercise, activity, found.len() + 1);
                if found.iter().any(|other| other.key == situation.key) {
                    situation.key = format!("{}/{}", situation.key, found.len() + 1);
                }
                found.push(situation);
            }
        }
        found
    }

    /// The actor in a situation: the chosen one, or the only one.
    ///
    /// # Errors
    /// [`ActorError`] when there are several and none is chosen, or the chosen one does not exist.
    pub fn actor(&self, chosen: Option<&str>) -> Result<Actor, ActorError> {
        let mut situations = self.situations();
        let situation = match chosen {
            Some(key) => Some(
                situations.into_iter().find(|situation| situation.key == key).ok_or(ActorError::UnknownSituation)?,
            ),
            None if situations.len() > 1 => {
                return Err(ActorError::ChooseSituation(situations.into_iter().map(|s| s.key).collect()));
            }
            None => situations.pop(),
        };
        Ok(Actor {
            id: ActorId::Person(self.user.national_id()),
            name: self.name(),
            roles: situation.as_ref().map_or_else(|| self.declared_roles(), Situation::roles),
            structure: situation.and_then(|situation| situation.structure),
            environment: self.environment,
        })
    }

    /// `SubjectRole`, for somebody without exercise.
    fn declared_roles(&self) -> Vec<Role> {
        let role = |text: &String| {
            let (code, system) = text.split_once('^')?;
            Some(Role { code: code.to_owned(), system: system.to_owned() })
        };
        self.user.subject_role.iter().filter_map(role).collect()
    }
}

fn join(given: &str, family: &str) -> String {
    format!("{given} {family}").trim().to_owned()
}

impl fmt::Debug for Professional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Professional").field("environment", &self.environment).finish_non_exhaustive()
    }
}

/// Why a professional is no actor yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActorError {
    /// Only the person can say in which situation they act.
    #[error("the professional has several situations of exercise; one must be chosen among {}", .0.join(", "))]
    ChooseSituation(Vec<String>),
    /// Not one of theirs.
    #[error("the situation of exercise is not one of the professional's")]
    UnknownSituation,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::persona;
    use crate::wire::user_info;

    fn professional(id: &str) -> Professional {
        let json = user_info(persona(id).unwrap());
        Professional::new(serde_json::from_value(json).unwrap(), Environment::Jumeau)
    }

    #[test]
    fn the_only_situation_needs_no_choice() {
        let actor = professional("marie-martin").actor(None).unwrap();
        assert_eq!(actor.id.as_str(), "899700000017");
        assert_eq!(actor.name, "Marie MARTIN");
        assert_eq!(actor.structure.unwrap().as_str(), "10B0000001");
        let roles: Vec<_> = actor.roles.iter().map(|role| (role.code.as_str(), role.system.as_str())).collect();
        assert_eq!(roles, [("10", SUBJECT_ROLE_OID), ("SM26", SKILL_OID)]);
    }

    #[test]
    fn several_situations_must_be_chosen_from() {
        let alice = professional("alice-lefevre");
        let keys: Vec<_> = alice.situations().into_iter().map(|situation| situation.key).collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(alice.actor(None), Err(ActorError::ChooseSituation(keys.clone())));
        assert_eq!(alice.actor(Some("10C/elsewhere")), Err(ActorError::UnknownSituation));
        for key in &keys {
            assert!(alice.actor(Some(key)).unwrap().structure.is_some(), "{key}");
        }
    }

    #[test]
    fn nobody_is_refused_for_having_no_activity_or_an_odd_identifier() {
        let without = professional("hugo-petit").actor(None).unwrap();
        assert_eq!((without.structure, without.roles[0].code.as_str()), (None, "10"));
        let edit = professional("camille-edit").actor(None).unwrap();
        assert_eq!(edit.id.as_str(), "ANS20261124000001");
        let psi = professional("sacha-psi").actor(None).unwrap();
        assert_eq!(psi.id.as_str(), "899700000066");
        let employee = professional("dan-agent").actor(None).unwrap();
        assert_eq!((employee.id.as_str(), employee.roles.len()), ("30B0000001/AGENT42", 0));
    }

    #[test]
    fn a_place_is_known_by_the_best_identifier_it_has() {
        type Case<'a> = (&'a str, fn(&mut Activity), Option<&'a str>);
        let cases: [Case; 8] = [
            ("nothing", |_| (), None),
            (
                "FINESS first",
                |a| (a.finess, a.siret) = ("690781810".into(), "00000000016972".into()),
                Some("1690781810"),
            ),
            ("SIRET", |a| a.siret = "00000000016972".into(), Some("300000000016972")),
            ("former identifier", |a| a.former_id = "499700000013017".into(), Some("499700000013017")),
            ("legal FINESS", |a| a.finess_legal = "0B0000002".into(), Some("10B0000002")),
            ("SIREN", |a| a.siren = "000000000".into(), Some("2000000000")),
            ("technical", |a| a.technical_id = "R95141".into(), Some("R95141")),
            ("no number at all", |a| a.siret = "inconnu".into(), None),
        ];
        for (name, fill, expected) in cases {
            let mut activity = Activity::default();
            fill(&mut activity);
            assert_eq!(structure_of(&activity).as_ref().map(IdNatStruct::as_str), expected, "{name}");
        }
    }

    #[test]
    fn keys_are_unique_even_for_places_without_identifier() {
        let json = r#"{"SubjectNameID":"899700218896","SubjectRefPro":{"exercices":[{"codeProfession":"10",
            "codeCategorieProfessionnelle":"C","activities":[{},{},{"numeroFinessSite":"690781810"},
            {"numeroFinessSite":"690781810"}]}]}}"#;
        let professional = Professional::new(serde_json::from_str(json).unwrap(), Environment::Jumeau);
        let keys: Vec<_> = professional.situations().into_iter().map(|situation| situation.key).collect();
        assert_eq!(keys, ["10C/1", "10C/2", "10C/1690781810", "10C/1690781810/4"]);
    }
}
