//! What several test files need: one PKI, a running twin, clients, and the shared sample data.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socle_identity::{Environment, Sex, Traits};
use socle_ins::client::{Client, Patience, Settings};
use socle_ins::model::SearchTraits;
use socle_ins::twin::{self, IDAM, Running};
use socle_ins::wire::Software;
use socle_trust::pki::{Organisation, Profile, TestPki};
use socle_trust::{Credentials, Shutdown};

/// One folder for all test binaries: keys are made once per checkout.
pub(crate) fn pki() -> Arc<TestPki> {
    static PKI: OnceLock<Arc<TestPki>> = OnceLock::new();
    let open = || TestPki::open_or_create(&PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pki")).unwrap();
    Arc::clone(PKI.get_or_init(|| Arc::new(open())))
}

/// The certificate of a structure, with this common name.
pub(crate) fn credentials(file: &str, common_name: &str) -> Credentials {
    let organisation = Organisation {
        cn: common_name.to_owned(),
        id: "10B0000001".parse().unwrap(),
        name: "HOPITAL DES ESSAIS".to_owned(),
        department: "Paris (75)".to_owned(),
    };
    pki().credentials(file, &Profile::OrgAuthCli(organisation)).unwrap()
}

pub(crate) fn auto() -> Credentials {
    credentials("insi-auto", "INSI-AUTO")
}

pub(crate) async fn start() -> (Running, Shutdown) {
    let shutdown = Shutdown::new();
    let running = twin::start(twin::Settings::new(pki()), shutdown.clone()).await.unwrap();
    (running, shutdown)
}

pub(crate) fn software(idam: &str) -> Software {
    Software {
        idam: idam.to_owned(),
        version: "0.1".to_owned(),
        instance: uuid::Uuid::nil(),
        name: "urn:lps:socle:0.1".to_owned(),
    }
}

pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        url: url.to_owned(),
        environment: Environment::Jumeau,
        credentials: auto(),
        anchors: pki().anchors().clone(),
        software: software(IDAM),
        patience: Patience { pause: Duration::from_millis(1), ..Patience::default() },
    }
}

pub(crate) fn client(url: &str) -> Client {
    Client::new(settings(url)).unwrap()
}

pub(crate) fn traits(name: &str, first: &str, list: &str, sex: Sex, date: &str, place: Option<&str>) -> SearchTraits {
    let traits = Traits {
        birth_name: name.to_owned(),
        given_names: list.to_owned(),
        first_given_name: first.to_owned(),
        sex,
        birth_date: date.parse().unwrap(),
        birth_place: place.map(|place| place.parse().unwrap()),
        used_name: None,
        used_given_name: None,
    };
    SearchTraits::new(&traits).unwrap()
}

pub(crate) fn dominique() -> SearchTraits {
    traits("Pat-Trois", "Dominique", "Dominique Marie-Louise", Sex::Female, "1979-03-28", Some("51215"))
}

/// The folder of shared sample data, or `None` after saying visibly that the test is skipped.
pub(crate) fn shared(test: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let folder = std::env::var_os("SOCLE_SHARED").map_or_else(default, PathBuf::from);
    if folder.join("data").is_dir() {
        return Some(folder.join("data/identity/insi"));
    }
    skip(test, "no shared data");
    None
}

/// Says that a test is skipped; in strict mode that is a failure.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "{test}: {why}");
    println!("SKIPPED {test}: {why}");
}
