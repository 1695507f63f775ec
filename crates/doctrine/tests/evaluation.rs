//! Statuses, evidence, editions, eligibility, dates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use socle_doctrine::catalogue::{Catalogue, Tables};
use socle_doctrine::dossier::{Assessment, Dossier, DossierError, Refusal, Status, Strength};
use socle_doctrine::eligibility::{Gate, eligibility};
use socle_doctrine::evaluation::{Evaluation, GapSeverity, Row, affected, evaluate};
use socle_doctrine::guide;
use socle_doctrine::product::Product;
use socle_doctrine::timeline::Timeline;
use socle_finding::Lang;

const TODAY: Date = date(2026, 11, 22);

fn product(catalogue: &Catalogue, kind: &str, schemes: &str) -> Product {
    let text = format!(
        "[product]\nname = \"P\"\nversion = \"4.2.0\"\nkinds = [\"{kind}\"]\nschemes = [{schemes}]\n\
         [vendor]\nlegal_name = \"Exemple SAS\"\n"
    );
    Product::read(&text, catalogue).unwrap()
}

fn evidence(kind: &str, produced: &str) -> Value {
    json!({"kind": kind, "sha256": "1".repeat(64), "produced": produced, "origin": "twin"})
}

fn assessment(id: &str, status: &str, evidence: &[Value]) -> Value {
    json!({"requirement": id, "applicability": "applicable", "status": status, "date": "2026-11-20T10:00:00Z", "evidence": evidence})
}

fn dossier_text(catalogue: &Catalogue, assessments: &[Value]) -> String {
    json!({
        "dossier": {"id": "0b4a5d6e-1111-4a2b-9c3d-000000000001", "created": "2026-11-21T10:00:00Z", "tool_version": "0.1.0", "state": "draft"},
        "product": {"name": "P", "version": "4.2.0", "vendor": {"legal_name": "Exemple SAS"}, "kinds": ["LGC"]},
        "catalogue": {"edition": catalogue.edition.code, "sha256": catalogue.sha256},
        "assessments": assessments,
    })
    .to_string()
}

fn row<'e>(evaluation: &'e Evaluation<'_>, id: &str) -> &'e Row<'e> {
    evaluation.rows.iter().find(|row| row.ruling.requirement.id.as_str() == id).unwrap()
}

#[test]
fn acceptance_05_conform_without_evidence_is_refused_with_409() {
    let catalogue = Catalogue::embedded().unwrap();
    let proposal = serde_json::from_value(assessment("DOC-DMP-06", "conform", &[])).unwrap();
    let refusal = Assessment::accept(proposal, &catalogue).unwrap_err();
    assert!(matches!(&refusal, Refusal::ConformWithoutEvidence(id) if id.as_str() == "DOC-DMP-06"));
    assert_eq!(refusal.http_status(), 409);

    let silent = json!({"requirement": "DOC-DUI-01", "applicability": "not-applicable", "status": "not-assessed", "date": "2026-11-20T10:00:00Z", "justification": " "});
    let wild = assessment("DOC-DUI-99", "partial", &[]);
    let text = dossier_text(&catalogue, &[silent, wild, assessment("DOC-DMP-06", "conform", &[])]);
    let Err(DossierError::Refused(all)) = Dossier::read(&text, &catalogue) else { panic!("not refused") };
    assert_eq!(all.len(), 3, "every refusal is listed: {all:?}");
    assert!(all.iter().all(|one| !one.said().fr.is_empty()));
}

#[test]
fn acceptance_06_a_signed_statement_on_what_can_be_probed_is_partial() {
    let catalogue = Catalogue::embedded().unwrap();
    let accept = |id: &str, kind: &str| {
        let proposal = assessment(id, "conform", &[evidence(kind, "2026-11-20T09:00:00Z")]);
        Assessment::accept(serde_json::from_value(proposal).unwrap(), &catalogue).unwrap()
    };
    assert!(catalogue.requirement("DOC-PSC-01").unwrap().is_probed());
    assert_eq!(accept("DOC-PSC-01", "signed-statement").status(), Status::Partial);
    assert_eq!(accept("DOC-PSC-01", "wire-capture").status(), Status::Conform);
    assert!(!catalogue.requirement("DOC-SEGUR-01").unwrap().is_probed());
    assert_eq!(accept("DOC-SEGUR-01", "signed-statement").status(), Status::Conform);
    let order = ["signed-statement", "screenshot", "document-sample", "wire-capture"]
        .map(|kind| accept("DOC-PSC-01", kind).strength().unwrap());
    assert!(order.is_sorted(), "{order:?}");
    let mut report = evidence("validator-report", "2026-11-20T09:00:00Z");
    report["origin"] = "national-test-environment".into();
    report["permalink"] = "https://interopsegur.esante.gouv.fr/x".into();
    let proposal = serde_json::from_value(assessment("DOC-PSC-01", "conform", &[report])).unwrap();
    assert_eq!(Assessment::accept(proposal, &catalogue).unwrap().strength(), Some(Strength::NationalReport));
}

#[test]
fn severities_follow_from_level_condition_and_day() {
    let catalogue = Catalogue::embedded().unwrap();
    let lgc = product(&catalogue, "LGC", "\"SEGUR-REF\"");
    let evaluation = evaluate(&catalogue, &lgc, None, TODAY);
    for (id, severity) in [
        ("DOC-INTEROP-01", Some(GapSeverity::High)),
        ("DOC-INS-05", Some(GapSeverity::Medium)),
        ("DOC-INTEROP-02", Some(GapSeverity::Low)),
        ("DOC-EHDS-01", Some(GapSeverity::Info)),
        ("DOC-DUI-01", None),
    ] {
        assert_eq!(row(&evaluation, id).severity, severity, "{id}");
    }
    assert!(evaluation.blocking().count() > 20);
    assert!(evaluation.blocking().all(|row| row.severity >= Some(GapSeverity::Medium)));
    // A window of years is planned from its first day and blocks from its last: 2026-2028.
    let windowed = evaluation.rows.iter().find(|row| row.ruling.requirement.due.to_string() == "2026-2028").unwrap();
    assert!(!windowed.is_blocking());
}

#[test]
fn evidence_that_no_longer_holds_takes_the_conformity_with_it() {
    let catalogue = Catalogue::embedded().unwrap();
    let lgc = product(&catalogue, "LGC", "\"SEGUR-REF\"");
    let status = |produced: &str, change: fn(&mut Dossier), product: &Product| {
        let text =
            dossier_text(&catalogue, &[assessment("DOC-INS-05", "conform", &[evidence("wire-capture", produced)])]);
        let mut dossier = Dossier::read(&text, &catalogue).unwrap();
        change(&mut dossier);
        let evaluation = evaluate(&catalogue, product, Some(&dossier), TODAY);
        let row = row(&evaluation, "DOC-INS-05");
        (row.status, row.remarks.iter().map(|remark| remark.en.to_string()).collect::<Vec<_>>().join("; "))
    };
    assert_eq!(status("2026-11-20T09:00:00Z", |_| (), &lgc), (Status::Conform, String::new()));
    let (is, why) = status("2025-11-21T23:00:00Z", |_| (), &lgc);
    assert_eq!((is, why.as_str()), (Status::Partial, "evidence older than twelve months"));
    let (is, why) = status("2026-11-20T09:00:00Z", |dossier| dossier.product_version = "4.1.0".to_owned(), &lgc);
    assert_eq!((is, why.as_str()), (Status::Partial, "evidence of version 4.1.0: to be qualified again"));
    let released = Product { released: Some(date(2026, 11, 21)), ..lgc.clone() };
    let (is, why) = status("2026-11-20T09:00:00Z", |_| (), &released);
    assert_eq!((is, why.as_str()), (Status::Partial, "evidence made before this version"));
}

/// Acceptance test 10, as far as it needs no probe: the same input gives the same report.
#[test]
fn acceptance_10_two_evaluations_of_the_same_input_are_identical() {
    let catalogue = Catalogue::embedded().unwrap();
    let lgc = product(&catalogue, "LGC", "\"MDV-LGC\"");
    let text = dossier_text(
        &catalogue,
        &[assessment("DOC-INS-05", "conform", &[evidence("wire-capture", "2026-11-20T09:00:00Z")])],
    );
    let dossier = Dossier::read(&text, &catalogue).unwrap();
    let once = evaluate(&catalogue, &lgc, Some(&dossier), TODAY);
    assert_eq!(once, evaluate(&catalogue, &lgc, Some(&dossier), TODAY));
    let page = || {
        let rulings: Vec<_> = once.rows.iter().map(|row| row.ruling.clone()).collect();
        guide::page(&catalogue, &Timeline::of(&catalogue, TODAY), Some(("P", &rulings)), Lang::Fr)
    };
    assert_eq!(page(), page());
    assert_eq!(once.fiches.iter().map(|fiche| fiche.by_machine).sum::<usize>(), 1);
}

#[test]
fn acceptance_14_a_new_edition_lists_what_it_touches_and_carries_nothing_over() {
    let before = Catalogue::embedded().unwrap();
    let mut tables = Tables::embedded();
    let text = tables.get("requirements.csv").unwrap().replacen(
        "identity is not qualified.",
        "identity is not yet qualified.",
        1,
    );
    assert_ne!(tables.get("requirements.csv").unwrap(), text);
    tables.set("requirements.csv", text);
    let after = Catalogue::read(&tables).unwrap();
    let captured = [evidence("wire-capture", "2026-11-20T09:00:00Z")];
    let text = dossier_text(
        &before,
        &[assessment("DOC-INS-05", "conform", &captured), assessment("DOC-DMP-06", "conform", &captured)],
    );
    let dossier = Dossier::read(&text, &before).unwrap();
    let touched: Vec<_> =
        affected(&dossier, &before, &after).into_iter().map(|one| one.requirement().to_string()).collect();
    assert_eq!(touched, ["DOC-INS-05"]);
    let lgc = product(&before, "LGC", "\"SEGUR-REF\"");
    let conform = |catalogue| {
        let evaluation = evaluate(catalogue, &lgc, Some(&dossier), TODAY);
        evaluation.rows.iter().filter(|row| row.status == Status::Conform).count()
    };
    assert_eq!((conform(&before), conform(&after)), (2, 0), "each waits to be confirmed");
}

#[test]
fn acceptance_20_a_new_drimbox_comes_too_late_and_what_is_not_known_is_never_open() {
    let catalogue = Catalogue::embedded().unwrap();
    let answer = |kind: &str, code: &str, day: Date| {
        let product = product(&catalogue, kind, &format!("\"{code}\""));
        let evaluation = evaluate(&catalogue, &product, None, day);
        eligibility(&catalogue, &product, &evaluation, code).unwrap()
    };
    let drimbox = answer("DRIMBOX", "IMG-DRIMBOX", TODAY);
    assert_eq!(drimbox.gate, Gate::Closed { since: date(2025, 9, 10) });
    assert_eq!(
        drimbox.still_open,
        [("prestations".to_owned(), date(2027, 9, 15)), ("solde".to_owned(), date(2027, 12, 15))]
    );
    assert!(!drimbox.gaps.is_empty() && !drimbox.questions.is_empty());
    assert_eq!(answer("DRIMBOX", "IMG-DRIMBOX", date(2025, 9, 10)).gate, Gate::Open { until: date(2025, 9, 10) });
    for (kind, code, gate) in [
        ("LGC", "MDV-LGC", Gate::Unknown),
        ("SGL", "BIO-SGL", Gate::Unknown),
        ("DPI", "HOP-DPI", Gate::Closed { since: date(2025, 12, 17) }),
        ("PFI", "HOP-PFI", Gate::Closed { since: date(2025, 9, 17) }),
        ("RIS", "IMG-RIS", Gate::Closed { since: date(2025, 9, 10) }),
        ("DMN", "PECAN", Gate::Permanent),
        ("DMN", "DMN-CERT", Gate::Permanent),
        ("TLC", "TLC-CERT", Gate::Permanent),
        ("APP", "MES-CAT", Gate::Permanent),
        ("LPS", "CNDA", Gate::Permanent),
        ("LPS", "EDC-PSC", Gate::Permanent),
        ("ESMS", "ESMS", Gate::Unknown),
        ("ES", "CARE-D2", Gate::Unknown),
        ("ES", "CARE-2026", Gate::Unknown),
        ("APP", "F2030-PREV", Gate::Unknown),
        ("ES", "SUN-ES", Gate::Closed { since: date(2023, 4, 30) }),
    ] {
        let answer = answer(kind, code, TODAY);
        assert_eq!(answer.gate, gate, "{code}");
        assert!(!answer.concerned.is_empty(), "{code}");
    }
    assert!(answer("LGC", "IMG-DRIMBOX", TODAY).concerned.is_empty(), "an LGC is no DRIMbox");
    let late = answer("LGC", "MDV-LGC", date(2027, 6, 1));
    assert!(late.remarks.iter().any(|remark| remark.en.contains("read on 2026-11-22")), "{:?}", late.remarks);
}

#[test]
fn acceptance_22_published_and_announced_are_apart_and_ai_dates_carry_their_remark() {
    let catalogue = Catalogue::embedded().unwrap();
    let timeline = Timeline::of(&catalogue, TODAY);
    let days =
        |list: &[&socle_doctrine::catalogue::Milestone]| list.iter().map(|one| one.day.to_string()).collect::<Vec<_>>();
    assert_eq!(days(&timeline.adopted), ["2026-06-29", "2026-12-02", "2027-12-02", "2028-08-02"]);
    assert_eq!(days(&timeline.announced), ["2026-2028", "2026-12-31", "2027", "2028-12-31"]);
    assert_eq!(timeline.published.len() + 8, catalogue.milestones.len());
    let html = guide::page(&catalogue, &timeline, None, Lang::Fr);
    for event in ["systèmes à haut risque de l'annexe III", "annexe I (dispositifs médicaux)"] {
        let line = html.split("<li").find(|line| line.contains(event)).unwrap();
        assert!(line.contains("(adopté, JOUE non vu)"), "{event}");
    }
    let ai = product(&catalogue, "AI", "");
    let evaluation = evaluate(&catalogue, &ai, None, TODAY);
    for id in ["DOC-IA-09", "DOC-IA-17"] {
        let step = evaluation.roadmap.iter().find(|step| step.requirement.id.as_str() == id).unwrap();
        assert!(step.remarks.iter().any(|remark| remark.fr.contains("JOUE non vu")), "{id}");
    }
    let known = evaluation.roadmap.iter().map(|step| step.day).take_while(Option::is_some);
    assert!(known.is_sorted());
}

#[test]
fn the_guide_shows_every_requirement_fetches_nothing_and_marks_what_is_weak() {
    let catalogue = Catalogue::embedded().unwrap();
    for lang in [Lang::Fr, Lang::En] {
        let html = guide::page(&catalogue, &Timeline::of(&catalogue, TODAY), None, lang);
        assert!(html.contains(&format!("<html lang=\"{}\">", lang.tag())));
        for one in &catalogue.requirements {
            assert_eq!(html.matches(&format!("id=\"{}\"", one.id)).count(), 1, "{}", one.id);
        }
        for fetched in ["src=", "<link", "@import", "url("] {
            assert!(!html.contains(fetched), "{fetched}");
        }
        assert_eq!(html.matches("grade warn").count(), 7, "five requirements and two milestones of grade C");
        let ids: Vec<_> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "an id twice");
        let anchors = html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
        for anchor in anchors {
            assert!(ids.contains(&anchor), "#{anchor} leads nowhere");
        }
    }
}
