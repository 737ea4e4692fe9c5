//! One claim: load, look up, decide, commit.

use vestibule::{
    domain::{ClaimState, DomainClaim, Evidence},
    journal::{Actor, Entry},
    table::{Position, StoreError, Stored, Transaction},
};

use crate::Verifier;

/// How often a decision is made anew because what it was made on has changed.
const ATTEMPTS: u32 = 4;

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It was looked up, and stands so from now on.
    LookedUp(ClaimState),
    /// It is not due, or somebody else is looking at it, or it was removed.
    NotDue,
}

impl Verifier {
    /// Looks a claim up if it is due.
    ///
    /// # Errors
    /// [`StoreError`]. The claim is due again when its lease is over.
    pub async fn check(&self, position: &Position) -> Result<Checked, StoreError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let Some(Stored { value, version }) = app.store.domain_claim_at(position).await? else {
            return Ok(Checked::NotDue);
        };
        let Some(begun) = value.is_due(now).then(|| value.begin_lookup(now).ok()).flatten() else {
            return Ok(Checked::NotDue);
        };
        let mut transaction = Transaction::default();
        transaction.replace_domain_claim(&begun, version, ());
        if !app.store.commit_unless_changed(transaction).await? {
            // Whoever was faster looks at it.
            return Ok(Checked::NotDue);
        }
        let findings = self.resolver.look_up(&begun.domain, &begun.challenge).await;
        let evidence = Evidence { at: app.clock.now(), findings };
        self.settle(Stored { value: begun, version: version + 1 }, evidence, position).await
    }

    /// Decides what the evidence makes of the claim, as often as it takes, and commits it.
    async fn settle(
        &self,
        mut claim: Stored<DomainClaim>,
        evidence: Evidence,
        position: &Position,
    ) -> Result<Checked, StoreError> {
        let app = &self.app;
        for _ in 0..ATTEMPTS {
            let owner = if claim.value.depends_on_owner(&evidence) {
                app.store.domain_ownership(&claim.value.domain).await?
            } else {
                None
            };
            let entry = Entry { trail: claim.value.parent.into(), actor: Actor::System, at: evidence.at };
            let observed = claim.value.observe(evidence.clone(), owner.as_ref(), &app.random);
            let mut transaction = Transaction::default();
            transaction.settle_domain_claim(&observed, claim.version, entry, app, ());
            if app.store.commit_unless_changed(transaction).await? {
                return Ok(Checked::LookedUp(observed.claim.state));
            }
            match app.store.domain_claim_at(position).await? {
                Some(changed) => claim = changed,
                None => return Ok(Checked::NotDue),
            }
        }
        Err(StoreError::Unavailable("the claim kept changing".to_owned()))
    }
}
