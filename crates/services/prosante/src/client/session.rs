use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::model::Professional;
use crate::wire::TokenAnswer;

/// A login under way at the provider is over after this long, refreshed or not.
const SESSION_MAX: SignedDuration = SignedDuration::from_hours(4);
/// A token this close to its end is not used any more: the way to the service takes time.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// A professional who is logged in, with the tokens of the session: in memory, never stored.
#[derive(Clone)]
pub struct Session {
    professional: Professional,
    pub(super) subject: String,
    access_token: String,
    access_until: Timestamp,
    pub(super) refresh_token: Option<String>,
    refresh_until: Timestamp,
    pub(super) id_token: String,
    began: Timestamp,
}

impl Session {
    pub(super) fn new(
        professional: Professional,
        subject: String,
        tokens: TokenAnswer,
        id_token: String,
        now: Timestamp,
    ) -> Self {
        Self {
            professional,
            subject,
            access_until: after(now, tokens.expires_in),
            refresh_until: after(now, tokens.refresh_expires_in),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            id_token,
            began: now,
        }
    }

    /// The same login with new tokens.
    pub(super) fn renewed(&self, tokens: TokenAnswer, now: Timestamp) -> Self {
        Self {
            access_until: after(now, tokens.expires_in),
            refresh_until: after(now, tokens.refresh_expires_in),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token.or_else(|| self.refresh_token.clone()),
            id_token: tokens.id_token.unwrap_or_else(|| self.id_token.clone()),
            ..self.clone()
        }
    }

    /// Who is logged in.
    #[must_use]
    pub const fn professional(&self) -> &Professional {
        &self.professional
    }

    /// The access token, while it is good; none when it is time to refresh.
    #[must_use]
    pub fn access_token(&self, now: Timestamp) -> Option<&str> {
        (now < before(self.access_until)).then_some(self.access_token.as_str())
    }

    /// Can it still be refreshed?
    #[must_use]
    pub fn is_refreshable(&self, now: Timestamp) -> bool {
        self.refresh_token.is_some() && now < self.refresh_until && !self.is_over(now)
    }

    /// Four hours after the login it is over, whatever the tokens say.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.began) >= SESSION_MAX
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("access_until", &self.access_until)
            .field("began", &self.began)
            .finish_non_exhaustive()
    }
}

/// Announced lives are those of a server: they are held to a day, so that a date is always one.
fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds.clamp(0, 86_400))).unwrap_or(now)
}

fn before(until: Timestamp) -> Timestamp {
    until.checked_sub(MARGIN).unwrap_or(until)
}

#[cfg(test)]
mod tests {
    use socle_identity::Environment;

    use super::*;
    use crate::model::persona;
    use crate::wire::user_info;

    fn session(expires_in: i64, refresh_expires_in: i64, now: Timestamp) -> Session {
        let user = serde_json::from_value(user_info(persona("marie-martin").unwrap())).unwrap();
        let tokens = TokenAnswer {
            access_token: "SECRET-A".into(),
            expires_in,
            refresh_expires_in,
            refresh_token: Some("SECRET-R".into()),
            token_type: "Bearer".into(),
            id_token: None,
            not_before_policy: 0,
            session_state: String::new(),
            scope: String::new(),
        };
        Session::new(Professional::new(user, Environment::Jumeau), "s".into(), tokens, "SECRET-I".into(), now)
    }

    #[test]
    fn tokens_are_given_while_they_are_good_and_the_session_ends() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let at = |seconds: i64| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        let session = session(120, 1800, now);
        assert_eq!(session.access_token(at(109)), Some("SECRET-A"));
        assert_eq!(session.access_token(at(110)), None);
        assert!(session.is_refreshable(at(1799)) && !session.is_refreshable(at(1800)));
        assert!(!session.is_over(at(4 * 3600 - 1)) && session.is_over(at(4 * 3600)));
        let long = self::session(i64::MAX, i64::MAX, now);
        assert!(long.is_refreshable(at(3600)) && !long.is_refreshable(at(4 * 3600)));
        assert_eq!(self::session(-5, 0, now).access_token(now), None);
    }

    #[test]
    fn nothing_shows_a_token() {
        assert!(!format!("{:?}", session(1, 1, Timestamp::UNIX_EPOCH)).contains("SECRET"));
    }
}
