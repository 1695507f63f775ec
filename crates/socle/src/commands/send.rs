//! `socle send`: the transaction that any software could post, built from documents alone.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use socle_cda::{Document, DocumentError, Refused};
use socle_fhir::fr_core::{DeclaredEvidence, DeclaredPatient, read_patient};
use socle_fhir::outcome::{self, Shown};
use socle_fhir::pdsm::{Addressee, PartyKind, Recipient, Visibility, write_provide_bundle};
use socle_identity::{HighConfidenceDevice, MssAddress};

use super::configuration;
use super::lot::{LotError, Wishes, lot_of, patient_of};
use crate::cli::{Format, Send};
use crate::remote::Remote;
use crate::say::Speaker;
use crate::trouble::{OrTrouble as _, Trouble};

/// A document larger than this is not read (the front door would refuse it).
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// What became of one file.
enum Sent {
    Taken {
        flow: String,
        remarks: Vec<Shown>,
    },
    Refused(Vec<Shown>),
    /// Not sent: it is no document that could be.
    Unfit(Vec<Shown>),
    /// Not sent: it could not be read, or the platform gave no answer of its own.
    Unusable(anyhow::Error),
}

pub(crate) async fn run(file: Option<&Path>, options: &Send, speaker: &Speaker) -> Result<ExitCode> {
    let config = configuration(file)?;
    let asked = match Asked::read(options) {
        Ok(asked) => asked,
        Err(wrong) => {
            wrong.iter().for_each(|error| speaker.trouble(None, error));
            return Ok(ExitCode::from(2));
        }
    };
    // Reached when the first document that can be sent is there: what is wrong with the files is said
    // without a platform.
    let mut remote = None;
    let mut worst = 0;
    for path in &options.files {
        let sent = match bundle_of(path, options, &asked) {
            Ok(bundle) => {
                let remote = match &mut remote {
                    Some(remote) => remote,
                    none => none.insert(Remote::connect(&config, speaker.lang).await?),
                };
                post(remote, bundle).await?
            }
            Err(error) => unfit(error, speaker),
        };
        worst = worst.max(tell(path, &sent, options.format, speaker));
    }
    Ok(ExitCode::from(worst))
}

/// The options, understood.
struct Asked {
    evidence: Option<DeclaredEvidence>,
    recipients: Vec<Recipient>,
    patient: Option<DeclaredPatient>,
}

impl Asked {
    /// Everything that is wrong with the command, not the first thing only.
    fn read(options: &Send) -> Result<Self, Vec<anyhow::Error>> {
        let mut wrong = Vec::new();
        let evidence = evidence_of(options).map_err(|error| wrong.push(error)).unwrap_or_default();
        let mut recipients = Vec::new();
        for text in &options.to {
            match recipient(text) {
                Ok(recipient) => recipients.push(recipient),
                Err(error) => wrong.push(error),
            }
        }
        let patient = options.patient.as_deref().map(read_patient_file).transpose();
        let patient = patient.map_err(|error| wrong.push(error)).unwrap_or_default();
        if options.no_dmp && options.to.is_empty() {
            let trouble = Trouble::fixed(
                "--no-dmp sans --to : rien ne serait livré",
                "--no-dmp without --to: nothing would be delivered",
            );
            wrong.push(trouble.mend("donnez un destinataire (--to)", "give a recipient (--to)").into());
        }
        let missing = options.files.iter().filter(|path| !path.exists());
        wrong.extend(missing.map(|path| {
            let path = path.display();
            let trouble =
                Trouble::new(format!("{path} : ce fichier n'existe pas"), format!("{path}: there is no such file"));
            trouble.mend("vérifiez le chemin ; rien n'est parti", "check the path; nothing left").into()
        }));
        if wrong.is_empty() { Ok(Self { evidence, recipients, patient }) } else { Err(wrong) }
    }
}

/// The paper that was checked, if the caller says so. Nothing is assumed (EXI SI 10).
fn evidence_of(options: &Send) -> Result<Option<DeclaredEvidence>> {
    let Some(code) = &options.checked_document else {
        if options.checked_on.is_some() {
            let trouble =
                Trouble::fixed("--checked-on sans --checked-document", "--checked-on without --checked-document");
            return Err(trouble.mend("dites quelle pièce a été contrôlée", "say which paper was checked").into());
        }
        return Ok(None);
    };
    let device: HighConfidenceDevice = code.parse().context("--checked-document")?;
    let checked_on: Date = match &options.checked_on {
        Some(text) => text.parse().or_trouble(|| {
            let trouble = Trouble::new(
                format!("--checked-on {text} : ce n'est pas une date"),
                format!("--checked-on {text}: this is not a date"),
            );
            trouble.mend("écrivez-la AAAA-MM-JJ : 2026-11-24", "write it YYYY-MM-DD: 2026-11-24")
        })?,
        None => crate::say::today(),
    };
    Ok(Some(DeclaredEvidence { device, checked_on }))
}

fn recipient(text: &str) -> Result<Recipient> {
    if text == "patient" {
        return Ok(Recipient { to: Addressee::ThePatient, kind: PartyKind::Patient, name: None });
    }
    let address: MssAddress = text
        .parse()
        .with_context(|| format!("--to {}", if text.ends_with("@patient.mssante.fr") { "(patient)" } else { text }))?;
    let kind = match address {
        MssAddress::Patient(_) => PartyKind::Patient,
        MssAddress::Professional { .. } => PartyKind::Practitioner,
    };
    Ok(Recipient { to: Addressee::Mailbox(address), kind, name: None })
}

fn read_patient_file(path: &Path) -> Result<DeclaredPatient> {
    let shown = || format!("--patient {}", path.display());
    let bytes = std::fs::read(path).with_context(shown)?;
    let document = socle_fhir::Document::parse(Bytes::from(bytes)).with_context(shown)?;
    Ok(read_patient(document.root()).with_context(shown)?.value)
}

fn bundle_of(path: &Path, options: &Send, asked: &Asked) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if size > FILE_MAX {
        let megabytes = size / 1024 / 1024;
        let trouble = Trouble::new(
            format!("{megabytes} Mo : un document de plus de 64 Mo n'est pas lu"),
            format!("{megabytes} MB: a document over 64 MB is not read"),
        );
        return Err(trouble
            .mend("réduisez les images et PDF qu'il contient", "reduce the images and PDF that it holds")
            .into());
    }
    let document = Document::parse(Bytes::from(std::fs::read(path)?))?;
    let mut patient = match &asked.patient {
        Some(patient) => patient.clone(),
        None => patient_of(socle_cda::Header::read(&document)?)?,
    };
    if asked.evidence.is_some() {
        patient.evidence = asked.evidence;
    }
    let mut hidden = Vec::new();
    if options.masked {
        hidden.push(Visibility::MaskedToProfessionals);
    }
    if options.invisible {
        hidden.push(Visibility::InvisibleToPatient);
    }
    let wishes = Wishes {
        patient: Some(patient),
        recipients: asked.recipients.clone(),
        feed_dmp: !options.no_dmp,
        hidden,
        source: "1.2.250.1.71.4.2.2".parse()?,
    };
    Ok(write_provide_bundle(&lot_of(&document, wishes, Timestamp::now())?))
}

/// A document that breaks a rule is told by its findings, anything else by its error.
fn unfit(error: anyhow::Error, speaker: &Speaker) -> Sent {
    let findings = if let Some(refused) = error.downcast_ref::<Refused>() {
        refused.findings.clone()
    } else if let Some(lot) = error.downcast_ref::<LotError>() {
        lot.findings()
    } else if let Some(document) = error.downcast_ref::<DocumentError>() {
        vec![document.finding()]
    } else {
        return Sent::Unusable(error);
    };
    Sent::Unfit(findings.into_iter().map(|finding| Shown::of(&finding.into(), speaker.lang)).collect())
}

async fn post(remote: &mut Remote, bundle: Vec<u8>) -> Result<Sent> {
    let response = remote.transaction(bundle).await?;
    let flow =
        response.headers().get("socle-flow").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let document = socle_fhir::Document::parse(response.body().clone()).or_trouble(|| {
        Trouble::fixed("la plateforme n'a pas répondu en FHIR", "the platform did not answer in FHIR")
    })?;
    if response.status().is_success() {
        let remarks = document.root().get("entry").into_iter().flat_map(|entries| entries.items().collect::<Vec<_>>());
        let remarks =
            remarks.filter_map(|entry| outcome::read(entry.get("response")?.get("outcome")?)).flatten().collect();
        return Ok(Sent::Taken { flow, remarks });
    }
    match outcome::read(document.root()) {
        Some(issues) => Ok(Sent::Refused(issues)),
        None => Ok(Sent::Unusable(anyhow::anyhow!("HTTP {}", response.status()))),
    }
}

/// Says it, and gives the exit code that it is worth.
fn tell(path: &Path, sent: &Sent, format: Format, speaker: &Speaker) -> u8 {
    let name = path.display();
    let (verdict, code) = match sent {
        Sent::Taken { .. } => ("accepted", 0),
        Sent::Refused(_) => ("refused", 1),
        Sent::Unfit(_) | Sent::Unusable(_) => ("unusable", 2),
    };
    if format == Format::Json {
        let issues = match sent {
            Sent::Taken { remarks, .. } => remarks.iter().map(issue_json).collect(),
            Sent::Refused(issues) | Sent::Unfit(issues) => issues.iter().map(issue_json).collect(),
            Sent::Unusable(error) => {
                let explained = speaker.explain(error);
                vec![json!({"severity": "error", "message": explained.to_string(), "mend": explained.mends.first()})]
            }
        };
        let flow = match sent {
            Sent::Taken { flow, .. } => Some(flow.as_str()),
            _ => None,
        };
        speaker.line(json!({"file": path.display().to_string(), "verdict": verdict, "flow": flow, "issues": issues}));
        return code;
    }
    match sent {
        Sent::Taken { flow, remarks } => {
            speaker.issues(&name.to_string(), remarks);
            speaker.line(format!(
                "{name} : {} ({} {flow})",
                speaker.pick("pris en charge", "taken"),
                speaker.pick("flux", "flow")
            ));
        }
        Sent::Refused(issues) => {
            speaker.issues(&name.to_string(), issues);
            speaker.line(format!(
                "{name} : {}",
                speaker.pick("refusé ; rien n'est parti, rien n'est gardé", "refused; nothing left, nothing was kept")
            ));
        }
        Sent::Unfit(issues) => {
            speaker.issues(&name.to_string(), issues);
            speaker.line(format!(
                "{name} : {}",
                speaker.pick("inutilisable ; rien n'est parti", "unusable; nothing left")
            ));
        }
        Sent::Unusable(error) => {
            speaker.trouble(Some(&name.to_string()), error);
            speaker.line(format!(
                "{name} : {}",
                speaker.pick("inutilisable ; rien n'est parti", "unusable; nothing left")
            ));
        }
    }
    code
}

fn issue_json(issue: &Shown) -> serde_json::Value {
    json!({
        "severity": format!("{:?}", issue.severity).to_lowercase(),
        "rule": issue.rule.as_ref().map(ToString::to_string),
        "at": issue.expression.first(),
        "line": issue.line,
        "message": issue.message,
        "mend": issue.mend,
    })
}
