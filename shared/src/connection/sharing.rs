//! Which customers trust the same identity provider.
//!
//! Two customers that trust the same key of the same identity provider are mostly a mistake: one of them loaded the other's
//! metadata, or metadata that everybody can read. It opens nothing by itself, since an assertion names the connection that
//! it is for and is believed only for addresses on the connection's own domains. But nobody would look for it, so the
//! second customer is refused. Customers that are one company may share; the vendor's operator says so.
//!
//! An identity provider is known by entity id and public key: entity ids alone are chosen freely, and products give the
//! same one to many customers; and anybody can put a key that is not theirs into another certificate. What is stored only
//! names candidates. Whether they still trust the key is read from their connections, so that nothing has to be kept in step
//! with whatever else changes or ends a connection.
//!
//! Who shares an identity provider goes on sharing it when its keys change, as long as a key that they share by then is in
//! use until the next one is trusted: a rollover with an overlap. After one without, whoever comes second needs leave again.
//!
//! # First come, first served
//!
//! Nothing proves that the first customer is the one whom the identity provider belongs to: its metadata is public, and
//! whoever loads it first keeps its owner out. That is right as long as connections are made by the vendor's operator alone,
//! who knows the customers: a refusal is logged with the identifier of the customer that was there, and the operator moves that
//! one's connection elsewhere, or lets both share. Where customers make their connections themselves, the second one is to be
//! let in when it proves the identity provider by a sign-in, and the first one is to be told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    id::{ParentId, hex, sha256},
    saml::{IdpMetadata, PinnedKey},
};

/// Most customers that share a key of an identity provider.
pub const MAX_SHARING: usize = 20;

/// Why a key is not trusted for one more customer. The words name nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// Another customer trusts it: this one, which only the operator's log may name.
    #[error(
        "this identity provider signs in the people of another customer already, with the same entity ID and key; \
         make an application of your own for this connection, with a certificate of its own, and load its metadata; if both \
         customers are one company that shares the identity provider, the vendor can allow it"
    )]
    InUse(ParentId),
    /// Too many customers share it.
    #[error("this identity provider is shared by {MAX_SHARING} customers already")]
    TooMany,
}

/// The customers whose connections trust a key, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedBy {
    pub(super) parents: Vec<ParentId>,
}

/// A key of an identity provider with the customers that trust it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    pub(super) hash: String,
    pub(super) parents: Vec<ParentId>,
    /// The version of what is stored, if anything is.
    pub(super) version: Option<u64>,
    /// Whether it is a key of the identity provider that is to be trusted, now or from now on.
    pub(super) same_provider: bool,
}

impl IdpMetadata {
    /// What its keys are known by: hashes of entity id and public key, whatever certificates hold them.
    #[must_use]
    pub fn key_hashes(&self) -> BTreeSet<String> {
        let hash = |key: &PinnedKey| {
            let kind = key.kind().to_string();
            let octets = [self.entity_id.as_bytes(), b"\0", kind.as_bytes(), b"\0", key.public_key()].concat();
            hex(&sha256(&octets))
        };
        self.certificates.iter().map(hash).collect()
    }
}

impl KeyInUse {
    /// Who trusts the key once `parent` does or does not.
    ///
    /// # Errors
    /// [`SharingError`], unless `parent` trusts it already or `may_share` with all who do.
    pub(super) fn with(
        &self,
        parent: ParentId,
        trusts: bool,
        may_share: impl Fn(ParentId) -> bool,
    ) -> Result<TrustedBy, SharingError> {
        let others = self.parents.iter().copied().filter(|other| *other != parent);
        let mut parents: Vec<ParentId> = others.collect();
        if trusts {
            let new = !self.parents.contains(&parent);
            if new && let Some(other) = parents.iter().find(|other| !may_share(**other)) {
                return Err(SharingError::InUse(*other));
            }
            if new && parents.len() >= MAX_SHARING {
                return Err(SharingError::TooMany);
            }
            parents.push(parent);
        }
        Ok(TrustedBy { parents })
    }
}

/// Who shares a key of the identity provider with `parent` already, and so needs no new leave.
pub(super) fn companions(parent: ParentId, keys: &[KeyInUse]) -> BTreeSet<ParentId> {
    let shared = keys.iter().filter(|key| key.same_provider && key.parents.contains(&parent));
    shared.flat_map(|key| &key.parents).copied().filter(|other| *other != parent).collect()
}

/// Whether a connection of `parent` to `provider` shares one of these keys with another customer.
#[must_use]
pub fn is_shared(parent: ParentId, provider: &IdpMetadata, keys: &[KeyInUse]) -> bool {
    let hashes = provider.key_hashes();
    let mut trusted = keys.iter().filter(|key| hashes.contains(&key.hash));
    trusted.any(|key| key.parents.iter().any(|other| *other != parent))
}

/// Whether `parent` may follow its identity provider's metadata to other keys, with no one there to ask for leave: only
/// where nobody else trusts them, or where those share the present ones with it already.
///
/// # Errors
/// [`SharingError`].
#[cfg(any(test, feature = "fetch"))]
pub(super) fn may_follow(parent: ParentId, metadata: &IdpMetadata, keys: &[KeyInUse]) -> Result<(), SharingError> {
    let companions = companions(parent, keys);
    let trusted = metadata.key_hashes();
    keys.iter().try_for_each(|key| {
        key.with(parent, trusted.contains(&key.hash), |other| companions.contains(&other)).map(|_| ())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parents: &[u128]) -> KeyInUse {
        let parents = parents.iter().map(|bits| ParentId::from_bits(*bits)).collect();
        KeyInUse { hash: String::new(), parents, version: None, same_provider: true }
    }

    fn after(key: &KeyInUse, parent: u128, trusts: bool, may_share: bool) -> Result<Vec<u128>, SharingError> {
        let trusted = key.with(ParentId::from_bits(parent), trusts, |_| may_share)?;
        Ok(trusted.parents.iter().map(|parent| parent.bits()).collect())
    }

    #[test]
    fn a_second_customer_needs_leave_and_who_is_there_stays() {
        assert_eq!(after(&key(&[]), 1, true, false), Ok(vec![1]));
        assert_eq!(after(&key(&[1]), 1, true, false), Ok(vec![1]));
        let first = SharingError::InUse(ParentId::from_bits(1));
        assert_eq!(after(&key(&[1]), 2, true, false), Err(first));
        assert_eq!(after(&key(&[1]), 2, true, true), Ok(vec![1, 2]));
        assert_eq!(after(&key(&[1, 2]), 2, true, false), Ok(vec![1, 2]), "no leave is asked for twice");
        assert_eq!(after(&key(&[1, 2]), 1, false, false), Ok(vec![2]));
        assert_eq!(after(&key(&[1]), 2, false, false), Ok(vec![1]));
        let many: Vec<u128> = (1..=20).collect();
        assert_eq!(after(&key(&many), 21, true, true), Err(SharingError::TooMany));
        assert!(after(&key(&many), 20, true, false).is_ok());
        assert!(!first.to_string().contains("par_"));
    }

    #[test]
    fn who_shares_a_key_shares_the_next_one_with_the_same() {
        let [one, two, three] = [1, 2, 3].map(ParentId::from_bits);
        let keys = [key(&[1, 2]), key(&[1])];
        assert_eq!(companions(two, &keys), BTreeSet::from([one]));
        assert_eq!(companions(three, &keys), BTreeSet::new());
        let known = |other| companions(two, &keys).contains(&other);
        assert!(keys[1].with(two, true, known).is_ok());
        assert_eq!(key(&[1, 3]).with(two, true, known), Err(SharingError::InUse(three)), "not with anybody else");
        let elsewhere = KeyInUse { same_provider: false, ..key(&[1, 2]) };
        assert_eq!(companions(two, &[elsewhere]), BTreeSet::new(), "a key of another entity id");
    }
}
