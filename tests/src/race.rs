//! Parents that race for one domain, all of them with a proof.

use vestibule::{
    app::App,
    domain::{DomainClaim, Evidence, Finding, Outcome, claim},
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

    /// One round: nobody holds the domain, everybody has seen that and proves it. Gives the parents that hold it afterwards
    /// by what their claim says; those of all others say that another one does.
    ///
    /// # Panics
    /// When the tables do not answer, or disagree with the claims.
    pub async fn round(&mut self) -> Vec<ParentId> {
        let mut racing = tokio::task::JoinSet::new();
        for (place, claim) in self.claims.iter().cloned().enumerate() {
            let app = self.app.clone();
            racing.spawn(async move { (place, run(&app, claim).await) });
        }
        for (place, claim) in racing.join_all().await {
            self.claims[place] = claim;
        }
        let held = self.claims.iter().filter(|claim| claim.value.state.is_verified());
        let winners: Vec<ParentId> = held.map(|claim| claim.value.parent).collect();
        let domain = &self.claims[0].value.domain;
        let owner = self.app.store.domain_owner(domain).await.unwrap();
        assert_eq!(winners.first().copied(), owner, "the table says who it is");
        winners
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

/// A racer: decides on what everybody saw before the start, and anew once that is not so any more.
async fn run(app: &Arc<App>, claim: Stored<DomainClaim>) -> Stored<DomainClaim> {
    let evidence = Evidence { at: app.clock.now(), findings: vec![Finding::new(&"race", Outcome::Found, &[])] };
    let mut owner = None;
    loop {
        let entry = Entry { parent: claim.value.parent, actor: Actor::System, at: evidence.at };
        let observed = claim.value.clone().observe(evidence.clone(), owner.as_ref(), &app.random);
        let mut transaction = Transaction::default();
        transaction.settle_domain_claim(&observed, claim.version, entry, app, ());
        match app.store.commit(transaction).await {
            Ok(()) => return Stored { value: observed.claim, version: claim.version + 1 },
            Err(CommitError::Refused(()) | CommitError::Contended) => {
                owner = app.store.domain_ownership(&claim.value.domain).await.unwrap();
            }
            Err(CommitError::Store(error)) => panic!("{error}"),
        }
    }
}
