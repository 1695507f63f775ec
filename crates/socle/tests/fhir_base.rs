//! The structure's own FHIR base, behind the same door as the documents: deny by default, then FHIR.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use http::{Method, Request, StatusCode, header};
use socle_trust::https::Body;

use installation::Installation;
use installation::door::Caller;

async fn post(caller: &Caller, path: &str, body: &'static str) -> StatusCode {
    let request = Request::post(format!("{}{path}", caller.base))
        .header(header::CONTENT_TYPE, "application/fhir+json")
        .header(header::AUTHORIZATION, format!("Bearer {}", caller.token))
        .body(Body::from(body.to_owned()))
        .unwrap();
    caller.http.send(request).await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recognised_application_writes_and_reads_and_nobody_else_does() {
    let installation = Installation::embedded();
    let stranger = installation.stranger();
    for path in ["/r4/main/metadata", "/r4/main/Patient", "/r4/main", "/r4/other/Patient"] {
        let (status, outcome) = stranger.ask(Method::GET, path).await;
        assert_eq!(
            (status, &outcome["resourceType"]),
            (StatusCode::UNAUTHORIZED, &"OperationOutcome".into()),
            "{path}"
        );
    }
    let caller = installation.caller().await;
    assert_eq!(caller.get("/r4/main/metadata").await["fhirVersion"], "4.0.1");
    assert_eq!(caller.ask(Method::GET, "/r4/other/Patient").await.0, StatusCode::NOT_FOUND);
    assert_eq!(caller.ask(Method::GET, "/r4/main/Patient/none").await.0, StatusCode::NOT_FOUND);
    let made = post(&caller, "/r4/main/Patient", r#"{"resourceType":"Patient","name":[{"family":"PAT-TROIS"}]}"#).await;
    assert_eq!(made, StatusCode::CREATED);
    assert_eq!(caller.get("/r4/main/Patient?name=pat%20trois").await["total"], 1);
    // The documents' door is where it was.
    assert_eq!(caller.get("/fhir/metadata").await["resourceType"], "CapabilityStatement");
}
