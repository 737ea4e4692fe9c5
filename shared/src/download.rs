//! Downloads: documents of any length, streamed from an address of their own.
//!
//! What goes through the ordinary routes is held whole before it is sent, and is 6 MB long at most. So these hand out a
//! link to where answers stream. The link is sealed, good for five minutes, and names what it is for and for whom; an
//! administrator's authority is read again when it is followed.

use serde::{Deserialize, Serialize};

use crate::{
    account::Address,
    app::App,
    clock::{Timestamp, after},
    domain_membership::Format,
    id::{AccountId, OrganizationId, ParentId},
    seal::SealingKey,
};

/// Seconds within which a download begins.
pub const LIFETIME: i64 = 5 * 60;
/// Where downloads are.
pub const PATH: &str = "/downloads";

const PURPOSE: &str = "download";

/// A document that somebody may download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Of this parent's domain memberships.
    pub parent: ParentId,
    /// In this format.
    pub format: Format,
    /// For whom.
    pub recipient: Recipient,
    /// Until when it can begin.
    pub expires_at: Timestamp,
}

/// Who may download something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Recipient {
    /// The operator, who presented a key.
    Operator,
    /// An administrator, as long as they are one.
    Administrator {
        /// The account.
        account: AccountId,
        /// Its address.
        email: Address,
        /// The organization by which they may.
        organization: OrganizationId,
    },
}

impl Download {
    /// A download that can begin from now on.
    #[must_use]
    pub fn new(parent: ParentId, format: Format, recipient: Recipient, now: Timestamp) -> Self {
        Self { parent, format, recipient, expires_at: after(now, LIFETIME) }
    }

    /// The address that gives it.
    #[must_use]
    pub fn url(&self, app: &App) -> String {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        let sealed = app.settings.sealing_key.seal(PURPOSE, &plain, &app.random);
        let base = app.settings.downloads_url.as_str().trim_end_matches('/');
        format!("{base}{PATH}/{sealed}")
    }

    /// The download that a link's last part stands for; none where we did not hand it out, or where it is over.
    #[must_use]
    pub fn open(sealed: &str, key: &SealingKey, now: Timestamp) -> Option<Self> {
        let plain = key.open(PURPOSE, sealed).ok()?;
        let download: Self = serde_json::from_slice(&plain).ok()?;
        (now < download.expires_at).then_some(download)
    }

    /// The name of the file that it makes.
    #[must_use]
    pub fn file_name(&self, now: Timestamp) -> String {
        format!("domain-memberships-{}.{}", now.strftime("%Y-%m-%d"), self.format.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Random;

    #[test]
    fn a_link_opens_for_five_minutes_and_only_ours() {
        let (key, random, now) = (SealingKey::new(&[1; 32]).unwrap(), Random::default(), Timestamp::UNIX_EPOCH);
        let download = Download::new(ParentId::from_bits(1), Format::Csv, Recipient::Operator, now);
        let sealed = key.seal(PURPOSE, &serde_json::to_vec(&download).unwrap(), &random);
        assert_eq!(Download::open(&sealed, &key, after(now, LIFETIME - 1)), Some(download.clone()));
        assert_eq!(Download::open(&sealed, &key, after(now, LIFETIME)), None);
        assert_eq!(Download::open(&sealed, &SealingKey::new(&[2; 32]).unwrap(), now), None);
        let other = key.seal("cursor", &serde_json::to_vec(&download).unwrap(), &random);
        assert_eq!(Download::open(&other, &key, now), None);
        assert_eq!(download.file_name(now), "domain-memberships-1970-01-01.csv");
    }
}
