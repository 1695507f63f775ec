use std::collections::HashMap;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::Lives;
use super::authorize::Authorization;
use crate::model::Persona;

/// Most entries of each kind: beyond, new ones are refused until old ones end.
const ENTRIES_MAX: usize = 20_000;

/// A session at the wallet: one professional, one browser.
#[derive(Debug, Clone)]
pub(in crate::twin) struct Login {
    pub(in crate::twin) persona: &'static Persona,
    pub(in crate::twin) sid: Uuid,
    pub(in crate::twin) began: Timestamp,
    used: Timestamp,
}

/// A code given and not yet over, used or not.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) request: Authorization,
    pub(super) sid: Uuid,
    pub(super) until: Timestamp,
    pub(super) used: bool,
    /// What the code led to, so that a second use ends it.
    pub(super) grant: Uuid,
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) grant: Uuid,
    pub(super) client_id: String,
    pub(super) sid: Uuid,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) jti: Uuid,
    pub(super) issued: Timestamp,
    pub(super) until: Timestamp,
    /// `x5t#S256` of the certificate it is bound to.
    pub(super) bound_to: Option<String>,
}

/// Everything that is alive. Secrets are keys of these maps by their digest only.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By digest of the cookie.
    logins: HashMap<Key, Login>,
    codes: HashMap<Key, Code>,
    access: HashMap<Key, Token>,
    refresh: HashMap<Key, Token>,
    /// ID tokens, for `id_token_hint`: the client they were given to.
    ids: HashMap<Key, Token>,
}

type Key = [u8; 32];

fn key(secret: &str) -> Key {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    key
}

/// Which kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Refresh,
    Id,
}

/// Too much is alive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl State {
    /// Drops what is over.
    pub(super) fn sweep(&mut self, lives: &Lives, now: Timestamp) {
        self.logins.retain(|_, login| login.is_alive(lives, now));
        let sids: std::collections::HashSet<Uuid> = self.logins.values().map(|login| login.sid).collect();
        let keep = |token: &Token| token.until > now && sids.contains(&token.sid);
        self.codes.retain(|_, code| code.until > now && sids.contains(&code.sid));
        self.access.retain(|_, token| keep(token));
        self.refresh.retain(|_, token| keep(token));
        self.ids.retain(|_, token| sids.contains(&token.sid));
    }

    pub(super) fn add_login(&mut self, cookie: &str, persona: &'static Persona, now: Timestamp) -> Result<Login, Full> {
        room(&self.logins)?;
        let login = Login { persona, sid: Uuid::new_v4(), began: now, used: now };
        self.logins.insert(key(cookie), login.clone());
        Ok(login)
    }

    /// The session of this cookie, while it is alive.
    pub(super) fn login(&self, cookie: &str, lives: &Lives, now: Timestamp) -> Option<Login> {
        self.logins.get(&key(cookie)).filter(|login| login.is_alive(lives, now)).cloned()
    }

    pub(super) fn login_of(&self, sid: Uuid, lives: &Lives, now: Timestamp) -> Option<&Login> {
        self.logins.values().find(|login| login.sid == sid && login.is_alive(lives, now))
    }

    pub(super) fn touch(&mut self, sid: Uuid, now: Timestamp) {
        if let Some(login) = self.logins.values_mut().find(|login| login.sid == sid) {
            login.used = now;
        }
    }

    pub(super) fn end_login(&mut self, cookie: &str) -> Option<Login> {
        let login = self.logins.remove(&key(cookie))?;
        self.codes.retain(|_, code| code.sid != login.sid);
        self.end_tokens(|token| token.sid == login.sid);
        Some(login)
    }

    pub(super) fn add_code(&mut self, secret: &str, code: Code) -> Result<(), Full> {
        room(&self.codes)?;
        self.codes.insert(key(secret), code);
        Ok(())
    }

    pub(super) fn code(&mut self, secret: &str) -> Option<&mut Code> {
        self.codes.get_mut(&key(secret))
    }

    pub(super) fn add_token(&mut self, kind: Kind, secret: &str, token: Token) -> Result<(), Full> {
        let tokens = self.tokens_mut(kind);
        room(tokens)?;
        tokens.insert(key(secret), token);
        Ok(())
    }

    pub(super) fn token(&self, kind: Kind, secret: &str) -> Option<&Token> {
        let tokens = match kind {
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
            Kind::Id => &self.ids,
        };
        tokens.get(&key(secret))
    }

    pub(super) fn end_grant(&mut self, grant: Uuid) {
        self.end_tokens(|token| token.grant == grant);
    }

    fn end_tokens(&mut self, ended: impl Fn(&Token) -> bool) {
        for kind in [Kind::Access, Kind::Refresh, Kind::Id] {
            self.tokens_mut(kind).retain(|_, token| !ended(token));
        }
    }

    fn tokens_mut(&mut self, kind: Kind) -> &mut HashMap<Key, Token> {
        match kind {
            Kind::Access => &mut self.access,
            Kind::Refresh => &mut self.refresh,
            Kind::Id => &mut self.ids,
        }
    }
}

fn room<T>(entries: &HashMap<Key, T>) -> Result<(), Full> {
    if entries.len() < ENTRIES_MAX { Ok(()) } else { Err(Full) }
}

impl Login {
    fn is_alive(&self, lives: &Lives, now: Timestamp) -> bool {
        now.duration_since(self.began) < lives.session && now.duration_since(self.used) < lives.idle
    }
}
