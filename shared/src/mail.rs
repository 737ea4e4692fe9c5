//! Mails: what the product tells people, from the transaction of what it tells about to the mail service.
//!
//! A mail is written into the outbox in the transaction of the change that it tells of, so there is none about what did
//! not happen, and none is forgotten. It is sent at least once: who is about to send it takes it by its version and
//! says when the next attempt is due, should nobody hear of this one again.

#[cfg(feature = "mail")]
mod sender;
mod store;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    account::Address,
    clock::{Timestamp, after},
    domain::{Challenge, DomainName},
    id::{AccountId, MailId, ParentId, Random, sha256},
    saml::IdpKind,
    seal::{NotSealed, SealingKey},
    table::{Due, Queue},
};

#[cfg(feature = "mail")]
pub use sender::{Letter, SendError, Sender};

/// Attempts to send a mail; the last one begins about a day after the first. No answer of the mail service ends them
/// sooner: it refuses mails in the same words when the sender is not set up yet.
pub const MAX_ATTEMPTS: u32 = 14;
/// Seconds after which an attempt that nobody heard of counts as failed.
const LEASE: i64 = 60;
/// Seconds from one attempt to the next at most.
const LONGEST_WAIT: i64 = 4 * 3600;
/// Seconds for which it is kept that a mail was sent, or given up.
const KEPT: i64 = 30 * 86_400;
const PURPOSE: &str = "mail";

/// A mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Its identifier.
    pub id: MailId,
    /// Who gets it.
    pub to: Recipient,
    /// What it says, sealed: it can hold what only its reader may know. Empty once it is sent.
    message: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// How far it has come.
    pub delivery: Delivery,
}

/// Who gets a mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Recipient {
    /// One address.
    Address {
        /// The address.
        email: Address,
    },
    /// Everybody who administers an organization of the parent at the time of sending, each by a mail of their own.
    Administrators {
        /// The parent.
        parent: ParentId,
    },
}

/// How far a mail has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Delivery {
    /// It is to be sent.
    Waiting {
        /// Attempts so far.
        attempts: u32,
        /// When the next attempt is due.
        next: Timestamp,
    },
    /// The mail service took it, or every administrator has a mail of their own.
    Sent {
        /// When.
        at: Timestamp,
        /// What the mail service calls it; none for a mail that was passed on to administrators.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_id: Option<String>,
    },
    /// The last attempt failed.
    GivenUp {
        /// When.
        at: Timestamp,
    },
}

/// What a mail says: the facts, which `functions/mailer` puts into words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// A claim on a domain was proven.
    DomainVerified {
        /// The domain.
        domain: DomainName,
    },
    /// A domain is held by another organization.
    DomainConflict {
        /// The domain.
        domain: DomainName,
    },
    /// A code to sign in to the console with.
    SignInCode {
        /// The digits.
        code: String,
        /// Until when they are good.
        expires_at: Timestamp,
    },
    /// A claim on a domain was given up: its record was not seen for too long.
    DomainFailed {
        /// The domain.
        domain: DomainName,
        /// The record.
        record: Challenge,
    },
    /// The record of a verified domain has been gone for a day.
    DomainMissing {
        /// The domain.
        domain: DomainName,
        /// The record.
        record: Challenge,
        /// Whole hours until it lapses.
        hours_left: i64,
    },
    /// The record of a verified domain was gone for too long.
    DomainLapsed {
        /// The domain.
        domain: DomainName,
        /// The record.
        record: Challenge,
        /// Until when no other organization can take the domain.
        protected_until: Timestamp,
    },
    /// The record of a lapsed domain is there again.
    DomainRestored {
        /// The domain.
        domain: DomainName,
    },
    /// The last certificate that a connection trusts is about to expire, or has expired.
    CertificateExpires {
        /// The identity provider's entity id.
        identity_provider: String,
        /// Which product it seems to be.
        product: IdpKind,
        /// SHA-256 of the certificate.
        fingerprint: String,
        /// When it expires.
        expires_at: Timestamp,
        /// Whether that is past.
        expired: bool,
        /// Where the metadata is fetched, if it is.
        metadata: Option<Url>,
    },
    /// The metadata of an identity provider could not be fetched or taken over for days.
    MetadataFails {
        /// The identity provider's entity id.
        identity_provider: String,
        /// Which product it seems to be.
        product: IdpKind,
        /// Where the metadata is fetched.
        metadata: Url,
        /// Since when.
        since: Timestamp,
        /// Why not, in words.
        detail: String,
        /// When the last certificate that is trusted expires.
        expires_at: Timestamp,
    },
}

impl Message {
    /// The kind's name, as mails are tagged with at the mail service.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DomainVerified { .. } => "domain_verified",
            Self::DomainConflict { .. } => "domain_conflict",
            Self::SignInCode { .. } => "sign_in_code",
            Self::DomainFailed { .. } => "domain_failed",
            Self::DomainMissing { .. } => "domain_missing",
            Self::DomainLapsed { .. } => "domain_lapsed",
            Self::DomainRestored { .. } => "domain_restored",
            Self::CertificateExpires { .. } => "certificate_expires",
            Self::MetadataFails { .. } => "metadata_fails",
        }
    }
}

impl Mail {
    /// A mail that says `message`, due at once.
    #[must_use]
    pub fn new(to: Recipient, message: &Message, sealing_key: &SealingKey, now: Timestamp, random: &Random) -> Self {
        // Plain data serializes; were it otherwise, the mail could not be read and would be given up with an error.
        let message = serde_json::to_vec(message).unwrap_or_default();
        Self {
            id: random.id(),
            to,
            message: sealing_key.seal(PURPOSE, &message, random),
            written_at: now,
            delivery: Delivery::Waiting { attempts: 0, next: now },
        }
    }

    /// The mail as one that nobody gets. It is as long as it was, so that writing it takes what sending takes.
    #[must_use]
    pub fn withheld(self) -> Self {
        Self { delivery: Delivery::GivenUp { at: self.written_at }, ..self }
    }

    /// What it says.
    ///
    /// # Errors
    /// [`NotSealed`] when another deployment wrote it, when it is sent, or when it is of a kind that this release does not
    /// know.
    pub fn message(&self, sealing_key: &SealingKey) -> Result<Message, NotSealed> {
        let message = sealing_key.open(PURPOSE, &self.message)?;
        serde_json::from_slice(&message).map_err(|_| NotSealed)
    }

    /// When it is due; never again once it is sent or given up.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        match self.delivery {
            Delivery::Waiting { next, .. } => Some(Due { queue: Queue::Mails, at: next }),
            Delivery::Sent { .. } | Delivery::GivenUp { .. } => None,
        }
    }

    /// When it is forgotten; never while it waits.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self.delivery {
            Delivery::Waiting { .. } => None,
            Delivery::Sent { at, .. } | Delivery::GivenUp { at } => Some(after(at, KEPT)),
        }
    }

    /// The mail with one more attempt begun at `now`, or given up where there were enough; `None` when nothing is due.
    /// Whoever stores this over the version that it was read with may send it. An attempt that nothing follows has
    /// failed, whatever the reason, and the next one is due by itself.
    #[must_use]
    pub fn begin_attempt(&self, now: Timestamp) -> Option<Self> {
        let Delivery::Waiting { attempts, next } = self.delivery else { return None };
        if now < next {
            return None;
        }
        if attempts >= MAX_ATTEMPTS {
            return Some(Self { delivery: Delivery::GivenUp { at: now }, ..self.clone() });
        }
        // One minute, two, four and so on: the lease and the wait for the next attempt in one.
        let wait = LEASE.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT);
        Some(Self { delivery: Delivery::Waiting { attempts: attempts + 1, next: after(now, wait) }, ..self.clone() })
    }

    /// The mail once the mail service took it, or once every administrator has one of their own.
    #[must_use]
    pub fn sent(self, message_id: Option<String>, now: Timestamp) -> Self {
        Self { delivery: Delivery::Sent { at: now, message_id }, message: String::new(), ..self }
    }

    /// The mail for one of the administrators to whom this one is. It always has the same id, so that an administrator
    /// gets one however often it is passed on.
    #[must_use]
    pub fn for_administrator(&self, account: AccountId, email: Address, now: Timestamp) -> Self {
        let digest = sha256(format!("{}\n{account}", self.id).as_bytes());
        let bits = digest.first_chunk().map_or(0, |bits| u128::from_be_bytes(*bits));
        Self {
            id: MailId::from_bits(bits),
            to: Recipient::Address { email },
            delivery: Delivery::Waiting { attempts: 0, next: now },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> (Mail, SealingKey) {
        let key = SealingKey::new(&[1; 32]).unwrap();
        let to = Recipient::Administrators { parent: ParentId::from_bits(1) };
        let message = Message::DomainVerified { domain: "acme.example".parse().unwrap() };
        (Mail::new(to, &message, &key, Timestamp::UNIX_EPOCH, &Random::default()), key)
    }

    fn at(second: i64) -> Timestamp {
        after(Timestamp::UNIX_EPOCH, second)
    }

    #[test]
    fn what_it_says_is_sealed_until_it_is_sent_and_gone_then() {
        let (mail, key) = mail();
        assert!(!serde_json::to_string(&mail).unwrap().contains("acme"));
        assert_eq!(mail.message(&key).unwrap().kind(), "domain_verified");
        assert!(mail.message(&SealingKey::new(&[2; 32]).unwrap()).is_err());
        assert!(mail.sent(None, at(1)).message(&key).is_err());
    }

    #[test]
    fn attempts_are_taken_one_at_a_time_and_come_to_an_end() {
        let (mut mail, key) = mail();
        let mut begun = Vec::new();
        let mut now = at(0);
        while let Some(taken) = mail.begin_attempt(now) {
            assert_eq!(taken.begin_attempt(now), None, "somebody is at it");
            mail = taken;
            let Some(due) = mail.due() else { break };
            begun.push(now.as_second());
            now = due.at;
        }
        assert_eq!(begun[..5], [0, 60, 180, 420, 900]);
        assert_eq!(begun.len(), MAX_ATTEMPTS as usize);
        assert!((20 * 3600..28 * 3600).contains(begun.last().unwrap()), "{begun:?}");
        assert_eq!(mail.delivery, Delivery::GivenUp { at: now });
        assert_eq!((mail.due(), mail.expires_at()), (None, Some(after(now, KEPT))));
        assert_eq!(mail.begin_attempt(at(10_000_000)), None);
        assert!(mail.message(&key).is_ok(), "it can be looked at, and sent by hand");
    }

    #[test]
    fn an_administrator_has_one_mail_however_often_it_is_passed_on() {
        let (mail, key) = mail();
        let to = |account, second| {
            mail.for_administrator(AccountId::from_bits(account), "a@acme.example".parse().unwrap(), at(second))
        };
        assert_eq!(to(1, 1).id, to(1, 2).id);
        assert_ne!(to(1, 1).id, to(2, 1).id);
        assert_eq!(to(1, 1).message(&key), mail.message(&key));
    }
}
