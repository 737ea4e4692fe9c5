//! Parents that race for one domain, all of them with a proof.

use vestibule::{
    app::App,
    domain::{ClaimState, DomainClaim, Evidence, Finding, Outcome, Ownership, claim},
    id::ParentId,
    journal::{Actor, Entry},
    parent::Parent,
    table::{CommitError, Stored, Transaction},
};

use std::sync::Arc;

/// The racers.
pub struct Race {
    app: Arc<App>,
    claims: Vec<Stored<DomainClaim>>,
}

impl Race {
    /// As many parents as that, each with a claim on `example.com`.
    ///
    /// # Panics
    /// When the tables do not answer.
    pub async fn of(app: &Arc<App>, parents: usize) -> Self {
        let mut claims = Vec::new();
        for _ in 0..parents {
            let parent = Parent { id: app.random.id(), connection: None, domains: 0, created_at: app.clock.now() };
            let domain = "example.com".parse().unwrap();
            let (_, claim) = claim(&parent, domain, &app.settings, app.clock.now(), &app.random).unwrap();
            claims.push(Stored { value: claim, version: 1 });
        }
        for claims in claims.chunks(100) {
            let mut transaction = Transaction::<()>::default();
            for claim in claims {
                transaction.create_domain_claim(&claim.value, ());
            }
            app.store.commit(transaction).await.unwrap();
        }
        Self { app: app.clone(), claims }
    }

    /// The race: nobody holds the domain, everybody has seen that and takes it. Gives those who got it.
    ///
    /// # Panics
    /// When the tables do not answer, or disagree with the claims.
    pub async fn round(&mut self) -> Vec<ParentId> {
        self.each(|_| true, None).await;
        let held = self.claims.iter().filter(|claim| claim.value.state.is_verified());
        let winners: Vec<ParentId> = held.map(|claim| claim.value.parent).collect();
        let owner = self.owner().await.map(|owner| owner.value.parent);
        assert_eq!(winners.first().copied(), owner, "the table says who it is");
        winners
    }

    /// What becomes of those who did not get it: they decide anew. Gives how many are in conflict then.
    ///
    /// # Panics
    /// When the tables do not answer.
    pub async fn losers(&mut self) -> usize {
        let owner = self.owner().await;
        self.each(|claim| !claim.state.is_verified(), owner).await;
        self.claims.iter().filter(|claim| matches!(claim.value.state, ClaimState::Conflict { .. })).count()
    }

    async fn owner(&self) -> Option<Stored<Ownership>> {
        let domain = self.claims.first().map(|claim| claim.value.domain.clone())?;
        self.app.store.domain_ownership(&domain).await.unwrap()
    }

    /// One attempt of each of these at the same time.
    async fn each(&mut self, of: impl Fn(&DomainClaim) -> bool, owner: Option<Stored<Ownership>>) {
        let mut racing = tokio::task::JoinSet::new();
        for (place, claim) in self.claims.iter().enumerate().filter(|(_, claim)| of(&claim.value)) {
            let (app, claim) = (self.app.clone(), claim.clone());
            racing.spawn(async move { (place, attempt(&app, claim, owner).await) });
        }
        for (place, claim) in racing.join_all().await {
            if let Some(claim) = claim {
                self.claims[place] = claim;
            }
        }
    }

    /// Takes the domain from whoever holds it, so that another round can begin.
    ///
    /// # Panics
    /// When the tables do not answer.
    pub async fn again(&mut self) {
        for claim in self.claims.iter_mut().filter(|claim| claim.value.state.is_verified()) {
            let owner = self.app.store.domain_ownership(&claim.value.domain).await.unwrap();
            let mut transaction = Transaction::<()>::default();
            transaction.delete_domain_claim(&claim.value, claim.version, owner.as_ref(), ());
            self.app.store.commit(transaction).await.unwrap();
            let (parent, challenge) = (claim.value.parent, claim.value.challenge.clone());
            let parent = Parent { id: parent, connection: None, domains: 0, created_at: self.app.clock.now() };
            let domain = claim.value.domain.clone();
            let fresh =
                vestibule::domain::claim(&parent, domain, &self.app.settings, self.app.clock.now(), &self.app.random);
            claim.value = DomainClaim { challenge, ..fresh.unwrap().1 };
            claim.version = 1;
            let mut transaction = Transaction::<()>::default();
            transaction.create_domain_claim(&claim.value, ());
            self.app.store.commit(transaction).await.unwrap();
        }
    }
}

/// One attempt, decided on who held the domain; what the claim is afterwards, `None` where that was not so any more.
async fn attempt(
    app: &App,
    claim: Stored<DomainClaim>,
    owner: Option<Stored<Ownership>>,
) -> Option<Stored<DomainClaim>> {
    let evidence = Evidence { at: app.clock.now(), findings: vec![Finding::new(&"race", Outcome::Found, &[])] };
    let entry = Entry { trail: claim.value.parent.into(), actor: Actor::System, at: evidence.at };
    let observed = claim.value.observe(evidence, owner.as_ref(), &app.random);
    let mut transaction = Transaction::default();
    transaction.settle_domain_claim(&observed, claim.version, entry, app, ());
    match app.store.commit(transaction).await {
        Ok(()) => Some(Stored { value: observed.claim, version: claim.version + 1 }),
        Err(CommitError::Refused(()) | CommitError::Contended) => None,
        Err(CommitError::Store(error)) => panic!("{error}"),
    }
}
