//! `/organizations`: customers' tenants.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    account::Address,
    app::App,
    clock::Timestamp,
    id::{AccountId, OrganizationId, ParentId},
    journal::{Action, Actor, Entry},
    operation::Operation,
    organization::{self, Name},
    surface::{Surface, SurfaceId},
    table::{Stored, Transaction},
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle, once},
    provisioning::Provisioning,
    request::{Path, Submission},
};

/// An organization to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganization {
    /// Its name: 1 to 200 characters.
    #[schema(example = "Example Corp", max_length = 200)]
    name: String,
    /// The surface it is on, one of the deployment's.
    #[schema(example = "claudeai")]
    surface: String,
    /// The e-mail address of its primary owner, who gets an account if there is none.
    #[schema(example = "ada@example.com", format = Email)]
    primary_owner: String,
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Organization {
    /// Its identifier.
    #[schema(value_type = String, example = "org_9c9b0adae0b14d6e8b5a3f0c7d21e4f6")]
    id: OrganizationId,
    /// The parent organization it is under.
    #[schema(value_type = String, example = "par_1f0e2d3c4b5a69788796a5b4c3d2e1f0")]
    parent_id: ParentId,
    /// Its name.
    #[schema(value_type = String, example = "Example Corp")]
    name: Name,
    /// Its surface.
    #[schema(value_type = String, example = "claudeai")]
    surface: SurfaceId,
    /// What stands for it in the names of its groups: the first eight digits of its identifier.
    #[schema(example = "9c9b0ada")]
    group_suffix: String,
    /// Its primary owner.
    primary_owner: PrimaryOwner,
    /// How people join it.
    provisioning: Provisioning,
    /// When it came to be.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// An organization's primary owner.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrimaryOwner {
    /// The account.
    #[schema(value_type = String, example = "acc_5d41402abc4b2a76b9719d911017c592")]
    account: AccountId,
    /// Its e-mail address.
    #[schema(value_type = String, format = Email, example = "ada@example.com")]
    email: Address,
}

impl Organization {
    fn of(organization: organization::Organization, owner: Address) -> Self {
        Self {
            id: organization.id,
            parent_id: organization.parent,
            name: organization.name,
            surface: organization.surface,
            group_suffix: organization.id.short(),
            primary_owner: PrimaryOwner { account: organization.primary_owner, email: owner },
            provisioning: organization.provisioning.into(),
            created_at: organization.created_at,
        }
    }
}

/// What a new organization is made of.
struct Founders<'a> {
    name: Name,
    surface: &'a Surface,
    primary_owner: Address,
}

impl Founders<'_> {
    fn read<'a>(asked: &NewOrganization, app: &'a App) -> Result<Founders<'a>, Problem> {
        Ok(Founders {
            name: asked.name.parse().map_err(|error| Problem::invalid("/name", &error))?,
            surface: named_surface(&asked.surface, app).map_err(|error| Problem::invalid("/surface", &error))?,
            primary_owner: asked.primary_owner.parse().map_err(|error| Problem::invalid("/primary_owner", &error))?,
        })
    }
}

/// Creates an organization
///
/// It comes with a parent organization of its own and with its primary owner as its only member, who has the surface's
/// highest role. People are added to it by hand until its provisioning is set otherwise.
#[utoipa::path(
    post,
    path = "/organizations",
    operation_id = "create_organization",
    tag = "Organizations",
    request_body = NewOrganization,
    responses((status = 201, description = "The organization.", body = Organization))
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Submission { operation, body }: Submission<NewOrganization>,
) -> Result<Answer, Problem> {
    let founders = Founders::read(&body, &app)?;
    once(&app, &operation, || found(&app, &operation, &founders)).await
}

async fn found(app: &App, operation: &Operation, founders: &Founders<'_>) -> Result<Answer, Obstacle> {
    let Founders { name, surface, primary_owner } = founders;
    let now = app.clock.now();
    let person = app.store.person(&primary_owner.folded()).await?;
    let existing = person.account.as_ref().map(|account| &account.value);
    let founding = organization::found(name.clone(), surface, primary_owner, existing, now, &app.random);
    let owner = founding.membership.email.clone();
    let organization = Organization::of(founding.organization.clone(), owner);
    let answer = Answer::new(StatusCode::CREATED, &organization)?;
    let entry = Entry { trail: founding.parent.id.into(), actor: Actor::Operator, at: now };
    let mut transaction = Transaction::default();
    transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
    transaction.found(&founding, Obstacle::Changed);
    transaction.record(&entry.event(Action::OrganizationCreated, &organization.id, (), &organization, &app.random));
    let (account, membership) = (&founding.membership.account, &founding.membership);
    transaction.record(&entry.event(Action::MemberAdded, account, (), membership, &app.random));
    app.store.commit(transaction).await?;
    Ok(answer)
}

/// Shows an organization
#[utoipa::path(
    get,
    path = "/organizations/{id}",
    operation_id = "get_organization",
    tag = "Organizations",
    params(("id" = String, Path, description = "The organization's identifier.")),
    responses(
        (status = 200, description = "The organization.", body = Organization),
        (status = 404, description = "`not-found`: there is no such organization.")
    )
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<OrganizationId>) -> Result<Answer, Problem> {
    let Stored { value: organization, .. } = find(id, &app).await?;
    let owner = app.store.member(id, organization.primary_owner).await?.ok_or_else(|| {
        tracing::error!(organization = %id, "its primary owner is not a member");
        Problem::unavailable()
    })?;
    Answer::new(StatusCode::OK, &Organization::of(organization, owner.value.email))
}

/// The organization of this id.
///
/// # Errors
/// A problem where there is none.
pub(crate) async fn find(id: OrganizationId, app: &App) -> Result<Stored<organization::Organization>, Problem> {
    app.store.organization(id).await?.ok_or_else(|| Problem::not_found("organization"))
}

/// The surface of this name.
///
/// # Errors
/// Which ones there are.
pub(crate) fn named_surface<'a>(name: &str, app: &'a App) -> Result<&'a Surface, String> {
    let surfaces = &app.settings.surfaces;
    surfaces.get(name).ok_or_else(|| {
        let known: Vec<_> = surfaces.iter().map(|surface| surface.id.as_str()).collect();
        format!("There is no such surface; the surfaces are {}.", known.join(", "))
    })
}

/// The surface that an organization is on.
///
/// # Errors
/// A problem where the deployment does not have it any more.
pub(crate) fn surface_of<'a>(organization: &organization::Organization, app: &'a App) -> Result<&'a Surface, Problem> {
    app.settings.surfaces.get(organization.surface.as_str()).ok_or_else(|| {
        tracing::error!(surface = %organization.surface, "an organization is on a surface that is not configured");
        Problem::unavailable()
    })
}
