//! Which requirements bind which product, and how a product file is read.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use jiff::civil::{Date, date};
use socle_doctrine::applicability::{Applicability, Ruling, rule};
use socle_doctrine::catalogue::Catalogue;
use socle_doctrine::product::{Draft, Product};
use socle_finding::Lang;

const TODAY: Date = date(2026, 11, 21);

fn lgc(schemes: &str, facts: &str) -> String {
    format!(
        "[product]\nname = \"CabinetPlus\"\nversion = \"4.2.0\"\nkinds = [\"LGC\"]\nschemes = [{schemes}]\n\
         [vendor]\nlegal_name = \"Exemple SAS\"\n[facts]\n{facts}\n"
    )
}

/// The answer for one requirement, its reasons in English, its date.
fn answer(text: &str, id: &str, today: Date) -> (Applicability, String, String) {
    let catalogue = Catalogue::embedded().unwrap();
    let product = Product::read(text, &catalogue).unwrap();
    let rulings = rule(&catalogue, &product, today);
    assert_eq!(rulings.len(), catalogue.requirements.len());
    let found: &Ruling<'_> = rulings.iter().find(|ruling| ruling.requirement.id.as_str() == id).unwrap();
    let reasons: Vec<_> = found.reasons.iter().map(|reason| reason.en.as_ref()).collect();
    assert!(!reasons.is_empty(), "{id} has no reason");
    (found.applicability, reasons.join("; "), found.requirement.due.to_string())
}

#[test]
fn acceptance_02_an_lgc_that_aims_at_segur() {
    let text = lgc("\"SEGUR-REF\"", "");
    let (is, why, _) = answer(&text, "DOC-INS-05", TODAY);
    assert_eq!(is, Applicability::Applicable);
    assert_eq!(why, "binds ANY; condition « référencement Ségur »: SEGUR-REF is aimed at; in force");
    assert_eq!(answer(&text, "DOC-DMP-06", TODAY).0, Applicability::Applicable);
    let (is, why, _) = answer(&text, "DOC-DUI-01", TODAY);
    assert_eq!(is, Applicability::NotApplicable);
    assert_eq!(why, "binds DUI; the product is EDITOR, LPS, LGC");
    let (is, why, due) = answer(&text, "DOC-EHDS-01", TODAY);
    assert_eq!((is, due.as_str()), (Applicability::NotYet, "2029-03-26"));
    assert!(why.contains("fact missing (ehr_system, ehr_mode, ehr_categories)"), "{why}");
    let known = lgc("\"MDV-LGC\"", "ehr_system = true\nehr_categories = [\"c\"]\nehr_mode = [\"marketed\"]");
    assert_eq!(answer(&known, "DOC-EHDS-01", TODAY).0, Applicability::NotYet);
    assert_eq!(answer(&known, "DOC-INS-05", TODAY).0, Applicability::Applicable, "a corridor is the listing");
}

#[test]
fn acceptance_03_without_scheme_what_is_conditional_leaves_and_what_is_not_stays() {
    let catalogue = Catalogue::embedded().unwrap();
    let with = Product::read(&lgc("\"SEGUR-REF\"", ""), &catalogue).unwrap();
    let without = Product::read(&lgc("", ""), &catalogue).unwrap();
    let mut left = 0;
    for (a, b) in rule(&catalogue, &with, TODAY).iter().zip(rule(&catalogue, &without, TODAY)) {
        let condition = a.requirement.condition.as_deref().unwrap_or_default();
        if a.applicability != Applicability::NotApplicable && condition.starts_with("référencement Ségur") {
            assert_eq!(b.applicability, Applicability::NotApplicable, "{}", b.requirement.id);
            assert!(b.reasons[0].en.contains("scheme not aimed at (SEGUR-REF)"), "{}", b.reasons[0].en);
            left += 1;
        } else if condition.is_empty() {
            let dated_by_segur = a.requirement.due.to_string().starts_with("Ségur");
            assert!(dated_by_segur || a.applicability == b.applicability, "{}", b.requirement.id);
        }
    }
    assert!(left > 15, "only {left} conditional requirements left");
}

#[test]
fn acceptance_19_in_house_and_as_a_service_have_their_own_day() {
    let facts = |mode: &str| format!("ehr_system = true\nehr_categories = [\"a\"]\nehr_mode = [{mode}]");
    let service = lgc("", &facts("\"service\""));
    let (is, _, due) = answer(&service, "DOC-EHDS-08", TODAY);
    assert_eq!((is, due.as_str()), (Applicability::NotYet, "2031-03-26"));
    assert_eq!(answer(&service, "DOC-EHDS-01", TODAY).0, Applicability::NotApplicable);
    let marketed = lgc("", &facts("\"marketed\""));
    let (is, _, due) = answer(&marketed, "DOC-EHDS-01", TODAY);
    assert_eq!((is, due.as_str()), (Applicability::NotYet, "2029-03-26"));
    assert_eq!(answer(&marketed, "DOC-EHDS-08", TODAY).0, Applicability::NotApplicable);
    let both = lgc("", &facts("\"marketed\", \"service\""));
    for id in ["DOC-EHDS-01", "DOC-EHDS-08"] {
        assert_eq!(answer(&both, id, TODAY).0, Applicability::NotYet, "{id}: sold both ways, two dates");
    }
    for (text, id) in [(&service, "DOC-EHDS-02"), (&marketed, "DOC-EHDS-02")] {
        assert_eq!(answer(text, id, TODAY).0, Applicability::NotYet, "chapter II looks at the category only");
    }
    assert_eq!(answer(&service, "DOC-EHDS-03", TODAY).0, Applicability::NotApplicable, "category a is not d to f");
}

#[test]
fn the_day_of_a_requirement_decides_and_a_day_that_is_unknown_never_blocks() {
    let catalogue = Catalogue::embedded().unwrap();
    let host = lgc("", "").replace("[facts]", "[[hosting]]\nhost = \"H\"\n[facts]");
    assert_eq!(answer(&host, "DOC-HDS-02", date(2026, 5, 15)).0, Applicability::NotYet);
    assert_eq!(answer(&host, "DOC-HDS-02", date(2026, 5, 16)).0, Applicability::Applicable);
    let product = Product::read(&host, &catalogue).unwrap();
    for ruling in rule(&catalogue, &product, date(2099, 1, 1)) {
        let due = ruling.requirement.due.to_string();
        if due == "UNKNOWN" || due.starts_with("selon") {
            assert_ne!(ruling.applicability, Applicability::Applicable, "{}", ruling.requirement.id);
            assert!(!ruling.blocks, "{}", ruling.requirement.id);
        }
    }
}

#[test]
fn what_follows_from_a_product_is_in_its_closure() {
    let catalogue = Catalogue::embedded().unwrap();
    let closure = |text: &str| {
        let product = Product::read(text, &catalogue).unwrap();
        product.closure().iter().map(|kind| kind.token()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(closure(&lgc("", "")), "ANY EDITOR LPS LGC");
    assert_eq!(closure(&lgc("", "").replace("LGC", "APP")), "ANY EDITOR APP");
    assert_eq!(closure(&lgc("", "").replace("LGC", "ES")), "ANY ES");
    let proxy = "[[components]]\nrole = \"PROXY\"\nname = \"R\"\nversion = \"1\"\n[[hosting]]\nhost = \"H\"\n[facts]";
    assert_eq!(closure(&lgc("", "").replace("[facts]", proxy)), "ANY EDITOR LPS LGC PROXY HOST");
}

#[test]
fn a_product_file_with_one_thing_wrong_is_refused_by_its_key() {
    let catalogue = Catalogue::embedded().unwrap();
    let good = lgc("\"SEGUR-REF\"", "dmp_access = true");
    assert!(Product::read(&good, &catalogue).is_ok());
    let cases = [
        ("unknown kind", good.replace("\"LGC\"", "\"CABINET\""), "product.kinds: `CABINET`"),
        ("everything as a kind", good.replace("\"LGC\"", "\"ANY\""), "product.kinds: `ANY`"),
        ("no kind", good.replace("[\"LGC\"]", "[]"), "product.kinds"),
        ("unknown scheme", good.replace("SEGUR-REF", "SEGUR"), "product.schemes: `SEGUR`"),
        ("unknown fact", good.replace("dmp_access", "dmp"), "facts: `dmp`"),
        ("a fact that is a word", good.replace("= true", "= \"oui\""), "facts.dmp_access"),
        ("empty version", good.replace("4.2.0", " "), "product.version: empty"),
        ("siren of eight digits", good.replace("Exemple SAS\"", "Exemple SAS\"\nsiren = \"12345678\""), "vendor.siren"),
        ("unknown key", good.replace("[vendor]", "[vendor]\ncolour = 1"), "line 7"),
        ("not TOML", "product".to_owned(), "line 1"),
        ("category g", good.replace("dmp_access = true", "ehr_categories = [\"g\"]"), "facts.ehr_categories"),
        ("mode rented", good.replace("dmp_access = true", "ehr_mode = [\"rented\"]"), "facts.ehr_mode"),
        (
            "HDS version 3",
            good.replace("[facts]", "[[hosting]]\nhost = \"H\"\nhds_reference = 3\n[facts]"),
            "hosting[0].hds_reference",
        ),
        (
            "activity 7",
            good.replace("[facts]", "[[hosting]]\nhost = \"H\"\nactivities = [7]\n[facts]"),
            "hosting[0].activities",
        ),
        (
            "a role that is none",
            good.replace("[facts]", "[[components]]\nrole = \"X\"\nname = \"R\"\nversion = \"1\"\n[facts]"),
            "components[0].role",
        ),
    ];
    for (name, text, said) in cases {
        let error = Product::read(&text, &catalogue).unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
}

#[test]
fn what_the_wizard_writes_reads_back_in_both_languages() {
    let catalogue = Catalogue::embedded().unwrap();
    let draft = Draft {
        name: "Cabinet \"Plus\"\\".to_owned(),
        version: "4.2".to_owned(),
        vendor: "Exemple SAS".to_owned(),
        kinds: vec!["LGC".to_owned()],
        schemes: vec!["MDV-LGC".to_owned()],
        facts: [("dmp_access".to_owned(), true), ("recording".to_owned(), false)].into(),
    };
    for lang in [Lang::Fr, Lang::En] {
        let product = Product::read(&draft.to_toml(&catalogue, lang), &catalogue).unwrap();
        assert_eq!(product.name, draft.name);
        assert_eq!(product.facts, draft.facts);
        assert_eq!(product.ehr.system, None);
    }
}
