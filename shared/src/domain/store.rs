//! Domain claims and ownership in `DynamoDB`.

use serde::{Deserialize, Serialize};

use super::{DomainClaim, DomainName, Observed};
use crate::{
    app::App,
    clock::Timestamp,
    id::ParentId,
    journal::Entry,
    mail::{Mail, Recipient},
    table::{Key, Range, Store, StoreError, Stored, Transaction},
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

    /// A parent's claim on a domain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_claim(
        &self,
        parent: ParentId,
        domain: &DomainName,
    ) -> Result<Option<Stored<DomainClaim>>, StoreError> {
        self.get(Key::DomainClaim(parent, domain)).await
    }

    /// A parent's claims, at most [`MAX_DOMAINS`](super::MAX_DOMAINS), in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_claims(&self, parent: ParentId) -> Result<Vec<DomainClaim>, StoreError> {
        let claims = self.list_all(Range::DomainClaims(parent)).await?;
        Ok(claims.into_iter().map(|stored| stored.value).collect())
    }
}

impl<E> Transaction<E> {
    /// A new claim; `taken` when the parent claims the domain already.
    pub fn create_domain_claim(&mut self, claim: &DomainClaim, taken: E) {
        self.create(Key::DomainClaim(claim.parent, &claim.domain), claim, taken);
    }

    /// A claim as it is from now on.
    pub fn replace_domain_claim(&mut self, claim: &DomainClaim, version: u64, changed: E) {
        self.replace(Key::DomainClaim(claim.parent, &claim.domain), claim, version, changed);
    }
}

impl<E: Clone> Transaction<E> {
    /// What evidence made of a claim: its state, the hold on the domain, the event and the mail that tells of it. `changed` when the claim, or who
    /// holds the domain, is not what it was decided on.
    pub fn settle_domain_claim(&mut self, observed: &Observed, version: u64, entry: Entry, app: &App, changed: E) {
        let random = &app.random;
        let Observed { claim, before, takes_hold } = observed;
        self.replace_domain_claim(claim, version, changed.clone());
        if *takes_hold {
            let ownership = Ownership { parent: claim.parent, since: entry.at };
            self.create(Key::DomainOwner(&claim.domain), &ownership, changed);
        }
        if let Some(action) = observed.action() {
            self.record(&entry.event(action, &claim.domain, before, claim.state, random));
        }
        if let Some(message) = observed.message() {
            let to = Recipient::Administrators { parent: claim.parent };
            self.send(&Mail::new(to, &message, &app.settings.sealing_key, entry.at, random));
        }
    }

    /// The end of a claim, and of the hold on the domain where it was verified.
    pub fn delete_domain_claim(&mut self, claim: &DomainClaim, version: u64, changed: E) {
        self.delete_version(Key::DomainClaim(claim.parent, &claim.domain), version, changed.clone());
        if claim.state.is_verified() {
            // While the claim is verified, the ownership is its parent's: both are written in one transaction.
            self.delete(Key::DomainOwner(&claim.domain), changed);
        }
    }
}
