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
    clock::after,
    id::ParentId,
    mail::{Mail, Message, Recipient, SendError, Sender},
    table::{Position, StoreError, Stored},
};

pub use letter::letter;

/// Mails that one run takes in hand; the next run goes on.
const AT_ONCE: u16 = 80;
/// Seconds after which no further run begins; the platform ends the function after 120.
const LONGEST: i64 = 60;
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
    /// Attempts that failed; their mails are due again later.
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
    /// Sends what is due, run after run, until a run sends nothing or [`LONGEST`] has passed.
    ///
    /// # Errors
    /// As [`Mailer::run`].
    pub async fn handle(&self, _: Wake) -> Result<(), StoreError> {
        let end = after(self.app.clock.now(), LONGEST);
        while self.app.clock.now() < end {
            let run = self.run().await?;
            if run.sent == 0 {
                break;
            }
            info!(sent = run.sent, failed = run.failed, "mails were sent");
        }
        Ok(())
    }

    /// Sends what is due, at most about [`AT_ONCE`] mails. A mail that does not go does not hold up the others.
    ///
    /// # Errors
    /// [`StoreError`] of the first mail that could not be read or marked, once the others are sent. It is still due.
    pub async fn run(&self) -> Result<Run, StoreError> {
        let mut run = Run::default();
        let mut first = None;
        for position in self.app.store.due_mails(self.app.clock.now(), AT_ONCE).await? {
            match self.attempt(&position).await {
                Ok(Outcome::Sent) => run.sent += 1,
                Ok(Outcome::Failed) => run.failed += 1,
                Ok(Outcome::NotOurs) => {}
                Err(error) => {
                    error!(%error, "a mail can not be dealt with");
                    run.failed += 1;
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            // There is more to do, which the next run does.
            Some(error) if run.sent == 0 => Err(error),
            _ => Ok(run),
        }
    }

    async fn attempt(&self, position: &Position) -> Result<Outcome, StoreError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let Some(Stored { value, version }) = app.store.mail_at(position).await? else { return Ok(Outcome::NotOurs) };
        let Some(mail) = value.begin_attempt(now) else { return Ok(Outcome::NotOurs) };
        if !app.store.save_mail(&mail, version).await? {
            return Ok(Outcome::NotOurs);
        }
        if mail.due().is_none() {
            error!(mail = %mail.id, "a mail is given up");
            return Ok(Outcome::Failed);
        }
        let Ok(message) = mail.message(&app.settings.sealing_key) else {
            error!(mail = %mail.id, "a mail can not be opened; another release or another sealing key wrote it");
            return Ok(Outcome::Failed);
        };
        let to = mail.to.clone();
        let message_id = match to {
            Recipient::Administrators { parent } => {
                self.pass_on(&mail, parent).await?;
                None
            }
            Recipient::Address { email } => match self.send(&email, &message).await {
                Ok(message_id) => Some(message_id),
                Err(error) => {
                    warn!(mail = %mail.id, kind = message.kind(), %error, "a mail was not sent");
                    return Ok(Outcome::Failed);
                }
            },
        };
        // Where this is not stored, or somebody took it for lost meanwhile, it is sent twice rather than never.
        app.store.save_mail(&mail.sent(message_id, now), version + 1).await?;
        Ok(Outcome::Sent)
    }

    async fn send(&self, to: &Address, message: &Message) -> Result<String, SendError> {
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
