//! The outbox in `DynamoDB`.

use super::Mail;
use crate::{
    clock::Timestamp,
    id::MailId,
    table::{Key, Position, Queue, Store, StoreError, Stored, Transaction},
};

/// Mails passed on to administrators in one transaction, which has at most 100 actions.
const PASSED_ON_AT_ONCE: usize = 50;

impl Store {
    /// Where mails are that are due at `now`, at most about `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_mails(&self, now: Timestamp, limit: u16) -> Result<Vec<Position>, StoreError> {
        self.due(Queue::Mails, now, limit).await
    }

    /// A mail by its position; `None` where it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_at(&self, position: &Position) -> Result<Option<Stored<Mail>>, StoreError> {
        self.get_at(Queue::Mails, position).await
    }

    /// A mail by its id; `None` where it is forgotten or never was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail(&self, id: MailId) -> Result<Option<Stored<Mail>>, StoreError> {
        self.get(Key::Mail(id)).await
    }

    /// Writes a mail as it is from now on over the version that was read; `false` when somebody else did before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_mail(&self, mail: &Mail, version: u64) -> Result<bool, StoreError> {
        let mut transaction = Transaction::default();
        match mail.expires_at() {
            None => transaction.replace_due(Key::Mail(mail.id), mail, version, mail.due(), ()),
            Some(expires) => transaction.replace_until(Key::Mail(mail.id), mail, expires, version, ()),
        }
        self.commit_unless_changed(transaction).await
    }

    /// Writes the mails that are not in the outbox yet. When somebody else writes the same ones at the same moment,
    /// [`StoreError::Unavailable`]: the next attempt finds them there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pass_on(&self, mails: &[Mail]) -> Result<(), StoreError> {
        for mails in mails.chunks(PASSED_ON_AT_ONCE) {
            let there = mails.iter().map(|mail| self.mail(mail.id));
            let there = futures_util::future::try_join_all(there).await?;
            let mut transaction = Transaction::default();
            let mut any = false;
            for (mail, _) in mails.iter().zip(there).filter(|(_, there)| there.is_none()) {
                any = true;
                transaction.create_due(Key::Mail(mail.id), mail, mail.due(), ());
            }
            if any && !self.commit_unless_changed(transaction).await? {
                return Err(StoreError::Unavailable("the mails are being written by somebody else".to_owned()));
            }
        }
        Ok(())
    }
}

impl<E> Transaction<E> {
    /// Puts a mail into the outbox.
    pub fn send(&mut self, mail: &Mail) {
        match mail.expires_at() {
            None => self.append_due(Key::Mail(mail.id), mail, mail.due()),
            Some(expires) => self.append_until(Key::Mail(mail.id), mail, expires),
        }
    }
}
