//! Connections in `DynamoDB`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;

use super::{Connection, KeyInUse, SharingError, TrustedBy, sharing::companions};
use crate::{
    id::{ConnectionId, ParentId},
    saml::IdpMetadata,
    table::{Key, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// A connection by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Stored<Connection>>, StoreError> {
        self.get(Key::Connection(id)).await
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
        let trusted = try_join_all(named.into_iter().map(|parent| self.trusted_keys(parent))).await?;
        let trusted: BTreeMap<ParentId, BTreeSet<String>> = trusted.into_iter().collect();
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

    /// A parent with the keys that its connection trusts.
    async fn trusted_keys(&self, parent: ParentId) -> Result<(ParentId, BTreeSet<String>), StoreError> {
        let connection = match self.parent(parent).await?.and_then(|parent| parent.value.connection) {
            Some(id) => self.connection(id).await?,
            None => None,
        };
        let keys = connection.map(|connection| connection.value.identity_provider.key_hashes());
        Ok((parent, keys.unwrap_or_default()))
    }
}

impl<E> Transaction<E> {
    /// A parent's first connection.
    pub fn create_connection(&mut self, connection: &Connection) {
        self.append(Key::Connection(connection.id), connection);
    }

    /// A connection as it is from now on.
    pub fn replace_connection(&mut self, connection: &Connection, version: u64, changed: E) {
        self.replace(Key::Connection(connection.id), connection, version, changed);
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
