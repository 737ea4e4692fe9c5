//! The hand-off: what an application asked for, the code it gets, and the grant that a code is exchanged for
//! (RFC 6749, RFC 7636, RFC 9700; OpenID Connect Core 1.0).

mod store;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use url::Url;

pub use store::GrantError;

use crate::{
    account::{Address, Membership},
    clock::{Timestamp, after},
    id::{AccountId, ApplicationId, GrantId, OrganizationId, Random, Secret, SecretHash, sha256},
    session::Authentication,
    surface::SurfaceId,
};

/// Seconds in which a code can be exchanged.
pub const CODE_LIFETIME: i64 = 60;
/// Seconds an access token and an ID token are valid.
pub const ACCESS_LIFETIME: i64 = 600;
/// Seconds after which a grant can not be refreshed any more and the person signs in again.
pub const GRANT_LIFETIME: i64 = 30 * 24 * 3600;

/// What an application asked for at the authorization endpoint, checked against its registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The application.
    pub application: ApplicationId,
    /// Its surface.
    pub surface: SurfaceId,
    /// Where the answer goes; one of the registered ones.
    pub redirect_uri: String,
    /// The scopes that were asked for and are known, separated by spaces.
    pub scope: String,
    /// Given back with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Given back in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The S256 challenge (RFC 7636, section 4.2).
    pub code_challenge: String,
    /// The organization to sign in to, where the application knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Whether the person must sign in anew at the identity provider.
    #[serde(default)]
    pub force: bool,
}

impl AuthorizationRequest {
    /// The redirect that hands the application its code (RFC 6749, section 4.1.2, with `iss` of RFC 9207).
    #[must_use]
    pub fn answered_with(&self, code: &Secret, issuer: &str) -> String {
        self.answer(&[("code", code.reveal())], issuer)
    }

    /// The redirect that tells the application of an error (RFC 6749, section 4.1.2.1).
    #[must_use]
    pub fn refused_with(&self, error: &str, description: &str, issuer: &str) -> String {
        self.answer(&[("error", error), ("error_description", description)], issuer)
    }

    fn answer(&self, parameters: &[(&str, &str)], issuer: &str) -> String {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else { return self.redirect_uri.clone() };
        let mut query = url.query_pairs_mut();
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        drop(query);
        url.into()
    }

    /// Whether `verifier` is the one that the challenge was made of (RFC 7636, section 4.6).
    #[must_use]
    pub fn is_verified_by(&self, verifier: &str) -> bool {
        let sound = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        sound && Secret::presented(&challenge).hash() == Secret::presented(&self.code_challenge).hash()
    }
}

/// Who was let in where: what a code, and then a grant, stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The application.
    pub application: ApplicationId,
    /// The person.
    pub account: AccountId,
    /// The address by which the membership is found.
    pub email: Address,
    /// The organization.
    pub organization: OrganizationId,
    /// Its surface.
    pub surface: SurfaceId,
    /// The scopes granted, separated by spaces.
    pub scope: String,
    /// When the person authenticated.
    pub authenticated_at: Timestamp,
    /// By what means.
    pub methods: Vec<String>,
    /// When the person was let in.
    pub admitted_at: Timestamp,
}

impl Admission {
    /// The admission of an authenticated person to an organization, for what an application asked.
    #[must_use]
    pub fn new(
        request: &AuthorizationRequest,
        authentication: &Authentication,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Self {
        Self {
            application: request.application,
            account: authentication.account,
            email: authentication.email.clone(),
            organization,
            surface: request.surface.clone(),
            scope: request.scope.clone(),
            authenticated_at: authentication.at,
            methods: authentication.methods.clone(),
            admitted_at: now,
        }
    }

    /// Whether it still holds, given the person's membership as it is now. One that began later does not count: who
    /// was removed and came back signs in again.
    #[must_use]
    pub fn is_upheld_by(&self, membership: Option<&Membership>) -> bool {
        membership.is_some_and(|membership| {
            membership.account == self.account
                && membership.organization == self.organization
                && membership.since <= self.admitted_at
        })
    }
}

/// An authorization code as it is stored, under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What was asked for.
    pub request: AuthorizationRequest,
    /// What it stands for.
    pub admission: Admission,
    /// Until when it can be exchanged.
    pub valid_until: Timestamp,
    /// The grant it was exchanged for; kept as long as that can live, to tell reuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed: Option<GrantId>,
}

impl Code {
    /// A code for an admission.
    #[must_use]
    pub fn new(request: AuthorizationRequest, admission: Admission) -> Self {
        let valid_until = after(admission.admitted_at, CODE_LIFETIME);
        Self { request, admission, valid_until, redeemed: None }
    }

    /// How long its item is kept: as long as the grant it may be exchanged for.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        after(self.admission.admitted_at, CODE_LIFETIME + GRANT_LIFETIME)
    }
}

/// What an application holds after it exchanged its code: the right to tokens, until it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// What it stands for.
    pub admission: Admission,
    /// The hash of the one refresh token that is good; none where the application did not ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<SecretHash>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether it was ended before: by reuse of its code or of a refresh token.
    #[serde(default)]
    pub revoked: bool,
}

impl Grant {
    /// A grant for an admission, with its first refresh secret.
    #[must_use]
    pub fn new(admission: Admission, refresh: Option<&Secret>, now: Timestamp, random: &Random) -> Self {
        Self {
            id: random.id(),
            admission,
            refresh: refresh.map(Secret::hash),
            expires_at: after(now, GRANT_LIFETIME),
            revoked: false,
        }
    }

    /// Whether it lives at `now` and is upheld by the membership as it is now.
    #[must_use]
    pub fn holds(&self, membership: Option<&Membership>, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at && self.admission.is_upheld_by(membership)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            application: ApplicationId::from_bits(1),
            surface: serde_json::from_str("\"claudeai\"").unwrap(),
            redirect_uri: "https://app.example.com/cb?x=1".to_owned(),
            scope: "openid".to_owned(),
            state: Some("a b&c".to_owned()),
            nonce: None,
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            organization: None,
            force: false,
        }
    }

    #[test]
    fn the_challenge_of_the_rfc_is_verified() {
        // RFC 7636, appendix B.
        assert!(request().is_verified_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!request().is_verified_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!request().is_verified_by("short"));
    }

    #[test]
    fn answers_keep_the_query_and_escape_the_state() {
        assert_eq!(
            request().answered_with(&Secret::presented("C"), "https://id.example.com"),
            "https://app.example.com/cb?x=1&code=C&state=a+b%26c&iss=https%3A%2F%2Fid.example.com"
        );
    }
}
