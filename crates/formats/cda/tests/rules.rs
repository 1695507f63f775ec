//! Socle's own rules, each by one fault: first what the official layers let pass, then what is hostile.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use base64::Engine as _;
use jiff::Timestamp;
use jiff::tz::Offset;
use proptest::prelude::*;
use socle_cda::letter::Letter;
use socle_cda::validate::{Official, Outcome, Report, validate};
use socle_cda::{Document, Finding, Severity};
use socle_xml::roxmltree::Node;
use uuid::Uuid;

const MINIMAL: &str = include_str!("minimal.xml");

fn letter() -> String {
    let at: Timestamp = "2026-03-02T09:15:00Z".parse().unwrap();
    Letter::for_test_person(Uuid::from_u128(7), at, Offset::constant(1)).unwrap().to_xml()
}

fn findings(xml: &str) -> Vec<Finding> {
    Document::parse(xml.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}")).findings().to_vec()
}

fn worse_than_notes(xml: &str) -> Vec<Finding> {
    findings(xml).into_iter().filter(|finding| finding.severity > Severity::Information).collect()
}

fn replaced(base: &str, what: &str, by: &str) -> String {
    let out = base.replacen(what, by, 1);
    assert_ne!(out, base, "{what} is in the document");
    out
}

#[test]
fn right_documents_have_nothing_to_be_looked_at() {
    assert_eq!(worse_than_notes(&letter()), []);
    assert_eq!(worse_than_notes(MINIMAL), []);
}

/// What is replaced in the letter, by what, how bad it is, and a word of the rule.
#[test]
fn each_fault_of_the_structured_letter_is_found_at_its_line() {
    use Severity::{Error, Information, Warning};
    let cases = [
        // What the schema and every official schematron let pass.
        ("1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.99", Error, "OID de l'INS"),
        ("279035121518989", "279035121518", Error, "forme du matricule"),
        ("279035121518989", "279035121518988", Error, "INS key"),
        ("<id root=\"1.2.250.1.213.1.4.10\" extension=\"279035121518989\"/>", "", Warning, "EX_GEN-1530"),
        (
            "<assignedAuthor><id root=\"1.2.250.1.71.4.2.1\"",
            "<assignedAuthor><id root=\"1.2.3.4.5\"",
            Warning,
            "PS_IdNat",
        ),
        (
            "<effectiveTime value=\"20260302101500+0100\"",
            "<effectiveTime value=\"20260302101500\"",
            Error,
            "effectiveTime",
        ),
        ("<high value=\"20260302101500+0100\"", "<high value=\"19000101\"", Warning, "IVL_TS, ordre"),
        ("<title>Motif de l'hospitalisation</title>", "", Warning, "section/title"),
        (
            "<text><paragraph>Fièvre à 39,2 °C et douleur lombaire droite depuis deux jours.</paragraph></text>",
            "",
            Error,
            "section/text",
        ),
        ("Fièvre à 39,2 °C et douleur lombaire droite depuis deux jours.", " ", Warning, "section/text"),
        ("<code code=\"42349-1\"", "<kode code=\"42349-1\"", Error, "section/code"),
        ("code=\"42349-1\"", "code=\"00000-0\"", Warning, "section/code et templateId"),
        ("root=\"1.2.250.1.213.1.1.2.127\"", "root=\"1.2.250.1.213.1.1.2.1270\"", Information, "modèle publié"),
        ("<effectiveTime value=\"20260302\"/>", "<effectiveTime value=\"20261402\"/>", Warning, "TS, calendrier"),
        ("<effectiveTime value=\"20260302\"/>", "<effectiveTime value=\"202603021015\"/>", Information, "TS, décalage"),
        (
            "<effectiveTime value=\"20260302\"/>",
            "<effectiveTime value=\"02/03/2026\"/>",
            Warning,
            "types de données, TS",
        ),
        ("value=\"#sortie\"", "value=\"#nulle-part\"", Warning, "références internes"),
        // The model.
        ("code=\"11490-0\"", "code=\"11488-4\"", Error, "code et templateId du volet"),
        ("1.2.250.1.213.1.1.1.29", "1.2.250.1.213.1.1.1.290", Warning, "modèle publié"),
        (
            "<id root=\"2.25.7\"/>",
            "<templateId root=\"1.2.250.1.213.1.1.1.37\"/><id root=\"2.25.7\"/>",
            Warning,
            "templateId, un volet",
        ),
        (
            "<id root=\"2.25.7\"/>",
            "<templateId root=\"1.3.6.1.4.1.19376.1.2.20\"/><id root=\"2.25.7\"/>",
            Warning,
            "niveau 3, templateId",
        ),
        // Identity.
        ("<birthTime value=\"19790328\"/>", "<birthTime value=\"19790428\"/>", Warning, "matricule et traits"),
        ("administrativeGenderCode code=\"F\"", "administrativeGenderCode code=\"M\"", Warning, "matricule et traits"),
        ("<birthTime value=\"19790328\"/>", "<birthTime value=\"20790328\"/>", Warning, "birthTime"),
        (">PAT-TROIS<", ">Pat-Troïs<", Warning, "traits stricts"),
        ("tel:0199000012", "mailto:279035121518990@patient.mssante.fr", Error, "ECO.2.2.6"),
        // Identifiers.
        ("extension=\"899700000017\"", "extension=\"89970000001\"", Warning, "PS_IdNat, forme"),
        ("extension=\"899700000017\"", "extension=\"999700000017\"", Warning, "PS_IdNat, forme"),
        ("extension=\"1990000017\"", "extension=\"199000001\"", Warning, "Struct_IdNat, forme"),
        // The narrative acts, fetches, or is not of the block.
        ("Fièvre à 39,2", "<script>alert(1)</script>Fièvre à 39,2", Error, "NarrativeBlock, éléments"),
        (
            "Fièvre à 39,2",
            "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>Fièvre à 39,2",
            Error,
            "NarrativeBlock, éléments",
        ),
        ("Fièvre à 39,2", "<content onclick=\"x()\">a</content>Fièvre à 39,2", Error, "NarrativeBlock, attributs"),
        ("Fièvre à 39,2", "<content style=\"color:red\">a</content>Fièvre à 39,2", Error, "NarrativeBlock, attributs"),
        (
            "Fièvre à 39,2",
            "<content styleCode=\"background:url(http://x)\">a</content>Fièvre à 39,2",
            Error,
            "NarrativeBlock, attributs",
        ),
        ("Fièvre à 39,2", "<linkHtml href=\"javascript:x\">a</linkHtml>Fièvre à 39,2", Error, "linkHtml"),
        ("Fièvre à 39,2", "<linkHtml href=\"#rien\">a</linkHtml>Fièvre à 39,2", Warning, "références internes"),
        ("Fièvre à 39,2", "<renderMultiMedia referencedObject=\"rien\"/>Fièvre à 39,2", Warning, "références internes"),
        ("ID=\"sortie\"", "ID=\"entree\"", Error, "xs:ID"),
        // Stylesheets and files.
        (
            "<ClinicalDocument",
            "<?xml-stylesheet type=\"text/xsl\" href=\"https://example.org/x.xsl\"?><ClinicalDocument",
            Error,
            "feuille de style distante",
        ),
        (
            "<ClinicalDocument",
            "<?xml-stylesheet type=\"text/xsl\" href=\"cda.xsl\"?><ClinicalDocument",
            Information,
            "feuille de style séparée",
        ),
    ];
    let base = letter();
    for (what, by, severity, point) in cases {
        let found = findings(&replaced(&base, what, by));
        let it = found.iter().find(|finding| finding.rule.point.contains(point) && finding.severity == severity);
        let it = it.unwrap_or_else(|| panic!("{what} → {by}: {found:#?}"));
        assert!(it.at.line.is_some(), "{what} → {by}: {it:?}");
        assert!(!it.message.fr.is_empty() && !it.message.en.is_empty() && !it.mend.fr.is_empty(), "{it:?}");
        let told = format!("{found:?}");
        assert!(!told.contains("PAT-TROIS") && !told.contains("279035"), "nobody is named: {told}");
    }
}

#[test]
fn a_real_identity_with_a_wrong_key_of_a_professional_is_for_somebody_to_look_at() {
    let xml = replaced(&letter(), "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.8");
    let xml = replaced(&xml, "extension=\"899700000017\"", "extension=\"899700000018\"");
    assert!(worse_than_notes(&xml).iter().any(|finding| finding.rule.point.contains("clé du RPPS")));
}

/// A niveau 1 document: media type, file, and what must be said of it.
#[test]
fn the_file_of_a_level_1_document_is_what_it_says() {
    let pdf_a = b"%PDF-1.4 <pdfaid:part>1</pdfaid:part>".as_slice();
    let cases: [(&str, &[u8], &str, Severity); 7] = [
        ("application/pdf", b"%PDF-1.4", "PDF/A", Severity::Information),
        ("application/pdf", pdf_a, "PDF/A", Severity::Information),
        ("application/pdf", b"PK\x03\x04", "fichier et mediaType", Severity::Error),
        ("application/pdf", b"%PDF-1.4 /OpenAction << /JavaScript (x) >>", "PDF sans action", Severity::Warning),
        ("image/jpeg", b"\x89PNG\r\n\x1a\n", "fichier et mediaType", Severity::Error),
        ("text/rtf", b"bonjour", "fichier et mediaType", Severity::Error),
        ("text/html", b"<p>", "nonXMLBody", Severity::Error),
    ];
    for (media_type, file, point, severity) in cases {
        let packed = base64::engine::general_purpose::STANDARD.encode(file);
        let xml = replaced(MINIMAL, "text/plain", media_type).replace("Qm9uam91cg==", &packed);
        let found = findings(&xml);
        assert!(
            found.iter().any(|finding| finding.rule.point.contains(point) && finding.severity == severity),
            "{media_type} {point}: {found:?}"
        );
    }
}

/// The single faults of the two sets of mutants that both official layers accept: those that a document
/// alone can show are found, whatever their base document.
#[test]
fn faults_that_both_official_layers_let_pass_are_found() {
    let (Some(folder), Some(examples)) =
        (fixtures::shared("mutants", "xml/mutants"), fixtures::shared("mutants", "documents/cda/examples"))
    else {
        return;
    };
    let mut seen = 0;
    for name in [
        "AVC-SUNV_2022.01__entry-dangling-reference",
        "AVC-SUNV_2022.01__serviceEvent-high-before-low",
        "CARD-F-PRC-PPV_2022.01__ins-bad-oid",
        "CARD-F-PRC-PPV_2022.01__section-wrong-code",
        "CNAM-HR_2021.01_sans-info__author-wrong-id-root",
        "CSE-MDE_2023.01__entry-bad-date",
        "CSE-MDE_2023.01__ins-bad-oid",
        "DLU-EHPAD-FLUDT_2022.01__entry-bad-date",
        "DLU-EHPAD-FLUDT_2022.01__section-delete-title",
        "DLU-EHPAD-FLUDT_2022.01__serviceEvent-high-before-low",
        "DLU-FR-SU_2025.01__header-effectiveTime-no-timezone",
        "DLU-FR-SU_2025.01__ins-short-nir",
        "DLU-FR-SU_2025.01__section-delete-code",
        "DLU-FR-SU_2025.01__section-delete-title",
        "OBP-SEM_2024.01__ins-delete-id",
        "VAC_2023.01__section-delete-text",
    ] {
        let mutant: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
        let base = std::fs::read(examples.join(mutant["base"].as_str().unwrap())).unwrap();
        let patch = &mutant["patch"];
        let at = usize::try_from(patch["byte_offset"].as_u64().unwrap()).unwrap();
        let (delete, insert) = (patch["delete"].as_str().unwrap(), patch["insert"].as_str().unwrap());
        assert_eq!(&base[at..at + delete.len()], delete.as_bytes(), "{name}");
        let changed = [&base[..at], insert.as_bytes(), &base[at + delete.len()..]].concat();
        let points = |bytes: Vec<u8>| -> Vec<String> {
            let findings = Document::parse(bytes).unwrap().findings().to_vec();
            findings.iter().map(|f| format!("{:?} {} {}", f.severity, f.rule.point, f.at.path)).collect()
        };
        let before = points(base);
        let added: Vec<_> = points(changed).into_iter().filter(|point| !before.contains(point)).collect();
        assert!(!added.is_empty(), "{name}: nothing was said");
        seen += 1;
    }
    assert_eq!(seen, 16);
}

/// No mutant makes the reader panic or refuse what it should only judge.
#[test]
fn every_mutant_is_judged_or_refused_and_its_fault_is_kept_in_bounds() {
    let (Some(mutants), Some(examples)) = (
        fixtures::shared("oracle", "documents/cda/oracle/mutants.json"),
        fixtures::shared("oracle", "documents/cda/examples"),
    ) else {
        return;
    };
    let all: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(mutants).unwrap()).unwrap();
    assert_eq!(all.len(), 252);
    let mut judged = 0;
    for mutant in all.iter().step_by(3) {
        let base = std::fs::read_to_string(examples.join(mutant["base"].as_str().unwrap())).unwrap();
        let Some(changed) = fixtures::mutated(&base, &mutant["mutation"]) else { continue };
        let report = validate(changed.into_bytes(), None);
        assert!(report.claim.is_some(), "{}", mutant["id"]);
        assert!(report.findings().count() <= 200);
        judged += 1;
    }
    assert!(judged > 60, "{judged}");
}

#[test]
fn what_is_no_document_is_a_finding_and_not_a_panic() {
    let letter = letter();
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("truncated", letter.as_bytes()[..letter.len() / 2].to_vec()),
        (
            "a DTD",
            replaced(&letter, "<ClinicalDocument", "<!DOCTYPE x [<!ENTITY a \"b\">]><ClinicalDocument").into_bytes(),
        ),
        ("another namespace", letter.replace("urn:hl7-org:v3", "urn:hl7-org:v2").into_bytes()),
        ("a wrong encoding", replaced(&letter, "encoding=\"UTF-8\"", "encoding=\"UTF-16\"").into_bytes()),
        ("not UTF-8", [letter.as_bytes(), b"\xFF\xFE"].concat()),
        ("not XML", b"%PDF-1.4".to_vec()),
        ("too deep", deep.into_bytes()),
        ("XML 1.1", replaced(&letter, "version=\"1.0\"", "version=\"1.1\"").into_bytes()),
    ];
    for (name, bytes) in cases {
        let report = validate(bytes, None);
        assert!(!report.is_valid() && report.claim.is_none(), "{name}");
        assert_eq!(report.findings().count(), 1, "{name}");
        assert_eq!(report.layers.len(), 1, "{name}: no official layer can run");
    }
}

#[test]
fn a_hundred_megabytes_of_base64_are_refused_by_size() {
    let file = "QUJD".repeat(26 << 20);
    let xml = MINIMAL.replace("Qm9uam91cg==", &file);
    let report = validate(xml.into_bytes(), None);
    assert!(!report.is_valid());
    assert!(report.findings().all(|finding| finding.message.en.len() < 300));
}

#[test]
fn without_a_package_the_official_layers_are_told_unchecked() {
    let report = validate(letter().into_bytes(), None);
    assert!(report.is_valid());
    let (layer, why) = report.not_checked().next().unwrap();
    assert!(matches!(layer.outcome, Outcome::NotChecked(_)));
    assert!(why.fr.contains("socle package add") && why.en.starts_with("not checked"), "{why:?}");
    let claim = report.claim.unwrap();
    assert_eq!((claim.volet().unwrap().name, claim.edition.as_deref()), ("LDL-SES", Some("2022.01")));
    assert_eq!(claim.format.unwrap().code, "urn:asip:ci-sis:ldl-ses:2017");
}

/// A package that judges nothing wrong, to see what is asked of it.
struct Lenient;

impl Official for Lenient {
    fn edition(&self) -> String {
        "banc 2025".to_owned()
    }

    fn common(&self) -> Vec<&str> {
        vec!["IHE"]
    }

    fn volets(&self) -> Vec<&str> {
        vec!["CI-SIS_LDL-SES_2022.01", "CI-SIS_CSE-CS8_2025.01"]
    }

    fn schema(&self, root: Node<'_, '_>) -> Outcome {
        assert_eq!(root.tag_name().name(), "ClinicalDocument");
        Outcome::Checked(Vec::new())
    }

    fn schematrons(&self, names: &[&str], _: Node<'_, '_>) -> Vec<Outcome> {
        names.iter().map(|_| Outcome::Checked(Vec::new())).collect()
    }
}

#[test]
fn the_official_layers_are_those_that_the_document_claims() {
    let run = |xml: String| validate(xml.into_bytes(), Some(&Lenient as &dyn Official));
    let names = |report: &Report| report.layers.iter().map(|layer| layer.name.en.to_string()).collect::<Vec<_>>();
    let exact = run(letter());
    assert_eq!(names(&exact), ["Socle's rules", "XML schema", "schematron IHE", "schematron CI-SIS_LDL-SES_2022.01"]);
    assert_eq!(exact.layers[3].edition.as_deref(), Some("banc 2025"));
    assert!(exact.not_checked().next().is_none());
    let other = run(replaced(&letter(), "extension=\"2022.01\"", "extension=\"2031.01\""));
    assert!(other.findings().any(|finding| finding.rule.point == "édition du volet"), "told, not passed over");
    let level_1 = run(MINIMAL.to_owned());
    assert_eq!(names(&level_1), ["Socle's rules", "XML schema", "schematron IHE"]);
    for (template, words) in
        [("1.2.250.1.213.1.1.1.37", "has no schematron"), ("1.2.250.1.213.1.1.1.3700", "that of a known volet")]
    {
        let report = run(replaced(&letter(), "1.2.250.1.213.1.1.1.29", template));
        let (_, why) = report.not_checked().next().unwrap();
        assert!(why.en.contains(words), "{why:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Bytes changed anywhere: a verdict, never a panic.
    #[test]
    fn bytes_changed_anywhere_give_a_verdict(at in 0usize..20_000, cut in 0usize..40, put in "[<>&\"'a-z0-9#:= ]{0,12}") {
        let mut bytes = letter().into_bytes();
        let from = at.min(bytes.len());
        let to = (from + cut).min(bytes.len());
        bytes.splice(from..to, put.into_bytes());
        let report = validate(bytes, None);
        prop_assert!(report.findings().count() <= 200);
    }
}
