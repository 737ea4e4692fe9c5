//! Operations in `DynamoDB`.

use super::{Carried, Operation};
use crate::{
    clock::Timestamp,
    table::{Key, Store, StoreError, Transaction},
};

impl Store {
    /// What an operation was answered with, if it has been carried out and that still counts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carried(&self, operation: &Operation, now: Timestamp) -> Result<Option<Carried>, StoreError> {
        let stored = self.get::<Carried>(Key::Operation(&operation.key)).await?;
        Ok(stored.map(|stored| stored.value).filter(|carried| carried.counts(now)))
    }
}

impl<E> Transaction<E> {
    /// Marks an operation as carried out; `repeated` when it has been already.
    pub fn carry(&mut self, operation: &Operation, carried: &Carried, now: Timestamp, repeated: E) {
        self.create_again_until(Key::Operation(&operation.key), carried, carried.kept_until, now, repeated);
    }
}
