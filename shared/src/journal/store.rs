//! The audit trail in `DynamoDB`.

use super::{Event, Trail};
use crate::table::{Key, Page, Range, Store, StoreError, Stored, Transaction};

impl Store {
    /// A page of an audit trail, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(
        &self,
        trail: impl Into<Trail>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<Stored<Event>>, StoreError> {
        self.list(Range::Events(trail.into()), after, limit).await
    }
}

impl<E> Transaction<E> {
    /// An entry of its audit trail.
    pub fn record(&mut self, event: &Event) {
        self.append(Key::Event(event.trail, event.at, event.id), event);
    }
}
