//! Everything that is refused, by what and how, each with an OperationOutcome.

use crate::served::{JSON, Served};

/// Method, path, headers, body; status, code of the issue (`*`: whatever).
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, u16, &'static str);

const PATIENT: &str = r#"{"resourceType":"Patient"}"#;
const XML: (&str, &str) = ("content-type", "application/fhir+xml");

#[tokio::test]
async fn each_refusal_has_its_status_and_outcome() {
    let served = Served::start().await;
    served.put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#).await;
    let cases: [Case; 33] = [
        ("GET", "Patient/none", &[], "", 404, "not-found"),
        ("GET", "Patient/none/_history", &[], "", 404, "not-found"),
        ("GET", "Patient/p/_history/9", &[], "", 404, "not-found"),
        ("GET", "Patient/p/_history/x", &[], "", 404, "not-found"),
        ("GET", "Nothing", &[], "", 404, "not-supported"),
        ("GET", "Nothing/1", &[], "", 404, "not-supported"),
        ("GET", "Patient/p/$everything", &[], "", 404, "not-supported"),
        ("GET", "Patient/a_b", &[], "", 404, "not-supported"),
        ("POST", "Patient/p", &[JSON], PATIENT, 405, "not-supported"),
        ("DELETE", "metadata", &[], "", 405, "not-supported"),
        ("PATCH", "Patient/p", &[("content-type", "application/json-patch+json")], "[]", 405, "not-supported"),
        ("POST", "Patient", &[], PATIENT, 415, "not-supported"),
        ("POST", "Patient", &[("content-type", "text/plain")], PATIENT, 415, "not-supported"),
        (
            "POST",
            "Patient",
            &[("content-type", "application/fhir+json; fhirVersion=5.0")],
            PATIENT,
            415,
            "not-supported",
        ),
        ("POST", "Patient/_search", &[JSON], "{}", 415, "not-supported"),
        ("GET", "Patient/p", &[("accept", "text/html")], "", 406, "not-supported"),
        ("GET", "Patient/p?_format=turtle", &[], "", 406, "not-supported"),
        ("POST", "Patient", &[JSON], "{", 400, "*"),
        ("POST", "Patient", &[JSON], r#"{"resourceType":"Patient","active":true,"active":false}"#, 400, "*"),
        ("POST", "Patient", &[XML], "<Patient", 400, "*"),
        ("POST", "Patient", &[JSON], "{}", 400, "invalid"),
        ("POST", "Patient", &[JSON], r#"{"resourceType":"Observation"}"#, 400, "invalid"),
        ("PUT", "Patient/p", &[JSON], PATIENT, 400, "invalid"),
        ("PUT", "Patient/p", &[JSON], r#"{"resourceType":"Patient","id":"q"}"#, 400, "invalid"),
        ("POST", "Patient", &[JSON], r#"{"resourceType":"Patient","gender":"homme"}"#, 422, "*"),
        ("POST", "Observation", &[JSON], r#"{"resourceType":"Observation"}"#, 422, "*"),
        ("POST", "Patient", &[JSON], r#"{"resourceType":"Patient","naem":"x"}"#, 422, "*"),
        ("POST", "", &[JSON], r#"{"resourceType":"Bundle","type":"collection"}"#, 400, "value"),
        ("POST", "", &[JSON], PATIENT, 400, "invalid"),
        ("GET", "Patient?_count=many", &[], "", 400, "value"),
        ("GET", "Patient?_page=forged", &[], "", 400, "value"),
        ("GET", "Patient/_history?_since=yesterday", &[], "", 400, "value"),
        ("GET", "Patient/p?_summary=some", &[], "", 400, "value"),
    ];
    for (method, path, headers, body, status, code) in cases {
        let answer = served.send(method, path, headers, body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text);
        let outcome = answer.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{method} {path}: {}", answer.text);
        assert!(code == "*" || outcome["issue"][0]["code"] == code, "{method} {path}: {}", answer.text);
    }
    assert_eq!(served.get("Patient").await.json()["total"], 1, "nothing that was refused was written");
}

#[tokio::test]
async fn what_is_declared_is_served() {
    let served = Served::start().await;
    let statement = served.get("metadata").await.json();
    assert_eq!(statement["fhirVersion"], "4.0.1");
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    assert!(resources.len() > 140, "{}", resources.len());
    for kind in ["Patient", "Observation", "Encounter"] {
        let resource = resources.iter().find(|one| one["type"] == kind).unwrap();
        for parameter in resource["searchParam"].as_array().unwrap() {
            let (name, of) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
            let value = match of {
                "date" => "2020",
                "number" => "1",
                "quantity" => "1.5||kg",
                "reference" => "Patient/p",
                "composite" => match name {
                    _ if name.ends_with("quantity") => "a$1",
                    _ if name.ends_with("date") => "a$2020",
                    _ => "a$b",
                },
                _ => "a",
            };
            let path = format!("{kind}?{name}={value}");
            let answer = served.send("GET", &path, &[("prefer", "handling=strict")], "").await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        }
        for include in resource["searchInclude"].as_array().unwrap() {
            let path = format!("{kind}?_include={}", include.as_str().unwrap());
            let answer = served.send("GET", &path, &[("prefer", "handling=strict")], "").await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        }
    }
}
