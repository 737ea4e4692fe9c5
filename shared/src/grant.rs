//! The hand-off: what an application asked for, the code it gets, and the grant that a code is exchanged for
//! (RFC 6749, RFC 7636, RFC 9700; OpenID Connect Core 1.0).
//!
//! A grant is what can be taken back: access and refresh tokens only point at it, and at every use it is read together
//! with the person's membership. ID tokens stand for themselves, for [`ACCESS_LIFETIME`].

mod request;
mod store;
mod token;

use serde::{Deserialize, Serialize};

pub use request::{AuthorizationRequest, OFFLINE_ACCESS, OPENID, PROFILE, SCOPES, answer, known_scopes};
pub use store::GrantError;
pub use token::{IdToken, RefreshToken, grant_of_access_token};

use request::has_scope;

use crate::{
    account::{Address, Membership},
    clock::{Timestamp, after},
    id::{AccountId, ApplicationId, GrantId, OrganizationId, Random, Secret, SecretHash},
    session::{Authentication, Promised},
    surface::SurfaceId,
};

/// Seconds in which a code can be exchanged.
pub const CODE_LIFETIME: i64 = 60;
/// Seconds an access token and an ID token are valid.
pub const ACCESS_LIFETIME: i64 = 600;
/// Seconds after which a grant can not be refreshed any more and the person signs in again.
pub const GRANT_LIFETIME: i64 = 30 * 24 * 3600;

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
            authenticated_at: authentication.proven_at,
            methods: authentication.methods.clone(),
            admitted_at: now,
        }
    }

    /// Whether `scope` was granted.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        has_scope(&self.scope, scope)
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
    /// The browser's session that begins with the exchange, where the login was a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<Promised>,
}

impl Code {
    /// A code for an admission.
    #[must_use]
    pub fn new(request: AuthorizationRequest, admission: Admission, promised: Option<Promised>) -> Self {
        let valid_until = after(admission.admitted_at, CODE_LIFETIME);
        Self { request, admission, valid_until, redeemed: None, promised }
    }

    /// How long its item is kept: as long as the grant it may be exchanged for.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        after(self.admission.admitted_at, CODE_LIFETIME + GRANT_LIFETIME)
    }

    /// Exchanges the code: what it is from now on, and what it gives.
    ///
    /// # Errors
    /// [`GrantRefusal`]; after [`GrantRefusal::UsedBefore`] the grant it names is to be revoked.
    pub fn redeem(
        &self,
        presented: &Presented<'_>,
        membership: Option<&Membership>,
        now: Timestamp,
        random: &Random,
    ) -> Result<Redeemed, GrantRefusal> {
        // Not its application: refused before anything is revoked, so that nobody ends what is not theirs.
        if self.request.application != presented.application {
            return Err(GrantRefusal::OtherApplication);
        }
        if let Some(grant) = self.redeemed {
            return Err(GrantRefusal::UsedBefore(grant));
        }
        if now >= self.valid_until {
            return Err(GrantRefusal::Expired);
        }
        if self.request.redirect_uri != presented.redirect_uri {
            return Err(GrantRefusal::RedirectUri);
        }
        if !self.request.is_verified_by(presented.verifier) {
            return Err(GrantRefusal::Verifier);
        }
        if !self.request.may_be_about(self.admission.account) {
            return Err(GrantRefusal::OtherPerson);
        }
        if !self.admission.is_upheld_by(membership) {
            return Err(GrantRefusal::NotMember);
        }
        let refresh = self.admission.may(OFFLINE_ACCESS).then(|| random.secret());
        let grant = Grant::new(self.admission.clone(), refresh.as_ref(), now, random);
        let code = Self { redeemed: Some(grant.id), ..self.clone() };
        Ok(Redeemed { code, refresh: refresh.map(|secret| RefreshToken { grant: grant.id, secret }), grant })
    }
}

/// What an authenticated application presents together with a code.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The application.
    pub application: ApplicationId,
    /// The redirect URI of its authorization request (RFC 6749, section 4.1.3).
    pub redirect_uri: &'a str,
    /// The verifier of its challenge (RFC 7636, section 4.5).
    pub verifier: &'a str,
}

/// What an exchanged code gives.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The code as it is from now on.
    pub code: Code,
    /// The new grant.
    pub grant: Grant,
    /// Its first refresh token, if it has any.
    pub refresh: Option<RefreshToken>,
}

/// Why a code or a refresh token gives nothing: every one an `invalid_grant` (RFC 6749, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefusal {
    /// There is none like it.
    #[error("it is unknown")]
    Unknown,
    /// It is another application's.
    #[error("it was issued to another application")]
    OtherApplication,
    /// It was used before. The grant is to be revoked: one of the two who used it stole it.
    #[error("it was used before, so what it gave is revoked")]
    UsedBefore(GrantId),
    /// It is too old.
    #[error("it has expired")]
    Expired,
    /// Not the redirect URI that the code was sent to.
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUri,
    /// Not the verifier of the challenge.
    #[error("code_verifier does not match the code_challenge")]
    Verifier,
    /// The application asked for somebody else.
    #[error("another person signed in than the one of the id_token_hint")]
    OtherPerson,
    /// It was revoked.
    #[error("it has been revoked")]
    Revoked,
    /// The person is not a member any more, or left and came back.
    #[error("the person is no longer a member of the organization, or joined it anew, and has to sign in again")]
    NotMember,
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
    /// A grant for an admission, with its first refresh secret. Without one it lives as long as its access token.
    #[must_use]
    pub fn new(admission: Admission, refresh: Option<&Secret>, now: Timestamp, random: &Random) -> Self {
        Self {
            id: random.id(),
            admission,
            refresh: refresh.map(Secret::hash),
            expires_at: after(now, if refresh.is_some() { GRANT_LIFETIME } else { ACCESS_LIFETIME }),
            revoked: false,
        }
    }

    /// Whether it lives at `now` and is upheld by the membership as it is now.
    #[must_use]
    pub fn holds(&self, membership: Option<&Membership>, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at && self.admission.is_upheld_by(membership)
    }

    /// Refreshes the grant: what it is from now on, and the next refresh token.
    ///
    /// # Errors
    /// [`GrantRefusal`]; after [`GrantRefusal::UsedBefore`] the grant is to be revoked: its id is known from its refresh
    /// tokens only, so a secret that does not fit is an older one's (RFC 9700, section 4.14.2).
    pub fn refreshed(
        &self,
        presented: &RefreshToken,
        application: ApplicationId,
        membership: Option<&Membership>,
        now: Timestamp,
        random: &Random,
    ) -> Result<(Self, RefreshToken), GrantRefusal> {
        if self.admission.application != application {
            return Err(GrantRefusal::OtherApplication);
        }
        if self.revoked {
            return Err(GrantRefusal::Revoked);
        }
        if now >= self.expires_at {
            return Err(GrantRefusal::Expired);
        }
        match &self.refresh {
            None => return Err(GrantRefusal::Unknown),
            Some(hash) if *hash != presented.secret.hash() => return Err(GrantRefusal::UsedBefore(self.id)),
            Some(_) => {}
        }
        if !self.admission.is_upheld_by(membership) {
            return Err(GrantRefusal::NotMember);
        }
        let next = RefreshToken { grant: self.id, secret: random.secret() };
        Ok((Self { refresh: Some(next.secret.hash()), ..self.clone() }, next))
    }
}

#[cfg(test)]
mod tests;
