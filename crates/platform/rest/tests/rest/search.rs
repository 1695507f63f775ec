//! Searches over one small base in which each resource differs in one thing.

use serde_json::{Value, json};

use crate::served::{Answer, Served};

/// The category that R4 asks of a body weight and a body height.
const VITAL_SIGNS: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

async fn filled() -> Served {
    let served = Served::start().await;
    let quantity = |value: f64, code: &str| json!({"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code});
    let observation = |id: &str, code: &str, subject: &str, value: Value, at: &str| {
        json!({
            "resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": at,
            "category": [{"coding": [{"system": VITAL_SIGNS, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": "Body weight"}]},
            "subject": {"reference": subject}, "valueQuantity": value
        })
    };
    let resources = [
        json!({"resourceType": "Organization", "id": "org", "name": "Hôpital de l'Étoile"}),
        json!({
            "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1980-05-12", "active": true,
            "identifier": [{"system": "urn:s", "value": "1", "type": {"coding": [{"system": "urn:t", "code": "MR"}]}}],
            "name": [{"family": "Lefèvre", "given": ["Élodie", "Anne"]}],
            "managingOrganization": {"reference": "Organization/org"},
            "telecom": [{"system": "phone", "value": "0102", "use": "home"}]
        }),
        json!({
            "resourceType": "Patient", "id": "p2", "gender": "male", "birthDate": "1980",
            "identifier": [{"value": "1"}], "name": [{"family": "LEFEVRE-MARTIN", "given": ["Éloi"]}]
        }),
        json!({"resourceType": "Patient", "id": "p3", "birthDate": "2001-01-31", "name": [{"text": "Zoé Le, Goff"}]}),
        observation("o1", "29463-7", "Patient/p1", quantity(70.0, "kg"), "2020-03-01T10:00:00Z"),
        observation("o2", "29463-7", "Patient/p2", quantity(70_500.0, "g"), "2021-03-01T10:00:00+01:00"),
        observation("o3", "8302-2", "Patient/p1", quantity(170.0, "cm"), "2020-03-01"),
        json!({
            "resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
            "subject": {"reference": served.url("Patient/p1")}, "period": {"start": "2020-02-28"}
        }),
        json!({
            "resourceType": "ValueSet", "id": "v", "status": "active", "url": "http://x.org/fhir/ValueSet/a",
            "version": "1"
        }),
    ];
    for resource in resources {
        let at = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let made = served.put(&at, &resource.to_string()).await;
        assert_eq!(made.status, 201, "{at}: {}", made.text);
    }
    served
}

async fn strict(served: &Served, path: &str) -> Answer {
    served.send("GET", &path.replace('|', "%7C"), &[("prefer", "handling=strict")], "").await
}

#[tokio::test]
async fn each_search_finds_what_it_says() {
    let served = filled().await;
    let cases = [
        // string
        ("Patient?name=elo", "p2 p1"),
        ("Patient?family=LEFEVRE", "p2 p1"),
        ("Patient?family=lef%C3%A8vre%20martin", "p2"),
        ("Patient?name=martin", ""),
        ("Patient?name:contains=martin", "p2"),
        ("Patient?family:exact=Lef%C3%A8vre", "p1"),
        ("Patient?family:exact=Lefevre", ""),
        ("Patient?name=Zo%C3%A9%20Le%5C,%20Goff", "p3"),
        ("Patient?name=elodie,zoe", "p3 p1"),
        ("Patient?name=elodie&name=anne", "p1"),
        ("Patient?given:missing=true", "p3"),
        ("Patient?given:missing=false", "p2 p1"),
        // token
        ("Patient?identifier=1", "p2 p1"),
        ("Patient?identifier=urn:s|1", "p1"),
        ("Patient?identifier=|1", "p2"),
        ("Patient?identifier=urn:s|", "p1"),
        ("Patient?identifier:of-type=urn:t|MR|1", "p1"),
        ("Patient?gender=female,male", "p2 p1"),
        ("Patient?gender:not=female", "p3 p2"),
        ("Patient?active=true", "p1"),
        ("Patient?telecom=0102", "p1"),
        ("Observation?code=http://loinc.org|29463-7", "o2 o1"),
        ("Observation?code=http://other.org|29463-7", ""),
        ("Observation?code:text=body", "o3 o2 o1"),
        // date
        ("Patient?birthdate=1980", "p2 p1"),
        ("Patient?birthdate=1980-05", "p1"),
        ("Patient?birthdate=ne1980", "p3"),
        ("Patient?birthdate=gt1980", "p3"),
        ("Patient?birthdate=lt1980-05-12", "p2"),
        ("Patient?birthdate=ge1980-05-12", "p3 p2 p1"),
        ("Patient?birthdate=le1980", "p2 p1"),
        ("Patient?birthdate=sa1980-06", "p3"),
        ("Patient?birthdate=eb1980-06", "p1"),
        ("Patient?birthdate=ge1980&birthdate=lt2000", "p2 p1"),
        ("Observation?date=2020-03-01", "o3 o1"),
        ("Observation?date=2021-03-01T09:00:00Z", "o2"),
        ("Encounter?date=gt2024", "e"),
        ("Encounter?date=lt2020-02-28", ""),
        // quantity
        ("Observation?value-quantity=70|http://unitsofmeasure.org|kg", "o1"),
        ("Observation?value-quantity=gt70|http://unitsofmeasure.org|kg", "o2"),
        ("Observation?value-quantity=70000|http://unitsofmeasure.org|g", "o1"),
        ("Observation?value-quantity=70||kg", "o1"),
        ("Observation?value-quantity=ap70|http://unitsofmeasure.org|kg", "o2 o1"),
        ("Observation?value-quantity=gt100", "o3 o2"),
        ("Observation?value-quantity=170", "o3"),
        ("Observation?value-quantity=169.9", ""),
        ("Observation?code-value-quantity=29463-7$gt60||kg", "o1"),
        ("Observation?code-value-quantity=http://loinc.org|8302-2$gt60", "o3"),
        ("Observation?code-value-quantity=8302-2$lt60", ""),
        // reference
        ("Observation?subject=p1", "o3 o1"),
        ("Observation?subject=Patient/p1", "o3 o1"),
        ("Observation?subject:Patient=p2", "o2"),
        ("Observation?patient=p2", "o2"),
        ("Encounter?subject=Patient/p1", "e"),
        ("Observation?subject=Group/p1", ""),
        // uri
        ("ValueSet?url=http://x.org/fhir/ValueSet/a", "v"),
        ("ValueSet?url:below=http://x.org/fhir", "v"),
        ("ValueSet?url:below=http://x.or", ""),
        ("ValueSet?url:above=http://x.org/fhir/ValueSet/a/c", "v"),
        // chains
        ("Observation?subject:Patient.name=elodie", "o3 o1"),
        ("Observation?patient.gender=male", "o2"),
        ("Observation?subject.organization.name=hopital", "o3 o1"),
        ("Patient?_has:Observation:patient:code=8302-2", "p1"),
        ("Patient?_has:Observation:patient:date=2021", "p2"),
        ("Organization?_has:Patient:organization:_has:Observation:patient:code=8302-2", "org"),
        // every resource
        ("Patient?_id=p1,p3", "p3 p1"),
        ("Patient?_lastUpdated=gt2020", "p3 p2 p1"),
        ("Patient?_lastUpdated=lt2020", ""),
        // compartments
        ("Patient/p1/Observation", "o3 o1"),
        ("Patient/p1/Observation?code=8302-2", "o3"),
        ("Patient/none/Observation", ""),
        // order
        ("Patient?_sort=birthdate", "p2 p1 p3"),
        ("Patient?_sort=-birthdate", "p3 p2 p1"),
        ("Patient?_sort=given,_id", "p1 p2 p3"),
        ("Observation?_sort=-_lastUpdated", "o3 o2 o1"),
        // includes
        ("Observation?code=8302-2&_include=Observation:subject", "o3 +Patient/p1"),
        ("Observation?code=8302-2&_include=Observation:subject:Group", "o3"),
        (
            "Observation?code=8302-2&_include=*&_include:iterate=Patient:organization",
            "o3 +Patient/p1 +Organization/org",
        ),
        ("Patient?_id=p2&_revinclude=Observation:patient", "p2 +Observation/o2"),
        ("Patient?_summary=count", ""),
        ("Patient?_count=0", ""),
    ];
    for (path, expected) in cases {
        let answer = strict(&served, path).await;
        assert_eq!((answer.status, answer.found().as_str()), (200, expected), "{path}: {}", answer.text);
    }
    assert_eq!(strict(&served, "Patient?_summary=count").await.json()["total"], 3);
}

#[tokio::test]
async fn what_is_not_known_is_passed_over_or_refused() {
    let served = filled().await;
    let lenient = served.get("Patient?gender=male&colour=blue").await;
    assert_eq!((lenient.status, lenient.found().as_str()), (200, "p2 outcome"));
    assert_eq!(lenient.link("self"), Some(served.url("Patient?gender=male")));
    for path in
        ["Patient?colour=blue", "Patient?subject.name=x", "Patient?_has:Observation:code:x=y", "Patient?_sort=gender"]
    {
        assert_eq!(strict(&served, path).await.status, 400, "{path}");
    }
    for path in [
        "Patient?gender:above=male",
        "Patient?name:unknown=x",
        "Patient?birthdate=yesterday",
        "Observation?value-quantity=many",
        "Patient?name=",
        "Patient?gender:missing=perhaps",
        "Patient?_total=some",
    ] {
        assert_eq!(served.get(path).await.status, 400, "{path}, however lenient");
    }
}

#[tokio::test]
async fn pages_follow_each_other_while_others_write() {
    let served = filled().await;
    for start in ["Patient?_count=1", "Patient?_count=1&_sort=birthdate"] {
        let (mut seen, mut next) = (Vec::new(), Some(start.to_owned()));
        while let Some(at) = next {
            let page = served.get(&at).await;
            assert_eq!((page.status, page.json()["entry"].as_array().map(Vec::len)), (200, Some(1)), "{}", page.text);
            seen.push(page.found());
            next = page.link("next");
            let id = format!("later-{}", seen.len());
            let body = json!({"resourceType": "Patient", "id": id}).to_string();
            served.put(&format!("Patient/{id}"), &body).await;
            assert!(seen.len() < 9);
        }
        assert_eq!(seen.iter().filter(|id| id.starts_with('p')).count(), 3, "{seen:?}");
        assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), seen.len(), "{seen:?}");
        for at in 1..9 {
            served.delete(&format!("Patient/later-{at}")).await;
        }
    }
}

#[tokio::test]
async fn a_form_searches_without_showing_its_values() {
    let served = filled().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let answer = served.send("POST", "Patient/_search", &[form], "name=elo&_count=1").await;
    assert_eq!((answer.status, answer.found().as_str()), (200, "p2"), "{}", answer.text);
    let (own, next) = (answer.link("self").unwrap(), answer.link("next").unwrap());
    assert!(!own.contains("elo") && !next.contains("elo"), "{own} {next}");
    assert_eq!((served.get(&own).await.found().as_str(), served.get(&next).await.found().as_str()), ("p2", "p1"));
}
