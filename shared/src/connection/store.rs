//! Connections in `DynamoDB`.

use super::Connection;
use crate::{
    id::ConnectionId,
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
