//! `socle conformity list`: what binds the product on a day, what will, what does not, and why.

use std::process::ExitCode;

use anyhow::Result;
use jiff::civil::Date;
use serde_json::{Value, json};
use socle_doctrine::applicability::{Applicability, Ruling, rule};
use socle_doctrine::catalogue::{Catalogue, Grade, Level};
use socle_doctrine::product::Product;

use crate::cli::{Format, ListRequirements};
use crate::say::{Speaker, today};

pub(super) fn run(options: &ListRequirements, catalogue: &Catalogue, speaker: &Speaker) -> Result<ExitCode> {
    let Some(product) = super::product(&options.product, catalogue, speaker)? else { return Ok(ExitCode::from(2)) };
    let day = options.date.unwrap_or_else(today);
    let rulings = rule(catalogue, &product, day);
    match options.format {
        Format::Json => speaker.line(serde_json::to_string_pretty(&as_json(catalogue, &product, day, &rulings))?),
        Format::Text => say(options, catalogue, &product, day, &rulings, speaker),
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(catalogue: &Catalogue, product: &Product, day: Date, rulings: &[Ruling<'_>]) -> Value {
    let requirements: Vec<Value> = rulings
        .iter()
        .map(|ruling| {
            let one = ruling.requirement;
            json!({
                "id": one.id, "fiche": one.fiche, "text": one.text, "applicability": ruling.applicability,
                "reasons": ruling.reasons, "missing_facts": ruling.missing_facts, "level": one.level,
                "date": one.due.to_string(), "condition": one.condition, "official_ids": one.official_ids,
                "reference": one.reference, "source_grade": one.grade,
            })
        })
        .collect();
    json!({
        "catalogue": {"edition": catalogue.edition.code, "sha256": catalogue.sha256},
        "product": {"name": product.name, "version": product.version},
        "date": day, "requirements": requirements,
    })
}

fn say(
    options: &ListRequirements,
    catalogue: &Catalogue,
    product: &Product,
    day: Date,
    rulings: &[Ruling<'_>],
    speaker: &Speaker,
) {
    let lang = speaker.lang;
    speaker.line(format!("{} {} · {day} · {}", product.name, product.version, catalogue.edition.label.get(lang)));
    let mut fiche = "";
    for ruling in rulings {
        if ruling.applicability == Applicability::NotApplicable && !options.explain {
            continue;
        }
        if ruling.requirement.fiche != fiche {
            fiche = &ruling.requirement.fiche;
            speaker.line(format!("\n{} · {fiche}", ruling.requirement.chapter));
        }
        say_one(ruling, options.explain, speaker);
    }
    let count = |wanted| rulings.iter().filter(|ruling| ruling.applicability == wanted).count();
    speaker.line(format!(
        "\n{} {} · {} {} · {} {}",
        count(Applicability::Applicable),
        speaker.pick("applicables", "applicable"),
        count(Applicability::NotYet),
        speaker.pick("pas encore", "not yet"),
        count(Applicability::NotApplicable),
        speaker.pick("non applicables", "not applicable"),
    ));
    let missing: std::collections::BTreeSet<_> = rulings.iter().flat_map(|ruling| &ruling.missing_facts).collect();
    if !missing.is_empty() {
        let list = missing.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        speaker.line(format!("{} : {list}", speaker.pick("faits sans réponse", "facts without an answer")));
    }
}

fn say_one(ruling: &Ruling<'_>, explain: bool, speaker: &Speaker) {
    let (lang, one) = (speaker.lang, ruling.requirement);
    let word = match ruling.applicability {
        Applicability::Applicable => speaker.pick("applicable", "applicable"),
        Applicability::NotYet => speaker.pick("pas encore", "not yet"),
        Applicability::NotApplicable => speaker.pick("non applicable", "not applicable"),
    };
    let level = one.level.name();
    speaker.line(format!("  {:<15} {word:<14} {:<11} {}", one.id.as_str(), level.get(lang), one.due));
    speaker.line(format!("      {}", one.text.get(lang)));
    if one.grade == Grade::C {
        speaker.line(format!("      ! {}", one.grade.name().get(lang)));
    }
    if !explain {
        return;
    }
    let reasons: Vec<_> = ruling.reasons.iter().map(|reason| reason.get(lang)).collect();
    speaker.line(format!("      {} : {}", speaker.pick("parce que", "because"), reasons.join(" ; ")));
    if let Some(basis) = &one.legal_basis {
        speaker.line(format!("      {} : {basis}", speaker.pick("base", "basis")));
    }
    if !one.official_ids.is_empty() {
        speaker.line(format!(
            "      {} : {}",
            speaker.pick("identifiant officiel", "official identifier"),
            one.official_ids.join(", ")
        ));
    }
    let grade = one.grade;
    speaker.line(format!(
        "      {} : {} ({} {}, {})",
        speaker.pick("source", "source"),
        one.reference,
        speaker.pick("degré", "grade"),
        grade.token(),
        grade.name().get(lang)
    ));
    if one.level == Level::Coming && ruling.applicability == Applicability::Applicable {
        speaker.line(format!(
            "      {}",
            speaker.pick("à venir : un écart n'est qu'une information", "coming: a gap is information only")
        ));
    }
}
