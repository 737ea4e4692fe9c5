//! `/parents/{id}/domains`: a parent's claims on domains.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    domain::{self, ClaimState, Claimed, DomainClaim, DomainError, DomainName, Evidence, Resolver},
    id::ParentId,
    journal::Actor,
    operation::Operation,
    table::{Transaction, settle},
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle, once},
    page::Page,
    problems::of_domain,
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
    /// What each server saw then.
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
    /// The record was not seen for 30 days, and nobody looks for it any more.
    Failed,
    /// The record of a verified domain was gone for 72 hours: members keep their access, and nobody joins by it.
    Lapsed,
    /// Another parent holds the domain.
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

/// What one server saw.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// The server's address, behind its name where it has one.
    #[schema(example = "1.1.1.1:53")]
    perspective: String,
    /// What kind of server it is: one of the `zone`'s own, or a `resolver`.
    #[schema(value_type = String, example = "resolver")]
    source: domain::Source,
    /// What came of asking it: `found`, `altered_value`, `older_token`, `wrong_value`, `doubled_suffix`, `wrong_host`,
    /// `empty`, `nxdomain`, `servfail`, `refused`, `timeout`, `bogus`, `lame`, `too_many_aliases`, `alias_loop`,
    /// `internal`, `no_servers`, `not_asked`, `insecure` or `failed`. Clients must expect further words.
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
            source: finding.source,
            outcome: finding.outcome,
            found: finding.values,
        };
        let findings = findings.unwrap_or_default().into_iter().map(show).collect();
        let status = match state {
            ClaimState::Pending => Status::Pending,
            ClaimState::Verified { .. } => Status::Verified,
            ClaimState::Failed { .. } => Status::Failed,
            ClaimState::Lapsed { .. } => Status::Lapsed,
            ClaimState::Conflict { .. } => Status::Conflict,
        };
        let record = Record { name: challenge.name, kind: "TXT", value: challenge.value };
        Self { domain, unicode, status, explanation, record, checked_at, findings }
    }
}

/// Claims a domain
///
/// To claim a domain again changes nothing and answers with the present claim, except that a claim that was given up is
/// tried again. Publish the record; it is looked for every minute at first. A refresh looks at once.
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
    let now = app.clock.now();
    let answer = |claimed: &Claimed| {
        let status = if claimed.is_new { StatusCode::CREATED } else { StatusCode::OK };
        Answer::new(status, &Domain::from(claimed.claim.clone()))
    };
    let carry = |transaction: &mut Transaction<_>, claimed: &Claimed| {
        transaction.carry(operation, &answer(claimed)?.carried(operation, now, app), now, Obstacle::Repeated);
        Ok(())
    };
    let claimed = domain::claim_domain(app, id, domain, Actor::Operator, carry).await?;
    Ok(answer(&claimed)?)
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
/// Looks the record up and answers with what each server saw. The zone's own servers are asked first, then every
/// configured resolver, unless the zone's own servers say that the record is not there: a resolver would remember that for
/// as long as the zone says. Where more than half of the perspectives saw it, the zone's own servers counting as one, the
/// domain is verified, unless another parent holds it. One lookup for a claim begins at most every five seconds.
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
        let carried = app.store.carried(&operation, app.clock.now());
        let (carried, claim) = tokio::try_join!(carried, app.store.domain_claim(id, &domain))?;
        if carried.is_some() {
            return Err(Obstacle::Repeated);
        }
        let begun = domain::begin_lookup::<Obstacle>(&app, claim).await?;
        let findings = resolver.look_up(&domain, &begun.challenge).await;
        let evidence = Evidence { at: app.clock.now(), findings };
        match settle(|| settle_once(&app, &operation, id, &domain, &evidence)).await {
            Err(Obstacle::Changed) => Err(Problem::from(Obstacle::Changed).into()),
            settled => settled,
        }
    })
    .await
}

async fn settle_once(
    app: &App,
    operation: &Operation,
    id: ParentId,
    domain: &DomainName,
    evidence: &Evidence,
) -> Result<Answer, Obstacle> {
    let answer = |claim: &DomainClaim| Answer::new(StatusCode::OK, &Domain::from(claim.clone()));
    let carry = |transaction: &mut Transaction<_>, claim: &DomainClaim| {
        let carried = answer(claim)?.carried(operation, evidence.at, app);
        transaction.carry(operation, &carried, evidence.at, Obstacle::Repeated);
        Ok(())
    };
    let claim = domain::settle_evidence(app, id, domain, evidence, Actor::Operator, carry).await?;
    Ok(answer(&claim)?)
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
    settle(|| domain::remove_domain::<Obstacle>(&app, id, &domain, Actor::Operator)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_claim() -> Problem {
    of_domain(DomainError::NoClaim)
}
