//! Authentications, and the browser session that remembers one.
//!
//! A session is no access: every use reads the membership again, so that it ends with it.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    account::{Address, Person},
    clock::{Timestamp, after},
    grant::AuthorizationRequest,
    id::{AccountId, ConnectionId, OrganizationId, ParentId, Secret, SecretHash},
    organization::Organization,
    provisioning::{AtSignIn, at_sign_in},
    surface::Surface,
    table::Stored,
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
    /// When we believed it.
    pub at: Timestamp,
    /// When the person proved it to the identity provider, which can be long before: what `max_age` counts from.
    pub proven_at: Timestamp,
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
    /// A session that begins with an authentication, and ends with the identity provider's own at the latest.
    #[must_use]
    pub fn begin(authentication: Authentication, until: Option<Timestamp>) -> Self {
        let longest = after(authentication.at, LIFETIME);
        Self { authentication, expires_at: until.map_or(longest, |until| longest.min(until)) }
    }

    /// Whether it lives at `now` and the authentication is at most `max_age` seconds old.
    #[must_use]
    pub fn serves(&self, max_age: Option<i64>, now: Timestamp) -> bool {
        let fresh = max_age.is_none_or(|seconds| now <= after(self.authentication.proven_at, seconds));
        now < self.expires_at && fresh
    }

    /// The organizations that it lets the person into, for what an application on `surface` asked: among
    /// `organizations` of the session's own parent, those of which the person is a member now.
    ///
    /// None, where one of these memberships is younger than the session: who left and came back, or joined somewhere
    /// since, signs in again. Nobody joins by a session; that takes an assertion.
    #[must_use]
    pub fn opens(
        &self,
        request: &AuthorizationRequest,
        surface: &Surface,
        organizations: &[Stored<Organization>],
        person: &Person,
    ) -> Vec<OrganizationId> {
        let account = self.authentication.account;
        if person.account.as_ref().is_none_or(|stored| stored.value.id != account) || !request.may_be_about(account) {
            return Vec::new();
        }
        let mut open = Vec::new();
        for organization in organizations.iter().map(|stored| &stored.value) {
            let theirs = organization.parent == self.authentication.parent && organization.surface == surface.id;
            if !theirs || request.organization.is_some_and(|asked| asked != organization.id) {
                continue;
            }
            let membership = person.membership(organization.id).map(|stored| &stored.value);
            let Some(membership) = membership.filter(|membership| membership.account == account) else { continue };
            if at_sign_in(organization.provisioning, true, &surface.default_role) != AtSignIn::Keep {
                continue;
            }
            if membership.since > self.authentication.at {
                return Vec::new();
            }
            open.push(organization.id);
        }
        open
    }
}

/// A session to be: its cookie is in the browser, and it begins when an application redeems the code that it came with.
///
/// That proves that this very browser began the login. Otherwise, a link and a form that posts itself would leave
/// somebody in a session of another's making (RFC 6819, section 4.4.1.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// The hash of the cookie's secret.
    pub cookie: SecretHash,
    /// The session.
    pub session: Session,
}

impl Promised {
    /// The same, believed at `now`: what was joined until then is not younger than it.
    #[must_use]
    pub fn believed_at(mut self, now: Timestamp) -> Self {
        self.session.authentication.at = now;
        self
    }
}

/// What a browser presents as its session, by the cookie's value.
#[must_use]
pub fn presented(cookie: Option<&str>) -> Option<Secret> {
    cookie.map(Secret::presented)
}
