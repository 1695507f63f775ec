//! What every test here needs: keys, a twin, a client, a patient, documents.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use jiff::civil::date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use socle_cda::letter::Letter;
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions, SubmissionSet};
use socle_cda::{Document as Cda, Header};
use socle_dmp::client::{Attempt, Client, Deposit, Document, DocumentRef, Reader, Settings};
use socle_dmp::model::{Automaton, Professional, Purpose, Software, Speaker, Structure};
use socle_dmp::twin::{self, Running, Strictness};
use socle_dmp::wire::Kit;
use socle_identity::{
    Environment, Evidence, HighConfidenceDevice, Identity, Ins, InsAuthority, InsiAnswer, Oid, QualifiedIdentity, Sex,
    Traits,
};
use socle_trust::https::ClientLimits;
use socle_trust::pki::{Organisation, Person, Profile, TestPki};
use socle_trust::{Credentials, Shutdown};
use socle_xml::signature::Algorithm;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const STRUCTURE: &str = "10B0152872";
pub(crate) const DOCTOR: &str = "899700000017";
pub(crate) const PAT_TROIS: &str = "279035121518989";

/// One PKI for all runs: RSA keys take time.
pub(crate) fn pki() -> Arc<TestPki> {
    static PKI: OnceLock<Arc<TestPki>> = OnceLock::new();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki");
    Arc::clone(PKI.get_or_init(|| Arc::new(TestPki::open_or_create(&dir).unwrap())))
}

pub(crate) fn organisation(id: &str) -> Organisation {
    Organisation {
        cn: "Hôpital fictif".into(),
        id: id.parse().unwrap(),
        name: "HOPITAL FICTIF".into(),
        department: "Paris (75)".into(),
    }
}

pub(crate) fn tls_keys() -> Credentials {
    pki().credentials("dmp-test-auth", &Profile::OrgAuthCli(organisation(STRUCTURE))).unwrap()
}

pub(crate) fn seal() -> Credentials {
    pki().credentials("dmp-test-sign", &Profile::OrgSign(organisation(STRUCTURE))).unwrap()
}

pub(crate) fn person() -> Person {
    Person { id: DOCTOR.parse().unwrap(), family: "MARTIN".into(), given: "ALICE".into(), title: "Médecin".into() }
}

/// A twin in its own folder; it stops when dropped.
pub(crate) struct Twin {
    pub(crate) running: Running,
    shutdown: Shutdown,
    _folder: TempDir,
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

impl Twin {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn lenient() -> Self {
        Self::with(|settings| settings.strictness = Strictness::Lenient).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut twin::Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = twin::Settings::new(pki(), folder.path().join("dmp"));
        settings.slowness = Duration::from_secs(3);
        change(&mut settings);
        let shutdown = Shutdown::new();
        let running = twin::start(settings, shutdown.clone()).await.unwrap();
        Self { running, shutdown, _folder: folder }
    }

    pub(crate) fn url(&self, service: &str) -> String {
        format!("{}/{service}", self.running.url)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(settings(&self.running.url)).unwrap()
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(&mut Settings)) -> Client {
        let mut settings = settings(&self.running.url);
        change(&mut settings);
        Client::new(settings).unwrap()
    }
}

pub(crate) fn settings(base_url: &str) -> Settings {
    Settings {
        base_url: base_url.to_owned(),
        environment: Environment::Jumeau,
        tls: tls_keys(),
        seal: seal(),
        anchors: pki().anchors().clone(),
        structure: structure(STRUCTURE),
        software: software(),
        kit: Kit::built_in(),
        algorithm: Algorithm::RsaSha256,
        limits: ClientLimits::default(),
    }
}

pub(crate) fn structure(id: &str) -> Structure {
    Structure { id: id.parse().unwrap(), sector: "SA01".into() }
}

pub(crate) fn software() -> Software {
    Software { id: "1".into(), name: "Socle".into(), version: "0.1".into(), homologation: "JUMEAU".into() }
}

pub(crate) fn automaton() -> Speaker {
    Speaker::Automaton(Automaton { internal_id: "socle-1".into(), name: "Socle".into() })
}

pub(crate) fn professional(id: &str) -> Professional {
    Professional::new(id.parse().unwrap(), "Alice Martin", "10", Some("SM26")).unwrap()
}

pub(crate) fn reader() -> Reader {
    Reader { professional: professional(DOCTOR), authenticated_at: Timestamp::now(), purpose: Purpose::Normal }
}

pub(crate) fn traits() -> Traits {
    Traits {
        birth_name: "PAT-TROIS".into(),
        given_names: "DOMINIQUE MARIE-LOUISE".into(),
        first_given_name: "DOMINIQUE".into(),
        sex: Sex::Female,
        birth_date: date(1979, 3, 28),
        birth_place: Some("51215".parse().unwrap()),
        used_name: None,
        used_given_name: None,
    }
}

pub(crate) fn ins(matricule: &str) -> Ins {
    Ins { matricule: matricule.parse().unwrap(), authority: InsAuthority::NirTest }
}

pub(crate) fn qualified(ins: Ins, environment: Environment) -> QualifiedIdentity {
    let answer = InsiAnswer {
        ins,
        history: Vec::new(),
        traits: traits(),
        received_at: Timestamp::now(),
        environment,
        answer_digest: "00".repeat(32),
    };
    let evidence =
        Evidence { device: HighConfidenceDevice::PA, checked_on: date(2026, 11, 24), checked_by: DOCTOR.into() };
    let identity = Identity::declared(traits()).check(evidence).unwrap().accept(answer).unwrap();
    identity.qualified().unwrap().clone()
}

pub(crate) fn patient() -> QualifiedIdentity {
    qualified(ins(PAT_TROIS), Environment::Jumeau)
}

pub(crate) fn patient_of(matricule: &str) -> QualifiedIdentity {
    qualified(ins(matricule), Environment::Jumeau)
}

/// A letter of ours for this patient, with its metadata.
pub(crate) fn letter_for(ins: &Ins) -> Document {
    let written_at = Timestamp::now() - SignedDuration::from_hours(1);
    let mut letter = Letter::for_test_person(Uuid::new_v4(), written_at, Offset::UTC).unwrap();
    letter.ins = ins.clone();
    entry_of(letter.to_document().unwrap(), ins)
}

pub(crate) fn letter() -> Document {
    letter_for(patient().ins())
}

/// A document with what can be derived of it.
pub(crate) fn entry_of(document: Cda, ins: &Ins) -> Document {
    let entry = DocumentEntry::from_header(&document, &Cx::from(ins), &EntryOptions::new("Doc01")).unwrap().value;
    Document { entry, bytes: document.bytes().clone(), replaces: None }
}

pub(crate) fn oid() -> Oid {
    format!("2.25.{}", Uuid::new_v4().as_u128()).parse().unwrap()
}

/// The lot around a document.
pub(crate) fn lot_of(document: &Document) -> SubmissionSet {
    let cda = Cda::parse(document.bytes.clone()).unwrap();
    let header = Header::read(&cda).unwrap();
    SubmissionSet::around(&document.entry, header, &oid(), &"1.2.250.1.999.7".parse().unwrap(), Timestamp::now())
}

pub(crate) fn deposit(document: Document) -> Deposit {
    Deposit { set: lot_of(&document), documents: vec![document], speaker: automaton(), attempt: Attempt::First }
}

pub(crate) fn reference(entry: &DocumentEntry) -> DocumentRef {
    DocumentRef::try_from(entry).unwrap()
}

/// A file of the shared sample data; absent, the test says so and is skipped, unless `SOCLE_STRICT=1`.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared");
    let root = std::env::var("SOCLE_SHARED").unwrap_or_else(|_| default.to_owned());
    let found = Path::new(&root).join("data").join(path);
    if found.exists() {
        return Some(found);
    }
    skip(test, "no shared data");
    None
}

pub(crate) fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    assert!(std::env::var("SOCLE_STRICT").as_deref() != Ok("1"), "{test} may not be skipped: {why}");
}

/// An example document of CI-SIS.
pub(crate) fn example(test: &str, name: &str) -> Option<Bytes> {
    let file = shared(test, &format!("documents/cda/examples/{name}"))?;
    Some(std::fs::read(file).unwrap().into())
}
