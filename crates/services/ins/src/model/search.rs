use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use socle_identity::{BirthPlace, Doubt, Identity, InsiName, NameError, Sex, Traits, consistent_first_given_name};

/// The given names tried one by one are bounded: the question is asked again for each.
const GIVEN_NAMES_MAX: usize = 10;

/// An identity as INSi can be asked about it: names in its alphabet, sex `M` or `F`, a real date.
///
/// The stored traits keep their accents and their case; this form exists at the boundary only.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchTraits {
    birth_name: InsiName,
    given_names: Vec<InsiName>,
    sex: InsiSex,
    birth_date: Date,
    birth_place: Option<BirthPlace>,
}

impl SearchTraits {
    /// Puts traits in the form of the teleservice (EF_INS01_03, EF_INS10_01, EF_INS10_02).
    ///
    /// # Errors
    /// [`SearchRefused`] names the trait that INSi would not take; nothing is dropped in silence.
    pub fn new(traits: &Traits) -> Result<Self, SearchRefused> {
        Ok(Self {
            birth_name: InsiName::birth_name(&traits.birth_name).map_err(SearchRefused::BirthName)?,
            given_names: given_names(traits)?,
            sex: traits.sex.try_into()?,
            birth_date: traits.birth_date,
            birth_place: traits.birth_place.clone().filter(|place| place.as_str() != "99999"),
        })
    }

    /// As [`Self::new`], for an identity whose status allows to ask.
    ///
    /// # Errors
    /// [`SearchRefused::Doubtful`] when it is doubtful or fictive (RNIV EXI ID 26).
    pub fn of(identity: &Identity) -> Result<Self, SearchRefused> {
        match identity {
            Identity::Provisional { doubt: Some(doubt), .. } => Err(SearchRefused::Doubtful(*doubt)),
            _ => Self::new(identity.traits()),
        }
    }

    /// The first given name, in the alphabet of INSi.
    #[must_use]
    pub fn first_given_name(&self) -> &InsiName {
        &self.given_names[0]
    }

    fn query(&self, given_name: InsiName, birth_place: Option<BirthPlace>) -> Query {
        Query {
            birth_name: self.birth_name.clone(),
            given_name,
            sex: self.sex,
            birth_date: self.birth_date,
            birth_place,
        }
    }

    /// All given names in one element; none when there is but one, or when they pass 100 characters.
    fn together(&self) -> Option<InsiName> {
        if self.given_names.len() < 2 {
            return None;
        }
        let list: Vec<&str> = self.given_names.iter().map(InsiName::as_str).collect();
        InsiName::given_name(&list.join(" ")).ok()
    }
}

impl fmt::Debug for SearchTraits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchTraits(…)")
    }
}

/// The first given name (which may be composed of several words), then the others of the list.
fn given_names(traits: &Traits) -> Result<Vec<InsiName>, SearchRefused> {
    let first = &traits.first_given_name;
    let words: Vec<&str> = traits.given_names.split_whitespace().collect();
    let others: Vec<&str> = if consistent_first_given_name(first, &traits.given_names) {
        words.into_iter().skip(words_of_list_in(first, &traits.given_names)).collect()
    } else {
        words.into_iter().filter(|word| !socle_identity::same_name(word, first)).collect()
    };
    std::iter::once(first.as_str())
        .chain(others)
        .take(GIVEN_NAMES_MAX)
        .enumerate()
        .map(|(at, name)| InsiName::given_name(name).map_err(|error| SearchRefused::GivenName { at: at + 1, error }))
        .collect()
}

/// How many words of `list` the first given name covers: `JEAN-CHRISTOPHE` covers two of `JEAN CHRISTOPHE PIERRE`.
fn words_of_list_in(first: &str, list: &str) -> usize {
    let words: Vec<&str> = list.split_whitespace().collect();
    (1..=words.len()).find(|&n| consistent_first_given_name(first, &words[..n].join(" "))).unwrap_or(0)
}

/// Why INSi may not be asked, or would refuse the question. Never shows a trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchRefused {
    /// DOUT or FICT.
    #[error("the identity is doubtful or fictive; INSi may not be asked (RNIV EXI ID 26)")]
    Doubtful(Doubt),
    /// The birth name is outside the alphabet of INSi.
    #[error("the birth name cannot be sent to INSi: {0} (SEL-MP-043, EF_INS10_01)")]
    BirthName(NameError),
    /// A given name is.
    #[error("given name number {at} cannot be sent to INSi: {error} (SEL-MP-043, EF_INS10_02)")]
    GivenName {
        /// 1 is the first given name.
        at: usize,
        /// What is wrong.
        error: NameError,
    },
    /// INSi knows `M` and `F` alone.
    #[error("the sex is undetermined; INSi takes M or F only")]
    Sex,
}

/// `M` or `F`: INSi knows no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsiSex {
    /// `M`.
    Male,
    /// `F`.
    Female,
}

impl InsiSex {
    /// The letter on the wire.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Male => "M",
            Self::Female => "F",
        }
    }
}

impl TryFrom<Sex> for InsiSex {
    type Error = SearchRefused;

    fn try_from(sex: Sex) -> Result<Self, SearchRefused> {
        match sex {
            Sex::Male => Ok(Self::Male),
            Sex::Female => Ok(Self::Female),
            Sex::Indeterminate => Err(SearchRefused::Sex),
        }
    }
}

/// One question of WS_INS2.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    /// `NomNaissance`.
    pub birth_name: InsiName,
    /// `Prenom`: one given name, or several separated by spaces.
    pub given_name: InsiName,
    /// `Sexe`.
    pub sex: InsiSex,
    /// `DateNaissance`.
    pub birth_date: Date,
    /// `LieuNaissance`, only when nothing else tells homonyms apart.
    pub birth_place: Option<BirthPlace>,
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Query(…)")
    }
}

/// INSi answered, and gave nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// Code 01.
    NotFound,
    /// Code 02.
    Several,
}

/// Which question comes next, given what the last one brought.
///
/// The first given name alone; nobody: each other given name, then all together. Several: all the
/// given names, then the place of birth. The place is not sent before, because the code of a commune
/// changes over the years and a wrong one finds nobody. At most 12 questions (names past the tenth are not asked), and never another date.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchPlan {
    traits: SearchTraits,
    step: Step,
    several_seen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// One given name alone.
    Alone(usize),
    /// All given names, after each alone found nobody.
    Together,
    /// All given names, after this one alone found several people.
    Narrowed(usize),
    /// This given name and the place of birth.
    AloneAndPlace(usize),
    /// All given names and the place of birth.
    TogetherAndPlace,
}

impl SearchPlan {
    /// Starts with the first given name alone.
    #[must_use]
    pub const fn new(traits: SearchTraits) -> Self {
        Self { traits, step: Step::Alone(0), several_seen: false }
    }

    /// The question of this step.
    #[must_use]
    pub fn query(&self) -> Query {
        let traits = &self.traits;
        let all = || traits.together().unwrap_or_else(|| traits.first_given_name().clone());
        match self.step {
            Step::Alone(at) => traits.query(traits.given_names[at].clone(), None),
            Step::Together | Step::Narrowed(_) => traits.query(all(), None),
            Step::AloneAndPlace(at) => traits.query(traits.given_names[at].clone(), traits.birth_place.clone()),
            Step::TogetherAndPlace => traits.query(all(), traits.birth_place.clone()),
        }
    }

    /// The plan after this miss.
    ///
    /// # Errors
    /// When nothing is left to try: the verdict, [`Miss::Several`] as soon as one question found several.
    pub fn after(mut self, miss: Miss) -> Result<Self, Miss> {
        self.several_seen |= miss == Miss::Several;
        match self.next_step(miss) {
            Some(step) => Ok(Self { step, ..self }),
            None if self.several_seen => Err(Miss::Several),
            None => Err(Miss::NotFound),
        }
    }

    fn next_step(&self, miss: Miss) -> Option<Step> {
        let with_place = |step| self.traits.birth_place.as_ref().map(|_| step);
        let has_list = self.traits.together().is_some();
        match (self.step, miss) {
            (Step::Alone(at), Miss::NotFound) if at + 1 < self.traits.given_names.len() => Some(Step::Alone(at + 1)),
            (Step::Alone(_), Miss::NotFound) if has_list => Some(Step::Together),
            (Step::Alone(at), Miss::Several) if has_list => Some(Step::Narrowed(at)),
            // The list held here is not the one of the reference base: the place alone may tell.
            (Step::Alone(at), Miss::Several) | (Step::Narrowed(at), Miss::NotFound) => {
                with_place(Step::AloneAndPlace(at))
            }
            (Step::Together | Step::Narrowed(_), Miss::Several) => with_place(Step::TogetherAndPlace),
            (Step::Alone(_) | Step::Together, Miss::NotFound)
            | (Step::AloneAndPlace(_) | Step::TogetherAndPlace, _) => None,
        }
    }
}

impl fmt::Debug for SearchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchPlan({:?})", self.step)
    }
}

/// On whose behalf INSi is asked: the common name of the organisation's certificate says it, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// No person waits for the answer.
    Auto,
    /// A person asked.
    Manual,
}

impl Caller {
    /// The common name of the certificate; any other is refused by `desir_560`.
    #[must_use]
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::Auto => "INSI-AUTO",
            Self::Manual => "INSI-MANU",
        }
    }
}

impl FromStr for Caller {
    type Err = UnknownCaller;

    fn from_str(common_name: &str) -> Result<Self, UnknownCaller> {
        match common_name {
            "INSI-AUTO" => Ok(Self::Auto),
            "INSI-MANU" => Ok(Self::Manual),
            _ => Err(UnknownCaller),
        }
    }
}

/// The certificate is not one that INSi lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the common name of the certificate is neither INSI-AUTO nor INSI-MANU, INSi would answer desir_560")]
pub struct UnknownCaller;

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn traits(first: &str, list: &str, place: Option<&str>) -> Traits {
        Traits {
            birth_name: "Hôtelier-Œil".into(),
            given_names: list.into(),
            first_given_name: first.into(),
            sex: Sex::Female,
            birth_date: date(1985, 5, 5),
            birth_place: place.map(|place| place.parse().unwrap()),
            used_name: None,
            used_given_name: None,
        }
    }

    /// Plays the misses and returns the given names asked (`+` when with the place), then the verdict.
    fn play(traits: &Traits, misses: &[Miss]) -> (Vec<String>, Option<Miss>) {
        let mut plan = SearchPlan::new(SearchTraits::new(traits).unwrap());
        let mut asked = Vec::new();
        for miss in misses {
            let query = plan.query();
            asked.push(format!("{}{}", query.given_name.as_str(), if query.birth_place.is_some() { "+" } else { "" }));
            plan = match plan.after(*miss) {
                Ok(plan) => plan,
                Err(verdict) => return (asked, Some(verdict)),
            };
        }
        (asked, None)
    }

    #[test]
    fn asks_in_the_published_order_and_stops() {
        use Miss::{NotFound as N, Several as S};
        let three = traits("Ola", "Ola Catarina Bella", Some("63220"));
        let no_place = traits("Ola", "Ola Catarina", None);
        let one = traits("Ola", "", Some("63220"));
        let composed = traits("Jean-Christophe", "Jean Christophe Pierre", None);
        let inconsistent = traits("Ola", "Catarina Ola Bella", None);
        type Case<'a> = (&'a str, &'a Traits, &'a [Miss], &'a [&'a str], Option<Miss>);
        let cases: [Case; 10] = [
            ("nobody at all", &three, &[N, N, N, N], &["OLA", "CATARINA", "BELLA", "OLA CATARINA BELLA"], Some(N)),
            ("several to the end", &three, &[S, S, S], &["OLA", "OLA CATARINA BELLA", "OLA CATARINA BELLA+"], Some(S)),
            ("the list is another", &three, &[S, N, N], &["OLA", "OLA CATARINA BELLA", "OLA+"], Some(S)),
            ("several by the second", &three, &[N, S], &["OLA", "CATARINA"], None),
            (
                "several by all together",
                &three,
                &[N, N, N, S, N],
                &["OLA", "CATARINA", "BELLA", "OLA CATARINA BELLA", "OLA CATARINA BELLA+"],
                Some(S),
            ),
            ("no place known", &no_place, &[S, S], &["OLA", "OLA CATARINA"], Some(S)),
            ("one given name, nobody", &one, &[N], &["OLA"], Some(N)),
            ("one given name, several", &one, &[S, S], &["OLA", "OLA+"], Some(S)),
            (
                "a composed first name stays whole",
                &composed,
                &[N, N, N],
                &["JEAN-CHRISTOPHE", "PIERRE", "JEAN-CHRISTOPHE PIERRE"],
                Some(N),
            ),
            (
                "a first name that is not first",
                &inconsistent,
                &[N, N, N, N],
                &["OLA", "CATARINA", "BELLA", "OLA CATARINA BELLA"],
                Some(N),
            ),
        ];
        for (name, traits, misses, asked, verdict) in cases {
            assert_eq!(play(traits, misses), (asked.iter().map(ToString::to_string).collect(), verdict), "{name}");
        }
    }

    #[test]
    fn every_walk_is_bounded_and_never_changes_the_date() {
        let list: Vec<String> = (0..40).map(|n| format!("NOM{}", "A".repeat(n + 1))).collect();
        let traits = traits("Ola", &format!("OLA {}", list.join(" ")), Some("63220"));
        for pattern in 0u32..4096 {
            let mut plan = SearchPlan::new(SearchTraits::new(&traits).unwrap());
            let mut asked = 0;
            loop {
                asked += 1;
                assert!(asked <= 12, "pattern {pattern:b}");
                assert_eq!(plan.query().birth_date, date(1985, 5, 5));
                let miss = if pattern >> (asked % 12) & 1 == 1 { Miss::Several } else { Miss::NotFound };
                plan = match plan.after(miss) {
                    Ok(plan) => plan,
                    Err(_) => break,
                };
            }
        }
    }

    #[test]
    fn an_unknown_place_is_not_asked_for() {
        let traits = traits("Ola", "", Some("99999"));
        assert_eq!(play(&traits, &[Miss::Several]), (vec!["OLA".into()], Some(Miss::Several)));
    }

    #[test]
    fn refuses_what_insi_would_refuse_and_names_the_trait() {
        let good = traits("Ola", "Ola Catarina", None);
        type Case<'a> = (&'a str, fn(&mut Traits), SearchRefused);
        let cases: [Case; 6] = [
            ("no birth name", |t| t.birth_name.clear(), SearchRefused::BirthName(NameError::Length)),
            (
                "digit in the birth name",
                |t| t.birth_name = "Dupont 2".into(),
                SearchRefused::BirthName(NameError::Sign),
            ),
            (
                "no given name",
                |t| (t.first_given_name, t.given_names) = (String::new(), String::new()),
                SearchRefused::GivenName { at: 1, error: NameError::Length },
            ),
            (
                "comma in the list",
                |t| t.given_names = "Ola Catarina, Bella".into(),
                SearchRefused::GivenName { at: 2, error: NameError::Sign },
            ),
            (
                "double hyphen in a given name",
                |t| t.first_given_name = "Ola--Ba".into(),
                SearchRefused::GivenName { at: 1, error: NameError::DoubleHyphen },
            ),
            ("undetermined sex", |t| t.sex = Sex::Indeterminate, SearchRefused::Sex),
        ];
        for (name, spoil, expected) in cases {
            let mut traits = good.clone();
            spoil(&mut traits);
            assert_eq!(SearchTraits::new(&traits), Err(expected), "{name}");
        }
        let doubtful = Identity::declared(good).doubt(Doubt::Fictive);
        assert_eq!(SearchTraits::of(&doubtful), Err(SearchRefused::Doubtful(Doubt::Fictive)));
    }

    #[test]
    fn nothing_prints_a_person() {
        let traits = SearchTraits::new(&traits("Ola", "Ola", None)).unwrap();
        let plan = SearchPlan::new(traits.clone());
        let shown = format!("{traits:?} {plan:?} {:?}", plan.query());
        assert!(!shown.contains("OLA") && !shown.contains("HOTELIER"), "{shown}");
    }

    #[test]
    fn a_caller_is_the_exact_common_name() {
        for (text, caller) in [("INSI-AUTO", Some(Caller::Auto)), ("INSI-MANU", Some(Caller::Manual))] {
            assert_eq!(text.parse().ok(), caller);
        }
        for text in ["insi-auto", "INSI‑AUTO", "INSI-AUTO ", "INSI_AUTO", ""] {
            assert_eq!(text.parse::<Caller>(), Err(UnknownCaller), "{text}");
        }
    }
}
