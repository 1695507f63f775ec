//! Our client asks our twin over mutual TLS, and the twin refuses what the teleservice would refuse.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use socle_identity::{Environment, InsError, Sex};
use socle_ins::client::{Client, Patience, SearchError, Settings, SetupError};
use socle_ins::model::{AnswerError, Caller, FaultClass, Remark, SearchOutcome, SearchTraits};
use socle_ins::twin::{self, IDAM, TwinError};
use socle_ins::wire::{self, LIMITS};
use socle_trust::Credentials;
use socle_trust::Shutdown;
use socle_trust::https::{ClientLimits, HttpErrorKind, HttpsClient};
use socle_trust::tls::{Versions, client_config};
use socle_xml::soap::{self, FaultCode};

use fixtures::{auto, client, credentials, dominique, pki, settings, start, traits};

fn codes(exchanges: &[socle_ins::client::Exchange]) -> Vec<&str> {
    exchanges.iter().map(|exchange| exchange.result.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_and_the_answer_is_kept_byte_for_byte() {
    let (twin, _stop) = start().await;
    let client = client(&twin.url);
    assert_eq!((client.caller(), client.environment()), (Caller::Auto, Environment::Jumeau));
    let search = client.search(&dominique()).await.unwrap();
    let SearchOutcome::Found(answer) = &search.outcome else { panic!("{:?}", search.outcome) };
    assert_eq!(answer.ins.to_cx(), "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH");
    assert_eq!(answer.traits.given_names, "DOMINIQUE MARIE-LOUISE");
    assert_eq!(answer.traits.birth_place.as_ref().unwrap().as_str(), "51215");
    assert_eq!(answer.environment, Environment::Jumeau);
    let [exchange] = &search.exchanges[..] else { panic!("{} exchanges", search.exchanges.len()) };
    let bytes = exchange.response.as_ref().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(answer.answer_digest, hex);
    assert!(String::from_utf8_lossy(bytes).contains("2790351215189"));
    assert!(!format!("{search:?}").contains("PAT-TROIS"), "nothing shows a person");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_end_as_the_population_says() {
    let (twin, _stop) = start().await;
    let client = client(&twin.url);
    let homonym = |first, list, place| traits("Homonyme", first, list, Sex::Female, "1985-05-05", place);
    type Case = (&'static str, SearchTraits, Option<&'static str>, &'static [&'static str]);
    let cases: [Case; 10] = [
        ("simple", traits("Adrun", "Zoé", "", Sex::Female, "1975-12-31", None), Some("275126322074974"), &["00"]),
        (
            "paper with another first name",
            traits("Tchitchi", "Ola", "Ola Catarina Bella", Sex::Female, "1936-06-21", None),
            Some("236066322083656"),
            &["01", "00"],
        ),
        (
            "never found",
            traits("Houilles", "Pierre", "Pierre Paul Jacques", Sex::Male, "1993-01-27", None),
            None,
            &["01", "01", "01", "01"],
        ),
        ("homonyms", homonym("Camille", "", None), None, &["02"]),
        ("told apart by the list", homonym("Camille", "Camille Jeanne", None), Some("285059999990302"), &["02", "00"]),
        (
            "told apart by the place",
            homonym("Camille", "Camille Rose", Some("13055")),
            Some("285059999990203"),
            &["02", "02", "00"],
        ),
        ("NIA", traits("Provisoire", "Matricule", "", Sex::Male, "2009-07-01", None), Some("109076322088835"), &["00"]),
        (
            "Corsica",
            traits("Adrtrois", "Dominique", "", Sex::Female, "1997-02-26", None),
            Some("297022A02077878"),
            &["00"],
        ),
        ("no key", traits("Sans-Clé", "Anne", "", Sex::Female, "1990-09-09", None), Some("290099999990414"), &["00"]),
        ("another sex", traits("Adrun", "Zoé", "", Sex::Male, "1975-12-31", None), None, &["01"]),
    ];
    for (name, traits, matricule, expected) in cases {
        let search = client.search(&traits).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = match &search.outcome {
            SearchOutcome::Found(answer) => Some(answer.ins.matricule.as_str()),
            SearchOutcome::NotFound | SearchOutcome::Several => None,
        };
        assert_eq!(found, matricule, "{name}");
        assert_eq!(codes(&search.exchanges), expected, "{name}");
        let several = matches!(search.outcome, SearchOutcome::Several);
        assert_eq!(several, name == "homonyms", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_answers_are_told_and_never_fall() {
    let (twin, _stop) = start().await;
    let client = client(&twin.url);
    let history = traits("Ecetinsi", "Pierre-Alain", "", Sex::Male, "2009-07-14", None);
    let search = client.search(&history).await.unwrap();
    let SearchOutcome::Found(answer) = search.outcome else { panic!("{:?}", search.outcome) };
    assert_eq!((answer.history.len(), search.remarks), (2, vec![Remark::PeriodReversed]));

    let wrong_key = traits("Hermann", "Gatien", "", Sex::Male, "1981-03-24", None);
    let failed = client.search(&wrong_key).await.unwrap_err();
    assert!(matches!(failed.error, SearchError::Answer(AnswerError::Matricule(InsError::Key))));
    assert_eq!((failed.error.class(), failed.exchanges.len()), (None, 1));
    assert!(failed.exchanges[0].response.is_some(), "the answer is kept all the same");
    assert_eq!(failed.error.finding().rule.point, "matricule, clé et OID");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_order_is_asked_again_and_what_is_refused_is_not() {
    let (twin, _stop) = start().await;
    let anne = |name| traits(name, "Anne", "", Sex::Female, "1990-09-09", None);
    for (name, code) in [("Panne-Technique", "insi_102"), ("Panne-Service", "insi_111")] {
        let failed = client(&twin.url).search(&anne(name)).await.unwrap_err();
        assert_eq!(codes(&failed.exchanges), [code, code]);
        assert_eq!(failed.error.class(), Some(FaultClass::Retryable), "{name}");
        assert_ne!(failed.exchanges[0].message_id, failed.exchanges[1].message_id, "{name}");
    }

    let hurried = Settings {
        patience: Patience { answer: Duration::from_millis(200), ..settings(&twin.url).patience },
        ..settings(&twin.url)
    };
    let failed = Client::new(hurried).unwrap().search(&anne("Lenteur")).await.unwrap_err();
    assert_eq!(codes(&failed.exchanges), ["timeout", "timeout"]);
    assert!(failed.error.is_retryable());

    let unknown = Settings { software: fixtures::software("INCONNU"), ..settings(&twin.url) };
    let failed = Client::new(unknown).unwrap().search(&dominique()).await.unwrap_err();
    assert_eq!(codes(&failed.exchanges), ["desir_550"]);
    assert_eq!(failed.error.class(), Some(FaultClass::Configuration));
    let SearchError::Fault(fault) = &failed.error else { panic!("{}", failed.error) };
    assert_eq!(fault.message_id, Some(format!("uuid:{}", failed.exchanges[0].message_id)));

    let nobody = client("https://localhost:1/lps").search(&dominique()).await.unwrap_err();
    assert_eq!(codes(&nobody.exchanges), ["unreachable", "unreachable"]);
    let no_time =
        Settings { patience: Patience { search: Duration::ZERO, ..Patience::default() }, ..settings(&twin.url) };
    let failed = Client::new(no_time).unwrap().search(&dominique()).await.unwrap_err();
    assert_eq!((failed.error.code().as_str(), failed.exchanges.len()), ("out-of-time", 0));
}

/// A teleservice that answers these, one after the other.
async fn scripted(answers: Vec<(StatusCode, &'static str)>) -> (String, Shutdown) {
    let credentials = pki().credentials("scripted", &socle_trust::pki::Profile::Server { names: Vec::new() }).unwrap();
    let pki = pki();
    let clients = socle_trust::tls::ClientAuth::Required(pki.anchors());
    let tls = socle_trust::tls::server_config(&credentials, clients, Versions::Both).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/lps", listener.local_addr().unwrap().port());
    let left = std::sync::Arc::new(std::sync::Mutex::new(std::collections::VecDeque::from(answers)));
    let router = axum::Router::new().fallback(move || {
        let answer = left.lock().unwrap().pop_front().unwrap_or((StatusCode::GONE, ""));
        async move { answer }
    });
    let shutdown = Shutdown::new();
    tokio::spawn(socle_trust::https::serve(listener, Some(tls), router, shutdown.clone()));
    (url, shutdown)
}

const NOT_FOUND: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
    <RESULTAT xmlns="http://www.cnamts.fr/INSiResultat"><CR><CodeCR>01</CodeCR><LibelleCR>x</LibelleCR></CR></RESULTAT>
    </s:Body></s:Envelope>"#;

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_message_end_by_a_named_error() {
    let ok = StatusCode::OK;
    let bad = StatusCode::BAD_GATEWAY;
    let code_07 = NOT_FOUND.replace(">01<", ">07<").leak();
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>"#;
    type Case = (&'static str, Vec<(StatusCode, &'static str)>, Result<&'static [&'static str], &'static str>);
    let cases: Vec<Case> = vec![
        ("better at the second attempt", vec![(bad, "<html>"), (ok, NOT_FOUND)], Ok(&["http-502", "01"])),
        ("truncated, then whole", vec![(ok, &NOT_FOUND[..60]), (ok, NOT_FOUND)], Ok(&["http-200", "01"])),
        ("a gateway's page twice", vec![(bad, "<html>"), (bad, "down")], Err("http-502")),
        ("a refusal in HTML", vec![(StatusCode::FORBIDDEN, "<html/>")], Err("http-403")),
        ("an answer under an error status", vec![(bad, NOT_FOUND), (bad, NOT_FOUND)], Err("http-502")),
        ("an unknown code", vec![(ok, code_07)], Err("unreadable")),
        ("a document type", vec![(ok, bomb), (ok, bomb)], Err("http-200")),
        ("an empty answer", vec![(ok, ""), (ok, "")], Err("http-200")),
    ];
    let traits = traits("Adrun", "Zoé", "", Sex::Female, "1975-12-31", None);
    for (name, answers, expected) in cases {
        let (url, _stop) = scripted(answers).await;
        match (client(&url).search(&traits).await, expected) {
            (Ok(search), Ok(results)) => assert_eq!(codes(&search.exchanges), results, "{name}"),
            (Err(failed), Err(code)) => assert_eq!(failed.error.code(), code, "{name}"),
            (got, _) => panic!("{name}: {got:?}"),
        }
    }
}

#[test]
fn a_client_that_insi_would_refuse_is_not_made() {
    type Case = (&'static str, fn(&mut Settings), fn(&SetupError) -> bool);
    let cases: [Case; 5] = [
        ("plain http", |s| s.url = "http://localhost/lps".into(), |e| matches!(e, SetupError::Url)),
        ("no URL", |s| s.url = "lps".into(), |e| matches!(e, SetupError::Url)),
        (
            "another common name",
            |s| s.credentials = credentials("dpi", "dpi.hopital.test"),
            |e| matches!(e, SetupError::Caller(_)),
        ),
        (
            "a twin's keys in production",
            |s| s.environment = Environment::Production,
            |e| matches!(e, SetupError::Environment(_)),
        ),
        (
            "a twin's keys in the sandbox",
            |s| s.environment = Environment::BacASable,
            |e| matches!(e, SetupError::Environment(_)),
        ),
    ];
    for (name, spoil, expected) in cases {
        let mut settings = settings("https://localhost:1/lps");
        spoil(&mut settings);
        let error = Client::new(settings).unwrap_err();
        assert!(expected(&error), "{name}: {error}");
    }
}

fn http(credentials: Option<&Credentials>) -> HttpsClient {
    let tls = client_config(pki().anchors(), credentials, Versions::Both).unwrap();
    HttpsClient::new(&tls, ClientLimits::default())
}

const SOAP: &str = "application/soap+xml; charset=UTF-8";

async fn post(http: &HttpsClient, url: &str, media: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let request = Request::post(url).header(header::CONTENT_TYPE, media).body(body.into()).unwrap();
    http.send(request).await.unwrap()
}

/// A request that the twin answers 00.
fn good() -> String {
    let software = fixtures::software(IDAM);
    let query = socle_ins::model::SearchPlan::new(dominique()).query();
    let contexts = wire::Contexts::new("10B0000001", &software);
    wire::Request { contexts, message_id: uuid::Uuid::new_v4(), query: &query }.to_xml()
}

fn fault(body: &[u8]) -> soap::Fault {
    let text = socle_xml::decode(body, &LIMITS).unwrap();
    let document = socle_xml::parse(&text, &LIMITS).unwrap();
    soap::read(&document).unwrap().fault().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_by_the_right_fault() {
    let (twin, _stop) = start().await;
    let http = http(Some(&auto()));
    let replace = |from: &str, to: &str| {
        let text = good();
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let soap11 = replace("http://www.w3.org/2003/05/soap-envelope", soap::NS_SOAP11);
    let wsa = |name: &str| Some(format!("{{{}}}{name}", soap::NS_WSA));
    let siram = |name: &str| Some(name.to_owned());
    let must = "<wsa:Action>";
    let security = r#"<x:Odd xmlns:x="urn:x" soap:mustUnderstand="true"/><wsa:Action>"#;
    let action = wire::ACTION_TRAITS;
    let with_action = format!("{SOAP}; action=\"urn:other\"");
    let server = StatusCode::INTERNAL_SERVER_ERROR;
    type Case<'a> = (&'a str, &'a str, String, StatusCode, FaultCode, Option<String>);
    let sender = FaultCode::Sender;
    let cases: Vec<Case> = vec![
        ("not XML", SOAP, "hello".into(), server, sender, None),
        ("empty", SOAP, String::new(), server, sender, None),
        ("truncated", SOAP, good()[..500].into(), server, sender, None),
        ("document type", SOAP, format!("<!DOCTYPE a>{}", &good()[38..]), server, sender, None),
        ("deep", SOAP, "<a>".repeat(200_000 / 3), server, sender, None),
        ("no envelope", SOAP, "<a/>".into(), server, sender, None),
        ("too big", SOAP, "<".repeat(LIMITS.bytes + 1), StatusCode::PAYLOAD_TOO_LARGE, sender, None),
        ("JSON", "application/json", "{}".into(), StatusCode::UNSUPPORTED_MEDIA_TYPE, sender, None),
        ("SOAP 1.2 as text/xml", "text/xml", good(), StatusCode::UNSUPPORTED_MEDIA_TYPE, sender, None),
        ("SOAP 1.1", "text/xml", soap11.clone(), server, FaultCode::VersionMismatch, None),
        ("SOAP 1.1 as 1.2", SOAP, soap11, server, FaultCode::VersionMismatch, None),
        (
            "an envelope of tomorrow",
            SOAP,
            replace("http://www.w3.org/2003/05/soap-envelope", "urn:soap-3"),
            server,
            FaultCode::VersionMismatch,
            None,
        ),
        ("a header to understand", SOAP, replace(must, security), server, FaultCode::MustUnderstand, None),
        ("carte Vitale", SOAP, replace(action, wire::ACTION_VITALE), server, sender, wsa("ActionNotSupported")),
        ("unknown operation", SOAP, replace(action, "urn:x"), server, sender, wsa("ActionNotSupported")),
        ("two actions", &with_action, good(), server, sender, wsa("ActionMismatch")),
        (
            "no action",
            SOAP,
            replace(&format!("<wsa:Action>{action}</wsa:Action>"), ""),
            server,
            sender,
            wsa("MessageAddressingHeaderRequired"),
        ),
        (
            "no message id",
            SOAP,
            replace("wsa:MessageID", "wsa:Other"),
            server,
            sender,
            wsa("MessageAddressingHeaderRequired"),
        ),
        ("no ContexteLPS", SOAP, replace("ctxlps:ContexteLPS", "ctxlps:Autre"), server, sender, None),
        ("no coverage", SOAP, replace("ctxbam:COUVERTURE", "ctxbam:Autre"), server, sender, None),
        ("another element", SOAP, replace("r:NomNaissance", "r:Nom"), server, sender, None),
        ("time", SOAP, replace("ctxbam:Temps>2", "ctxbam:Temps>x"), server, sender, None),
        ("unknown IDAM", SOAP, replace(IDAM, "X"), server, sender, siram("siram_100")),
        ("no birth name", SOAP, replace("PAT-TROIS", " "), server, sender, siram("siram_10")),
        ("lower case", SOAP, replace("PAT-TROIS", "pat-trois"), server, sender, siram("siram_10")),
        ("markup in a name", SOAP, replace("PAT-TROIS", "A&lt;B"), server, sender, siram("siram_10")),
    ];
    for (name, media, body, status, code, subcode) in cases {
        let response = post(&http, &twin.url, media, body).await;
        let got = fault(response.body());
        assert_eq!((response.status(), got.code, got.subcode), (status, code, subcode), "{name}");
    }
    let alive = post(&http, &twin.url, SOAP, good()).await;
    assert_eq!(alive.status(), StatusCode::OK, "the twin lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_certificate_of_insi_gets_an_answer() {
    let (twin, _stop) = start().await;
    for (file, name, expected) in [
        ("insi-manu", "INSI-MANU", None),
        ("dpi", "dpi.hopital.test", Some("desir_560")),
        ("insi-low", "insi-auto", Some("desir_560")),
    ] {
        let response = post(&http(Some(&credentials(file, name))), &twin.url, SOAP, good()).await;
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert_eq!(response.status() == StatusCode::OK, expected.is_none(), "{name}");
        assert!(expected.is_none_or(|code| text.contains(code)), "{name}: {text}");
    }
    let request = Request::post(&twin.url).body(Bytes::new()).unwrap();
    let refused = http(None).send(request).await.unwrap_err();
    assert!(matches!(refused.kind, HttpErrorKind::Tls(_) | HttpErrorKind::Broken(_)), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_and_the_page_are_served_and_nothing_else() {
    let (twin, stop) = start().await;
    let http = http(Some(&auto()));
    let get = async |url: &str, language: &str| {
        let request = Request::get(url).header(header::ACCEPT_LANGUAGE, language).body(Bytes::new()).unwrap();
        let response = http.send(request).await.unwrap();
        (response.status(), String::from_utf8(response.body().to_vec()).unwrap())
    };
    let (status, wsdl) = get(&format!("{}?wsdl", twin.url), "fr").await;
    assert_eq!(status, StatusCode::OK);
    let document = socle_xml::parse(&wsdl, &LIMITS).unwrap();
    let address = document.descendants().find(|node| node.tag_name().name() == "address").unwrap();
    assert_eq!(address.attribute("location"), Some(twin.url.as_str()));

    for (language, word) in [("fr", "Personnes connues"), ("en-GB", "Persons known")] {
        let (status, page) = get(&twin.page, language).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(word) && page.contains(&format!("lang=\"{}\"", &language[..2])), "{language}");
        assert!(page.contains("jumeau local non officiel, sans lien avec l'ANS"), "{language}");
    }
    assert_eq!(get(&twin.url, "fr").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get(&twin.url.replace("/lps", "/"), "fr").await.0, StatusCode::NOT_FOUND);
    stop.trigger();
    twin.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_persons_is_loaded_and_a_taken_port_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    let header = "nom;prenoms;sexe;date_naissance;lieu_naissance;matricule;oid";
    std::fs::write(&file, format!("{header}\nESSAI;LEA;F;2001-02-03;;279035121518989;1.2.250.1.213.1.4.10\n")).unwrap();
    let settings = || twin::Settings { population: Some(file.clone()), ..twin::Settings::new(pki()) };
    let twin = twin::start(settings(), Shutdown::new()).await.unwrap();
    let lea = traits("Essai", "Léa", "", Sex::Female, "2001-02-03", None);
    assert!(matches!(client(&twin.url).search(&lea).await.unwrap().outcome, SearchOutcome::Found(_)));

    let port = twin.url.rsplit(':').next().unwrap().trim_end_matches("/lps").parse().unwrap();
    let taken = twin::start(twin::Settings { port, ..settings() }, Shutdown::new()).await.unwrap_err();
    assert!(matches!(taken, TwinError::Listen(ref cannot) if cannot.address.port() == port), "{taken}");

    std::fs::write(&file, "nom").unwrap();
    let wrong = twin::start(settings(), Shutdown::new()).await.unwrap_err();
    assert!(matches!(wrong, TwinError::Population(_)), "{wrong}");
}
