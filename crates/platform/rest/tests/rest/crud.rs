//! One resource: created, read, updated, deleted, and its past.

use serde_json::json;

use crate::served::{JSON, Served};

#[tokio::test]
async fn a_resource_lives_from_create_to_its_second_life() {
    let served = Served::start().await;
    let made = served.post("Patient", r#"{ "resourceType": "Patient", "id": "mine", "active": true }"#).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_ne!(id, "mine", "the id of a create is the server's");
    let at = format!("Patient/{id}");
    assert_eq!(made.header("location"), Some(served.url(&format!("{at}/_history/1")).as_str()));
    assert_eq!((made.header("etag"), made.json()["meta"]["versionId"].as_str()), (Some("W/\"1\""), Some("1")));

    let read = served.get(&at).await;
    assert_eq!((read.status, read.json()), (200, made.json()));
    assert_eq!(read.header("content-type"), Some("application/fhir+json; charset=utf-8"));
    assert!(read.header("last-modified").is_some_and(|text| text.ends_with(" GMT")));

    let body = json!({"resourceType": "Patient", "id": id, "active": false}).to_string();
    let updated = served.put(&at, &body).await;
    assert_eq!((updated.status, updated.header("etag")), (200, Some("W/\"2\"")));
    assert_eq!(served.delete(&at).await.status, 204);
    assert_eq!(served.delete(&at).await.status, 204, "a delete again changes nothing");
    assert_eq!(served.get(&at).await.status, 410);
    assert_eq!(served.get(&format!("{at}/_history/3")).await.status, 410);
    assert_eq!(served.get(&format!("{at}/_history/1")).await.json()["active"], true);
    assert_eq!(served.put(&at, &body).await.status, 201, "a deleted resource is made again");

    let history = served.get(&format!("{at}/_history")).await.json();
    let methods: Vec<_> =
        history["entry"].as_array().unwrap().iter().map(|entry| entry["request"]["method"].as_str().unwrap()).collect();
    assert_eq!((history["total"].as_u64(), methods), (Some(4), vec!["PUT", "DELETE", "PUT", "POST"]));
}

#[tokio::test]
async fn what_came_in_goes_out_digit_for_digit() {
    let served = Served::start().await;
    let body = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"t \"é\" \\"},"valueQuantity":{"value":1.00}}"#;
    assert_eq!(served.put("Observation/o", body).await.status, 201);
    let text = served.get("Observation/o").await.text;
    assert!(text.ends_with(&body[body.find(r#","status""#).unwrap()..]), "{text}");
}

#[tokio::test]
async fn conditions_on_versions_hold() {
    let served = Served::start().await;
    let body = r#"{"resourceType":"Patient","id":"p"}"#;
    served.put("Patient/p", body).await;
    for (etag, status) in [("W/\"9\"", 412), ("nonsense", 400), ("W/\"1\"", 200), ("W/\"1\"", 412)] {
        assert_eq!(served.send("PUT", "Patient/p", &[JSON, ("if-match", etag)], body).await.status, status, "{etag}");
    }
    let none = r#"{"resourceType":"Patient","id":"q"}"#;
    assert_eq!(served.send("PUT", "Patient/q", &[JSON, ("if-match", "W/\"1\"")], none).await.status, 412);
    assert_eq!(served.send("DELETE", "Patient/p", &[("if-match", "W/\"1\"")], "").await.status, 412);
    for (header, value, status) in [
        ("if-none-match", "W/\"2\"", 304),
        ("if-none-match", "W/\"1\"", 200),
        ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT", 200),
    ] {
        assert_eq!(served.send("GET", "Patient/p", &[(header, value)], "").await.status, status, "{value}");
    }
}

#[tokio::test]
async fn conditional_writes_look_first() {
    let served = Served::start().await;
    let patient = |value: &str| {
        json!({"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": value}]}).to_string()
    };
    let create = async |value: &str| {
        let headers = [JSON, ("if-none-exist", "identifier=urn:s|1")];
        served.send("POST", "Patient", &headers, &patient(value)).await
    };
    let first = create("1").await;
    assert_eq!((first.status, create("1").await.status), (201, 200));
    let id = first.json()["id"].as_str().unwrap().to_owned();

    let updated = served.put("Patient?identifier=urn:s|1", &patient("1")).await;
    assert_eq!((updated.status, updated.json()["id"].as_str()), (200, Some(id.as_str())));
    assert_eq!(served.put("Patient?identifier=urn:s|2", &patient("2")).await.status, 201);
    served.post("Patient", &patient("1")).await;
    assert_eq!(create("1").await.status, 412);
    assert_eq!(served.put("Patient?identifier=urn:s|1", &patient("1")).await.status, 412);
    assert_eq!(served.delete("Patient?identifier=urn:s|1").await.status, 412);
    assert_eq!(served.delete("Patient?identifier=urn:s|none").await.status, 204);
    assert_eq!(served.delete("Patient?identifier=urn:s|2").await.status, 204);
    assert_eq!(served.get("Patient?identifier=urn:s|2").await.json()["total"], 0);
    for criteria in ["Patient", "Patient?unknown=1", "Patient?_count=3"] {
        assert_eq!(served.delete(criteria).await.status, 400, "{criteria}");
    }
}

#[tokio::test]
async fn two_equal_conditional_creates_make_one_resource() {
    let served = Served::start().await;
    let body = r#"{"resourceType":"Patient","identifier":[{"system":"urn:s","value":"1"}]}"#;
    let headers = [JSON, ("if-none-exist", "identifier=urn:s|1")];
    let one = || served.send("POST", "Patient", &headers, body);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let mut statuses = [a.status, b.status, c.status, d.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
}

#[tokio::test]
async fn a_caller_chooses_format_and_what_comes_back() {
    let served = Served::start().await;
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><id value="x"/><active value="true"/></Patient>"#;
    let made = served.send("PUT", "Patient/x", &[("content-type", "application/fhir+xml")], xml).await;
    assert_eq!((made.status, made.json()["active"].as_bool()), (201, Some(true)));
    let read = served.send("GET", "Patient/x", &[("accept", "application/fhir+xml")], "").await;
    assert_eq!(read.header("content-type"), Some("application/fhir+xml; charset=utf-8"));
    assert!(read.text.contains(r#"<active value="true"/>"#), "{}", read.text);
    assert!(served.get("Patient/x?_format=xml").await.text.starts_with('<'));
    assert!(served.get("Patient/x?_pretty=true").await.text.contains("\n  \"id\": \"x\""));
    let body = r#"{"resourceType":"Patient","id":"x"}"#;
    let prefer = async |value| served.send("PUT", "Patient/x", &[JSON, ("prefer", value)], body).await;
    assert_eq!(prefer("return=minimal").await.text, "");
    assert_eq!(prefer("return=OperationOutcome").await.json()["resourceType"], "OperationOutcome");
    assert_eq!(prefer("return=representation").await.json()["resourceType"], "Patient");
    let whole = r#"{"resourceType":"Patient","id":"x","active":true,"contact":[{"name":{"text":"c"}}]}"#;
    served.put("Patient/x", whole).await;
    let part = served.get("Patient/x?_elements=active").await.json();
    assert_eq!((part["active"].as_bool(), part.get("contact")), (Some(true), None));
    assert_eq!(part["meta"]["tag"][0]["code"], "SUBSETTED");
}

#[tokio::test]
async fn histories_page_through_all_changes() {
    let served = Served::start().await;
    for n in 0..5 {
        served.put(&format!("Patient/p{n}"), &format!(r#"{{"resourceType":"Patient","id":"p{n}"}}"#)).await;
    }
    served.put("Basic/b", r#"{"resourceType":"Basic","id":"b","code":{"text":"c"}}"#).await;
    for (start, expected) in
        [("Patient/_history?_count=2", "p4 p3 p2 p1 p0"), ("_history?_count=4", "b p4 p3 p2 p1 p0")]
    {
        let (mut seen, mut next) = (Vec::new(), Some(start.to_owned()));
        while let Some(at) = next {
            let page = served.get(&at).await;
            assert_eq!(page.status, 200, "{}", page.text);
            for entry in page.json()["entry"].as_array().unwrap() {
                seen.push(entry["resource"]["id"].as_str().unwrap().to_owned());
            }
            next = page.link("next");
        }
        assert_eq!(seen.join(" "), expected);
    }
    let later = served.get("Patient/_history?_since=2100-01-01T00:00:00Z").await;
    assert_eq!(later.json().get("entry"), None);
}

/// Each interaction leaves exactly one record, refusals too; what is written says whose it is.
#[tokio::test]
async fn every_access_is_traced_once() {
    let served = Served::start().await;
    let body = r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p"}}"#;
    let steps = [
        ("PUT", "Observation/o", "update", 0_u8),
        ("GET", "Observation/o", "read", 0),
        ("GET", "Observation?code:text=t", "search-type", 0),
        ("GET", "Observation/none", "read", 4),
        ("GET", "Observation/o/_history", "history-instance", 0),
        ("DELETE", "Observation/o", "delete", 0),
    ];
    for (at, (method, path, interaction, outcome)) in steps.into_iter().enumerate() {
        served.send(method, path, &[JSON], if method == "PUT" { body } else { "" }).await;
        let records = served.records().await;
        assert_eq!(records.len(), at + 1, "{path}");
        let last = &records[0];
        assert_eq!(last.subkind.as_ref().map(|code| code.code.as_str()), Some(interaction));
        assert_eq!(u8::from(last.outcome), outcome, "{path}");
        if at < 3 {
            assert_eq!(last.patient.as_ref().map(|patient| patient.value.as_str()), Some("p"), "{path}");
            assert_eq!(last.objects[0].id, "Observation/o");
        }
    }
    let stranger = served.send("GET", "Observation/o", &[("x-structure", "1690781810")], "").await;
    assert_eq!((stranger.status, served.records().await.len()), (403, 7));
}
