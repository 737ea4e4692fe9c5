//! What of a connection an administrator is to see to, as it is shown beside it.

use serde::Serialize;

use super::{Connection, WARNING_DAYS};
use crate::clock::{Timestamp, after};

/// What is to be seen to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The kind.
    pub warning: WarningKind,
    /// In words.
    pub detail: String,
}

/// The kinds of [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The last certificate expires within the next 30 days.
    CertificatesExpire,
    /// The last certificate has expired.
    CertificatesExpired,
    /// The metadata could not be fetched or taken over.
    MetadataFails,
}

impl Connection {
    /// What an administrator is to see to at `now`.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        [self.expiry(now), self.failure()].into_iter().flatten().collect()
    }

    fn expiry(&self, now: Timestamp) -> Option<Warning> {
        let last = self.last_certificate()?;
        let (end, fingerprint) = (last.not_after(), last.fingerprint());
        let [first, ..] = WARNING_DAYS;
        if end < now {
            let detail = format!("The last certificate that is trusted, {fingerprint}, expired at {end}.");
            return Some(Warning { warning: WarningKind::CertificatesExpired, detail });
        }
        let detail = format!("The last certificate that is trusted, {fingerprint}, expires at {end}.");
        (end <= after(now, first * 86_400)).then_some(Warning { warning: WarningKind::CertificatesExpire, detail })
    }

    fn failure(&self) -> Option<Warning> {
        let refresh = self.refresh.as_ref()?;
        let failing = refresh.failing.as_ref()?;
        let detail = format!(
            "The metadata has not been taken over from its address since {}: {}. What was known before stays trusted.",
            failing.since, failing.failure
        );
        Some(Warning { warning: WarningKind::MetadataFails, detail })
    }
}
