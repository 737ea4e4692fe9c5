//! Our side of SAML: the keys that sign our requests and that open assertions encrypted to us.
//!
//! The deployment has one generation of keys, made at its first use, and a second one around a rotation. Their
//! certificates only carry the public keys: who trusts them pinned them.
//!
//! | | signs | signing certificates in our metadata | opens | encryption certificate in our metadata |
//! |---|---|---|---|---|
//! | one generation | current | current | current | current |
//! | the next one is published | current | current and next | current and next | next |
//! | the next one has taken over | current | current | former and current | current |
//!
//! Generations take turns by time alone, as the keys of ID tokens do ([`crate::signing_key`]). A next key opens from
//! its first moment on, so it is the one to encrypt to: identity providers change over as they come to read our metadata.
//! Those that are told by hand have until [`KEPT_AFTER`] past the turn before the former key can be replaced.

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

    /// The certificates of the keys that sign our requests, now or soon.
    #[must_use]
    pub fn signing_certificates(&self, now: Timestamp) -> Vec<&PinnedKey> {
        let generations = [Some(self.current(now)), self.next(now)];
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

    /// The keys with a next generation, which may take over at once. A former one is dropped.
    ///
    /// # Errors
    /// [`RotationError`], unless it takes over at once: that is for a key that others have come to know.
    pub fn rotated(&self, next: Generation, now: Timestamp) -> Result<Self, RotationError> {
        if next.takes_over_at > now {
            if let Some(pending) = self.next(now) {
                return Err(RotationError::UnderWay(pending.takes_over_at));
            }
            let replaceable = after(self.newest.takes_over_at, KEPT_AFTER);
            if self.before.is_some() && now < replaceable {
                return Err(RotationError::TooSoon(replaceable));
            }
        }
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
        assert_eq!(fingerprints(&keys.signing_certificates(turn)), fingerprints(&published[1..]));
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

        let leaked = keys.rotated(third(turn), turn).unwrap();
        assert_eq!((leaked.former(turn), leaked.next(turn)), (Some(&second), None), "at once, however early");
    }
}
