//! A mailbox that captures every mail the product sends. Nothing leaves the machine.

mod pages;
mod ses;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use vestibule::{
    clock::{Clock, Timestamp},
    mail::Sender,
};

pub(crate) use pages::router;

use crate::{
    StartError, aside,
    data::{Data, DataError},
    stop::Stop,
};

/// Mails kept; the oldest give way.
const MAX_MAILS: usize = 500;
/// Who the product's mails are from.
const FROM: &str = "Vestibule <identity@vendor.example>";
/// The folder in the data directory.
const FOLDER: &str = "mail";

/// The captured mails.
#[derive(Clone, Debug)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    data: Data,
    clock: Clock,
    mails: Mutex<BTreeMap<u64, Mail>>,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Counts the mails from 1.
    pub id: u64,
    /// When it was sent.
    pub at: Timestamp,
    /// From whom.
    pub from: String,
    /// To whom, hidden copies included.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text, or the whole message where it was sent raw.
    pub text: Option<String>,
    /// The same as HTML.
    pub html: Option<String>,
}

impl Mail {
    /// When it was sent, for people.
    #[must_use]
    pub fn when(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    /// The addresses in its text, which a frame that runs nothing would not follow.
    #[must_use]
    pub fn links(&self) -> Vec<&str> {
        let words = self.text.iter().flat_map(|text| text.split_whitespace());
        let words = words.map(|word| word.trim_matches(['<', '>', '(', ')', '"', ',', '.']));
        words.filter(|word| word.starts_with("https://") || word.starts_with("http://")).collect()
    }
}

/// A mail as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
}

impl Mailbox {
    /// Opens the mailbox and starts the endpoint that SES clients send to; gives its address.
    pub(crate) async fn start(
        data: &Data,
        clock: &Clock,
        stop: &Stop,
    ) -> Result<(Self, String, JoinHandle<()>), StartError> {
        let mut mails = BTreeMap::new();
        for name in data.names(FOLDER)? {
            let mail: Option<Mail> = data.read(&file(&name))?;
            mails.extend(mail.map(|mail| (mail.id, mail)));
        }
        let mailbox = Self(Arc::new(Inner { data: data.clone(), clock: clock.clone(), mails: Mutex::new(mails) }));
        let listener = aside::listen().await?;
        let url = format!("http://{}", listener.local_addr().map_err(StartError::Listen)?);
        let serving = axum::serve(listener, ses::router(mailbox.clone())).with_graceful_shutdown(stop.clone().asked());
        let task = tokio::spawn(async move {
            let _ = serving.await;
        });
        Ok((mailbox, url, task))
    }

    /// All mails, newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.lock().values().rev().cloned().collect()
    }

    /// One mail.
    #[must_use]
    pub fn mail(&self, id: u64) -> Option<Mail> {
        self.lock().get(&id).cloned()
    }

    /// Takes a mail in, and gives its id.
    pub(crate) fn capture(&self, mail: Outgoing) -> Result<u64, DataError> {
        let mut mails = self.lock();
        let id = mails.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        let Outgoing { from, to, subject, text, html } = mail;
        let mail = Mail { id, at: self.0.clock.now(), from, to, subject, text, html };
        self.0.data.write(&file(&id.to_string()), &mail)?;
        mails.insert(id, mail);
        while mails.len() > MAX_MAILS
            && let Some((oldest, _)) = mails.pop_first()
        {
            self.0.data.remove(&file(&oldest.to_string()))?;
        }
        Ok(id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Mail>> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the product sends by: a client of the endpoint at `url`.
pub(crate) fn sender(url: &str) -> Sender {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(url)
        .build();
    Sender::new(aws_sdk_sesv2::Client::from_conf(config), FROM, None)
}

fn file(name: &str) -> String {
    format!("{FOLDER}/{name}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way() {
        let inner = Inner { data: Data::memory(), clock: Clock::System, mails: Mutex::default() };
        let mailbox = Mailbox(Arc::new(inner));
        for _ in 0..=MAX_MAILS {
            mailbox.capture(Outgoing::default()).unwrap();
        }
        let ids: Vec<u64> = mailbox.mails().iter().map(|mail| mail.id).collect();
        assert_eq!((ids.len(), ids.first(), ids.last()), (MAX_MAILS, Some(&501), Some(&2)));
        assert_eq!((mailbox.mail(1), mailbox.mail(2).map(|mail| mail.id)), (None, Some(2)));
    }
}
