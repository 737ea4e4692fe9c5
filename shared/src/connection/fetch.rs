//! Fetching a connection's metadata again: by one process at a time, and storing what came of it.

use std::time::Duration;

use url::Url;

use super::{Changed, Connection, Failure, Finding, KeyInUse, sharing::may_follow};
use crate::{
    app::App,
    clock::Timestamp,
    saml::{IdpMetadata, MAX_METADATA_BYTES},
    table::{CommitError, StoreError, Stored},
    web::{FetchError, Fetcher, Wanted},
};

/// SAML Metadata, appendix A, and what servers of files say.
const MEDIA_TYPES: &str = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1";

/// What came of fetching a connection's metadata again.
#[derive(Clone, Debug)]
pub enum Refetched {
    /// The connection as it is now.
    Stored(Box<Stored<Connection>>),
    /// Another process fetches it, or has done so a moment ago.
    Elsewhere {
        /// When it began.
        since: Timestamp,
    },
}

impl Fetcher {
    /// The metadata at `url`, as it may be used at `now`.
    ///
    /// # Errors
    /// [`Failure`], in words for whoever named the address.
    pub async fn metadata(&self, url: &Url, within: Duration, now: Timestamp) -> Result<IdpMetadata, Failure> {
        let wanted = Wanted { accept: MEDIA_TYPES, max_bytes: MAX_METADATA_BYTES, within };
        let document = self.get(url, wanted).await?;
        let Ok(xml) = String::from_utf8(document) else {
            return Err(Failure::new(Finding::NotMetadata, &"this is not XML metadata in UTF-8"));
        };
        super::refresh::current(IdpMetadata::read(&xml)?, now)
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        let finding = match error {
            FetchError::NotHttps | FetchError::Address | FetchError::Port(_) => Finding::Address,
            FetchError::InternalAddress => Finding::InternalAddress,
            FetchError::UnknownHost | FetchError::Unreachable | FetchError::Insecure(_) => Finding::Unreachable,
            FetchError::TooSlow => Finding::TooSlow,
            FetchError::Answer | FetchError::Status(_) | FetchError::Redirects => Finding::Refused,
            FetchError::TooLarge(_) | FetchError::Compressed => Finding::TooLarge,
        };
        Self::new(finding, &error)
    }
}

impl App {
    /// Fetches a connection's metadata again, unless somebody has begun to within the last `quiet` seconds, and stores
    /// what came of it. Somebody who changed the connection meanwhile knows better: then the change stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refetch(
        &self,
        fetcher: &Fetcher,
        present: &Stored<Connection>,
        quiet: i64,
        within: Duration,
        now: Timestamp,
    ) -> Result<Refetched, StoreError> {
        let unchanged = || Refetched::Stored(Box::new(present.clone()));
        let Some(refresh) = &present.value.refresh else { return Ok(unchanged()) };
        if let Some(since) = self.store.begin_fetch(present.value.id, quiet, now).await? {
            return Ok(Refetched::Elsewhere { since });
        }
        let outcome = fetcher.metadata(&refresh.url, within, now).await;
        if let Err(failure) = &outcome {
            // The words can hold what the other side chose; the kind can not.
            tracing::warn!(connection = %present.value.id, finding = failure.finding.as_str(), "metadata was not fetched");
        }
        let (outcome, keys) = self.follow(&present.value, outcome).await?;
        let Some(upkeep) = present.value.upkeep(Some(outcome), now, &self.random) else { return Ok(unchanged()) };
        match self.store.keep_up(self, present, &upkeep, &keys, now).await {
            Ok(()) => {
                let stored = Stored { value: upkeep.connection, version: present.version.saturating_add(1) };
                Ok(Refetched::Stored(Box::new(stored)))
            }
            Err(CommitError::Store(error)) => Err(error),
            Err(CommitError::Refused(Changed) | CommitError::Contended) => {
                let stored = self.store.connection(present.value.id).await?;
                Ok(stored.map_or_else(unchanged, |stored| Refetched::Stored(Box::new(stored))))
            }
        }
    }

    /// What was fetched, if the connection may follow to its keys, and who trusts the keys of before and after.
    async fn follow(
        &self,
        present: &Connection,
        outcome: Result<IdpMetadata, Failure>,
    ) -> Result<(Result<IdpMetadata, Failure>, Vec<KeyInUse>), StoreError> {
        let metadata = match outcome {
            Ok(metadata)
                if metadata != present.identity_provider
                    && metadata.entity_id == present.identity_provider.entity_id =>
            {
                metadata
            }
            // The same, that of another identity provider, which is refused for that, or none.
            other => return Ok((other, Vec::new())),
        };
        let keys = self.store.keys_in_use(Some(&present.identity_provider), &metadata).await?;
        match may_follow(present.parent, &metadata, &keys) {
            Ok(()) => Ok((Ok(metadata), keys)),
            Err(error) => Ok((Err(Failure::new(Finding::InUse, &error)), keys)),
        }
    }
}
