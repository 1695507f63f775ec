//! Who may speak: certificates, tampered, wrapped, replayed and stale assertions.

use jiff::{SignedDuration, Timestamp};
use socle_dmp::model::{Speaker, Vihf};
use socle_dmp::wire::PROVIDE;
use socle_trust::pki::{Profile, TestPki};

use crate::draft::{Draft, Security, envelope, https, post, post_as};
use crate::support::{Twin, organisation, patient, person, pki, professional, software, structure};

async fn code(twin: &Twin, spoil: impl FnOnce(&mut Draft)) -> String {
    let mut draft = Draft::valid();
    spoil(&mut draft);
    draft.post(twin).await.code()
}

#[tokio::test]
async fn only_a_signature_certificate_of_this_environment_signs() {
    let twin = Twin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let stranger = TestPki::open_or_create(folder.path()).unwrap();
    let foreign = stranger.credentials("foreign-sign", &Profile::OrgSign(organisation("10B0152872"))).unwrap();
    let authentication = crate::support::tls_keys();
    let card = pki().credentials("dmp-test-person-sign", &Profile::PersonSign(person())).unwrap();
    let server = pki().credentials("dmp-test-server", &Profile::Server { names: vec![] }).unwrap();
    let cases = [
        ("of another authority", foreign),
        ("for authentication", authentication),
        ("of a server", server),
        ("of a person, in mode INDIRECTE", card),
    ];
    for (case, keys) in cases {
        let vihf = code(&twin, |d| d.security.keys = keys.clone()).await;
        assert_eq!(vihf, "DMPInvalidCertificate", "VIHF signed by a certificate {case}");
        if case != "of a person, in mode INDIRECTE" {
            let lot = code(&twin, |d| d.lot_keys = keys).await;
            assert_eq!(lot, "DMPInvalidCertificate", "lot signed by a certificate {case}");
        }
    }
}

#[tokio::test]
async fn an_assertion_says_the_truth_about_its_signer_and_its_time() {
    let twin = Twin::start().await;
    let later = |minutes: i64| Timestamp::now() + SignedDuration::from_mins(minutes);
    type Row = (&'static str, Box<dyn Fn(&mut Security)>, &'static str);
    let cases: [Row; 9] = [
        ("four minutes old", Box::new(move |s| s.at = later(-4)), "Success"),
        ("six minutes old", Box::new(move |s| s.at = later(-6)), "MessageExpired"),
        ("from six minutes ahead", Box::new(move |s| s.at = later(6)), "MessageExpired"),
        ("issuer of another name", Box::new(|s| s.issuer = Some("CN=X,C=FR".into())), "InvalidSecurityToken"),
        ("no patient", Box::new(|s| s.vihf = robot()), "InvalidSecurityToken"),
        ("no role", Box::new(|s| replace(s, "subject:role", "subject:rol")), "InvalidSecurityToken"),
        ("another service", Box::new(|s| replace(s, "urn:dmp", "urn:ROR")), "InvalidSecurityToken"),
        (
            "an automaton in AIR",
            Box::new(|s| replace(s, ">INDIRECTE<", ">INDIRECTE_RENFORCEE<")),
            "InvalidSecurityToken",
        ),
        (
            "mode DIRECTE without a card",
            Box::new(|s| {
                s.vihf = Vihf::indirect(
                    structure("10B0152872"),
                    Speaker::Professional(professional("899700000017")),
                    software(),
                )
                .about(&patient());
                replace(s, ">INDIRECTE<", ">DIRECTE<");
            }),
            "DMPInvalidCertificate",
        ),
    ];
    for (case, spoil, expected) in cases {
        assert_eq!(code(&twin, |d| spoil(&mut d.security)).await, expected, "{case}");
    }
}

fn robot() -> Vihf {
    Vihf::indirect(structure("10B0152872"), crate::support::automaton(), software())
}

fn replace(security: &mut Security, from: &str, to: &str) {
    security.before.push((from.to_owned(), to.to_owned()));
}

#[tokio::test]
async fn air_does_not_feed() {
    let twin = Twin::start().await;
    let air = Vihf::reinforced(structure("10B0152872"), professional("899700000017"), software()).about(&patient());
    assert_eq!(code(&twin, |d| d.security.vihf = air).await, "DMPAccessDeniedByRightsService");
    let named = Speaker::Professional(professional("899700000017"));
    let indirect = Vihf::indirect(structure("10B0152872"), named, software()).about(&patient());
    assert_eq!(code(&twin, |d| d.security.vihf = indirect).await, "Success", "INDIRECTE feeds, whoever is named");
}

#[tokio::test]
async fn indirect_does_not_consult() {
    use socle_dmp::model::query::{Filter, FindDocuments, FindSubmissionSets, Named, Period, StoredQuery};
    use socle_dmp::wire::documents::{Request, write_retrieve};
    use socle_dmp::wire::query::{ReturnType, write};
    use socle_dmp::wire::{QUERY, RETRIEVE};

    let twin = Twin::start().await;
    let patient = patient();
    let find = FindDocuments { patient: patient.ins().clone(), filter: Filter::default() };
    let sets = FindSubmissionSets {
        patient: patient.ins().clone(),
        status: find.filter.status.clone(),
        source_ids: vec![],
        submitted: Period::default(),
        author_person: None,
        content_types: vec![],
    };
    let denied = "DMPAccessDeniedByRightsService";
    let queries = [
        ("FindDocuments", StoredQuery::FindDocuments(find), denied),
        ("FindSubmissionSets", StoredQuery::FindSubmissionSets(sets), denied),
        ("GetAssociations", StoredQuery::GetAssociations(vec!["urn:uuid:0".into()]), denied),
        ("GetDocuments", StoredQuery::GetDocuments(Named::UniqueIds(vec!["1.2.3".into()])), "Success"),
    ];
    for (case, query, expected) in queries {
        let body = write(&query, ReturnType::LeafClass);
        let answer = send(&twin, "registry", QUERY.request, &body).await;
        assert_eq!(answer, expected, "{case}");
    }
    let request = Request { repository_id: "1.2.250.1.213.4.1.1.1.2".into(), unique_id: "1.2.3".into() };
    assert_eq!(send(&twin, "repository", RETRIEVE.request, &write_retrieve(&[request])).await, denied);
}

async fn send(twin: &Twin, service: &str, action: &str, body: &str) -> String {
    let assertion = Security::feeding(&patient()).to_xml();
    let envelope = envelope(action, &twin.url(service), &assertion, body);
    post(twin, service, &socle_xml::soap::content_type(action), envelope).await.code()
}

#[tokio::test]
async fn a_tampered_assertion_is_refused() {
    let twin = Twin::start().await;
    let cases = [
        ("another patient", "279035121518989^^^", "277076322082910^^^"),
        ("another structure", ">10B0152872<", ">1750000001<"),
        ("another mode", ">INDIRECTE<", ">DIRECTE<"),
        ("a comment in a value", ">INDIRECTE<", ">INDI<!-- -->RECTE<"),
        ("no signature", "ds:SignatureValue", "ds:SignatureValu"),
    ];
    for (case, from, to) in cases {
        let answered = code(&twin, |d| d.envelope.push((from.to_owned(), to.to_owned()))).await;
        assert!(["FailedCheck", "InvalidSecurity"].contains(&answered.as_str()), "{case}: {answered}");
    }
}

/// Signature wrapping: the signed assertion is there, but not the one that would be believed.
#[tokio::test]
async fn a_wrapped_assertion_is_refused() {
    let twin = Twin::start().await;
    let signed = Security::feeding(&patient()).to_xml();
    let id = signed.split("ID=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let evil = signed.replace(&id, "_evil").replace("279035121518989", "277076322082910");
    let (head, tail) = evil.split_at(evil.find("<saml2:Subject>").unwrap());
    let cases = [
        ("XSW-1: an evil one before it", format!("{evil}{signed}")),
        ("an evil one after it", format!("{signed}{evil}")),
        ("XSW-3: inside an evil one", format!("{head}<saml2:Advice>{signed}</saml2:Advice>{tail}")),
        (
            "XSW-2: the original in a ds:Object",
            evil.replacen("</ds:Signature>", &format!("<ds:Object>{signed}</ds:Object></ds:Signature>"), 1),
        ),
    ];
    for (case, assertions) in cases {
        let answered = code(&twin, |d| {
            d.swap = Some(assertions);
        })
        .await;
        assert_eq!(answered, "InvalidSecurity", "{case}");
    }
    // XSW-4: the signed one elsewhere in the header.
    let answered = code(&twin, |d| {
        d.swap = Some(evil.clone());
        d.envelope.push(("</soap:Header>".into(), format!("<x:Y xmlns:x=\"urn:x\">{signed}</x:Y></soap:Header>")));
    })
    .await;
    assert_eq!(answered, "InvalidSecurity", "XSW-4");
}

#[tokio::test]
async fn a_replayed_assertion_is_refused() {
    let twin = Twin::start().await;
    let (content_type, body) = Draft::valid().message(&twin);
    assert_eq!(post(&twin, "repository", &content_type, body.clone()).await.code(), "Success");
    assert_eq!(post(&twin, "repository", &content_type, body).await.code(), "InvalidSecurityToken");
}

#[tokio::test]
async fn the_connection_is_the_structure_s_by_tls_1_2() {
    let twin = Twin::start().await;
    let (content_type, body) = Draft::valid().message(&twin);
    let card = pki().credentials("dmp-test-person-auth", &Profile::PersonAuth(person())).unwrap();
    let answer = post_as(&twin, "repository", &content_type, body, &card).await;
    assert_eq!(answer.code(), "DMPInvalidCertificate", "a card's connection with a structure's VIHF");

    let url = twin.url("repository");
    let get = || http::Request::get(format!("{url}?wsdl")).body(bytes::Bytes::new()).unwrap();
    assert!(https(None).send(get()).await.is_err(), "no certificate, no connection");
    let folder = tempfile::tempdir().unwrap();
    let stranger = TestPki::open_or_create(folder.path()).unwrap();
    let foreign = stranger.credentials("foreign-auth", &Profile::OrgAuthCli(organisation("10B0152872"))).unwrap();
    assert!(https(Some(&foreign)).send(get()).await.is_err(), "a certificate of another authority");

    let wsdl = https(Some(&crate::support::tls_keys())).send(get()).await.unwrap();
    let wsdl = String::from_utf8(wsdl.into_body().to_vec()).unwrap();
    assert!(wsdl.contains(&url) && wsdl.contains(PROVIDE.request), "{wsdl}");
}
