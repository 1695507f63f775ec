//! The 85 published examples, against what the files themselves say.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use socle_cda::{Body, Document, Form, Header, Severity};
use socle_identity::InsError;

/// The eight whose INS has a wrong key: 97 − number modulo 97 gives another one (checked by hand).
const WRONG_KEY: [&str; 8] = [
    "CSE-CS24_2024.01.xml",
    "CSE-CS8_2025.01.xml",
    "CSE-CS9_2024.01.xml",
    "CSE-CS9_2025.01.xml",
    "CSE-MDE_2023.01.xml",
    "OBP-SEM_2024.01.xml",
    "OBP-SNE_2024.01.xml",
    "SDM-MR_2025.01_nouveau-ne.xml",
];

#[test]
fn every_published_header_is_read_and_only_the_wrong_keys_are_errors() {
    for (name, bytes) in fixtures::examples("every_published_header") {
        let document = Document::parse(bytes.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(document.bytes(), &bytes, "{name}: the bytes are kept");
        let header = Header::read(&document).unwrap_or_else(|error| panic!("{name}: {error}"));
        let wrong_key = WRONG_KEY.contains(&name.as_str());
        let ins = header.ins().expect("each example carries an INS");
        assert_eq!(ins.as_ref().err(), wrong_key.then_some(&InsError::Key), "{name}");
        let errors: Vec<_> = document.findings().iter().filter(|f| f.severity == Severity::Error).collect();
        assert_eq!(errors.len(), usize::from(wrong_key), "{name}: {errors:?}");
        assert!(errors.iter().all(|f| f.rule.point.contains("INS key")), "{name}");
        assert!(header.patient.traits.is_some(), "{name}: the traits are complete");
    }
}

#[test]
fn wrappers_and_bodies_are_told_apart() {
    let examples = fixtures::examples("wrappers_and_bodies");
    if examples.is_empty() {
        return;
    }
    let mut wrapped = Vec::new();
    let mut level_1 = Vec::new();
    for (name, bytes) in examples {
        let document = Document::parse(bytes).unwrap();
        match document.body() {
            Body::Level1 { media_type } => {
                assert_eq!(media_type, "application/pdf", "{name}");
                assert!(document.payload().unwrap().unwrap().starts_with(b"%PDF-"), "{name}");
                level_1.push(name.clone());
            }
            body => {
                assert_eq!(body, &Body::Level3, "{name}");
                assert_eq!(document.payload(), Ok(None), "{name}");
            }
        }
        if document.form() != Form::Plain {
            assert_eq!(document.form(), Form::SelfPresenting, "{name}");
            wrapped.push(name);
        }
    }
    assert_eq!(wrapped, ["BIO-CR-BIO_2021.01_Auto-Presentable.xml", "CANCER-PPS_2022.01_Autopresentable.xml"]);
    assert_eq!(
        level_1,
        ["BIO-CR-BIO_2021.01_CDA-R2-Niveau-1.xml", "DOC_NON_STRUCTURE_CDA-R2-N1.xml", "TLM-CR_2022.01.xml"]
    );
}

/// What many published files have, and how often.
const COMMON: [(&str, usize); 4] =
    [("références internes", 343), ("section/title", 42), ("section/text", 7), ("Struct_IdNat", 40)];

#[test]
fn what_many_published_files_have_is_a_warning_that_often() {
    let examples = fixtures::examples("common_oddities");
    if examples.is_empty() {
        return;
    }
    let documents: Vec<_> = examples.into_iter().map(|(_, bytes)| Document::parse(bytes).unwrap()).collect();
    let counted = COMMON.map(|(point, _)| {
        let all = documents.iter().flat_map(Document::findings).filter(|f| f.severity == Severity::Warning);
        (point, all.filter(|f| f.rule.point.contains(point)).count())
    });
    assert_eq!(counted, COMMON);
}

/// What is odd in the published files, found by reading them; everything else must stay silent.
#[test]
fn oddities_of_the_published_headers_are_warnings_at_their_line() {
    let expected = [
        ("01_Modèles_contenus_CDA.xml", "en-tête, effectiveTime à la seconde", 47),
        ("BIO-CR-BIO_2021.01_Electrophorese.xml", "types de données, TS, calendrier", 1834),
        ("BIO-CR-BIO_2023.01_Electrophorese.xml", "types de données, TS, calendrier", 1883),
        ("BIO-CR-BIO_2024.01_Electrophorese.xml", "types de données, TS, calendrier", 1885),
        ("BIO-TROD_2024.01_Angine.xml", "en-tête, templateId, ordre", 10),
        ("BIO-TROD_2024.01_Angine.xml", "types de données, TS", 215),
        ("BIO-TROD_2024.01_COVID-19.xml", "en-tête, templateId, ordre", 10),
        ("BIO-TROD_2024.01_COVID-19.xml", "types de données, TS", 216),
        ("BIO-TROD_2024.01_COVID-19_Grippe-A_Grippe-B.xml", "en-tête, templateId, ordre", 10),
        ("BIO-TROD_2024.01_COVID-19_Grippe-A_Grippe-B.xml", "types de données, TS", 216),
        ("CANCER-CR-GM_2022.01_AnalyseNonRealisee.xml", "en-tête, PS_IdNat, forme", 670),
        ("CANCER-CR-GM_2022.01_AnalyseRealisee.xml", "en-tête, PS_IdNat, forme", 669),
        ("CANCER-PPS_2022.01_Autopresentable.xml", "feuille de style embarquée, script", 4007),
        ("CANCER-PPS_2022.01_Autopresentable.xml", "matricule et traits", 89),
        ("CNAM-HR_2021.01_sans-info.xml", "en-tête, relatedDocument, id du parent", 214),
        ("CSE-CS8_2025.01.xml", "birthTime", 109),
        ("CSE-CS9_2024.01.xml", "birthTime", 97),
        ("CSE-CS9_2025.01.xml", "en-tête, patientRole/id, OID de l'INS", 82),
        ("CSE-CS9_2025.01.xml", "birthTime", 105),
        ("CSE-MDE_2023.01.xml", "en-tête, templateId, ordre", 11),
        ("DOC_NON_STRUCTURE_CDA-R2-N1.xml", "types de données, TS, décalage", 311),
        ("IMG_CR_IMG_2024.01.xml", "en-tête, relatedDocument, id du parent", 597),
        ("IPS-FR_2024.01.xml", "en-tête, relatedDocument, id du parent", 366),
        ("OBP-SAP_2024.01.xml", "traits stricts : majuscules non accentuées", 81),
        ("OBP-SEM_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 246),
        ("OBP-SEM_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 376),
        ("OBP-SNE_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 283),
        ("OBP-SNE_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 413),
        ("OBP-SNM_2024.01.xml", "traits stricts : majuscules non accentuées", 80),
        ("OBP-SNM_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 262),
        ("OBP-SNM_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 392),
        ("OPH-BRE_2022.02.xml", "en-tête, relatedDocument, id du parent", 320),
        ("OPH-CR-RTN_2022.01.xml", "en-tête, PS_IdNat, forme", 224),
        ("SDM-MR_2025.01_patiente-post-grossesse.xml", "traits stricts : majuscules non accentuées", 91),
        ("eDISP-MED_2024.01.xml", "en-tête, patient avec INS, prénoms cohérents", 83),
        ("eDISP-MED_2024.01.xml", "en-tête, PS_IdNat, clé du RPPS", 155),
        ("eP-MED-DM_2022.01_PosoNonStruct.xml", "corps, fichier et mediaType", 523),
        ("eP-MED-DM_2022.01_PosoStruct.xml", "corps, fichier et mediaType", 522),
        ("eP-MED-DM_2023.01_PosoNonStruct.xml", "corps, fichier et mediaType", 525),
        ("eP-MED-DM_2023.01_PosoStruct.xml", "corps, fichier et mediaType", 525),
        ("eP-MED-DM_2024.01_PosoNonStruct.xml", "corps, fichier et mediaType", 528),
    ];
    let examples = fixtures::examples("oddities");
    if examples.is_empty() {
        return;
    }
    let mut seen = Vec::new();
    for (name, bytes) in examples {
        let document = Document::parse(bytes).unwrap();
        let rare = |f: &&socle_cda::Finding| !COMMON.iter().any(|(point, _)| f.rule.point.contains(point));
        let warnings = document.findings().iter().filter(|f| f.severity == Severity::Warning);
        for finding in warnings.filter(rare) {
            seen.push((name.clone(), finding.rule.point.to_string(), finding.at.line.unwrap()));
        }
    }
    let expected: Vec<_> = expected.map(|(name, point, line)| (name.to_owned(), point.to_owned(), line)).into();
    assert_eq!(seen, expected);
}
