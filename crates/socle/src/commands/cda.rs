//! `socle cda`: documents for people: shown, compared, built. No network, no configuration.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use socle_cda::build::model::Plan;
use socle_cda::build::{BuildError, EXAMPLE_LDL_SES, EXAMPLE_N1, fhir};
use socle_cda::diff::{Change, Diff, Side, compare};
use socle_cda::{Document, DocumentError, Refused, show};
use socle_fhir::outcome::Shown;
use socle_finding::{Finding, Severity};

use crate::cli::{Cda, CdaAction, Example, Format};
use crate::say::Speaker;
use crate::trouble::{OrTrouble as _, Trouble};

pub(crate) fn run(options: &Cda, speaker: &Speaker) -> Result<ExitCode> {
    match &options.action {
        CdaAction::Show { file, output } => {
            let Some(document) = read(file, speaker)? else { return Ok(ExitCode::from(2)) };
            write(output.as_deref(), show::page(&document, speaker.lang)?.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        CdaAction::Diff { before, after, format } => differ(before, after, *format, speaker),
        CdaAction::Build { example: Some(example), output, .. } => {
            let plan = match example {
                Example::N1 => EXAMPLE_N1,
                Example::LdlSes => EXAMPLE_LDL_SES,
            };
            write(output.as_deref(), plan.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        CdaAction::Build { plan: Some(plan), file, output, .. } => {
            build(plan, file.as_deref(), output.as_deref(), speaker)
        }
        CdaAction::Build { plan: None, .. } => Ok(ExitCode::from(2)),
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Trouble> {
    std::fs::read(file).or_trouble(|| {
        Trouble::new(format!("{} ne peut pas être lu", file.display()), format!("{} cannot be read", file.display()))
    })
}

/// A document, or none when the file holds none, which is said.
fn read(file: &Path, speaker: &Speaker) -> Result<Option<Document>> {
    match Document::parse(bytes_of(file)?) {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            say_finding(&file.display().to_string(), &error.finding(), speaker);
            Ok(None)
        }
    }
}

fn write(output: Option<&Path>, bytes: &[u8]) -> Result<(), Trouble> {
    let Some(file) = output else {
        let written = std::io::stdout().lock().write_all(bytes);
        return written.or_trouble(|| {
            Trouble::fixed("la sortie standard n'accepte pas le résultat", "standard output does not take the result")
        });
    };
    std::fs::write(file, bytes).or_trouble(|| {
        Trouble::new(
            format!("{} ne peut pas être écrit", file.display()),
            format!("{} cannot be written", file.display()),
        )
    })
}

fn say_finding(subject: &str, finding: &Finding, speaker: &Speaker) {
    speaker.issues(subject, &[Shown::of(&finding.clone().into(), speaker.lang)]);
}

fn differ(before: &Path, after: &Path, format: Format, speaker: &Speaker) -> Result<ExitCode> {
    let (Some(before), Some(after)) = (read(before, speaker)?, read(after, speaker)?) else {
        return Ok(ExitCode::from(2));
    };
    let diff = compare(&before, &after)?;
    match format {
        Format::Json => speaker.line(serde_json::to_string_pretty(&diff)?),
        Format::Text => say_diff(&diff, speaker),
    }
    Ok(if diff.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn say_diff(diff: &Diff, speaker: &Speaker) {
    if diff.is_empty() {
        speaker.line(speaker.pick("aucune différence pour un lecteur", "no difference for a reader"));
        return;
    }
    for field in &diff.header {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".to_owned());
        let name = field.name.get(speaker.lang);
        speaker.line(format!("{name} : {} → {}", value(&field.before), value(&field.after)));
    }
    if let Some(body) = &diff.body {
        speaker.line(body.get(speaker.lang));
    }
    for section in &diff.sections {
        let word = match section.change {
            Change::Added => speaker.pick("section ajoutée", "section added"),
            Change::Removed => speaker.pick("section retirée", "section removed"),
            Change::Changed => speaker.pick("section modifiée", "section changed"),
        };
        speaker.line(format!("\n{word} : {}", section.title));
        for line in &section.lines {
            let sign = match line.side {
                Side::Before => '-',
                Side::After => '+',
                Side::Both => ' ',
            };
            speaker.line(format!("  {sign} {}", line.text));
        }
    }
}

fn build(plan: &Path, file: Option<&Path>, output: Option<&Path>, speaker: &Speaker) -> Result<ExitCode> {
    let subject = plan.display().to_string();
    let bytes = bytes_of(plan)?;
    let built = match fhir_of(&bytes) {
        Some(source) => build_from_fhir(&source, file)?,
        None => build_from_plan(&subject, &bytes, file)?,
    };
    match built {
        Ok(document) => {
            let notable = document.findings().iter().filter(|finding| finding.severity > Severity::Information);
            notable.for_each(|finding| say_finding(&subject, finding, speaker));
            write(output, document.bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(BuildError::Refused(refused)) => {
            refused.findings.iter().for_each(|finding| say_finding(&subject, finding, speaker));
            Ok(ExitCode::from(1))
        }
        Err(error) => Err(explained(error).into()),
    }
}

/// The FHIR resource that the bytes are, if they are one; else they are a plan.
fn fhir_of(bytes: &[u8]) -> Option<socle_fhir::Document> {
    let is_xml = bytes.trim_ascii_start().starts_with(b"<");
    let read = if is_xml {
        socle_fhir::xml::read(bytes.to_vec()).ok()
    } else {
        socle_fhir::Document::parse(bytes.to_vec()).ok()
    };
    read.filter(|source| source.root().resource_type().is_some())
}

/// A FHIR document (a Bundle with a Composition) makes a lettre de liaison, a PDSm transaction a niveau 1 document.
fn build_from_fhir(
    source: &socle_fhir::Document,
    file: Option<&Path>,
) -> Result<Result<Document, BuildError>, Trouble> {
    if file.is_some() {
        return Err(Trouble::fixed(
            "un Bundle FHIR contient déjà son fichier (Binary) : --file ne s'applique pas",
            "a FHIR Bundle already holds its file (Binary): --file does not apply",
        ));
    }
    let has = |kind: &str| {
        let mut resources = source.root().all("entry").filter_map(|entry| entry.get("resource"));
        resources.any(|resource| resource.resource_type() == Some(kind))
    };
    if has("Composition") {
        return Ok(fhir::discharge_letter(source).map_err(BuildError::Refused).and_then(|letter| letter.build()));
    }
    if !has("DocumentReference") {
        return Err(Trouble::fixed(
            "ce FHIR ne dit aucun document : ni Composition, ni DocumentReference dans un Bundle",
            "this FHIR says no document: no Composition and no DocumentReference in a Bundle",
        )
        .mend(
            "donnez un Bundle avec une Composition (lettre de liaison) ou une transaction PDSm (niveau 1)",
            "give a Bundle with a Composition (lettre de liaison) or a PDSm transaction (niveau 1)",
        ));
    }
    let lot = match socle_fhir::pdsm::read_provide_bundle(source) {
        Ok(read) => read.value,
        Err(issues) => {
            let findings = issues.0.into_iter().map(|issue| issue.finding).collect();
            return Ok(Err(BuildError::Refused(Refused { findings })));
        }
    };
    if lot.documents.len() > 1 {
        let (fr, en) = ("la transaction porte plusieurs documents", "the transaction holds several documents");
        return Err(Trouble::fixed(fr, en).mend("gardez-en un par construction", "keep one for each build"));
    }
    Ok(fhir::level_1(&lot, 0).map_err(BuildError::Refused).and_then(|document| document.build()))
}

fn build_from_plan(subject: &str, bytes: &[u8], file: Option<&Path>) -> Result<Result<Document, BuildError>, Trouble> {
    let plan: Plan = serde_json::from_slice(bytes).or_trouble(|| {
        Trouble::new(
            format!("{subject} n'est pas un plan de document"),
            format!("{subject} is not a plan of a document"),
        )
        .mend("partez de socle cda build --example n1", "start from socle cda build --example n1")
    })?;
    match (plan, file) {
        (Plan::N1(mut document), Some(file)) => {
            document.file = bytes_of(file)?;
            Ok(document.build())
        }
        (Plan::N1(_), None) => {
            let trouble =
                Trouble::fixed("un document de niveau 1 enveloppe un fichier", "a niveau 1 document is around a file");
            Err(trouble.mend("donnez --file cr.pdf", "give --file cr.pdf"))
        }
        (Plan::LdlSes(_), Some(_)) => Err(Trouble::fixed(
            "une lettre de liaison est structurée : elle n'enveloppe pas de fichier",
            "a lettre de liaison is structured: it holds no file",
        )),
        (Plan::LdlSes(letter), None) => Ok(letter.build()),
    }
}

fn explained(error: BuildError) -> Trouble {
    match error {
        BuildError::Kind(code) => Trouble::new(
            format!("{code} n'est pas un type de document publié (JDV_J07)"),
            format!("{code} is not a published type of document (JDV_J07)"),
        )
        .mend("prenez un code de JDV_J07, par exemple 11488-4", "take a code of JDV_J07, for instance 11488-4"),
        BuildError::MediaType => Trouble::fixed(
            "le fichier n'est ni un PDF, ni un texte en UTF-8, ni du RTF, du JPEG ou du TIFF",
            "the file is neither a PDF, a text in UTF-8, RTF, JPEG nor TIFF",
        ),
        BuildError::Document(DocumentError::Xml(error)) => Trouble::new(error.to_string(), error.to_string()),
        other => Trouble::new(other.to_string(), other.to_string()),
    }
}
