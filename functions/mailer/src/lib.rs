//! Sends the mails of the outbox.
//!
//! The stream of the journal wakes it when a mail is written, and a schedule each minute for those that were not sent
//! then. Both say only that there is something to do: what is due is asked of the outbox, and an attempt belongs to
//! whoever stores its beginning first. So it does not matter how often it is woken, or in which order.

mod letter;

use std::{collections::HashSet, sync::Arc};

use serde::Deserialize;
use tracing::{error, info, warn};
use vestibule::{
    account::Address,
    app::App,
    id::ParentId,
    mail::{Mail, Message, Recipient, Sender},
    table::{Position, StoreError, Stored},
};

pub use letter::letter;

/// Mails that one run takes in hand; the next run goes on.
const AT_ONCE: u16 = 80;
/// Administrators read at once.
const PAGE: u16 = 100;

/// What sends.
#[derive(Clone, Debug)]
pub struct Mailer {
    /// Settings, time and the tables.
    pub app: Arc<App>,
    /// The mail service.
    pub sender: Sender,
}

/// What wakes the function: records of a `DynamoDB` stream, or a schedule. Nothing of it is believed.
#[derive(Debug, Deserialize)]
pub struct Wake {}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Mails that the mail service took, or that were passed on to administrators.
    pub sent: usize,
    /// Attempts that failed.
    pub failed: usize,
}

/// What came of one mail.
enum Outcome {
    Sent,
    Failed,
    /// Somebody else has it, or it is not due any more.
    NotOurs,
}

impl Mailer {
    /// Sends what is due, until nothing is.
    ///
    /// # Errors
    /// [`StoreError`]; what was sent until then is marked, and the rest is still due.
    pub async fn handle(&self, _: Wake) -> Result<(), StoreError> {
        loop {
            let run = self.run().await?;
            if run.sent == 0 {
                return Ok(());
            }
            info!(sent = run.sent, failed = run.failed, "mails were sent");
        }
    }

    /// Sends what is due, at most about [`AT_ONCE`] mails.
    ///
    /// # Errors
    /// As [`Mailer::handle`].
    pub async fn run(&self) -> Result<Run, StoreError> {
        let mut run = Run::default();
        for position in self.app.store.due_mails(self.app.clock.now(), AT_ONCE).await? {
            match self.attempt(&position).await? {
                Outcome::Sent => run.sent += 1,
                Outcome::Failed => run.failed += 1,
                Outcome::NotOurs => {}
            }
        }
        Ok(run)
    }

    async fn attempt(&self, position: &Position) -> Result<Outcome, StoreError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let Some(Stored { value, version }) = app.store.mail_at(position).await? else { return Ok(Outcome::NotOurs) };
        let Some(mail) = value.begin_attempt(now) else { return Ok(Outcome::NotOurs) };
        if !app.store.save_mail(&mail, version).await? {
            return Ok(Outcome::NotOurs);
        }
        let version = version + 1;
        let id = mail.id;
        let Ok(message) = mail.message(&app.settings.sealing_key) else {
            error!(mail = %id, "a mail can not be opened and is given up");
            app.store.save_mail(&mail.failed(true, now), version).await?;
            return Ok(Outcome::Failed);
        };
        let to = mail.to.clone();
        let sent = match to {
            Recipient::Administrators { parent } => {
                self.pass_on(&mail, parent).await?;
                mail.sent(None, now)
            }
            Recipient::Address { email } => match self.send(&email, &message).await {
                Ok(message_id) => mail.sent(Some(message_id), now),
                Err(error) => {
                    let failed = mail.failed(error.for_good, now);
                    let given_up = failed.due().is_none();
                    warn!(mail = %id, kind = message.kind(), %error, given_up, "a mail was not sent");
                    // While another attempt is to come, the beginning of this one already says when.
                    if given_up {
                        app.store.save_mail(&failed, version).await?;
                    }
                    return Ok(Outcome::Failed);
                }
            },
        };
        // Where this is not stored, or somebody took it for lost meanwhile, it is sent twice rather than never.
        app.store.save_mail(&sent, version).await?;
        Ok(Outcome::Sent)
    }

    async fn send(&self, to: &Address, message: &Message) -> Result<String, vestibule::mail::SendError> {
        self.sender.send(to, &letter(message, &self.app.settings), message.kind()).await
    }

    /// Writes a mail for everybody who administers an organization of the parent.
    async fn pass_on(&self, mail: &Mail, parent: ParentId) -> Result<(), StoreError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        let mut told = HashSet::new();
        for organization in store.organizations(parent).await? {
            let mut after = None;
            loop {
                let page = store.administrators(organization.value.id, after.as_deref(), PAGE).await?;
                let new = page.items.into_iter().filter(|administrator| told.insert(administrator.account));
                let mails: Vec<Mail> = new
                    .map(|administrator| mail.for_administrator(administrator.account, administrator.email, now))
                    .collect();
                store.pass_on(&mails).await?;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        if told.is_empty() {
            warn!(mail = %mail.id, "there is no administrator to be told");
        }
        Ok(())
    }
}
