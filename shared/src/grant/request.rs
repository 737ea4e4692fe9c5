//! What an application asks for, and the address of the answer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    id::{AccountId, ApplicationId, OrganizationId, Secret, sha256},
    surface::SurfaceId,
};

/// The scope without which a request is not one of OpenID Connect.
pub const OPENID: &str = "openid";
/// The scope that gives the name to show (OpenID Connect Core, section 5.4).
pub const PROFILE: &str = "profile";
/// The scope that gives refresh tokens (OpenID Connect Core, section 11). Nobody is asked for consent, since the
/// operator registered the application and the customer's administrators decide who its people are.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The scopes that mean something here. The address is in every ID token, whether `email` was asked for or not.
pub const SCOPES: [&str; 4] = [OPENID, "email", PROFILE, OFFLINE_ACCESS];

/// The known ones among the scopes that were asked for, in the order of [`SCOPES`]; the others are ignored
/// (OpenID Connect Core, section 3.1.2.1).
#[must_use]
pub fn known_scopes(asked: &str) -> String {
    let known: Vec<&str> = SCOPES.into_iter().filter(|scope| has_scope(asked, scope)).collect();
    known.join(" ")
}

pub(super) fn has_scope(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}

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
    /// The only person that the answer may be about: the subject of an `id_token_hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<AccountId>,
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
        answer(&self.redirect_uri, parameters, self.state.as_deref(), issuer)
    }

    /// Whether the answer may be about this person (OpenID Connect Core, section 3.1.2.2).
    #[must_use]
    pub fn may_be_about(&self, account: AccountId) -> bool {
        self.subject.is_none_or(|subject| subject == account)
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

/// The address of a registered redirect URI with `parameters`, the application's `state` and the issuer (RFC 9207), by
/// which it tells whose answer it is.
#[must_use]
pub fn answer(redirect_uri: &str, parameters: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let Ok(mut url) = Url::parse(redirect_uri) else { return redirect_uri.to_owned() };
    let mut query = url.query_pairs_mut();
    query.extend_pairs(parameters);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer);
    drop(query);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_every_kind_of_redirect_uri() {
        for (redirect_uri, answered) in [
            ("https://app.example.com", "https://app.example.com/?error=x&iss=i"),
            ("http://[::1]:4000/cb", "http://[::1]:4000/cb?error=x&iss=i"),
            ("com.example.app:/cb", "com.example.app:/cb?error=x&iss=i"),
            ("com.example.app:cb", "com.example.app:cb?error=x&iss=i"),
        ] {
            assert_eq!(answer(redirect_uri, &[("error", "x")], None, "i"), answered);
        }
    }
}
