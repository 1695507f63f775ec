use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use socle_finding::Text;
use socle_identity::Environment;
use socle_trust::token::{Binding, Claims, Expected, TokenError, TokenKind, Verifier};
use socle_trust::{Anchors, Certificate};
use tokio::sync::OnceCell;

use super::provider::{Provider, ProviderError, SetupError};
use crate::model::Professional;

/// Callers remembered at once; the memory of a token ends with the token.
const REMEMBERED_MAX: usize = 4096;

/// What the verification of API callers needs to know.
#[derive(Debug, Clone)]
pub struct BearerSettings {
    /// `https://auth…/auth/realms/esante-wallet`.
    pub issuer: String,
    /// The world of that provider.
    pub environment: Environment,
    /// The authorities of the provider's certificate.
    pub anchors: Anchors,
    /// The clients whose tokens are accepted (`azp`, or `aud`): none, and nobody is.
    pub audiences: Vec<String>,
}

/// Knows who calls with an access token of Pro Santé Connect.
///
/// The token's signature, issuer, client, dates and binding are checked each time; UserInfo, which dies
/// with the token, is asked once per token and kept until the token ends.
pub struct Bearer {
    provider: Provider,
    tokens: Verifier,
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
}

#[derive(Clone)]
struct Remembered {
    until: Timestamp,
    /// Callers of the same token wait for one answer.
    professional: Arc<OnceCell<Arc<Professional>>>,
}

impl Bearer {
    /// A verifier; nothing is asked of the provider yet.
    ///
    /// # Errors
    /// [`SetupError`] when the issuer is no https URL or two environments meet.
    pub fn new(settings: BearerSettings) -> Result<Self, SetupError> {
        let provider = Provider::new(&settings.issuer, settings.environment, &settings.anchors, None)?;
        let expected =
            Expected { issuer: provider.issuer().to_owned(), audiences: settings.audiences, kind: TokenKind::Access };
        let tokens = Verifier::new(expected, provider.clone());
        Ok(Self { provider, tokens, remembered: Mutex::default() })
    }

    /// Who calls with this token, over a connection where `shown` is the client's certificate.
    ///
    /// # Errors
    /// [`BearerError`]: [`BearerError::is_temporary`] tells a 503 from a 401.
    pub async fn verify(
        &self,
        token: &str,
        shown: Option<&Certificate>,
        now: Timestamp,
    ) -> Result<Arc<Professional>, BearerError> {
        let claims = self.tokens.verify(token, now).await?;
        claims.check_binding(shown, Binding::Tolerant)?;
        if claims.is_bound() {
            return Err(BearerError::Bound);
        }
        let place = self.place(token, claims.exp, now);
        let professional = place.get_or_try_init(|| self.ask(token, &claims)).await?;
        Ok(Arc::clone(professional))
    }

    async fn ask(&self, token: &str, claims: &Claims) -> Result<Arc<Professional>, BearerError> {
        let user = match self.provider.user_info(token).await {
            Err(ProviderError::Status { status: 401 | 403, .. }) => return Err(BearerError::Ended),
            user => user?,
        };
        if user.sub != claims.sub {
            return Err(BearerError::OtherSubject);
        }
        Ok(Arc::new(Professional::new(user, self.provider.environment())))
    }

    /// The place of a token's professional, empty at the first call.
    fn place(&self, token: &str, until: Timestamp, now: Timestamp) -> Arc<OnceCell<Arc<Professional>>> {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, entry| entry.until > now);
        }
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        let entry = remembered.entry(key).or_insert_with(|| Remembered { until, professional: Arc::default() });
        Arc::clone(&entry.professional)
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<[u8; 32], Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

/// Why a caller is not known. Shows no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BearerError {
    /// The token is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The provider does not know it any more: session ended or token revoked.
    #[error("the provider does not know this token any more: its session has ended")]
    Ended,
    /// Only its holder can show it to the provider, so nobody can tell us who that is.
    #[error(
        "the token is bound to the caller's certificate: UserInfo cannot be asked with it from here (RFC 8705 §3); \
         call with a token that was obtained with a client secret"
    )]
    Bound,
    /// UserInfo speaks of somebody else.
    #[error("UserInfo and the token are about two different people (`sub`)")]
    OtherSubject,
    /// The provider could not be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl BearerError {
    /// A short stable name, for logs and answers.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Ended => "ended",
            Self::Bound => "bound",
            Self::OtherSubject => "other-subject",
            Self::Provider(_) => "provider",
        }
    }

    /// Is it our trouble or the provider's, rather than the token's? Then the answer is 503, not 401.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Token(error) => error.is_temporary(),
            Self::Provider(_) => true,
            Self::Ended | Self::Bound | Self::OtherSubject => false,
        }
    }

    /// The refusal for people.
    #[must_use]
    pub fn text(&self) -> Text {
        let french = match self {
            Self::Token(TokenError::Expired) => "le jeton est expiré : redemandez-en un",
            Self::Token(TokenError::WrongAudience) => "le jeton a été délivré à un autre logiciel (aud, azp)",
            Self::Token(TokenError::WrongIssuer) => "le jeton vient d'un autre émetteur (iss)",
            Self::Token(TokenError::WrongType) => "ce jeton n'est pas un jeton d'accès (typ)",
            Self::Token(TokenError::CertificateRequired | TokenError::WrongCertificate) => {
                "le jeton est lié à un autre certificat que celui de la connexion (RFC 8705 §3)"
            }
            Self::Token(TokenError::KeysUnavailable(_)) | Self::Provider(_) => {
                "Pro Santé Connect ne répond pas : réessayez plus tard"
            }
            Self::Token(_) => "le jeton est refusé : forme, clé ou signature",
            Self::Ended => "Pro Santé Connect ne connaît plus ce jeton : la session est finie",
            Self::Bound => {
                "le jeton est lié au certificat de l'appelant : Pro Santé Connect ne peut être interrogé d'ici"
            }
            Self::OtherSubject => "le jeton et UserInfo parlent de deux personnes",
        };
        Text::new(french, self.to_string())
    }
}
