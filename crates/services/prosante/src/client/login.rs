use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use socle_finding::Text;
use socle_identity::Environment;
use socle_trust::token::{Claims, Expected, TokenError, TokenKind, Verifier};
use socle_trust::{Anchors, Credentials};

use super::provider::{Provider, ProviderError, SetupError};
use super::session::Session;
use crate::model::Professional;
use crate::wire::form::{escaped, with_query, write};
use crate::wire::{AuthorizationRequest, Callback, CallbackError, OauthError, Pkce, TokenAnswer, random};

/// A login not finished after this long is forgotten.
const PENDING_MAX: SignedDuration = SignedDuration::from_mins(15);

/// What a relying party needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://auth…/auth/realms/esante-wallet`.
    pub issuer: String,
    /// The world of that provider.
    pub environment: Environment,
    /// The authorities of the provider's certificate.
    pub anchors: Anchors,
    /// As registered.
    pub client_id: String,
    /// How we prove who we are.
    pub authentication: Authentication,
    /// Where the browser comes back, exactly as registered.
    pub redirect_uri: String,
    /// Where it comes back after logout: a second registered URI.
    pub post_logout_redirect_uri: Option<String>,
}

/// How a relying party authenticates at the token endpoint.
#[derive(Clone)]
pub enum Authentication {
    /// `client_secret_basic`.
    Secret(String),
    /// `tls_client_auth`: obligatory in the Espace de Confiance.
    Certificate(Credentials),
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(…)",
            Self::Certificate(_) => "Certificate(…)",
        })
    }
}

/// A relying party of Pro Santé Connect.
#[derive(Debug)]
pub struct Client {
    provider: Provider,
    id_tokens: Verifier,
    client_id: String,
    authentication: Authentication,
    redirect_uri: String,
    post_logout_redirect_uri: Option<String>,
}

/// A login that waits for the browser to come back: keep it server-side, or in a sealed cookie (not in
/// the browser's session storage: on a phone the return passes through the e-CPS application).
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingLogin {
    state: String,
    nonce: String,
    verifier: String,
    began: Timestamp,
}

impl PendingLogin {
    /// What the callback will carry: the key to find this again.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl fmt::Debug for PendingLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingLogin(…)")
    }
}

impl Client {
    /// A relying party; nothing is asked of the provider yet.
    ///
    /// # Errors
    /// [`SetupError`] when the issuer is no https URL or two environments meet.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let credentials = match &settings.authentication {
            Authentication::Certificate(credentials) => Some(credentials),
            Authentication::Secret(_) => None,
        };
        let provider = Provider::new(&settings.issuer, settings.environment, &settings.anchors, credentials)?;
        let expected = Expected {
            issuer: provider.issuer().to_owned(),
            audiences: vec![settings.client_id.clone()],
            kind: TokenKind::Id,
        };
        Ok(Self {
            id_tokens: Verifier::new(expected, provider.clone()),
            provider,
            client_id: settings.client_id,
            authentication: settings.authentication,
            redirect_uri: settings.redirect_uri,
            post_logout_redirect_uri: settings.post_logout_redirect_uri,
        })
    }

    /// Begins a login: the URL to send the browser to, and what to keep until it comes back.
    ///
    /// # Errors
    /// [`LoginError`] when the provider does not answer.
    pub async fn begin(&self, now: Timestamp) -> Result<(String, PendingLogin), LoginError> {
        let discovery = self.provider.discovery().await?;
        let fresh = || random().map_err(|_| LoginError::Randomness);
        let pending = PendingLogin { state: fresh()?, nonce: fresh()?, verifier: fresh()?, began: now };
        let request = AuthorizationRequest {
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            state: pending.state.clone(),
            nonce: pending.nonce.clone(),
            code_challenge: Pkce::from_verifier(pending.verifier.clone()).challenge(),
        };
        Ok((request.to_url(&discovery.authorization_endpoint), pending))
    }

    /// Ends a login with the query that the browser brought to the redirect URI.
    ///
    /// # Errors
    /// [`LoginError`] names what was refused; the login must begin again.
    pub async fn finish(&self, pending: PendingLogin, query: &str, now: Timestamp) -> Result<Session, LoginError> {
        let callback = Callback::read(query)?;
        if callback.state != pending.state {
            return Err(LoginError::State);
        }
        if now.duration_since(pending.began) > PENDING_MAX {
            return Err(LoginError::TooLate);
        }
        self.check_issuer(&callback).await?;
        let tokens = self
            .tokens(&[
                ("grant_type", Some("authorization_code")),
                ("code", Some(&callback.code)),
                ("redirect_uri", Some(&self.redirect_uri)),
                ("code_verifier", Some(&pending.verifier)),
            ])
            .await?;
        let id_token = tokens.id_token.clone().ok_or(LoginError::NoIdToken)?;
        let claims = self.verify_id_token(&id_token, &tokens, now).await?;
        if claims.nonce.as_deref() != Some(pending.nonce.as_str()) {
            return Err(LoginError::Nonce);
        }
        let user = self.provider.user_info(&tokens.access_token).await?;
        // OpenID Connect Core §5.3.2: else an access token of somebody else was swapped in.
        if user.sub != claims.sub {
            return Err(LoginError::OtherSubject);
        }
        let professional = Professional::new(user, self.provider.environment());
        Ok(Session::new(professional, claims.sub.clone(), tokens, id_token, now))
    }

    /// New tokens for a session that can still be refreshed.
    ///
    /// # Errors
    /// [`LoginError`]; the professional logs in again.
    pub async fn refresh(&self, session: &Session, now: Timestamp) -> Result<Session, LoginError> {
        let refresh_token = session.refresh_token.as_deref().filter(|_| session.is_refreshable(now));
        let refresh_token = refresh_token.ok_or(LoginError::TooLate)?;
        let form = [("grant_type", Some("refresh_token")), ("refresh_token", Some(refresh_token))];
        let tokens = self.tokens(&form).await?;
        if let Some(id_token) = &tokens.id_token {
            let claims = self.verify_id_token(id_token, &tokens, now).await?;
            if claims.sub != session.subject {
                return Err(LoginError::OtherSubject);
            }
        }
        Ok(session.renewed(tokens, now))
    }

    /// Where to send the **browser** so that the provider's session ends too; a call from the server
    /// would leave its cookie. None when the provider has no such endpoint.
    ///
    /// # Errors
    /// [`LoginError`] when the provider does not answer.
    pub async fn logout_url(&self, session: &Session, state: &str) -> Result<Option<String>, LoginError> {
        let discovery = self.provider.discovery().await?;
        let parameters = [
            ("id_token_hint", Some(session.id_token.as_str())),
            ("post_logout_redirect_uri", self.post_logout_redirect_uri.as_deref()),
            ("state", Some(state)),
        ];
        Ok(discovery.end_session_endpoint.as_ref().map(|endpoint| with_query(endpoint, &parameters)))
    }

    /// RFC 9207: an answer of another provider is an attack, and so is a missing `iss` once announced.
    async fn check_issuer(&self, callback: &Callback) -> Result<(), LoginError> {
        let announced = self.provider.discovery().await?.authorization_response_iss_parameter_supported;
        match &callback.iss {
            Some(iss) if iss == self.provider.issuer() => Ok(()),
            None if !announced => Ok(()),
            _ => Err(LoginError::Issuer),
        }
    }

    async fn tokens(&self, form: &[(&str, Option<&str>)]) -> Result<TokenAnswer, LoginError> {
        let discovery = self.provider.discovery().await?;
        let (form, basic) = match &self.authentication {
            Authentication::Secret(secret) => (write(form), Some(basic(&self.client_id, secret))),
            Authentication::Certificate(_) => {
                (write(&[form, &[("client_id", Some(self.client_id.as_str()))]].concat()), None)
            }
        };
        let (status, body) = self.provider.post(&discovery.token_endpoint, form, basic).await?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|_| LoginError::TokenAnswer);
        }
        match OauthError::read(&body) {
            Some(error) => Err(LoginError::Refused(error)),
            None => Err(ProviderError::Status { what: "token".into(), status: status.as_u16() }.into()),
        }
    }

    async fn verify_id_token(
        &self,
        id_token: &str,
        tokens: &TokenAnswer,
        now: Timestamp,
    ) -> Result<std::sync::Arc<Claims>, LoginError> {
        let claims = self.id_tokens.verify(id_token, now).await?;
        if claims.text("at_hash").is_some_and(|hash| hash != at_hash(&tokens.access_token)) {
            return Err(LoginError::AccessToken);
        }
        Ok(claims)
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", escaped(id), escaped(secret))))
}

/// OpenID Connect Core §3.1.3.6: the left half of the digest.
pub(crate) fn at_hash(access_token: &str) -> String {
    let digest = digest(&SHA256, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

/// Why nobody is logged in. Shows no token.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The browser came back without a code.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// Another login, or a forged one.
    #[error("the answer is not for this login (`state`)")]
    State,
    /// Begun too long ago, or a session past its refresh.
    #[error("too late: the login must begin again")]
    TooLate,
    /// The answer names another provider.
    #[error("the answer comes from another provider (`iss`, RFC 9207)")]
    Issuer,
    /// The provider could not be used.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The token endpoint refused.
    #[error("Pro Santé Connect refused the tokens: {}", .0.error)]
    Refused(OauthError),
    /// A success that is none.
    #[error("the answer of the token endpoint is not what is expected (RFC 6749 §5.1)")]
    TokenAnswer,
    /// OpenID Connect without ID token.
    #[error("the answer has no ID token (OpenID Connect Core §3.1.3.3)")]
    NoIdToken,
    /// The ID token is refused.
    #[error("ID token: {0}")]
    IdToken(#[from] TokenError),
    /// A replayed ID token.
    #[error("the ID token is not for this login (`nonce`)")]
    Nonce,
    /// The access token is not the one that came with the ID token.
    #[error("the access token is not the ID token's (`at_hash`)")]
    AccessToken,
    /// UserInfo or a refreshed ID token speaks of somebody else.
    #[error("the tokens are about two different people (`sub`)")]
    OtherSubject,
    /// No randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

impl LoginError {
    /// Is it the provider's trouble rather than the answer's? Then trying again may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Provider(error) => error.is_temporary(),
            Self::IdToken(error) => error.is_temporary(),
            _ => false,
        }
    }

    /// The refusal for people.
    #[must_use]
    pub fn text(&self) -> Text {
        let french = match self {
            Self::Callback(CallbackError::Refused { .. }) => "Pro Santé Connect ou l'utilisateur a refusé la connexion",
            Self::Callback(_) | Self::State | Self::Issuer => {
                "la réponse n'est pas celle de cette connexion : recommencez"
            }
            Self::TooLate => "trop tard : reconnectez-vous",
            Self::Provider(_) | Self::IdToken(TokenError::KeysUnavailable(_)) => {
                "Pro Santé Connect ne répond pas comme attendu : réessayez plus tard"
            }
            Self::Refused(_) | Self::TokenAnswer | Self::NoIdToken => "Pro Santé Connect n'a pas délivré les jetons",
            Self::IdToken(_) | Self::Nonce | Self::AccessToken | Self::OtherSubject => {
                "les jetons reçus ne passent pas les contrôles : personne n'est connecté"
            }
            Self::Randomness => "le système ne fournit pas d'aléa",
        };
        Text::new(french, self.to_string())
    }
}
