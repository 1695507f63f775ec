//! A lettre de liaison à la sortie from a FHIR document: a Bundle with a Composition, its Patient, PractitionerRole (or
//! Practitioner), Organization and Encounter. What FHIR does not say is listed with its place; nothing is made up.
//!
//! | of the letter | in FHIR |
//! |---|---|
//! | id, title, date, confidentiality, replaced document | `Composition.identifier` (`urn:oid:`), `title`, `date`, `confidentiality`, `relatesTo` |
//! | patient (the INS only when qualified), author, signer, custodian | `subject`, `author`, `attester` of mode `legal`, `custodian` |
//! | stay | `Encounter.period`, `class`, `hospitalization.admitSource` and `dischargeDisposition` (SNOMED CT) |
//! | cadre d'exercice, secteur d'activité | a code of JDV_J04 in `Encounter.serviceType`, one of JDV_J02 in the `type` of its `serviceProvider` |
//! | reason | text of the section 42349-1, or `Encounter.reasonCode.text` |
//! | summary, adverse events; search for resistant micro-organisms, transfusion, blood derivatives | Observations of the section 42545-4 with the codes MED-142, MED-143; MED-309, MED-145, MED-147 (1.2.250.1.213.1.1.4.322), value a string or a boolean, `note` for more words |
//! | treatments | MedicationRequest or MedicationStatement of the section 10183-2 |
//! | allergies | AllergyIntolerance of the section 48765-2 |
//! | results, what is to be done | text of the sections 30954-2 and 18776-5, a line each |

use jiff::civil::Date;
use socle_fhir::datatypes::Coding;
use socle_fhir::fr_core::read_patient;
use socle_fhir::mapping::oid_of_system;
use socle_fhir::pdsm::{Party, PartyKind};
use socle_fhir::{Document, Node};
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_xml::{Limits, NodeExt as _};
use uuid::Uuid;

use super::{instant_of, moment_of, professional, structure, subject_of};
use crate::build::model::{
    Act, Allergy, Answer, Confidentiality, DischargeLetter, Dose, Encounter, FollowUp, Head, Stay, Treatment,
};
use crate::code::Code;
use crate::codes;
use crate::finding::{Findings, Refused};

const CI_SIS: &str = "1.2.250.1.213.1.1.4.322";
/// URLs of FHIR that the table of document metadata does not hold.
const SYSTEMS: [(&str, &str); 2] =
    [("http://terminology.hl7.org/CodeSystem/v3-ActCode", "2.16.840.1.113883.5.4"), ("http://www.whocc.no/atc", ATC)];
const ATC: &str = "2.16.840.1.113883.6.73";
const SNOMED_CT: &str = "2.16.840.1.113883.6.96";

/// The plan of a letter.
///
/// # Errors
/// [`Refused`], with all that FHIR does not say and a letter needs, each with its place in FHIRPath.
pub fn discharge_letter(document: &Document) -> Result<DischargeLetter, Refused> {
    let mut source = Source { root: document.root(), found: Findings::default() };
    let plan = source.letter();
    source.found.conclude(plan).map(|checked| checked.value)
}

struct Source<'a> {
    root: Node<'a>,
    found: Findings,
}

impl<'a> Source<'a> {
    fn letter(&mut self) -> Option<DischargeLetter> {
        let resources = || self.root.all("entry").filter_map(|entry| entry.get("resource"));
        let Some(composition) = resources().find(|node| node.resource_type() == Some("Composition")) else {
            self.lacks(self.root, "entry", "le Bundle n'a pas de Composition", "the Bundle has no Composition");
            return None;
        };
        let encounter = self.required(composition, "encounter").and_then(|link| self.follow(link));
        let head = self.head(composition, encounter);
        let stay = self.stay(composition, encounter);
        let reason = self.reason(composition, encounter);
        let treatments = self.each(composition, "10183-2", Self::treatment);
        let allergies = self.each(composition, "48765-2", Self::allergy);
        let follow_up =
            self.lines(composition, "18776-5").into_iter().map(|text| FollowUp { text, on: None }).collect();
        let results = self.lines(composition, "30954-2");
        Some(DischargeLetter { head: head?, reason, stay: stay?, treatments, results, allergies, follow_up })
    }

    fn head(&mut self, composition: Node<'a>, encounter: Option<Node<'a>>) -> Option<Head> {
        let identifier = composition.at(&["identifier", "value"]).and_then(Node::str);
        let written_at = self.required(composition, "date").and_then(|date| instant_of(date, &mut self.found));
        let patient =
            self.required(composition, "subject").and_then(|link| self.follow(link)).and_then(
                |node| match read_patient(node) {
                    Ok(read) => {
                        let subject = subject_of(&read.value);
                        if subject.ins().is_some() && subject.traits.birth_place.is_none() {
                            let (fr, en) = (
                                "le lieu de naissance (patient-birthPlace, code INSEE) manque à une identité qualifiée",
                                "the birth place (patient-birthPlace, INSEE code) of a qualified identity is missing",
                            );
                            self.lacks(node, "extension", fr, en);
                        }
                        Some(subject)
                    }
                    Err(issues) => {
                        self.found.extend(issues.0.into_iter().map(|issue| issue.finding));
                        None
                    }
                },
            );
        let author = match composition.all("author").next() {
            Some(link) => self.professional(link),
            None => {
                self.lacks(composition, "author", "la lettre n'a pas d'auteur", "the letter has no author");
                None
            }
        };
        let legal = composition.all("attester").find(|attester| attester.text("mode") == Some("legal"));
        let signer =
            legal.and_then(|attester| self.required(attester, "party")).and_then(|link| self.professional(link));
        let custodian = composition.get("custodian").and_then(|link| self.follow(link));
        let custodian = custodian.and_then(|node| structure(&party_of(node)));
        let (act, stay) = self.act(encounter?)?;
        let replaces = composition.all("relatesTo").find(|relation| relation.text("code") == Some("replaces"));
        Some(Head {
            id: identifier.and_then(|id| id.strip_prefix("urn:uuid:")?.parse().ok()).unwrap_or_else(Uuid::new_v4),
            oid: identifier.and_then(|id| id.strip_prefix("urn:oid:")).map(str::to_owned),
            set_id: None,
            version: 1,
            replaces: replaces
                .and_then(|relation| relation.at(&["targetIdentifier", "value"])?.str()?.strip_prefix("urn:oid:"))
                .map(str::to_owned),
            title: composition.text("title").map(str::to_owned),
            written_at: written_at?,
            confidentiality: self.confidentiality(composition)?,
            patient: patient?,
            author: author?,
            legal_authenticator: signer,
            custodian,
            recipients: Vec::new(),
            family_doctor: None,
            act,
            encounter: stay,
        })
    }

    fn confidentiality(&mut self, composition: Node<'a>) -> Option<Confidentiality> {
        match composition.text("confidentiality") {
            None | Some("N") => Some(Confidentiality::N),
            Some("R") => Some(Confidentiality::R),
            Some("V") => Some(Confidentiality::V),
            Some(_) => {
                let (fr, en) =
                    ("la confidentialité d'un document est N, R ou V", "a document's confidentiality is N, R or V");
                self.lacks(composition, "confidentiality", fr, en);
                None
            }
        }
    }

    fn act(&mut self, encounter: Node<'a>) -> Option<(Act, Encounter)> {
        let period = self.required(encounter, "period");
        let start = period.and_then(|period| self.required(period, "start"));
        let start = start.and_then(|node| moment_of(node, &mut self.found));
        let stop = period.and_then(|period| self.required(period, "end"));
        let stop = stop.and_then(|node| moment_of(node, &mut self.found));
        let kind = encounter.get("class").and_then(coding_of);
        let kind = kind.filter(|kind| !kind.label.is_empty());
        let practice = concept_in(encounter.get("serviceType"), codes::practice_setting);
        if practice.is_none() {
            let (fr, en) =
                ("le cadre d'exercice (JDV_J04) n'est pas donné", "the practice setting (JDV_J04) is not given");
            self.lacks(encounter, "serviceType", fr, en);
        }
        let provider = self.required(encounter, "serviceProvider").and_then(|link| self.follow(link));
        let facility =
            provider.and_then(|node| node.all("type").find_map(|kind| concept_in(Some(kind), codes::facility)));
        if let (Some(provider), None) = (provider, &facility) {
            let (fr, en) =
                ("le secteur d'activité (JDV_J02) n'est pas donné", "the facility type (JDV_J02) is not given");
            self.lacks(provider, "type", fr, en);
        }
        let act = Act { code: kind.clone(), start: start?, stop: Some(stop?), practice_setting: practice? };
        Some((act, Encounter { kind, start, stop, facility: facility? }))
    }

    fn stay(&mut self, composition: Node<'a>, encounter: Option<Node<'a>>) -> Option<Stay> {
        let hospitalization = encounter.and_then(|encounter| self.required(encounter, "hospitalization"));
        let mut coded = |element| {
            let node = self.required(hospitalization?, element)?;
            let code = node.all("coding").find_map(coding_of);
            if code.is_none() {
                self.lacks(node, "coding", "le code n'a pas de système connu", "the code has no known system");
            }
            code
        };
        let (admission, discharge) = (coded("admitSource"), coded("dischargeDisposition"));
        let summary = self.said(composition, "MED-142", "la synthèse médicale", "the summary");
        let events = self.said(composition, "MED-143", "les évènements indésirables", "the adverse events");
        let search =
            self.answer(composition, "MED-309", "la recherche de BMR", "the search for resistant micro-organisms");
        let transfusion = self.answer(composition, "MED-145", "la transfusion", "the transfusion");
        let derivatives = self.answer(composition, "MED-147", "les dérivés du sang", "the blood derivatives");
        Some(Stay {
            admission: admission?,
            discharge: discharge?,
            summary: summary?,
            adverse_events: events?,
            resistant_search: search?,
            transfusion: transfusion?,
            blood_derivatives: derivatives?,
        })
    }

    fn reason(&mut self, composition: Node<'a>, encounter: Option<Node<'a>>) -> Vec<String> {
        let mut reason = self.lines(composition, "42349-1");
        if reason.is_empty() {
            let codes = encounter.into_iter().flat_map(|encounter| encounter.all("reasonCode"));
            reason.extend(codes.filter_map(|code| code.text("text")).map(str::to_owned));
        }
        if reason.is_empty() {
            let (fr, en) = ("le motif (section 42349-1) n'est pas donné", "the reason (section 42349-1) is not given");
            self.lacks(composition, "section", fr, en);
        }
        reason
    }

    fn observation(&mut self, composition: Node<'a>, code: &str, (fr, en): (&str, &str)) -> Option<Node<'a>> {
        let is_it = |node: &Node<'a>| {
            node.resource_type() == Some("Observation")
                && node.get("code").is_some_and(|concept| {
                    concept
                        .all("coding")
                        .filter_map(coding_of)
                        .any(|known| known.code == code && known.system == CI_SIS)
                })
        };
        let found = self.entries(composition, "42545-4").into_iter().find(is_it);
        if found.is_none() {
            let message =
                (format!("l'Observation {code} manque ({fr})"), format!("the Observation {code} is missing ({en})"));
            self.lacks(composition, "section", message.0, message.1);
        }
        found
    }

    fn said(&mut self, composition: Node<'a>, code: &str, fr: &str, en: &str) -> Option<String> {
        let node = self.observation(composition, code, (fr, en))?;
        self.required(node, "valueString")?.str().map(str::to_owned)
    }

    fn answer(&mut self, composition: Node<'a>, code: &str, fr: &str, en: &str) -> Option<Answer> {
        let node = self.observation(composition, code, (fr, en))?;
        let yes = self.required(node, "valueBoolean")?.bool()?;
        let detail = node.all("note").find_map(|note| note.text("text")).map(str::to_owned);
        Some(Answer { yes, detail })
    }

    fn treatment(&mut self, node: Node<'a>) -> Option<Treatment> {
        let concept = self.required(node, "medicationCodeableConcept")?;
        let atc = concept.all("coding").filter_map(coding_of).find(|code| code.system == ATC);
        let name = concept.text("text").map(str::to_owned).or_else(|| atc.as_ref().map(|atc| atc.label.clone()));
        let name = name.filter(|name| !name.is_empty());
        if name.is_none() {
            self.lacks(concept, "text", "le médicament n'a pas de nom", "the medication has no name");
        }
        let element = if node.resource_type() == Some("MedicationStatement") { "dosage" } else { "dosageInstruction" };
        let dosage = node.all(element).next();
        let posology = dosage.and_then(|dosage| dosage.text("text").or_else(|| dosage.text("patientInstruction")));
        if posology.is_none() {
            self.lacks(node, element, "la posologie n'est pas donnée en clair", "the posology is not given in words");
        }
        let repeat = dosage.and_then(|dosage| dosage.at(&["timing", "repeat"]));
        let bounds = repeat.and_then(|repeat| repeat.get("boundsPeriod")).or_else(|| node.get("effectivePeriod"));
        let dose = dosage.and_then(|dosage| dosage.all("doseAndRate").next()?.get("doseQuantity"));
        Some(Treatment {
            name: name?,
            atc: atc.map(|atc| atc.code),
            posology: posology?.to_owned(),
            from: bounds.and_then(|bounds| day(bounds.get("start")?)),
            until: bounds.and_then(|bounds| day(bounds.get("end")?)),
            every_hours: repeat.and_then(hours),
            dose: dose.and_then(|dose| {
                Some(Dose { value: dose.get("value")?.number()?.to_owned(), unit: dose.text("code")?.to_owned() })
            }),
        })
    }

    fn allergy(&mut self, node: Node<'a>) -> Option<Allergy> {
        let concept = self.required(node, "code")?;
        let text = concept.text("text").map(str::to_owned);
        let text = text.or_else(|| {
            concept.all("coding").filter_map(coding_of).map(|code| code.label).find(|label| !label.is_empty())
        });
        if text.is_none() {
            self.lacks(concept, "text", "l'allergie n'est pas dite en clair", "the allergy is not said in words");
        }
        let (code, label) = kind_of(node);
        let kind = Code::new(code, SNOMED_CT, label);
        Some(Allergy { kind, text: text?, since: node.get("onsetDateTime").and_then(day) })
    }

    /// Who wrote or signed, with the structure of the role, else the custodian.
    fn professional(&mut self, link: Node<'a>) -> Option<crate::build::model::Professional> {
        let node = self.follow(link)?;
        let mut party = party_of(node);
        if node.resource_type() == Some("PractitionerRole") {
            let person = self.required(node, "practitioner").and_then(|link| self.follow(link))?;
            let roles = std::mem::take(&mut party.roles);
            party = party_of(person);
            party.roles.extend(roles);
            let place = node.get("organization").and_then(|link| self.follow(link));
            party.organization = place.map(|node| Box::new(party_of(node)));
        }
        let custodian =
            self.root.all("entry").filter_map(|entry| entry.get("resource")).find_map(|node| {
                (node.resource_type() == Some("Composition")).then(|| node.get("custodian")).flatten()
            });
        let custodian = custodian.and_then(|link| self.follow(link)).map(party_of);
        professional(&party, custodian.as_ref(), &node.path(), &mut self.found)
    }

    /// The sections of a code, at any depth.
    fn sections(composition: Node<'a>, code: &str) -> Vec<Node<'a>> {
        let mut found = Vec::new();
        let mut left: Vec<Node<'a>> = composition.all("section").collect();
        while let Some(section) = left.pop() {
            let is_it = |coding: Coding| coding.system == socle_fhir::mapping::LOINC && coding.code == code;
            if section.get("code").is_some_and(|concept| concept.all("coding").filter_map(Coding::read).any(is_it)) {
                found.push(section);
            }
            left.extend(section.all("section"));
        }
        found
    }

    fn entries(&mut self, composition: Node<'a>, code: &str) -> Vec<Node<'a>> {
        let links: Vec<_> =
            Self::sections(composition, code).into_iter().flat_map(|section| section.all("entry")).collect();
        links.into_iter().filter_map(|link| self.follow(link)).collect()
    }

    fn each<T>(
        &mut self,
        composition: Node<'a>,
        code: &str,
        read: impl Fn(&mut Self, Node<'a>) -> Option<T>,
    ) -> Vec<T> {
        self.entries(composition, code).into_iter().filter_map(|node| read(self, node)).collect()
    }

    /// What people read in a section, a line for each block.
    fn lines(&self, composition: Node<'a>, code: &str) -> Vec<String> {
        let divs =
            Self::sections(composition, code).into_iter().filter_map(|section| section.at(&["text", "div"])?.str());
        divs.flat_map(lines_of).collect()
    }

    fn required(&mut self, node: Node<'a>, element: &str) -> Option<Node<'a>> {
        let found = node.get(element);
        if found.is_none() {
            self.lacks(node, element, format!("{element} manque"), format!("{element} is missing"));
        }
        found
    }

    /// The resource that a reference leads to: contained, or an entry of the Bundle.
    fn follow(&mut self, link: Node<'a>) -> Option<Node<'a>> {
        let reference = link.text("reference").unwrap_or_default();
        let found = match reference.strip_prefix('#') {
            Some(id) => std::iter::successors(link.parent(), |node| node.parent())
                .flat_map(|node| node.all("contained"))
                .find(|node| node.text("id") == Some(id)),
            None => {
                self.root.all("entry").find(|entry| leads_to(reference, *entry)).and_then(|entry| entry.get("resource"))
            }
        };
        if found.is_none() {
            let (fr, en) = (
                "la référence ne mène à aucune ressource du Bundle",
                "the reference leads to no resource of the Bundle",
            );
            self.lacks(link, "reference", fr, en);
        }
        found
    }

    fn lacks(
        &mut self,
        node: Node<'_>,
        element: &str,
        fr: impl Into<std::borrow::Cow<'static, str>>,
        en: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        let place = node.get(element).unwrap_or(node).position();
        self.found.extend([Finding {
            severity: Severity::Error,
            rule: Rule::fixed("CI-SIS LDL-SES 2022.01", "ce qu'une lettre demande à FHIR"),
            at: Location {
                path: format!("{}.{element}", node.path()),
                line: u32::try_from(place.line).ok(),
                column: u32::try_from(place.column).ok(),
            },
            message: Text::new(fr, en),
            mend: Text::fixed("donnez-le dans le Bundle", "give it in the Bundle"),
        }]);
    }
}

fn leads_to(reference: &str, entry: Node<'_>) -> bool {
    if reference.is_empty() {
        return false;
    }
    let full_url = entry.text("fullUrl").unwrap_or_default();
    let own = entry.get("resource").and_then(|node| Some(format!("{}/{}", node.resource_type()?, node.text("id")?)));
    full_url == reference || own.as_deref() == Some(reference) || full_url.ends_with(&format!("/{reference}"))
}

/// A resource as somebody who plays a part.
fn party_of(node: Node<'_>) -> Party {
    let kind =
        if node.resource_type() == Some("Organization") { PartyKind::Organization } else { PartyKind::Practitioner };
    let mut party = Party::new(kind);
    party.identifiers = node.all("identifier").filter_map(socle_fhir::datatypes::Identifier::read).collect();
    if kind == PartyKind::Organization {
        party.name = node.text("name").map(str::to_owned);
        return party;
    }
    if let Some(name) = node.all("name").next() {
        party.name = name.text("family").map(str::to_owned);
        party.given = name.all("given").filter_map(Node::str).map(str::to_owned).collect();
    }
    let concepts = node.all("code").chain(node.all("specialty"));
    let qualified = node.all("qualification").filter_map(|qualification| qualification.get("code"));
    party.roles =
        concepts.chain(qualified).flat_map(|concept| concept.all("coding")).filter_map(Coding::read).collect();
    party
}

fn coding_of(node: Node<'_>) -> Option<Code> {
    let coding = Coding::read(node)?;
    let other = || SYSTEMS.iter().find(|(url, _)| *url == coding.system).map(|(_, oid)| *oid);
    let system = oid_of_system(&coding.system).or_else(other)?;
    Some(Code::new(&*coding.code, system, coding.display.clone().unwrap_or_default()))
}

/// The first code of a concept that a table holds under the same system.
fn concept_in(concept: Option<Node<'_>>, table: fn(&str) -> Option<Code>) -> Option<String> {
    let codes = concept?.all("coding").filter_map(coding_of);
    codes
        .into_iter()
        .find(|code| table(&code.code).is_some_and(|known| known.system == code.system))
        .map(|code| code.code)
}

/// `type` and `category` in the words of the volet's value set (types of allergies and intolerances).
fn kind_of(allergy: Node<'_>) -> (&'static str, &'static str) {
    let category = allergy.all("category").next().and_then(Node::str);
    match (allergy.text("type"), category) {
        (Some("intolerance"), Some("medication")) => {
            ("609398007", "hypersensibilité non allergique à une drogue ou un médicament")
        }
        (Some("intolerance"), Some("food")) => ("735449006", "hypersensibilité non allergique alimentaire"),
        (Some("intolerance"), Some(_)) => ("609397002", "hypersensibilité non allergique à une substance"),
        (Some("intolerance"), None) => ("609396006", "hypersensibilité non allergique"),
        (_, Some("medication")) => ("416098002", "allergie médicamenteuse"),
        (_, Some("food")) => ("414285001", "allergie alimentaire"),
        (_, Some(_)) => ("419199007", "allergie à une substance"),
        (_, None) => ("609328004", "allergie"),
    }
}

/// The day of a date or a moment.
fn day(node: Node<'_>) -> Option<Date> {
    node.str()?.get(..10)?.parse().ok()
}

/// Hours between doses, when they are regular and whole.
fn hours(repeat: Node<'_>) -> Option<u16> {
    let period: u16 = repeat.get("period")?.number()?.parse().ok()?;
    let frequency: u16 = repeat.get("frequency").map_or(Some(1), |node| node.number()?.parse().ok())?;
    let unit = match repeat.text("periodUnit")? {
        "h" => 1,
        "d" => 24,
        "wk" => 168,
        _ => return None,
    };
    let total = period.checked_mul(unit)?;
    (frequency > 0 && total.is_multiple_of(frequency)).then(|| total / frequency).filter(|hours| *hours > 0)
}

/// The blocks of a narrative as people read them: paragraphs, items, rows.
fn lines_of(div: &str) -> Vec<String> {
    let Ok(document) = socle_xml::parse(div, &Limits::ENVELOPE) else { return Vec::new() };
    let is_block = |node: &socle_xml::roxmltree::Node<'_, '_>| {
        matches!(
            node.tag_name().name(),
            "div"
                | "p"
                | "li"
                | "tr"
                | "ul"
                | "ol"
                | "table"
                | "tbody"
                | "thead"
                | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
        )
    };
    let leaves = document
        .descendants()
        .filter(is_block)
        .filter(|node| !node.descendants().skip(1).any(|inner| is_block(&inner)));
    let text = leaves.map(|node| {
        let cells = node.child_elements().filter(|cell| matches!(cell.tag_name().name(), "td" | "th"));
        let cells: Vec<String> = cells.map(|cell| folded(&cell.full_text())).filter(|text| !text.is_empty()).collect();
        if cells.is_empty() { folded(&node.full_text()) } else { cells.join(" : ") }
    });
    text.filter(|line| !line.is_empty()).collect()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
