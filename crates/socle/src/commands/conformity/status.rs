//! `socle conformity status`: gaps, roadmap, alerts, and whether the schemes aimed at are open.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use socle_doctrine::applicability::Applicability;
use socle_doctrine::catalogue::{Catalogue, Grade};
use socle_doctrine::dossier::{Dossier, DossierError};
use socle_doctrine::eligibility::{Eligibility, Gate, eligibility};
use socle_doctrine::evaluation::{Evaluation, Row, SCALE, evaluate};
use socle_doctrine::product::Product;

use crate::cli::{Format, ProductStatus};
use crate::say::{Speaker, today};
use crate::trouble::{OrTrouble as _, Trouble};

pub(super) fn run(options: &ProductStatus, catalogue: &Catalogue, speaker: &Speaker) -> Result<ExitCode> {
    let Some(product) = super::product(&options.product, catalogue, speaker)? else { return Ok(ExitCode::from(2)) };
    let dossier = match options.dossier.as_deref() {
        None => None,
        Some(file) => match dossier(file, catalogue, speaker)? {
            None => return Ok(ExitCode::from(2)),
            found => found,
        },
    };
    let evaluation = evaluate(catalogue, &product, dossier.as_ref(), options.date.unwrap_or_else(today));
    let windows: Vec<Eligibility> =
        product.schemes.iter().filter_map(|scheme| eligibility(catalogue, &product, &evaluation, scheme)).collect();
    match options.format {
        Format::Json => {
            speaker.line(serde_json::to_string_pretty(&as_json(catalogue, &product, &evaluation, &windows))?);
        }
        Format::Text => say(&product, &evaluation, &windows, speaker),
    }
    Ok(if evaluation.blocking().next().is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The dossier of a file, or none when it breaks rules, which are told one by one.
fn dossier(file: &Path, catalogue: &Catalogue, speaker: &Speaker) -> Result<Option<Dossier>> {
    let text = std::fs::read_to_string(file).or_trouble(|| {
        Trouble::new(format!("{} ne peut pas être lu", file.display()), format!("{} cannot be read", file.display()))
    })?;
    let error = match Dossier::read(&text, catalogue) {
        Ok(dossier) => return Ok(Some(dossier)),
        Err(error) => error,
    };
    let said = match &error {
        DossierError::Shape(detail) => {
            vec![format!("{} ({detail})", speaker.pick("ce n'est pas un dossier", "this is no dossier"))]
        }
        DossierError::Refused(all) => all.iter().map(|one| one.said().get(speaker.lang).to_owned()).collect(),
    };
    for one in said {
        speaker.note(format!("{} : {} : {one}", speaker.pick("erreur", "error"), file.display()));
    }
    Ok(None)
}

fn as_json(catalogue: &Catalogue, product: &Product, evaluation: &Evaluation<'_>, windows: &[Eligibility]) -> Value {
    let row = |row: &Row<'_>| {
        json!({
            "id": row.ruling.requirement.id, "applicability": row.ruling.applicability, "status": row.status,
            "severity": row.severity, "blocking": row.is_blocking(), "strength": row.strength,
            "by_machine": row.is_machine, "remarks": row.remarks, "missing_facts": row.ruling.missing_facts,
        })
    };
    let step = |step: &socle_doctrine::evaluation::Step<'_>| {
        json!({
            "id": step.requirement.id, "day": step.day, "date": step.requirement.due.to_string(),
            "remarks": step.remarks, "source_grade": step.requirement.grade,
        })
    };
    let window = |one: &Eligibility| {
        json!({
            "scheme": one.scheme, "name": one.name, "wave": one.wave, "concerned": one.concerned, "gate": one.gate,
            "still_open": one.still_open, "missing": one.gaps, "questions": one.questions, "remarks": one.remarks,
        })
    };
    json!({
        "catalogue": {"edition": catalogue.edition.code, "sha256": catalogue.sha256},
        "product": {"name": product.name, "version": product.version},
        "date": evaluation.day,
        "fiches": evaluation.fiches,
        "requirements": evaluation.rows.iter().map(row).collect::<Vec<_>>(),
        "roadmap": evaluation.roadmap.iter().map(step).collect::<Vec<_>>(),
        "alerts": evaluation.alerts,
        "eligibility": windows.iter().map(window).collect::<Vec<_>>(),
        "maturity": {"scale": SCALE, "themes": evaluation.maturity},
    })
}

fn say(product: &Product, evaluation: &Evaluation<'_>, windows: &[Eligibility], speaker: &Speaker) {
    speaker.line(format!("{} {} · {}", product.name, product.version, evaluation.day));
    say_fiches(evaluation, speaker);
    say_gaps(evaluation, speaker);
    say_windows(windows, speaker);
    say_alerts(evaluation, speaker);
    say_roadmap(evaluation, speaker);
    speaker.line(format!("\n{} ({})", speaker.pick("Maturité", "Maturity"), SCALE.get(speaker.lang)));
    for one in &evaluation.maturity {
        let level = one.level.map_or_else(|| "–".to_owned(), |level| level.to_string());
        let of = speaker.pick("conformes sur", "conform of");
        speaker.line(format!("  {:<18} {level}   ({} {of} {})", one.theme.get(speaker.lang), one.conform, one.out_of));
    }
}

fn say_fiches(evaluation: &Evaluation<'_>, speaker: &Speaker) {
    speaker.line(format!(
        "\n{:<48} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "Fiche",
        speaker.pick("conforme", "conform"),
        speaker.pick("partiel", "partial"),
        speaker.pick("non conf.", "not conf."),
        speaker.pick("à évaluer", "to assess"),
        speaker.pick("bloquant", "blocking"),
        speaker.pick("à venir", "coming"),
    ));
    for one in &evaluation.fiches {
        let name: String = one.fiche.chars().take(48).collect();
        speaker.line(format!(
            "{name:<48} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            one.conform,
            one.partial,
            one.non_conform,
            one.not_assessed + one.not_testable,
            one.blocking,
            one.coming
        ));
    }
    let conform: usize = evaluation.fiches.iter().map(|one| one.conform).sum();
    let by_machine: usize = evaluation.fiches.iter().map(|one| one.by_machine).sum();
    speaker.line(format!(
        "{} : {conform}, {} {by_machine}",
        speaker.pick("conformes", "conform"),
        speaker.pick("dont prouvées par une machine", "of which proven by a machine"),
    ));
}

fn say_gaps(evaluation: &Evaluation<'_>, speaker: &Speaker) {
    let mut gaps: Vec<&Row<'_>> = evaluation.blocking().collect();
    gaps.sort_by_key(|row| std::cmp::Reverse(row.severity));
    speaker.line(format!("\n{} : {}", speaker.pick("Écarts bloquants", "Blocking gaps"), gaps.len()));
    for row in gaps {
        let one = row.ruling.requirement;
        let severity = match row.severity {
            Some(socle_doctrine::evaluation::GapSeverity::High) => speaker.pick("haute", "high"),
            _ => speaker.pick("moyenne", "medium"),
        };
        let warn = if one.grade == Grade::C { " ⚠ C" } else { "" };
        speaker.line(format!("  {:<15} {severity:<8} {}{warn}", one.id.as_str(), one.text.get(speaker.lang)));
        for remark in &row.remarks {
            speaker.line(format!("      {}", remark.get(speaker.lang)));
        }
    }
}

fn say_windows(windows: &[Eligibility], speaker: &Speaker) {
    if !windows.is_empty() {
        speaker.line(format!("\n{}", speaker.pick("Candidature", "Application")));
    }
    for one in windows {
        let gate = match &one.gate {
            Gate::Closed { since } => format!("{} {since}", speaker.pick("close depuis le", "closed since")),
            Gate::Open { until } => format!("{} {until}", speaker.pick("ouverte jusqu'au", "open until")),
            Gate::Later { opens } => format!("{} {opens}", speaker.pick("ouvre le", "opens on")),
            Gate::Permanent => speaker.pick("permanente", "permanent").to_owned(),
            Gate::Unknown => "UNKNOWN".to_owned(),
        };
        speaker.line(format!("  {:<14} {} : {gate}", one.scheme, one.name));
        if one.concerned.is_empty() {
            speaker.line(format!(
                "      {}",
                speaker.pick("ce produit n'est pas concerné", "this product is not concerned")
            ));
        }
        for (step, until) in &one.still_open {
            speaker.line(format!("      {step} : {} {until}", speaker.pick("jusqu'au", "until")));
        }
        if !one.gaps.is_empty() {
            let gaps = one.gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            speaker.line(format!("      {} : {gaps}", speaker.pick("manque", "missing")));
        }
        if !one.questions.is_empty() {
            speaker.line(format!("      {} : {}", speaker.pick("à réunir", "to gather"), one.questions.join(", ")));
        }
        for remark in &one.remarks {
            speaker.line(format!("      {}", remark.get(speaker.lang)));
        }
    }
}

fn say_alerts(evaluation: &Evaluation<'_>, speaker: &Speaker) {
    if !evaluation.alerts.is_empty() {
        speaker.line(format!("\n{}", speaker.pick("Échéances proches ou passées", "Days that are near or past")));
    }
    for alert in &evaluation.alerts {
        let past = if alert.is_past { speaker.pick("passé : ", "past: ") } else { "" };
        speaker.line(format!("  {} {past}{}", alert.day, alert.said.get(speaker.lang)));
    }
}

fn say_roadmap(evaluation: &Evaluation<'_>, speaker: &Speaker) {
    let coming = evaluation.rows.iter().filter(|row| row.ruling.applicability == Applicability::NotYet).count();
    speaker.line(format!("\n{} : {coming}", speaker.pick("Feuille de route", "Roadmap")));
    for step in &evaluation.roadmap {
        let one = step.requirement;
        speaker.line(format!("  {:<26} {:<15} {}", one.due.to_string(), one.id.as_str(), one.text.get(speaker.lang)));
        for remark in &step.remarks {
            speaker.line(format!("      {}", remark.get(speaker.lang)));
        }
    }
}
