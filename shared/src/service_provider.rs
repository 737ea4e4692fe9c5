//! Our side of SAML: the keys that sign our requests and that open assertions encrypted to us.
//!
//! The deployment has one generation of keys, made at its first use, and a second one around a rotation. Their
//! certificates only carry the public keys: who trusts them pinned them.
//!
//! | | signs | signing certificates in our metadata | opens | encryption certificate in our metadata |
//! |---|---|---|---|---|
//! | one generation | current | current | current | current |
//! | the next one is published | current | current and next | current and next | next |
//! | the next one has taken over | current | current, and former for [`REMEMBERED`] | former and current | current |
//!
//! Generations take turns by time alone, as the keys of ID tokens do ([`crate::signing_key`]). A next key opens from
//! its first moment on, so it is the one to encrypt to: identity providers change over as they come to read our metadata.
//! Those that are told by hand have until [`KEPT_AFTER`] past the turn before the former key can be replaced.
//!
//! Processes remember the keys for [`REMEMBERED`] seconds, and look again before that when an assertion does not open, but
//! not within [`LOOKED`] seconds of having looked: whoever posts rubbish makes nobody read. So an assertion that is encrypted
//! to a key that is younger than that may be refused where the key was made by another process; nobody can have learned of
//! the key much sooner, and it opens when it is posted again. And a key that took over at once signs everywhere only after
//! [`REMEMBERED`] seconds, for which the former certificate stays in our metadata.

mod cache;
mod pair;
mod store;

use serde::{Deserialize, Serialize};

pub use cache::{KeyCache, OpenedKeys};
pub use pair::{Generation, KeyError, SealedKey};

use crate::{
    clock::{Timestamp, after},
    saml::PinnedKey,
};

/// Seconds for which a former key opens assertions at least: 90 days, in which every identity provider is told.
pub const KEPT_AFTER: i64 = 90 * DAY;
/// Days between the publication of the next generation and its turn, unless the operator says otherwise.
pub const USUAL_NOTICE: u32 = 30;
/// Most days between the publication of the next generation and its turn.
pub const MAX_NOTICE: u32 = 90;
/// Seconds for which a process may remember the keys before it reads them again.
pub const REMEMBERED: i64 = 300;
/// Seconds after a look for other keys before the same process looks again.
pub const LOOKED: i64 = 10;
/// Seconds after a turn in which there is no other one: two rotations at the same moment are one, and each would otherwise
/// drop the keys that were in use before the other.
pub const SETTLING: i64 = 600;

const DAY: i64 = 24 * 3600;

/// The deployment's keys: the newest generation, and the one before it if it has any use left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceProviderKeys {
    newest: Generation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Generation>,
}

/// Why the keys are not rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A next generation is published already.
    #[error("the next keys are published already and take over at {0}; with no notice they take over now")]
    UnderWay(Timestamp),
    /// Identity providers may still encrypt to the former key.
    #[error(
        "identity providers have until {0} to encrypt to the present key; a rotation before that drops the former one, \
         which only a rotation without notice does"
    )]
    TooSoon(Timestamp),
    /// Keys took over a moment ago, and identity providers still use the ones before.
    #[error("the present keys took over just now; others can follow from {0} on")]
    JustTurned(Timestamp),
}

impl ServiceProviderKeys {
    /// A first generation.
    #[must_use]
    pub const fn new(first: Generation) -> Self {
        Self { newest: first, before: None }
    }

    /// The generation whose turn it is at `now`: its key signs.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> &Generation {
        match &self.before {
            Some(before) if now < self.newest.takes_over_at => before,
            _ => &self.newest,
        }
    }

    /// The generation whose turn has yet to come.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<&Generation> {
        (self.before.is_some() && now < self.newest.takes_over_at).then_some(&self.newest)
    }

    /// The generation whose turn is over: its key opens what was encrypted to it.
    #[must_use]
    pub fn former(&self, now: Timestamp) -> Option<&Generation> {
        self.before.as_ref().filter(|_| self.newest.takes_over_at <= now)
    }

    /// The newest generation, whether or not its turn has come.
    #[must_use]
    pub const fn newest(&self) -> &Generation {
        &self.newest
    }

    /// The certificates of the keys that sign our requests: now, soon, or still in a process that has yet to learn of the
    /// turn.
    #[must_use]
    pub fn signing_certificates(&self, now: Timestamp) -> Vec<&PinnedKey> {
        let former = self.former(now).filter(|_| now < after(self.newest.takes_over_at, REMEMBERED));
        let generations = [Some(self.current(now)), self.next(now), former];
        generations.into_iter().flatten().map(|generation| &generation.signing.certificate).collect()
    }

    /// The certificate to encrypt to.
    #[must_use]
    pub const fn encryption_certificate(&self) -> &PinnedKey {
        &self.newest.encryption.certificate
    }

    /// Every generation, the newest one first.
    pub fn generations(&self) -> impl Iterator<Item = &Generation> {
        [Some(&self.newest), self.before.as_ref()].into_iter().flatten()
    }

    /// Whether there can be a next generation, which takes over at `turn`.
    ///
    /// # Errors
    /// [`RotationError`]. At once there can be one unless the present one took over just now: that is for a key that others
    /// have come to know.
    pub fn may_rotate(&self, turn: Timestamp, now: Timestamp) -> Result<(), RotationError> {
        let settled = after(self.newest.takes_over_at, SETTLING);
        if turn > now {
            if let Some(pending) = self.next(now) {
                return Err(RotationError::UnderWay(pending.takes_over_at));
            }
            let replaceable = after(self.newest.takes_over_at, KEPT_AFTER);
            if self.before.is_some() && now < replaceable {
                return Err(RotationError::TooSoon(replaceable));
            }
        } else if self.former(now).is_some() && now < settled {
            return Err(RotationError::JustTurned(settled));
        }
        Ok(())
    }

    /// The keys with a next generation, which may take over at once. A former one is dropped.
    ///
    /// # Errors
    /// As [`may_rotate`](Self::may_rotate).
    pub fn rotated(&self, next: Generation, now: Timestamp) -> Result<Self, RotationError> {
        self.may_rotate(next.takes_over_at, now)?;
        Ok(Self { newest: next, before: Some(self.current(now).clone()) })
    }

    /// The keys with the next generation's turn now; `None` where there is no next one.
    #[must_use]
    pub fn brought_forward(&self, now: Timestamp) -> Option<Self> {
        let next = self.next(now)?;
        Some(Self { newest: Generation { takes_over_at: now, ..next.clone() }, before: self.before.clone() })
    }

    /// When a generation that is published now takes over, given days of notice.
    #[must_use]
    pub fn turn_after(days: u32, now: Timestamp) -> Timestamp {
        after(now, i64::from(days.min(MAX_NOTICE)) * DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Random, seal::SealingKey};

    fn generation(turn: Timestamp) -> Generation {
        let key = SealingKey::new(&[1; 32]).unwrap();
        Generation::make(turn, turn, &key, &Random::default()).unwrap()
    }

    fn fingerprints(keys: &[&PinnedKey]) -> Vec<String> {
        keys.iter().map(|key| key.fingerprint()).collect()
    }

    #[test]
    fn generations_take_turns_and_both_open() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let first = generation(start);
        let keys = ServiceProviderKeys::new(first.clone());
        assert_eq!(keys.current(after(start, -60)), &first, "a clock that is behind");
        assert_eq!((keys.next(after(start, -60)), keys.former(start)), (None, None));

        let turn = ServiceProviderKeys::turn_after(30, start);
        let second = generation(turn);
        let keys = keys.rotated(second.clone(), start).unwrap();
        let before = after(turn, -1);
        assert_eq!((keys.current(before), keys.next(before), keys.former(before)), (&first, Some(&second), None));
        let published = [&first.signing.certificate, &second.signing.certificate];
        assert_eq!(fingerprints(&keys.signing_certificates(before)), fingerprints(&published));
        assert_eq!(keys.encryption_certificate(), &second.encryption.certificate, "at once, since it opens at once");
        assert_eq!((keys.current(turn), keys.next(turn), keys.former(turn)), (&second, None, Some(&first)));
        let turned = [published[1], published[0]];
        assert_eq!(fingerprints(&keys.signing_certificates(after(turn, REMEMBERED - 1))), fingerprints(&turned));
        assert_eq!(fingerprints(&keys.signing_certificates(after(turn, REMEMBERED))), fingerprints(&published[1..]));
        assert_eq!(keys.generations().count(), 2);
    }

    #[test]
    fn a_rotation_with_notice_waits_for_the_one_before() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (first, second) = (generation(start), generation(ServiceProviderKeys::turn_after(30, start)));
        let keys = ServiceProviderKeys::new(first.clone()).rotated(second.clone(), start).unwrap();
        let third = |turn| Generation { takes_over_at: turn, ..generation(start) };
        let again = keys.rotated(third(after(start, 2)), after(start, 1));
        assert_eq!(again, Err(RotationError::UnderWay(second.takes_over_at)));

        let forward = keys.brought_forward(after(start, 1)).unwrap();
        assert_eq!(
            (forward.current(after(start, 1)).signing.clone(), forward.next(start)),
            (second.signing.clone(), Some(forward.current(after(start, 1))))
        );
        assert_eq!(forward.brought_forward(after(start, 1)), None);

        let turn = second.takes_over_at;
        let replaceable = after(turn, KEPT_AFTER);
        let early = keys.rotated(third(after(replaceable, 9)), after(replaceable, -1));
        assert_eq!(early, Err(RotationError::TooSoon(replaceable)));
        let later = keys.rotated(third(after(replaceable, 9)), replaceable).unwrap();
        assert_eq!(later.current(replaceable), &second);
        assert!(!later.generations().any(|generation| *generation == first), "the former one is dropped");

        let settled = after(turn, SETTLING);
        let leaked = keys.rotated(third(settled), settled).unwrap();
        assert_eq!((leaked.former(settled), leaked.next(settled)), (Some(&second), None), "at once, however early");
    }

    #[test]
    fn of_two_rotations_at_once_the_second_does_not_drop_what_is_in_use() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let first = generation(start);
        let keys = ServiceProviderKeys::new(first.clone());
        let next = |turn| Generation { takes_over_at: turn, ..generation(start) };
        let soon = after(start, 1);
        let once = keys.rotated(next(soon), soon).unwrap();
        assert_eq!(once.former(soon), Some(&first), "even right after the first keys were made");
        let settled = after(soon, SETTLING);
        let again = Err(RotationError::JustTurned(settled));
        assert_eq!(
            (once.may_rotate(soon, soon), once.may_rotate(after(settled, -1), after(settled, -1))),
            (again, again)
        );
        assert!(once.may_rotate(settled, settled).is_ok());

        let planned = keys.rotated(next(after(start, 9)), start).unwrap();
        let forward = planned.brought_forward(soon).unwrap();
        assert_eq!(forward.may_rotate(soon, soon), again, "nor after next keys were brought forward");
    }
}
