//! `socle bench`: the main way measured on this machine, beside what the machine itself can do.
//!
//! An embedded platform with its twins, in a folder of its own; senders post documents of one size over
//! HTTP and wait for each acknowledgement. What is counted is acknowledged, that is durable. Beside it:
//! the rate of `fdatasync` of the same disk, since no durable figure means anything without it.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use serde_json::json;
use socle_cda::Document;
use socle_cda::letter::Letter;
use socle_fhir::fr_core::DeclaredEvidence;
use socle_fhir::pdsm::write_provide_bundle;
use socle_identity::{HighConfidenceDevice, Ins, InsAuthority, Matricule, Sex, Traits};
use socle_store::JobState;
use socle_trust::Shutdown;
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::tls::{Versions, client_config};
use uuid::Uuid;

use super::configuration;
use super::demo::{free_ports, log_in};
use super::lot::{Wishes, lot_of, patient_of};
use crate::cli::{Bench, Format};
use crate::platform::{Platform, open_pki};
use crate::say::Speaker;

/// As many as two letters of a name tell apart.
const PATIENTS_MAX: usize = 26 * 26;

pub(crate) async fn run(file: Option<&Path>, options: &Bench, speaker: &Speaker) -> Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("socle-bench-{}", Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder)?;
    let mut config = configuration(file)?;
    config.data.clone_from(&folder);
    free_ports(&mut config);
    let patients = patients(options.patients)?;
    let population = folder.join("population.csv");
    std::fs::write(&population, population_of(&patients))?;
    config.twins.population = Some(population);
    // The first start makes keys; the second one is a start as users know it.
    let shutdown = Shutdown::new();
    Platform::start(&config, speaker.lang, &shutdown).await?.close(&shutdown).await;
    let began = Instant::now();
    let shutdown = Shutdown::new();
    let platform = Platform::start(&config, speaker.lang, &shutdown).await?;
    let start = began.elapsed();
    let measured = measure(&config, &platform, options, &patients, &folder).await;
    platform.close(&shutdown).await;
    let _ = std::fs::remove_dir_all(&folder);
    let measured = measured?;
    let report = json!({
        "start_ms": start.as_millis(),
        "documents": options.documents,
        "size_kb": options.size_kb,
        "clients": options.clients,
        "patients": options.patients,
        "acknowledged_per_s": measured.rate,
        "p50_ms": measured.p50.as_secs_f64() * 1000.0,
        "p99_ms": measured.p99.as_secs_f64() * 1000.0,
        "delivered_meanwhile": measured.delivered,
        "delivered_per_s_afterwards": measured.drain_rate,
        "resident_mb": resident_mb(),
        "fdatasync_per_s": measured.syncs,
    });
    match options.format {
        Format::Json => speaker.line(report),
        Format::Text => {
            for (name, value) in report.as_object().into_iter().flatten() {
                speaker.line(format!("{name:<28} {value}"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Measured {
    rate: f64,
    p50: Duration,
    p99: Duration,
    delivered: u64,
    drain_rate: f64,
    syncs: f64,
}

async fn measure(
    config: &crate::config::Config,
    platform: &Platform,
    options: &Bench,
    patients: &[Patient],
    folder: &Path,
) -> Result<Measured> {
    let pki = open_pki(config).await?;
    let http = HttpsClient::new(&client_config(pki.anchors(), None, Versions::Both)?, ClientLimits::default());
    let bundles = Arc::new(bundles(options, patients)?);
    let syncs = syncs_per_second(folder)?;
    let (token, _) = log_in(platform, &pki, &http).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let url = format!("http://{}/fhir", platform.plain);
    let began = Instant::now();
    let mut senders = Vec::new();
    for _ in 0..options.clients {
        senders.push(tokio::spawn(sender(
            http.clone(),
            url.clone(),
            token.clone(),
            Arc::clone(&bundles),
            Arc::clone(&next),
        )));
    }
    let mut times = Vec::with_capacity(options.documents);
    for sender in senders {
        times.extend(sender.await??);
    }
    let elapsed = began.elapsed();
    times.sort_unstable();
    let delivered = done(platform).await?;
    let drain = Instant::now();
    let all = options.documents as u64;
    while done(platform).await? < all && drain.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let drained = done(platform).await? - delivered;
    let at = |share: usize| {
        times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    Ok(Measured {
        rate: times.len() as f64 / elapsed.as_secs_f64(),
        p50: at(50),
        p99: at(99),
        delivered,
        drain_rate: drained as f64 / drain.elapsed().as_secs_f64(),
        syncs,
    })
}

async fn sender(
    http: HttpsClient,
    url: String,
    token: String,
    bundles: Arc<Vec<Bytes>>,
    next: Arc<AtomicUsize>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    loop {
        let Some(bundle) = bundles.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(times) };
        let began = Instant::now();
        let request = Request::post(&url)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/fhir+json")
            .body(Body::from(bundle.clone()))?;
        let response = http.send(request).await?;
        if !response.status().is_success() {
            bail!("HTTP {} : {}", response.status(), String::from_utf8_lossy(response.body()));
        }
        times.push(began.elapsed());
    }
}

async fn done(platform: &Platform) -> Result<u64> {
    let counts = platform.gateway.store().job_counts().await?;
    Ok(counts
        .iter()
        .filter(|count| count.kind == "dmp" && count.state == JobState::Done)
        .map(|count| count.count)
        .sum())
}

/// Whose documents they are. The deliveries of one patient go in order; those of several, side by side.
struct Patient {
    ins: Ins,
    traits: Traits,
}

/// Invented persons: the matricules have a commune code that is never given.
fn patients(count: usize) -> Result<Vec<Patient>> {
    let one = |rank: usize| {
        let letters = [rank / 26 % 26, rank % 26].map(|letter| char::from(b'A' + u8::try_from(letter).unwrap_or(0)));
        Ok(Patient {
            ins: Ins {
                matricule: Matricule::from_number(&format!("2850599999{:03}", rank + 1))?,
                authority: InsAuthority::NirTest,
            },
            traits: Traits {
                birth_name: format!("MESURE {}", letters.iter().collect::<String>()),
                given_names: "CAMILLE".to_owned(),
                first_given_name: "CAMILLE".to_owned(),
                sex: Sex::Female,
                birth_date: jiff::civil::date(1985, 5, 5),
                birth_place: Some("75056".parse()?),
                used_name: None,
                used_given_name: None,
            },
        })
    };
    (0..count.clamp(1, PATIENTS_MAX)).map(one).collect()
}

/// The patients as the INSi twin reads them.
fn population_of(patients: &[Patient]) -> String {
    let mut csv = "nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid\n".to_owned();
    for Patient { ins, traits } in patients {
        let Traits { birth_name, given_names, birth_date, .. } = traits;
        let (matricule, oid) = (ins.matricule.as_str(), ins.authority.oid());
        csv.push_str(&format!("{birth_name};{given_names};F;{birth_date};75056;{matricule};{oid}\n"));
    }
    csv
}

/// Documents of one size, each patient's in turn: the letter, and paragraphs that fill it.
fn bundles(options: &Bench, patients: &[Patient]) -> Result<Vec<Bytes>> {
    let mut all = Vec::with_capacity(options.documents);
    for patient in patients.iter().cycle().take(options.documents) {
        let mut letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC)?;
        letter.ins = patient.ins.clone();
        letter.traits = patient.traits.clone();
        let xml = padded(letter.to_xml(), options.size_kb * 1024)?;
        let document = Document::parse(xml)?;
        let header = socle_cda::Header::read(&document)?;
        let mut patient = patient_of(header)?;
        patient.evidence = Some(DeclaredEvidence { device: HighConfidenceDevice::PA, checked_on: crate::say::today() });
        let wishes = Wishes {
            patient: Some(patient),
            recipients: Vec::new(),
            feed_dmp: true,
            hidden: Vec::new(),
            source: "1.2.250.1.71.4.2.2".parse()?,
        };
        all.push(Bytes::from(write_provide_bundle(&lot_of(&document, wishes, Timestamp::now())?)));
    }
    Ok(all)
}

/// Paragraphs in the first narrative, so that the size is in what is parsed, not in one long text node.
fn padded(xml: String, size: usize) -> Result<Bytes> {
    const LINE: &str =
        "<paragraph>Surveillance quotidienne : constantes stables, pas de douleur, alimentation reprise.</paragraph>";
    let at = xml.find("</text>").context("</text>")?;
    let lines = size.saturating_sub(xml.len()).div_ceil(LINE.len());
    Ok(Bytes::from(format!("{}{}{}", &xml[..at], LINE.repeat(lines), &xml[at..])))
}

fn syncs_per_second(folder: &Path) -> Result<f64> {
    let path = folder.join("fdatasync");
    let mut file = std::fs::File::create(&path)?;
    let began = Instant::now();
    let mut count = 0_u32;
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    std::fs::remove_file(path)?;
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Resident memory of this process, where the system tells (senders included).
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}
