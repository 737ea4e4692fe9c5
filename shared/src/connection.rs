//! Connections: a parent's trust in one SAML identity provider, and how its keys keep themselves current.

mod expiry;
#[cfg(feature = "fetch")]
mod fetch;
mod name_id_format;
mod refresh;
mod sharing;
mod store;
#[cfg(test)]
mod tests;
mod upkeep;
mod warning;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

pub use expiry::{WARNING_DAYS, Warned};
#[cfg(feature = "fetch")]
pub use fetch::Refetched;
pub use name_id_format::{NameIdFormat, NameIdFormatError};
pub use refresh::{Failing, Failure, Finding, INTERVAL, PATIENCE, Refresh};
pub use sharing::{KeyInUse, MAX_SHARING, SharingError, TrustedBy, is_shared};
pub use store::Changed;
pub use upkeep::Upkeep;
pub use warning::{Warning, WarningKind};

use crate::{
    app::Settings,
    clock::Timestamp,
    id::{ApplicationId, ConnectionId, ParentId, Random},
    saml::{IdpMetadata, PinnedKey, Trust},
};

/// Characters of an attribute's name.
const MAX_ATTRIBUTE: usize = 255;

/// A connection. There is none without an identity provider and at least one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its identifier, in the addresses that the identity provider is given.
    pub id: ConnectionId,
    /// Whose it is.
    pub parent: ParentId,
    /// The identity provider, as its metadata describes it.
    pub identity_provider: IdpMetadata,
    /// What the customer chose.
    pub options: Options,
    /// Where and how its metadata is fetched; none where it was given as a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// What administrators have been told of its certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<Warned>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// What a customer can choose about its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The attribute that holds the e-mail address, where it is not one of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_attribute: Option<String>,
    /// Whether people sign in anew at the identity provider each time (`ForceAuthn`, SAML Core, section 3.4.1).
    pub force_authn: bool,
    /// Which identifier of a person our requests ask for.
    pub name_id_format: NameIdFormat,
    /// The application that people are sent to who begin at the identity provider. Where there is none, nobody begins
    /// there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_initiated_application: Option<ApplicationId>,
}

/// Why a connection is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The name of an attribute is empty, too long or holds control characters.
    #[error("the name of an attribute has 1 to 255 characters and no control characters")]
    AttributeName,
    /// The parent has no verified domain.
    #[error("single sign-on needs a verified domain: people are recognised by their addresses on it")]
    NoVerifiedDomain,
}

impl Options {
    /// Whether the options are usable.
    ///
    /// # Errors
    /// [`ConnectionError::AttributeName`].
    pub fn check(&self) -> Result<(), ConnectionError> {
        let sound = |name: &String| (1..=MAX_ATTRIBUTE).contains(&name.len()) && !name.chars().any(char::is_control);
        if self.email_attribute.as_ref().is_none_or(sound) { Ok(()) } else { Err(ConnectionError::AttributeName) }
    }
}

impl Connection {
    /// A parent's connection to the identity provider of this metadata: its first, or `present` changed.
    #[must_use]
    pub fn to_identity_provider(
        parent: ParentId,
        present: Option<&Self>,
        metadata: IdpMetadata,
        options: Options,
        now: Timestamp,
        random: &Random,
    ) -> Self {
        Self {
            id: present.map_or_else(|| random.id(), |present| present.id),
            parent,
            identity_provider: metadata,
            options,
            refresh: None,
            warned: present.and_then(|present| present.warned.clone()),
            created_at: present.map_or(now, |present| present.created_at),
            changed_at: now,
        }
    }

    /// The connection whose metadata was fetched at `url` just now, and will be again.
    #[must_use]
    pub fn published_at(self, url: Url, now: Timestamp, random: &Random) -> Self {
        Self { refresh: Some(Refresh::begin(url, now, random)), ..self }
    }

    /// Our entity id for this connection, which is where our metadata is (SAML Metadata, section 4.1.1).
    #[must_use]
    pub fn entity_id(&self, settings: &Settings) -> String {
        settings.url(&format!("/saml/{}/metadata", self.id))
    }

    /// Our assertion consumer service for this connection.
    #[must_use]
    pub fn acs_url(&self, settings: &Settings) -> String {
        settings.url(&format!("/saml/{}/acs", self.id))
    }

    /// What the connection trusts: all certificates of the metadata, so that a rollover refuses nobody.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust::new(&self.identity_provider.entity_id, self.identity_provider.certificates.clone())
    }

    /// Whom and which keys it trusts, as the audit trail shows it.
    fn trusted(&self) -> Value {
        let idp = &self.identity_provider;
        let certificate = |key: &PinnedKey| {
            json!({
                "fingerprint": key.fingerprint(),
                "key": key.kind().to_string(),
                "not_before": key.not_before(),
                "not_after": key.not_after(),
            })
        };
        json!({
            "identity_provider": {
                "entity_id": idp.entity_id,
                "sso_redirect": idp.sso_redirect,
                "sso_post": idp.sso_post,
                "wants_signed_requests": idp.wants_signed_requests,
                "valid_until": idp.valid_until,
            },
            "certificates": idp.certificates.iter().map(certificate).collect::<Vec<_>>(),
        })
    }
}
