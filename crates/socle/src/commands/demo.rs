//! `socle demo`: everything embedded, the main way played on a real document, each step shown.
//!
//! What is played is what any software would do: a login at Pro Santé Connect, a FHIR transaction over
//! HTTP, and then looking at where the document is: in the flow, in the DMP (ITI-43), in the audit log.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http::{Request, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use socle_cda::Document;
use socle_cda::letter::Letter;
use socle_fhir::fr_core::DeclaredEvidence;
use socle_fhir::outcome;
use socle_fhir::pdsm::{Addressee, PartyKind, Recipient, write_provide_bundle};
use socle_identity::HighConfidenceDevice;
use socle_prosante::client::{Authentication, Client, Settings};
use socle_prosante::twin::{DEMO, log_in_with_wallet};
use socle_store::{Flow, FlowState, FlowStep};
use socle_trust::https::{Body, ClientLimits, HttpsClient};
use socle_trust::tls::{Versions, client_config};
use socle_trust::{Actor, Shutdown};
use uuid::Uuid;

use super::lot::{Wishes, lot_of, patient_of};
use super::{configuration, service};
use crate::cli::{Demo, Format};
use crate::config::Config;
use crate::platform::{Platform, open_pki};
use crate::say::Speaker;
use crate::trouble::Trouble;
use crate::twins::NOTICE;

/// The professional who plays.
const PERSONA: &str = "marie-martin";
/// To whom the letter goes.
const RECIPIENT: &str = "dpi@hopital-a.mssante.test";

pub(crate) async fn run(file: Option<&Path>, options: &Demo, speaker: &Speaker) -> Result<ExitCode> {
    let folder = DemoFolder::choose(options)?;
    let mut config = configuration(file)?;
    config.data.clone_from(&folder.path);
    if file.is_none() && !Path::new("socle.toml").exists() {
        free_ports(&mut config);
    }
    let shutdown = Shutdown::new();
    let platform = Platform::start(&config, speaker.lang, &shutdown).await?;
    let played = play(&config, &platform, options.format, speaker).await;
    let is_done = matches!(&played, Ok(true));
    if let Err(error) = &played {
        speaker.failed(error);
    }
    if options.keep && is_done {
        speaker.line(format!(
            "console : http://{}/console   (Ctrl-C {})",
            platform.plain,
            speaker.pick("pour arrêter", "to stop")
        ));
        service::until_told(&shutdown).await;
    }
    shutdown.trigger();
    let _ = tokio::time::timeout(Duration::from_secs(20), platform.stopped()).await;
    folder.leave(options);
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The state of a demonstration, gone with it unless it is kept.
struct DemoFolder {
    path: PathBuf,
    is_ours: bool,
}

impl DemoFolder {
    fn choose(options: &Demo) -> Result<Self> {
        if let Some(path) = &options.data {
            return Ok(Self { path: path.clone(), is_ours: false });
        }
        let path = std::env::temp_dir().join(format!("socle-demo-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path, is_ours: true })
    }

    fn leave(self, options: &Demo) {
        if self.is_ours && !options.keep {
            // What cannot be removed is in the system's temporary folder.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// A demonstration never stumbles over a port that is taken.
pub(super) fn free_ports(config: &mut Config) {
    config.server.listen.set_port(0);
    config.server.listen_tls.set_port(0);
    let twins = &mut config.twins;
    for port in [
        &mut twins.prosante,
        &mut twins.wallet,
        &mut twins.ins,
        &mut twins.ins_page,
        &mut twins.dmp,
        &mut twins.dmp_page,
        &mut twins.submission,
        &mut twins.submissions,
        &mut twins.imap,
        &mut twins.imaps,
        &mut twins.mss_page,
    ] {
        *port = 0;
    }
}

async fn play(config: &Config, platform: &Platform, format: Format, speaker: &Speaker) -> Result<bool> {
    if format == Format::Text {
        speaker.line(format!(
            "Socle {} · {}",
            env!("CARGO_PKG_VERSION"),
            speaker.pick("démonstration", "demonstration")
        ));
        speaker.line(NOTICE);
    }
    let pki = open_pki(config).await?;
    let http = HttpsClient::new(&client_config(pki.anchors(), None, Versions::Both)?, ClientLimits::default());
    let began = Timestamp::now();
    let (token, actor) = log_in(platform, &pki, &http).await?;
    let login = Timestamp::now().duration_since(began);
    let letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC)?.to_document()?;
    let began = Timestamp::now();
    let flow = submit(platform, &http, &token, &letter).await?;
    let answered = Timestamp::now().duration_since(began);
    let flow = wait_for(platform, &actor, flow).await?;
    let fetched = fetch_from_dmp(platform, &actor, &letter, &flow).await;
    platform.gateway.store().audit_checkpoint().await?;
    let audit = platform.gateway.verify_audit(&actor).await.map_err(|stop| anyhow::anyhow!("{:?}", stop.issues))?;
    let found = Played {
        actor: &actor,
        login,
        answered,
        flow: &flow,
        fetched: &fetched,
        audit_size: audit.size,
        audit_sound: audit.is_sound(),
    };
    match format {
        Format::Text => found.tell(speaker),
        Format::Json => speaker.line(found.json()),
    }
    Ok(flow.summary.state == FlowState::Done && fetched.is_ok() && audit.is_sound())
}

pub(super) async fn log_in(
    platform: &Platform,
    pki: &socle_trust::pki::TestPki,
    http: &HttpsClient,
) -> Result<(String, Actor)> {
    let twin = platform
        .twins
        .prosante
        .as_ref()
        .ok_or(Trouble::fixed("la démonstration joue avec les jumeaux", "the demonstration plays with the twins"))?;
    let client = Client::new(Settings {
        issuer: twin.issuer.clone(),
        environment: socle_identity::Environment::Jumeau,
        anchors: pki.anchors().clone(),
        client_id: DEMO.id.to_owned(),
        authentication: Authentication::Secret(DEMO.secret.to_owned()),
        redirect_uri: format!("http://127.0.0.1:9{}", DEMO.redirect_path),
        post_logout_redirect_uri: None,
    })?;
    let now = Timestamp::now();
    let (url, pending) = client.begin(now).await?;
    let query = log_in_with_wallet(http, &url, PERSONA).await?;
    let session = client.finish(pending, &query, now).await?;
    let token = session
        .access_token(Timestamp::now())
        .ok_or(Trouble::fixed("Pro Santé Connect n'a pas donné de jeton", "Pro Santé Connect gave no token"))?
        .to_owned();
    let situation = session
        .professional()
        .situations()
        .into_iter()
        .find(|one| one.structure.as_ref() == Some(&platform.gateway.settings().structure));
    let actor = session.professional().actor(situation.as_ref().map(|one| one.key.as_str()))?;
    Ok((token, actor))
}

async fn submit(platform: &Platform, http: &HttpsClient, token: &str, letter: &Document) -> Result<Uuid> {
    let header = socle_cda::Header::read(letter)?;
    let mut patient = patient_of(header)?;
    patient.evidence = Some(DeclaredEvidence { device: HighConfidenceDevice::PA, checked_on: crate::say::today() });
    let mailbox = Recipient { to: Addressee::Mailbox(RECIPIENT.parse()?), kind: PartyKind::Organization, name: None };
    let to_patient = Recipient { to: Addressee::ThePatient, kind: PartyKind::Patient, name: None };
    let wishes = Wishes {
        patient: Some(patient),
        recipients: vec![mailbox, to_patient],
        feed_dmp: true,
        hidden: Vec::new(),
        source: "1.2.250.1.71.4.2.2".parse()?,
    };
    let bundle = write_provide_bundle(&lot_of(letter, wishes, Timestamp::now())?);
    let request = Request::post(format!("http://{}/fhir", platform.plain))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/fhir+json")
        .body(Body::from(bundle))?;
    let response = http.send(request).await?;
    if !response.status().is_success() {
        let document = socle_fhir::Document::parse(response.body().clone())?;
        let why = outcome::read(document.root()).unwrap_or_default();
        bail!(
            "HTTP {} : {}",
            response.status(),
            why.iter().map(|issue| issue.message.clone()).collect::<Vec<_>>().join(" ; ")
        );
    }
    let flow = response.headers().get("socle-flow").and_then(|value| value.to_str().ok()).context("socle-flow")?;
    Ok(flow.parse()?)
}

/// Waits until every delivery is made, at most half a minute.
async fn wait_for(platform: &Platform, actor: &Actor, id: Uuid) -> Result<Flow> {
    for _ in 0..300 {
        let flow = platform.gateway.flow(actor, id).await.map_err(|stop| anyhow::anyhow!("{:?}", stop.issues))?;
        let flow = flow.ok_or(Trouble::fixed("le flux n'est pas connu", "the flow is not known"))?;
        if flow.summary.state != FlowState::Waiting {
            return Ok(flow);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Trouble::fixed("le flux n'a pas abouti en 30 s", "the flow did not end within 30 s").into())
}

/// The document, found and read again in the DMP in the professional's name (ITI-18, ITI-43): the same bytes?
async fn fetch_from_dmp(platform: &Platform, actor: &Actor, letter: &Document, flow: &Flow) -> Result<Duration> {
    let began = std::time::Instant::now();
    let document = flow.summary.document.as_deref().context("document")?;
    let found = platform.gateway.read_from_dmp(actor, document).await?;
    if found != *letter.bytes() {
        return Err(Trouble::fixed("le DMP rend d'autres octets", "the DMP gives other bytes").into());
    }
    Ok(began.elapsed())
}

struct Played<'a> {
    actor: &'a Actor,
    login: jiff::SignedDuration,
    answered: jiff::SignedDuration,
    flow: &'a Flow,
    fetched: &'a Result<Duration>,
    audit_size: u64,
    audit_sound: bool,
}

impl Played<'_> {
    fn tell(&self, speaker: &Speaker) {
        speaker.line("");
        let login = format!("{}, {}", self.actor.name, self.actor.id.as_str());
        row(
            speaker,
            "1",
            speaker.pick("reconnaître", "authenticate"),
            "OpenID Connect, code + PKCE",
            millis(self.login),
            &login,
        );
        let numbers = [("identify", "2"), ("validate", "3"), ("decide", "4"), ("store", "5")];
        for (name, number) in numbers {
            for step in self.flow.steps.iter().filter(|step| step.step == name) {
                let summary = step.summary.get(speaker.lang);
                row(speaker, number, word(name, speaker), &step.protocol, took(step), summary);
            }
        }
        let acknowledged = speaker.pick("acquitter", "acknowledge");
        row(
            speaker,
            "5",
            acknowledged,
            "HTTP, FHIR R4 ITI-65",
            millis(self.answered),
            speaker.pick("durable, rien ne peut plus se perdre", "durable, nothing can be lost any more"),
        );
        for step in self.flow.steps.iter().filter(|step| step.step == "dmp" || step.step.starts_with("mssante")) {
            row(
                speaker,
                "6",
                speaker.pick("livrer", "dispatch"),
                &step.protocol,
                took(step),
                &format!("{} : {}", step.step, step.summary.get(speaker.lang)),
            );
        }
        let read_again = match self.fetched {
            Ok(took) => row_text(
                speaker.pick("relu dans le DMP, octet pour octet", "read again in the DMP, byte for byte"),
                took.as_millis(),
            ),
            Err(error) => {
                format!("{} : {error:#}", speaker.pick("relecture dans le DMP impossible", "not read again in the DMP"))
            }
        };
        row(speaker, "6", speaker.pick("relire", "read back"), "SOAP 1.2, ITI-18, ITI-43", String::new(), &read_again);
        let audit = format!(
            "{} {} ; {}",
            self.audit_size,
            speaker
                .pick("enregistrements scellés (arbre de Merkle, RFC 9162)", "sealed records (Merkle tree, RFC 9162)"),
            if self.audit_sound {
                speaker.pick("journal intègre", "the log is whole")
            } else {
                speaker.pick("JOURNAL ALTÉRÉ", "THE LOG WAS ALTERED")
            }
        );
        row(speaker, "7", speaker.pick("tracer", "trace"), "", String::new(), &audit);
        speaker.line("");
        speaker.line(format!(
            "DocumentReference/{}   {} {}",
            self.flow.summary.document.as_deref().unwrap_or("–"),
            speaker.pick("flux", "flow"),
            self.flow.summary.id
        ));
    }

    fn json(&self) -> Value {
        let steps: Vec<Value> = self
            .flow
            .steps
            .iter()
            .map(|step| json!({"step": step.step, "state": step.state, "protocol": step.protocol, "started": step.started, "ended": step.ended, "summary": step.summary}))
            .collect();
        json!({
            "flow": self.flow.summary.id,
            "state": self.flow.summary.state,
            "document": self.flow.summary.document,
            "login_ms": millis(self.login),
            "answered_ms": millis(self.answered),
            "steps": steps,
            "read_back": self.fetched.is_ok(),
            "audit": {"size": self.audit_size, "sound": self.audit_sound},
        })
    }
}

fn word(step: &str, speaker: &Speaker) -> &'static str {
    match (step, speaker.lang) {
        ("identify", socle_finding::Lang::Fr) => "identifier",
        ("identify", socle_finding::Lang::En) => "identify",
        ("validate", socle_finding::Lang::Fr) => "vérifier",
        ("validate", socle_finding::Lang::En) => "validate",
        ("decide", socle_finding::Lang::Fr) => "décider",
        ("decide", socle_finding::Lang::En) => "decide",
        (_, socle_finding::Lang::Fr) => "enregistrer",
        (_, socle_finding::Lang::En) => "store",
    }
}

fn row(speaker: &Speaker, number: &str, name: &str, protocol: &str, took: String, said: &str) {
    speaker.line(format!("{number}  {name:<21} {took:>9}  {said}"));
    if !protocol.is_empty() {
        speaker.line(format!("{:>34} {protocol}", ""));
    }
}

/// How long a step took; nothing for the commit, which ends after its own line is written.
fn took(step: &FlowStep) -> String {
    step.ended.map(|ended| millis(ended.duration_since(step.started))).unwrap_or_default()
}

fn row_text(said: &str, millis: u128) -> String {
    format!("{said} ({millis} ms)")
}

fn millis(took: jiff::SignedDuration) -> String {
    let micros = took.as_micros().max(0);
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}
