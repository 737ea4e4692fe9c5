//! Typed identifiers, secrets and the randomness that both are made of.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// Where a process takes randomness from.
#[derive(Clone, Debug, Default)]
pub enum Random {
    /// The cryptographic generator of `aws-lc-rs`.
    #[default]
    System,
    /// A reproducible sequence; for tests, never for a deployment.
    Seeded(SeededRandom),
}

/// SHA-256 over a seed and a counter: the same seed gives the same sequence.
#[derive(Clone, Debug)]
pub struct SeededRandom(Arc<Mutex<(u64, u64)>>);

impl SeededRandom {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new((seed, 0))))
    }

    fn block(&self) -> [u8; 32] {
        let (seed, counter) = {
            let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.1 += 1;
            *state
        };
        sha256(&[seed.to_be_bytes(), counter.to_be_bytes()].concat())
    }
}

impl Random {
    /// `N` fresh bytes.
    ///
    /// Ends the process when the system's generator fails: there is no safe answer without it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => {
                if aws_lc_rs::rand::fill(&mut bytes).is_err() {
                    std::process::abort();
                }
            }
            Self::Seeded(seeded) => {
                for chunk in bytes.chunks_mut(32) {
                    for (to, from) in chunk.iter_mut().zip(seeded.block()) {
                        *to = from;
                    }
                }
            }
        }
        bytes
    }

    /// A fresh identifier.
    #[must_use]
    pub fn id<K: Kind>(&self) -> Id<K> {
        Id::from_bits(u128::from_be_bytes(self.bytes()))
    }

    /// A fresh secret.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret(Zeroizing::new(URL_SAFE_NO_PAD.encode(self.bytes::<32>())))
    }
}

/// The SHA-256 digest of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    out
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What an [`Id`] identifies; its prefix keeps ids of different kinds apart wherever they are read.
pub trait Kind {
    /// The letters before the underscore, such as `org`.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal as $alias:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Kind for $name { const PREFIX: &'static str = $prefix; }
        $(#[$doc])*
        pub type $alias = Id<$name>;
    )* };
}

kinds! {
    /// A parent organization.
    ParentKind = "par" as ParentId,
    /// An organization.
    OrganizationKind = "org" as OrganizationId,
    /// An account.
    AccountKind = "acc" as AccountId,
    /// A SAML connection.
    ConnectionKind = "con" as ConnectionId,
    /// An application (OAuth client).
    ApplicationKind = "app" as ApplicationId,
    /// A login under way.
    LoginKind = "log" as LoginId,
    /// What an application was granted: one sign-in of one person to one organization.
    GrantKind = "grt" as GrantId,
    /// An entry of the audit trail.
    EventKind = "evt" as EventId,
    /// A mail.
    MailKind = "mai" as MailId,
    /// A key that the deployment signs with.
    SigningKeyKind = "key" as SigningKeyId,
}

/// 128 random bits, printed as `<prefix>_<32 hex digits>`.
pub struct Id<K> {
    bits: u128,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The identifier of these bits.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self { bits, kind: PhantomData }
    }

    /// The 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.bits
    }

    /// The first eight hexadecimal digits, as given group names carry them.
    #[must_use]
    pub fn short(self) -> String {
        format!("{:08x}", self.bits >> 96)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bits.cmp(&other.bits)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{:032x}", K::PREFIX, self.bits)
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not an identifier of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed identifier")]
pub struct MalformedId;

impl<K: Kind> FromStr for Id<K> {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|digits| digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .ok_or(MalformedId)?;
        u128::from_str_radix(digits, 16).map(Self::from_bits).map_err(|_| MalformedId)
    }
}
impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A number that a person can read out: one attempt to sign in, refused or accepted.
///
/// Ten letters of Crockford's base 32, as `7K2M9-QXD4T`. The first four say in which second it was given, within twelve
/// days, so that a trace is found by its number without an index; the others are 30 random bits. It locates a trace and
/// grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    /// Seconds after which the first letters come again.
    const CYCLE: i64 = 1 << 20;

    /// A fresh one, given at this moment.
    #[must_use]
    pub fn new(at: Timestamp, random: &Random) -> Self {
        let second = u32::try_from(Self::second_of(at).rem_euclid(Self::CYCLE)).unwrap_or_default();
        let time = [15, 10, 5, 0].map(|shift| second >> shift);
        let random = random.bytes::<6>().map(u32::from);
        let letter = |bits: u32| {
            let index = usize::try_from(bits % 32).unwrap_or_default();
            char::from(Self::ALPHABET.get(index).copied().unwrap_or(b'0'))
        };
        Self(time.into_iter().chain(random).enumerate().fold(String::new(), |mut text, (place, bits)| {
            text.extend((place == 5).then_some('-'));
            text.push(letter(bits));
            text
        }))
    }

    /// The number as somebody read it out: in whatever case, with or without its hyphen, `O` for 0, `I` and `L` for 1.
    /// None for what can be none.
    #[must_use]
    pub fn read_out(text: &str) -> Option<Self> {
        let letters =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(11).map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            });
        let letters: Vec<char> = letters.collect();
        let sound = letters.iter().all(|c| u8::try_from(*c).is_ok_and(|byte| Self::ALPHABET.contains(&byte)));
        let (head, tail) = letters.split_at_checked(5).filter(|(_, tail)| sound && tail.len() == 5)?;
        Some(Self(head.iter().chain(&['-']).chain(tail).collect()))
    }

    /// The second in which it was given, as seen within twelve days from then on.
    #[must_use]
    pub fn given_at(&self, now: Timestamp) -> Timestamp {
        let letters = self.0.bytes().filter(|byte| *byte != b'-').take(4);
        let second = letters.fold(0_i64, |sum, byte| {
            let value = Self::ALPHABET.iter().position(|letter| *letter == byte).unwrap_or_default();
            sum * 32 + i64::try_from(value).unwrap_or_default()
        });
        let now = Self::second_of(now);
        Timestamp::from_second(now - (now - second).rem_euclid(Self::CYCLE)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn second_of(at: Timestamp) -> i64 {
        at.as_millisecond().div_euclid(1_000)
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 256 random bits in base64url (43 characters), wiped from memory when dropped and never printed by `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret that somebody presented; any text, to be compared by its [`SecretHash`] only.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text to hand out, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(hex(&sha256(self.0.as_bytes())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a [`Secret`] in hexadecimal. A plain hash is enough: the secret has 256 bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretHash(String);

impl SecretHash {
    /// As a part of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for SecretHash {
    /// Takes the same time wherever the two differ.
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}
impl Eq for SecretHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id: OrganizationId = Random::Seeded(SeededRandom::new(1)).id();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), id.to_string()[4..12]);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id: OrganizationId = Random::default().id();
        assert_eq!(id.to_string().parse::<ParentId>(), Err(MalformedId));
        for text in ["", "org_", "org_+0000000000000000000000000000001", "org_0000000000000000000000000000000G"] {
            assert_eq!(text.parse::<OrganizationId>(), Err(MalformedId), "{text}");
        }
    }

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = Random::default().secret();
        assert_eq!(secret.reveal().len(), 43);
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert_eq!(secret.hash(), Secret::presented(secret.reveal()).hash());
        assert_ne!(secret.hash(), Random::default().secret().hash());
    }

    #[test]
    fn a_reference_can_be_read_out() {
        let reference = Reference::new(Timestamp::UNIX_EPOCH, &Random::default());
        assert_eq!(reference.as_str().len(), 11);
        assert!(reference.as_str().chars().all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit()));
        let spoken = reference.as_str().replace('-', " ").replace('0', "o").replace('1', "l").to_lowercase();
        assert_eq!(Reference::read_out(&spoken), Some(reference));
        for none in ["", "7K2M9-QXD4", "7K2M9-QXD4TT", "7K2M9-QXD4U", "7K2M9-QXD4ß"] {
            assert_eq!(Reference::read_out(none), None, "{none}");
        }
    }

    #[test]
    fn a_reference_says_when_it_was_given() {
        for millis in [0, 999, 1_806_000_000_123, 1_806_000_000_999] {
            let at = Timestamp::from_millisecond(millis).unwrap();
            let reference = Reference::new(at, &Random::default());
            for later in [0, 1, 60, 12 * 86_400] {
                let now = crate::clock::after(at, later);
                assert_eq!(reference.given_at(now).as_second(), at.as_second(), "{millis} {later}");
            }
        }
    }

    #[test]
    fn a_seed_repeats_its_sequence() {
        let draw = |seed| Random::Seeded(SeededRandom::new(seed)).bytes::<40>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
