//! Wrong input at the front door: each kind has its status, its issue and its rule; nothing of it is
//! kept but the trace of the refusal, and the process stays alive.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

mod installation;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use socle_cda::letter::Letter;
use socle_cda::{Document, Header};
use socle_fhir::outcome;
use socle_fhir::pdsm::{Addressee, ProvideBundle, SubmittedPatient, write_provide_bundle};
use socle_identity::Traits;
use socle_trust::pki::Profile;
use socle_trust::token::{Issuer, SigningKey, x5t_s256};
use uuid::Uuid;

use installation::door::{Caller, flow_of, lot};
use installation::{Installation, dmp};

fn letter_by(change: impl FnOnce(&mut Letter)) -> Document {
    let mut letter = Letter::for_test_person(Uuid::now_v7(), Timestamp::now(), jiff::tz::Offset::UTC).unwrap();
    change(&mut letter);
    letter.to_document().unwrap()
}

fn letter() -> Document {
    letter_by(|_| {})
}

/// The bundle of a letter, with one thing changed.
fn bundle_by(change: impl FnOnce(&mut ProvideBundle)) -> Bytes {
    let mut lot = lot(&letter());
    change(&mut lot);
    write_provide_bundle(&lot).into()
}

/// The bundle of a letter of which the text is spoilt.
fn with_document(spoil: impl FnOnce(String) -> String) -> Bytes {
    bundle_by(|lot| {
        let text = String::from_utf8(lot.documents[0].bytes.to_vec()).unwrap();
        lot.documents[0].bytes = Bytes::from(spoil(text));
    })
}

fn declared(lot: &mut ProvideBundle) -> &mut socle_fhir::fr_core::DeclaredPatient {
    match &mut lot.patient {
        SubmittedPatient::Described(declared) => declared,
        other => panic!("{other:?}"),
    }
}

fn addressed_to(address: &str) -> Bytes {
    bundle_by(|lot| lot.recipients[0].to = Addressee::Mailbox(address.parse().unwrap()))
}

/// A letter about somebody else, whose INS is the one given.
fn about(matricule: &str, change: impl FnOnce(&mut Traits)) -> Bytes {
    let document = letter_by(|letter| {
        letter.ins.matricule = matricule.parse().unwrap();
        change(&mut letter.traits);
    });
    write_provide_bundle(&lot(&document)).into()
}

/// Two persons whom no trait tells apart: a document always has a place, which tells the twin's own
/// homonyms apart.
const POPULATION: &str = "nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid\n\
                          JUMELLE;CAMILLE ROSE;F;1985-05-05;75056;285059999990104;1.2.250.1.213.1.4.10\n\
                          JUMELLE;CAMILLE ROSE;F;1985-05-05;75056;285059999990203;1.2.250.1.213.1.4.10\n";

fn indistinct(traits: &mut Traits) {
    traits.birth_name = "JUMELLE".to_owned();
    traits.given_names = "CAMILLE ROSE".to_owned();
    traits.first_given_name = "CAMILLE".to_owned();
    traits.birth_date = "1985-05-05".parse().unwrap();
    traits.birth_place = Some("75056".parse().unwrap());
}

fn without(text: &str, element: &str) -> String {
    let start = text.find(&format!("<{element}")).unwrap();
    let end = text.find(&format!("</{element}>")).unwrap() + element.len() + 3;
    format!("{}{}", &text[..start], &text[end..])
}

/// A document type before the root, as attackers write it.
fn with_doctype(text: &str, doctype: &str) -> String {
    let root = text.find("<ClinicalDocument").unwrap();
    format!("{}{doctype}{}", &text[..root], &text[root..])
}

const BOMB: &str = "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
const EXTERNAL: &str = "<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";

/// What is posted, and what is expected: status, issue code, part of the rule, part of the message.
type Case = (&'static str, Bytes, u16, &'static str, &'static str, &'static str);

fn submissions() -> Vec<Case> {
    vec![
        (
            "no identity paper",
            bundle_by(|lot| declared(lot).evidence = None),
            422,
            "business-rule",
            "EXI SI 08",
            "not qualified",
        ),
        ("two persons answer", about("285059999990104", indistinct), 422, "business-rule", "EXI SI 08", "code 02"),
        (
            "nobody answers",
            about("279035121518989", |traits| traits.birth_name = "INCONNUE".to_owned()),
            422,
            "business-rule",
            "EXI SI 08",
            "code 01",
        ),
        (
            "another patient than the document's",
            bundle_by(|lot| declared(lot).traits.birth_date = "1979-03-29".parse().unwrap()),
            422,
            "business-rule",
            "XDSPatientIdDoesNotMatch",
            "not that of the transaction",
        ),
        (
            "another INS than the document's",
            bundle_by(|lot| declared(lot).ins.as_mut().unwrap().matricule = "285059999990104".parse().unwrap()),
            422,
            "business-rule",
            "XDSPatientIdDoesNotMatch",
            "INS",
        ),
        ("not XML", with_document(|_| "Bonjour".to_owned()), 422, "structure", "ClinicalDocument", "cannot be read"),
        ("empty", with_document(|_| String::new()), 422, "", "", ""),
        (
            "cut in the middle",
            with_document(|text| text[..text.len() / 2].to_owned()),
            422,
            "structure",
            "ClinicalDocument",
            "cannot be read",
        ),
        ("XML bomb", with_document(|text| with_doctype(&text, BOMB)), 422, "structure", "ClinicalDocument", "DOCTYPE"),
        (
            "external entity",
            with_document(|text| with_doctype(&text, EXTERNAL)),
            422,
            "structure",
            "ClinicalDocument",
            "DOCTYPE",
        ),
        ("another root", with_document(|_| "<html/>".to_owned()), 422, "structure", "ClinicalDocument", ""),
        (
            "no custodian in the header",
            with_document(|text| without(&text, "custodian")),
            422,
            "invalid",
            "custodian",
            "",
        ),
        (
            "no legal authenticator in the header",
            with_document(|text| without(&text, "legalAuthenticator")),
            422,
            "invalid",
            "legalAuthenticator",
            "",
        ),
        ("not JSON", Bytes::from_static(b"<Bundle/>"), 400, "", "", ""),
        ("JSON cut in the middle", bundle_by(|_| {}).slice(..3000), 400, "", "", ""),
        ("JSON that is no transaction", Bytes::from_static(b"{\"resourceType\":\"Patient\"}"), 422, "", "", ""),
        ("an empty body", Bytes::new(), 400, "", "", ""),
        (
            "a domain outside the liste blanche",
            addressed_to("dr.x@inconnu.mssante.test"),
            422,
            "business-rule",
            "liste blanche",
            "",
        ),
        (
            "a real domain beside twins",
            addressed_to("dr.x@hopital.mssante.fr"),
            422,
            "security",
            "verrou d'environnement",
            "",
        ),
        (
            "the address of another patient",
            addressed_to("285059999990104@patient.mssante.fr"),
            422,
            "business-rule",
            "ECO.2.2.6",
            "another person",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_submission_is_refused_by_its_rule_and_leaves_nothing() {
    let mut installation = Installation::at_rest(false);
    let population = installation.folder().join("population.csv");
    std::fs::write(&population, POPULATION).unwrap();
    let line = format!("[twins]\npopulation = {:?}\n", population.display().to_string());
    installation.write_config(&installation.config_text().replace("[twins]\n", &line));
    installation.start_all();
    let caller = installation.caller().await;
    for (case, body, status, code, rule, message) in submissions() {
        let answer = caller.post(body).await.unwrap();
        refused(case, &answer, status, code, rule, message);
        let flow = flow_of(&answer).unwrap_or_else(|| panic!("{case}: no trace of the refusal"));
        assert_eq!(caller.flow(&flow).await["state"], "refused", "{case}");
    }
    let wrong_type = caller.post_as("application/xml", bundle_by(|_| {})).await.unwrap();
    refused("a content type that is not JSON", &wrong_type, 415, "not-supported", "mime-type", "");
    let huge = caller.post(vec![b' '; 200 * 1024 * 1024]).await.unwrap();
    refused("200 MB", &huge, 413, "too-long", "taille", "not read");

    nothing_is_kept(&installation, &caller).await;
    assert_eq!(installation.health().await, StatusCode::OK);
    let good = caller.post(bundle_by(|_| {})).await.unwrap();
    assert_eq!(good.status(), StatusCode::OK, "a right one still passes");
    installation.check_logs();
}

fn refused(case: &str, answer: &Response<Bytes>, status: u16, code: &str, rule: &str, message: &str) {
    let body = String::from_utf8_lossy(answer.body());
    assert_eq!(answer.status(), status, "{case}: {body}");
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["resourceType"], "OperationOutcome", "{case}");
    let document = socle_fhir::Document::parse(answer.body().clone()).unwrap();
    let shown = outcome::read(document.root()).unwrap();
    let codes: Vec<_> = json["issue"].as_array().unwrap().iter().map(|issue| issue["code"].as_str().unwrap()).collect();
    let is_it = shown.iter().zip(&codes).any(|(issue, its_code)| {
        let its_rule = issue.rule.as_ref().map(ToString::to_string).unwrap_or_default();
        !its_rule.is_empty()
            && issue.mend.as_ref().is_some_and(|mend| !mend.is_empty())
            && (code.is_empty() || *its_code == code)
            && its_rule.contains(rule)
            && issue.message.contains(message)
    });
    assert!(is_it, "{case}: {body}");
}

/// Not here, not in the DMP, not waiting.
async fn nothing_is_kept(installation: &Installation, caller: &Caller) {
    for matricule in ["279035121518989", "285059999990104"] {
        let found = caller
            .get(&format!("/fhir/DocumentReference?patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C{matricule}"))
            .await;
        assert_eq!(found["total"], 0, "{found}");
    }
    assert_eq!(caller.get("/operator/jobs").await, json!({"jobs": []}));
    let letter = letter();
    let patient = dmp::patient_of(Header::read(&letter).unwrap());
    assert!(dmp::entries(&installation.dmp_client(), &patient).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_by_its_name() {
    let installation = Installation::embedded();
    let mut caller = installation.caller().await;
    let good = caller.token.clone();
    let base = caller.base.clone();
    let credentials =
        installation.pki().credentials("socle-cli", &Profile::OrgAuthCli(dmp::organisation("SOCLE-CLI"))).unwrap();
    let ours = SigningKey::open_or_create(&installation.data().join("token.key")).unwrap();
    let ours = Issuer::new(&format!("{base}/oauth"), ours);
    let other = Issuer::new(&format!("{base}/oauth"), SigningKey::generate().unwrap());
    let foreign = Issuer::new("https://ailleurs.test/oauth", SigningKey::generate().unwrap());
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": format!("{base}/oauth"), "sub": "socle-cli", "aud": format!("{base}/fhir"), "azp": "socle-cli",
        "iat": now, "exp": now + 300, "jti": Uuid::new_v4().to_string(),
        "cnf": {"x5t#S256": x5t_s256(credentials.certificate())},
    });
    let by = |issuer: &Issuer, changes: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer.sign(&claims, "at+jwt").unwrap()
    };
    let expired = json!({"iat": now - 3900, "exp": now - 3600});
    let cases = [
        ("no token", String::new(), "login", "no access token"),
        ("no JWT", "nothing".to_owned(), "login", ""),
        ("expired", by(&ours, expired), "expired", "expired"),
        ("for another audience", by(&ours, json!({"aud": "https://ailleurs.test/fhir"})), "login", "audience"),
        ("signed by another key", by(&other, json!({})), "login", ""),
        ("of another issuer", by(&foreign, json!({"iss": "https://ailleurs.test/oauth"})), "login", "issuer"),
        (
            "of an application that is not declared",
            by(&ours, json!({"sub": "inconnue", "azp": "inconnue"})),
            "login",
            "not declared",
        ),
        ("bound to another certificate", by(&ours, json!({"cnf": {"x5t#S256": "AAAA"}})), "login", ""),
        ("bound to no certificate", by(&ours, json!({"cnf": null})), "login", ""),
        ("cut", good[..good.len() - 4].to_owned(), "login", ""),
    ];
    for (case, token, code, message) in cases {
        caller.token = token;
        let answer = caller.post(bundle_by(|_| {})).await.unwrap();
        refused(case, &answer, 401, code, "RFC 6750", message);
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge.contains("invalid_token"), case != "no token", "{case}: {challenge}");
    }
    caller.token = by(&ours, json!({}));
    nothing_is_kept(&installation, &caller).await;
    assert_eq!(installation.health().await, StatusCode::OK);
    installation.check_logs();
}

/// A caller that had no answer posts the same lot again, whatever the number of its documents.
#[tokio::test(flavor = "multi_thread")]
async fn a_lot_posted_again_is_taken_once() {
    let installation = Installation::embedded();
    let caller = installation.caller().await;
    let lots = [lot(&letter()), lot(&letter()), lot(&letter())];
    let of = |which: &[usize]| {
        let mut whole = lots[which[0]].clone();
        whole.documents = which.iter().flat_map(|at| lots[*at].documents.clone()).collect();
        Bytes::from(write_provide_bundle(&whole))
    };
    let ids = |answer: &Response<Bytes>| {
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let location = |entry: &Value| entry["response"]["location"].as_str().unwrap_or_default().to_owned();
        let mut ids: Vec<_> = body["entry"].as_array().unwrap().iter().map(location).collect();
        ids.sort();
        ids
    };
    let first = caller.post(of(&[0, 1])).await.unwrap();
    assert_eq!(first.status(), 200, "{}", String::from_utf8_lossy(first.body()));
    for (case, which) in [("the same", vec![0, 1]), ("in another order", vec![1, 0])] {
        let again = caller.post(of(&which)).await.unwrap();
        let said = String::from_utf8_lossy(again.body()).into_owned();
        assert_eq!((again.status(), ids(&again)), (StatusCode::OK, ids(&first)), "{case}: {said}");
        assert!(said.contains("nothing is done twice"), "{case}: {said}");
        assert_eq!(again.headers()["socle-flow"], first.headers()["socle-flow"], "{case}");
    }
    for (case, which) in [("a part", vec![0]), ("with one more", vec![0, 1, 2]), ("with another", vec![2, 1])] {
        let answer = caller.post(of(&which)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::CONFLICT, "{case}: {}", String::from_utf8_lossy(answer.body()));
    }
    let ins = letter_by(|_| {});
    let ins = Header::read(&ins).unwrap().ins().unwrap().unwrap();
    let query = format!("patient.identifier=urn:oid:{}|{}", ins.authority.oid(), ins.matricule.as_str());
    let (_, found) = caller.ask(Method::GET, &format!("/fhir/DocumentReference?{query}")).await;
    assert_eq!(found["total"], 2, "{found}");
}
