//! Batches, and transactions with every rule that they have.

use serde_json::{Value, json};

use crate::served::{Answer, JSON, Served};

fn entry(method: &str, url: &str, full_url: &str, resource: Value) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if !full_url.is_empty() {
        entry["fullUrl"] = full_url.into();
    }
    if !resource.is_null() {
        entry["resource"] = resource;
    }
    entry
}

async fn send(served: &Served, kind: &str, entries: &[Value]) -> Answer {
    served.post("", &json!({"resourceType": "Bundle", "type": kind, "entry": entries}).to_string()).await
}

fn statuses(answer: &Answer) -> String {
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|one| one["response"]["status"].as_str().unwrap()[..3].to_owned()).collect::<Vec<_>>().join(" ")
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "identifier": [{"system": "urn:s", "value": id}]})
}

fn observation(subject: &str) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": {"text": "c"}, "subject": {"reference": subject}})
}

#[tokio::test]
async fn a_transaction_gives_ids_and_joins_its_resources() {
    let served = Served::start().await;
    served.put("Patient/old", &patient("old").to_string()).await;
    served.put("Patient/known", &patient("known").to_string()).await;
    let uuid = "urn:uuid:0b5d1f7e-4b0c-4c0e-9d55-0a1b2c3d4e5f";
    let mut conditional = entry("POST", "Patient", "urn:uuid:k", patient("known"));
    conditional["request"]["ifNoneExist"] = "identifier=urn:s|known".into();
    let entries = [
        entry("GET", "Observation?subject:Patient.identifier=urn:s|new", "", Value::Null),
        entry("POST", "Observation", "urn:uuid:o", observation(uuid)),
        entry("POST", "Patient", uuid, patient("new")),
        entry("DELETE", "Patient/old", "", Value::Null),
        conditional,
        entry("POST", "Observation", "", observation("urn:uuid:k")),
        entry("POST", "Observation", "", observation("Patient?identifier=urn:s|known")),
        entry("PUT", "Patient/mine", "", patient("mine")),
        entry(
            "PUT",
            "Patient?identifier=urn:s|where",
            "",
            json!({"resourceType": "Patient", "identifier": [{"system": "urn:s", "value": "where"}]}),
        ),
        entry("DELETE", "Patient?identifier=urn:s|nobody", "", Value::Null),
        entry("GET", "Patient/none", "", Value::Null),
    ];
    let answer = send(&served, "transaction", &entries).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["type"], "transaction-response");
    assert_eq!(statuses(&answer), "200 201 201 204 200 201 201 201 201 204 404");
    assert_eq!(answer.json()["entry"][0]["resource"]["total"], 1, "what is read is read after the writes");
    assert_eq!(served.get("Patient/old").await.status, 410);
    assert_eq!(served.get("Observation?subject=Patient/known").await.json()["total"], 2);
    assert_eq!(served.get("Patient?identifier=urn:s%7Cwhere").await.json()["total"], 1);
    let location = answer.json()["entry"][1]["response"]["location"].as_str().unwrap().to_owned();
    let reference = served.get(&location).await.json()["subject"]["reference"].as_str().unwrap().to_owned();
    assert_eq!(served.get(&reference).await.json()["identifier"][0]["value"], "new");
}

#[tokio::test]
async fn a_transaction_with_one_fault_writes_nothing() {
    let served = Served::start().await;
    served.put("Patient/a", &patient("same").to_string().replace("\"id\":\"same\"", "\"id\":\"a\"")).await;
    served.put("Patient/b", &patient("same").to_string().replace("\"id\":\"same\"", "\"id\":\"b\"")).await;
    let good = || entry("PUT", "Patient/good", "", patient("good"));
    let mut stale = entry("PUT", "Patient/a", "", patient("a"));
    stale["request"]["ifMatch"] = "W/\"9\"".into();
    let mut several = entry("POST", "Patient", "", patient("x"));
    several["request"]["ifNoneExist"] = "identifier=urn:s|same".into();
    let cases = [
        ("invalid resource", entry("POST", "Patient", "", json!({"resourceType": "Patient", "gender": "x"})), 422),
        ("wrong type", entry("POST", "Patient", "", observation("Patient/a")), 400),
        ("unknown type", entry("POST", "Nothing", "", patient("x")), 404),
        ("no resource", entry("POST", "Patient", "", Value::Null), 400),
        ("no request", json!({"resource": patient("x")}), 400),
        ("id of another", entry("PUT", "Patient/x", "", patient("y")), 400),
        ("twice the same", entry("DELETE", "Patient/good", "", Value::Null), 400),
        ("version passed", stale, 412),
        ("several exist", several, 412),
        ("reference to several", entry("POST", "Observation", "", observation("Patient?identifier=urn:s|same")), 412),
        ("reference to nothing", entry("POST", "Observation", "", observation("Patient?identifier=urn:s|none")), 412),
        ("delete several", entry("DELETE", "Patient?identifier=urn:s|same", "", Value::Null), 412),
    ];
    for (what, bad, status) in cases {
        let answer = send(&served, "transaction", &[good(), bad]).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{what}");
        assert_eq!(served.get("Patient/good").await.status, 404, "{what}");
    }
}

#[tokio::test]
async fn a_batch_does_each_entry_for_itself() {
    let served = Served::start().await;
    let entries = [
        entry("PUT", "Patient/p", "", patient("p")),
        entry("POST", "Patient", "", json!({"resourceType": "Patient", "gender": "x"})),
        entry("GET", "Patient/p", "", Value::Null),
        entry("GET", "Patient/none", "", Value::Null),
        entry("GET", &served.url("Patient?identifier=p"), "", Value::Null),
        entry("DELETE", "Patient/p", "", Value::Null),
        entry("GET", "Patient/p", "", Value::Null),
        json!({"request": {"method": "POST", "url": ""}, "resource": {"resourceType": "Bundle", "type": "batch"}}),
    ];
    let answer = send(&served, "batch", &entries).await;
    assert_eq!((answer.status, answer.json()["type"].as_str()), (200, Some("batch-response")), "{}", answer.text);
    assert_eq!(statuses(&answer), "201 422 200 404 200 204 410 404");
    assert_eq!(answer.json()["entry"][1]["response"]["outcome"]["resourceType"], "OperationOutcome");
    assert_eq!(answer.json()["entry"][4]["resource"]["total"], 1);
    // One for the batch, one for each entry that is an interaction.
    assert_eq!(served.records().await.len(), 8);
}

#[tokio::test]
async fn the_answer_to_a_transaction_holds_resources_when_asked() {
    let served = Served::start().await;
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry("PUT", "Patient/p", "", patient("p"))]});
    let headers = [JSON, ("prefer", "return=representation")];
    let whole = served.send("POST", "", &headers, &bundle.to_string()).await.json();
    assert_eq!(whole["entry"][0]["resource"]["id"], "p");
    assert_eq!(whole["entry"][0]["response"]["status"], "201 Created");
    let lean = served.post("", &bundle.to_string()).await.json();
    assert_eq!((lean["entry"][0].get("resource"), &lean["entry"][0]["response"]["etag"]), (None, &json!("W/\"2\"")));
    let empty = json!({"resourceType": "Bundle", "type": "transaction"});
    assert_eq!(served.post("", &empty.to_string()).await.json()["type"], "transaction-response");
}
