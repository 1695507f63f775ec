use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use socle_trust::Certificate;
use socle_trust::token::{SigningKeyError, x5t_s256};
use uuid::Uuid;

use super::Provider;
use super::authorize::Authorization;
use super::state::{Code, Full, Kind, Login, State, Token};
use crate::client::at_hash;
use crate::model::Persona;
use crate::twin::registry::{Proof, RegisteredClient};
use crate::wire::form::{Parameters, with_query};
use crate::wire::{ACR, TokenAnswer, other_ids, random, sub, user_info};

/// A refusal of the token endpoint and its sisters (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::twin) struct OauthFailure {
    pub(in crate::twin) status: StatusCode,
    pub(in crate::twin) error: &'static str,
    pub(in crate::twin) description: &'static str,
}

impl OauthFailure {
    pub(in crate::twin) const fn new(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description }
    }

    const fn server(description: &'static str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, error: "temporarily_unavailable", description }
    }
}

impl From<Full> for OauthFailure {
    fn from(_: Full) -> Self {
        Self::server("too many sessions at once")
    }
}

impl From<SigningKeyError> for OauthFailure {
    fn from(_: SigningKeyError) -> Self {
        Self::server("the token could not be signed")
    }
}

impl From<ring::error::Unspecified> for OauthFailure {
    fn from(_: ring::error::Unspecified) -> Self {
        Self::server("no randomness")
    }
}

/// A client that proved who it is, with the certificate of its connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::twin) struct Grant<'a> {
    pub(in crate::twin) client: &'a RegisteredClient,
    pub(in crate::twin) proof: Proof,
    pub(in crate::twin) certificate: Option<&'a Certificate>,
}

impl Grant<'_> {
    /// RFC 8705 §3: a token asked for with a certificate works with this certificate only.
    fn binding(&self) -> Option<String> {
        (self.proof == Proof::Certificate).then(|| self.certificate.map(x5t_s256)).flatten()
    }
}

/// What introspection knows of a token.
#[derive(Debug, Clone)]
pub(in crate::twin) enum TokenKnown {
    /// Not ours, over, or ended.
    Inactive,
    /// Alive, with its claims.
    Active(Value),
}

impl Provider {
    /// The session of this cookie.
    pub(in crate::twin) fn login(&self, cookie: &str, now: Timestamp) -> Option<Login> {
        self.state().login(cookie, &self.lives, now)
    }

    /// Somebody chose a persona: a new session, under a new cookie.
    pub(in crate::twin) fn log_in(
        &self,
        persona: &'static Persona,
        now: Timestamp,
    ) -> Result<(String, Login), OauthFailure> {
        let cookie = random()?;
        let mut state = self.state();
        state.sweep(&self.lives, now);
        let login = state.add_login(&cookie, persona, now)?;
        Ok((cookie, login))
    }

    /// Ends the session of this cookie with all its tokens.
    pub(in crate::twin) fn log_out(&self, cookie: &str) -> bool {
        self.state().end_login(cookie).is_some()
    }

    /// Where the browser goes back to with a one-time code.
    pub(in crate::twin) fn answer_url(
        &self,
        request: &Authorization,
        login: &Login,
        now: Timestamp,
    ) -> Result<String, OauthFailure> {
        let code = random()?;
        let entry = Code {
            request: request.clone(),
            sid: login.sid,
            until: after(now, self.lives.code),
            used: false,
            grant: Uuid::new_v4(),
        };
        let mut state = self.state();
        state.sweep(&self.lives, now);
        state.add_code(&code, entry)?;
        state.touch(login.sid, now);
        drop(state);
        Ok(with_query(
            &request.redirect_uri,
            &[
                ("code", Some(&code)),
                ("state", request.state.as_deref()),
                ("session_state", Some(&login.sid.to_string())),
                ("iss", Some(self.issuer())),
            ],
        ))
    }

    /// The token endpoint, once the client is known.
    pub(in crate::twin) fn grant(
        &self,
        grant: Grant<'_>,
        form: &Parameters,
        now: Timestamp,
    ) -> Result<TokenAnswer, OauthFailure> {
        match form.get("grant_type") {
            Some("authorization_code") => self.grant_code(grant, form, now),
            Some("refresh_token") => self.grant_refresh(grant, form, now),
            Some(_) => Err(OauthFailure::new("unsupported_grant_type", "authorization_code or refresh_token")),
            None => Err(OauthFailure::new("invalid_request", "grant_type is missing")),
        }
    }

    fn grant_code(&self, grant: Grant<'_>, form: &Parameters, now: Timestamp) -> Result<TokenAnswer, OauthFailure> {
        let secret = form.get("code").ok_or(OauthFailure::new("invalid_request", "code is missing"))?;
        let mut state = self.state();
        state.sweep(&self.lives, now);
        let code = use_code(&mut state, secret, now)?;
        check_code(&code, grant.client, form)?;
        let login = state.login_of(code.sid, &self.lives, now).cloned();
        let login = login.ok_or(OauthFailure::new("invalid_grant", "the session has ended"))?;
        let token = Token {
            grant: code.grant,
            client_id: grant.client.id.clone(),
            sid: code.sid,
            scope: code.request.scope,
            nonce: code.request.nonce,
            jti: Uuid::new_v4(),
            issued: now,
            until: now,
            bound_to: grant.binding(),
        };
        self.issue(&mut state, &token, &login, now)
    }

    fn grant_refresh(&self, grant: Grant<'_>, form: &Parameters, now: Timestamp) -> Result<TokenAnswer, OauthFailure> {
        let secret =
            form.get("refresh_token").ok_or(OauthFailure::new("invalid_request", "refresh_token is missing"))?;
        let mut state = self.state();
        state.sweep(&self.lives, now);
        let known = state.token(Kind::Refresh, secret).filter(|token| token.client_id == grant.client.id).cloned();
        let token = known.ok_or(OauthFailure::new("invalid_grant", "the refresh token is unknown or over"))?;
        let login = state.login_of(token.sid, &self.lives, now).cloned();
        let login = login.ok_or(OauthFailure::new("invalid_grant", "the session has ended"))?;
        self.issue(&mut state, &Token { bound_to: grant.binding(), ..token }, &login, now)
    }

    /// New access, refresh and ID tokens for what `token` stands for.
    fn issue(
        &self,
        state: &mut State,
        token: &Token,
        login: &Login,
        now: Timestamp,
    ) -> Result<TokenAnswer, OauthFailure> {
        state.touch(login.sid, now);
        let until = |life| after(now, life).min(after(login.began, self.lives.session));
        let renew = |life| Token { jti: Uuid::new_v4(), issued: now, until: until(life), ..token.clone() };
        let (access, refresh, id) = (renew(self.lives.access), renew(self.lives.refresh), renew(self.lives.access));
        let access_token = self.issuer.sign(&self.access_claims(&access, login), "JWT")?;
        let id_token = self.issuer.sign(&self.id_claims(&id, login, &access_token), "JWT")?;
        let refresh_token = random()?;
        let answer = TokenAnswer {
            expires_in: access.until.duration_since(now).as_secs(),
            refresh_expires_in: refresh.until.duration_since(now).as_secs(),
            token_type: "Bearer".to_owned(),
            not_before_policy: 0,
            session_state: login.sid.to_string(),
            scope: token.scope.clone(),
            access_token,
            refresh_token: Some(refresh_token),
            id_token: Some(id_token),
        };
        state.add_token(Kind::Access, &answer.access_token, access)?;
        for (kind, secret, token) in [(Kind::Refresh, &answer.refresh_token, refresh), (Kind::Id, &answer.id_token, id)]
        {
            if let Some(secret) = secret {
                state.add_token(kind, secret, token)?;
            }
        }
        Ok(answer)
    }

    /// Claims that access tokens, ID tokens and introspection share.
    fn common_claims(&self, token: &Token, login: &Login) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        set("exp", json!(token.until.as_second()));
        set("iat", json!(token.issued.as_second()));
        set("auth_time", json!(login.began.as_second()));
        set("jti", json!(token.jti.to_string()));
        set("iss", json!(self.issuer()));
        set("sub", json!(sub(login.persona)));
        set("azp", json!(token.client_id));
        set("session_state", json!(token.sid.to_string()));
        set("sid", json!(token.sid.to_string()));
        set("preferred_username", json!(login.persona.national_id));
        set("otherIds", other_ids(login.persona));
        if let Some(nonce) = &token.nonce {
            set("nonce", json!(nonce));
        }
        if !self.without_acr {
            set("acr", json!(ACR));
        }
        claims
    }

    fn access_claims(&self, token: &Token, login: &Login) -> Value {
        let mut claims = self.common_claims(token, login);
        claims.insert("typ".into(), json!("Bearer"));
        claims.insert("scope".into(), json!(token.scope));
        claims.insert("email_verified".into(), json!(false));
        claims.insert("SubjectNameID".into(), json!(login.persona.national_id));
        if let Some(thumbprint) = &token.bound_to {
            claims.insert("cnf".into(), json!({ "x5t#S256": thumbprint }));
        }
        Value::Object(claims)
    }

    fn id_claims(&self, token: &Token, login: &Login, access_token: &str) -> Value {
        let mut claims = self.common_claims(token, login);
        claims.insert("typ".into(), json!("ID"));
        claims.insert("aud".into(), json!(token.client_id));
        claims.insert("at_hash".into(), json!(at_hash(access_token)));
        claims.insert("SubjectNameID".into(), json!(login.persona.national_id));
        claims.insert("given_name".into(), json!(login.persona.given_name));
        claims.insert("family_name".into(), json!(login.persona.family_name));
        Value::Object(claims)
    }

    /// UserInfo for a living access token, shown over the connection it is bound to.
    pub(in crate::twin) fn user_info(
        &self,
        secret: &str,
        shown: Option<&Certificate>,
        now: Timestamp,
    ) -> Option<Value> {
        let state = self.state();
        let token = state.token(Kind::Access, secret).filter(|token| token.until > now)?;
        if token.bound_to.as_ref().is_some_and(|bound| shown.map(x5t_s256).as_ref() != Some(bound)) {
            return None;
        }
        state.login_of(token.sid, &self.lives, now).map(|login| user_info(login.persona))
    }

    /// RFC 7662, for access and refresh tokens; `SubjectNameID` for access tokens alone.
    pub(in crate::twin) fn introspect(&self, secret: &str, now: Timestamp) -> TokenKnown {
        let state = self.state();
        let found = [Kind::Access, Kind::Refresh].into_iter().find_map(|kind| Some((kind, state.token(kind, secret)?)));
        let Some((kind, token)) = found.filter(|(_, token)| token.until > now) else { return TokenKnown::Inactive };
        let Some(login) = state.login_of(token.sid, &self.lives, now) else { return TokenKnown::Inactive };
        let mut claims = self.common_claims(token, login);
        claims.insert("typ".into(), json!(if kind == Kind::Access { "Bearer" } else { "Refresh" }));
        claims.insert("scope".into(), json!(token.scope));
        claims.insert("email_verified".into(), json!(false));
        claims.insert("client_id".into(), json!(token.client_id));
        claims.insert("username".into(), json!(login.persona.national_id));
        claims.insert("active".into(), json!(true));
        if kind == Kind::Access {
            claims.insert("SubjectNameID".into(), json!(login.persona.national_id));
        }
        if let Some(thumbprint) = &token.bound_to {
            claims.insert("cnf".into(), json!({ "x5t#S256": thumbprint }));
        }
        TokenKnown::Active(Value::Object(claims))
    }

    /// RFC 7009: ends what the token was granted with. Another client's token is left alone.
    pub(in crate::twin) fn revoke(&self, client: &RegisteredClient, secret: &str) {
        let mut state = self.state();
        let found = [Kind::Access, Kind::Refresh].into_iter().find_map(|kind| state.token(kind, secret));
        if let Some(grant) = found.filter(|token| token.client_id == client.id).map(|token| token.grant) {
            state.end_grant(grant);
        }
    }

    /// The client that an ID token of a living session was given to, expired or not.
    pub(in crate::twin) fn client_of_hint(&self, id_token: &str) -> Option<&RegisteredClient> {
        let client_id = self.state().token(Kind::Id, id_token).map(|token| token.client_id.clone())?;
        self.client(&client_id)
    }
}

/// A code works once; its second use ends what the first one gave (RFC 6749 §4.1.2).
fn use_code(state: &mut State, secret: &str, now: Timestamp) -> Result<Code, OauthFailure> {
    let code = state.code(secret).filter(|code| code.until > now);
    let code = code.ok_or(OauthFailure::new("invalid_grant", "the code is unknown or over"))?;
    let known = code.clone();
    code.used = true;
    if known.used {
        state.end_grant(known.grant);
        return Err(OauthFailure::new("invalid_grant", "the code was used before"));
    }
    Ok(known)
}

/// A code is for the client, the address and the proof key of its request.
fn check_code(code: &Code, client: &RegisteredClient, form: &Parameters) -> Result<(), OauthFailure> {
    if code.request.client_id != client.id {
        return Err(OauthFailure::new("invalid_grant", "the code is another client's"));
    }
    if form.get("redirect_uri") != Some(code.request.redirect_uri.as_str()) {
        return Err(OauthFailure::new("invalid_grant", "redirect_uri is not that of the request"));
    }
    match (&code.request.challenge, form.get("code_verifier")) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), _) => Err(OauthFailure::new("invalid_grant", "PKCE: code_verifier is missing or wrong")),
        (None, Some(_)) => Err(OauthFailure::new("invalid_grant", "PKCE: the request had no code_challenge")),
    }
}

fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life).unwrap_or(now)
}
