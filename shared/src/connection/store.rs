//! Connections in `DynamoDB`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::{Connection, KeyInUse, SharingError, TrustedBy, Upkeep, sharing::companions};
use crate::{
    app::App,
    clock::{Timestamp, after},
    id::{ConnectionId, ParentId},
    journal::{Action, Actor, Entry},
    mail::{Mail, Recipient},
    saml::IdpMetadata,
    table::{CommitError, Key, Position, Queue, Store, StoreError, Stored, Transaction},
};

/// Somebody else changed the connection first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("somebody else changed the connection first")]
pub struct Changed;

/// That a connection's metadata is being fetched, or was a moment ago. While it counts, nobody else fetches it.
#[derive(Debug, Serialize, Deserialize)]
struct Fetch {
    begun_at: Timestamp,
}

impl Store {
    /// A connection by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Stored<Connection>>, StoreError> {
        self.get(Key::Connection(id)).await
    }

    /// Where connections are that are due at `now`, at most about `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_connections(&self, now: Timestamp, limit: u16) -> Result<Vec<Position>, StoreError> {
        self.due(Queue::Connections, now, limit).await
    }

    /// A connection by its position; `None` where there is none any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connection_at(&self, position: &Position) -> Result<Option<Stored<Connection>>, StoreError> {
        self.get_at(Queue::Connections, position).await
    }

    /// Begins to fetch a connection's metadata, for which nobody else does so within the next `quiet` seconds; or says
    /// when somebody else began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_fetch(
        &self,
        id: ConnectionId,
        quiet: i64,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let key = Key::MetadataFetch(id);
        let mut transaction = Transaction::default();
        transaction.create_again_until(key, &Fetch { begun_at: now }, after(now, quiet), now, ());
        if self.commit_unless_changed(transaction).await? {
            return Ok(None);
        }
        let fetch = self.get::<Fetch>(key).await?;
        // Cleaned away just now, or still being written: begun just now either way.
        Ok(Some(fetch.map_or(now, |fetch| fetch.value.begun_at)))
    }

    /// The keys of the identity providers that a connection trusts, before and after a change, with the customers that trust
    /// each of them now. It takes three round trips, whoever shares them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_in_use(
        &self,
        before: Option<&IdpMetadata>,
        after: &IdpMetadata,
    ) -> Result<Vec<KeyInUse>, StoreError> {
        let same_provider = before.is_none_or(|before| before.entity_id == after.entity_id);
        let before = before.map(IdpMetadata::key_hashes).unwrap_or_default();
        let after = after.key_hashes();
        let hashes: Vec<String> = before.union(&after).cloned().collect();
        let markers = hashes.iter().map(|hash| self.get::<TrustedBy>(Key::IdentityProviderKey(hash)));
        let markers = try_join_all(markers).await?;
        let named: BTreeSet<ParentId> =
            markers.iter().flatten().flat_map(|marker| marker.value.parents.iter().copied()).collect();
        let trusted = self.trusted_keys(named.into_iter().collect()).await?;
        let keys = hashes.into_iter().zip(markers).map(|(hash, marker)| {
            let named = marker.iter().flat_map(|marker| marker.value.parents.iter().copied());
            let trusts = |parent: &ParentId| trusted.get(parent).is_some_and(|keys| keys.contains(&hash));
            KeyInUse {
                parents: named.filter(trusts).collect(),
                version: marker.as_ref().map(|marker| marker.version),
                same_provider: same_provider || after.contains(&hash),
                hash,
            }
        });
        Ok(keys.collect())
    }

    /// The keys that the connections of these parents trust. First all parents, then all connections, so that it is two
    /// round trips whichever answers first.
    async fn trusted_keys(&self, named: Vec<ParentId>) -> Result<BTreeMap<ParentId, BTreeSet<String>>, StoreError> {
        let parents = try_join_all(named.into_iter().map(|parent| self.parent(parent))).await?;
        let connections = parents.into_iter().flatten().filter_map(|parent| parent.value.connection);
        let connections = try_join_all(connections.map(|id| self.connection(id))).await?.into_iter().flatten();
        let trusted = connections.map(|Stored { value, .. }| (value.parent, value.identity_provider.key_hashes()));
        Ok(trusted.collect())
    }

    /// Commits what upkeep made of a connection: the connection, the event where what it trusts has changed, with who
    /// trusts the `keys` of before and after, and the mails to its administrators.
    ///
    /// # Errors
    /// [`Changed`] when it is not what it was any more; else [`CommitError`].
    pub async fn keep_up(
        &self,
        app: &App,
        before: &Stored<Connection>,
        upkeep: &Upkeep,
        keys: &[KeyInUse],
        now: Timestamp,
    ) -> Result<(), CommitError<Changed>> {
        let (before, version) = (&before.value, before.version);
        let Upkeep { connection, messages } = upkeep;
        let mut transaction = Transaction::default();
        transaction.replace_connection(connection, version, Changed);
        if connection.identity_provider != before.identity_provider {
            // Whether it may follow to them was decided on the very versions of `keys`.
            let trusted = transaction.trust_keys(connection.parent, &connection.identity_provider, keys, true, Changed);
            trusted.map_err(|_| CommitError::Refused(Changed))?;
            let entry = Entry { trail: connection.parent.into(), actor: Actor::System, at: now };
            let (before, after) = (before.trusted(), connection.trusted());
            transaction.record(&entry.event(Action::ConnectionChanged, &connection.id, before, after, &app.random));
        }
        for message in messages {
            let to = Recipient::Administrators { parent: connection.parent };
            transaction.send(&Mail::new(to, message, &app.settings.sealing_key, now, &app.random));
        }
        self.commit(transaction).await
    }
}

impl<E> Transaction<E> {
    /// A parent's first connection.
    pub fn create_connection(&mut self, connection: &Connection) {
        self.append_due(Key::Connection(connection.id), connection, connection.due());
    }

    /// A connection as it is from now on.
    pub fn replace_connection(&mut self, connection: &Connection, version: u64, changed: E) {
        self.replace_due(Key::Connection(connection.id), connection, version, connection.due(), changed);
    }
}

impl<E: Clone> Transaction<E> {
    /// Notes that `parent` trusts the keys of `provider`, and none of the other `keys` any more; `changed` when somebody else
    /// came to trust or to drop one of them.
    ///
    /// # Errors
    /// [`SharingError`], unless `parent` trusts the key already, shares another one of this identity provider with the same
    /// customers, or `may_share`.
    pub fn trust_keys(
        &mut self,
        parent: ParentId,
        provider: &IdpMetadata,
        keys: &[KeyInUse],
        may_share: bool,
        changed: E,
    ) -> Result<(), SharingError> {
        let (trusted, known) = (provider.key_hashes(), companions(parent, keys));
        for key in keys {
            let joins = |other| may_share || known.contains(&other);
            let after = key.with(parent, trusted.contains(&key.hash), joins)?;
            let item = Key::IdentityProviderKey(&key.hash);
            match (key.version, after.parents.is_empty()) {
                (None, true) => {}
                (None, false) => self.create(item, &after, changed.clone()),
                (Some(version), true) => self.delete_version(item, version, changed.clone()),
                (Some(version), false) => self.replace(item, &after, version, changed.clone()),
            }
        }
        Ok(())
    }
}
