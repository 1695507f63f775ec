//! Which published model (*volet* of the CI-SIS) a document claims to follow, and the official
//! schematrons that judge it.
//!
//! Order: the table of volets, the claim of a document, the choice of a schematron among those that are
//! installed. Recognition reads templateIds, never file names (CI-SIS, volet Structuration minimale
//! V1.16.8, templateId). Not here: running a schematron (`socle-xml`), carrying one.

use serde::Serialize;
use socle_finding::Text;

use crate::code::Code;
use crate::codes;
use crate::document::{Body, Document};
use crate::header::Template;

/// A published model of document.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Volet {
    /// The short name of the ANS, as in the names of its schematrons: `LDL-SES`.
    pub name: &'static str,
    /// What it is, in French.
    pub label: &'static str,
    /// The templateId of its documents.
    pub template: &'static str,
    /// The codes that its documents have; empty when no published text says.
    pub codes: &'static [&'static str],
}

const fn volet(
    name: &'static str,
    template: &'static str,
    codes: &'static [&'static str],
    label: &'static str,
) -> Volet {
    Volet { name, label, template, codes }
}

/// The volets, sorted by template in the order of publication (CI-SIS; formats: ASS_A11 version 20260629).
pub const VOLETS: &[Volet] = &[
    volet("CARD-F-PRC-AVK", "1.2.250.1.213.1.1.1.2.1.1", &["34133-9"], "Fiche patient à risque en cardiologie : AVK"),
    volet(
        "CARD-F-PRC-TAP",
        "1.2.250.1.213.1.1.1.2.1.2",
        &["34133-9"],
        "Fiche patient à risque en cardiologie : traitement antiplaquettaire",
    ),
    volet(
        "CARD-F-PRC-DCI",
        "1.2.250.1.213.1.1.1.2.1.3",
        &["34133-9"],
        "Fiche patient à risque en cardiologie : défibrillateur implantable",
    ),
    volet(
        "CARD-F-PRC-PSC",
        "1.2.250.1.213.1.1.1.2.1.4",
        &["34133-9"],
        "Fiche patient à risque en cardiologie : stimulateur cardiaque",
    ),
    volet(
        "CARD-F-PRC-PPV",
        "1.2.250.1.213.1.1.1.2.1.5",
        &["34133-9"],
        "Fiche patient à risque en cardiologie : prothèse valvulaire",
    ),
    volet("CSE-CS8", "1.2.250.1.213.1.1.1.5.1", &["CERT_DECL"], "Certificat de santé de l'enfant : 8e jour"),
    volet("CSE-CS9", "1.2.250.1.213.1.1.1.5.2", &["CERT_DECL"], "Certificat de santé de l'enfant : 9e mois"),
    volet("CSE-CS24", "1.2.250.1.213.1.1.1.5.3", &["CERT_DECL"], "Certificat de santé de l'enfant : 24e mois"),
    volet("CSE-MDE", "1.2.250.1.213.1.1.1.5.4", &["29274-8"], "Mesures de l'enfant"),
    volet("CANCER-FRCP", "1.2.250.1.213.1.1.1.8", &["34794-8"], "Fiche de réunion de concertation pluridisciplinaire"),
    volet("IDAP", "1.2.250.1.213.1.1.1.9", &[], "IDAP"),
    volet("OBP-SAP", "1.2.250.1.213.1.1.1.12.1", &["57055-6"], "Synthèse antepartum"),
    volet("OBP-SNM", "1.2.250.1.213.1.1.1.12.2", &["57057-2"], "Synthèse salle de naissance, mère"),
    volet("OBP-SNE", "1.2.250.1.213.1.1.1.12.3", &["57075-4"], "Synthèse salle de naissance, enfant"),
    volet("OBP-SCM", "1.2.250.1.213.1.1.1.12.4", &["89235-6"], "Synthèse suites de couches, mère"),
    volet("OBP-SEM", "1.2.250.1.213.1.1.1.12.5", &["78489-2"], "Synthèse enfant en maternité"),
    volet("VSM", "1.2.250.1.213.1.1.1.13", &["60591-5", "SYNTH"], "Volet de synthèse médicale"),
    volet("AVC-AUNV", "1.2.250.1.213.1.1.1.15", &["34133-9"], "Accident vasculaire cérébral : admission en unité"),
    volet("AVC-EUNV", "1.2.250.1.213.1.1.1.16", &["34133-9"], "Accident vasculaire cérébral : épisode en unité"),
    volet("AVC-SUNV", "1.2.250.1.213.1.1.1.17", &["34133-9"], "Accident vasculaire cérébral : sortie d'unité"),
    volet("OPH-CR-RTN", "1.2.250.1.213.1.1.1.18", &["75492-9"], "Compte rendu de dépistage de rétinopathie"),
    volet("LDL-EES", "1.2.250.1.213.1.1.1.21", &["18761-7"], "Lettre de liaison à l'entrée en établissement de santé"),
    volet("DLU-EHPAD-DLU", "1.2.250.1.213.1.1.1.22", &["74207-2"], "Document de liaison d'urgence"),
    volet("DLU-EHPAD-FLUDT", "1.2.250.1.213.1.1.1.23", &[], "Fiche de liaison d'urgence, transfert"),
    volet("DLU-EHPAD-FLUDR", "1.2.250.1.213.1.1.1.24", &[], "Fiche de liaison d'urgence, retour"),
    volet("AVC-PAVC", "1.2.250.1.213.1.1.1.25", &["11488-4"], "Accident vasculaire cérébral : consultation post-AVC"),
    volet("CANCER-PPS", "1.2.250.1.213.1.1.1.26", &["18776-5"], "Programme personnalisé de soins"),
    volet("CANCER-D2LM-FIN", "1.2.250.1.213.1.1.1.27", &["18748-4"], "Deuxième lecture de mammographies : fiche FIN"),
    volet("CANCER-D2LM-FIDD", "1.2.250.1.213.1.1.1.28", &["18748-4"], "Deuxième lecture de mammographies : fiche FIDD"),
    volet(
        "LDL-SES",
        "1.2.250.1.213.1.1.1.29",
        &["11490-0"],
        "Lettre de liaison à la sortie d'un établissement de santé",
    ),
    volet("SDM-MR", "1.2.250.1.213.1.1.1.30", &["34133-9"], "Set de données minimal, maladies rares"),
    volet("CANCER-CR-GM", "1.2.250.1.213.1.1.1.32", &["51969-4"], "Compte rendu de génétique moléculaire"),
    volet("CNAM-HR", "1.2.250.1.213.1.1.1.36", &["REMB"], "Historique des remboursements"),
    volet("VAC", "1.2.250.1.213.1.1.1.37", &["11369-6"], "Historique de vaccinations"),
    volet("TLM-DA", "1.2.250.1.213.1.1.1.38", &["75496-0"], "Demande d'acte de télémédecine"),
    volet("EP-MED-DM", "1.2.250.1.213.1.1.1.39", &["57833-6"], "Ordonnance de produits de santé"),
    volet("ANEST-CR-ANEST", "1.2.250.1.213.1.1.1.40", &["77436-4"], "Compte rendu d'anesthésie"),
    volet("ANEST-CR-CPA", "1.2.250.1.213.1.1.1.41", &["34749-2"], "Compte rendu de consultation préanesthésique"),
    volet("OPH-BRE", "1.2.250.1.213.1.1.1.42", &["78513-9"], "Bilan visuel (réfraction)"),
    volet("IMG-CR-IMG", "1.2.250.1.213.1.1.1.45", &["18748-4"], "Compte rendu d'imagerie médicale"),
    volet("VAC-NOTE", "1.2.250.1.213.1.1.1.46", &["87273-9"], "Note de vaccination"),
    volet("IMG-DA-IMG", "1.2.250.1.213.1.1.1.47", &["55115-0"], "Demande d'actes d'imagerie"),
    volet("IPS-FR", "1.2.250.1.213.1.1.1.51", &["60591-5"], "Synthèse médicale internationale (IPS)"),
    volet("BIO-EP-BIO", "1.2.250.1.213.1.1.1.52", &[], "Prescription d'actes de biologie"),
    volet("eDISP-MED", "1.2.250.1.213.1.1.1.54", &["60593-1"], "Dispensation médicamenteuse"),
    volet("BIO-CR-BIO", "1.2.250.1.213.1.1.1.55", &["11502-2"], "Compte rendu d'examens de biologie médicale"),
    volet("PPP", "1.2.250.1.213.1.1.1.56", &["83869-8"], "Plan personnalisé de prévention"),
    volet("BIO-TROD", "1.2.250.1.213.1.1.1.59", &["96173-0"], "Test rapide d'orientation diagnostique"),
    volet("DLU-FT-SU", "1.2.250.1.213.1.1.1.61", &["78341-5"], "Fiche de transfert au service des urgences"),
    volet("DLU-FR-SU", "1.2.250.1.213.1.1.1.62", &["60280-5"], "Fiche de retour du service des urgences"),
];

/// The model of niveau 1 documents (IHE XDS-SD).
pub const XDS_SD: &str = "1.3.6.1.4.1.19376.1.2.20";

/// The volet of a templateId.
#[must_use]
pub fn of_template(root: &str) -> Option<&'static Volet> {
    VOLETS.iter().find(|volet| volet.template == root)
}

/// What a document says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The volets that its templateIds name: one when all is well, none for a niveau 1 document.
    pub volets: Vec<&'static Volet>,
    /// The edition of the first (`2024.01`), when the templateId gives it.
    pub edition: Option<String>,
    /// 1 or 3; none without a body.
    pub level: Option<u8>,
    /// `ClinicalDocument/code/@code`.
    pub code: Option<String>,
    /// The French label of that code.
    pub kind: Option<&'static str>,
    /// The formatCode that its metadata have.
    pub format: Option<Code>,
}

impl Claim {
    /// What a document claims.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let templates = document.templates();
        let named: Vec<(&'static Volet, &Template)> =
            templates.iter().filter_map(|template| Some((of_template(&template.root)?, template))).collect();
        let edition = named.first().and_then(|(_, template)| template.version.clone());
        let mut volets: Vec<&'static Volet> = named.into_iter().map(|(volet, _)| volet).collect();
        volets.dedup();
        let (level, format) = match document.body() {
            Body::Level1 { media_type } => (Some(1), codes::format_of_media_type(media_type)),
            Body::Level3 => (Some(3), codes::format_of_templates(templates.iter().map(|t| t.root.as_str()))),
            Body::Missing => (None, None),
        };
        let code = document.code().map(str::to_owned);
        let kind = code.as_deref().and_then(codes::type_label);
        Self { volets, edition, level, code, kind, format }
    }

    /// The only volet, when there is one.
    #[must_use]
    pub fn volet(&self) -> Option<&'static Volet> {
        match self.volets.as_slice() {
            [volet] => Some(volet),
            _ => None,
        }
    }

    /// A line for people: `LDL-SES 2022.01, Lettre de liaison à la sortie…`.
    #[must_use]
    pub fn title(&self) -> Text {
        if self.level == Some(1) {
            let kind = self.kind.unwrap_or("document");
            return Text::new(format!("{kind}, niveau 1"), format!("{kind}, level 1"));
        }
        let Some(volet) = self.volets.first() else {
            return Text::fixed("aucun volet connu", "no known volet");
        };
        match &self.edition {
            Some(edition) => {
                let line = format!("{} {edition}, {}", volet.name, volet.label);
                Text::new(line.clone(), line)
            }
            None => Text::new(
                format!("{}, sans édition, {}", volet.name, volet.label),
                format!("{}, without edition, {}", volet.name, volet.label),
            ),
        }
    }

    /// The schematron of the volet among those installed (their names, with or without `.sch`).
    #[must_use]
    pub fn choose<'n>(&self, installed: impl IntoIterator<Item = &'n str>) -> Choice<'n> {
        if self.level == Some(1) {
            return Choice::NotNeeded;
        }
        let Some(volet) = self.volet() else {
            return if self.volets.is_empty() { Choice::NoVolet } else { Choice::SeveralVolets };
        };
        let mut editions: Vec<(&str, &'n str)> =
            installed.into_iter().filter_map(|name| Some((edition_of(name, volet.name)?, name))).collect();
        editions.sort_unstable();
        let wanted = self.edition.as_deref();
        let exact = editions.iter().find(|(edition, _)| Some(*edition) == wanted);
        match (exact, editions.last()) {
            (Some((_, name)), _) => Choice::Exact(name),
            (None, Some((_, name))) => Choice::Nearest(name),
            (None, None) => Choice::NotInstalled,
        }
    }
}

/// `CI-SIS_LDL-SES_2022.01[.sch]` is edition `2022.01` of `LDL-SES`; one published name has the number of a
/// model in between (`CI-SIS_VSM_1.4_2022.01`).
fn edition_of<'n>(name: &'n str, volet: &str) -> Option<&'n str> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let file = file.strip_suffix(".sch").unwrap_or(file);
    let rest = file.strip_prefix("CI-SIS_")?;
    let (head, tail) = rest.split_at_checked(volet.len())?;
    head.eq_ignore_ascii_case(volet).then(|| tail.strip_prefix('_'))?
}

/// Which schematron judges a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'n> {
    /// That of the edition that the document claims.
    Exact(&'n str),
    /// The document's edition is not installed, or not told: the newest.
    Nearest(&'n str),
    /// A niveau 1 document: only the schematrons of all documents.
    NotNeeded,
    /// No templateId is that of a known volet.
    NoVolet,
    /// Several are.
    SeveralVolets,
    /// None of this volet is installed.
    NotInstalled,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(template: &str, edition: Option<&str>) -> Claim {
        Claim {
            volets: of_template(template).into_iter().collect(),
            edition: edition.map(str::to_owned),
            level: Some(3),
            code: None,
            kind: None,
            format: None,
        }
    }

    #[test]
    fn the_schematron_is_chosen_by_template_and_edition() {
        let installed = [
            "CI-SIS_CSE-CS8_2022.01.sch",
            "CI-SIS_CSE-CS8_2025.01.sch",
            "CI-SIS_CSE-CS8_2024.01.sch",
            "CI-SIS_EP-MED-DM_2024.01",
            "CI-SIS_VAC_2023.01.sch",
            "CI-SIS_VAC-NOTE_2023.01.sch",
            "CI-SIS_VSM_1.4_2022.01.sch",
            "schematrons/CI-SIS_eDISP-MED_2024.01.sch",
        ];
        let cases = [
            ("1.2.250.1.213.1.1.1.5.1", Some("2024.01"), Choice::Exact(installed[2])),
            ("1.2.250.1.213.1.1.1.5.1", Some("2030.01"), Choice::Nearest(installed[1])),
            ("1.2.250.1.213.1.1.1.5.1", None, Choice::Nearest(installed[1])),
            ("1.2.250.1.213.1.1.1.39", Some("2024.01"), Choice::Exact(installed[3])),
            ("1.2.250.1.213.1.1.1.37", Some("2023.01"), Choice::Exact(installed[4])),
            ("1.2.250.1.213.1.1.1.46", Some("2023.01"), Choice::Exact(installed[5])),
            ("1.2.250.1.213.1.1.1.13", Some("201310"), Choice::Nearest(installed[6])),
            ("1.2.250.1.213.1.1.1.54", Some("2024.01"), Choice::Exact(installed[7])),
            ("1.2.250.1.213.1.1.1.29", Some("2022.01"), Choice::NotInstalled),
            ("1.2.3", None, Choice::NoVolet),
        ];
        for (template, edition, expected) in cases {
            assert_eq!(claim(template, edition).choose(installed), expected, "{template} {edition:?}");
        }
        let level_1 = Claim { level: Some(1), ..claim("1.2.250.1.213.1.1.1.29", None) };
        assert_eq!(level_1.choose(installed), Choice::NotNeeded);
        let both = Claim { volets: vec![&VOLETS[0], &VOLETS[1]], ..claim("1.2.3", None) };
        assert_eq!(both.choose(installed), Choice::SeveralVolets);
    }

    #[test]
    fn templates_and_names_are_unique() {
        let mut templates: Vec<_> = VOLETS.iter().map(|volet| volet.template).collect();
        let mut names: Vec<_> = VOLETS.iter().map(|volet| volet.name).collect();
        templates.sort_unstable();
        names.sort_unstable();
        assert!(templates.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
