//! Parents in `DynamoDB`.

use super::Parent;
use crate::{
    id::ParentId,
    table::{Key, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// A parent by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parent(&self, id: ParentId) -> Result<Option<Stored<Parent>>, StoreError> {
        self.get(Key::Parent(id)).await
    }
}

impl<E> Transaction<E> {
    /// A new parent.
    pub fn create_parent(&mut self, parent: &Parent) {
        self.append(Key::Parent(parent.id), parent);
    }

    /// A parent as it is from now on.
    pub fn replace_parent(&mut self, parent: &Parent, version: u64, changed: E) {
        self.replace(Key::Parent(parent.id), parent, version, changed);
    }
}
