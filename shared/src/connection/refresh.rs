//! Metadata that is fetched where the identity provider publishes it: on a schedule, and once after a signature that no
//! trusted key made.
//!
//! What the metadata says now is what is trusted: a certificate that it adds counts at once, before it is used, and one
//! that it drops counts no more. Whatever goes wrong leaves everything as it was and is kept as a finding, and so does
//! metadata of another identity provider: a name that changes is another party, whom only a person can begin to trust.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Connection;
use crate::{
    clock::{Timestamp, after},
    id::Random,
    saml::{IdpMetadata, MetadataError},
};

/// Seconds from one fetch to the next, give or take a tenth, so that connections spread out by themselves.
pub const INTERVAL: i64 = 6 * 3600;
/// Seconds to the next fetch after one that failed; doubled with every further one, up to [`INTERVAL`].
const FIRST_RETRY: i64 = 15 * 60;
/// Seconds of failing after which administrators are told. Identity providers have bad days; keys outlast them.
pub const PATIENCE: i64 = 3 * 86_400;
/// Characters that are kept of a failure's words.
const MAX_DETAIL: usize = 300;

/// Metadata that is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// Where the identity provider publishes it.
    pub url: Url,
    /// When it was fetched and taken over, or found to say the same.
    pub fetched_at: Timestamp,
    /// When it is to be fetched next.
    pub due_at: Timestamp,
    /// What is wrong, where the last fetch failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
}

/// Fetches that fail, one after another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// When the first of them failed.
    pub since: Timestamp,
    /// When the last one failed.
    pub at: Timestamp,
    /// How many there were.
    pub times: u32,
    /// Why the last one failed.
    #[serde(flatten)]
    pub failure: Failure,
    /// Whether administrators have been told.
    pub told: bool,
}

/// Why metadata was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// The kind.
    pub finding: Finding,
    /// In words, for the administrator.
    pub detail: String,
}

/// What can be wrong with an address of metadata, or with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The address is not one that is asked: not https, too long, with credentials, or on an unusual port.
    Address,
    /// It leads into an internal network.
    InternalAddress,
    /// Nothing answers there, its name is not known, or there is no secure connection.
    Unreachable,
    /// It takes too long.
    TooSlow,
    /// It answers with something else than a document: an error, too many redirects, no HTTP.
    Refused,
    /// The document is too large, or compressed.
    TooLarge,
    /// The document is not the metadata of one identity provider that can be worked with.
    NotMetadata,
    /// The metadata says of itself that it is not to be used any more.
    Expired,
    /// The metadata is that of another identity provider.
    OtherEntity,
    /// The metadata names a certificate that another customer trusts.
    InUse,
}

impl Finding {
    /// As it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::InternalAddress => "internal_address",
            Self::Unreachable => "unreachable",
            Self::TooSlow => "too_slow",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::NotMetadata => "not_metadata",
            Self::Expired => "expired",
            Self::OtherEntity => "other_entity",
            Self::InUse => "in_use",
        }
    }
}

impl Failure {
    /// A failure of this kind, its words cut to what can be shown, and without a full stop: they end up in sentences.
    #[must_use]
    pub fn new(finding: Finding, detail: &impl ToString) -> Self {
        let detail = detail.to_string();
        let detail = detail.trim_end_matches('.').chars();
        Self { finding, detail: detail.filter(|c| !c.is_control()).take(MAX_DETAIL).collect() }
    }
}

impl From<MetadataError> for Failure {
    fn from(error: MetadataError) -> Self {
        match error {
            MetadataError::TooLarge => Self::new(Finding::TooLarge, &error),
            _ => Self::new(Finding::NotMetadata, &error),
        }
    }
}

impl Refresh {
    /// Metadata that was fetched at `url` just now.
    #[must_use]
    pub fn begin(url: Url, now: Timestamp, random: &Random) -> Self {
        Self { url, fetched_at: now, due_at: after(now, spread(INTERVAL, random)), failing: None }
    }

    /// When a fetch last came to its end, whichever.
    #[must_use]
    pub fn tried_at(&self) -> Timestamp {
        self.failing.as_ref().map_or(self.fetched_at, |failing| failing.at)
    }

    fn failed(&self, failure: Failure, now: Timestamp, random: &Random) -> Self {
        let failing = match &self.failing {
            Some(before) => Failing { at: now, times: before.times.saturating_add(1), failure, ..before.clone() },
            None => Failing { since: now, at: now, times: 1, failure, told: false },
        };
        let doublings = failing.times.saturating_sub(1).min(8);
        let pause = (FIRST_RETRY << doublings).min(INTERVAL);
        Self { due_at: after(now, spread(pause, random)), failing: Some(failing), ..self.clone() }
    }
}

/// `seconds`, give or take a tenth.
fn spread(seconds: i64, random: &Random) -> i64 {
    let tenths = i64::from(u16::from_be_bytes(random.bytes())) - 0x8000;
    seconds + seconds * tenths / 0x8_0000
}

impl Connection {
    /// What a fetch makes of a connection: the metadata is taken over, or the failure is noted and nothing else changes.
    pub(super) fn refreshed(
        &self,
        refresh: &Refresh,
        fetched: Result<IdpMetadata, Failure>,
        now: Timestamp,
        random: &Random,
    ) -> Self {
        match fetched.and_then(|metadata| self.checked(metadata, now)) {
            Ok(metadata) => Self {
                changed_at: if metadata == self.identity_provider { self.changed_at } else { now },
                identity_provider: metadata,
                refresh: Some(Refresh::begin(refresh.url.clone(), now, random)),
                ..self.clone()
            },
            Err(failure) => Self { refresh: Some(refresh.failed(failure, now, random)), ..self.clone() },
        }
    }

    fn checked(&self, metadata: IdpMetadata, now: Timestamp) -> Result<IdpMetadata, Failure> {
        let known = &self.identity_provider.entity_id;
        if metadata.entity_id != *known {
            let detail = format!(
                "the metadata is that of {}, another identity provider than the {known} that the connection is to",
                metadata.entity_id
            );
            return Err(Failure::new(Finding::OtherEntity, &detail));
        }
        current(metadata, now)
    }
}

/// Metadata that may still be used (SAML Metadata, sections 2.3.1 and 2.4.1: `validUntil`).
///
/// # Errors
/// [`Finding::Expired`].
pub(super) fn current(metadata: IdpMetadata, now: Timestamp) -> Result<IdpMetadata, Failure> {
    match metadata.valid_until {
        Some(until) if until <= now => {
            let detail = format!("the metadata was to be used until {until}; the identity provider has not renewed it");
            Err(Failure::new(Finding::Expired, &detail))
        }
        _ => Ok(metadata),
    }
}
