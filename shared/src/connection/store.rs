//! Connections in `DynamoDB`.

use super::{Connection, KeyInUse, SharingError, TrustedBy};
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
    /// each of them now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_in_use(
        &self,
        before: Option<&IdpMetadata>,
        after: &IdpMetadata,
    ) -> Result<Vec<KeyInUse>, StoreError> {
        let before = before.map(IdpMetadata::key_hashes).unwrap_or_default();
        let mut keys = Vec::new();
        for hash in before.union(&after.key_hashes()) {
            let stored = self.get::<TrustedBy>(Key::IdentityProviderKey(hash)).await?;
            let mut parents = Vec::new();
            for parent in stored.iter().flat_map(|stored| &stored.value.parents) {
                if self.trusts(*parent, hash).await? {
                    parents.push(*parent);
                }
            }
            keys.push(KeyInUse { hash: hash.clone(), parents, version: stored.map(|stored| stored.version) });
        }
        Ok(keys)
    }

    async fn trusts(&self, parent: ParentId, key: &str) -> Result<bool, StoreError> {
        let Some(id) = self.parent(parent).await?.and_then(|parent| parent.value.connection) else { return Ok(false) };
        let connection = self.connection(id).await?;
        Ok(connection.is_some_and(|connection| connection.value.identity_provider.key_hashes().contains(key)))
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
    /// [`SharingError`], unless `parent` trusts the key already or `may_share`.
    pub fn trust_keys(
        &mut self,
        parent: ParentId,
        provider: &IdpMetadata,
        keys: &[KeyInUse],
        may_share: bool,
        changed: E,
    ) -> Result<(), SharingError> {
        let trusted = provider.key_hashes();
        for key in keys {
            let after = key.with(parent, trusted.contains(&key.hash), may_share)?;
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
