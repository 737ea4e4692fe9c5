//! Logins: from an application's request, through the identity provider, to an admission.

mod attempt;
mod choice;
mod decision;
mod store;

use serde::{Deserialize, Serialize};

pub use attempt::{Attempt, AttemptOutcome, KEPT as ATTEMPT_KEPT};
pub use choice::ChoiceError;
pub use decision::{
    AccountChange, Arrival, Claim, Entrance, Facts, Joining, NewTie, Next, believe, decide, enter, name_id_hash,
};
pub use store::{Arrived, LoginError};

use crate::{
    clock::{Timestamp, after},
    grant::AuthorizationRequest,
    id::{ConnectionId, LoginId, OrganizationId, Random, Secret, SecretHash},
    session::{Authentication, Promised},
};

/// Seconds within which a person signs in, second factors and forgotten passwords included.
pub const LIFETIME: i64 = 30 * 60;

/// A login under way. Its id is the RelayState; the browser it belongs to holds a secret in a cookie of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its identifier.
    pub id: LoginId,
    /// The hash of the secret in the browser's cookie.
    pub browser: SecretHash,
    /// What the application asked for.
    pub request: AuthorizationRequest,
    /// How far it has come.
    pub progress: Progress,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// How far a login has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Progress {
    /// It is not known yet where the person signs in.
    Identifying,
    /// The person was sent to the identity provider.
    IdentityProvider {
        /// Through this connection.
        connection: ConnectionId,
        /// With this AuthnRequest.
        request_id: String,
    },
    /// The person is known, and chooses among several organizations.
    Choosing {
        /// Who it is.
        authentication: Authentication,
        /// What fits.
        organizations: Vec<OrganizationId>,
        /// Whether the choice may make the person a member: after an assertion, but not after a session alone.
        may_join: bool,
        /// The session that begins with the login, where it does not go on with one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promised: Option<Box<Promised>>,
    },
}

impl Login {
    /// A login that begins now, and the secret for its browser's cookie.
    #[must_use]
    pub fn begin(request: AuthorizationRequest, now: Timestamp, random: &Random) -> (Self, Secret) {
        let browser = random.secret();
        let login = Self {
            id: random.id(),
            browser: browser.hash(),
            request,
            progress: Progress::Identifying,
            expires_at: after(now, LIFETIME),
        };
        (login, browser)
    }

    /// When it began.
    #[must_use]
    pub fn begun_at(&self) -> Timestamp {
        after(self.expires_at, -LIFETIME)
    }

    /// Whether it still lives and `cookie` is its browser's.
    #[must_use]
    pub fn belongs_to(&self, cookie: Option<&str>, now: Timestamp) -> bool {
        now < self.expires_at && cookie.is_some_and(|secret| Secret::presented(secret).hash() == self.browser)
    }
}

/// The name of a login's cookie: one for each, so that logins in several tabs do not disturb one another.
#[must_use]
pub fn cookie_name(id: LoginId) -> String {
    format!("vestibule-login-{}", id.short())
}
