//! Which customers trust the same identity provider.
//!
//! Two customers that trust the same key of the same identity provider are mostly a mistake: one of them loaded the other's
//! metadata, or metadata that everybody can read. It opens nothing by itself, since an assertion names the connection that
//! it is for and is believed only for addresses on the connection's own domains. But nobody would look for it, so the
//! second customer is refused. Customers that are one company may share; the vendor's operator says so.
//!
//! An identity provider is known by entity id and key: entity ids alone are chosen freely, and products give the same one to
//! many customers. What is stored only names candidates. Whether they still trust the key is read from their connections, so
//! that nothing has to be kept in step with whatever else changes or ends a connection.

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
    /// Another customer trusts it.
    #[error(
        "this identity provider signs in the people of another customer already, with the same entity ID and certificate; \
         make an application of your own for this connection, with a certificate of its own, and load its metadata; if both \
         customers are one company that shares the identity provider, the vendor can allow it"
    )]
    InUse,
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
}

impl IdpMetadata {
    /// What its keys are known by: hashes of entity id and certificate.
    #[must_use]
    pub fn key_hashes(&self) -> BTreeSet<String> {
        let hash = |key: &PinnedKey| {
            let octets = [self.entity_id.as_bytes(), b"\0", key.certificate_der()].concat();
            hex(&sha256(&octets))
        };
        self.certificates.iter().map(hash).collect()
    }
}

impl KeyInUse {
    /// Who trusts the key once `parent` does or does not.
    ///
    /// # Errors
    /// [`SharingError`], unless `parent` trusts it already or `may_share`.
    pub(super) fn with(&self, parent: ParentId, trusts: bool, may_share: bool) -> Result<TrustedBy, SharingError> {
        let others = self.parents.iter().copied().filter(|other| *other != parent);
        let mut parents: Vec<ParentId> = others.collect();
        if trusts {
            let new = !self.parents.contains(&parent);
            if new && !parents.is_empty() && !may_share {
                return Err(SharingError::InUse);
            }
            if new && parents.len() >= MAX_SHARING {
                return Err(SharingError::TooMany);
            }
            parents.push(parent);
        }
        Ok(TrustedBy { parents })
    }
}

/// Whether `parent` may follow its identity provider's metadata to other keys, with no one there to ask for leave: only
/// where nobody else trusts them, or where it shares the present ones already.
///
/// # Errors
/// [`SharingError`].
#[cfg(any(test, feature = "fetch"))]
pub(super) fn may_follow(parent: ParentId, metadata: &IdpMetadata, keys: &[KeyInUse]) -> Result<(), SharingError> {
    let shares = keys.iter().any(|key| key.parents.contains(&parent) && key.parents.len() > 1);
    let trusted = metadata.key_hashes();
    keys.iter().try_for_each(|key| key.with(parent, trusted.contains(&key.hash), shares).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parents: &[u128]) -> KeyInUse {
        let parents = parents.iter().map(|bits| ParentId::from_bits(*bits)).collect();
        KeyInUse { hash: String::new(), parents, version: None }
    }

    fn after(key: &KeyInUse, parent: u128, trusts: bool, may_share: bool) -> Result<Vec<u128>, SharingError> {
        let trusted = key.with(ParentId::from_bits(parent), trusts, may_share)?;
        Ok(trusted.parents.iter().map(|parent| parent.bits()).collect())
    }

    #[test]
    fn a_second_customer_needs_leave_and_who_is_there_stays() {
        assert_eq!(after(&key(&[]), 1, true, false), Ok(vec![1]));
        assert_eq!(after(&key(&[1]), 1, true, false), Ok(vec![1]));
        assert_eq!(after(&key(&[1]), 2, true, false), Err(SharingError::InUse));
        assert_eq!(after(&key(&[1]), 2, true, true), Ok(vec![1, 2]));
        assert_eq!(after(&key(&[1, 2]), 2, true, false), Ok(vec![1, 2]), "no leave is asked for twice");
        assert_eq!(after(&key(&[1, 2]), 1, false, false), Ok(vec![2]));
        assert_eq!(after(&key(&[1]), 2, false, false), Ok(vec![1]));
        let many: Vec<u128> = (1..=20).collect();
        assert_eq!(after(&key(&many), 21, true, true), Err(SharingError::TooMany));
        assert!(after(&key(&many), 20, true, false).is_ok());
        assert!(!SharingError::InUse.to_string().contains("par_"));
    }
}
