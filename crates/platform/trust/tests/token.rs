//! Tokens: every refusal by its name, keys that turn, tokens bound to certificates.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod fixtures;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair as RsaPair, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PSS_SHA256};
use serde_json::{Value, json};
use socle_trust::Certificate;
use socle_trust::pki::Profile;
use socle_trust::token::{
    Binding, Expected, Issuer, Jwks, KeySource, Loading, SigningKey, TokenError, TokenKind, Verifier, x5t_s256,
};

const NOW: i64 = 1_795_000_000;
const ISSUER: &str = "https://auth.jumeau.test/auth/realms/esante-wallet";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// RSA keys of the test PKI stand for signing keys: they are made once per checkout.
fn pkcs8(name: &'static str) -> Vec<u8> {
    let credentials = fixtures::pki().credentials(name, &fixtures::server()).unwrap();
    credentials.key().secret_der().to_vec()
}

fn issuer() -> &'static Arc<Issuer> {
    static ISSUER_KEY: OnceLock<Arc<Issuer>> = OnceLock::new();
    ISSUER_KEY.get_or_init(|| Arc::new(Issuer::new(ISSUER, SigningKey::from_pkcs8(&pkcs8("server")).unwrap())))
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "f:550dc1c8:899700218896", "aud": ["account", "socle"], "azp": "dpi-test",
        "exp": NOW + 120, "iat": NOW, "typ": "Bearer", "scope": "openid scope_all",
        "SubjectNameID": "899700218896",
    })
}

fn verifier(kind: TokenKind) -> Verifier {
    let expected = Expected { issuer: ISSUER.to_owned(), audiences: vec!["socle".to_owned()], kind };
    Verifier::new(expected, Arc::clone(issuer()))
}

async fn refusal(token: &str) -> TokenError {
    verifier(TokenKind::Access).verify(token, at(NOW)).await.unwrap_err()
}

#[tokio::test]
async fn a_good_token_gives_its_claims() {
    let token = issuer().sign(&claims(), "JWT").unwrap();
    let verifier = verifier(TokenKind::Access);
    for _ in 0..2 {
        let claims = verifier.verify(&token, at(NOW)).await.unwrap();
        assert_eq!(claims.aud, ["account", "socle"]);
        assert_eq!(claims.text("SubjectNameID"), Some("899700218896"));
        assert!(claims.has_scope("scope_all") && !claims.has_scope("scope"));
        assert_eq!(claims.exp, at(NOW + 120));
        assert!(!format!("{claims:?}").contains("899700218896"));
    }
}

type Spoil = fn(&mut Value);

#[tokio::test]
async fn a_wrong_claim_is_refused_by_its_name() {
    let access: [(&str, Spoil, TokenError); 18] = [
        ("expired", |c| c["exp"] = (NOW - 31).into(), TokenError::Expired),
        ("expired long ago", |c| c["exp"] = 0.into(), TokenError::Expired),
        ("no exp", |c| drop(c.as_object_mut().unwrap().remove("exp")), TokenError::MissingClaim("exp")),
        ("exp as text", |c| c["exp"] = "never".into(), TokenError::Malformed("a claim has the wrong type")),
        ("exp beyond dates", |c| c["exp"] = 1e300.into(), TokenError::Malformed("a claim has the wrong type")),
        ("not yet valid", |c| c["nbf"] = (NOW + 31).into(), TokenError::NotYetValid),
        ("issued in the future", |c| c["iat"] = (NOW + 31).into(), TokenError::IssuedInFuture),
        ("other issuer", |c| c["iss"] = format!("{ISSUER}/").into(), TokenError::WrongIssuer),
        ("no issuer", |c| drop(c.as_object_mut().unwrap().remove("iss")), TokenError::MissingClaim("iss")),
        ("no subject", |c| drop(c.as_object_mut().unwrap().remove("sub")), TokenError::MissingClaim("sub")),
        ("other audience", |c| c["aud"] = "account".into(), TokenError::WrongAudience),
        ("no audience", |c| drop(c.as_object_mut().unwrap().remove("aud")), TokenError::WrongAudience),
        ("empty audience", |c| c["aud"] = json!([]), TokenError::WrongAudience),
        ("audience in other case", |c| c["aud"] = "SOCLE".into(), TokenError::WrongAudience),
        ("an ID token", |c| c["typ"] = "ID".into(), TokenError::WrongType),
        ("a refresh token", |c| c["typ"] = "Refresh".into(), TokenError::WrongType),
        ("audience of numbers", |c| c["aud"] = json!([1]), TokenError::Malformed("a claim has the wrong type")),
        ("not an object", |c| *c = json!(["iss"]), TokenError::Malformed("the payload is not a JSON object")),
    ];
    for (name, spoil, expected) in access {
        let mut claims = claims();
        spoil(&mut claims);
        assert_eq!(refusal(&issuer().sign(&claims, "JWT").unwrap()).await, expected, "{name}");
    }
    let good: [(&str, Spoil); 5] = [
        ("expired within the leeway", |c| c["exp"] = (NOW - 29).into()),
        ("issued a little ahead", |c| c["iat"] = (NOW + 29).into()),
        ("one audience as text", |c| c["aud"] = "socle".into()),
        ("audience in azp (Keycloak)", |c| (c["aud"], c["azp"]) = ("account".into(), "socle".into())),
        ("exp with a fraction", |c| c["exp"] = (NOW as f64 + 0.5).into()),
    ];
    for (name, mend) in good {
        let mut claims = claims();
        mend(&mut claims);
        let answer = verifier(TokenKind::Access).verify(&issuer().sign(&claims, "JWT").unwrap(), at(NOW)).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn an_id_token_is_for_its_client() {
    let cases: [(&str, Spoil, Result<(), TokenError>); 5] = [
        ("for us", |c| (c["aud"], c["azp"]) = ("socle".into(), "socle".into()), Ok(())),
        ("without azp", |c| drop(c.as_object_mut().unwrap().remove("azp")), Ok(())),
        ("azp is another", |_| {}, Err(TokenError::WrongAudience)),
        (
            "only azp is ours",
            |c| (c["aud"], c["azp"]) = ("other".into(), "socle".into()),
            Err(TokenError::WrongAudience),
        ),
        ("an access token", |c| (c["typ"], c["azp"]) = ("Bearer".into(), "socle".into()), Err(TokenError::WrongType)),
    ];
    for (name, spoil, expected) in cases {
        let mut claims = claims();
        claims["typ"] = "ID".into();
        spoil(&mut claims);
        let token = issuer().sign(&claims, "JWT").unwrap();
        assert_eq!(verifier(TokenKind::Id).verify(&token, at(NOW)).await.map(|_| ()), expected, "{name}");
    }
    let mut access = claims();
    access["azp"] = "socle".into();
    access.as_object_mut().unwrap().remove("typ");
    let token = issuer().sign(&access, "at+jwt").unwrap();
    assert_eq!(verifier(TokenKind::Id).verify(&token, at(NOW)).await.map(|_| ()), Err(TokenError::WrongType));
    assert!(verifier(TokenKind::Access).verify(&token, at(NOW)).await.is_ok());
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

fn published() -> Value {
    serde_json::from_str::<Value>(&issuer().jwks()).unwrap()["keys"][0].clone()
}

#[tokio::test]
async fn a_forged_token_is_refused_by_its_name() {
    let good = issuer().sign(&claims(), "JWT").unwrap();
    let parts: Vec<_> = good.split('.').collect();
    let kid = published()["kid"].clone();
    let mut other = claims();
    other["sub"] = "somebody".into();

    let unsigned = |alg: &str| format!("{}.{}.", encode(&json!({ "alg": alg, "kid": kid })), parts[1]);
    // The public key as HMAC secret: the classic confusion.
    let secret = hmac::Key::new(hmac::HMAC_SHA256, published()["n"].as_str().unwrap().as_bytes());
    let hs = format!("{}.{}", encode(&json!({ "alg": "HS256", "kid": kid })), parts[1]);
    let hs = format!("{hs}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&secret, hs.as_bytes())));
    let swapped = format!("{}.{}.{}", parts[0], encode(&other), parts[2]);
    let header = |header: Value| format!("{}.{}.{}", encode(&header), parts[1], parts[2]);
    let mut flipped = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    flipped[100] ^= 1;
    let flipped = format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode(flipped));

    let not_three = TokenError::Malformed("not three parts");
    let not_base64 = TokenError::Malformed("a part is not base64url without padding");
    let extension = TokenError::Malformed("the header holds an extension that is not understood");
    let cases = [
        ("alg none", unsigned("none"), TokenError::Algorithm),
        ("alg None", unsigned("nOnE"), TokenError::Algorithm),
        ("HS256 with the public key", hs, TokenError::Algorithm),
        ("RS512", header(json!({ "alg": "RS512", "kid": kid })), TokenError::Algorithm),
        ("the key is for RS256 alone", header(json!({ "alg": "PS256", "kid": kid })), TokenError::Algorithm),
        ("EC with an RSA key", header(json!({ "alg": "ES256", "kid": kid })), TokenError::Algorithm),
        ("signature removed", unsigned("RS256"), TokenError::BadSignature),
        ("payload of another", swapped, TokenError::BadSignature),
        ("signature bit", flipped, TokenError::BadSignature),
        ("kid of nobody", header(json!({ "alg": "RS256", "kid": "x" })), TokenError::UnknownKey),
        ("crit", header(json!({ "alg": "RS256", "kid": kid, "crit": ["b64"] })), extension.clone()),
        ("b64", header(json!({ "alg": "RS256", "kid": kid, "b64": false })), extension),
        ("empty", String::new(), not_three.clone()),
        ("one part", "abc".to_owned(), not_three.clone()),
        ("two parts", "abc.def".to_owned(), not_three),
        ("five parts (JWE)", format!("{good}.a.b"), TokenError::Malformed("more than three parts")),
        ("padding", format!("{good}="), not_base64.clone()),
        ("blank around", format!(" {good}"), not_base64),
        (
            "header not JSON",
            format!("YQ.{}.{}", parts[1], parts[2]),
            TokenError::Malformed("the header is not a JSON object with `alg`"),
        ),
        ("too long", "a".repeat(20_000), TokenError::Malformed("longer than 16 KB")),
    ];
    for (name, token, expected) in cases {
        assert_eq!(refusal(&token).await, expected, "{name}");
    }
}

/// ES256 and PS256 signed by hand, since the issuer signs RS256 only.
#[tokio::test]
async fn es256_and_ps256_are_accepted_with_their_keys() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let rsa = RsaPair::from_pkcs8(&pkcs8("server")).unwrap();
    let public = PublicKeyComponents::<Vec<u8>>::from(rsa.public());
    let point = ec.public_key().as_ref();
    let set = json!({ "keys": [
        { "kty": "oct", "kid": "secret", "k": "AAAA" },
        { "kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB" },
        { "kty": "EC", "crv": "P-256", "kid": "ec", "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
          "y": URL_SAFE_NO_PAD.encode(&point[33..]) },
        { "kty": "RSA", "kid": "rsa", "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e) },
    ] });
    let input = |alg: &str, kid: &str| format!("{}.{}", encode(&json!({ "alg": alg, "kid": kid })), encode(&claims()));
    let es = input("ES256", "ec");
    let es = format!("{es}.{}", URL_SAFE_NO_PAD.encode(ec.sign(&random, es.as_bytes()).unwrap()));
    let ps = input("PS256", "rsa");
    let mut signature = vec![0; rsa.public().modulus_len()];
    rsa.sign(&RSA_PSS_SHA256, &random, ps.as_bytes(), &mut signature).unwrap();
    let ps = format!("{ps}.{}", URL_SAFE_NO_PAD.encode(signature));

    let expected = Expected { issuer: ISSUER.to_owned(), audiences: vec!["socle".to_owned()], kind: TokenKind::Access };
    let verifier = Verifier::new(expected, Jwks::parse(set.to_string().as_bytes()).unwrap());
    for (name, token) in [("ES256", &es), ("PS256", &ps)] {
        let answer = verifier.verify(token, at(NOW)).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
    let swapped = es.replacen(
        &encode(&json!({ "alg": "ES256", "kid": "ec" })),
        &encode(&json!({ "alg": "ES256", "kid": "rsa" })),
        1,
    );
    assert_eq!(verifier.verify(&swapped, at(NOW)).await.map(|_| ()), Err(TokenError::Algorithm));
    let secret = ps.replacen(
        &encode(&json!({ "alg": "PS256", "kid": "rsa" })),
        &encode(&json!({ "alg": "PS256", "kid": "enc" })),
        1,
    );
    assert_eq!(verifier.verify(&secret, at(NOW)).await.map(|_| ()), Err(TokenError::UnknownKey));
    let no_kid = input("ES256", "").replacen(
        &encode(&json!({ "alg": "ES256", "kid": "" })),
        &encode(&json!({ "alg": "ES256" })),
        1,
    );
    assert_eq!(verifier.verify(&format!("{no_kid}.AA"), at(NOW)).await.map(|_| ()), Err(TokenError::UnknownKey));
    for bad in ["", "[]", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\"}]}", "{\"keys\":[3]}"] {
        assert!(matches!(Jwks::parse(bad.as_bytes()), Err(TokenError::KeysUnavailable(_))), "{bad}");
    }
}

/// An issuer's published set under the hand of the test, counting how often it is read.
#[derive(Clone)]
struct Published {
    set: Arc<Mutex<Result<Jwks, TokenError>>>,
    reads: Arc<AtomicUsize>,
}

impl Published {
    fn new(set: Result<Jwks, TokenError>) -> Self {
        Self { set: Arc::new(Mutex::new(set)), reads: Arc::default() }
    }

    fn publish(&self, issuer: &Issuer) {
        *self.set.lock().unwrap() = Jwks::parse(issuer.jwks().as_bytes());
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl KeySource for Published {
    fn load(&self) -> Loading<'_> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let set = self.set.lock().unwrap().clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            set
        })
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_read_again_for_an_unknown_one_but_not_at_every_forgery() {
    let turning = Issuer::new(ISSUER, SigningKey::from_pkcs8(&pkcs8("server")).unwrap());
    let published = Published::new(Jwks::parse(turning.jwks().as_bytes()));
    let expected = Expected { issuer: ISSUER.to_owned(), audiences: vec!["socle".to_owned()], kind: TokenKind::Access };
    let verifier = Arc::new(Verifier::new(expected, published.clone()));
    let old = turning.sign(&claims(), "JWT").unwrap();
    let crowd: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, token) = (Arc::clone(&verifier), old.clone());
            tokio::spawn(async move { verifier.verify(&token, at(NOW)).await.map(|_| ()) })
        })
        .collect();
    for one in crowd {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(published.reads(), 1, "one reading for all who came at once");

    turning.rotate(SigningKey::from_pkcs8(&pkcs8("second")).unwrap());
    let new = turning.sign(&claims(), "JWT").unwrap();
    for _ in 0..5 {
        assert_eq!(verifier.verify(&new, at(NOW)).await.map(|_| ()), Err(TokenError::UnknownKey));
    }
    assert_eq!(published.reads(), 1, "less than ten seconds after the last reading");
    published.publish(&turning);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(verifier.verify(&new, at(NOW)).await.is_ok());
    assert!(verifier.verify(&old, at(NOW)).await.is_ok(), "the old key is still published");
    assert_eq!(published.reads(), 2);

    *published.set.lock().unwrap() = Err(TokenError::KeysUnavailable("down".to_owned()));
    tokio::time::advance(Duration::from_secs(1000)).await;
    let other =
        turning.sign(&json!({ "jti": "2", "iss": ISSUER, "sub": "a", "aud": "socle", "exp": NOW + 9 }), "JWT").unwrap();
    assert!(verifier.verify(&other, at(NOW)).await.is_ok(), "known keys serve while the issuer is down");
    assert_eq!(published.reads(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answered_is_our_trouble_and_not_the_tokens() {
    let published = Published::new(Err(TokenError::KeysUnavailable("down".to_owned())));
    let expected = Expected { issuer: ISSUER.to_owned(), audiences: vec!["socle".to_owned()], kind: TokenKind::Access };
    let verifier = Verifier::new(expected, published.clone());
    let token = issuer().sign(&claims(), "JWT").unwrap();
    for _ in 0..3 {
        let error = verifier.verify(&token, at(NOW)).await.unwrap_err();
        assert!(error.is_temporary() && error.code() == "keys-unavailable", "{error}");
    }
    assert_eq!(published.reads(), 1);
    published.publish(issuer());
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_seen_before_still_expires_and_dies_with_its_key() {
    let turning = Issuer::new(ISSUER, SigningKey::from_pkcs8(&pkcs8("server")).unwrap());
    let published = Published::new(Jwks::parse(turning.jwks().as_bytes()));
    let expected = Expected { issuer: ISSUER.to_owned(), audiences: vec!["socle".to_owned()], kind: TokenKind::Access };
    let verifier = Verifier::new(expected, published.clone());
    let token = turning.sign(&claims(), "JWT").unwrap();
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    assert_eq!(verifier.verify(&token, at(NOW + 151)).await.map(|_| ()), Err(TokenError::Expired));
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());

    // The key is withdrawn; the reading that another token causes ends the remembered ones.
    let fresh = Issuer::new(ISSUER, SigningKey::from_pkcs8(&pkcs8("second")).unwrap());
    published.publish(&fresh);
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    tokio::time::advance(Duration::from_secs(11)).await;
    let known = fresh.sign(&claims(), "JWT").unwrap();
    assert!(verifier.verify(&known, at(NOW)).await.is_ok());
    assert_eq!(verifier.verify(&token, at(NOW)).await.map(|_| ()), Err(TokenError::UnknownKey));

    // Without any such token, keys are read again after fifteen minutes.
    published.publish(&turning);
    tokio::time::advance(Duration::from_secs(901)).await;
    assert_eq!(verifier.verify(&known, at(NOW)).await.map(|_| ()), Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn a_bound_token_needs_its_certificate() {
    let credentials = fixtures::pki().credentials("auth-cli", &Profile::OrgAuthCli(fixtures::organisation())).unwrap();
    let other = fixtures::pki().credentials("server", &fixtures::server()).unwrap();
    let mine = credentials.certificate();
    let hex: String = mine.thumbprint_sha256().iter().map(|b| format!("{b:02X}")).collect();
    let (strict, tolerant) = (Binding::Strict, Binding::Tolerant);
    let shown: Option<&Certificate> = Some(mine);
    let cases = [
        (x5t_s256(mine), shown, strict, Ok(())),
        (x5t_s256(mine), shown, tolerant, Ok(())),
        (x5t_s256(mine), None, strict, Err(TokenError::CertificateRequired)),
        (x5t_s256(mine), Some(other.certificate()), tolerant, Err(TokenError::WrongCertificate)),
        (STANDARD.encode(&hex), shown, strict, Err(TokenError::WrongCertificate)),
        (STANDARD.encode(&hex), shown, tolerant, Ok(())),
        (URL_SAFE_NO_PAD.encode(hex.to_lowercase()), shown, tolerant, Ok(())),
        (STANDARD.encode(&hex), Some(other.certificate()), tolerant, Err(TokenError::WrongCertificate)),
        (String::new(), shown, tolerant, Err(TokenError::WrongCertificate)),
    ];
    for (thumbprint, shown, binding, expected) in cases {
        let mut claims = claims();
        claims["cnf"] = json!({ "x5t#S256": thumbprint });
        let token = issuer().sign(&claims, "JWT").unwrap();
        let claims = verifier(TokenKind::Access).verify(&token, at(NOW)).await.unwrap();
        assert!(claims.is_bound());
        assert_eq!(claims.check_binding(shown, binding), expected, "{thumbprint} {binding:?}");
    }
    let unbound = verifier(TokenKind::Access).verify(&issuer().sign(&claims(), "JWT").unwrap(), at(NOW)).await.unwrap();
    assert!(!unbound.is_bound());
    assert_eq!(unbound.check_binding(None, strict), Ok(()));
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered(text in "[a-zA-Z0-9_.=-]{0,80}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        proptest::prop_assert!(runtime.block_on(verifier(TokenKind::Access).verify(&text, at(NOW))).is_err());
    }
}
