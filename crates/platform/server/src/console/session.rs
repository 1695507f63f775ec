//! Who is logged in. A cookie holds a random name; what it names is in memory and ends with the session.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use jiff::Timestamp;
use socle_prosante::client::{PendingLogin, Session};
use socle_trust::Actor;
use uuid::Uuid;

pub(super) const SESSION: &str = "socle_session";
pub(super) const LOGIN: &str = "socle_login";

/// Logins and sessions at once; the oldest login is forgotten first.
const MAX: usize = 10_000;

/// A professional who is logged in.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) actor: Actor,
    pub(super) session: Session,
}

#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<String, Opened>>,
    waiting: Mutex<HashMap<String, PendingLogin>>,
}

impl Sessions {
    /// Keeps a login until the browser comes back; the cookie that will find it again.
    pub(super) fn wait(&self, pending: PendingLogin) -> String {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MAX {
            waiting.clear();
        }
        let name = random_name();
        waiting.insert(name.clone(), pending);
        set(LOGIN, &name)
    }

    pub(super) fn came_back(&self, name: &str) -> Option<PendingLogin> {
        lock(&self.waiting).remove(name)
    }

    pub(super) fn open(&self, opened: Opened) -> String {
        let mut open = lock(&self.open);
        let now = Timestamp::now();
        if open.len() >= MAX {
            open.retain(|_, opened| !opened.session.is_over(now));
        }
        let name = random_name();
        open.insert(name.clone(), opened);
        set(SESSION, &name)
    }

    pub(super) fn find(&self, name: &str, now: Timestamp) -> Option<Opened> {
        let mut open = lock(&self.open);
        if open.get(name)?.session.is_over(now) {
            open.remove(name);
            return None;
        }
        open.get(name).cloned()
    }

    pub(super) fn close(&self, name: &str) -> Option<Opened> {
        lock(&self.open).remove(name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 244 random bits of the system's generator.
fn random_name() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn set(cookie: &str, name: &str) -> String {
    format!("{cookie}={name}; Path=/; HttpOnly; SameSite=Lax")
}

pub(super) fn forgotten(cookie: &str) -> String {
    format!("{cookie}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let each = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    each.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
        for text in [set(SESSION, "x"), set(LOGIN, "x"), forgotten(SESSION)] {
            assert!(text.contains("; HttpOnly"), "{text}");
            assert!(text.contains("; SameSite=Lax"), "{text}");
            assert!(text.contains("; Path=/"), "{text}");
        }
        assert!(forgotten(SESSION).contains("Max-Age=0"));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; xsocle_session=no; socle_session=yes".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION), Some("yes"));
        assert_eq!(cookie(&headers, LOGIN), None);
    }

    #[test]
    fn a_name_that_was_never_given_opens_nothing() {
        let sessions = Sessions::default();
        for name in ["", "x", &random_name()] {
            assert!(sessions.find(name, Timestamp::now()).is_none());
            assert!(sessions.close(name).is_none());
            assert!(sessions.came_back(name).is_none());
        }
    }
}
