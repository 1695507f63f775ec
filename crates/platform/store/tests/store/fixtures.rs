//! What the tests of the store share.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use socle_identity::Environment;
use socle_store::{Claim, NewJob, Options, SqliteStore};
use socle_trust::audit::{Code, PatientId, Record, RecordAction};
use uuid::Uuid;

/// A store in `dir`.
pub(crate) fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, Options::default()).unwrap()
}

/// An instant, in seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A job of the twins' world, due at once.
pub(crate) fn job(kind: &str, key: &str, lane: Option<&str>) -> NewJob {
    NewJob {
        kind: kind.into(),
        key: key.into(),
        lane: lane.map(Into::into),
        environment: Environment::Jumeau,
        flow: None,
        payload: format!("payload of {key}").into(),
        not_before: Some(at(0)),
    }
}

/// A claim of the twins' world.
pub(crate) fn claim(kinds: &[&str], max: usize, second: i64) -> Claim {
    Claim {
        environment: Environment::Jumeau,
        kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        max,
        now: at(second),
        lease: Duration::from_secs(60),
    }
}

/// A person who does not exist.
pub(crate) fn patient(value: &str) -> PatientId {
    PatientId { system: "urn:oid:1.2.250.1.213.1.4.10".into(), value: value.into() }
}

/// A record about a person, or about nobody.
pub(crate) fn record(about: Option<&str>, flow: Option<Uuid>) -> Record {
    let kind = Code::dicom("110106");
    let mut record = Record::new("socle.test", Environment::Jumeau, kind, RecordAction::C, at(1_000));
    record.patient = about.map(patient);
    record.flow = flow;
    record
}
