//! Metadata that is fetched: where, how that goes, and what an administrator is to see to.

use std::time::Duration;

use serde::Serialize;
use url::Url;
use utoipa::ToSchema;
use vestibule::{
    clock::Timestamp,
    connection::{self, Failing},
    saml::IdpMetadata,
    web::{Fetcher, MAX_URL_BYTES, Problem},
};

use crate::problems::METADATA_NOT_FETCHED;

/// How long the document may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Metadata that is fetched again and again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Refresh {
    /// Where the identity provider publishes it.
    #[schema(value_type = String, format = "uri", example = "https://login.example.com/metadata.xml")]
    url: Url,
    /// When it was last taken over, or found to say the same.
    #[schema(value_type = String, format = DateTime)]
    fetched_at: Timestamp,
    /// When it is to be fetched next.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// What is wrong, where the last fetch failed. What was trusted before stays trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<Failure>,
}

/// Fetches that fail, one after another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MetadataFailure)]
pub(crate) struct Failure {
    /// When the first of them failed.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When the last one failed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// How many there were.
    #[schema(example = 3)]
    times: u32,
    /// Why the last one failed.
    finding: Finding,
    /// Why, in words.
    detail: String,
}

/// Why metadata was not taken over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MetadataFinding)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finding {
    /// The address is not one that is asked.
    Address,
    /// It leads into an internal network.
    InternalAddress,
    /// Nothing answers there.
    Unreachable,
    /// It takes too long.
    TooSlow,
    /// It answers with something else than a document.
    Refused,
    /// The document is too large, or compressed.
    TooLarge,
    /// The document is not usable metadata.
    NotMetadata,
    /// The metadata is not to be used any more.
    Expired,
    /// The metadata is that of another identity provider.
    OtherEntity,
    /// The metadata names a certificate that another customer trusts.
    InUse,
}

/// What an administrator is to see to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionWarning)]
pub(crate) struct Warning {
    /// The kind.
    warning: WarningKind,
    /// In words.
    detail: String,
}

/// The kinds of warnings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionWarningKind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WarningKind {
    /// The last certificate expires within the next 30 days.
    CertificatesExpire,
    /// The last certificate has expired.
    CertificatesExpired,
    /// The metadata could not be fetched or taken over.
    MetadataFails,
}

/// An address as it was given.
///
/// # Errors
/// The [`Problem`] that it is none.
pub(crate) fn address(text: &str) -> Result<Url, Problem> {
    let invalid = |detail| Problem::invalid("/metadata_url", detail);
    if text.len() > MAX_URL_BYTES {
        return Err(invalid("An address has at most 2048 characters."));
    }
    let mut url = Url::parse(text).map_err(|_| invalid("This is not an address."))?;
    url.set_fragment(None);
    Ok(url)
}

/// The metadata at an address.
///
/// # Errors
/// The [`Problem`] that says why there is none.
pub(crate) async fn fetch(fetcher: &Fetcher, url: &Url, now: Timestamp) -> Result<IdpMetadata, Problem> {
    fetcher.metadata(url, WITHIN, now).await.map_err(|failure| {
        let mut problem = METADATA_NOT_FETCHED.says(&failure);
        problem.members.insert("pointer".to_owned(), "/metadata_url".into());
        problem.members.insert("finding".to_owned(), failure.finding.as_str().into());
        problem
    })
}

impl From<&connection::Refresh> for Refresh {
    fn from(refresh: &connection::Refresh) -> Self {
        let connection::Refresh { url, fetched_at, due_at, failing } = refresh;
        Self {
            url: url.clone(),
            fetched_at: *fetched_at,
            due_at: *due_at,
            failing: failing.as_ref().map(Failure::from),
        }
    }
}

impl From<&Failing> for Failure {
    fn from(failing: &Failing) -> Self {
        let Failing { since, at, times, failure, .. } = failing;
        Self { since: *since, at: *at, times: *times, finding: failure.finding.into(), detail: failure.detail.clone() }
    }
}

impl From<connection::Finding> for Finding {
    fn from(finding: connection::Finding) -> Self {
        match finding {
            connection::Finding::Address => Self::Address,
            connection::Finding::InternalAddress => Self::InternalAddress,
            connection::Finding::Unreachable => Self::Unreachable,
            connection::Finding::TooSlow => Self::TooSlow,
            connection::Finding::Refused => Self::Refused,
            connection::Finding::TooLarge => Self::TooLarge,
            connection::Finding::NotMetadata => Self::NotMetadata,
            connection::Finding::Expired => Self::Expired,
            connection::Finding::OtherEntity => Self::OtherEntity,
            connection::Finding::InUse => Self::InUse,
        }
    }
}

impl From<connection::Warning> for Warning {
    fn from(connection::Warning { warning, detail }: connection::Warning) -> Self {
        let warning = match warning {
            connection::WarningKind::CertificatesExpire => WarningKind::CertificatesExpire,
            connection::WarningKind::CertificatesExpired => WarningKind::CertificatesExpired,
            connection::WarningKind::MetadataFails => WarningKind::MetadataFails,
        };
        Self { warning, detail }
    }
}
