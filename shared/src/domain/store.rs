//! Domain claims and ownership in `DynamoDB`.

use super::{DomainClaim, DomainName, HoldChange, Observed, Ownership};
use crate::{
    app::App,
    clock::Timestamp,
    id::ParentId,
    journal::Entry,
    mail::{Mail, Recipient},
    table::{Key, Position, Queue, Range, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// The parent that holds a domain, lapsed or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_owner(&self, domain: &DomainName) -> Result<Option<ParentId>, StoreError> {
        Ok(self.domain_ownership(domain).await?.map(|stored| stored.value.parent))
    }

    /// Who holds a domain, since when, and whether it has lapsed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_ownership(&self, domain: &DomainName) -> Result<Option<Stored<Ownership>>, StoreError> {
        self.get(Key::DomainOwner(domain)).await
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

    /// Where claims are that are due at `now`, at most about `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_domain_claims(&self, now: Timestamp, limit: u16) -> Result<Vec<Position>, StoreError> {
        self.due(Queue::DomainClaims, now, limit).await
    }

    /// A claim by its position; `None` where it was removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_claim_at(&self, position: &Position) -> Result<Option<Stored<DomainClaim>>, StoreError> {
        self.get_at(Queue::DomainClaims, position).await
    }

    /// A parent's claims, at most [`MAX_DOMAINS`](super::MAX_DOMAINS), in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_claims(&self, parent: ParentId) -> Result<Vec<DomainClaim>, StoreError> {
        let claims = self.list_all(Range::DomainClaims(parent)).await?;
        Ok(claims.into_iter().map(|stored| stored.value).collect())
    }

    /// The domains that a parent has verified, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verified_domains(&self, parent: ParentId) -> Result<Vec<DomainName>, StoreError> {
        let claims = self.domain_claims(parent).await?.into_iter();
        Ok(claims.filter(|claim| claim.state.is_verified()).map(|claim| claim.domain).collect())
    }
}

impl<E> Transaction<E> {
    /// A new claim; `taken` when the parent claims the domain already.
    pub fn create_domain_claim(&mut self, claim: &DomainClaim, taken: E) {
        self.create_due(Key::DomainClaim(claim.parent, &claim.domain), claim, claim.due(), taken);
    }

    /// A claim as it is from now on.
    pub fn replace_domain_claim(&mut self, claim: &DomainClaim, version: u64, changed: E) {
        self.replace_due(Key::DomainClaim(claim.parent, &claim.domain), claim, version, claim.due(), changed);
    }

    /// Requires that people may still join by addresses on a domain: that `parent` holds it and it has not lapsed; `changed`
    /// otherwise.
    pub fn require_open_domain(&mut self, domain: &DomainName, parent: ParentId, changed: E) {
        self.require_field_alone(Key::DomainOwner(domain), "parent", parent.to_string(), "lapsed_at", changed);
    }
}

impl<E: Clone> Transaction<E> {
    /// What evidence made of a claim: its state, the hold on the domain, the event and the mail that tells of it.
    /// `changed` when the claim, or who holds the domain, is not what it was decided on.
    pub fn settle_domain_claim(&mut self, observed: &Observed, version: u64, entry: Entry, app: &App, changed: E) {
        let random = &app.random;
        let Observed { claim, before, hold } = observed;
        self.replace_domain_claim(claim, version, changed.clone());
        let key = Key::DomainOwner(&claim.domain);
        let new = Ownership::new(claim.parent, entry.at);
        match *hold {
            HoldChange::Keep => {}
            HoldChange::Take => self.create(key, &new, changed),
            HoldChange::TakeOver(version) => self.replace(key, &new, version, changed),
            HoldChange::Lapse(held, version) => {
                self.replace(key, &Ownership { lapsed_at: Some(entry.at), ..held }, version, changed);
            }
            HoldChange::Restore(held, version) => {
                self.replace(key, &Ownership { lapsed_at: None, ..held }, version, changed);
            }
        }
        if let Some(notice) = observed.notice() {
            self.record(&entry.event(notice.action(), &claim.domain, before, claim.state, random));
            let message = notice.message(claim);
            let to = Recipient::Administrators { parent: claim.parent };
            self.send(&Mail::new(to, &message, &app.settings.sealing_key, entry.at, random));
        }
    }

    /// The end of a claim, and of the hold on the domain where it is the parent's; `changed` when either is not what it was
    /// decided on.
    pub fn delete_domain_claim(
        &mut self,
        claim: &DomainClaim,
        version: u64,
        owner: Option<&Stored<Ownership>>,
        changed: E,
    ) {
        self.delete_version(Key::DomainClaim(claim.parent, &claim.domain), version, changed.clone());
        if let Some(owner) = owner.filter(|owner| owner.value.parent == claim.parent) {
            self.delete_version(Key::DomainOwner(&claim.domain), owner.version, changed);
        }
    }
}
