//! `socle doctor`: is this installation fit to start, and if not, what to mend?

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use socle_identity::Environment;
use socle_trust::{Certificate, Credentials};

use super::configuration;
use crate::cli::{Doctor, Format};
use crate::config::{self, Config, Endpoint, check_lock};
use crate::say::Speaker;

/// A certificate that ends sooner than this is announced.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 45);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Look,
    Wrong,
}

struct Finding {
    about: String,
    verdict: Verdict,
    said: String,
    mend: String,
}

pub(crate) async fn run(file: Option<&Path>, options: &Doctor, speaker: &Speaker) -> Result<ExitCode> {
    let config = configuration(file)?;
    let mut findings = Vec::new();
    examine_lock(&config, speaker, &mut findings);
    examine_folder(&config, speaker, &mut findings);
    examine_ports(&config, speaker, &mut findings);
    examine_certificates(&config, speaker, &mut findings);
    examine_reach(&config, speaker, &mut findings).await;
    let wrong = findings.iter().any(|finding| finding.verdict == Verdict::Wrong);
    for finding in &findings {
        tell(finding, options.format, speaker);
    }
    Ok(if wrong { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn tell(finding: &Finding, format: Format, speaker: &Speaker) {
    let (sign, word) = match finding.verdict {
        Verdict::Good => ("✓", "good"),
        Verdict::Look => ("!", "look"),
        Verdict::Wrong => ("✗", "wrong"),
    };
    if format == Format::Json {
        speaker.line(json!({"about": finding.about, "verdict": word, "said": finding.said, "mend": finding.mend}));
        return;
    }
    speaker.line(format!("{sign} {:<18} {}", finding.about, finding.said));
    if finding.verdict != Verdict::Good && !finding.mend.is_empty() {
        speaker.line(format!("  {:>18} : {}", speaker.pick("remède", "mend"), finding.mend));
    }
}

fn examine_lock(config: &Config, speaker: &Speaker, findings: &mut Vec<Finding>) {
    match check_lock(config) {
        Ok(()) => findings.push(Finding {
            about: speaker.pick("environnement", "environment").to_owned(),
            verdict: Verdict::Good,
            said: config.environment.to_string(),
            mend: String::new(),
        }),
        Err(breaches) => findings.extend(breaches.into_iter().map(|breach| Finding {
            about: breach.field.to_owned(),
            verdict: Verdict::Wrong,
            said: breach.reason.get(speaker.lang).to_owned(),
            mend:
                speaker.pick("un seul environnement par configuration", "one environment per configuration").to_owned(),
        })),
    }
}

fn examine_folder(config: &Config, speaker: &Speaker, findings: &mut Vec<Finding>) {
    let probe = config.data.join(".doctor");
    let tried = std::fs::create_dir_all(&config.data).and_then(|()| std::fs::write(&probe, b"socle"));
    let _ = std::fs::remove_file(&probe);
    findings.push(Finding {
        about: "data".to_owned(),
        verdict: if tried.is_ok() { Verdict::Good } else { Verdict::Wrong },
        said: match &tried {
            Ok(()) => config.data.display().to_string(),
            Err(error) => format!("{} : {error}", config.data.display()),
        },
        mend: speaker
            .pick(
                "donnez à cet utilisateur le droit d'y écrire, ou choisissez un autre dossier (data = …)",
                "give this user the right to write there, or choose another folder (data = …)",
            )
            .to_owned(),
    });
}

fn examine_ports(config: &Config, speaker: &Speaker, findings: &mut Vec<Finding>) {
    for (field, address) in [("server.listen", config.server.listen), ("server.listen_tls", config.server.listen_tls)] {
        let tried = TcpListener::bind(address);
        findings.push(Finding {
            about: field.to_owned(),
            verdict: if tried.is_ok() { Verdict::Good } else { Verdict::Look },
            said: match &tried {
                Ok(_) => address.to_string(),
                Err(error) => format!("{address} : {error}"),
            },
            mend: speaker
                .pick(
                    "une plateforme tourne peut-être déjà ; sinon choisissez un autre port",
                    "a platform may be running already; otherwise choose another port",
                )
                .to_owned(),
        });
    }
}

fn examine_certificates(config: &Config, speaker: &Speaker, findings: &mut Vec<Finding>) {
    let files = [
        ("server.certificate", config.server.certificate.as_ref()),
        ("ins.credentials", config.ins.credentials.as_ref()),
        ("dmp.credentials", config.dmp.credentials.as_ref()),
        ("dmp.seal", config.dmp.seal.as_ref()),
        ("mss.credentials", config.mss.credentials.as_ref()),
        ("cli.credentials", config.cli.credentials.as_ref()),
    ];
    for (field, files) in files {
        match files {
            Some(files) => findings.push(examine_certificate(config, field, files, speaker)),
            None if config.environment != Environment::Jumeau => findings.push(Finding {
                about: field.to_owned(),
                verdict: Verdict::Wrong,
                said: speaker.pick("manque", "is missing").to_owned(),
                mend: speaker.pick("certificate = … et key = … (PEM)", "certificate = … and key = … (PEM)").to_owned(),
            }),
            None => {}
        }
    }
}

fn examine_certificate(config: &Config, field: &str, files: &config::Credentials, speaker: &Speaker) -> Finding {
    let read = Credentials::from_pem_files(&files.certificate, &files.key, config.environment);
    let (verdict, said) = match &read {
        Ok(credentials) => expiry(credentials.certificate(), speaker),
        Err(error) => (Verdict::Wrong, error.to_string()),
    };
    let mend = speaker.pick(
        "renouvelez-le auprès de l'IGC-Santé, pour le bon environnement",
        "renew it at IGC-Santé, for the right environment",
    );
    Finding { about: field.to_owned(), verdict, said, mend: mend.to_owned() }
}

fn expiry(certificate: &Certificate, speaker: &Speaker) -> (Verdict, String) {
    let left = certificate.not_after().duration_since(Timestamp::now());
    let days = left.as_hours() / 24;
    let said = format!("{} : {days} {}", certificate.subject(), speaker.pick("jours restants", "days left"));
    match left {
        left if left.is_negative() => (Verdict::Wrong, said),
        left if left < SOON => (Verdict::Look, said),
        _ => (Verdict::Good, said),
    }
}

/// Can the configured services be reached? A connection is opened and closed; nothing is sent.
async fn examine_reach(config: &Config, speaker: &Speaker, findings: &mut Vec<Finding>) {
    let endpoints = [
        ("prosante.endpoint", &config.prosante.endpoint),
        ("ins.endpoint", &config.ins.endpoint),
        ("dmp.endpoint", &config.dmp.endpoint),
        ("mss.endpoint", &config.mss.endpoint),
    ];
    for (field, endpoint) in endpoints {
        let Endpoint::At(address) = endpoint else {
            let said = speaker.pick("jumeau, démarré avec la plateforme", "twin, started with the platform").to_owned();
            findings.push(Finding { about: field.to_owned(), verdict: Verdict::Good, said, mend: String::new() });
            continue;
        };
        let reached = reach(address).await;
        findings.push(Finding {
            about: field.to_owned(),
            verdict: if reached.is_ok() { Verdict::Good } else { Verdict::Look },
            said: reached.map_or_else(|why| format!("{address} : {why}"), |()| address.clone()),
            mend: speaker
                .pick(
                    "vérifiez l'adresse, le pare-feu, ou attendez que le service revienne",
                    "check the address, the firewall, or wait until the service is back",
                )
                .to_owned(),
        });
    }
}

async fn reach(address: &str) -> Result<(), String> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split('/').next().unwrap_or_default();
    let default = if scheme == "https" { 443 } else { 587 };
    let target = if authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        authority.to_owned()
    } else {
        format!("{authority}:{default}")
    };
    let connecting = tokio::net::TcpStream::connect(target);
    match tokio::time::timeout(std::time::Duration::from_secs(3), connecting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("3 s".to_owned()),
    }
}
