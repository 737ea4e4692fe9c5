//! The keys that sign ID tokens, RS256 (RFC 7518, section 3.3), and how one follows another.
//!
//! A ring's keys take turns by time alone: a key signs from the moment it was given until the next one's. Rotation adds
//! the next key [`PUBLISHED_AHEAD`] of its turn, so that everybody who remembers the published keys has learned it by
//! then; the former one stays published for [`PUBLISHED_AFTER`], as long as what it signed may live. Nothing has to
//! happen at the turn itself, and processes that remember the ring need not agree on when they read it.

mod cache;
mod id_token;
mod store;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use cache::KeyCache;
pub use id_token::IdTokenKeys;
pub use store::KeyRingError;

use crate::{
    clock::{Timestamp, after},
    id::{Random, SigningKeyId},
    seal::{NotSealed, SealingKey},
};

/// Seconds a key signs before the next one is made.
pub const ROTATED_AFTER: i64 = 90 * 24 * 3600;
/// Seconds a key is published before it signs.
pub const PUBLISHED_AHEAD: i64 = 24 * 3600;
/// Seconds a key is published after it signed: the life of an ID token, and clocks that differ.
pub const PUBLISHED_AFTER: i64 = 3600;
/// Seconds for which a process, or a client of the key set, may remember the published keys.
pub const REMEMBERED: i64 = 300;

const PURPOSE: &str = "signing key";

/// An RSA key of 2,048 bits as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its identifier, the `kid` of what it signs.
    pub id: SigningKeyId,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Its private half in PKCS #8 (RFC 5208), sealed.
    private: String,
}

impl SigningKey {
    /// A fresh key; it takes a noticeable part of a second.
    ///
    /// # Errors
    /// [`SigningKeyError::Crypto`] when the library makes none.
    pub fn generate(signs_from: Timestamp, key: &SealingKey, random: &Random) -> Result<Self, SigningKeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| SigningKeyError::Crypto)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SigningKeyError::Crypto)?;
        Ok(Self { id: random.id(), signs_from, private: key.seal(PURPOSE, der.as_ref(), random) })
    }

    /// The private half in PKCS #8.
    ///
    /// # Errors
    /// [`SigningKeyError::Sealed`] when the sealing key has changed since.
    pub fn private(&self, key: &SealingKey) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        Ok(Zeroizing::new(key.open(PURPOSE, &self.private)?))
    }
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// The stored key is of another sealing key.
    #[error("the signing keys were sealed with another sealing key")]
    Sealed(#[from] NotSealed),
    /// The library refused.
    #[error("the cryptographic library refused a signing key")]
    Crypto,
}

/// The keys, in the order of their turns: at least one, and at most a former, a present and a next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRing {
    keys: Vec<SigningKey>,
}

/// A rotation is under way already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the next key is published already and has yet to take its turn")]
pub struct RotationUnderWay;

impl KeyRing {
    /// The ring of a first key.
    #[must_use]
    pub fn new(first: SigningKey) -> Self {
        Self { keys: vec![first] }
    }

    /// The key that signs at `now`. A process whose clock is behind the one that made the first key uses it too.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().rev().find(|key| key.signs_from <= now).or(self.keys.first())
    }

    /// The keys to publish at `now`: what was signed with them may be presented, or will be.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let next_turns = self.keys.iter().skip(1).map(|key| Some(key.signs_from)).chain([None]);
        let over = move |next: Option<Timestamp>| next.is_some_and(|next| after(next, PUBLISHED_AFTER) <= now);
        self.keys.iter().zip(next_turns).filter(move |(_, next)| !over(*next)).map(|(key, _)| key)
    }

    /// Whether the last key has signed for long enough at `now`.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.keys.last().is_none_or(|key| after(key.signs_from, ROTATED_AFTER) <= now)
    }

    /// When the next key of a rotation at `now` takes its turn.
    #[must_use]
    pub fn next_turn(now: Timestamp) -> Timestamp {
        after(now, PUBLISHED_AHEAD)
    }

    /// The ring with `next`, and without what need not be published any more.
    ///
    /// # Errors
    /// [`RotationUnderWay`].
    pub fn rotated(&self, next: SigningKey, now: Timestamp) -> Result<Self, RotationUnderWay> {
        if self.keys.iter().skip(1).any(|key| now < key.signs_from) {
            return Err(RotationUnderWay);
        }
        Ok(Self { keys: self.published(now).cloned().chain([next]).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: u128, signs_from: Timestamp) -> SigningKey {
        SigningKey { id: SigningKeyId::from_bits(name), signs_from, private: String::new() }
    }

    fn published(ring: &KeyRing, now: Timestamp) -> Vec<u128> {
        ring.published(now).map(|key| key.id.bits()).collect()
    }

    #[test]
    fn a_key_is_published_before_and_after_its_turn() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let ring = KeyRing::new(key(1, start));
        assert_eq!(ring.current(after(start, -60)).unwrap().id.bits(), 1, "a clock that is behind");
        assert!(!ring.is_due(after(start, ROTATED_AFTER - 1)));
        let due = after(start, ROTATED_AFTER);
        assert!(ring.is_due(due));

        let ring = ring.rotated(key(2, KeyRing::next_turn(due)), due).unwrap();
        assert!(!ring.is_due(due), "the next key's turn has yet to come");
        assert_eq!(ring.rotated(key(3, KeyRing::next_turn(due)), due), Err(RotationUnderWay));
        let turn = after(due, PUBLISHED_AHEAD);
        for (now, current, both) in [
            (due, 1, vec![1, 2]),
            (after(turn, -1), 1, vec![1, 2]),
            (turn, 2, vec![1, 2]),
            (after(turn, PUBLISHED_AFTER - 1), 2, vec![1, 2]),
            (after(turn, PUBLISHED_AFTER), 2, vec![2]),
        ] {
            assert_eq!(ring.current(now).unwrap().id.bits(), current, "{now}");
            assert_eq!(published(&ring, now), both, "{now}");
        }

        let at_once = ring.rotated(key(3, KeyRing::next_turn(turn)), turn).unwrap();
        assert_eq!(published(&at_once, turn), [1, 2, 3], "three at most");
        let later = ring.rotated(key(3, KeyRing::next_turn(turn)), after(turn, PUBLISHED_AFTER)).unwrap();
        assert_eq!(later.keys.len(), 2, "what is over is dropped");
    }

    #[test]
    fn what_is_remembered_is_younger_than_what_is_new() {
        const { assert!(2 * REMEMBERED < PUBLISHED_AHEAD) };
        const { assert!(crate::grant::ACCESS_LIFETIME + REMEMBERED < PUBLISHED_AFTER) };
    }

    #[test]
    fn the_private_half_is_sealed() {
        let (sealing_key, random) = (SealingKey::new(&[1; 32]).unwrap(), Random::default());
        let key = SigningKey::generate(Timestamp::UNIX_EPOCH, &sealing_key, &random).unwrap();
        assert!(KeyPair::from_pkcs8(&key.private(&sealing_key).unwrap()).is_ok());
        let other = SealingKey::new(&[2; 32]).unwrap();
        assert_eq!(key.private(&other), Err(SigningKeyError::Sealed(NotSealed)));
    }
}
