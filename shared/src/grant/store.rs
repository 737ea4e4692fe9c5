//! Codes and grants in `DynamoDB`.

use super::{Code, Grant};
use crate::{
    id::{GrantId, SecretHash},
    table::{CommitError, Key, Store, StoreError, Stored, Transaction},
};

/// How often a revocation that met a change of the grant is tried.
const ATTEMPTS: u32 = 8;

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

    /// Ends a grant, whatever happens to it at the same moment. One that is gone or revoked already stays so.
    ///
    /// # Errors
    /// [`CommitError::Contended`] when it kept changing, [`CommitError::Store`].
    pub async fn revoke_grant(&self, id: GrantId) -> Result<(), CommitError<GrantError>> {
        for _ in 0..ATTEMPTS {
            let Some(Stored { value: grant, version }) = self.grant(id).await? else { return Ok(()) };
            if grant.revoked {
                return Ok(());
            }
            let mut transaction = Transaction::default();
            let revoked = Grant { revoked: true, refresh: None, ..grant };
            transaction.replace_grant(&revoked, version, GrantError::UsedTwice);
            match self.commit(transaction).await {
                Err(CommitError::Refused(GrantError::UsedTwice) | CommitError::Contended) => {}
                done => return done,
            }
        }
        Err(CommitError::Contended)
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
