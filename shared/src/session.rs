//! Authentications, and the browser session that remembers one.
//!
//! A session is no access: every use reads the membership again, so that it ends with it.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    account::Address,
    clock::{Timestamp, after},
    id::{AccountId, ConnectionId, ParentId, Secret},
};

/// The session's cookie.
pub const COOKIE: &str = "vestibule-session";
/// Seconds a session lives.
pub const LIFETIME: i64 = 12 * 3600;

/// A person having proven who they are to one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The person.
    pub account: AccountId,
    /// The account's address at that time.
    pub email: Address,
    /// The connection whose identity provider said so.
    pub connection: ConnectionId,
    /// The connection's parent: the only one whose organizations it opens.
    pub parent: ParentId,
    /// When.
    pub at: Timestamp,
    /// By what means (OpenID Connect Core, section 2, `amr`).
    pub methods: Vec<String>,
}

/// A browser's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The authentication it remembers.
    pub authentication: Authentication,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session that begins with an authentication, and the secret for the browser's cookie.
    #[must_use]
    pub fn begin(authentication: Authentication) -> Self {
        let expires_at = after(authentication.at, LIFETIME);
        Self { authentication, expires_at }
    }

    /// Whether it lives at `now` and the authentication is at most `max_age` seconds old.
    #[must_use]
    pub fn serves(&self, max_age: Option<i64>, now: Timestamp) -> bool {
        let fresh = max_age.is_none_or(|seconds| now <= after(self.authentication.at, seconds));
        now < self.expires_at && fresh
    }
}

/// What a browser presents as its session, by the cookie's value.
#[must_use]
pub fn presented(cookie: Option<&str>) -> Option<Secret> {
    cookie.map(Secret::presented)
}
