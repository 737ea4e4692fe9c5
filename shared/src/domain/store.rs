//! Domain claims and ownership in `DynamoDB`.

use serde::{Deserialize, Serialize};

use super::DomainName;
use crate::{
    clock::Timestamp,
    id::ParentId,
    table::{Key, Store, StoreError},
};

/// Who holds a domain. It is written only where there is none, and never written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The parent.
    pub parent: ParentId,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// The parent that holds a domain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_owner(&self, domain: &DomainName) -> Result<Option<ParentId>, StoreError> {
        Ok(self.get::<Ownership>(Key::DomainOwner(domain)).await?.map(|stored| stored.value.parent))
    }
}
