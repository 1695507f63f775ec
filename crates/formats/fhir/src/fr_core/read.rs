//! A Patient read: name, gender, birth date and place, identifiers, reliability; each says all that is
//! wrong with it.

use jiff::civil::Date;
use socle_finding::{Rule, Text};
use socle_identity::{
    BirthPlace, Doubt, Ins, InsAuthority, InsError, Sex, Status, Traits, consistent_first_given_name,
};

use super::codes::{self, Said};
use super::{DeclaredEvidence, DeclaredPatient, LocalIdentifier, LocalKind};
use crate::outcome::{Issue, IssueType, Issues, Reading};
use crate::tape::Node;

/// Reads a Patient of FR Core, of any edition.
///
/// Demanded: one official name with its family name and a given name, a gender, a whole birth date.
///
/// # Errors
/// All that is wrong: a demanded trait that is absent, an INS with a wrong key, two active INS, DOUT or
/// FICT beside a status that they forbid…
pub fn read_patient(node: Node<'_>) -> Reading<DeclaredPatient> {
    let mut reader = Reader { patient: node, issues: Issues::default() };
    let value = reader.read();
    reader.issues.with(value)
}

/// Is this Patient nothing but identifiers?
#[must_use]
pub fn has_no_trait(node: Node<'_>) -> bool {
    ["name", "gender", "birthDate"].into_iter().all(|name| node.get(name).is_none())
}

struct Reader<'a> {
    patient: Node<'a>,
    issues: Issues,
}

struct Names {
    birth_name: String,
    first_given_name: String,
    given_names: String,
}

#[derive(Default)]
struct Reliability {
    status: Option<Status>,
    doubt: Option<Doubt>,
    evidence: Option<DeclaredEvidence>,
    method: Option<String>,
    asked_insi_on: Option<Date>,
}

#[derive(Default)]
struct Identifiers {
    ins: Option<Ins>,
    former_ins: Vec<Ins>,
    local: Vec<LocalIdentifier>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Option<DeclaredPatient> {
        if self.patient.resource_type() != Some("Patient") {
            self.issues.push(not_a_patient().at(self.patient));
            return None;
        }
        let names = self.names();
        let used = self.patient.all("name").find(|name| name.text("use") == Some("usual"));
        let (sex, birth_date, birth_place) = (self.sex(), self.birth_date(), self.birth_place());
        let identifiers = self.identifiers();
        let reliability = self.reliability(identifiers.ins.is_some());
        let Names { birth_name, first_given_name, given_names } = names?;
        let traits = Traits {
            birth_name,
            given_names,
            first_given_name,
            sex: sex?,
            birth_date: birth_date?,
            birth_place,
            used_name: used.and_then(|name| name.text("family")).map(str::to_owned),
            used_given_name: used.and_then(|name| name.all("given").find_map(Node::str)).map(str::to_owned),
        };
        let Identifiers { ins, former_ins, local } = identifiers;
        let Reliability { status, doubt, evidence, method, asked_insi_on } = reliability;
        Some(DeclaredPatient { traits, ins, former_ins, status, doubt, evidence, method, asked_insi_on, local })
    }

    /// The birth name is the official one; a name without `use` may be any.
    fn names(&mut self) -> Option<Names> {
        let official: Vec<_> = self.patient.all("name").filter(|name| name.text("use") == Some("official")).collect();
        let name = match official[..] {
            [name] => name,
            [] => {
                self.issues.push(no_official_name().missing_in(self.patient, "name"));
                return None;
            }
            [_, second, ..] => {
                self.issues.push(several_official_names().at(second));
                return None;
            }
        };
        let family = name.text("family").map(str::trim).filter(|family| !family.is_empty());
        if family.is_none() {
            self.issues.push(missing("family", "le nom de naissance", "the birth name").missing_in(name, "family"));
        }
        let given: Vec<&str> =
            name.all("given").filter_map(Node::str).map(str::trim).filter(|g| !g.is_empty()).collect();
        let Some(first) = given.first() else {
            let issue = missing("given", "le premier prénom de naissance", "the first birth given name");
            self.issues.push(issue.missing_in(name, "given"));
            return None;
        };
        let list = extension(name, codes::GIVEN_NAMES).and_then(|list| list.text("valueString")).map(str::trim);
        if let Some(list) = list
            && !consistent_first_given_name(first, list)
        {
            self.issues.push(inconsistent_given_names().at(name));
        }
        Some(Names {
            birth_name: family?.to_owned(),
            first_given_name: (*first).to_owned(),
            given_names: list.map_or_else(|| given.join(" "), str::to_owned),
        })
    }

    fn sex(&mut self) -> Option<Sex> {
        let Some(gender) = self.patient.get("gender") else {
            self.issues.push(missing("gender", "le sexe", "the sex").missing_in(self.patient, "gender"));
            return None;
        };
        match gender.str() {
            Some("male") => Some(Sex::Male),
            Some("female") => Some(Sex::Female),
            Some("unknown" | "other") => Some(Sex::Indeterminate),
            _ => {
                self.issues.push(unknown_gender().at(gender));
                None
            }
        }
    }

    fn birth_date(&mut self) -> Option<Date> {
        let Some(date) = self.patient.get("birthDate") else {
            let issue = missing("birthDate", "la date de naissance", "the date of birth");
            self.issues.push(issue.missing_in(self.patient, "birthDate"));
            return None;
        };
        let day = whole_date(date);
        if day.is_none() {
            self.issues.push(incomplete_birth_date().at(date));
        }
        day
    }

    fn birth_place(&mut self) -> Option<BirthPlace> {
        let address = extension(self.patient, codes::BIRTH_PLACE)?.get("valueAddress")?;
        let code = extension(address, codes::INSEE_CODE)?.get("valueCoding")?.get("code")?;
        let place = code.str().and_then(|code| code.parse().ok());
        if place.is_none() {
            self.issues.push(bad_birth_place().at(code));
        }
        place
    }

    fn identifiers(&mut self) -> Identifiers {
        let mut found = Identifiers::default();
        for node in self.patient.all("identifier") {
            match identifier_type(node) {
                Some(kind @ ("PI" | "RRI")) => found.local.extend(local(node, kind)),
                // The insured person's number looks like an INS and is none (FR Core, slice NSS).
                Some("NH" | "INS-C" | "NDP") => {}
                kind => self.ins_or_other(node, kind, &mut found),
            }
        }
        found
    }

    fn ins_or_other(&mut self, node: Node<'a>, kind: Option<&str>, found: &mut Identifiers) {
        let authority: Option<InsAuthority> = node.text("system").and_then(|system| system.parse().ok());
        let is_said_ins = kind.is_some_and(|kind| kind.starts_with("INS-"));
        match authority {
            Some(authority) if kind == Some(authority.type_code()) => self.ins(node, authority, found),
            Some(_) if kind.is_none() => self.issues.push(untyped_ins().at(node)),
            _ if is_said_ins => self.issues.push(type_and_system_differ().at(node)),
            Some(_) => self.issues.push(type_and_system_differ().at(node)),
            None if kind.is_none() => found.local.extend(local(node, "")),
            None => {}
        }
    }

    fn ins(&mut self, node: Node<'_>, authority: InsAuthority, found: &mut Identifiers) {
        let Some(value) = node.get("value") else {
            self.issues.push(missing("value", "le matricule INS", "the matricule INS").missing_in(node, "value"));
            return;
        };
        let matricule = match value.str().unwrap_or_default().parse() {
            Ok(matricule) => matricule,
            Err(error) => {
                self.issues.push(bad_matricule(error).at(value));
                return;
            }
        };
        let ins = Ins { matricule, authority };
        match (node.text("use"), &found.ins) {
            (Some("old"), _) => found.former_ins.push(ins),
            (None | Some("official" | "temp"), None) => found.ins = Some(ins),
            (None | Some("official" | "temp"), Some(known)) if *known == ins => {}
            (None | Some("official" | "temp"), Some(_)) => self.issues.push(several_ins().at(node)),
            _ => self.issues.push(bad_ins_use().at(node)),
        }
    }

    fn reliability(&mut self, has_ins: bool) -> Reliability {
        let mut found = Reliability::default();
        for node in self.patient.all("extension").filter(|ext| ext.text("url") == Some(codes::RELIABILITY)) {
            self.statuses(node, has_ins, &mut found);
            self.evidence(node, &mut found);
            let method = extension(node, "methodCollection").and_then(|ext| ext.at(&["valueCoding", "code"]));
            found.method = found.method.or_else(|| method.and_then(Node::str).map(str::to_owned));
            for name in ["dateInterrogationINSi", "dateCollection"] {
                found.asked_insi_on = found.asked_insi_on.or_else(|| self.date_of(node, name));
            }
        }
        self.settle_doubt(&mut found);
        found
    }

    fn statuses(&mut self, node: Node<'_>, has_ins: bool, found: &mut Reliability) {
        for sub in node.all("extension").filter(|sub| matches!(sub.text("url"), Some("identityStatus" | "comment"))) {
            for coding in codings(sub) {
                let code = coding.text("code").unwrap_or_default();
                match codes::said(coding.text("system"), code, has_ins) {
                    Some(Said::Status(status)) => self.keep_status(status, coding, found),
                    Some(Said::Doubt(doubt)) => self.keep_doubt(doubt, coding, found),
                    Some(Said::Nothing) => {}
                    None => self.issues.push(unknown_status().at(coding)),
                }
            }
        }
    }

    fn keep_status(&mut self, status: Status, node: Node<'_>, found: &mut Reliability) {
        if found.status.is_some_and(|known| known != status) {
            self.issues.push(several_statuses().at(node));
        }
        found.status = Some(status);
    }

    fn keep_doubt(&mut self, doubt: Doubt, node: Node<'_>, found: &mut Reliability) {
        if found.doubt.is_some_and(|known| known != doubt) {
            self.issues.push(both_doubts().at(node));
        }
        found.doubt = Some(doubt);
    }

    /// DOUT and FICT allow PROV alone, and say it when nothing else does.
    fn settle_doubt(&mut self, found: &mut Reliability) {
        if found.doubt.is_none() {
            return;
        }
        match found.status {
            None => found.status = Some(Status::Provisional),
            Some(Status::Provisional) => {}
            Some(_) => self.issues.push(doubt_beside_status().at(self.patient)),
        }
    }

    fn evidence(&mut self, node: Node<'_>, found: &mut Reliability) {
        let Some(mode) = extension(node, "validationMode").and_then(|ext| ext.at(&["valueCoding", "code"])) else {
            return;
        };
        let code = mode.str().unwrap_or_default();
        let Some(device) = codes::device_of(code) else {
            let issue = if codes::is_lesser_paper(code) { lesser_paper() } else { unknown_device() };
            self.issues.push(issue.at(mode));
            return;
        };
        let Some(checked_on) = self.date_of(node, "validationDate") else {
            self.issues.push(undated_check().at(mode));
            return;
        };
        let evidence = DeclaredEvidence { device, checked_on };
        if found.evidence.is_none_or(|known| known.checked_on < checked_on) {
            found.evidence = Some(evidence);
        }
    }

    fn date_of(&mut self, node: Node<'_>, name: &str) -> Option<Date> {
        let value = extension(node, name)?.get("valueDate")?;
        let date = whole_date(value);
        if date.is_none() {
            self.issues.push(bad_date().at(value));
        }
        date
    }
}

fn extension<'a>(node: Node<'a>, url: &str) -> Option<Node<'a>> {
    node.all("extension").find(|ext| ext.text("url") == Some(url))
}

/// `valueCoding`, or the codings of `valueCodeableConcept`.
fn codings(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let concept = node.get("valueCodeableConcept").map(|concept| concept.all("coding"));
    node.get("valueCoding").into_iter().chain(concept.into_iter().flatten())
}

fn identifier_type(node: Node<'_>) -> Option<&str> {
    node.get("type")?.all("coding").find_map(|coding| coding.text("code"))
}

fn local(node: Node<'_>, kind: &str) -> Option<LocalIdentifier> {
    let kind = match (kind, node.text("use")) {
        ("PI", Some("old")) => LocalKind::PiOld,
        ("PI", _) => LocalKind::Pi,
        ("RRI", _) => LocalKind::Rri,
        _ => LocalKind::Untyped,
    };
    Some(LocalIdentifier { system: node.text("system")?.to_owned(), value: node.text("value")?.to_owned(), kind })
}

fn whole_date(node: Node<'_>) -> Option<Date> {
    node.str().filter(|text| text.len() == 10).and_then(|text| text.parse().ok())
}

const PATIENT: &str = "FR Core, fr-core-patient";
const PATIENT_INS: &str = "FR Core, fr-core-patient-ins";
const RELIABILITY: &str = "FR Core, fr-core-identity-reliability";
const RNIV: &str = "RNIV v2.0";

fn not_a_patient() -> Issue {
    Issue::error(
        IssueType::Structure,
        Rule::fixed(PATIENT, "resourceType"),
        Text::fixed("une ressource Patient est attendue ici", "a Patient is expected here"),
        Text::fixed("envoyez un Patient", "send a Patient"),
    )
}

fn missing(element: &'static str, fr: &str, en: &str) -> Issue {
    Issue::error(
        IssueType::Required,
        Rule::fixed(PATIENT_INS, element),
        Text::new(format!("{fr} manque"), format!("{en} is missing")),
        Text::new(format!("renseignez {element}"), format!("fill in {element}")),
    )
}

fn no_official_name() -> Issue {
    Issue::error(
        IssueType::Required,
        Rule::fixed(PATIENT_INS, "name[official]"),
        Text::fixed("aucun nom n'est désigné comme nom de naissance", "no name is said to be the birth name"),
        Text::fixed(
            "écrivez le nom de naissance avec use = official, le nom utilisé avec use = usual",
            "write the birth name with use = official, the used name with use = usual",
        ),
    )
}

fn several_official_names() -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed(PATIENT_INS, "name[official]"),
        Text::fixed("plusieurs noms de naissance sont donnés", "several birth names are given"),
        Text::fixed("gardez un seul nom avec use = official", "keep one name with use = official"),
    )
}

fn inconsistent_given_names() -> Issue {
    Issue::warning(
        IssueType::Invariant,
        Rule::fixed(RNIV, "EXI SI 29"),
        Text::fixed(
            "le premier prénom n'est pas le début de la liste des prénoms",
            "the first given name is not the beginning of the list of given names",
        ),
        Text::fixed("vérifiez given et birth-list-given-name", "check given and birth-list-given-name"),
    )
}

fn unknown_gender() -> Issue {
    Issue::error(
        IssueType::CodeInvalid,
        Rule::fixed(PATIENT, "gender"),
        Text::fixed("ce code de sexe est inconnu", "this code of gender is unknown"),
        Text::fixed("écrivez male, female ou unknown", "write male, female or unknown"),
    )
}

fn incomplete_birth_date() -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed(RNIV, "EXI PP 19"),
        Text::fixed("la date de naissance n'est pas une date complète", "the date of birth is not a whole date"),
        Text::fixed(
            "écrivez AAAA-MM-JJ ; jour inconnu : le premier du mois, mois inconnu : janvier, les deux : 31 décembre",
            "write YYYY-MM-DD; unknown day: the first of the month, unknown month: January, both: 31 December",
        ),
    )
}

fn bad_birth_place() -> Issue {
    Issue::error(
        IssueType::CodeInvalid,
        Rule::fixed("FR Core, fr-core-address-insee-code", "valueCoding.code"),
        Text::fixed(
            "le lieu de naissance n'est pas un code officiel géographique",
            "the place of birth is no code officiel géographique",
        ),
        Text::fixed(
            "écrivez les cinq caractères du COG (99xxx pour un pays)",
            "write the five characters of the COG (99xxx for a country)",
        ),
    )
}

fn untyped_ins() -> Issue {
    Issue::warning(
        IssueType::Incomplete,
        Rule::fixed(PATIENT_INS, "identifier.type"),
        Text::fixed(
            "rien ne dit si cet identifiant est un INS ou un numéro d'assuré : il n'est pas lu comme INS",
            "nothing says whether this identifier is an INS or the number of an insured person: it is not read as INS",
        ),
        Text::fixed("ajoutez le type INS-NIR, INS-NIA ou NH", "add the type INS-NIR, INS-NIA or NH"),
    )
}

fn type_and_system_differ() -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed(PATIENT_INS, "identifier.system"),
        Text::fixed(
            "le type et le système de cet identifiant ne désignent pas la même autorité",
            "type and system of this identifier do not name the same authority",
        ),
        Text::fixed(
            "INS-NIR va avec 1.2.250.1.213.1.4.8, INS-NIA avec .9, INS-NIR-TEST avec .10, INS-NIR-DEMO avec .11",
            "INS-NIR goes with 1.2.250.1.213.1.4.8, INS-NIA with .9, INS-NIR-TEST with .10, INS-NIR-DEMO with .11",
        ),
    )
}

fn bad_matricule(error: InsError) -> Issue {
    let (fr, en) = match error {
        InsError::Shape => {
            ("le matricule INS n'a pas la forme attendue", "the matricule INS has not the expected form")
        }
        InsError::Key => ("la clé du matricule INS est fausse", "the key of the matricule INS is wrong"),
    };
    Issue::error(
        IssueType::Value,
        Rule::fixed("INS", "matricule et clé"),
        Text::fixed(fr, en),
        Text::fixed(
            "recopiez les 15 caractères depuis INSi, ou retirez l'INS",
            "copy the 15 characters from INSi, or remove the INS",
        ),
    )
}

fn several_ins() -> Issue {
    Issue::error(
        IssueType::MultipleMatches,
        Rule::fixed(PATIENT_INS, "fr-core-2"),
        Text::fixed("plusieurs INS actifs sont donnés", "several active INS are given"),
        Text::fixed(
            "gardez l'INS en cours, les anciens avec use = old",
            "keep the current INS, the former ones with use = old",
        ),
    )
}

fn bad_ins_use() -> Issue {
    Issue::error(
        IssueType::CodeInvalid,
        Rule::fixed(PATIENT_INS, "identifier.use"),
        Text::fixed("ce use n'est pas celui d'un INS", "this use is not that of an INS"),
        Text::fixed("écrivez official (ou temp pour un NIA), ou old", "write official (or temp for a NIA), or old"),
    )
}

fn unknown_status() -> Issue {
    Issue::warning(
        IssueType::CodeInvalid,
        Rule::fixed(RELIABILITY, "identityStatus"),
        Text::fixed(
            "ce statut d'identité est inconnu : il n'est pas lu",
            "this identity status is unknown: it is not read",
        ),
        Text::fixed("écrivez PROV, RECUP, VALI ou QUAL", "write PROV, RECUP, VALI or QUAL"),
    )
}

fn several_statuses() -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed(RNIV, "EXI SI 07"),
        Text::fixed("deux statuts d'identité sont donnés", "two identity statuses are given"),
        Text::fixed("gardez-en un", "keep one of them"),
    )
}

fn both_doubts() -> Issue {
    Issue::error(
        IssueType::Invariant,
        Rule::fixed(RNIV, "EXI SI 09"),
        Text::fixed(
            "une identité ne peut être à la fois douteuse et fictive",
            "an identity cannot be both doubtful and fictive",
        ),
        Text::fixed("gardez DOUT ou FICT", "keep DOUT or FICT"),
    )
}

fn doubt_beside_status() -> Issue {
    Issue::error(
        IssueType::Invariant,
        Rule::fixed(RNIV, "EXI SI 09"),
        Text::fixed(
            "une identité douteuse ou fictive ne peut avoir que le statut provisoire",
            "a doubtful or fictive identity can only have the provisional status",
        ),
        Text::fixed("levez le doute, ou écrivez PROV", "settle the doubt, or write PROV"),
    )
}

fn unknown_device() -> Issue {
    Issue::warning(
        IssueType::CodeInvalid,
        Rule::fixed(RELIABILITY, "validationMode"),
        Text::fixed(
            "ce code ne désigne aucune pièce d'identité connue : rien n'est retenu comme preuve",
            "this code names no known identity paper: nothing is taken for evidence",
        ),
        Text::fixed(
            "écrivez CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC ou ANCV",
            "write CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC or ANCV",
        ),
    )
}

fn lesser_paper() -> Issue {
    Issue::warning(
        IssueType::BusinessRule,
        Rule::fixed(RNIV, "dispositifs à haut niveau de confiance"),
        Text::fixed(
            "cette pièce n'est pas, à elle seule, un dispositif à haut niveau de confiance : rien n'est retenu comme preuve",
            "this paper alone is no device of high confidence: nothing is taken for evidence",
        ),
        Text::fixed(
            "contrôlez une pièce de la liste du RNIV ; livret de famille : dites LEP ou LECV",
            "check a paper of RNIV's list; livret de famille: say LEP or LECV",
        ),
    )
}

fn undated_check() -> Issue {
    Issue::warning(
        IssueType::Incomplete,
        Rule::fixed(RELIABILITY, "validationDate"),
        Text::fixed(
            "le contrôle de la pièce d'identité n'est pas daté : rien n'est retenu comme preuve",
            "the check of the identity paper has no date: nothing is taken for evidence",
        ),
        Text::fixed("ajoutez validationDate", "add validationDate"),
    )
}

fn bad_date() -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed("FHIR R4", "2.24.0.1 (date)"),
        Text::fixed("ce n'est pas une date complète", "this is not a whole date"),
        Text::fixed("écrivez AAAA-MM-JJ", "write YYYY-MM-DD"),
    )
}
