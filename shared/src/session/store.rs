//! Sessions in `DynamoDB`, by the hash of the cookie's secret.

use super::Session;
use crate::{
    clock::Timestamp,
    id::SecretHash,
    table::{Key, Store, StoreError, Transaction},
};

impl Store {
    /// A session that lives at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, cookie: &SecretHash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let stored = self.get::<Session>(Key::Session(cookie)).await?;
        Ok(stored.map(|stored| stored.value).filter(|session| session.serves(None, now)))
    }
}

impl<E> Transaction<E> {
    /// A new session.
    pub fn begin_session(&mut self, cookie: &SecretHash, session: &Session) {
        self.append_until(Key::Session(cookie), session, session.expires_at);
    }
}
