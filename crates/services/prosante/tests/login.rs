//! Our relying party logs in at our twin, and our API knows its callers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod fixtures;

use http::header;
use jiff::{SignedDuration, Timestamp};
use socle_identity::Environment;
use socle_prosante::client::{
    Authentication, Bearer, BearerError, BearerSettings, Client, LoginError, Settings, SetupError,
};
use socle_prosante::model::{ActorError, PERSONAS};
use socle_prosante::twin::{self, DEMO, Lives, Redirect, RegisteredClient, TwinError, log_in_with_wallet};
use socle_prosante::wire::{CallbackError, form};
use socle_trust::Shutdown;
use socle_trust::token::TokenError;

use fixtures::{bearer, client, get, http, json, later, log_in, pki, settings, start, start_with, twin_settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_professional_logs_in_and_is_known_by_the_api() {
    let (twin, _stop) = start().await;
    let (client, api) = (client(&twin.issuer), bearer(&twin.issuer, &[DEMO.id]));
    for persona in PERSONAS {
        let session = log_in(&client, persona.id).await;
        let who = session.professional();
        let expected = persona.rpps.unwrap_or(persona.national_id);
        assert_eq!(who.user().national_id().as_str(), expected, "{}", persona.id);
        assert_eq!(who.name(), format!("{} {}", persona.given_name, persona.family_name), "{}", persona.id);
        let token = session.access_token(Timestamp::now()).unwrap();
        let caller = api.verify(token, None, Timestamp::now()).await.unwrap();
        assert_eq!(caller.user(), who.user(), "{}", persona.id);
        match caller.actor(None) {
            Ok(actor) => assert_eq!((actor.id.as_str(), actor.environment), (expected, Environment::Jumeau)),
            Err(error) => {
                assert!(
                    matches!(error, ActorError::ChooseSituation(_)) && persona.id == "alice-lefevre",
                    "{}",
                    persona.id
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_for_this_login_is_refused() {
    let (twin, _stop) = start().await;
    let client = client(&twin.issuer);
    type Case = (&'static str, fn(&str) -> String, i64, fn(&LoginError) -> bool);
    let cases: [Case; 8] = [
        ("another state", |q| q.replace("state=", "state=x"), 0, |e| matches!(e, LoginError::State)),
        ("no state", |q| q.replace("state=", "sate="), 0, |e| matches!(e, LoginError::Callback(_))),
        ("another issuer", |q| q.replace("iss=", "iss=x"), 0, |e| matches!(e, LoginError::Issuer)),
        ("no issuer", |q| q.replace("&iss=", "&is="), 0, |e| matches!(e, LoginError::Issuer)),
        (
            "another code",
            |q| q.replace("code=", "code=x"),
            0,
            |e| matches!(e, LoginError::Refused(error) if error.error == "invalid_grant"),
        ),
        ("a code twice", |q| format!("{q}&code=x"), 0, |e| matches!(e, LoginError::Callback(CallbackError::Form(_)))),
        ("much later", |q| q.to_owned(), 16 * 60, |e| matches!(e, LoginError::TooLate)),
        (
            "given up",
            |_| "error=access_denied&state=x".into(),
            0,
            |e| matches!(e, LoginError::Callback(CallbackError::Refused { .. })),
        ),
    ];
    for (name, spoil, seconds, expected) in cases {
        let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
        let query = log_in_with_wallet(&http(None), &url, "marie-martin").await.unwrap();
        let error = client.finish(pending, &spoil(&query), later(seconds)).await.unwrap_err();
        assert!(expected(&error), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_another_login_is_refused_by_proof_key() {
    let (twin, _stop) = start().await;
    let client = client(&twin.issuer);
    let (mine, pending) = client.begin(Timestamp::now()).await.unwrap();
    let (other, _) = client.begin(Timestamp::now()).await.unwrap();
    let query = log_in_with_wallet(&http(None), &other, "marie-martin").await.unwrap();
    // The attacker gives us their code under our own state.
    let state = |text: &str| text.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap().to_owned();
    let injected = query.replace(&state(&query), &state(&mine));
    let error = client.finish(pending, &injected, Timestamp::now()).await.unwrap_err();
    assert!(matches!(&error, LoginError::Refused(error) if error.error == "invalid_grant"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_from_a_clock_far_ahead_is_refused() {
    let ahead = twin::Settings { clock_ahead: SignedDuration::from_mins(10), ..twin_settings() };
    let (twin, _stop) = start_with(ahead).await;
    let client = client(&twin.issuer);
    let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
    let query = log_in_with_wallet(&http(None), &url, "marie-martin").await.unwrap();
    let error = client.finish(pending, &query, Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, LoginError::IdToken(TokenError::IssuedInFuture)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_refreshed_until_it_ends() {
    let (twin, _stop) = start().await;
    let client = client(&twin.issuer);
    let session = log_in(&client, "nadia-benali").await;
    assert!(session.is_refreshable(Timestamp::now()) && !session.is_over(Timestamp::now()));
    let renewed = client.refresh(&session, Timestamp::now()).await.unwrap();
    assert_ne!(renewed.access_token(Timestamp::now()), session.access_token(Timestamp::now()));
    assert_eq!(renewed.professional().user(), session.professional().user());
    assert!(matches!(client.refresh(&session, later(4 * 3600)).await, Err(LoginError::TooLate)));

    // A server's call ends nothing; the browser's, with its cookie, does (see wallet.rs). The end of a
    // session shows at the refresh.
    let url = client.logout_url(&renewed, "s").await.unwrap().unwrap();
    get(&http(None), &url, &[]).await;
    assert!(client.refresh(&renewed, Timestamp::now()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_refused_by_name() {
    let (twin, _stop) = start().await;
    let api = bearer(&twin.issuer, &[DEMO.id]);
    let token = log_in(&client(&twin.issuer), "marie-martin").await.access_token(Timestamp::now()).unwrap().to_owned();
    let other = log_in(&client(&twin.issuer), "paul-durand").await.access_token(Timestamp::now()).unwrap().to_owned();
    let spoilt = format!("{}.{}", token.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    let other_issuer = twin.issuer.replace("localhost", "127.0.0.1");
    let cases = [
        ("good", &api, token.as_str(), 0, "ok"),
        ("expired", &api, token.as_str(), 200, "expired"),
        ("before its time", &api, token.as_str(), -3600, "issued-in-future"),
        ("another signature", &api, spoilt.as_str(), 0, "bad-signature"),
        ("no token", &api, "", 0, "malformed"),
        ("words", &api, "not a token", 0, "malformed"),
        ("another audience", &bearer(&twin.issuer, &["other"]), token.as_str(), 0, "wrong-audience"),
        ("no audience", &bearer(&twin.issuer, &[]), token.as_str(), 0, "wrong-audience"),
        ("another issuer", &bearer(&other_issuer, &[DEMO.id]), token.as_str(), 0, "keys-unavailable"),
        (
            "a provider that is down",
            &bearer("https://localhost:1/x", &[DEMO.id]),
            token.as_str(),
            0,
            "keys-unavailable",
        ),
    ];
    for (name, api, token, seconds, code) in cases {
        let got = api.verify(token, None, later(seconds)).await;
        assert_eq!(got.as_ref().map_or_else(BearerError::code, |_| "ok"), code, "{name}");
        if let Err(error) = &got {
            assert_ne!(error.text().fr, error.text().en, "{name}");
        }
        assert_eq!(got.is_err_and(|error| error.is_temporary()), code == "keys-unavailable", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_does_not_open_the_api() {
    let (twin, _stop) = start().await;
    let client = client(&twin.issuer);
    let session = log_in(&client, "marie-martin").await;
    let url = client.logout_url(&session, "s").await.unwrap().unwrap();
    let hint = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("id_token_hint=")).unwrap();
    let error = bearer(&twin.issuer, &[DEMO.id]).verify(hint, None, Timestamp::now()).await.unwrap_err();
    assert_eq!(error.code(), "wrong-type");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_is_told_from_a_wrong_token() {
    let (twin, _stop) = start().await;
    let token = log_in(&client(&twin.issuer), "marie-martin").await.access_token(Timestamp::now()).unwrap().to_owned();
    let credentials = [("client_id", Some(DEMO.id)), ("client_secret", Some(DEMO.secret)), ("token", Some(&*token))];
    let revoke = format!("{}/protocol/openid-connect/revoke", twin.issuer);
    assert_eq!(fixtures::post(&http(None), &revoke, &form::write(&credentials), &[]).await.status(), 200);
    let error = bearer(&twin.issuer, &[DEMO.id]).verify(&token, None, Timestamp::now()).await.unwrap_err();
    assert_eq!((error.code(), error.is_temporary()), ("ended", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_outlives_its_session() {
    let short = Lives { idle: SignedDuration::ZERO, ..Lives::default() };
    let (twin, _stop) = start_with(twin::Settings { lives: short, ..twin_settings() }).await;
    let client = client(&twin.issuer);
    let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
    let query = log_in_with_wallet(&http(None), &url, "marie-martin").await.unwrap();
    let error = client.finish(pending, &query, Timestamp::now()).await.unwrap_err();
    assert!(matches!(&error, LoginError::Refused(error) if error.error == "invalid_grant"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn user_info_is_asked_once_per_token() {
    let (twin, stop) = start().await;
    let api = bearer(&twin.issuer, &[DEMO.id]);
    let token = log_in(&client(&twin.issuer), "marie-martin").await.access_token(Timestamp::now()).unwrap().to_owned();
    let first = api.verify(&token, None, Timestamp::now()).await.unwrap();
    stop.trigger();
    twin.stopped().await;
    let again = api.verify(&token, None, Timestamp::now()).await.unwrap();
    assert_eq!(first.user(), again.user());
    assert_eq!(api.verify(&token, None, later(200)).await.unwrap_err().code(), "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_found_and_the_old_one_still_verifies() {
    let (twin, _stop) = start().await;
    let (client, api) = (client(&twin.issuer), bearer(&twin.issuer, &[DEMO.id]));
    let before = log_in(&client, "marie-martin").await;
    twin.rotate_keys().await.unwrap();
    // A verifier that reads the keys now knows both.
    for session in [&before, &log_in(&fixtures::client(&twin.issuer), "paul-durand").await] {
        let token = session.access_token(Timestamp::now()).unwrap();
        api.verify(token, None, Timestamp::now()).await.unwrap();
    }
    let keys = json(&get(&http(None), &format!("{}/protocol/openid-connect/certs", twin.issuer), &[]).await);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_certificate_gets_tokens_bound_to_it() {
    let credentials = fixtures::organisation("rp-mtls", "dpi.hopital.test");
    let registered = RegisteredClient {
        id: "dpi".into(),
        secret: None,
        certificate: Some(credentials.certificate().subject().clone()),
        redirects: vec![Redirect::Exact(fixtures::REDIRECT.into())],
        logout_redirects: Vec::new(),
    };
    let (twin, _stop) = start_with(twin::Settings { clients: vec![registered], ..twin_settings() }).await;
    let mtls = |credentials| Settings {
        client_id: "dpi".into(),
        authentication: Authentication::Certificate(credentials),
        ..settings(&twin.issuer)
    };
    // UserInfo is asked over the same certificate, so the login ends well.
    let session = log_in(&Client::new(mtls(credentials.clone())).unwrap(), "marie-martin").await;
    let token = session.access_token(Timestamp::now()).unwrap();
    let userinfo = format!("{}/protocol/openid-connect/userinfo", twin.issuer);
    let authorization = format!("Bearer {token}");
    let other = fixtures::organisation("rp-other", "autre.hopital.test");
    for (credentials, status) in [(Some(&credentials), 200), (Some(&other), 401), (None, 401)] {
        let response = get(&http(credentials), &userinfo, &[(header::AUTHORIZATION, &authorization)]).await;
        assert_eq!(response.status(), status);
    }
    // Our API refuses the token without its certificate, before anything is asked.
    let api = bearer(&twin.issuer, &["dpi"]);
    assert_eq!(api.verify(token, None, Timestamp::now()).await.unwrap_err().code(), "certificate-required");
    let held = api.verify(token, Some(credentials.certificate()), Timestamp::now()).await.unwrap_err();
    assert_eq!((held.code(), held.is_temporary()), ("bound", false));
    let stolen = api.verify(token, Some(other.certificate()), Timestamp::now()).await.unwrap_err();
    assert_eq!(stolen.code(), "wrong-certificate");

    let client = Client::new(mtls(other)).unwrap();
    let (url, pending) = client.begin(Timestamp::now()).await.unwrap();
    let query = log_in_with_wallet(&http(None), &url, "marie-martin").await.unwrap();
    let error = client.finish(pending, &query, Timestamp::now()).await.unwrap_err();
    assert!(matches!(&error, LoginError::Refused(error) if error.error == "invalid_client"), "{error}");
}

#[test]
fn environments_do_not_mix_and_issuers_are_https() {
    for environment in [Environment::BacASable, Environment::Production] {
        let mixed = Settings { environment, ..settings("https://localhost/x") };
        assert!(matches!(Client::new(mixed).unwrap_err(), SetupError::Environment(_)));
        let mixed = BearerSettings {
            issuer: "https://localhost/x".into(),
            environment,
            anchors: pki().anchors().clone(),
            audiences: Vec::new(),
        };
        assert!(matches!(Bearer::new(mixed).unwrap_err(), SetupError::Environment(_)));
    }
    for issuer in ["http://localhost/x", "localhost", ""] {
        assert!(matches!(Client::new(settings(issuer)).unwrap_err(), SetupError::Issuer), "{issuer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_an_unwritable_folder_are_said() {
    let (twin, _stop) = start().await;
    let port: u16 = twin.issuer.split(':').nth(2).unwrap().split('/').next().unwrap().parse().unwrap();
    let taken = twin::start(twin::Settings { port, ..twin_settings() }, Shutdown::new()).await.unwrap_err();
    assert!(matches!(taken, TwinError::Listen { .. }), "{taken}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let data = file.path().join("below");
    let refused = twin::start(twin::Settings { data, ..twin_settings() }, Shutdown::new()).await.unwrap_err();
    assert!(matches!(refused, TwinError::Folder { .. }), "{refused}");
}
