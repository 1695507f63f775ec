//! Who asks: a professional with a token of Pro Santé Connect, or an application with one of ours.
//!
//! A token that is missing, expired, of another issuer or for another audience is refused by its name
//! (RFC 6750); a bound token comes with its certificate or not at all (RFC 8705).

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap, StatusCode};
use jiff::Timestamp;
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Text};
use socle_identity::{Environment, IdNatStruct};
use socle_prosante::client::{Bearer, BearerError};
use socle_prosante::model::{ActorError, Professional};
use socle_trust::https::PeerCertificate;
use socle_trust::token::{Binding, Issuer, TokenError, Verifier};
use socle_trust::{Actor, ActorId, Certificate};

/// An application that may act for the structure, known by its certificate.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its `client_id`.
    pub id: String,
    /// Its name, for the trace.
    pub name: String,
    /// The CN of its certificate.
    pub common_name: String,
}

/// Recognises callers.
pub struct Authenticator {
    /// Whose applications these are.
    pub structure: IdNatStruct,
    /// The world of all of it.
    pub environment: Environment,
    /// Signs the tokens of applications.
    pub issuer: Arc<Issuer>,
    /// Verifies them.
    pub ours: Verifier,
    /// The applications that may have one.
    pub applications: Vec<Application>,
    /// Verifies the tokens of professionals.
    pub professionals: Bearer,
}

/// A caller that was recognised.
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    /// How, for the flow.
    pub(crate) by: &'static str,
    /// When.
    pub(crate) at: Timestamp,
}

/// Why a caller was not recognised.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// No `Authorization: Bearer`.
    #[error("no access token was sent (RFC 6750 §2.1)")]
    NoToken,
    /// A token of ours, or one that is none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token of Pro Santé Connect.
    #[error(transparent)]
    ProSante(#[from] BearerError),
    /// A professional who has no situation to act in.
    #[error(transparent)]
    Situation(#[from] ActorError),
    /// The application is no longer declared.
    #[error("the application of this token is not declared here")]
    UnknownApplication,
}

impl Authenticator {
    pub(crate) async fn recognise(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<Caller, Refused> {
        let token = bearer(headers).ok_or(Refused::NoToken)?;
        let shown = extensions.get::<PeerCertificate>().and_then(|peer| peer.0.as_deref());
        let now = Timestamp::now();
        match self.ours.verify(token, now).await {
            Ok(claims) => {
                // Each one is issued bound: one without `cnf` is not of /oauth/token.
                if !claims.is_bound() {
                    return Err(TokenError::WrongCertificate.into());
                }
                claims.check_binding(shown, Binding::Strict)?;
                let actor = self.application(&claims.sub).ok_or(Refused::UnknownApplication)?;
                Ok(Caller { actor, by: "OAuth 2.0, mTLS", at: Timestamp::now() })
            }
            Err(TokenError::WrongIssuer | TokenError::UnknownKey) => self.professional(token, shown, now).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn professional(&self, token: &str, shown: Option<&Certificate>, now: Timestamp) -> Result<Caller, Refused> {
        let professional = self.professionals.verify(token, shown, now).await?;
        let actor = self.actor_of(&professional)?;
        Ok(Caller { actor, by: "OpenID Connect (Pro Santé Connect)", at: Timestamp::now() })
    }

    /// A professional acts in the situation that they have in our structure, or in the only one they have.
    pub(crate) fn actor_of(&self, professional: &Professional) -> Result<Actor, ActorError> {
        let here = professional.situations().into_iter().find(|one| one.structure.as_ref() == Some(&self.structure));
        professional.actor(here.as_ref().map(|situation| situation.key.as_str()))
    }

    /// The actor of a declared application.
    pub(crate) fn application(&self, id: &str) -> Option<Actor> {
        let application = self.applications.iter().find(|application| application.id == id)?;
        Some(Actor {
            id: ActorId::System(application.id.clone()),
            name: application.name.clone(),
            roles: Vec::new(),
            structure: Some(self.structure.clone()),
            environment: self.environment,
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        let temporary = match self {
            Self::Token(error) => error.is_temporary(),
            Self::ProSante(error) => error.is_temporary(),
            Self::NoToken | Self::UnknownApplication | Self::Situation(_) => false,
        };
        if temporary { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNAUTHORIZED }
    }

    /// What goes with the status: when to come back, or what is wrong with the token.
    pub(crate) fn header(&self) -> (&'static str, String) {
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            return ("retry-after", "5".to_owned());
        }
        ("www-authenticate", self.challenge())
    }

    /// RFC 6750 §3: without a token, no error is told.
    fn challenge(&self) -> String {
        match self {
            Self::NoToken => "Bearer realm=\"socle\"".to_owned(),
            other => {
                let description: String = other
                    .to_string()
                    .chars()
                    .filter(|c| c.is_ascii_graphic() || *c == ' ')
                    .filter(|c| *c != '"' && *c != '\\')
                    .collect();
                format!("Bearer realm=\"socle\", error=\"invalid_token\", error_description=\"{description}\"")
            }
        }
    }

    pub(crate) fn issue(&self) -> Issue {
        let code = match self {
            Self::Token(TokenError::Expired) => IssueType::Expired,
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => IssueType::Transient,
            _ => IssueType::Login,
        };
        if code == IssueType::Transient {
            return Issue::error(
                code,
                Rule::fixed("RFC 9110", "§15.6.4"),
                Text::fixed(
                    "Pro Santé Connect ne répond pas : le jeton n'a pas pu être vérifié",
                    "Pro Santé Connect does not answer: the token could not be checked",
                ),
                Text::fixed(
                    "renvoyez la même requête dans quelques secondes",
                    "send the same request again in a few seconds",
                ),
            );
        }
        let message = match self {
            Self::NoToken => Text::fixed("aucun jeton d'accès n'a été envoyé", "no access token was sent"),
            Self::UnknownApplication => Text::fixed(
                "l'application de ce jeton n'est pas déclarée ici",
                "the application of this token is not declared here",
            ),
            other => Text::new(format!("le jeton est refusé : {other}"), format!("the token is refused: {other}")),
        };
        let mend = Text::fixed(
            "demandez un jeton à Pro Santé Connect, ou à /oauth/token avec le certificat de l'application",
            "ask Pro Santé Connect for a token, or /oauth/token with the application's certificate",
        );
        Issue::error(code, Rule::fixed("RFC 6750", "§3.1"), message, mend)
    }
}
