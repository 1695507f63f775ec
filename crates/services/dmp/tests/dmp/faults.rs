//! A bad day at the DMP: each failure of the panel, and what the client makes of it.

use std::time::Duration;

use socle_dmp::client::{Attempt, Client, Deposit, FailureKind, Placed, Reason, Trouble};
use socle_dmp::model::ErrorCode;
use socle_dmp::model::query::Filter;
use socle_dmp::twin::Fault;

use crate::support::{Twin, deposit, letter, patient, reader, reference};

/// What a caller sees.
#[derive(Debug, PartialEq)]
enum Seen {
    Done,
    Refused,
    Temporary,
    Unknown,
}

fn seen(kind: &FailureKind) -> Seen {
    match kind {
        FailureKind::Refused(_) => Seen::Refused,
        FailureKind::Temporary(_) => Seen::Temporary,
        FailureKind::Unknown(_) => Seen::Unknown,
    }
}

/// A deposit that meets the fault; whatever it says, the document is there once after a second try.
#[tokio::test]
async fn a_deposit_survives_every_failure_and_is_never_doubled() {
    let cases = [
        (Fault::Http500Html, Seen::Temporary, "a proxy's 500 proves nothing: the registry is asked, and has nothing"),
        (Fault::Maintenance503, Seen::Temporary, "maintenance"),
        (Fault::RegistryBusy, Seen::Temporary, "busy"),
        (Fault::RepositoryError, Seen::Temporary, "internal error"),
        (Fault::InvalidCertificate, Seen::Refused, "certificate"),
        (Fault::AccessDenied, Seen::Refused, "rights"),
        (Fault::StructureUnknown, Seen::Refused, "a fault without a code"),
        (Fault::NotLinked, Seen::Refused, "another one"),
        (Fault::PatientDoesNotMatch, Seen::Refused, "patient"),
        (Fault::CutAfterCommit, Seen::Done, "the answer is lost, the document is there"),
        (Fault::ResponseSoap11, Seen::Done, "an answer in SOAP 1.1 is still an answer"),
        (Fault::FaultInMultipart, Seen::Done, "a multipart without parts"),
    ];
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    for (at, (fault, expected, why)) in cases.into_iter().enumerate() {
        let document = letter();
        twin.running.panel.arm(fault, 1);
        let first = client.provide(&patient, deposit(document.clone())).await;
        let outcome = first.as_ref().map_or_else(|failure| seen(&failure.kind), |_| Seen::Done);
        assert_eq!(outcome, expected, "{}: {why}", fault.name());
        twin.running.panel.disarm_all();
        let again = Deposit { attempt: Attempt::Again, ..deposit(document.clone()) };
        client.provide(&patient, again).await.unwrap();
        let found = client.find(&patient, &reader(), Filter::default()).await.unwrap();
        assert_eq!(found.entries.len(), at + 1, "{}", fault.name());
    }
}

fn hasty(twin: &Twin) -> Client {
    twin.client_with(|settings| settings.limits.request = Duration::from_millis(1500))
}

#[tokio::test]
async fn a_lost_answer_is_a_success_when_the_registry_has_the_same_hash() {
    let twin = Twin::start().await;
    let (client, patient) = (hasty(&twin), patient());
    twin.running.panel.arm(Fault::TimeoutAfterCommit, 1);
    let provided = client.provide(&patient, deposit(letter())).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::Original);
    assert_eq!(provided.exchanges.len(), 2);
    assert!(provided.exchanges[0].response.is_none(), "no answer came");
}

#[tokio::test]
async fn when_the_registry_cannot_tell_either_the_outcome_stays_unknown() {
    let twin = Twin::start().await;
    let (client, patient) = (hasty(&twin), patient());
    let document = letter();
    twin.running.panel.arm(Fault::CutAfterCommit, 2);
    let failure = client.provide(&patient, deposit(document.clone())).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Unknown(_)), "{failure}");
    assert_eq!(failure.exchanges.len(), 2);
    let again = Deposit { attempt: Attempt::Again, ..deposit(document) };
    assert_eq!(client.provide(&patient, again).await.unwrap().documents[0].how, Placed::AlreadyThere);
}

#[tokio::test]
async fn an_index_that_is_late_never_makes_a_double() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    twin.running.panel.arm(Fault::CutAfterCommit, 1);
    twin.running.panel.arm(Fault::EmptyRegistry, 1);
    let failure = client.provide(&patient, deposit(document.clone())).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Temporary(Trouble::NotStored)), "{failure}");
    twin.running.panel.arm(Fault::EmptyRegistry, 1);
    let again = Deposit { attempt: Attempt::Again, ..deposit(document) };
    let provided = client.provide(&patient, again).await.unwrap();
    assert_eq!(provided.documents[0].how, Placed::AlreadyThere, "sent again, refused, compared");
    assert_eq!(client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn reading_survives_or_refuses_what_must_not_be_shown() {
    let twin = Twin::start().await;
    let (client, patient) = (twin.client(), patient());
    let document = letter();
    client.provide(&patient, deposit(document.clone())).await.unwrap();
    let entry = client.find(&patient, &reader(), Filter::default()).await.unwrap().entries.remove(0);
    let cases = [
        (Fault::CidPercentEncoded, Seen::Done),
        (Fault::ResponseSoap11, Seen::Done),
        (Fault::MtomMissingPart, Seen::Refused),
        (Fault::HashMismatch, Seen::Refused),
        (Fault::CutAfterCommit, Seen::Temporary),
        (Fault::Http500Html, Seen::Temporary),
        (Fault::InvalidCertificate, Seen::Refused),
    ];
    for (fault, expected) in cases {
        twin.running.panel.arm(fault, 1);
        let got = client.retrieve(&patient, &reader(), &[reference(&entry)]).await;
        let outcome = got.as_ref().map_or_else(|failure| seen(&failure.kind), |_| Seen::Done);
        assert_eq!(outcome, expected, "{}", fault.name());
        if let Ok(got) = got {
            assert_eq!(got.documents[0].bytes, document.bytes, "{}", fault.name());
        }
        twin.running.panel.disarm_all();
    }
    twin.running.panel.arm(Fault::TooManyResults, 1);
    let failure = client.find(&patient, &reader(), Filter::default()).await.unwrap_err();
    assert_eq!(failure.code(), Some(&ErrorCode::TooManyResults));
}

#[tokio::test]
async fn a_twin_that_is_down_is_temporary_and_nothing_was_sent() {
    let client = Client::new(crate::support::settings("https://localhost:1/si-dmp-server/v2/services")).unwrap();
    let failure = client.provide(&patient(), deposit(letter())).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Temporary(Trouble::Network(_))), "{failure}");
    let client = Client::new(crate::support::settings("http://dmp.example/si-dmp-server/v2/services")).unwrap();
    let failure = client.provide(&patient(), deposit(letter())).await.unwrap_err();
    let FailureKind::Refused(refusal) = &failure.kind else { panic!("{failure}") };
    assert!(matches!(refusal.reason, Reason::Unsendable(_)), "{failure}");
}

#[tokio::test]
async fn the_panel_is_driven_over_http() {
    let twin = Twin::start().await;
    let http = plain_http();
    let send = |method: &str, path: &str| {
        let url = format!("{}{path}", twin.running.page);
        http.send(http::Request::builder().method(method).uri(url).body(bytes::Bytes::new()).unwrap())
    };
    let armed = send("POST", "faults/maintenance-503?times=2").await.unwrap();
    assert!(String::from_utf8_lossy(armed.body()).contains(r#"{"armed":2,"name":"maintenance-503"}"#));
    let failure = twin.client().provide(&patient(), deposit(letter())).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Temporary(Trouble::Status(503))), "{failure}");
    send("DELETE", "faults").await.unwrap();
    twin.client().provide(&patient(), deposit(letter())).await.unwrap();
    assert_eq!(send("POST", "faults/nothing-like-this").await.unwrap().status(), 404);
    let page = send("GET", "").await.unwrap();
    let page = String::from_utf8_lossy(page.body());
    assert!(
        page.contains("jumeau local non officiel, sans lien avec l&#39;ANS") || page.contains("sans lien avec l'ANS")
    );
    assert!(!page.contains("27903"), "the page shows a person");
}

pub(crate) fn plain_http() -> socle_trust::https::HttpsClient {
    let anchors = crate::support::pki().anchors().clone();
    let tls = socle_trust::tls::client_config(&anchors, None, socle_trust::tls::Versions::Both).unwrap();
    socle_trust::https::HttpsClient::new(&tls, socle_trust::https::ClientLimits::default())
}
