//! Connections in `DynamoDB`.

use serde::{Deserialize, Serialize};

use super::{Connection, Upkeep};
use crate::{
    app::App,
    clock::{Timestamp, after},
    id::ConnectionId,
    journal::{Action, Actor, Entry},
    mail::{Mail, Recipient},
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
        match self.commit(transaction).await {
            Ok(()) => Ok(None),
            Err(CommitError::Store(error)) => Err(error),
            Err(CommitError::Refused(()) | CommitError::Contended) => {
                let fetch = self.get::<Fetch>(key).await?;
                // Cleaned away just now, or still being written: begun just now either way.
                Ok(Some(fetch.map_or(now, |fetch| fetch.value.begun_at)))
            }
        }
    }

    /// Commits what upkeep made of a connection: the connection, the event where what it trusts has changed, and the
    /// mails to its administrators.
    ///
    /// # Errors
    /// [`Changed`] when it is not what it was any more; else [`CommitError`].
    pub async fn keep_up(
        &self,
        app: &App,
        before: &Stored<Connection>,
        upkeep: &Upkeep,
        now: Timestamp,
    ) -> Result<(), CommitError<Changed>> {
        let (before, version) = (&before.value, before.version);
        let Upkeep { connection, messages } = upkeep;
        let mut transaction = Transaction::default();
        transaction.replace_connection(connection, version, Changed);
        if connection.identity_provider != before.identity_provider {
            let entry = Entry { parent: connection.parent, actor: Actor::System, at: now };
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
