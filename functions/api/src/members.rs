//! Members of an organization.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use vestibule::{
    account::{Address, Membership, Source},
    clock::Timestamp,
    id::{AccountId, OrganizationId},
    journal::{Action, Actor, Entry},
    organization::{Organization, TeamError, new_account},
    surface::Role,
    table::{Stored, Transaction},
    web::Problem,
};

use crate::{
    Api,
    organizations::{load, surface_of, team_problem},
    page::{Listing, Paging},
    post::{Answer, Post, Refused, uncommitted},
    request::{Body, Ids, Parameters},
};

/// A new member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// The person's e-mail address.
    email: String,
    /// The role; the surface's default role where none is given.
    role: Option<String>,
}

/// A change of a member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// The role from now on.
    role: String,
}

/// A member.
#[derive(Debug, Serialize)]
pub(crate) struct MemberView {
    account: AccountId,
    email: Address,
    role: Role,
    source: Source,
    since: Timestamp,
}

impl From<Membership> for MemberView {
    fn from(Membership { account, email, role, source, since, .. }: Membership) -> Self {
        Self { account, email, role, source, since }
    }
}

/// `GET /organizations/{id}/members`, in the order of their account ids.
pub(crate) async fn list(
    State(api): State<Api>,
    Ids((id,)): Ids<(OrganizationId,)>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Listing<MemberView>>, Problem> {
    let of = format!("members:{id}");
    let (limit, after) = (paging.limit()?, paging.after(&api, &of)?);
    let store = &api.app.store;
    let (place, page) = tokio::try_join!(store.place(id), store.members(id, after.as_deref(), limit))?;
    place.ok_or_else(|| Problem::not_found("organization"))?;
    Ok(Json(Listing::of(&api, &of, page, MemberView::from)))
}

/// `POST /organizations/{id}/members`: adds a person by hand, who gets an account if there is none of that address.
pub(crate) async fn add(
    State(api): State<Api>,
    Ids((id,)): Ids<(OrganizationId,)>,
    post: Post<NewMember>,
) -> Result<Response, Problem> {
    if let Some(answer) = post.carried(&api).await? {
        return Ok(answer);
    }
    let app = &api.app;
    let email: Address = post.body.email.parse().map_err(|error| Problem::invalid("/email", &error))?;
    let folded = email.folded();
    let person = async { Ok(app.store.person(&folded).await?) };
    let (organization, person) = tokio::try_join!(load(&api, id), person)?;
    let surface = surface_of(&api, &organization.value)?;
    let role = post.body.role.as_deref().unwrap_or(surface.default_role.as_str());
    let (after, role) = organization.value.with_member(surface, role).map_err(|error| team_problem(&error))?;
    if person.membership(id).is_some() {
        return Err(team_problem(&TeamError::AlreadyMember));
    }

    let now = app.clock.now();
    let changed = Refused::By(TeamError::Changed);
    let mut transaction = Transaction::default();
    let account = if let Some(account) = person.account {
        account.value
    } else {
        let account = new_account(&email, now, &app.random);
        transaction.create_account(&account, changed.clone());
        account
    };
    let membership = Membership {
        account: account.id,
        email: account.email,
        organization: id,
        role,
        source: Source::Manual,
        since: now,
    };
    transaction.create_membership(&membership, Refused::By(TeamError::AlreadyMember));
    keep_count(&mut transaction, &organization, &after, changed);
    let entry = Entry { parent: after.parent, actor: Actor::Operator, at: now };
    transaction.record(&entry.event(Action::MemberAdded, &membership.account, (), &membership, &app.random));
    let answer = Answer::created(&MemberView::from(membership))?;
    post.commit(&api, transaction, answer, |error| team_problem(&error)).await
}

/// `PATCH /organizations/{id}/members/{account}`: gives a member another role.
pub(crate) async fn change(
    State(api): State<Api>,
    Ids((id, account)): Ids<(OrganizationId, AccountId)>,
    Body(change): Body<MemberChange>,
) -> Result<Json<MemberView>, Problem> {
    let app = &api.app;
    let (organization, member) = load_member(&api, id, account).await?;
    let surface = surface_of(&api, &organization.value)?;
    let (after, membership) =
        organization.value.with_role(surface, &member.value, &change.role).map_err(|error| team_problem(&error))?;
    if membership == member.value {
        return Ok(Json(membership.into()));
    }
    let mut transaction = Transaction::default();
    transaction.replace_membership(&membership, member.version, TeamError::Changed);
    keep_count(&mut transaction, &organization, &after, TeamError::Changed);
    let entry = Entry { parent: after.parent, actor: Actor::Operator, at: app.clock.now() };
    let event = entry.event(Action::MemberRoleChanged, &account, &member.value, &membership, &app.random);
    transaction.record(&event);
    let committed = app.store.commit(transaction).await;
    committed.map_err(|error| uncommitted(error, |error| team_problem(&error)))?;
    Ok(Json(membership.into()))
}

/// `DELETE /organizations/{id}/members/{account}`: ends a membership, and with it every session and grant on it.
pub(crate) async fn remove(
    State(api): State<Api>,
    Ids((id, account)): Ids<(OrganizationId, AccountId)>,
) -> Result<StatusCode, Problem> {
    let app = &api.app;
    let (organization, member) = load_member(&api, id, account).await?;
    let surface = surface_of(&api, &organization.value)?;
    let after = organization.value.without(surface, &member.value).map_err(|error| team_problem(&error))?;
    let mut transaction = Transaction::default();
    transaction.delete_membership(&member.value, member.version, TeamError::Changed);
    keep_count(&mut transaction, &organization, &after, TeamError::Changed);
    let entry = Entry { parent: after.parent, actor: Actor::Operator, at: app.clock.now() };
    transaction.record(&entry.event(Action::MemberRemoved, &account, &member.value, (), &app.random));
    let committed = app.store.commit(transaction).await;
    committed.map_err(|error| uncommitted(error, |error| team_problem(&error)))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn load_member(
    api: &Api,
    id: OrganizationId,
    account: AccountId,
) -> Result<(Stored<Organization>, Stored<Membership>), Problem> {
    let member = async { Ok(api.app.store.member(id, account).await?) };
    let (organization, member) = tokio::try_join!(load(api, id), member)?;
    Ok((organization, member.ok_or_else(|| team_problem(&TeamError::NotMember))?))
}

/// Writes the organization only when its count of administrators changed: it is read at every sign-in, and who adds
/// ordinary members side by side must not be in each other's way.
fn keep_count<E: Clone>(
    transaction: &mut Transaction<E>,
    before: &Stored<Organization>,
    after: &Organization,
    changed: E,
) {
    if before.value != *after {
        transaction.replace_organization(after, before.version, changed);
    }
}
