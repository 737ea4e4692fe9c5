//! Operations in `DynamoDB`.

use super::{Carried, KEPT_HOURS, Operation};
use crate::{
    clock::{Timestamp, after},
    table::{Key, Store, StoreError, Transaction},
};

impl Store {
    /// What an operation was answered with, if it has been carried out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carried(&self, operation: &Operation) -> Result<Option<Carried>, StoreError> {
        Ok(self.get::<Carried>(Key::Operation(&operation.key)).await?.map(|stored| stored.value))
    }
}

impl<E> Transaction<E> {
    /// Marks an operation as carried out; `repeated` when it has been already.
    pub fn carry(&mut self, operation: &Operation, carried: &Carried, now: Timestamp, repeated: E) {
        self.create_until(Key::Operation(&operation.key), carried, after(now, KEPT_HOURS * 3600), repeated);
    }
}
