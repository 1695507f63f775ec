//! The twin as a stranger meets it: every endpoint, and what each refuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod fixtures;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE, WWW_AUTHENTICATE};
use http::{Request, StatusCode};
use serde_json::Value;
use socle_prosante::twin::{CONSOLE, DEMO, Running, log_in_with_wallet};
use socle_prosante::wire::form::{self, with_query};
use socle_prosante::wire::{Pkce, challenge_of};
use socle_trust::https::Body;

use fixtures::{REDIRECT, get, http, json, location, post, start};

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

fn endpoint(twin: &Running, name: &str) -> String {
    format!("{}/protocol/openid-connect/{name}", twin.issuer)
}

/// The parameters of a good authorization request.
fn request() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        ("response_type", Some("code")),
        ("client_id", Some(DEMO.id)),
        ("redirect_uri", Some(REDIRECT)),
        ("scope", Some("openid scope_all")),
        ("acr_values", Some("eidas1")),
        ("state", Some("the state")),
        ("nonce", Some("the nonce")),
    ]
}

fn wallet_url(twin: &Running, parameters: &[(&str, Option<&str>)]) -> String {
    with_query(&format!("{}auth", twin.page), parameters)
}

async fn code(twin: &Running, parameters: &[(&str, Option<&str>)]) -> String {
    let query = log_in_with_wallet(&http(None), &wallet_url(twin, parameters), "marie-martin").await.unwrap();
    form::read(&query).unwrap().get("code").unwrap().to_owned()
}

fn code_form(code: &str) -> String {
    form::write(&[("grant_type", Some("authorization_code")), ("code", Some(code)), ("redirect_uri", Some(REDIRECT))])
}

async fn tokens(twin: &Running) -> Value {
    let form = code_form(&code(twin, &request()).await);
    let response =
        post(&http(None), &endpoint(twin, "token"), &form, &[(AUTHORIZATION, &basic(DEMO.id, DEMO.secret))]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    json(&response)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_discovery_documents_name_endpoints_that_answer() {
    let (twin, _stop) = start().await;
    let http = http(None);
    for path in ["/.well-known/wallet-openid-configuration", "/.well-known/openid-configuration"] {
        let response = get(&http, &format!("{}{path}", twin.issuer), &[]).await;
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        let document = json(&response);
        assert_eq!(document["issuer"], twin.issuer.as_str());
        let on_wallet = document["authorization_endpoint"].as_str().unwrap().starts_with(&twin.page);
        assert_eq!(on_wallet, path.contains("wallet"), "{path}: the wallet is another host than the issuer");
        for (name, value) in document.as_object().unwrap() {
            let Some(url) = value.as_str().filter(|_| name.ends_with("_endpoint") || name == "jwks_uri") else {
                continue;
            };
            assert_ne!(get(&http, url, &[]).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
    let keycloak = format!("{}?{}", endpoint(&twin, "auth"), form::write(&request()));
    assert_eq!(location(&get(&http, &keycloak, &[]).await), wallet_url(&twin, &request()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_refuses_what_it_may_not_answer() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let challenge = challenge_of("v");
    // `None` as expectation: a page, since nobody knows where to go back to.
    type Case<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);
    let cases: [Case; 20] = [
        ("no client", "client_id", None, None),
        ("unknown client", "client_id", Some("nobody"), None),
        ("no address", "redirect_uri", None, None),
        ("another address", "redirect_uri", Some("http://127.0.0.1:9/other"), None),
        ("an address elsewhere", "redirect_uri", Some("http://evil.test/callback"), None),
        ("an address with a query", "redirect_uri", Some("http://127.0.0.1:9/callback?x=1"), None),
        ("no kind", "response_type", None, Some("invalid_request")),
        ("implicit", "response_type", Some("token"), Some("unsupported_response_type")),
        ("hybrid", "response_type", Some("code id_token"), Some("unsupported_response_type")),
        ("form_post", "response_mode", Some("form_post"), Some("invalid_request")),
        ("no scope", "scope", None, Some("invalid_scope")),
        ("without openid", "scope", Some("scope_all"), Some("invalid_scope")),
        ("unknown scope", "scope", Some("openid everything"), Some("invalid_scope")),
        ("request object", "request", Some("a.b.c"), Some("request_not_supported")),
        ("request by reference", "request_uri", Some("urn:x"), Some("request_uri_not_supported")),
        ("short challenge", "code_challenge", Some("abc"), Some("invalid_request")),
        ("method alone", "code_challenge_method", Some("S256"), Some("invalid_request")),
        ("no page and no session", "prompt", Some("none"), Some("login_required")),
        ("prompt none and login", "prompt", Some("none login"), Some("invalid_request")),
        ("unknown prompt", "prompt", Some("dance"), Some("invalid_request")),
    ];
    for (name, parameter, value, expected) in cases {
        let mut parameters = request();
        parameters.retain(|(name, _)| *name != parameter);
        parameters.push((parameter, value));
        check_refusal(&twin, &get(&http, &wallet_url(&twin, &parameters), &[]).await, name, expected);
        // The form is checked as the request was.
        if parameter != "prompt" {
            parameters.push(("professional", Some("marie-martin")));
            let form = form::write(&parameters);
            check_refusal(&twin, &post(&http, &format!("{}auth", twin.page), &form, &[]).await, name, expected);
        }
    }
    let mut wrong_method = request();
    wrong_method.extend([("code_challenge", Some(challenge.as_str())), ("code_challenge_method", Some("S512"))]);
    check_refusal(&twin, &get(&http, &wallet_url(&twin, &wrong_method), &[]).await, "S512", Some("invalid_request"));
    let twice = format!("{}&client_id=x", wallet_url(&twin, &request()));
    check_refusal(&twin, &get(&http, &twice, &[]).await, "a parameter twice", None);
}

fn check_refusal(twin: &Running, response: &http::Response<bytes::Bytes>, name: &str, expected: Option<&str>) {
    let Some(error) = expected else {
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{name}");
        assert!(!response.headers().contains_key("location"), "{name}: the browser must not be sent back");
        return;
    };
    let location = location(response);
    let (address, query) = location.split_once('?').unwrap();
    let query = form::read(query).unwrap();
    assert_eq!(address, REDIRECT, "{name}");
    assert_eq!((query.get("error"), query.get("code")), (Some(error), None), "{name}");
    assert_eq!((query.get("state"), query.get("iss")), (Some("the state"), Some(twin.issuer.as_str())), "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_chooses_a_professional_and_can_be_given_up() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let url = wallet_url(&twin, &request());
    for (language, title) in [("fr-FR", "Choisir un professionnel de test"), ("en", "Choose a test professional")] {
        let response = get(&http, &url, &[(ACCEPT_LANGUAGE, language)]).await;
        let page = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(page.contains(title) && page.contains("value=\"marie-martin\""), "{language}");
        assert!(page.contains("jumeau local non officiel, sans lien avec l'ANS"), "{language}");
        assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    }
    let hostile = wallet_url(&twin, &[request(), vec![("ui_locales", Some("fr\"><script>"))]].concat());
    let page = String::from_utf8(get(&http, &hostile, &[]).await.body().to_vec()).unwrap();
    assert!(!page.contains("<script>"), "what comes in is escaped");

    let given_up = post(&http, &format!("{}auth", twin.page), &form::write(&request()), &[]).await;
    assert!(location(&given_up).contains("error=access_denied"));
    let unknown = [request(), vec![("professional", Some("nobody"))]].concat();
    let response = post(&http, &format!("{}auth", twin.page), &form::write(&unknown), &[]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_endpoint_refuses_by_the_standard_s_names() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let url = endpoint(&twin, "token");
    let good = basic(DEMO.id, DEMO.secret);
    let wrong = basic(DEMO.id, "guess");
    let console = basic(CONSOLE.id, CONSOLE.secret);
    let refresh = |token: &str| form::write(&[("grant_type", Some("refresh_token")), ("refresh_token", Some(token))]);
    let alive = tokens(&twin).await;
    let alive = alive["refresh_token"].as_str().unwrap();
    let access = alive.to_owned() + "x";
    type Case<'a> = (&'a str, String, &'a str, u16, &'a str);
    let fresh = async || code_form(&code(&twin, &request()).await);
    let cases: Vec<Case> = vec![
        ("no proof", fresh().await, "", 401, "invalid_client"),
        ("wrong secret", fresh().await, &wrong, 401, "invalid_client"),
        ("two proofs", format!("{}&client_secret=x", fresh().await), &good, 400, "invalid_request"),
        ("another client", fresh().await, &console, 400, "invalid_grant"),
        ("another address", fresh().await.replace("callback", "callbacks"), &good, 400, "invalid_grant"),
        ("no address", fresh().await.replace("redirect_uri", "redirect"), &good, 400, "invalid_grant"),
        ("unknown code", code_form("guess"), &good, 400, "invalid_grant"),
        ("no code", code_form("x").replace("code=x", ""), &good, 400, "invalid_request"),
        ("verifier without challenge", format!("{}&code_verifier=x", fresh().await), &good, 400, "invalid_grant"),
        ("no grant", "code=x".into(), &good, 400, "invalid_request"),
        ("password", "grant_type=password&username=a&password=b".into(), &good, 400, "unsupported_grant_type"),
        ("client_credentials", "grant_type=client_credentials".into(), &good, 400, "unsupported_grant_type"),
        ("unknown refresh", refresh(&access), &good, 400, "invalid_grant"),
        ("refresh of another client", refresh(alive), &console, 400, "invalid_grant"),
        ("no refresh token", "grant_type=refresh_token".into(), &good, 400, "invalid_request"),
        ("a parameter twice", format!("{}&code=y", code_form("x")), &good, 400, "invalid_request"),
        ("badly escaped", "grant_type=%zz".into(), &good, 400, "invalid_request"),
    ];
    for (name, form, proof, status, error) in cases {
        let headers: &[_] = if proof.is_empty() { &[] } else { &[(AUTHORIZATION, proof)] };
        let response = post(&http, &url, &form, headers).await;
        assert_eq!((response.status().as_u16(), json(&response)["error"].as_str()), (status, Some(error)), "{name}");
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), status == 401, "{name}");
    }
    let body = Request::post(&url).header(CONTENT_TYPE, "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(json(&http.send(body).await.unwrap())["error"], "invalid_request");
    let large = post(&http, &url, &format!("a={}", "x".repeat(70_000)), &[]).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(get(&http, &url, &[]).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_and_its_second_use_ends_what_it_gave() {
    let (twin, _stop) = start().await;
    let (http, proof) = (http(None), basic(DEMO.id, DEMO.secret));
    let form = code_form(&code(&twin, &request()).await);
    let first = post(&http, &endpoint(&twin, "token"), &form, &[(AUTHORIZATION, &proof)]).await;
    let access = format!("Bearer {}", json(&first)["access_token"].as_str().unwrap());
    let userinfo = endpoint(&twin, "userinfo");
    assert_eq!(get(&http, &userinfo, &[(AUTHORIZATION, &access)]).await.status(), StatusCode::OK);
    let second = post(&http, &endpoint(&twin, "token"), &form, &[(AUTHORIZATION, &proof)]).await;
    assert_eq!(json(&second)["error"], "invalid_grant");
    assert_eq!(get(&http, &userinfo, &[(AUTHORIZATION, &access)]).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_key_that_was_sent_is_enforced() {
    let (twin, _stop) = start().await;
    let (http, proof) = (http(None), basic(DEMO.id, DEMO.secret));
    let pkce = Pkce::new().unwrap();
    let plain = "p".repeat(43);
    let challenge = pkce.challenge();
    let cases = [
        ("S256, right", challenge.as_str(), Some("S256"), Some(pkce.verifier()), true),
        ("S256, absent", challenge.as_str(), Some("S256"), None, false),
        ("S256, wrong", challenge.as_str(), Some("S256"), Some("x"), false),
        ("S256, the challenge itself", challenge.as_str(), Some("S256"), Some(challenge.as_str()), false),
        ("plain, right", plain.as_str(), Some("plain"), Some(plain.as_str()), true),
        ("no method is plain", plain.as_str(), None, Some(plain.as_str()), true),
        ("plain, wrong", plain.as_str(), None, Some("x"), false),
    ];
    for (name, challenge, method, verifier, passes) in cases {
        let mut parameters = request();
        parameters.extend([("code_challenge", Some(challenge)), ("code_challenge_method", method)]);
        let code = code(&twin, &parameters).await;
        let form = format!("{}&{}", code_form(&code), form::write(&[("code_verifier", verifier)]));
        let response = post(&http, &endpoint(&twin, "token"), &form, &[(AUTHORIZATION, &proof)]).await;
        assert_eq!(response.status() == StatusCode::OK, passes, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_have_the_published_claims_and_lives() {
    let (twin, _stop) = start().await;
    let tokens = tokens(&twin).await;
    assert_eq!((tokens["expires_in"].as_i64(), tokens["refresh_expires_in"].as_i64()), (Some(120), Some(1800)));
    assert_eq!((tokens["token_type"].as_str(), tokens["scope"].as_str()), (Some("Bearer"), Some("openid scope_all")));
    let claims = |name: &str| -> Value {
        let payload = tokens[name].as_str().unwrap().split('.').nth(1).unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let (id, access) = (claims("id_token"), claims("access_token"));
    assert_eq!((id["typ"].as_str(), access["typ"].as_str()), (Some("ID"), Some("Bearer")));
    assert_eq!((id["aud"].as_str(), access["azp"].as_str()), (Some(DEMO.id), Some(DEMO.id)));
    assert_eq!((id["nonce"].as_str(), id["acr"].as_str()), (Some("the nonce"), Some("eidas1")));
    assert_eq!(id["SubjectNameID"], "899700000017");
    assert!(id["sub"].as_str().unwrap().starts_with("f:") && id["sub"] == access["sub"]);
    assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 120);
    assert!(access.get("aud").is_none() && id["otherIds"][0]["origine"] == "RPPS");
}

#[tokio::test(flavor = "multi_thread")]
async fn user_info_wants_a_living_token_in_its_header() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let url = endpoint(&twin, "userinfo");
    let tokens = tokens(&twin).await;
    let bearer = |name: &str| format!("Bearer {}", tokens[name].as_str().unwrap());
    for (name, value, status) in [
        ("good", bearer("access_token"), 200),
        ("lower case scheme", bearer("access_token").replace("Bearer", "bearer"), 200),
        ("an ID token", bearer("id_token"), 401),
        ("a refresh token", bearer("refresh_token"), 401),
        ("forged", "Bearer a.b.c".into(), 401),
        ("empty", "Bearer ".into(), 401),
        ("basic", basic(DEMO.id, DEMO.secret), 401),
    ] {
        let response = get(&http, &url, &[(AUTHORIZATION, &value)]).await;
        assert_eq!(response.status().as_u16(), status, "{name}");
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), status == 401, "{name}");
    }
    let in_query = format!("{url}?access_token={}", tokens["access_token"].as_str().unwrap());
    assert_eq!(get(&http, &in_query, &[]).await.status(), StatusCode::UNAUTHORIZED);
    let posted = post(&http, &url, "", &[(AUTHORIZATION, &bearer("access_token"))]).await;
    assert_eq!(json(&posted)["family_name"], "MARTIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_and_revocation_follow_their_standards() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let (introspect, revoke) = (endpoint(&twin, "token/introspect"), endpoint(&twin, "revoke"));
    let (proof, other) = (basic(DEMO.id, DEMO.secret), basic(CONSOLE.id, CONSOLE.secret));
    let tokens = tokens(&twin).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let ask = async |token: &str| {
        json(&post(&http, &introspect, &form::write(&[("token", Some(token))]), &[(AUTHORIZATION, &proof)]).await)
    };

    let known = ask(access).await;
    for name in [
        "exp",
        "iat",
        "auth_time",
        "jti",
        "iss",
        "sub",
        "typ",
        "azp",
        "nonce",
        "session_state",
        "sid",
        "preferred_username",
        "email_verified",
        "acr",
        "scope",
        "client_id",
        "username",
        "active",
        "otherIds",
    ] {
        assert!(known.get(name).is_some(), "{name}");
    }
    assert_eq!((known["active"].as_bool(), known["SubjectNameID"].as_str()), (Some(true), Some("899700000017")));
    let of_refresh = ask(refresh).await;
    assert_eq!((of_refresh["active"].as_bool(), of_refresh.get("SubjectNameID")), (Some(true), None));
    assert_eq!(ask("guess").await, serde_json::json!({ "active": false }));
    for (form, headers, status) in [("token=x", None, 401), ("", Some(&proof), 400)] {
        let headers: Vec<_> = headers.into_iter().map(|proof: &String| (AUTHORIZATION, proof.as_str())).collect();
        assert_eq!(post(&http, &introspect, form, &headers).await.status().as_u16(), status);
        assert_eq!(post(&http, &revoke, form, &headers).await.status().as_u16(), status);
    }

    let form = form::write(&[("token", Some(refresh))]);
    assert_eq!(post(&http, &revoke, &form, &[(AUTHORIZATION, &other)]).await.status(), StatusCode::OK);
    assert_eq!(ask(access).await["active"], true, "another client ends nothing");
    assert_eq!(post(&http, &revoke, &form, &[(AUTHORIZATION, &proof)]).await.status(), StatusCode::OK);
    assert_eq!(
        (ask(access).await["active"].as_bool(), ask(refresh).await["active"].as_bool()),
        (Some(false), Some(false))
    );
    assert_eq!(post(&http, &revoke, "token=guess", &[(AUTHORIZATION, &proof)]).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_its_session_until_it_logs_out() {
    let (twin, _stop) = start().await;
    let http = http(None);
    let chosen = form::write(&[request(), vec![("professional", Some("marie-martin"))]].concat());
    let first = post(&http, &format!("{}auth", twin.page), &chosen, &[]).await;
    let cookie = first.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(first.headers()[SET_COOKIE].to_str().unwrap().contains("HttpOnly; SameSite=Lax"));
    let cookies = [(COOKIE, cookie.as_str())];
    let ask = async |prompt: Option<&'static str>| {
        let url = wallet_url(&twin, &[request(), vec![("prompt", prompt)]].concat());
        get(&http, &url, &cookies).await
    };
    assert!(location(&ask(None).await).contains("code="), "a session is alive: no page");
    assert!(location(&ask(Some("none")).await).contains("code="));
    assert_eq!(ask(Some("login")).await.status(), StatusCode::OK, "the page, all the same");

    let code = form::read(location(&first).split_once('?').unwrap().1).unwrap().get("code").unwrap().to_owned();
    let proof = basic(DEMO.id, DEMO.secret);
    let tokens = json(&post(&http, &endpoint(&twin, "token"), &code_form(&code), &[(AUTHORIZATION, &proof)]).await);
    let hint = tokens["id_token"].as_str();
    let access = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let logout = format!("{}auth/realms/esante-wallet/protocol/openid-connect/logout", twin.page);
    let back = Some("http://127.0.0.1:9/logout");
    let userinfo = async || get(&http, &endpoint(&twin, "userinfo"), &[(AUTHORIZATION, &access)]).await.status();

    let without_hint = get(&http, &with_query(&logout, &[("client_id", Some(DEMO.id))]), &cookies).await;
    assert_eq!(without_hint.status(), StatusCode::OK, "the user is asked first");
    let by_server = get(&http, &with_query(&logout, &[("id_token_hint", hint)]), &[]).await;
    assert_eq!(by_server.status(), StatusCode::OK);
    assert_eq!(userinfo().await, StatusCode::OK, "a call without the browser's cookie ends nothing");

    let parameters = [("id_token_hint", hint), ("post_logout_redirect_uri", back), ("state", Some("bye"))];
    let ended = get(&http, &with_query(&logout, &parameters), &cookies).await;
    assert_eq!(location(&ended), "http://127.0.0.1:9/logout?state=bye");
    assert!(ended.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(userinfo().await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(None).await.status(), StatusCode::OK, "the page again");
    assert!(location(&ask(Some("none")).await).contains("error=login_required"));

    let elsewhere = [("client_id", Some(DEMO.id)), ("post_logout_redirect_uri", Some("http://evil.test/"))];
    let refused = get(&http, &with_query(&logout, &elsewhere), &[]).await;
    assert_eq!((refused.status(), refused.headers().get("location")), (StatusCode::BAD_REQUEST, None));
}
