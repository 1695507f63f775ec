//! `socle send`: the transaction that any software could post, built from documents alone.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use socle_cda::Document;
use socle_fhir::fr_core::{DeclaredEvidence, DeclaredPatient, read_patient};
use socle_fhir::outcome::{self, Shown};
use socle_fhir::pdsm::{Addressee, PartyKind, Recipient, Visibility, write_provide_bundle};
use socle_identity::{HighConfidenceDevice, MssAddress};

use super::configuration;
use super::lot::{Wishes, lot_of, patient_of};
use crate::cli::{Format, Send};
use crate::remote::Remote;
use crate::say::Speaker;

/// A document larger than this is not read (the front door would refuse it).
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// What became of one file.
enum Sent {
    Taken { flow: String, remarks: Vec<Shown> },
    Refused(Vec<Shown>),
    Unusable(String),
}

pub(crate) async fn run(file: Option<&Path>, options: &Send, speaker: &Speaker) -> Result<ExitCode> {
    let evidence = evidence_of(options)?;
    let recipients = options.to.iter().map(|text| recipient(text)).collect::<Result<Vec<_>>>()?;
    let patient = options.patient.as_deref().map(read_patient_file).transpose()?;
    if options.no_dmp && recipients.is_empty() {
        bail!("--no-dmp sans --to : rien ne serait livré / without --to nothing would be delivered");
    }
    let config = configuration(file)?;
    let mut remote = Remote::connect(&config, speaker.lang).await?;
    let mut worst = 0;
    for path in &options.files {
        let sent = match bundle_of(path, options, evidence, &recipients, patient.clone()) {
            Ok(bundle) => post(&mut remote, bundle).await?,
            Err(error) => Sent::Unusable(format!("{error:#}")),
        };
        worst = worst.max(tell(path, &sent, options.format, speaker));
    }
    Ok(ExitCode::from(worst))
}

/// The paper that was checked, if the caller says so. Nothing is assumed (EXI SI 10).
fn evidence_of(options: &Send) -> Result<Option<DeclaredEvidence>> {
    let Some(code) = &options.checked_document else {
        if options.checked_on.is_some() {
            bail!("--checked-on sans --checked-document / without --checked-document");
        }
        return Ok(None);
    };
    let device: HighConfidenceDevice = code.parse().context("--checked-document")?;
    let checked_on: Date = match &options.checked_on {
        Some(text) => text.parse().context("--checked-on (AAAA-MM-JJ)")?,
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
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let document = socle_fhir::Document::parse(Bytes::from(bytes)).with_context(|| path.display().to_string())?;
    Ok(read_patient(document.root()).with_context(|| path.display().to_string())?.value)
}

fn bundle_of(
    path: &Path,
    options: &Send,
    evidence: Option<DeclaredEvidence>,
    recipients: &[Recipient],
    patient: Option<DeclaredPatient>,
) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if size > FILE_MAX {
        bail!(
            "{} Mo : un document de plus de 64 Mo n'est pas lu / a document over 64 MB is not read",
            size / 1024 / 1024
        );
    }
    let document = Document::parse(Bytes::from(std::fs::read(path)?))?;
    let header = socle_cda::Header::read(&document).map_err(|refused| anyhow::anyhow!("{refused}"))?;
    let mut patient = match patient {
        Some(patient) => patient,
        None => patient_of(header)?,
    };
    if evidence.is_some() {
        patient.evidence = evidence;
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
        recipients: recipients.to_vec(),
        feed_dmp: !options.no_dmp,
        hidden,
        source: "1.2.250.1.71.4.2.2".parse()?,
    };
    Ok(write_provide_bundle(&lot_of(&document, wishes, Timestamp::now())?))
}

async fn post(remote: &mut Remote, bundle: Vec<u8>) -> Result<Sent> {
    let response = remote.transaction(bundle).await?;
    let flow =
        response.headers().get("socle-flow").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let document = socle_fhir::Document::parse(response.body().clone()).context("réponse / answer")?;
    if response.status().is_success() {
        let remarks = document.root().get("entry").into_iter().flat_map(|entries| entries.items().collect::<Vec<_>>());
        let remarks =
            remarks.filter_map(|entry| outcome::read(entry.get("response")?.get("outcome")?)).flatten().collect();
        return Ok(Sent::Taken { flow, remarks });
    }
    match outcome::read(document.root()) {
        Some(issues) => Ok(Sent::Refused(issues)),
        None => Ok(Sent::Unusable(format!("HTTP {}", response.status()))),
    }
}

/// Says it, and gives the exit code that it is worth.
fn tell(path: &Path, sent: &Sent, format: Format, speaker: &Speaker) -> u8 {
    let name = path.display();
    let (verdict, code) = match sent {
        Sent::Taken { .. } => ("accepted", 0),
        Sent::Refused(_) => ("refused", 1),
        Sent::Unusable(_) => ("unusable", 2),
    };
    if format == Format::Json {
        let issues = match sent {
            Sent::Taken { remarks, .. } => remarks.iter().map(issue_json).collect(),
            Sent::Refused(issues) => issues.iter().map(issue_json).collect(),
            Sent::Unusable(why) => vec![json!({"severity": "error", "message": why})],
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
        Sent::Unusable(why) => {
            speaker.note(format!("{} : {name} : {why}", speaker.pick("erreur", "error")));
            speaker
                .line(format!("{name} : {}", speaker.pick("illisible ; rien n'est parti", "unreadable; nothing left")));
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
