//! The patient: identifiers and traits (CI-SIS, volet Structuration minimale V1.16.8, recordTarget).

use jiff::civil::Date;
use socle_finding::Severity;
use socle_identity::{BirthPlace, InsAuthority, InsError, Matricule, Sex, Traits, consistent_first_given_name};
use socle_xml::roxmltree::Node;

use super::people::telecoms;
use super::read::{folded, identifier, missing, one, rule, text};
use super::{InsCandidate, LocalId, Patient, PatientName, Time};
use crate::document::{child, children, path};
use crate::finding::{Findings, at, missing_in};

/// The arc of the INS; `.2` was the INS-C.
const INS_ARC: &str = "1.2.250.1.213.1.4.";
const INS_C: &str = "1.2.250.1.213.1.4.2";

pub(super) fn patient_of(target: Node<'_, '_>, found: &mut Findings) -> Option<Patient> {
    let role = one(target, "patientRole", "en-tête, patientRole 1..1", found)?;
    let ids = identifiers(role, found);
    let patient = one(role, "patient", "en-tête, patient 1..1", found)?;
    check_forbidden(patient, found);
    let has_ins = ids.as_ref().is_some_and(|(candidates, _)| !candidates.is_empty());
    let name = name_of(patient, has_ins, found);
    let gender = gender_of(patient, has_ins, found);
    let birth_date = birth_date_of(patient, has_ins, found);
    let birth_place = birth_place_of(patient, has_ins, found);
    let (ins_candidates, local_ids) = ids?;
    let name = name?;
    if has_ins && (gender.is_none() || birth_date.is_none() || birth_place.is_none()) {
        return None;
    }
    let traits = traits_of(&name, gender.as_deref(), birth_date, birth_place.as_ref());
    let telecoms = telecoms(role);
    Some(Patient { ins_candidates, local_ids, name, gender, birth_date, birth_place, traits, telecoms })
}

fn traits_of(
    name: &PatientName,
    gender: Option<&str>,
    birth_date: Option<Date>,
    birth_place: Option<&BirthPlace>,
) -> Option<Traits> {
    if name.birth.is_empty() || name.first_given_name.is_empty() {
        return None;
    }
    Some(Traits {
        birth_name: name.birth.clone(),
        given_names: name.given_names.clone(),
        first_given_name: name.first_given_name.clone(),
        sex: gender?.parse::<Sex>().ok()?,
        birth_date: birth_date?,
        birth_place: birth_place.cloned(),
        used_name: name.used.clone(),
        used_given_name: name.used_given_name.clone(),
    })
}

/// INS and local identifiers. None when nothing identifies the patient.
fn identifiers(role: Node<'_, '_>, found: &mut Findings) -> Option<(Vec<InsCandidate>, Vec<LocalId>)> {
    let mut candidates: Vec<InsCandidate> = Vec::new();
    let mut local = Vec::new();
    for (rank, node) in children(role, "id").enumerate() {
        let Some(id) = identifier(node) else {
            not_an_identifier(node, found);
            continue;
        };
        let value = id.extension.unwrap_or_default();
        if let Ok(authority) = id.root.parse::<InsAuthority>() {
            if rank > 0 && candidates.is_empty() {
                ins_not_first(node, found);
            }
            candidates.push(InsCandidate { authority, matricule: value });
        } else if id.root.starts_with(INS_ARC) {
            unknown_ins_oid(node, rank, &id.root, found);
        } else if let (Ok(oid), false) = (id.root.parse(), value.is_empty()) {
            local.push(LocalId { oid, value });
        } else {
            not_local(node, found);
        }
    }
    let differ = candidates.iter().any(|other| other != &candidates[0]);
    if differ {
        found.error(
            rule("en-tête, patientRole/id, un seul INS"),
            at(role),
            text("le document porte deux INS différents", "the document carries two different INS"),
            text("gardez celui du patient", "keep that of the patient"),
        );
        return None;
    }
    if candidates.is_empty() && local.is_empty() {
        missing(role, "id", "en-tête, patientRole/id 1..*", found);
        return None;
    }
    Some((candidates, local))
}

fn ins_not_first(node: Node<'_, '_>, found: &mut Findings) {
    found.warning(
        rule("en-tête, patientRole/id, INS en premier"),
        at(node),
        text("l'INS n'est pas le premier identifiant", "the INS is not the first identifier"),
        text("mettez l'INS en premier", "put the INS first"),
    );
}

/// Form and key of the INS, told apart from the rest: they do not prevent reading, see `Header::ins`.
pub(crate) fn judge_ins(root: Node<'_, '_>, found: &mut Findings) {
    let Some(role) = path(root, &["recordTarget", "patientRole"]) else { return };
    for node in children(role, "id") {
        let Some(id) = identifier(node).filter(|id| id.root.parse::<InsAuthority>().is_ok()) else { continue };
        let (point, message) = match id.extension.unwrap_or_default().parse::<Matricule>() {
            Ok(_) => continue,
            Err(InsError::Shape) => (
                "en-tête, patientRole/id, forme du matricule INS",
                text(
                    "le matricule INS n'a pas la forme de 13 caractères et d'une clé de deux chiffres",
                    "the matricule INS has not the form of 13 characters and a key of two digits",
                ),
            ),
            Err(InsError::Key) => (
                "en-tête, patientRole/id, INS key: 97 − (numéro mod 97)",
                text(
                    "la clé du matricule INS est fausse (97 − numéro modulo 97)",
                    "the key of the matricule INS is wrong (97 − number modulo 97)",
                ),
            ),
        };
        let mend = text("reprenez le matricule rendu par INSi", "take the matricule that INSi gave");
        found.error(rule(point), at(node), message, mend);
    }
}

/// First, such an identifier pretends to be the INS; later, it is only odd.
fn unknown_ins_oid(node: Node<'_, '_>, rank: usize, root: &str, found: &mut Findings) {
    let severity = if rank == 0 && root != INS_C { Severity::Error } else { Severity::Warning };
    let message = if root == INS_C {
        text("l'INS-C est obsolète", "the INS-C is obsolete")
    } else {
        text("l'OID n'est pas un de ceux de l'INS", "the OID is not one of those of the INS")
    };
    found.add(
        severity,
        rule("en-tête, patientRole/id, OID de l'INS"),
        at(node),
        message,
        text(
            "les OID de l'INS sont 1.2.250.1.213.1.4.8, .9, .10 (test) et .11 (démonstration)",
            "the OIDs of the INS are 1.2.250.1.213.1.4.8, .9, .10 (test) and .11 (demonstration)",
        ),
    );
}

fn not_an_identifier(node: Node<'_, '_>, found: &mut Findings) {
    found.error(
        rule("en-tête, patientRole/id 1..*"),
        at(node),
        text("un identifiant du patient n'a pas de root", "an identifier of the patient has no root"),
        text("donnez root et extension, ou retirez l'élément", "give root and extension, or remove the element"),
    );
}

fn not_local(node: Node<'_, '_>, found: &mut Findings) {
    found.warning(
        rule("en-tête, patientRole/id, identifiant local"),
        at(node),
        text(
            "un identifiant local n'est pas un OID et une extension : il n'ira pas dans les métadonnées",
            "a local identifier is not an OID and an extension: it will not be in the metadata",
        ),
        text("donnez root (OID) et extension", "give root (OID) and extension"),
    );
}

fn check_forbidden(patient: Node<'_, '_>, found: &mut Findings) {
    for name in ["religiousAffiliationCode", "raceCode", "ethnicGroupCode"] {
        if let Some(node) = child(patient, name) {
            found.error(
                rule("en-tête, patient, éléments interdits"),
                at(node),
                text("cet élément est interdit en France", "this element is forbidden in France"),
                text("retirez-le", "remove it"),
            );
        }
    }
}

fn name_of(patient: Node<'_, '_>, has_ins: bool, found: &mut Findings) -> Option<PatientName> {
    let point = "en-tête, patient/name 1..*";
    let names: Vec<_> = children(patient, "name").collect();
    let has_birth = |node: &&Node<'_, '_>| children(**node, "family").any(|f| f.attribute("qualifier") == Some("BR"));
    let Some(node) = names.iter().find(has_birth).or_else(|| names.first()).copied() else {
        missing(patient, "name", point, found);
        return None;
    };
    let part = |name: &'static str, qualifier: Option<&'static str>| {
        let wanted = move |n: &Node<'_, '_>| n.attribute("qualifier") == qualifier;
        let parts: Vec<String> = children(node, name).filter(wanted).map(folded).filter(|p| !p.is_empty()).collect();
        parts.join(" ")
    };
    let some = |text: String| if text.is_empty() { None } else { Some(text) };
    let (birth, list) = (part("family", Some("BR")), part("given", None));
    let (first, used) = (part("given", Some("BR")), some(part("family", Some("CL"))));
    let unqualified = part("family", None);
    let used_given_name = some(part("given", Some("CL")));
    if has_ins {
        return qualified_name(node, birth, list, first, found).map(|name| PatientName {
            used,
            used_given_name,
            ..name
        });
    }
    let birth = some(birth).or_else(|| some(unqualified)).or_else(|| used.clone()).unwrap_or_default();
    if birth.is_empty() {
        missing(node, "family", point, found);
        return None;
    }
    Some(PatientName { birth, used, given_names: list, first_given_name: first, used_given_name })
}

/// With an INS, the three names of birth are mandatory.
fn qualified_name(
    node: Node<'_, '_>,
    birth: String,
    given_names: String,
    first_given_name: String,
    found: &mut Findings,
) -> Option<PatientName> {
    for (value, name, point) in [
        (&birth, "family[@qualifier='BR']", "en-tête, patient avec INS, nom de naissance"),
        (&given_names, "given", "en-tête, patient avec INS, liste des prénoms de naissance"),
        (&first_given_name, "given[@qualifier='BR']", "en-tête, patient avec INS, premier prénom de naissance"),
    ] {
        if value.is_empty() {
            missing(node, name, point, found);
        }
    }
    if birth.is_empty() || given_names.is_empty() || first_given_name.is_empty() {
        return None;
    }
    if !consistent_first_given_name(&first_given_name, &given_names) {
        found.warning(
            rule("en-tête, patient avec INS, prénoms cohérents"),
            at(node),
            text(
                "la liste des prénoms ne commence pas par le premier prénom",
                "the list of given names does not start with the first given name",
            ),
            text(
                "donnez la liste entière, dans l'ordre de l'état civil",
                "give the whole list, in the order of civil status",
            ),
        );
    }
    Some(PatientName { birth, given_names, first_given_name, ..PatientName::default() })
}

/// A trait: an error with an INS, since traits go with it; without, a warning.
fn missing_trait(patient: Node<'_, '_>, name: &str, point: &'static str, has_ins: bool, found: &mut Findings) {
    if has_ins {
        missing(patient, name, point, found);
        return;
    }
    found.warning(
        rule(point),
        missing_in(patient, name),
        text("un trait du patient est absent", "a trait of the patient is missing"),
        text("ajoutez-le s'il est connu", "add it if it is known"),
    );
}

fn malformed_trait(node: Node<'_, '_>, point: &'static str, has_ins: bool, found: &mut Findings) {
    let severity = if has_ins { Severity::Error } else { Severity::Warning };
    found.add(
        severity,
        rule(point),
        at(node),
        text("un trait du patient n'a pas la forme attendue", "a trait of the patient is not in the expected form"),
        text("reprenez le trait rendu par INSi", "take the trait that INSi gave"),
    );
}

fn gender_of(patient: Node<'_, '_>, has_ins: bool, found: &mut Findings) -> Option<String> {
    let point = "en-tête, administrativeGenderCode, JDV_J143";
    let Some(node) = child(patient, "administrativeGenderCode") else {
        missing_trait(patient, "administrativeGenderCode", point, has_ins, found);
        return None;
    };
    let code = node.attribute("code").map(str::trim).filter(|code| matches!(*code, "F" | "M" | "UN" | "U"));
    if code.is_none() {
        malformed_trait(node, point, has_ins, found);
    }
    code.map(str::to_owned)
}

fn birth_date_of(patient: Node<'_, '_>, has_ins: bool, found: &mut Findings) -> Option<Date> {
    let point = "en-tête, birthTime";
    let Some(node) = child(patient, "birthTime") else {
        missing_trait(patient, "birthTime", point, has_ins, found);
        return None;
    };
    let time = node.attribute("value").and_then(|value| value.trim().parse::<Time>().ok());
    let date = time.and_then(|time| time.date());
    if date.is_none() {
        malformed_trait(node, point, has_ins, found);
    }
    date
}

fn birth_place_of(patient: Node<'_, '_>, has_ins: bool, found: &mut Findings) -> Option<BirthPlace> {
    let point = "en-tête, birthplace/place/addr/county (COG)";
    let Some(node) = path(patient, &["birthplace", "place", "addr", "county"]) else {
        missing_trait(patient, "birthplace/place/addr/county", point, has_ins, found);
        return None;
    };
    let place = folded(node).parse().ok();
    if place.is_none() {
        malformed_trait(node, point, has_ins, found);
    }
    place
}
