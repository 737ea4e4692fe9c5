//! Certificates that expire: administrators are told while there is time.
//!
//! What counts is the last one to expire of those that a connection trusts: as long as another one lasts, the identity
//! provider can go on with it.

use serde::{Deserialize, Serialize};

use super::Connection;
use crate::{
    clock::{Timestamp, after},
    saml::PinnedKey,
};

/// Days before the end of the last certificate at which administrators are told.
pub const WARNING_DAYS: [i64; 3] = [30, 7, 1];
const DAY: i64 = 86_400;

/// What administrators have been told of a connection's certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The last certificate to expire, by its fingerprint. With another one it all begins again.
    pub fingerprint: String,
    /// The least of [`WARNING_DAYS`] that was reached.
    pub days: i64,
}

impl Connection {
    /// The last certificate to expire. There is always one.
    #[must_use]
    pub fn last_certificate(&self) -> Option<&PinnedKey> {
        self.identity_provider.certificates.iter().max_by_key(|key| key.not_after())
    }

    /// What is to be told at `now` and was not: of several warnings that were missed, the last one.
    pub(super) fn warning(&self, now: Timestamp) -> Option<(&PinnedKey, Warned)> {
        let last = self.last_certificate()?;
        let reached = self.untold(last).filter(|days| moment(last, *days) <= now).min()?;
        Some((last, Warned { fingerprint: last.fingerprint(), days: reached }))
    }

    /// When the next warning is due, past or to come.
    pub(super) fn warning_at(&self) -> Option<Timestamp> {
        let last = self.last_certificate()?;
        self.untold(last).map(|days| moment(last, days)).min()
    }

    fn untold(&self, last: &PinnedKey) -> impl Iterator<Item = i64> {
        let told = self.warned.as_ref().filter(|warned| warned.fingerprint == last.fingerprint());
        let told = told.map_or(i64::MAX, |warned| warned.days);
        WARNING_DAYS.into_iter().filter(move |days| *days < told)
    }
}

fn moment(certificate: &PinnedKey, days: i64) -> Timestamp {
    after(certificate.not_after(), -days * DAY)
}
