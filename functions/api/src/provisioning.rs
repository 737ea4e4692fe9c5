//! `/organizations/{id}/provisioning`: how people join an organization.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    app::App,
    id::OrganizationId,
    journal::{Action, Actor, Entry},
    organization::Organization,
    provisioning::{self, ProvisioningError},
    table::{Stored, Transaction, settle},
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle},
    organizations,
    request::{Body, Path},
};

/// How people join an organization.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provisioning {
    /// How people join.
    mode: Mode,
    /// Whether groups decide who joins and with what role.
    #[serde(default)]
    #[schema(example = false)]
    group_mappings: bool,
}

/// How people join.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// They are added by hand.
    Manual,
    /// They join at their first sign-in.
    Jit,
    /// The identity provider's directory assigns them.
    Scim,
}

impl From<provisioning::Provisioning> for Provisioning {
    fn from(provisioning::Provisioning { mode, group_mappings }: provisioning::Provisioning) -> Self {
        let mode = match mode {
            provisioning::Mode::Manual => Mode::Manual,
            provisioning::Mode::Jit => Mode::Jit,
            provisioning::Mode::Scim => Mode::Scim,
        };
        Self { mode, group_mappings }
    }
}

impl From<Provisioning> for provisioning::Provisioning {
    fn from(Provisioning { mode, group_mappings }: Provisioning) -> Self {
        let mode = match mode {
            Mode::Manual => provisioning::Mode::Manual,
            Mode::Jit => provisioning::Mode::Jit,
            Mode::Scim => provisioning::Mode::Scim,
        };
        Self { mode, group_mappings }
    }
}

/// Shows how people join an organization
#[utoipa::path(
    get,
    path = "/organizations/{id}/provisioning",
    operation_id = "get_provisioning",
    tag = "Organizations",
    params(("id" = String, Path, description = "The organization's identifier.")),
    responses(
        (status = 200, description = "The options.", body = Provisioning),
        (status = 404, description = "`not-found`: there is no such organization.")
    )
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<OrganizationId>) -> Result<Answer, Problem> {
    let Stored { value: organization, .. } = organizations::find(id, &app).await?;
    Answer::new(StatusCode::OK, &Provisioning::from(organization.provisioning))
}

/// Sets how people join an organization
///
/// Nobody is added or removed by the change itself: it decides on sign-ins from now on.
#[utoipa::path(
    put,
    path = "/organizations/{id}/provisioning",
    operation_id = "set_provisioning",
    tag = "Organizations",
    params(("id" = String, Path, description = "The organization's identifier.")),
    request_body = Provisioning,
    responses(
        (status = 200, description = "The options as they are now.", body = Provisioning),
        (status = 404, description = "`not-found`: there is no such organization."),
        (status = 409, description = "`changed`: somebody else changed the same."),
        (
            status = 422,
            description = "`invalid-value`: the options contradict each other, or this release can not carry them out."
        )
    )
)]
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    Body(body): Body<Provisioning>,
) -> Result<Answer, Problem> {
    let options = provisioning::Provisioning::from(body).check().map_err(|error| {
        let pointer = match error {
            ProvisioningError::MappingsInManualMode => "/group_mappings",
            ProvisioningError::NotInThisRelease => "/mode",
        };
        Problem::invalid(pointer, &error)
    })?;
    settle(|| set_once(&app, id, options)).await?;
    Answer::new(StatusCode::OK, &Provisioning::from(options))
}

async fn set_once(app: &App, id: OrganizationId, options: provisioning::Provisioning) -> Result<(), Obstacle> {
    let Stored { value: before, version } = organizations::find(id, app).await?;
    if before.provisioning == options {
        return Ok(());
    }
    let after = Organization { provisioning: options, ..before.clone() };
    let entry = Entry { trail: before.parent.into(), actor: Actor::Operator, at: app.clock.now() };
    let mut transaction = Transaction::default();
    transaction.replace_organization(&after, version, Obstacle::Changed);
    let (from, to) = (before.provisioning, after.provisioning);
    transaction.record(&entry.event(Action::ProvisioningChanged, &id, from, to, &app.random));
    app.store.commit(transaction).await?;
    Ok(())
}
