//! The console: what is under way, where each document stands, what is stuck and why.
//!
//! Pages are made here, on the server, with no script; everything is a link or a button, so a keyboard
//! and a screen reader go everywhere. Login is Pro Santé Connect's; the session is a random name in a
//! cookie, its tokens stay in memory. Order: settings, sessions, routes; the pages are in `pages`, the
//! look of a message in `message`; a document is shown by `socle-cda`.

mod layout;
mod message;
mod pages;
mod session;
mod words;

use axum::Router;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use socle_cda::{Document, show};
use socle_finding::Lang;
use socle_prosante::client::Client;
use socle_store::{Cursor, FlowFilter, FlowState, JobId, Page};
use socle_trust::Actor;
use uuid::Uuid;

use crate::Door;
use layout::{Frame, STYLE};
use session::{Opened, Sessions};

/// What the console needs.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// The relying party; none when Pro Santé Connect is not configured.
    pub client: std::sync::Arc<Client>,
    /// The name of the installation.
    pub title: String,
}

/// The console's state: who is logged in.
pub(crate) struct Console {
    settings: ConsoleSettings,
    sessions: Sessions,
}

impl Console {
    pub(crate) fn new(settings: ConsoleSettings) -> Self {
        Self { settings, sessions: Sessions::default() }
    }
}

pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/console") }))
        .route("/console", get(flows))
        .route("/console/flows/{id}", get(flow))
        .route("/console/flows/{id}/messages/{digest}", get(message))
        .route("/console/documents/{id}", get(document))
        .route("/console/jobs", get(jobs))
        .route("/console/jobs/{id}/retry", post(retry))
        .route("/console/login", get(login))
        .route("/login/callback", get(callback))
        .route("/console/logout", post(logout))
        .route("/logout/callback", get(|| async { Redirect::to("/console") }))
        .route("/console/lang/{lang}", get(lang))
        .route("/console/style.css", get(|| async { style(STYLE) }))
        .route("/console/document.css", get(|| async { style(show::STYLE) }))
}

fn style(text: &'static str) -> Response {
    ([("content-type", "text/css; charset=utf-8"), ("cache-control", "max-age=3600")], text).into_response()
}

#[derive(Deserialize)]
struct FlowsQuery {
    state: Option<String>,
    after: Option<u64>,
}

async fn flows(State(door): State<Door>, headers: HeaderMap, Query(query): Query<FlowsQuery>) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return welcome(&door, &headers) };
    let state = match query.state.as_deref() {
        Some("waiting") => Some(FlowState::Waiting),
        Some("done") => Some(FlowState::Done),
        Some("refused") => Some(FlowState::Refused),
        Some("failed") => Some(FlowState::Failed),
        _ => None,
    };
    let page = Page { limit: 50, after: query.after.map(Cursor::from_u64) };
    match door.gateway.flows(&actor, FlowFilter { state, ..FlowFilter::default() }, page).await {
        Ok(found) => page_of(pages::flows(&frame, &found, state, page.limit)),
        Err(stop) => stopped(&frame, &stop),
    }
}

async fn flow(State(door): State<Door>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return to_login() };
    let Ok(id) = id.parse::<Uuid>() else { return not_found(&frame) };
    match door.gateway.flow(&actor, id).await {
        Ok(Some(found)) => page_of(pages::flow(&frame, &found)),
        Ok(None) => not_found(&frame),
        Err(stop) => stopped(&frame, &stop),
    }
}

async fn message(
    State(door): State<Door>,
    headers: HeaderMap,
    Path((flow, digest)): Path<(String, String)>,
) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return to_login() };
    let (Ok(flow), Ok(digest)) = (flow.parse::<Uuid>(), digest.parse()) else { return not_found(&frame) };
    match door.gateway.message(&actor, flow, &digest).await {
        Ok(Some(bytes)) => page_of(pages::message(&frame, flow, &message::shown(&bytes))),
        Ok(None) => not_found(&frame),
        Err(stop) => stopped(&frame, &stop),
    }
}

/// The document itself, as people read it. The gateway traces the reading before it gives the bytes.
async fn document(State(door): State<Door>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return to_login() };
    let (media_type, bytes) = match door.gateway.read_document(&actor, &id).await {
        Ok(found) => found,
        Err(stop) => return stopped(&frame, &stop),
    };
    let shown = Document::parse(bytes).and_then(|document| show::fragment(&document, frame.lang));
    match shown {
        Ok(shown) => page_under(DOCUMENT_POLICY, pages::document(&frame, &shown)),
        Err(_) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, page_of(pages::not_shown(&frame, &id, &media_type))).into_response()
        }
    }
}

async fn jobs(State(door): State<Door>, headers: HeaderMap) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return to_login() };
    match door.gateway.jobs(&actor).await {
        Ok(found) => page_of(pages::jobs(&frame, &found)),
        Err(stop) => stopped(&frame, &stop),
    }
}

#[derive(Deserialize)]
struct Guarded {
    guard: String,
}

async fn retry(
    State(door): State<Door>,
    headers: HeaderMap,
    Path(id): Path<u64>,
    Form(form): Form<Guarded>,
) -> Response {
    let Some((actor, frame)) = visitor(&door, &headers) else { return to_login() };
    if !frame.guards(&form.guard) {
        return forged(&frame);
    }
    match door.gateway.retry(&actor, JobId(id)).await {
        Ok(_) => Redirect::to("/console/jobs").into_response(),
        Err(stop) => stopped(&frame, &stop),
    }
}

async fn login(State(door): State<Door>, headers: HeaderMap) -> Response {
    match door.console.settings.client.begin(Timestamp::now()).await {
        Ok((url, pending)) => {
            let cookie = door.console.sessions.wait(pending);
            go(&cookie, &url)
        }
        Err(error) => {
            tracing::warn!(%error, "the login could not begin");
            let frame = Frame::of_stranger(&door, &headers);
            (StatusCode::BAD_GATEWAY, page_of(pages::login_failed(&frame, &error.to_string()))).into_response()
        }
    }
}

async fn callback(State(door): State<Door>, headers: HeaderMap, request: Request) -> Response {
    let frame = Frame::of_stranger(&door, &headers);
    let now = Timestamp::now();
    let Some(pending) =
        session::cookie(&headers, session::LOGIN).and_then(|name| door.console.sessions.came_back(name))
    else {
        return (StatusCode::BAD_REQUEST, page_of(pages::login_failed(&frame, "login unknown or too old")))
            .into_response();
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let session = match door.console.settings.client.finish(pending, &query, now).await {
        Ok(session) => session,
        Err(error) => {
            return (StatusCode::FORBIDDEN, page_of(pages::login_failed(&frame, &error.to_string()))).into_response();
        }
    };
    match door.authenticator.actor_of(session.professional()) {
        Ok(actor) => {
            let cookie = door.console.sessions.open(Opened { actor, session });
            go(&cookie, "/console")
        }
        Err(error) => (StatusCode::FORBIDDEN, page_of(pages::login_failed(&frame, &error.to_string()))).into_response(),
    }
}

async fn logout(State(door): State<Door>, headers: HeaderMap, Form(form): Form<Guarded>) -> Response {
    let Some((_, frame)) = visitor(&door, &headers) else { return to_login() };
    if !frame.guards(&form.guard) {
        return forged(&frame);
    }
    let opened = session::cookie(&headers, session::SESSION).and_then(|name| door.console.sessions.close(name));
    let there = match opened {
        Some(opened) => door.console.settings.client.logout_url(&opened.session, "logout").await.ok().flatten(),
        None => None,
    };
    let cookie = session::forgotten(session::SESSION);
    go(&cookie, there.as_deref().unwrap_or("/console"))
}

async fn lang(headers: HeaderMap, Path(lang): Path<String>) -> Response {
    let lang = Lang::of(&lang);
    let cookie = format!("socle_lang={}; Path=/console; Max-Age=31536000; SameSite=Lax; HttpOnly", lang.tag());
    let back = headers.get("referer").and_then(|value| value.to_str().ok()).and_then(local_path).unwrap_or("/console");
    go(&cookie, back)
}

/// The path of one of our own pages, and nothing else: a redirect never leaves the console.
fn local_path(referer: &str) -> Option<&str> {
    let (_, rest) = referer.split_once("://")?;
    let path = &rest[rest.find('/')?..];
    path.starts_with("/console").then_some(path)
}

/// The visitor of a page, logged in.
fn visitor<'a>(door: &'a Door, headers: &HeaderMap) -> Option<(Actor, Frame<'a>)> {
    let name = session::cookie(headers, session::SESSION)?;
    let opened = door.console.sessions.find(name, Timestamp::now())?;
    let frame = Frame::of_visitor(door, headers, &opened.actor, name);
    Some((opened.actor, frame))
}

fn welcome(door: &Door, headers: &HeaderMap) -> Response {
    page_of(pages::welcome(&Frame::of_stranger(door, headers)))
}

fn to_login() -> Response {
    Redirect::to("/console").into_response()
}

fn not_found(frame: &Frame<'_>) -> Response {
    (StatusCode::NOT_FOUND, page_of(pages::not_found(frame))).into_response()
}

fn forged(frame: &Frame<'_>) -> Response {
    (StatusCode::FORBIDDEN, page_of(pages::forged(frame))).into_response()
}

fn stopped(frame: &Frame<'_>, stop: &socle_gateway::Stop) -> Response {
    let status = StatusCode::from_u16(stop.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, page_of(pages::stopped(frame, &stop.issues))).into_response()
}

/// Nothing is loaded from elsewhere, nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http: https:; frame-ancestors 'none'; base-uri 'none'";

/// The same, and the images and PDF that a document holds inside itself.
const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; object-src data:; form-action 'self' http: https:; frame-ancestors 'none'; base-uri 'none'";

fn page_of(page: maud::Markup) -> Response {
    page_under(POLICY, page)
}

/// A page is never kept by a browser, never framed, and runs nothing.
fn page_under(policy: &'static str, page: maud::Markup) -> Response {
    let headers = [
        ("cache-control", "no-store"),
        ("content-security-policy", policy),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
    ];
    (headers, Html(page.into_string())).into_response()
}

/// The language that a visitor chose, or their browser's.
fn language(headers: &HeaderMap, default: Lang) -> Lang {
    if let Some(chosen) = session::cookie(headers, "socle_lang") {
        return Lang::of(chosen);
    }
    let asked = headers.get("accept-language").and_then(|value| value.to_str().ok());
    asked.map_or(default, Lang::of)
}

/// Elsewhere, with a cookie.
fn go(cookie: &str, there: &str) -> Response {
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, there)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_chosen_or_the_browser_s() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect::<HeaderMap>()
        };
        assert_eq!(language(&headers(&[]), Lang::Fr), Lang::Fr);
        assert_eq!(language(&headers(&[("accept-language", "en-GB")]), Lang::Fr), Lang::En);
        assert_eq!(
            language(&headers(&[("accept-language", "en-GB"), ("cookie", "a=b; socle_lang=fr")]), Lang::En),
            Lang::Fr
        );
    }

    #[test]
    fn a_redirect_never_leaves_the_console() {
        assert_eq!(local_path("http://127.0.0.1:8080/console/jobs"), Some("/console/jobs"));
        assert_eq!(local_path("https://evil.example/x"), None);
        assert_eq!(local_path("//evil"), None);
    }
}
