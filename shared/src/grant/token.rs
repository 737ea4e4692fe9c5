//! What an application is handed for a grant: access tokens, refresh tokens and ID tokens.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{ACCESS_LIFETIME, Admission, Grant};
use crate::{
    clock::{Timestamp, after},
    id::{AccountId, ApplicationId, GrantId, MalformedId, OrganizationId, Random, Secret, sha256},
    seal::SealingKey,
    surface::{Role, SurfaceId},
};

const ACCESS_TOKEN: &str = "access token";

impl Grant {
    /// An access token: the grant's id and the token's end, sealed. It is opaque to everybody else, and is worth what
    /// the grant is worth when it is used.
    #[must_use]
    pub fn access_token(&self, key: &SealingKey, now: Timestamp, random: &Random) -> String {
        let end = after(now, ACCESS_LIFETIME).as_second();
        let plain = [self.id.bits().to_be_bytes().as_slice(), &end.to_be_bytes()].concat();
        key.seal(ACCESS_TOKEN, &plain, random)
    }
}

/// The grant that an access token points at; `None` when it is none of ours or has ended.
#[must_use]
pub fn grant_of_access_token(token: &str, key: &SealingKey, now: Timestamp) -> Option<GrantId> {
    let plain = key.open(ACCESS_TOKEN, token).ok()?;
    let (id, end) = plain.split_first_chunk::<16>()?;
    let end = i64::from_be_bytes(end.try_into().ok()?);
    (now.as_second() < end).then(|| GrantId::from_bits(u128::from_be_bytes(*id)))
}

/// A refresh token: `<grant>.<secret>`, so that one read finds the grant it is of.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The grant.
    pub grant: GrantId,
    /// The secret, whose hash the grant keeps.
    pub secret: Secret,
}

impl RefreshToken {
    /// The text to hand out, once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.grant, self.secret.reveal())
    }
}

impl FromStr for RefreshToken {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let (grant, secret) = text.split_once('.').ok_or(MalformedId)?;
        Ok(Self { grant: grant.parse()?, secret: Secret::presented(secret) })
    }
}

/// The claims of an ID token (OpenID Connect Core, sections 2 and 5.1; spec section 4).
#[derive(Clone, Debug, Serialize)]
pub struct IdToken<'a> {
    iss: &'a str,
    sub: AccountId,
    aud: ApplicationId,
    exp: i64,
    iat: i64,
    auth_time: i64,
    amr: &'a [String],
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    email: String,
    email_verified: bool,
    organization: OrganizationId,
    surface: &'a SurfaceId,
    role: &'a Role,
}

impl<'a> IdToken<'a> {
    /// The ID token of an admission, with the role that the membership gives at `now`, beside an access token.
    ///
    /// `nonce` is the authorization request's; a refreshed ID token has none (OpenID Connect Core, section 12.2).
    #[must_use]
    pub fn new(
        issuer: &'a str,
        admission: &'a Admission,
        role: &'a Role,
        nonce: Option<&'a str>,
        access_token: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            iss: issuer,
            sub: admission.account,
            aud: admission.application,
            exp: after(now, ACCESS_LIFETIME).as_second(),
            iat: now.as_second(),
            auth_time: admission.authenticated_at.as_second(),
            amr: &admission.methods,
            at_hash: left_half(access_token),
            nonce,
            email: admission.email.to_string(),
            // An identity provider of the domain's own customer said so.
            email_verified: true,
            organization: admission.organization,
            surface: &admission.surface,
            role,
        }
    }
}

/// `at_hash`: the left half of the token's SHA-256 (OpenID Connect Core, section 3.1.3.6).
fn left_half(token: &str) -> String {
    let digest = sha256(token.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.split_at(digest.len() / 2).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::tests::granted;

    #[test]
    fn an_access_token_points_at_its_grant_until_it_ends() {
        let (key, random) = (SealingKey::new(&[1; 32]).unwrap(), Random::default());
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let grant = granted(now);
        let token = grant.access_token(&key, now, &random);
        assert_eq!(grant_of_access_token(&token, &key, after(now, 599)), Some(grant.id));
        assert_eq!(grant_of_access_token(&token, &key, after(now, 600)), None);
        assert_eq!(grant_of_access_token(&token, &SealingKey::new(&[2; 32]).unwrap(), now), None);
        let other = key.seal("another purpose", &[0; 24], &random);
        assert_eq!(grant_of_access_token(&other, &key, now), None);
        assert_eq!(grant_of_access_token(&key.seal(ACCESS_TOKEN, &[0; 23], &random), &key, now), None);
    }

    #[test]
    fn a_refresh_token_reads_back() {
        let random = Random::default();
        let token = RefreshToken { grant: random.id(), secret: random.secret() };
        let read: RefreshToken = token.reveal().parse().unwrap();
        assert_eq!((read.grant, read.secret.hash()), (token.grant, token.secret.hash()));
        for bad in ["", "x", "grt_1.x", "app_00000000000000000000000000000001.x"] {
            assert!(bad.parse::<RefreshToken>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_hash_of_the_access_token_is_as_in_the_standard() {
        // OpenID Connect Core, appendix A.3 and A.4.
        assert_eq!(left_half("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
