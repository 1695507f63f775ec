//! The body of the lettre de liaison à la sortie: what people read, and the entries that say the same to
//! machines.
//!
//! Templates are those of the volet LDL-SES 2022.01; every reference of an entry points at a narrative
//! that exists.

use jiff::civil::Date;

use super::model::{Allergy, Answer, DischargeLetter, FollowUp, Treatment};
use super::{ACT_CODE, CI_SIS, LOINC, Page, SNOMED_CT, System};
use crate::code::Code;

const OBSERVATION: &str = "1.3.6.1.4.1.19376.1.5.3.1.4.13";
const FR_OBSERVATION: &str = "1.2.250.1.213.1.1.3.48";
const ATC: System<'static> = System { oid: "2.16.840.1.113883.6.73", name: "ATC" };
const ABSENCE: System<'static> = System { oid: "2.16.840.1.113883.5.1150.1", name: "AbsentAndUnknownDataUvIps" };
const NO_ALLERGY: &str = "Aucune allergie ni hypersensibilité connue.";
const NO_TREATMENT: &str = "Aucun traitement à la sortie.";

/// What a value of an entry is.
enum Value<'v> {
    Text(&'v str),
    Flag(bool),
    Coded(&'v Code),
}

/// A simple observation: its own template, its code, and the narrative it repeats.
struct Fact<'v> {
    template: &'static str,
    code: &'static str,
    label: &'static str,
    reference: &'static str,
    /// The row of the narrative.
    title: &'static str,
    shown: String,
    value: Value<'v>,
}

impl Page<'_> {
    pub(super) fn letter(&mut self, letter: &DischargeLetter) {
        self.w.open("component").open("structuredBody");
        self.status();
        self.reason(letter);
        self.outcome(letter);
        self.discharge_treatments(letter);
        self.results(&letter.results);
        self.allergies(&letter.allergies);
        self.follow_up(&letter.follow_up);
        self.w.close().close();
        self.line();
    }

    fn today(&self) -> Date {
        self.head.written_at.local().date()
    }

    fn open_section(&mut self, templates: &[&str], code: (&str, &str), title: &str) {
        self.line();
        self.w.open("component").open("section");
        self.templates(templates);
        self.fresh_id();
        self.code("code", code.0, LOINC, code.1);
        self.w.leaf("title", title);
    }

    fn close_section(&mut self) {
        self.w.close().close();
    }

    fn status(&mut self) {
        let templates = ["1.2.250.1.213.1.1.2.35", "1.2.250.1.213.1.1.2.35.1"];
        self.open_section(&templates, ("33557-0", "Etat d'achèvement"), "Statut du document");
        self.w.open("text").open("paragraph").text("Document ");
        self.content("statut", "validé");
        self.w.close().close();
        self.w.open("entry");
        self.open_observation(&["1.2.250.1.213.1.1.3.48.16", "1.2.250.1.213.1.1.3.48.16.1"]);
        let approved = Code::new("9571008", SNOMED_CT.oid, "approuvé");
        self.finish_observation("GEN-065", "Statut du document", "statut", &Value::Coded(&approved));
        self.w.close();
        self.close_section();
    }

    fn reason(&mut self, letter: &DischargeLetter) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.1", "1.2.250.1.213.1.1.2.127"];
        self.open_section(&templates, ("42349-1", "Raison de la recommandation"), "Motif de l'hospitalisation");
        self.w.open("text");
        for paragraph in &letter.reason {
            self.w.leaf("paragraph", paragraph);
        }
        self.w.close();
        self.close_section();
    }

    fn outcome(&mut self, letter: &DischargeLetter) {
        let templates = [
            "1.3.6.1.4.1.19376.1.5.3.1.1.21.2.9",
            "1.3.6.1.4.1.19376.1.7.3.1.1.13.7",
            "1.2.250.1.213.1.1.2.163",
            "1.2.250.1.213.1.1.2.163.1",
        ];
        self.open_section(&templates, ("42545-4", "Evènements observés"), "Synthèse médicale du séjour");
        let facts = facts(letter);
        self.w.open("text").open("table").open("tbody");
        for fact in &facts {
            self.w.open("tr").leaf("th", fact.title).open("td");
            self.content(fact.reference, &fact.shown);
            self.w.close().close();
        }
        self.w.close().close().close();
        for fact in &facts {
            self.w.open("entry");
            self.open_observation(&[fact.template]);
            self.finish_observation(fact.code, fact.label, fact.reference, &fact.value);
            self.w.close();
        }
        self.close_section();
    }

    fn content(&mut self, id: &str, text: &str) {
        self.w.open("content").attr("ID", id).text(text).close();
    }

    fn open_observation(&mut self, templates: &[&str]) {
        self.w.open("observation").attr("classCode", "OBS").attr("moodCode", "EVN");
        self.templates(&[OBSERVATION, FR_OBSERVATION]);
        self.templates(templates);
        self.fresh_id();
    }

    fn finish_observation(&mut self, code: &str, label: &str, reference: &str, value: &Value<'_>) {
        self.code("code", code, CI_SIS, label);
        self.reference("text", reference);
        self.w.open("statusCode").attr("code", "completed").close();
        self.value("effectiveTime", &written(self.today()));
        match value {
            Value::Text(text) => {
                self.w.open("value").attr("xsi:type", "ST").text(text);
            }
            Value::Flag(flag) => {
                self.w.open("value").attr("xsi:type", "BL").attr("value", if *flag { "true" } else { "false" });
            }
            Value::Coded(code) => {
                let name = if code.system == SNOMED_CT.oid { SNOMED_CT.name } else { "" };
                self.open_code("value", &code.code, System { oid: &code.system, name }, &code.label);
                self.w.attr("xsi:type", "CD");
            }
        }
        self.w.close().close();
    }

    fn reference(&mut self, element: &'static str, id: &str) {
        self.w.open(element).open("reference").attr("value", &format!("#{id}")).close().close();
    }

    fn discharge_treatments(&mut self, letter: &DischargeLetter) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.22", "1.2.250.1.213.1.1.2.146"];
        self.open_section(&templates, ("10183-2", "Traitements à la sortie"), "Traitements à la sortie");
        if letter.treatments.is_empty() {
            self.w.open("text").open("paragraph");
            self.content("traitement-0", NO_TREATMENT);
            self.w.close().close();
            self.no_treatment();
            self.close_section();
            return;
        }
        self.w.open("text").open("table").open("thead").open("tr");
        self.w.leaf("th", "Médicament").leaf("th", "Posologie").leaf("th", "Jusqu'au").close().close().open("tbody");
        for (rank, treatment) in (1..).zip(&letter.treatments) {
            let until = treatment.until.map(shown).unwrap_or_default();
            self.w.open("tr").open("td");
            self.content(&format!("traitement-{rank}"), &treatment.name);
            self.w.close().leaf("td", &treatment.posology).leaf("td", &until).close();
        }
        self.w.close().close().close();
        for (rank, treatment) in (1..).zip(&letter.treatments) {
            self.treatment(treatment, &format!("traitement-{rank}"));
        }
        self.close_section();
    }

    fn open_treatment(&mut self, kind: &str, reference: &str, code: (&str, System<'_>, &str)) {
        self.w.open("entry").open("substanceAdministration").attr("classCode", "SBADM").attr("moodCode", "INT");
        self.templates(&[
            "1.2.250.1.213.1.1.3.42",
            "2.16.840.1.113883.10.20.1.24",
            "1.3.6.1.4.1.19376.1.5.3.1.4.7",
            kind,
        ]);
        self.fresh_id();
        self.code("code", code.0, code.1, code.2);
        self.reference("text", reference);
        self.w.open("statusCode").attr("code", "completed").close();
    }

    fn treatment(&mut self, treatment: &Treatment, reference: &str) {
        let low = written(treatment.from.unwrap_or_else(|| self.today()));
        self.open_treatment("1.3.6.1.4.1.19376.1.5.3.1.4.7.1", reference, ("DRUG", ACT_CODE, "Médicament"));
        self.w.open("effectiveTime").attr("xsi:type", "IVL_TS");
        self.value("low", &low);
        match treatment.until {
            Some(until) => self.value("high", &written(until)),
            None => self.null("high", "UNK"),
        }
        self.w.close();
        if let Some(hours) = treatment.every_hours {
            self.w.open("effectiveTime").attr("xsi:type", "PIVL_TS").attr("operator", "A");
            self.w.open("period").attr("value", &hours.to_string()).attr("unit", "h").close().close();
        }
        if let Some(dose) = &treatment.dose {
            self.w.open("doseQuantity");
            for bound in ["low", "high"] {
                self.w.open(bound).attr("value", &dose.value).attr("unit", &dose.unit).close();
            }
            self.w.close();
        }
        self.product(treatment, reference);
        self.w.close().close();
    }

    /// Prescribed by its substance: no CIS code, which would name a brand.
    fn product(&mut self, treatment: &Treatment, reference: &str) {
        self.open_product();
        self.w.open("code").attr("nullFlavor", "NA");
        self.reference("originalText", reference);
        if let Some(atc) = &treatment.atc {
            self.code("translation", atc, ATC, &treatment.name);
        }
        self.w.close().open("name").attr("nullFlavor", "NA").close();
        self.w.close().close().close();
    }

    fn open_product(&mut self) {
        self.w.open("consumable").open("manufacturedProduct");
        self.templates(&["1.2.250.1.213.1.1.3.43", "2.16.840.1.113883.10.20.1.53", "1.3.6.1.4.1.19376.1.5.3.1.4.7.2"]);
        self.w.open("manufacturedMaterial");
    }

    fn no_treatment(&mut self) {
        let code = ("no-known-medications", ABSENCE, "Pas de traitement médicamenteux connu");
        self.open_treatment("1.3.6.1.4.1.19376.1.5.3.1.4.7.1", "traitement-0", code);
        self.w.open("effectiveTime").attr("xsi:type", "IVL_TS");
        self.null("low", "NA");
        self.null("high", "NA");
        self.w.close();
        self.open_product();
        self.null("code", "NA");
        self.null("name", "NA");
        self.w.close().close().close();
        self.w.close().close();
    }

    fn results(&mut self, results: &[String]) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.27", "1.2.250.1.213.1.1.2.150"];
        self.open_section(&templates, ("30954-2", "Résultats d'examens"), "Résultats d'examens");
        self.w.open("text");
        if results.is_empty() {
            self.w.leaf("paragraph", "Aucun résultat à signaler.");
        } else {
            self.w.open("list");
            for result in results {
                self.w.leaf("item", result);
            }
            self.w.close();
        }
        self.w.close();
        self.close_section();
    }

    fn allergies(&mut self, allergies: &[Allergy]) {
        let templates = ["2.16.840.1.113883.10.20.1.2", "1.3.6.1.4.1.19376.1.5.3.1.3.13", "1.2.250.1.213.1.1.2.137"];
        let code = ("48765-2", "Allergies et hypersensibilités");
        self.open_section(&templates, code, "Allergies identifiées pendant le séjour");
        self.w.open("text");
        if allergies.is_empty() {
            self.w.open("paragraph");
            self.content("allergies", NO_ALLERGY);
            self.w.close();
        } else {
            self.w.open("list");
            for (rank, allergy) in (1..).zip(allergies) {
                self.w.open("item");
                self.content(&format!("allergie-{rank}"), &allergy.text);
                self.w.close();
            }
            self.w.close();
        }
        self.w.close();
        if allergies.is_empty() {
            let kind = Code::new("416098002", SNOMED_CT.oid, "allergie médicamenteuse");
            self.open_concern("completed", None);
            self.allergy(&kind, "allergies", None);
            self.open_code("value", "no-known-allergies", ABSENCE, "Pas d'allergie/hypersensibilité connue");
            self.close_allergy("allergies");
        }
        for (rank, allergy) in (1..).zip(allergies) {
            let reference = format!("allergie-{rank}");
            self.open_concern("active", Some(allergy.since.unwrap_or_else(|| self.today())));
            self.allergy(&allergy.kind, &reference, allergy.since);
            self.w.open("value").attr("nullFlavor", "UNK");
            self.close_allergy(&reference);
        }
        self.close_section();
    }

    /// The act that follows a concern: active since a day, or closed.
    fn open_concern(&mut self, status: &str, since: Option<Date>) {
        self.w.open("entry").open("act").attr("classCode", "ACT").attr("moodCode", "EVN");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.27",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5.1",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5.3",
            "1.2.250.1.213.1.1.3.40",
        ]);
        self.fresh_id();
        self.null("code", "NA");
        self.w.open("statusCode").attr("code", status).close().open("effectiveTime");
        match since {
            Some(day) => self.value("low", &written(day)),
            None => {
                self.null("low", "NA");
                self.null("high", "NA");
            }
        }
        self.w.close();
        self.w.open("entryRelationship").attr("typeCode", "SUBJ").attr("inversionInd", "false");
    }

    fn allergy(&mut self, kind: &Code, reference: &str, since: Option<Date>) {
        self.w.open("observation").attr("classCode", "OBS").attr("moodCode", "EVN");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.28",
            "2.16.840.1.113883.10.20.1.18",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5",
            "1.3.6.1.4.1.19376.1.5.3.1.4.6",
            "1.2.250.1.213.1.1.3.41",
        ]);
        self.fresh_id();
        let name = if kind.system == SNOMED_CT.oid { SNOMED_CT.name } else { "" };
        self.code("code", &kind.code, System { oid: &kind.system, name }, &kind.label);
        self.reference("text", reference);
        self.w.open("statusCode").attr("code", "completed").close();
        self.w.open("effectiveTime").attr("xsi:type", "IVL_TS");
        match since {
            Some(day) => self.value("low", &written(day)),
            None => self.null("low", "UNK"),
        }
        self.w.close();
    }

    /// The open `value`, then all that is open around it.
    fn close_allergy(&mut self, reference: &str) {
        self.w.attr("xsi:type", "CD");
        self.reference("originalText", reference);
        self.w.close().close().close().close().close();
    }

    fn follow_up(&mut self, follow_up: &[FollowUp]) {
        let templates = ["2.16.840.1.113883.10.20.1.10", "1.3.6.1.4.1.19376.1.5.3.1.3.36", "1.2.250.1.213.1.1.2.158"];
        self.open_section(&templates, ("18776-5", "Plan de soins"), "Suites à donner");
        self.w.open("text");
        if follow_up.is_empty() {
            self.w.leaf("paragraph", "Aucune suite particulière à donner.");
        } else {
            self.w.open("list");
            for (rank, step) in (1..).zip(follow_up) {
                self.w.open("item");
                self.content(&format!("suite-{rank}"), &step.text);
                self.w.close();
            }
            self.w.close();
        }
        self.w.close();
        for (rank, step) in (1..).zip(follow_up) {
            if let Some(day) = step.on {
                self.appointment(step, day, &format!("suite-{rank}"));
            }
        }
        self.close_section();
    }

    fn appointment(&mut self, step: &FollowUp, day: Date, reference: &str) {
        self.w.open("entry").open("observation").attr("classCode", "OBS").attr("moodCode", "INT");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.25",
            "1.3.6.1.4.1.19376.1.5.3.1.1.20.3.1",
            "1.2.250.1.213.1.1.3.27",
        ]);
        self.fresh_id();
        self.code("code", "ORG-064", CI_SIS, "Demande d'examen ou de suivi");
        self.reference("text", reference);
        self.w.open("statusCode").attr("code", "active").close();
        self.value("effectiveTime", &written(day));
        self.w.open("value").attr("xsi:type", "ST").text(&step.text).close();
        self.w.close().close();
    }
}

/// The entries of the stay, in the order of the volet.
fn facts(letter: &DischargeLetter) -> [Fact<'_>; 7] {
    let stay = &letter.stay;
    let (start, stop) = (letter.head.act.start, letter.head.act.stop.unwrap_or(letter.head.written_at));
    let dated = |time: crate::Time, code: &Code| format!("{}, {}", shown(time.local().date()), code.label);
    [
        Fact {
            template: "1.2.250.1.213.1.1.3.48.6",
            code: "ORG-070",
            label: "Modalité d'entrée",
            reference: "entree",
            title: "Entrée",
            shown: dated(start, &stay.admission),
            value: Value::Coded(&stay.admission),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.7",
            code: "ORG-074",
            label: "Modalité de sortie",
            reference: "sortie",
            title: "Sortie",
            shown: dated(stop, &stay.discharge),
            value: Value::Coded(&stay.discharge),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.9",
            code: "MED-142",
            label: "Synthèse médicale",
            reference: "synthese",
            title: "Synthèse",
            shown: stay.summary.clone(),
            value: Value::Text(&stay.summary),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.3",
            code: "MED-143",
            label: "Evènements indésirables survenus pendant l'hospitalisation",
            reference: "evenements",
            title: "Évènements indésirables",
            shown: stay.adverse_events.clone(),
            value: Value::Text(&stay.adverse_events),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.8",
            code: "MED-309",
            label: "Recherche de microorganismes multi-résistants ou émergents effectuée",
            reference: "recherche",
            title: "Recherche de micro-organismes multirésistants",
            shown: said(&stay.resistant_search),
            value: Value::Flag(stay.resistant_search.yes),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.10",
            code: "MED-145",
            label: "Transfusion de produits sanguins",
            reference: "transfusion",
            title: "Transfusion de produits sanguins",
            shown: said(&stay.transfusion),
            value: Value::Flag(stay.transfusion.yes),
        },
        Fact {
            template: "1.2.250.1.213.1.1.3.48.2",
            code: "MED-147",
            label: "Administration de dérivés du sang",
            reference: "derives",
            title: "Administration de dérivés du sang",
            shown: said(&stay.blood_derivatives),
            value: Value::Flag(stay.blood_derivatives.yes),
        },
    ]
}

fn said(answer: &Answer) -> String {
    let word = if answer.yes { "Oui" } else { "Non" };
    answer.detail.as_ref().map_or_else(|| word.to_owned(), |detail| format!("{word}, {detail}"))
}

/// A date as people write it.
fn shown(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// A date as CDA writes it.
fn written(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}
