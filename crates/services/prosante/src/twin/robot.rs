//! A login without a browser, for `socle demo` and for tests: the form of the wallet page, over HTTP.

use http::{Request, StatusCode, header};
use socle_trust::https::{Body, HttpError, HttpsClient};

use crate::wire::form::{self, FormError};

/// Chooses a persona on the wallet page that `authorization_url` leads to, as a user would, and returns
/// the query that the browser would bring to the redirect URI (`code=…&state=…`, or `error=…`).
///
/// # Errors
/// [`RobotError`] when the wallet shows a page instead of going back.
pub async fn log_in_with_wallet(
    http: &HttpsClient,
    authorization_url: &str,
    persona: &str,
) -> Result<String, RobotError> {
    let (wallet, query) = authorization_url.split_once('?').ok_or(RobotError::Url)?;
    let parameters = form::read(query)?;
    let mut fields: Vec<(&str, Option<&str>)> = parameters.iter().map(|(name, value)| (name, Some(value))).collect();
    fields.push(("professional", Some(persona)));
    let request = Request::post(wallet)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form::write(&fields)))
        .map_err(|_| RobotError::Url)?;
    let response = http.send(request).await?;
    if response.status() != StatusCode::FOUND {
        return Err(RobotError::Page { status: response.status().as_u16() });
    }
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let (_, query) = location.and_then(|location| location.split_once('?')).ok_or(RobotError::Url)?;
    Ok(query.to_owned())
}

/// Why the robot did not come back with an answer.
#[derive(Debug, thiserror::Error)]
pub enum RobotError {
    /// Not a URL with a query.
    #[error("the wallet's address has no query")]
    Url,
    /// The query is no form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// No answer.
    #[error("wallet: {0}")]
    Http(#[from] HttpError),
    /// A page for people: the client, the redirect URI or the persona is unknown.
    #[error("the wallet shows a page (HTTP {status}) instead of going back: unknown client, redirect URI or persona")]
    Page {
        /// HTTP status.
        status: u16,
    },
}
