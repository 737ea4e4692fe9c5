//! The audit trail in `DynamoDB`.

use super::Event;
use crate::{
    id::ParentId,
    table::{Key, Page, Range, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// A page of a parent's audit trail, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(
        &self,
        parent: ParentId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<Stored<Event>>, StoreError> {
        self.list(Range::Events(parent), after, limit).await
    }
}

impl<E> Transaction<E> {
    /// An entry of the audit trail.
    pub fn record(&mut self, event: &Event) {
        self.append(Key::Event(event.parent, event.at, event.id), event);
    }
}
