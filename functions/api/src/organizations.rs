//! Organizations.

use axum::{Json, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use vestibule::{
    account::Address,
    clock::Timestamp,
    id::{AccountId, OrganizationId, ParentId},
    journal::{Action, Actor, Entry},
    organization::{Name, Organization, TeamError, found},
    provisioning::Provisioning,
    surface::{Surface, SurfaceId},
    table::{Stored, Transaction},
    web::Problem,
};

use crate::{
    Api,
    post::{Answer, Post, Refused},
    request::Ids,
};

/// A new organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganization {
    /// Its name, as people see it: 1 to 200 characters.
    name: String,
    /// The surface it is on.
    surface: String,
    /// The e-mail address of its primary owner.
    primary_owner: String,
}

/// An organization.
#[derive(Debug, Serialize)]
pub(crate) struct OrganizationView {
    id: OrganizationId,
    parent_id: ParentId,
    name: Name,
    surface: SurfaceId,
    /// The eight digits in the names of the organization's groups.
    group_suffix: String,
    /// The account of its primary owner.
    primary_owner: AccountId,
    provisioning: Provisioning,
    created_at: Timestamp,
}

impl From<&Organization> for OrganizationView {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id,
            parent_id: organization.parent,
            name: organization.name.clone(),
            surface: organization.surface.clone(),
            group_suffix: organization.id.short(),
            primary_owner: organization.primary_owner,
            provisioning: organization.provisioning,
            created_at: organization.created_at,
        }
    }
}

/// `POST /organizations`: creates an organization with a parent of its own and its primary owner.
pub(crate) async fn create(State(api): State<Api>, post: Post<NewOrganization>) -> Result<Response, Problem> {
    if let Some(answer) = post.carried(&api).await? {
        return Ok(answer);
    }
    let app = &api.app;
    let name: Name = post.body.name.parse().map_err(|error| Problem::invalid("/name", &error))?;
    let surface = surface(&api, "/surface", &post.body.surface)?;
    let owner: Address = post.body.primary_owner.parse().map_err(|error| Problem::invalid("/primary_owner", &error))?;

    let person = app.store.person(&owner.folded()).await?;
    let existing = person.account.map(|account| account.value);
    let founding = found(name, surface, &owner, existing.as_ref(), app.clock.now(), &app.random);

    let entry = Entry { parent: founding.parent.id, actor: Actor::Operator, at: founding.organization.created_at };
    let organization = &founding.organization;
    let event = entry.event(Action::OrganizationCreated, &organization.id, (), organization, &app.random);
    let joined = entry.event(Action::MemberAdded, &founding.membership.account, (), &founding.membership, &app.random);
    let mut transaction = Transaction::default();
    transaction.found(&founding, Refused::By(TeamError::Changed));
    transaction.record(&event);
    transaction.record(&joined);
    let answer = Answer::created(&OrganizationView::from(organization))?;
    post.commit(&api, transaction, answer, |error| team_problem(&error)).await
}

/// `GET /organizations/{id}`.
pub(crate) async fn show(
    State(api): State<Api>,
    Ids((id,)): Ids<(OrganizationId,)>,
) -> Result<Json<OrganizationView>, Problem> {
    Ok(Json(OrganizationView::from(&load(&api, id).await?.value)))
}

/// The organization, or that there is none.
pub(crate) async fn load(api: &Api, id: OrganizationId) -> Result<Stored<Organization>, Problem> {
    api.app.store.organization(id).await?.ok_or_else(|| Problem::not_found("organization"))
}

/// The surface of this name, or which ones there are.
pub(crate) fn surface<'a>(api: &'a Api, pointer: &str, name: &str) -> Result<&'a Surface, Problem> {
    let surfaces = &api.app.settings.surfaces;
    surfaces.get(name).ok_or_else(|| {
        let known: Vec<_> = surfaces.iter().map(|surface| surface.id.as_str()).collect();
        Problem::invalid(pointer, &format!("there is no such surface; the surfaces are {}", known.join(", ")))
    })
}

/// The surface that an organization is on.
pub(crate) fn surface_of<'a>(api: &'a Api, organization: &Organization) -> Result<&'a Surface, Problem> {
    api.app.settings.surfaces.get(organization.surface.as_str()).ok_or_else(|| {
        tracing::error!(organization = %organization.id, "its surface is no longer configured");
        Problem::unavailable()
    })
}

/// A refusal of the team's rules as a problem.
pub(crate) fn team_problem(error: &TeamError) -> Problem {
    match error {
        TeamError::UnknownRole(_) => Problem::invalid("/role", error),
        TeamError::NotMember => Problem::not_found("member"),
        TeamError::AlreadyMember => Problem::conflict("already-member", error),
        TeamError::PrimaryOwner => Problem::conflict("primary-owner", error),
        TeamError::LastAdministrator => Problem::conflict("last-administrator", error),
        TeamError::Changed => Problem::conflict("changed", error),
    }
}
