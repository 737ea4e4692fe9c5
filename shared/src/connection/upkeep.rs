//! What a connection needs from time to time so that nobody is refused for a key: its metadata fetched again, and its
//! administrators told before the last certificate expires or when the metadata can not be had for long.

use super::{Connection, Failure, refresh::PATIENCE};
use crate::{
    clock::{Timestamp, after},
    id::Random,
    mail::Message,
    saml::IdpMetadata,
    table::{Due, Queue},
};

/// What upkeep makes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// The connection from now on.
    pub connection: Connection,
    /// What its administrators are told.
    pub messages: Vec<Message>,
}

impl Connection {
    /// When it is to be looked after next: to fetch its metadata or to warn of its certificates.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        let fetch = self.refresh.as_ref().map(|refresh| refresh.due_at);
        let at = [fetch, self.warning_at()].into_iter().flatten().min()?;
        Some(Due { queue: Queue::Connections, at })
    }

    /// Whether its metadata is to be fetched at `now`.
    #[must_use]
    pub fn is_fetch_due(&self, now: Timestamp) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.due_at <= now)
    }

    /// What upkeep at `now` makes of it, with what a fetch of its metadata gave, if there was one. `None` where there is
    /// nothing to keep up.
    #[must_use]
    pub fn upkeep(
        &self,
        fetched: Option<Result<IdpMetadata, Failure>>,
        now: Timestamp,
        random: &Random,
    ) -> Option<Upkeep> {
        let mut connection = match (&self.refresh, fetched) {
            (Some(refresh), Some(fetched)) => self.refreshed(refresh, fetched, now, random),
            _ => self.clone(),
        };
        let mut messages = Vec::new();
        messages.extend(connection.tell_of_expiry(now));
        messages.extend(connection.tell_of_failing(now));
        (connection != *self).then_some(Upkeep { connection, messages })
    }

    fn tell_of_expiry(&mut self, now: Timestamp) -> Option<Message> {
        let (last, warned) = self.warning(now)?;
        let message = Message::CertificateExpires {
            identity_provider: self.identity_provider.entity_id.clone(),
            product: self.identity_provider.kind,
            fingerprint: warned.fingerprint.clone(),
            expires_at: last.not_after(),
            expired: last.not_after() < now,
            metadata: self.refresh.as_ref().map(|refresh| refresh.url.clone()),
        };
        self.warned = Some(warned);
        Some(message)
    }

    fn tell_of_failing(&mut self, now: Timestamp) -> Option<Message> {
        let expires_at = self.last_certificate()?.not_after();
        let refresh = self.refresh.as_mut()?;
        let failing =
            refresh.failing.as_mut().filter(|failing| !failing.told && after(failing.since, PATIENCE) <= now)?;
        failing.told = true;
        Some(Message::MetadataFails {
            identity_provider: self.identity_provider.entity_id.clone(),
            product: self.identity_provider.kind,
            metadata: refresh.url.clone(),
            since: failing.since,
            detail: failing.failure.detail.clone(),
            expires_at,
        })
    }
}
