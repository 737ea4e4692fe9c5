//! `/settings/identity`: the parent's claims on domains.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use vestibule::{
    app::App,
    domain::{
        self, ClaimState, Claimed, DomainClaim, DomainError, DomainName, Evidence, MAX_DOMAINS, Outcome, Resolver,
        Source, TooSoon,
    },
    table::{CommitError, Settling, StoreError, Transaction, settle},
    web,
};

use crate::{
    Console,
    form::Fields,
    frame::{Frame, Head, Moment, Section},
    guard::Administrator,
    page::{self, Otherwise},
};

const PATH: &str = "/settings/identity";

#[derive(Template)]
#[template(path = "identity.html")]
struct ListPage {
    head: Head,
    frame: Frame,
    domains: Vec<Shown>,
    most: u32,
    /// What was entered, where it was refused, and why.
    refused: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "domain.html")]
struct DomainPage {
    head: Head,
    frame: Frame,
    domain: Shown,
    notice: Option<String>,
}

#[derive(Template)]
#[template(path = "remove-domain.html")]
struct RemovePage {
    head: Head,
    frame: Frame,
    domain: Shown,
}

/// A claim, as pages show it.
struct Shown {
    name: String,
    unicode: Option<String>,
    status: Status,
    explanation: String,
    record_name: String,
    record_value: String,
    checked_at: Option<Moment>,
    findings: Vec<Finding>,
}

/// Where a claim stands, in a word and a colour that says the same.
struct Status {
    word: &'static str,
    tone: &'static str,
    state: ClaimState,
}

struct Finding {
    perspective: String,
    source: &'static str,
    seen: &'static str,
    is_found: bool,
    explanation: String,
    values: Vec<String>,
}

impl From<DomainClaim> for Shown {
    fn from(claim: DomainClaim) -> Self {
        let explanation = claim.explain();
        let DomainClaim { domain, challenge, state, evidence, .. } = claim;
        let unicode = Some(domain.to_unicode()).filter(|unicode| unicode != domain.as_str());
        let (checked_at, findings) = evidence.map(|Evidence { at, findings, .. }| (Moment(at), findings)).unzip();
        let finding = |finding: domain::Finding| Finding {
            explanation: finding.explain(&challenge),
            source: match finding.source {
                Source::Zone => "One of the zone's own servers",
                Source::Resolver => "Resolver",
            },
            seen: match finding.outcome {
                Outcome::Found => "Seen",
                Outcome::NotAsked => "Not asked",
                _ => "Not seen",
            },
            is_found: finding.outcome == Outcome::Found,
            perspective: finding.perspective,
            values: finding.values,
        };
        let findings = findings.unwrap_or_default().into_iter().map(finding).collect();
        Self {
            name: domain.to_string(),
            unicode,
            status: Status::of(state),
            explanation,
            record_name: challenge.name,
            record_value: challenge.value,
            checked_at,
            findings,
        }
    }
}

impl Status {
    fn of(state: ClaimState) -> Self {
        let (word, tone) = match state {
            ClaimState::Pending => ("Pending", "waiting"),
            ClaimState::Verified { .. } => ("Verified", "good"),
            ClaimState::Failed { .. } => ("Failed", "bad"),
            ClaimState::Lapsed { .. } => ("Lapsed", "bad"),
            ClaimState::Conflict { .. } => ("Conflict", "bad"),
        };
        Self { word, tone, state }
    }
}

/// What stands in the way of a change.
#[derive(Clone, Debug)]
enum Obstacle {
    Domain(DomainError),
    Unavailable(Arc<StoreError>),
}

/// `GET /settings`, and where a form is that was refused, once the page is loaded again.
pub(crate) async fn home() -> Response {
    page::see(PATH)
}

/// `GET /settings/identity`.
pub(crate) async fn list(State(app): State<Arc<App>>, administrator: Administrator) -> Result<Response, Otherwise> {
    list_page(&app, &administrator, None).await
}

async fn list_page(
    app: &App,
    administrator: &Administrator,
    refused: Option<(String, String)>,
) -> Result<Response, Otherwise> {
    let claims = app.store.domain_claims(administrator.authority.parent);
    let (frame, claims) = tokio::try_join!(Frame::of(app, administrator, Section::Domains), claims)?;
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let domains = claims.into_iter().map(Shown::from).collect();
    let shown = ListPage { head: Head::new("Identity"), frame, domains, most: MAX_DOMAINS, refused };
    Ok(page::page(status, &shown))
}

/// `POST /settings/identity/domains`: claims a domain.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    fields: Fields,
) -> Result<Response, Otherwise> {
    let given = fields.text("domain");
    let refused = |why: &dyn std::fmt::Display| {
        let given = given.chars().take(253).collect();
        list_page(&app, &administrator, Some((given, web::sentence(&why.to_string()))))
    };
    let domain = match given.parse::<DomainName>() {
        Ok(domain) => domain,
        Err(error) => return refused(&error).await,
    };
    let parent = administrator.authority.parent;
    let also = |_: &mut Transaction<Obstacle>, _: &Claimed| Ok(());
    match settle(|| domain::claim_domain(&app, parent, &domain, administrator.visitor.actor(), also)).await {
        Ok(claimed) => Ok(page::see(&format!("{PATH}/domains/{}", claimed.claim.domain))),
        Err(Obstacle::Domain(DomainError::Refused(error))) => refused(&error).await,
        Err(obstacle) => Ok(obstacle.page()),
    }
}

/// `GET /settings/identity/domains/{domain}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    Path(domain): Path<String>,
) -> Result<Response, Otherwise> {
    domain_page(&app, &administrator, &domain, None).await
}

async fn domain_page(
    app: &App,
    administrator: &Administrator,
    domain: &str,
    notice: Option<TooSoon>,
) -> Result<Response, Otherwise> {
    let Some((frame, domain)) = load(app, administrator, domain).await? else { return Ok(page::not_found()) };
    let status = if notice.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
    let head = Head::new(domain.name.clone());
    let words = notice.map(|notice| web::sentence(&notice.to_string()));
    let mut response = page::page(status, &DomainPage { head, frame, domain, notice: words });
    if let Some(notice) = notice {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(notice.retry_after));
    }
    Ok(response)
}

/// The claim, with what surrounds it; none where the parent has no such claim.
async fn load(app: &App, administrator: &Administrator, domain: &str) -> Result<Option<(Frame, Shown)>, StoreError> {
    let Ok(domain) = domain.parse::<DomainName>() else { return Ok(None) };
    let claim = app.store.domain_claim(administrator.authority.parent, &domain);
    let (frame, claim) = tokio::try_join!(Frame::of(app, administrator, Section::Domains), claim)?;
    Ok(claim.map(|claim| (frame, Shown::from(claim.value))))
}

/// `POST /settings/identity/domains/{domain}/refresh`: asks DNS now.
pub(crate) async fn refresh(
    State(Console { app, resolver }): State<Console>,
    administrator: Administrator,
    Path(domain): Path<String>,
) -> Result<Response, Otherwise> {
    let Ok(name) = domain.parse::<DomainName>() else { return Ok(page::not_found()) };
    match look_up(&app, &resolver, &administrator, &name).await {
        Ok(()) => Ok(page::see(&format!("{PATH}/domains/{name}#findings"))),
        Err(Obstacle::Domain(DomainError::TooSoon(error))) => {
            domain_page(&app, &administrator, &domain, Some(error)).await
        }
        Err(obstacle) => Ok(obstacle.page()),
    }
}

async fn look_up(
    app: &App,
    resolver: &Resolver,
    administrator: &Administrator,
    name: &DomainName,
) -> Result<(), Obstacle> {
    let parent = administrator.authority.parent;
    let begun = domain::begin_lookup::<Obstacle>(app, app.store.domain_claim(parent, name).await?).await?;
    let findings = resolver.look_up(name, &begun.challenge).await;
    let evidence = Evidence { at: app.clock.now(), findings };
    let (actor, also) = (administrator.visitor.actor(), |_: &mut Transaction<Obstacle>, _: &DomainClaim| Ok(()));
    settle(|| domain::settle_evidence(app, parent, name, &evidence, actor, also)).await?;
    Ok(())
}

/// `GET /settings/identity/domains/{domain}/refresh`: where somebody is who loads the answer to the form again.
pub(crate) async fn back(Path(domain): Path<String>) -> Response {
    domain.parse::<DomainName>().map_or_else(|_| page::not_found(), |name| page::see(&format!("{PATH}/domains/{name}")))
}

/// `GET /settings/identity/domains/{domain}/remove`: what it would mean.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    Path(domain): Path<String>,
) -> Result<Response, Otherwise> {
    let Some((frame, domain)) = load(&app, &administrator, &domain).await? else { return Ok(page::not_found()) };
    let head = Head::new(format!("Remove {}", domain.name));
    Ok(page::page(StatusCode::OK, &RemovePage { head, frame, domain }))
}

/// `POST /settings/identity/domains/{domain}/remove`.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    Path(domain): Path<String>,
) -> Response {
    let Ok(name) = domain.parse::<DomainName>() else { return page::not_found() };
    let (parent, actor) = (administrator.authority.parent, administrator.visitor.actor());
    match settle(|| domain::remove_domain::<Obstacle>(&app, parent, &name, actor)).await {
        Ok(()) => page::see(PATH),
        Err(obstacle) => obstacle.page(),
    }
}

impl Obstacle {
    fn page(&self) -> Response {
        match self {
            Self::Domain(DomainError::NoParent | DomainError::NoClaim) => page::not_found(),
            Self::Domain(error) => page::refuse(
                StatusCode::CONFLICT,
                "Nothing was changed",
                &web::sentence(&error.to_string()),
                "Look at it again, and repeat it if it is still to be done.",
                (PATH, "Identity settings"),
            ),
            Self::Unavailable(error) => page::unavailable(error),
        }
    }
}

impl Settling for Obstacle {
    fn is_changed(&self) -> bool {
        matches!(self, Self::Domain(DomainError::Changed))
    }
}

impl From<DomainError> for Obstacle {
    fn from(error: DomainError) -> Self {
        Self::Domain(error)
    }
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl From<CommitError<Self>> for Obstacle {
    fn from(error: CommitError<Self>) -> Self {
        match error {
            CommitError::Refused(obstacle) => obstacle,
            CommitError::Contended => Self::Domain(DomainError::Changed),
            CommitError::Store(error) => error.into(),
        }
    }
}
