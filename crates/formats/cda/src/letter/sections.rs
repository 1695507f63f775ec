//! The sections of the letter: what people read, and the entries that say the same to machines.
//!
//! Templates are those of the volet LDL-SES 2022.01; every reference of an entry points at a narrative
//! that exists.

use super::{ACT_CODE, CI_SIS, LOINC, Page, SNOMED_CT, System, shown, written};

const OBSERVATION: &str = "1.3.6.1.4.1.19376.1.5.3.1.4.13";
const FR_OBSERVATION: &str = "1.2.250.1.213.1.1.3.48";
const ATC: System = System { oid: "2.16.840.1.113883.6.73", name: "ATC" };
const ABSENCE: System = System { oid: "2.16.840.1.113883.5.1150.1", name: "AbsentAndUnknownDataUvIps" };

const SUMMARY: &str = "Pyélonéphrite aiguë droite, sans signe de gravité, documentée à Escherichia coli sensible. \
    Apyrexie obtenue en 48 heures sous ceftriaxone intraveineuse, relais par voie orale le quatrième jour. \
    Échographie rénale sans dilatation ni abcès. Retour au domicile en bon état général.";

/// What a value of an entry is.
enum Value {
    Text(&'static str),
    Flag(bool),
    Coded(&'static str, System, &'static str),
}

/// A simple observation: its own template, its code, and the narrative it repeats.
struct Fact {
    template: &'static str,
    code: &'static str,
    label: &'static str,
    reference: &'static str,
    value: Value,
}

/// The entries of the stay, in the order of the volet.
const FACTS: [Fact; 7] = [
    Fact {
        template: "1.2.250.1.213.1.1.3.48.6",
        code: "ORG-070",
        label: "Modalité d'entrée",
        reference: "entree",
        value: Value::Coded("183452005", SNOMED_CT, "hospitalisation en urgence"),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.7",
        code: "ORG-074",
        label: "Modalité de sortie",
        reference: "sortie",
        value: Value::Coded("160849004", SNOMED_CT, "retour au domicile"),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.9",
        code: "MED-142",
        label: "Synthèse médicale",
        reference: "synthese",
        value: Value::Text(SUMMARY),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.3",
        code: "MED-143",
        label: "Evènements indésirables survenus pendant l'hospitalisation",
        reference: "evenements",
        value: Value::Text("Aucun"),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.8",
        code: "MED-309",
        label: "Recherche de microorganismes multi-résistants ou émergents effectuée",
        reference: "recherche",
        value: Value::Flag(true),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.10",
        code: "MED-145",
        label: "Transfusion de produits sanguins",
        reference: "transfusion",
        value: Value::Flag(false),
    },
    Fact {
        template: "1.2.250.1.213.1.1.3.48.2",
        code: "MED-147",
        label: "Administration de dérivés du sang",
        reference: "derives",
        value: Value::Flag(false),
    },
];

/// A treatment taken home.
struct Treatment {
    reference: &'static str,
    atc: &'static str,
    name: &'static str,
    posology: &'static str,
    every_hours: &'static str,
    days: i64,
}

const TREATMENTS: [Treatment; 2] = [
    Treatment {
        reference: "traitement-1",
        atc: "J01DD08",
        name: "Céfixime 200 mg",
        posology: "1 comprimé matin et soir",
        every_hours: "12",
        days: 6,
    },
    Treatment {
        reference: "traitement-2",
        atc: "N02BE01",
        name: "Paracétamol 1 g",
        posology: "1 comprimé en cas de douleur ou de fièvre, sans dépasser 3 par jour",
        every_hours: "8",
        days: 4,
    },
];

impl Page<'_> {
    pub(super) fn body(&mut self) {
        self.w.open("component").open("structuredBody");
        self.status();
        self.reason();
        self.outcome();
        self.discharge_treatments();
        self.results();
        self.allergies();
        self.follow_up();
        self.w.close().close();
        self.line();
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
        let approved = Value::Coded("9571008", SNOMED_CT, "approuvé");
        self.finish_observation("GEN-065", "Statut du document", "statut", &approved);
        self.w.close();
        self.close_section();
    }

    fn reason(&mut self) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.1", "1.2.250.1.213.1.1.2.127"];
        self.open_section(&templates, ("42349-1", "Raison de la recommandation"), "Motif de l'hospitalisation");
        self.w.open("text").leaf("paragraph", "Fièvre à 39,2 °C et douleur lombaire droite depuis deux jours.").close();
        self.close_section();
    }

    fn outcome(&mut self) {
        let templates = [
            "1.3.6.1.4.1.19376.1.5.3.1.1.21.2.9",
            "1.3.6.1.4.1.19376.1.7.3.1.1.13.7",
            "1.2.250.1.213.1.1.2.163",
            "1.2.250.1.213.1.1.2.163.1",
        ];
        self.open_section(&templates, ("42545-4", "Evènements observés"), "Synthèse médicale du séjour");
        let admitted = shown(self.letter.admitted().local().date());
        let discharged = shown(self.letter.day(0));
        let rows = [
            ("Entrée", "entree", format!("{admitted}, hospitalisation en urgence")),
            ("Sortie", "sortie", format!("{discharged}, retour au domicile")),
            ("Synthèse", "synthese", SUMMARY.to_owned()),
            ("Évènements indésirables", "evenements", "Aucun".to_owned()),
            ("Recherche de micro-organismes multirésistants", "recherche", "Oui, négative".to_owned()),
            ("Transfusion de produits sanguins", "transfusion", "Non".to_owned()),
            ("Administration de dérivés du sang", "derives", "Non".to_owned()),
        ];
        self.w.open("text").open("table").open("tbody");
        for (label, id, text) in &rows {
            self.w.open("tr").leaf("th", label).open("td");
            self.content(id, text);
            self.w.close().close();
        }
        self.w.close().close().close();
        for fact in &FACTS {
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

    fn finish_observation(&mut self, code: &str, label: &str, reference: &str, value: &Value) {
        self.code("code", code, CI_SIS, label);
        self.reference("text", reference);
        self.w.open("statusCode").attr("code", "completed").close();
        self.value("effectiveTime", &written(self.letter.day(0)));
        match value {
            Value::Text(text) => {
                self.w.open("value").attr("xsi:type", "ST").text(text);
            }
            Value::Flag(flag) => {
                self.w.open("value").attr("xsi:type", "BL").attr("value", if *flag { "true" } else { "false" });
            }
            Value::Coded(code, system, label) => {
                self.open_code("value", code, *system, label);
                self.w.attr("xsi:type", "CD");
            }
        }
        self.w.close().close();
    }

    fn reference(&mut self, element: &'static str, id: &str) {
        self.w.open(element).open("reference").attr("value", &format!("#{id}")).close().close();
    }

    fn discharge_treatments(&mut self) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.22", "1.2.250.1.213.1.1.2.146"];
        self.open_section(&templates, ("10183-2", "Traitements à la sortie"), "Traitements à la sortie");
        self.w.open("text").open("table").open("thead").open("tr");
        self.w.leaf("th", "Médicament").leaf("th", "Posologie").leaf("th", "Jusqu'au").close().close().open("tbody");
        for treatment in &TREATMENTS {
            let until = shown(self.letter.day(treatment.days));
            self.w.open("tr").open("td");
            self.content(treatment.reference, treatment.name);
            self.w.close().leaf("td", treatment.posology).leaf("td", &until).close();
        }
        self.w.close().close().close();
        for treatment in &TREATMENTS {
            self.treatment(treatment);
        }
        self.close_section();
    }

    fn treatment(&mut self, treatment: &Treatment) {
        let (low, high) = (written(self.letter.day(0)), written(self.letter.day(treatment.days)));
        self.w.open("entry").open("substanceAdministration").attr("classCode", "SBADM").attr("moodCode", "INT");
        self.templates(&[
            "1.2.250.1.213.1.1.3.42",
            "2.16.840.1.113883.10.20.1.24",
            "1.3.6.1.4.1.19376.1.5.3.1.4.7",
            "1.3.6.1.4.1.19376.1.5.3.1.4.7.1",
        ]);
        self.fresh_id();
        self.code("code", "DRUG", ACT_CODE, "Médicament");
        self.reference("text", treatment.reference);
        self.w.open("statusCode").attr("code", "completed").close();
        self.w.open("effectiveTime").attr("xsi:type", "IVL_TS");
        self.value("low", &low);
        self.value("high", &high);
        self.w.close().open("effectiveTime").attr("xsi:type", "PIVL_TS").attr("operator", "A");
        self.w.open("period").attr("value", treatment.every_hours).attr("unit", "h").close().close();
        self.w.open("doseQuantity");
        for bound in ["low", "high"] {
            self.w.open(bound).attr("value", "1").attr("unit", "{tbl}").close();
        }
        self.w.close();
        self.product(treatment);
        self.w.close().close();
    }

    /// Prescribed by its substance: no CIS code, which would name a brand.
    fn product(&mut self, treatment: &Treatment) {
        self.w.open("consumable").open("manufacturedProduct");
        self.templates(&["1.2.250.1.213.1.1.3.43", "2.16.840.1.113883.10.20.1.53", "1.3.6.1.4.1.19376.1.5.3.1.4.7.2"]);
        self.w.open("manufacturedMaterial").open("code").attr("nullFlavor", "NA");
        self.reference("originalText", treatment.reference);
        self.code("translation", treatment.atc, ATC, treatment.name);
        self.w.close().open("name").attr("nullFlavor", "NA").close();
        self.w.close().close().close();
    }

    fn results(&mut self) {
        let templates = ["1.3.6.1.4.1.19376.1.5.3.1.3.27", "1.2.250.1.213.1.1.2.150"];
        self.open_section(&templates, ("30954-2", "Résultats d'examens"), "Résultats d'examens");
        self.w.open("text").open("list");
        for item in [
            "CRP : 184 mg/L à l'entrée, 31 mg/L à la sortie.",
            "Créatinine : 68 µmol/L, stable.",
            "Examen cytobactériologique des urines : Escherichia coli, sensible au céfixime.",
            "Échographie rénale : reins de taille normale, pas de dilatation.",
            "Hémocultures : résultat définitif attendu, sera transmis au médecin traitant.",
        ] {
            self.w.leaf("item", item);
        }
        self.w.close().close();
        self.close_section();
    }

    fn allergies(&mut self) {
        let templates = ["2.16.840.1.113883.10.20.1.2", "1.3.6.1.4.1.19376.1.5.3.1.3.13", "1.2.250.1.213.1.1.2.137"];
        let code = ("48765-2", "Allergies et hypersensibilités");
        self.open_section(&templates, code, "Allergies identifiées pendant le séjour");
        self.w.open("text").open("paragraph");
        self.content("allergies", "Aucune allergie ni hypersensibilité connue.");
        self.w.close().close();
        self.w.open("entry").open("act").attr("classCode", "ACT").attr("moodCode", "EVN");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.27",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5.1",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5.3",
            "1.2.250.1.213.1.1.3.40",
        ]);
        self.fresh_id();
        self.w.open("code").attr("nullFlavor", "NA").close().open("statusCode").attr("code", "completed").close();
        self.w.open("effectiveTime").open("low").attr("nullFlavor", "NA").close();
        self.w.open("high").attr("nullFlavor", "NA").close().close();
        self.w.open("entryRelationship").attr("typeCode", "SUBJ").attr("inversionInd", "false");
        self.no_known_allergy();
        self.w.close().close().close();
        self.close_section();
    }

    fn no_known_allergy(&mut self) {
        self.w.open("observation").attr("classCode", "OBS").attr("moodCode", "EVN");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.28",
            "2.16.840.1.113883.10.20.1.18",
            "1.3.6.1.4.1.19376.1.5.3.1.4.5",
            "1.3.6.1.4.1.19376.1.5.3.1.4.6",
            "1.2.250.1.213.1.1.3.41",
        ]);
        self.fresh_id();
        self.code("code", "416098002", SNOMED_CT, "allergie médicamenteuse");
        self.reference("text", "allergies");
        self.w.open("statusCode").attr("code", "completed").close();
        self.w.open("effectiveTime").attr("xsi:type", "IVL_TS").open("low").attr("nullFlavor", "UNK").close().close();
        self.open_code("value", "no-known-allergies", ABSENCE, "Pas d'allergie/hypersensibilité connue");
        self.w.attr("xsi:type", "CD");
        self.reference("originalText", "allergies");
        self.w.close().close();
    }

    fn follow_up(&mut self) {
        let templates = ["2.16.840.1.113883.10.20.1.10", "1.3.6.1.4.1.19376.1.5.3.1.3.36", "1.2.250.1.213.1.1.2.158"];
        self.open_section(&templates, ("18776-5", "Plan de soins"), "Suites à donner");
        let visit = self.letter.day(7);
        self.w.open("text").open("list").open("item");
        self.content("suite-1", &format!("Consultation du médecin traitant vers le {}.", shown(visit)));
        self.w.close();
        self.w.leaf("item", "Boissons abondantes ; pas d'examen des urines de contrôle sans symptôme.");
        self.w.leaf("item", "Reconsulter sans attendre en cas de fièvre ou de douleur qui revient.");
        self.w.close().close();
        self.w.open("entry").open("observation").attr("classCode", "OBS").attr("moodCode", "INT");
        self.templates(&[
            "2.16.840.1.113883.10.20.1.25",
            "1.3.6.1.4.1.19376.1.5.3.1.1.20.3.1",
            "1.2.250.1.213.1.1.3.27",
        ]);
        self.fresh_id();
        self.code("code", "ORG-064", CI_SIS, "Demande d'examen ou de suivi");
        self.reference("text", "suite-1");
        self.w.open("statusCode").attr("code", "active").close();
        self.value("effectiveTime", &written(visit));
        self.w.open("value").attr("xsi:type", "ST").text("Consultation du médecin traitant").close();
        self.w.close().close();
        self.close_section();
    }
}
