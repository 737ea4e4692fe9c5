//! `/parents/{id}/events` and `/events`: the audit trails of a parent and of the deployment.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    id::{AccountId, EventId, ParentId},
    journal::{self, Trail},
    web::Problem,
};

use crate::{
    once::Answer,
    page::{Page, PageQuery},
    request::{Path, Query},
};

/// An entry of an audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Its identifier.
    #[schema(value_type = String, example = "evt_900150983cd24fb0d6963f7d28e17f72")]
    id: EventId,
    /// When the change was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who made it.
    actor: Actor,
    /// What happened: a noun and a past participle. Clients must expect further ones.
    #[schema(value_type = String, example = "member.added")]
    action: journal::Action,
    /// What it happened to: an identifier or a domain name; for our keys, the fingerprint of the certificate that signs next.
    #[schema(example = "acc_5d41402abc4b2a76b9719d911017c592")]
    subject: String,
    /// What was changed as it was before; null for something new.
    before: Value,
    /// What was changed as it is since; null for something removed.
    after: Value,
}

/// Who made a change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actor {
    /// What kind of actor it was.
    #[serde(rename = "type")]
    kind: ActorKind,
    /// The account, where it was a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "acc_5d41402abc4b2a76b9719d911017c592")]
    id: Option<AccountId>,
}

/// A kind of actor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActorKind {
    /// The vendor's staff or backend, through this API.
    Operator,
    /// A person, by signing in.
    Account,
    /// The product itself, on a schedule.
    System,
}

impl From<journal::Event> for Event {
    fn from(event: journal::Event) -> Self {
        let journal::Event { id, at, actor, action, subject, before, after, .. } = event;
        let actor = match actor {
            journal::Actor::Operator => Actor { kind: ActorKind::Operator, id: None },
            journal::Actor::Account { id } => Actor { kind: ActorKind::Account, id: Some(id) },
            journal::Actor::System => Actor { kind: ActorKind::System, id: None },
        };
        Self { id, at, actor, action, subject, before, after }
    }
}

/// Lists the audit trail
///
/// Every change of what a parent organization and its organizations are, newest first.
#[utoipa::path(
    get,
    path = "/parents/{id}/events",
    operation_id = "list_events",
    tag = "Parent organizations",
    params(("id" = String, Path, description = "The parent organization's identifier."), PageQuery),
    responses(
        (status = 200, description = "A page of the audit trail.", body = Page<Event>),
        (status = 404, description = "`not-found`: there is no such parent organization."),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<ParentId>,
    Query(query): Query<PageQuery>,
) -> Result<Answer, Problem> {
    let place = query.of(&format!("events {id}"), &app)?;
    let read = app.store.events(id, place.after.as_deref(), place.limit);
    let parent = ("parent organization", app.store.parent(id));
    Answer::new(StatusCode::OK, &place.page_of(parent, read, Event::from, &app).await?)
}

/// Lists the deployment's audit trail
///
/// Every change of what all customers have in common, such as applications and our keys towards identity providers, newest
/// first.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "list_deployment_events",
    tag = "Deployment",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the audit trail.", body = Page<Event>),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list_of_deployment(
    State(app): State<Arc<App>>,
    Query(query): Query<PageQuery>,
) -> Result<Answer, Problem> {
    let place = query.of("events", &app)?;
    let page = app.store.events(Trail::Deployment, place.after.as_deref(), place.limit).await?;
    Answer::new(StatusCode::OK, &place.page(page, Event::from, &app))
}
