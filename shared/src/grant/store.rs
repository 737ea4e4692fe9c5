//! Codes and grants in `DynamoDB`.

use super::{Code, Grant};
use crate::{
    id::{GrantId, SecretHash},
    table::{Key, Store, StoreError, Stored, Transaction},
};

/// Why a code or a grant could not be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Another request changed it first: it was used twice at the same moment.
    #[error("it was used by another request at the same moment")]
    UsedTwice,
}

impl Store {
    /// A code, exchanged or not, valid or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn code(&self, code: &SecretHash) -> Result<Option<Stored<Code>>, StoreError> {
        self.get(Key::Code(code)).await
    }

    /// A grant, ended or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant(&self, id: GrantId) -> Result<Option<Stored<Grant>>, StoreError> {
        self.get(Key::Grant(id)).await
    }
}

impl<E> Transaction<E> {
    /// A new code.
    pub fn issue_code(&mut self, hash: &SecretHash, code: &Code) {
        self.append_until(Key::Code(hash), code, code.kept_until());
    }

    /// A code as it is from now on.
    pub fn replace_code(&mut self, hash: &SecretHash, code: &Code, version: u64, used: E) {
        self.replace_until(Key::Code(hash), code, code.kept_until(), version, used);
    }

    /// A new grant.
    pub fn create_grant(&mut self, grant: &Grant) {
        self.append_until(Key::Grant(grant.id), grant, grant.expires_at);
    }

    /// A grant as it is from now on.
    pub fn replace_grant(&mut self, grant: &Grant, version: u64, used: E) {
        self.replace_until(Key::Grant(grant.id), grant, grant.expires_at, version, used);
    }
}
