//! What the integration tests share: a twin with its test PKI, a document mail, a client, raw dialogues.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod imap;
pub(crate) mod smtp;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use socle_cda::xdm;
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions, SubmissionSet};
use socle_cda::{Document, Header};
use socle_identity::{
    Environment, Evidence, HighConfidenceDevice, Identity, Ins, InsAuthority, InsiAnswer, Sex, Traits,
};
use socle_mss::client::{Client, Settings, SubmissionUrl, Timeouts, TokenFuture, TokenSource};
use socle_mss::model::{
    Archive, DocumentMail, Draft, HeaderText, Label, MailboxKind, MessageId, ProductNumber, ReadableCopy, Receipts,
    Recipient, Recipients, Reply, Sender, WhiteList,
};
use socle_mss::twin::{self, HOSPITAL_A, Running};
use socle_mss::wire::sasl::AccessToken;
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::token::{Expected, Issuer, SigningKey, TokenKind, Verifier};
use socle_trust::{Credentials, Shutdown};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const CDA: &str = include_str!("consultation.xml");
pub(crate) const PATIENT: &str = "279035121518989";
pub(crate) const MARIE: &str = "dr.marie.martin@medecin.mssante.test";
pub(crate) const MARIE_ID: &str = "899700000017";
pub(crate) const PAUL: &str = "dr.paul.durand@medecin.mssante.test";
pub(crate) const PAUL_ID: &str = "899700000025";
pub(crate) const TEAM: &str = "secretariat@cabinet-b.mssante.test";
pub(crate) const DPI: &str = "dpi@hopital-a.mssante.test";
pub(crate) const SOCLE: &str = "socle@hopital-a.mssante.test";
const ISSUER: &str = "https://psc.test/auth/realms/esante-wallet";
const AUDIENCE: &str = "socle-mss";

/// Runs the test on a runtime of its own.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap().block_on(test)
}

/// One PKI for all tests of all binaries: its keys take a second to make.
pub(crate) fn pki() -> Arc<TestPki> {
    static PKI: LazyLock<Arc<TestPki>> = LazyLock::new(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki");
        Arc::new(TestPki::open_or_create(&folder).unwrap())
    });
    Arc::clone(&PKI)
}

pub(crate) fn pki_folder() -> PathBuf {
    pki();
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki")
}

/// `ORG_AUTH_CLI` of the hospital, or of another structure.
pub(crate) fn certificate(name: &str, structure: &str) -> Credentials {
    let organisation = Organisation {
        cn: "lps.hopital-a.test".into(),
        id: structure.parse().unwrap(),
        name: "HOPITAL DES ESSAIS".into(),
        department: "Paris (75)".into(),
    };
    pki().credentials(name, &Profile::OrgAuthCli(organisation)).unwrap()
}

pub(crate) fn hospital() -> Credentials {
    certificate("mss-hospital", HOSPITAL_A)
}

pub(crate) fn issuer() -> Arc<Issuer> {
    static ISSUER_OF_TESTS: OnceLock<Arc<Issuer>> = OnceLock::new();
    let make = || {
        let file = pki_folder().join("psc-of-tests.key");
        Arc::new(Issuer::new(ISSUER, SigningKey::open_or_create(&file).unwrap()))
    };
    Arc::clone(ISSUER_OF_TESTS.get_or_init(make))
}

/// An access token of a professional, over in `seconds` from now.
pub(crate) fn token(person: &str, seconds: i64) -> String {
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": ISSUER, "sub": format!("f:0:{person}"), "aud": AUDIENCE, "typ": "Bearer", "exp": now + seconds, "iat": now - 100,
        "preferred_username": person, "SubjectNameID": person, "jti": Uuid::new_v4(),
    });
    issuer().sign(&claims, "JWT").unwrap()
}

/// A running twin in a folder of its own.
pub(crate) struct Twin {
    pub(crate) running: Option<Running>,
    pub(crate) shutdown: Shutdown,
    pub(crate) folder: TempDir,
}

impl Twin {
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (running, shutdown) = run_twin(folder.path().to_owned()).await;
        Self { running: Some(running), shutdown, folder }
    }

    /// Stops it and starts another one on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let (running, shutdown) = run_twin(self.folder.path().to_owned()).await;
        self.running = Some(running);
        self.shutdown = shutdown;
    }

    pub(crate) async fn stop(&mut self) {
        self.shutdown.trigger();
        if let Some(running) = self.running.take() {
            running.stopped().await;
        }
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn list(&self) -> &WhiteList {
        &self.running().white_list
    }

    pub(crate) fn client(&self, credentials: Option<Credentials>) -> Client {
        client(&self.running().submission_url, credentials)
    }
}

pub(crate) async fn run_twin(folder: PathBuf) -> (Running, Shutdown) {
    let pki = tokio::task::spawn_blocking(pki).await.unwrap();
    let shutdown = Shutdown::new();
    let expected = Expected { issuer: ISSUER.into(), audiences: vec![AUDIENCE.into()], kind: TokenKind::Access };
    let verifier = Verifier::new(expected, issuer());
    let settings = twin::Settings { tokens: Some(Arc::new(verifier)), ..twin::Settings::new(folder, pki) };
    (twin::start(settings, shutdown.clone()).await.unwrap(), shutdown)
}

pub(crate) fn client(url: &str, credentials: Option<Credentials>) -> Client {
    Client::new(settings(url, credentials)).unwrap()
}

pub(crate) fn settings(url: &str, credentials: Option<Credentials>) -> Settings {
    Settings {
        url: url.parse::<SubmissionUrl>().unwrap(),
        environment: Environment::Jumeau,
        anchors: pki().anchors().clone(),
        credentials,
        name: "lps.hopital-a.test".into(),
        timeouts: Timeouts { reply: Duration::from_secs(20), ..Timeouts::default() },
        connections_max: 8,
    }
}

/// A session of Pro Santé Connect that gives these tokens in turn, and counts.
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<String>,
    pub(crate) asked: std::sync::atomic::AtomicUsize,
}

impl Tokens {
    pub(crate) fn new(tokens: &[String]) -> Self {
        Self { tokens: tokens.to_vec(), asked: std::sync::atomic::AtomicUsize::new(0) }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl TokenSource for Tokens {
    fn access_token<'a>(&'a self, refused: Option<&'a AccessToken>) -> TokenFuture<'a> {
        let at = self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(refused.is_some(), at > 0, "a fresh token is asked for after a refusal only");
        let token = self.tokens.get(at).cloned();
        Box::pin(async move {
            let token = token.ok_or(socle_mss::client::TokenUnavailable("no more".into()))?;
            Ok(AccessToken::new(&token).unwrap())
        })
    }
}

pub(crate) fn traits() -> Traits {
    Traits {
        birth_name: "PAT-TROIS".into(),
        given_names: "DOMINIQUE MARIE-LOUISE".into(),
        first_given_name: "DOMINIQUE".into(),
        sex: Sex::Female,
        birth_date: jiff::civil::date(1979, 3, 28),
        birth_place: Some("51215".parse().unwrap()),
        used_name: None,
        used_given_name: None,
    }
}

fn evidence() -> Evidence {
    Evidence {
        device: HighConfidenceDevice::PA,
        checked_on: jiff::civil::date(2026, 11, 24),
        checked_by: MARIE_ID.into(),
    }
}

/// The identity that INSi answered with this matricule, in this environment.
pub(crate) fn qualified(matricule: &str, environment: Environment) -> Identity {
    let answer = InsiAnswer {
        ins: Ins { matricule: matricule.parse().unwrap(), authority: InsAuthority::NirTest },
        history: Vec::new(),
        traits: traits(),
        received_at: "2026-11-24T10:00:00Z".parse().unwrap(),
        environment,
        answer_digest: "00".repeat(32),
    };
    validated().accept(answer).unwrap()
}

pub(crate) fn patient() -> Identity {
    qualified(PATIENT, Environment::Jumeau)
}

/// A paper was checked, INSi was not asked.
pub(crate) fn validated() -> Identity {
    Identity::declared(traits()).check(evidence()).unwrap()
}

/// The document without its INS.
pub(crate) fn cda_without_ins() -> String {
    CDA.replace(&format!("<id root=\"1.2.250.1.213.1.4.10\" extension=\"{PATIENT}\"/>"), "")
}

/// An archive of one or more documents, told apart by their ids.
pub(crate) fn archive(documents: &[&str]) -> Archive {
    Archive::read(zip(documents)).unwrap()
}

/// Packs documents; the metadata are those of a right one, about the patient of the first.
pub(crate) fn zip(documents: &[&str]) -> Bytes {
    let patient = if documents[0].contains("1.2.250.1.213.1.4.10") {
        format!("{PATIENT}^^^&1.2.250.1.213.1.4.10&ISO^NH")
    } else {
        "IPP0051^^^&1.2.250.1.999.8.9&ISO^PI".to_owned()
    };
    let patient: Cx = patient.parse().unwrap();
    let with_id = |text: &str, at: usize| text.replace("1.2.250.1.999.8.51.1", &format!("1.2.250.1.999.8.51.{at}"));
    let entry = |at: usize| {
        let right = Document::parse(with_id(CDA, at).into_bytes()).unwrap();
        DocumentEntry::from_header(&right, &patient, &EntryOptions::new(format!("Doc{at}"))).unwrap().value
    };
    let (id, source) = ("1.2.250.1.999.8.1".parse().unwrap(), "1.2.250.1.999.8".parse().unwrap());
    let right = Document::parse(CDA.as_bytes().to_vec()).unwrap();
    let written = "2026-11-24T10:00:00Z".parse().unwrap();
    let set = SubmissionSet::around(&entry(1), Header::read(&right).unwrap(), &id, &source, written);
    let documents = (1..).zip(documents).map(|(at, text)| (entry(at), Bytes::from(with_id(text, at)))).collect();
    let sender = xdm::Sender {
        organisation: "Hôpital des essais".into(),
        software: "Socle".into(),
        version: "0.1".into(),
        editor: "Socle".into(),
        contact: "contact@example.org".into(),
    };
    xdm::write(&xdm::Outgoing { set, documents, sender }).unwrap()
}

/// A small PDF, of the given size at least.
pub(crate) fn pdf(size: usize) -> Bytes {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut state = 12_345u32;
    while bytes.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push(state.to_be_bytes()[0]);
    }
    bytes.extend_from_slice(b"\n%%EOF\n");
    Bytes::from(bytes)
}

pub(crate) fn text(text: &str) -> HeaderText {
    text.parse().unwrap()
}

pub(crate) fn application() -> Sender {
    let label = Label::entity(text("Hôpital A – Socle"));
    Sender::new(SOCLE.parse().unwrap(), MailboxKind::Application, label, Environment::Jumeau).unwrap()
}

pub(crate) fn marie() -> Sender {
    let label = Label::person(Some(&text("Dr")), &text("Marie"), &text("Martin"), None).unwrap();
    Sender::new(MARIE.parse().unwrap(), MailboxKind::Personal, label, Environment::Jumeau).unwrap()
}

pub(crate) fn to(list: &WhiteList, addresses: &[&str]) -> Recipients {
    let recipients = addresses.iter().map(|a| Recipient::professional(a.parse().unwrap(), list).unwrap());
    Recipients::professionals(recipients.collect()).unwrap()
}

pub(crate) fn to_patient(list: &WhiteList, identity: &Identity, reply: Reply) -> Recipients {
    Recipients::patient(Recipient::patient(identity.qualified().unwrap(), list).unwrap(), reply).unwrap()
}

/// A whole mail about the patient, to spoil.
pub(crate) fn draft<'a>(identity: &'a Identity, sender: Sender, recipients: Recipients) -> Draft<'a> {
    Draft {
        message_id: MessageId::new(Uuid::new_v4(), &sender.address().domain()),
        date: "2026-11-24T10:00:00Z".parse().unwrap(),
        sender,
        recipients,
        reply_to: None,
        in_reply_to: None,
        label: text("CR de consultation médicale"),
        patient: identity,
        body: "Chère consœur,\n\nVeuillez trouver ci-joint le compte rendu.\n.\n.. fin".parse().unwrap(),
        archive: archive(&[CDA]),
        readable_copies: vec![ReadableCopy {
            date: jiff::civil::date(2026, 11, 20),
            label: None,
            folder: None,
            pdf: pdf(2000),
        }],
        receipts: Receipts::default(),
        product: ProductNumber::of_twins(),
    }
}

pub(crate) fn mail(list: &WhiteList, sender: Sender, addresses: &[&str]) -> DocumentMail {
    DocumentMail::new(draft(&patient(), sender, to(list, addresses))).unwrap()
}

/// A file or folder of the shared data; none, said aloud, when they are absent.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SOCLE_SHARED").map_or_else(default_root, PathBuf::from);
    let wanted = root.join("data").join(path);
    if wanted.exists() {
        return Some(wanted);
    }
    skipped(test, "no shared data");
    None
}

/// `../shared` beside the workspace, or beside the folder of a git worktree.
fn default_root() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let beside = workspace.join("../shared");
    if beside.exists() { beside } else { workspace.join("../../shared") }
}

/// A test that cannot run says so; in strict mode it fails.
pub(crate) fn skipped(test: &str, why: &str) {
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "{test}: {why}");
    println!("SKIPPED {test}: {why}");
}

/// An HTTP answer with status 200, head and body.
pub(crate) async fn get(url: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept-Language: fr\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
