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
    session::Authentication,
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
            authenticated_at: authentication.at,
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
mod tests {
    use super::*;

    pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CALLBACK: &str = "https://app.example.com/cb?x=1";

    fn start() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    pub(super) fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            application: ApplicationId::from_bits(1),
            surface: serde_json::from_str("\"claudeai\"").unwrap(),
            redirect_uri: CALLBACK.to_owned(),
            scope: "openid offline_access".to_owned(),
            state: Some("a b&c".to_owned()),
            nonce: None,
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            organization: None,
            force: false,
            subject: None,
        }
    }

    fn admission(now: Timestamp) -> Admission {
        let authentication = Authentication {
            account: AccountId::from_bits(2),
            email: "ada@corp.example".parse().unwrap(),
            connection: crate::id::ConnectionId::from_bits(3),
            parent: crate::id::ParentId::from_bits(4),
            at: now,
            methods: Vec::new(),
        };
        Admission::new(&request(), &authentication, OrganizationId::from_bits(5), now)
    }

    fn membership(since: Timestamp) -> Membership {
        Membership {
            account: AccountId::from_bits(2),
            email: "ada@corp.example".parse().unwrap(),
            organization: OrganizationId::from_bits(5),
            role: serde_json::from_str("\"user\"").unwrap(),
            source: crate::account::Source::Manual,
            since,
        }
    }

    /// A grant that was given at `now`.
    pub(super) fn granted(now: Timestamp) -> Grant {
        redeem(|_, _| {}, now).unwrap().grant
    }

    /// Redeems a code of `start()` at `now`, after `change` to the code and to what is presented.
    fn redeem(change: impl FnOnce(&mut Code, &mut Presented<'_>), now: Timestamp) -> Result<Redeemed, GrantRefusal> {
        let mut code = Code::new(request(), admission(start()));
        let mut presented =
            Presented { application: code.request.application, redirect_uri: CALLBACK, verifier: VERIFIER };
        change(&mut code, &mut presented);
        code.redeem(&presented, Some(&membership(start())), now, &Random::default())
    }

    #[test]
    fn a_code_is_good_for_what_it_was_issued_for() {
        let Redeemed { code, grant, refresh } = redeem(|_, _| {}, after(start(), 59)).unwrap();
        assert_eq!(code.redeemed, Some(grant.id));
        assert_eq!(grant.expires_at, after(start(), 59 + GRANT_LIFETIME));
        assert_eq!(grant.refresh, refresh.map(|token| token.secret.hash()));

        let refused = |change: fn(&mut Code, &mut Presented<'_>)| redeem(change, start()).err();
        assert_eq!(redeem(|_, _| {}, after(start(), 60)).err(), Some(GrantRefusal::Expired));
        assert_eq!(
            refused(|_, presented| presented.application = ApplicationId::from_bits(9)),
            Some(GrantRefusal::OtherApplication)
        );
        assert_eq!(
            refused(|_, presented| presented.redirect_uri = "https://app.example.com/cb"),
            Some(GrantRefusal::RedirectUri)
        );
        assert_eq!(refused(|_, presented| presented.verifier = CALLBACK), Some(GrantRefusal::Verifier));
        assert_eq!(
            refused(|code, _| code.request.subject = Some(AccountId::from_bits(9))),
            Some(GrantRefusal::OtherPerson)
        );
        assert_eq!(refused(|code, _| code.admission.account = AccountId::from_bits(9)), Some(GrantRefusal::NotMember));
    }

    #[test]
    fn reuse_names_the_grant_but_not_to_another_application() {
        let grant = GrantId::from_bits(7);
        let used = |code: &mut Code| code.redeemed = Some(grant);
        assert_eq!(
            redeem(|code, _| used(code), after(start(), 3600)).err(),
            Some(GrantRefusal::UsedBefore(grant)),
            "even long after it expired"
        );
        let other = redeem(
            |code, presented| {
                used(code);
                presented.application = ApplicationId::from_bits(9);
            },
            start(),
        );
        assert_eq!(other.err(), Some(GrantRefusal::OtherApplication));
    }

    #[test]
    fn without_offline_access_a_grant_ends_with_its_access_token() {
        let Redeemed { grant, refresh, .. } =
            redeem(|code, _| code.admission.scope = OPENID.to_owned(), start()).unwrap();
        assert!(refresh.is_none());
        assert_eq!(grant.expires_at, after(start(), ACCESS_LIFETIME));
    }

    #[test]
    fn each_refresh_token_is_good_once() {
        let Redeemed { grant, refresh, .. } = redeem(|_, _| {}, start()).unwrap();
        let (first, application) = (refresh.unwrap(), grant.admission.application);
        let member = membership(start());
        let refreshed = |grant: &Grant, token: &RefreshToken, now| {
            grant.refreshed(token, application, Some(&member), now, &Random::default())
        };
        let (next, second) = refreshed(&grant, &first, after(start(), 86400)).unwrap();
        assert_eq!(next.expires_at, grant.expires_at, "it is not prolonged");
        assert_eq!(refreshed(&next, &first, start()).err(), Some(GrantRefusal::UsedBefore(grant.id)));
        assert!(refreshed(&next, &second, start()).is_ok());
        assert_eq!(refreshed(&next, &second, next.expires_at).err(), Some(GrantRefusal::Expired));
        let revoked = Grant { revoked: true, ..next.clone() };
        assert_eq!(refreshed(&revoked, &second, start()).err(), Some(GrantRefusal::Revoked));
        let other = next.refreshed(&second, ApplicationId::from_bits(9), Some(&member), start(), &Random::default());
        assert_eq!(other.err(), Some(GrantRefusal::OtherApplication));
    }

    #[test]
    fn who_left_or_came_back_signs_in_again() {
        let grant = granted(start());
        let member = |since| Some(membership(since));
        assert!(grant.holds(member(start()).as_ref(), start()));
        assert!(!grant.holds(None, start()));
        assert!(!grant.holds(member(after(start(), 1)).as_ref(), after(start(), 2)));
        assert!(!grant.holds(member(start()).as_ref(), grant.expires_at));
        assert!(!Grant { revoked: true, ..grant }.holds(member(start()).as_ref(), start()));
    }
}
