//! `/parents/{id}/domains`: a parent's claims on domains.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    domain::{self, ClaimError, ClaimState, DomainClaim, DomainName, Evidence, LOOKUP_INTERVAL, Resolver, TooSoon},
    id::ParentId,
    journal::{Action, Actor, Entry},
    operation::Operation,
    table::{Stored, Transaction},
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle, once, settle},
    page::Page,
    problems::{TOO_MANY_DOMAINS, of_too_soon},
    request::{Nothing, Path, Submission},
};

/// A domain to claim.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDomain {
    /// The domain or subdomain by its own name; letters of any script, or A-labels.
    #[schema(example = "example.com")]
    domain: String,
}

/// A parent's claim on a domain.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "they are named as the API names them")]
pub(crate) struct Domain {
    /// The domain, as A-labels.
    #[schema(value_type = String, example = "example.com")]
    domain: DomainName,
    /// The domain as people of its script read it, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    unicode: Option<String>,
    /// Where the claim stands.
    status: Status,
    /// What that means and what to do next, in words.
    explanation: String,
    /// The record that proves the claim.
    record: Record,
    /// When DNS was last asked; null before the first time.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    checked_at: Option<Timestamp>,
    /// What each resolver saw then.
    findings: Vec<Finding>,
}

/// Where a claim stands. Clients must expect further words.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// The record has not been seen.
    Pending,
    /// The record was seen, and the parent holds the domain.
    Verified,
    /// The record was seen, but another parent holds the domain.
    Conflict,
}

/// A DNS record to publish.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Record {
    /// Its full name. Consoles that add the zone's name themselves want it without that.
    #[schema(example = "_anthropic-challenge.example.com")]
    name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "TXT")]
    kind: &'static str,
    /// Its value, to be published character by character.
    #[schema(example = "anthropic-domain-verification=dGhpcyBpcyBub3QgYSByZWFsIHRv")]
    value: String,
}

/// What one resolver saw.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// The resolver's address.
    #[schema(example = "1.1.1.1:53")]
    perspective: String,
    /// What came of asking it: `found`, `altered_value`, `older_token`, `wrong_value`, `doubled_suffix`, `wrong_host`,
    /// `empty`, `nxdomain`, `servfail`, `refused`, `timeout` or `failed`. Clients must expect further words.
    #[schema(value_type = String, example = "nxdomain")]
    outcome: domain::Outcome,
    /// The values that were there, cut to what can be shown.
    found: Vec<String>,
    /// What it means and what to do about it.
    explanation: String,
}

impl From<DomainClaim> for Domain {
    fn from(claim: DomainClaim) -> Self {
        let explanation = claim.explain();
        let DomainClaim { domain, challenge, state, evidence, .. } = claim;
        let unicode = Some(domain.to_unicode()).filter(|unicode| unicode != domain.as_str());
        let (checked_at, findings) = evidence.map(|Evidence { at, findings }| (at, findings)).unzip();
        let show = |finding: domain::Finding| Finding {
            explanation: finding.explain(&challenge),
            perspective: finding.perspective,
            outcome: finding.outcome,
            found: finding.values,
        };
        let findings = findings.unwrap_or_default().into_iter().map(show).collect();
        let status = match state {
            ClaimState::Pending => Status::Pending,
            ClaimState::Verified { .. } => Status::Verified,
            ClaimState::Conflict { .. } => Status::Conflict,
        };
        let record = Record { name: challenge.name, kind: "TXT", value: challenge.value };
        Self { domain, unicode, status, explanation, record, checked_at, findings }
    }
}

/// Claims a domain
///
/// To claim a domain again changes nothing and answers with the present claim. Publish the record, then ask for a
/// refresh.
#[utoipa::path(
    post,
    path = "/parents/{id}/domains",
    operation_id = "claim_domain",
    tag = "Domains",
    params(("id" = String, Path, description = "The parent organization's identifier.")),
    request_body = NewDomain,
    responses(
        (status = 201, description = "The new claim.", body = Domain),
        (status = 200, description = "The claim that there was already.", body = Domain),
        (status = 404, description = "`not-found`: there is no such parent organization."),
        (status = 409, description = "`too-many-domains`: the parent claims as many domains as it can.")
    )
)]
pub(crate) async fn claim(
    State(app): State<Arc<App>>,
    Path(id): Path<ParentId>,
    Submission { operation, body }: Submission<NewDomain>,
) -> Result<Answer, Problem> {
    let domain = body.domain.parse().map_err(|error| Problem::invalid("/domain", &error))?;
    once(&app, &operation, || claim_once(&app, &operation, id, &domain)).await
}

async fn claim_once(app: &App, operation: &Operation, id: ParentId, domain: &DomainName) -> Result<Answer, Obstacle> {
    let (parent, present) = tokio::try_join!(app.store.parent(id), app.store.domain_claim(id, domain))?;
    let Stored { value: parent, version } = parent.ok_or_else(|| Problem::not_found("parent organization"))?;
    let now = app.clock.now();
    let mut transaction = Transaction::default();
    let answer = if let Some(present) = present {
        let answer = Answer::new(StatusCode::OK, &Domain::from(present.value))?;
        transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
        answer
    } else {
        let claimed = domain::claim(&parent, domain.clone(), &app.settings, now, &app.random);
        let (parent, claim) = claimed.map_err(|error| match error {
            ClaimError::Name(_) | ClaimError::RecordTooLong => Problem::invalid("/domain", &error),
            ClaimError::TooMany => TOO_MANY_DOMAINS.says(&error),
        })?;
        let answer = Answer::new(StatusCode::CREATED, &Domain::from(claim.clone()))?;
        transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
        transaction.replace_parent(&parent, version, Obstacle::Changed);
        transaction.create_domain_claim(&claim, Obstacle::Changed);
        let entry = Entry { trail: id.into(), actor: Actor::Operator, at: now };
        transaction.record(&entry.event(Action::DomainClaimed, domain, (), &claim.challenge, &app.random));
        answer
    };
    app.store.commit(transaction).await?;
    Ok(answer)
}

/// Lists the claims
///
/// In the order of their names. There are few enough for one page.
#[utoipa::path(
    get,
    path = "/parents/{id}/domains",
    operation_id = "list_domains",
    tag = "Domains",
    params(("id" = String, Path, description = "The parent organization's identifier.")),
    responses(
        (status = 200, description = "All claims.", body = Page<Domain>),
        (status = 404, description = "`not-found`: there is no such parent organization.")
    )
)]
pub(crate) async fn list(State(app): State<Arc<App>>, Path(id): Path<ParentId>) -> Result<Answer, Problem> {
    let (parent, claims) = tokio::try_join!(app.store.parent(id), app.store.domain_claims(id))?;
    parent.ok_or_else(|| Problem::not_found("parent organization"))?;
    let items = claims.into_iter().map(Domain::from).collect();
    Answer::new(StatusCode::OK, &Page { items, next_cursor: None })
}

/// Shows a claim
#[utoipa::path(
    get,
    path = "/parents/{id}/domains/{domain}",
    operation_id = "get_domain",
    tag = "Domains",
    params(
        ("id" = String, Path, description = "The parent organization's identifier."),
        ("domain" = String, Path, description = "The domain's name.")
    ),
    responses(
        (status = 200, description = "The claim.", body = Domain),
        (status = 404, description = "`not-found`: the parent organization does not claim such a domain.")
    )
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((id, domain)): Path<(ParentId, DomainName)>,
) -> Result<Answer, Problem> {
    let claim = app.store.domain_claim(id, &domain).await?.ok_or_else(no_such_claim)?;
    Answer::new(StatusCode::OK, &Domain::from(claim.value))
}

/// Asks DNS now
///
/// Looks the record up from every configured resolver and answers with what each of them saw. Where more than half of
/// them saw it, the domain is verified, unless another parent holds it. One lookup for a claim begins at most every
/// five seconds.
#[utoipa::path(
    post,
    path = "/parents/{id}/domains/{domain}/refresh",
    operation_id = "refresh_domain",
    tag = "Domains",
    params(
        ("id" = String, Path, description = "The parent organization's identifier."),
        ("domain" = String, Path, description = "The domain's name.")
    ),
    responses(
        (status = 200, description = "The claim with what was found.", body = Domain),
        (status = 404, description = "`not-found`: the parent organization does not claim such a domain."),
        (status = 409, description = "`changed`: somebody else changed the same."),
        (
            status = 429,
            description = "`too-soon`: DNS was asked a moment ago.",
            headers(("Retry-After" = i64, description = "Seconds until it can be asked again."))
        )
    )
)]
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    State(resolver): State<Arc<Resolver>>,
    Path((id, domain)): Path<(ParentId, DomainName)>,
    Submission { operation, body: Nothing {} }: Submission<Nothing>,
) -> Result<Answer, Problem> {
    // DNS is asked once and its answer settled as often as it takes, so the attempt as a whole is not repeated.
    once(&app, &operation, || async {
        let begun = begin_lookup(&app, &operation, id, &domain).await?;
        let findings = resolver.look_up(&domain, &begun.challenge).await;
        let evidence = Evidence { at: app.clock.now(), findings };
        match settle(|| settle_evidence(&app, &operation, id, &domain, &evidence)).await {
            Err(Obstacle::Changed) => Err(Problem::from(Obstacle::Changed).into()),
            settled => settled,
        }
    })
    .await
}

/// Marks the claim as being looked up, which one of any number of simultaneous requests succeeds in.
async fn begin_lookup(
    app: &App,
    operation: &Operation,
    id: ParentId,
    domain: &DomainName,
) -> Result<DomainClaim, Obstacle> {
    let now = app.clock.now();
    let (carried, claim) = tokio::try_join!(app.store.carried(operation, now), app.store.domain_claim(id, domain))?;
    if carried.is_some() {
        return Err(Obstacle::Repeated);
    }
    let claim = claim.ok_or_else(no_such_claim)?;
    let begun = claim.value.begin_lookup(now).map_err(of_too_soon)?;
    let mut transaction = Transaction::default();
    transaction.replace_domain_claim(&begun, claim.version, Obstacle::Changed);
    match app.store.commit(transaction).await.map_err(Obstacle::from) {
        Ok(()) => Ok(begun),
        Err(Obstacle::Changed) => Err(of_too_soon(TooSoon { retry_after: LOOKUP_INTERVAL }).into()),
        Err(obstacle) => Err(obstacle),
    }
}

/// Decides what the evidence makes of the claim, and commits it.
async fn settle_evidence(
    app: &App,
    operation: &Operation,
    id: ParentId,
    domain: &DomainName,
    evidence: &Evidence,
) -> Result<Answer, Obstacle> {
    let (claim, holder) = tokio::try_join!(app.store.domain_claim(id, domain), app.store.domain_owner(domain))?;
    let Stored { value: claim, version } = claim.ok_or_else(no_such_claim)?;
    let observed = claim.observe(evidence.clone(), holder);
    let answer = Answer::new(StatusCode::OK, &Domain::from(observed.claim.clone()))?;
    let entry = Entry { trail: id.into(), actor: Actor::Operator, at: evidence.at };
    let mut transaction = Transaction::default();
    transaction.carry(operation, &answer.carried(operation, evidence.at, app), evidence.at, Obstacle::Repeated);
    transaction.settle_domain_claim(&observed, version, entry, app, Obstacle::Changed);
    app.store.commit(transaction).await?;
    Ok(answer)
}

/// Removes a claim
///
/// A verified domain is given up with it: new sign-ins with addresses on it are refused, sessions and grants go on
/// until they end, memberships stay, and others can verify the domain from then on.
#[utoipa::path(
    delete,
    path = "/parents/{id}/domains/{domain}",
    operation_id = "remove_domain",
    tag = "Domains",
    params(
        ("id" = String, Path, description = "The parent organization's identifier."),
        ("domain" = String, Path, description = "The domain's name.")
    ),
    responses(
        (status = 204, description = "The claim is gone."),
        (status = 404, description = "`not-found`: the parent organization does not claim such a domain."),
        (status = 409, description = "`changed`: somebody else changed the same.")
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path((id, domain)): Path<(ParentId, DomainName)>,
) -> Result<StatusCode, Problem> {
    settle(|| remove_once(&app, id, &domain)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_once(app: &App, id: ParentId, domain: &DomainName) -> Result<(), Obstacle> {
    let (parent, claim) = tokio::try_join!(app.store.parent(id), app.store.domain_claim(id, domain))?;
    let (parent, claim) = parent.zip(claim).ok_or_else(no_such_claim)?;
    let entry = Entry { trail: id.into(), actor: Actor::Operator, at: app.clock.now() };
    let mut transaction = Transaction::default();
    transaction.delete_domain_claim(&claim.value, claim.version, Obstacle::Changed);
    transaction.replace_parent(&claim.value.removed_from(&parent.value), parent.version, Obstacle::Changed);
    transaction.record(&entry.event(Action::DomainRemoved, domain, claim.value.state, (), &app.random));
    app.store.commit(transaction).await?;
    Ok(())
}

fn no_such_claim() -> Problem {
    Problem::not_found("domain claimed by this parent organization")
}
