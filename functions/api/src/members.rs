//! `/organizations/{id}/members`: who is in an organization, and with what role.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    account::{self, Address, Membership},
    app::App,
    clock::Timestamp,
    id::{AccountId, OrganizationId},
    journal::{Action, Actor, Entry},
    operation::Operation,
    organization::{self, Organization, TeamError},
    surface::Role,
    table::{Stored, Transaction, settle},
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle, once},
    organizations,
    page::{Page, PageQuery},
    problems::of_team,
    request::{Body, Path, Query, Submission},
};

/// A member to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// The person's e-mail address. An address without an account gets one.
    #[schema(example = "grace@example.com", format = Email)]
    email: String,
    /// The role, one of the surface's; its default role where none is given.
    #[schema(example = "user")]
    role: Option<String>,
}

/// What to change of a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// The role, one of the surface's.
    #[schema(example = "admin")]
    role: String,
}

/// A member of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The account.
    #[schema(value_type = String, example = "acc_5d41402abc4b2a76b9719d911017c592")]
    account: AccountId,
    /// Its e-mail address.
    #[schema(value_type = String, format = Email, example = "grace@example.com")]
    email: Address,
    /// The role on the organization's surface.
    #[schema(value_type = String, example = "user")]
    role: Role,
    /// How the membership came to be.
    source: Source,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// How a membership came to be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// Added by hand.
    Manual,
    /// Joined at a sign-in.
    Jit,
    /// Assigned by the directory.
    Scim,
}

impl From<account::Source> for Source {
    fn from(source: account::Source) -> Self {
        match source {
            account::Source::Manual => Self::Manual,
            account::Source::Jit => Self::Jit,
            account::Source::Scim => Self::Scim,
        }
    }
}

impl From<Membership> for Member {
    fn from(membership: Membership) -> Self {
        Self {
            account: membership.account,
            email: membership.email,
            role: membership.role,
            source: membership.source.into(),
            since: membership.since,
        }
    }
}

/// Adds a member
///
/// Adding somebody lets them sign in; it does not tell them.
#[utoipa::path(
    post,
    path = "/organizations/{id}/members",
    operation_id = "add_member",
    tag = "Organizations",
    params(("id" = String, Path, description = "The organization's identifier.")),
    request_body = NewMember,
    responses(
        (status = 201, description = "The member.", body = Member),
        (status = 404, description = "`not-found`: there is no such organization."),
        (status = 409, description = "`already-member`: the address is a member already.")
    )
)]
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    Submission { operation, body }: Submission<NewMember>,
) -> Result<Answer, Problem> {
    let email = body.email.parse().map_err(|error| Problem::invalid("/email", &error))?;
    once(&app, &operation, || add_once(&app, &operation, id, &email, body.role.as_deref())).await
}

async fn add_once(
    app: &App,
    operation: &Operation,
    id: OrganizationId,
    email: &Address,
    role: Option<&str>,
) -> Result<Answer, Obstacle> {
    let folded = email.folded();
    let (organization, person) = tokio::try_join!(app.store.organization(id), app.store.person(&folded))?;
    let organization = organization.ok_or_else(|| Problem::not_found("organization"))?;
    let before = &organization.value;
    let surface = organizations::surface_of(before, app)?;
    if person.membership(id).is_some() {
        return Err(of_team(&TeamError::AlreadyMember).into());
    }
    let now = app.clock.now();
    let role = role.unwrap_or(surface.default_role.as_str());
    let (after, role) = before.with_member(surface, role).map_err(|error| of_team(&error))?;
    let existing = person.account.map(|account| account.value);
    let new_account = existing.is_none().then(|| organization::new_account(email, now, &app.random));
    let Some(account) = existing.as_ref().or(new_account.as_ref()) else { return Err(Problem::unavailable().into()) };
    let membership = Membership {
        account: account.id,
        email: account.email.clone(),
        organization: id,
        role,
        source: account::Source::Manual,
        since: now,
    };
    let answer = Answer::new(StatusCode::CREATED, &Member::from(membership.clone()))?;
    let mut transaction = Transaction::default();
    transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
    if let Some(account) = &new_account {
        transaction.create_account(account, Obstacle::Changed);
    }
    transaction.create_membership(&membership, Obstacle::Changed);
    if surface.administers(&membership.role) {
        transaction.change_administrators(&organization, &after, &membership, true, Obstacle::Changed);
    }
    let entry = Entry { trail: before.parent.into(), actor: Actor::Operator, at: now };
    transaction.record(&entry.event(Action::MemberAdded, &membership.account, (), &membership, &app.random));
    app.store.commit(transaction).await?;
    Ok(answer)
}

/// Lists the members
///
/// In the order of their accounts' identifiers.
#[utoipa::path(
    get,
    path = "/organizations/{id}/members",
    operation_id = "list_members",
    tag = "Organizations",
    params(("id" = String, Path, description = "The organization's identifier."), PageQuery),
    responses(
        (status = 200, description = "A page of the members.", body = Page<Member>),
        (status = 404, description = "`not-found`: there is no such organization."),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    Query(query): Query<PageQuery>,
) -> Result<Answer, Problem> {
    let place = query.of(&format!("members {id}"), &app)?;
    let read = app.store.members(id, place.after.as_deref(), place.limit);
    let organization = ("organization", app.store.place(id));
    Answer::new(StatusCode::OK, &place.page_of(organization, read, Member::from, &app).await?)
}

/// Changes a member's role
#[utoipa::path(
    patch,
    path = "/organizations/{id}/members/{account}",
    operation_id = "change_member",
    tag = "Organizations",
    params(
        ("id" = String, Path, description = "The organization's identifier."),
        ("account" = String, Path, description = "The member's account.")
    ),
    request_body = MemberChange,
    responses(
        (status = 200, description = "The member as it is now.", body = Member),
        (status = 404, description = "`not-found`: there is no such organization, or no such member of it."),
        (
            status = 409,
            description = "`primary-owner`: the primary owner keeps the role it has.\n\n`last-administrator`: \
                           the organization would be left without one.\n\n`changed`: somebody else changed the same."
        )
    )
)]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path((id, account)): Path<(OrganizationId, AccountId)>,
    Body(body): Body<MemberChange>,
) -> Result<Answer, Problem> {
    let member = settle(|| change_role(&app, id, account, &body.role)).await?;
    Answer::new(StatusCode::OK, &Member::from(member))
}

async fn change_role(app: &App, id: OrganizationId, account: AccountId, role: &str) -> Result<Membership, Obstacle> {
    let (organization, member) = load(app, id, account).await?;
    let surface = organizations::surface_of(&organization.value, app)?;
    let (before, now) = (&organization.value, app.clock.now());
    let (after, changed) = before.with_role(surface, &member.value, role).map_err(|error| of_team(&error))?;
    if changed == member.value {
        return Ok(changed);
    }
    let mut transaction = Transaction::default();
    transaction.replace_membership(&changed, member.version, Obstacle::Changed);
    let administers = surface.administers(&changed.role);
    transaction.change_administrators(&organization, &after, &changed, administers, Obstacle::Changed);
    let entry = Entry { trail: before.parent.into(), actor: Actor::Operator, at: now };
    let event = entry.event(Action::MemberRoleChanged, &account, &member.value, &changed, &app.random);
    transaction.record(&event);
    app.store.commit(transaction).await?;
    Ok(changed)
}

/// Removes a member
///
/// Sessions and grants to this organization end with the membership. The account stays.
#[utoipa::path(
    delete,
    path = "/organizations/{id}/members/{account}",
    operation_id = "remove_member",
    tag = "Organizations",
    params(
        ("id" = String, Path, description = "The organization's identifier."),
        ("account" = String, Path, description = "The member's account.")
    ),
    responses(
        (status = 204, description = "The membership has ended."),
        (status = 404, description = "`not-found`: there is no such organization, or no such member of it."),
        (
            status = 409,
            description = "`primary-owner`: the primary owner can not be removed.\n\n`last-administrator`: the \
                           organization would be left without one.\n\n`changed`: somebody else changed the same."
        )
    )
)]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path((id, account)): Path<(OrganizationId, AccountId)>,
) -> Result<StatusCode, Problem> {
    settle(|| remove_once(&app, id, account)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_once(app: &App, id: OrganizationId, account: AccountId) -> Result<(), Obstacle> {
    let (organization, member) = load(app, id, account).await?;
    let surface = organizations::surface_of(&organization.value, app)?;
    let before = &organization.value;
    let after = before.without(surface, &member.value).map_err(|error| of_team(&error))?;
    let entry = Entry { trail: before.parent.into(), actor: Actor::Operator, at: app.clock.now() };
    let mut transaction = Transaction::default();
    transaction.delete_membership(&member.value, member.version, Obstacle::Changed);
    transaction.change_administrators(&organization, &after, &member.value, false, Obstacle::Changed);
    transaction.record(&entry.event(Action::MemberRemoved, &account, &member.value, (), &app.random));
    app.store.commit(transaction).await?;
    Ok(())
}

async fn load(
    app: &App,
    id: OrganizationId,
    account: AccountId,
) -> Result<(Stored<Organization>, Stored<Membership>), Obstacle> {
    let (organization, member) = tokio::try_join!(app.store.organization(id), app.store.member(id, account))?;
    let organization = organization.ok_or_else(|| Problem::not_found("organization"))?;
    let member = member.ok_or_else(|| of_team(&TeamError::NotMember))?;
    Ok((organization, member))
}
