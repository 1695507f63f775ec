//! The browser's side: the wallet page that chooses a professional, and logout. Plain http on loopback.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawForm, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::Markup;
use socle_finding::Lang;

use super::endpoints::logout_redirect;
use super::pages;
use super::provider::{Authorization, AuthorizeRefused, Login, Prompt, Provider};
use crate::model::persona;
use crate::wire::form::{self, Parameters};
use crate::wire::{PROTOCOL, REALM};

/// One name on every port of a host: cookies do not know ports.
const COOKIE: &str = "SOCLE_JUMEAU_PSC";

type Shared = State<Arc<Provider>>;

pub(super) fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/auth", get(authorize).post(choose))
        .route(&format!("{REALM}{PROTOCOL}/logout"), get(logout).post(logout_confirmed))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(provider)
}

async fn home(State(provider): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let lang = language(query.as_deref(), &headers);
    page(StatusCode::OK, pages::home(&provider, lang))
}

/// The authorization endpoint: the page, or straight back when a session is alive.
async fn authorize(State(provider): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let lang = language(Some(&query), &headers);
    let request = match provider.check_authorization(&query) {
        Ok(request) => request,
        Err(refused) => return refuse(refused, lang),
    };
    let login = cookie(&headers).and_then(|cookie| provider.login(cookie, provider.now()));
    match (login, request.prompt) {
        (Some(login), Prompt::Default | Prompt::None) => answer(&provider, &request, &login, None, lang),
        (None, Prompt::None) => back(&provider.refusal_url(&request, "login_required", "no session is alive")),
        (_, Prompt::Login) | (None, Prompt::Default) => page(StatusCode::OK, pages::login(&request, lang)),
    }
}

/// The form of the page: a professional was chosen, or the login was given up.
pub(super) async fn choose(State(provider): Shared, headers: HeaderMap, RawForm(body): RawForm) -> Response {
    let text = String::from_utf8_lossy(&body);
    let lang = language(Some(&text), &headers);
    let request = match provider.check_authorization(&text) {
        Ok(request) => request,
        Err(refused) => return refuse(refused, lang),
    };
    let Some(chosen) = request.parameters.get("professional") else {
        return back(&provider.refusal_url(&request, "access_denied", "the user gave up"));
    };
    let Some(persona) = persona(chosen) else {
        let reason = ("ce professionnel de test n'existe pas", "this test professional does not exist");
        return page(StatusCode::BAD_REQUEST, pages::refused(reason, lang));
    };
    match provider.log_in(persona, provider.now()) {
        Ok((cookie, login)) => answer(&provider, &request, &login, Some(&cookie), lang),
        Err(failure) => back(&provider.refusal_url(&request, failure.error, failure.description)),
    }
}

fn answer(provider: &Provider, request: &Authorization, login: &Login, cookie: Option<&str>, lang: Lang) -> Response {
    tracing::info!(persona = login.persona.id, client = request.client_id, "Pro Santé Connect twin logged in");
    let mut response = match provider.answer_url(request, login, provider.now()) {
        Ok(url) => back(&url),
        Err(failure) => return back(&provider.refusal_url(request, failure.error, failure.description)),
    };
    if let Some(cookie) = cookie {
        let value = format!("{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax");
        match value.parse() {
            Ok(value) => response.headers_mut().insert(header::SET_COOKIE, value),
            Err(_) => {
                return page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    pages::refused(("erreur interne", "internal error"), lang),
                );
            }
        };
    }
    response
}

/// RP-initiated logout. It is the browser's cookie that says which session ends: a server that calls
/// this ends nothing, as in reality. Without a hint of a living session the user is asked first.
async fn logout(State(provider): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let lang = language(Some(&query), &headers);
    let Ok(parameters) = form::read(&query) else { return malformed(lang) };
    let hinted = parameters.get("id_token_hint").is_some_and(|hint| provider.client_of_hint(hint).is_some());
    if hinted || cookie(&headers).is_none() {
        return end(&provider, &parameters, &headers, lang);
    }
    page(StatusCode::OK, pages::confirm_logout(&parameters, lang))
}

/// The user confirmed.
pub(super) async fn logout_confirmed(State(provider): Shared, headers: HeaderMap, RawForm(body): RawForm) -> Response {
    let text = String::from_utf8_lossy(&body);
    let lang = language(Some(&text), &headers);
    match form::read(&text) {
        Ok(parameters) => end(&provider, &parameters, &headers, lang),
        Err(_) => malformed(lang),
    }
}

fn end(provider: &Provider, parameters: &Parameters, headers: &HeaderMap, lang: Lang) -> Response {
    // The redirect is found first: the hint dies with the session.
    let redirect = logout_redirect(provider, parameters);
    if let Some(cookie) = cookie(headers) {
        provider.log_out(cookie);
    }
    let mut response = match redirect {
        Some(url) => back(&url),
        None if parameters.get("post_logout_redirect_uri").is_some() => {
            let reason = (
                "vous êtes déconnecté ; l'adresse de retour n'est pas enregistrée pour ce client",
                "you are logged out; the return address is not registered for this client",
            );
            page(StatusCode::BAD_REQUEST, pages::refused(reason, lang))
        }
        None => page(StatusCode::OK, pages::logged_out(lang)),
    };
    let gone = HeaderValue::from_static("SOCLE_JUMEAU_PSC=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

fn malformed(lang: Lang) -> Response {
    page(StatusCode::BAD_REQUEST, pages::refused(("la requête est mal formée", "the request is malformed"), lang))
}

fn refuse(refused: AuthorizeRefused, lang: Lang) -> Response {
    match refused {
        AuthorizeRefused::Page(fr, en) => page(StatusCode::BAD_REQUEST, pages::refused((fr, en), lang)),
        AuthorizeRefused::Back(url) => back(&url),
    }
}

fn back(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else { return StatusCode::BAD_REQUEST.into_response() };
    (StatusCode::FOUND, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
        .into_response()
}

fn page(status: StatusCode, markup: Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ];
    (status, headers, markup.into_string()).into_response()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE && !value.is_empty()).then_some(value)
    })
}

/// `ui_locales` (OpenID Connect Core §3.1.2.1) or `lang`, else the browser's language; French first.
fn language(parameters: Option<&str>, headers: &HeaderMap) -> Lang {
    let parameters = parameters.and_then(|text| form::read(text).ok()).unwrap_or_default();
    let asked = parameters.get("ui_locales").or_else(|| parameters.get("lang"));
    let browser = || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked.or_else(browser).map_or(Lang::Fr, Lang::of)
}
