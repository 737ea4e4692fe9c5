//! Sessions of the console.

use serde::{Deserialize, Serialize};

use crate::{
    account::{Account, Address},
    clock::{Timestamp, after},
    id::{AccountId, OrganizationId},
};

/// The session's cookie.
pub const COOKIE: &str = "vestibule-console";
/// Seconds a session lives.
pub const LIFETIME: i64 = 12 * 3600;
/// Seconds that it may go unused.
const IDLE: i64 = 2 * 3600;
/// Seconds of use that are not written down, so that not every click is a write.
const GRAIN: i64 = 5 * 60;

/// An administrator's session, by the hash of the cookie's secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The person.
    pub account: AccountId,
    /// The account's address.
    pub email: Address,
    /// The organization that is administered; none until the person has chosen among several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// How the person proved who they are.
    pub proof: Proof,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was used, give or take five minutes.
    pub used_at: Timestamp,
}

/// How an administrator proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// By a one-time code that was sent to the account's address.
    EmailedCode,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(account: &Account, organization: Option<OrganizationId>, proof: Proof, now: Timestamp) -> Self {
        let email = account.email.clone();
        Self { account: account.id, email, organization, proof, began_at: now, used_at: now }
    }

    /// When it ends, however much it is used.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        after(self.began_at, LIFETIME)
    }

    /// Whether it lives at `now`, for all that it says of itself.
    #[must_use]
    pub fn lives(&self, now: Timestamp) -> bool {
        now < self.ends_at() && now < after(self.used_at, IDLE)
    }

    /// Whether it is of this account, and the person has not signed out everywhere since it began.
    #[must_use]
    pub fn is_of(&self, account: &Account) -> bool {
        account.id == self.account && account.signed_out_at.is_none_or(|at| self.began_at > at)
    }

    /// The session as used now, where that is to be written down.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> Option<Self> {
        (now >= after(self.used_at, GRAIN)).then(|| Self { used_at: now, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn account() -> Account {
        Account {
            id: AccountId::from_bits(1),
            email: "ada@corp.example".parse().unwrap(),
            name: None,
            created_at: NOW,
            last_sign_in: None,
            signed_out_at: None,
        }
    }

    #[test]
    fn it_ends_unused_and_in_any_case() {
        let mut session = Session::begin(&account(), None, Proof::EmailedCode, NOW);
        assert!(session.lives(after(NOW, IDLE - 1)) && !session.lives(after(NOW, IDLE)));
        for hour in 1..12 {
            let now = after(NOW, hour * 3600);
            assert!(session.lives(now));
            session = session.used(now).unwrap();
            assert_eq!(session.used(after(now, GRAIN - 1)), None);
        }
        assert!(session.lives(after(NOW, LIFETIME - 1)) && !session.lives(after(NOW, LIFETIME)));
    }

    #[test]
    fn who_signs_out_everywhere_is_out_everywhere() {
        let session = Session::begin(&account(), None, Proof::EmailedCode, after(NOW, 10));
        assert!(session.is_of(&account()));
        assert!(session.is_of(&Account { signed_out_at: Some(after(NOW, 9)), ..account() }));
        assert!(!session.is_of(&Account { signed_out_at: Some(after(NOW, 10)), ..account() }));
        assert!(!session.is_of(&Account { id: AccountId::from_bits(2), ..account() }));
    }
}
