//! Logins under way in `DynamoDB`.

use super::Login;
use crate::{
    id::LoginId,
    table::{Key, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// A login, alive or not; see [`Login::belongs_to`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn login(&self, id: LoginId) -> Result<Option<Stored<Login>>, StoreError> {
        self.get(Key::Login(id)).await
    }
}

impl<E> Transaction<E> {
    /// A new login.
    pub fn begin_login(&mut self, login: &Login) {
        self.append_until(Key::Login(login.id), login, login.expires_at);
    }

    /// A login as it is from now on; `gone` when it was finished or went on elsewhere.
    pub fn replace_login(&mut self, login: &Login, version: u64, gone: E) {
        self.replace_until(Key::Login(login.id), login, login.expires_at, version, gone);
    }

    /// The end of a login; `gone` when it was finished or went on elsewhere.
    pub fn finish_login(&mut self, id: LoginId, version: u64, gone: E) {
        self.delete_version(Key::Login(id), version, gone);
    }
}
