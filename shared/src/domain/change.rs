//! Changes of claims as they are carried out: load, decide, commit; the same for the management API and the console.
//!
//! `also` adds to the transaction what the caller commits with the change. `E` is the caller's error, in which
//! [`DomainError::Changed`] says that it has to be done again from the beginning.

use super::{ClaimError, DomainClaim, DomainName, Evidence, LOOKUP_INTERVAL, TooSoon, claim};
use crate::{
    app::App,
    id::ParentId,
    journal::{Action, Actor, Entry},
    table::{CommitError, StoreError, Stored, Transaction},
};

/// Why a change of a claim is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// There is no such parent.
    #[error("there is no such parent organization")]
    NoParent,
    /// The parent does not claim the domain.
    #[error("there is no such domain claimed by this parent organization")]
    NoClaim,
    /// The domain can not be claimed.
    #[error(transparent)]
    Refused(#[from] ClaimError),
    /// DNS was asked a moment ago.
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    /// What it was decided on has changed: load and decide again.
    #[error("somebody else changed the same at the same moment")]
    Changed,
}

/// A claim, and whether it is a new one.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The claim.
    pub claim: DomainClaim,
    /// Whether it came to be now.
    pub is_new: bool,
}

/// Claims a domain. To claim it again gives the present claim, which begins anew where it was given up.
///
/// # Errors
/// [`DomainError`] but for [`DomainError::TooSoon`], and whatever the database or `also` say.
pub async fn claim_domain<E>(
    app: &App,
    parent: ParentId,
    domain: &DomainName,
    actor: Actor,
    also: impl FnOnce(&mut Transaction<E>, &Claimed) -> Result<(), E>,
) -> Result<Claimed, E>
where
    E: From<DomainError> + From<StoreError> + From<CommitError<E>>,
{
    let (found, present) = tokio::try_join!(app.store.parent(parent), app.store.domain_claim(parent, domain))?;
    let Stored { value: found, version } = found.ok_or(DomainError::NoParent)?;
    let now = app.clock.now();
    let mut transaction = Transaction::default();
    let entry = Entry { trail: parent.into(), actor, at: now };
    if let Some(Stored { value: present, version }) = present {
        let revived = present.revived(now);
        if let Some(claim) = &revived {
            transaction.replace_domain_claim(claim, version, DomainError::Changed.into());
            let event = entry.event(Action::DomainClaimed, domain, present.state, claim.state, &app.random);
            transaction.record(&event);
        }
        let claimed = Claimed { claim: revived.unwrap_or(present), is_new: false };
        also(&mut transaction, &claimed)?;
        app.store.commit(transaction).await?;
        return Ok(claimed);
    }
    let (counted, claim) =
        claim(&found, domain.clone(), &app.settings, now, &app.random).map_err(DomainError::Refused)?;
    let claimed = Claimed { claim, is_new: true };
    also(&mut transaction, &claimed)?;
    transaction.replace_parent(&counted, version, DomainError::Changed.into());
    transaction.create_domain_claim(&claimed.claim, DomainError::Changed.into());
    let challenge = &claimed.claim.challenge;
    transaction.record(&entry.event(Action::DomainClaimed, domain, (), challenge, &app.random));
    app.store.commit(transaction).await?;
    Ok(claimed)
}

/// Marks a claim as being looked up, which one of any number of simultaneous requests succeeds in. DNS is asked next,
/// and what it says given to [`settle_evidence`].
///
/// # Errors
/// [`DomainError::NoClaim`] and [`DomainError::TooSoon`], and whatever the database says.
pub async fn begin_lookup<E>(app: &App, claim: Option<Stored<DomainClaim>>) -> Result<DomainClaim, E>
where
    E: From<DomainError> + From<StoreError>,
{
    let claim = claim.ok_or(DomainError::NoClaim)?;
    let begun = claim.value.begin_lookup(app.clock.now()).map_err(DomainError::TooSoon)?;
    let mut transaction = Transaction::default();
    transaction.replace_domain_claim(&begun, claim.version, ());
    if app.store.commit_unless_changed(transaction).await? {
        Ok(begun)
    } else {
        Err(DomainError::TooSoon(TooSoon { retry_after: LOOKUP_INTERVAL }).into())
    }
}

/// Decides what the evidence makes of a claim, and commits it.
///
/// # Errors
/// [`DomainError::NoClaim`] and [`DomainError::Changed`], and whatever the database or `also` say.
pub async fn settle_evidence<E>(
    app: &App,
    parent: ParentId,
    domain: &DomainName,
    evidence: &Evidence,
    actor: Actor,
    also: impl FnOnce(&mut Transaction<E>, &DomainClaim) -> Result<(), E>,
) -> Result<DomainClaim, E>
where
    E: From<DomainError> + From<StoreError> + From<CommitError<E>> + Clone,
{
    let (claim, owner) = tokio::try_join!(app.store.domain_claim(parent, domain), app.store.domain_ownership(domain))?;
    let Stored { value: claim, version } = claim.ok_or(DomainError::NoClaim)?;
    let observed = claim.observe(evidence.clone(), owner.as_ref(), &app.random);
    let entry = Entry { trail: parent.into(), actor, at: evidence.at };
    let mut transaction = Transaction::default();
    also(&mut transaction, &observed.claim)?;
    transaction.settle_domain_claim(&observed, version, entry, app, DomainError::Changed.into());
    app.store.commit(transaction).await?;
    Ok(observed.claim)
}

/// Removes a claim, and gives the domain up where it was verified.
///
/// # Errors
/// [`DomainError::NoClaim`] and [`DomainError::Changed`], and whatever the database says.
pub async fn remove_domain<E>(app: &App, id: ParentId, domain: &DomainName, actor: Actor) -> Result<(), E>
where
    E: From<DomainError> + From<StoreError> + From<CommitError<E>> + Clone,
{
    let (parent, claim, owner) =
        tokio::try_join!(app.store.parent(id), app.store.domain_claim(id, domain), app.store.domain_ownership(domain))?;
    let (parent, claim) = parent.zip(claim).ok_or(DomainError::NoClaim)?;
    let entry = Entry { trail: id.into(), actor, at: app.clock.now() };
    let changed = E::from(DomainError::Changed);
    let mut transaction = Transaction::default();
    transaction.delete_domain_claim(&claim.value, claim.version, owner.as_ref(), changed.clone());
    transaction.replace_parent(&claim.value.removed_from(&parent.value), parent.version, changed);
    transaction.record(&entry.event(Action::DomainRemoved, domain, claim.value.state, (), &app.random));
    app.store.commit(transaction).await?;
    Ok(())
}
