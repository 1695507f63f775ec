use super::Provider;
use crate::wire::form::{self, FormError, Parameters, with_query};

/// Scopes of the published discovery document that mean something here.
pub(super) const SCOPES_KNOWN: [&str; 12] = [
    "openid",
    "scope_all",
    "scope_1",
    "scope_2",
    "rpps",
    "referentiel",
    "identity",
    "interop",
    "eidas1",
    "eidas2",
    "profile",
    "email",
];

/// An authorization request that may be answered, with the parameters to repeat in the login form.
#[derive(Debug, Clone)]
pub(in crate::twin) struct Authorization {
    pub(in crate::twin) client_id: String,
    pub(in crate::twin) redirect_uri: String,
    pub(in crate::twin) scope: String,
    pub(in crate::twin) state: Option<String>,
    pub(in crate::twin) nonce: Option<String>,
    pub(in crate::twin) challenge: Option<Challenge>,
    pub(in crate::twin) prompt: Prompt,
    pub(in crate::twin) parameters: Parameters,
}

/// What the token request must answer to (RFC 7636 §4.2).
#[derive(Clone, PartialEq, Eq)]
pub(in crate::twin) enum Challenge {
    Plain(String),
    S256(String),
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Challenge(…)")
    }
}

impl Challenge {
    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Self::Plain(challenge) => challenge == verifier,
            Self::S256(challenge) => *challenge == crate::wire::challenge_of(verifier),
        }
    }
}

/// OpenID Connect Core §3.1.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::twin) enum Prompt {
    /// The page, unless a session is alive.
    Default,
    /// No page at all.
    None,
    /// The page, always.
    Login,
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::twin) enum AuthorizeRefused {
    /// The browser must not be sent back: nobody knows where (RFC 6749 §4.1.2.1). In French and English.
    Page(&'static str, &'static str),
    /// The browser goes back with an error.
    Back(String),
}

const UNKNOWN_CLIENT: AuthorizeRefused =
    AuthorizeRefused::Page("client_id est absent ou inconnu du jumeau", "client_id is missing or unknown to the twin");
const UNKNOWN_REDIRECT: AuthorizeRefused = AuthorizeRefused::Page(
    "redirect_uri n'est pas, à la lettre, une adresse enregistrée pour ce client",
    "redirect_uri is not, to the letter, an address registered for this client",
);

impl From<FormError> for AuthorizeRefused {
    fn from(_: FormError) -> Self {
        Self::Page(
            "la requête est mal formée ou répète un paramètre (RFC 6749 §3.1)",
            "the request is malformed or repeats a parameter (RFC 6749 §3.1)",
        )
    }
}

impl Provider {
    /// Checks a request: first who asks and where to go back, then what is asked.
    pub(in crate::twin) fn check_authorization(&self, query: &str) -> Result<Authorization, AuthorizeRefused> {
        let parameters = form::read(query)?;
        let client = parameters.get("client_id").and_then(|id| self.client(id)).ok_or(UNKNOWN_CLIENT)?;
        let redirect_uri = parameters.get("redirect_uri").ok_or(UNKNOWN_REDIRECT)?;
        if !client.redirects.iter().any(|redirect| redirect.admits(redirect_uri)) {
            return Err(UNKNOWN_REDIRECT);
        }
        let back = |(error, description): (&str, &str)| {
            AuthorizeRefused::Back(self.error_url(redirect_uri, parameters.get("state"), error, description))
        };
        check_kind(&parameters).map_err(back)?;
        let owned = |name| parameters.get(name).map(str::to_owned);
        Ok(Authorization {
            client_id: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            scope: scope(&parameters).map_err(back)?,
            state: owned("state"),
            nonce: owned("nonce"),
            challenge: challenge(&parameters).map_err(back)?,
            prompt: prompt(&parameters).map_err(back)?,
            parameters,
        })
    }

    /// Where a refused login goes back to.
    pub(in crate::twin) fn refusal_url(&self, request: &Authorization, error: &str, description: &str) -> String {
        self.error_url(&request.redirect_uri, request.state.as_deref(), error, description)
    }

    fn error_url(&self, redirect_uri: &str, state: Option<&str>, error: &str, description: &str) -> String {
        let parameters = [
            ("error", Some(error)),
            ("error_description", Some(description)),
            ("state", state),
            ("iss", Some(self.issuer())),
        ];
        with_query(redirect_uri, &parameters)
    }
}

type Refusal = (&'static str, &'static str);

fn check_kind(parameters: &Parameters) -> Result<(), Refusal> {
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "no request object here"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "no request object here"));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    match parameters.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(("invalid_request", "response_mode must be query")),
    }
}

fn scope(parameters: &Parameters) -> Result<String, Refusal> {
    let scope = parameters.get("scope").unwrap_or_default();
    let asked: Vec<&str> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    if !asked.contains(&"openid") {
        return Err(("invalid_scope", "scope must hold openid"));
    }
    if asked.iter().any(|scope| !SCOPES_KNOWN.contains(scope)) {
        return Err(("invalid_scope", "a scope is unknown"));
    }
    Ok(asked.join(" "))
}

/// PKCE is not mandatory at Pro Santé Connect; what is sent is enforced.
fn challenge(parameters: &Parameters) -> Result<Option<Challenge>, Refusal> {
    let Some(challenge) = parameters.get("code_challenge") else {
        return match parameters.get("code_challenge_method") {
            Some(_) => Err(("invalid_request", "code_challenge is missing")),
            None => Ok(None),
        };
    };
    let is_form = (43..=128).contains(&challenge.len())
        && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if !is_form {
        return Err(("invalid_request", "code_challenge is not 43 to 128 unreserved characters"));
    }
    match parameters.get("code_challenge_method") {
        Some("S256") => Ok(Some(Challenge::S256(challenge.to_owned()))),
        Some("plain") | None => Ok(Some(Challenge::Plain(challenge.to_owned()))),
        Some(_) => Err(("invalid_request", "code_challenge_method must be S256 or plain")),
    }
}

fn prompt(parameters: &Parameters) -> Result<Prompt, Refusal> {
    let prompts: Vec<&str> = parameters.get("prompt").unwrap_or_default().split_whitespace().collect();
    match prompts.as_slice() {
        [] => Ok(Prompt::Default),
        ["none"] => Ok(Prompt::None),
        several if several.contains(&"none") => Err(("invalid_request", "prompt none stands alone")),
        several if several.iter().all(|p| matches!(*p, "login" | "consent" | "select_account")) => {
            let shows = several.iter().any(|p| *p != "consent");
            Ok(if shows { Prompt::Login } else { Prompt::Default })
        }
        _ => Err(("invalid_request", "prompt is unknown")),
    }
}
