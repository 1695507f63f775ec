use std::fmt;

use super::form::{self, FormError, with_query};
use super::{ACR, SCOPES};

/// The request that sends the user's browser to the wallet (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the browser comes back, exactly as registered.
    pub redirect_uri: String,
    /// Ties the answer to this browser.
    pub state: String,
    /// Ties the ID token to this request.
    pub nonce: String,
    /// S256 challenge.
    pub code_challenge: String,
}

impl AuthorizationRequest {
    /// The URL to send the browser to.
    #[must_use]
    pub fn to_url(&self, endpoint: &str) -> String {
        with_query(
            endpoint,
            &[
                ("response_type", Some("code")),
                ("client_id", Some(&self.client_id)),
                ("redirect_uri", Some(&self.redirect_uri)),
                ("scope", Some(SCOPES)),
                ("acr_values", Some(ACR)),
                ("state", Some(&self.state)),
                ("nonce", Some(&self.nonce)),
                ("code_challenge", Some(&self.code_challenge)),
                ("code_challenge_method", Some("S256")),
            ],
        )
    }
}

/// What the browser brings back to the redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// The one-time code.
    pub code: String,
    /// As it was sent.
    pub state: String,
    /// RFC 9207.
    pub iss: Option<String>,
}

impl Callback {
    /// Reads the query of the redirect URI.
    ///
    /// # Errors
    /// [`CallbackError`]: the provider's refusal, or a query that is no answer.
    pub fn read(query: &str) -> Result<Self, CallbackError> {
        let parameters = form::read(query)?;
        let owned = |name| parameters.get(name).map(str::to_owned);
        if let Some(error) = owned("error") {
            return Err(CallbackError::Refused { error: printable(&error), state: owned("state") });
        }
        Ok(Self {
            code: owned("code").ok_or(CallbackError::Missing("code"))?,
            state: owned("state").ok_or(CallbackError::Missing("state"))?,
            iss: owned("iss"),
        })
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback(…)")
    }
}

/// An error code is short and plain; what is not cannot be shown.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect()
}

/// Why the browser came back without a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The provider, or the user, said no.
    #[error("Pro Santé Connect refused the login: {error}")]
    Refused {
        /// `access_denied`, `login_required`…
        error: String,
        /// As it was sent, when it came back.
        state: Option<String>,
    },
    /// Not an answer.
    #[error("the answer of Pro Santé Connect has no `{0}`")]
    Missing(&'static str),
    /// Not a query.
    #[error(transparent)]
    Form(#[from] FormError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_asks_for_what_the_service_needs() {
        let request = AuthorizationRequest {
            client_id: "socle console".into(),
            redirect_uri: "http://127.0.0.1:1/cb?x=1".into(),
            state: "s".into(),
            nonce: "n".into(),
            code_challenge: "c".into(),
        };
        assert_eq!(
            request.to_url("https://wallet/auth"),
            "https://wallet/auth?response_type=code&client_id=socle%20console\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb%3Fx%3D1&scope=openid%20scope_all&acr_values=eidas1\
             &state=s&nonce=n&code_challenge=c&code_challenge_method=S256"
        );
    }

    #[test]
    fn a_callback_is_a_code_or_a_reason() {
        let good = Callback::read("code=c&state=s&session_state=x&iss=https%3A%2F%2Fi").unwrap();
        assert_eq!((good.code.as_str(), good.state.as_str(), good.iss.as_deref()), ("c", "s", Some("https://i")));
        let cases = [
            ("state=s", CallbackError::Missing("code")),
            ("code=c", CallbackError::Missing("state")),
            ("code=&state=s", CallbackError::Missing("code")),
            ("code=c&code=d&state=s", CallbackError::Form(FormError::Repeated)),
            (
                "error=access_denied%0A%1b&state=s",
                CallbackError::Refused { error: "access_denied".into(), state: Some("s".into()) },
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(Callback::read(query), Err(expected), "{query}");
        }
    }
}
