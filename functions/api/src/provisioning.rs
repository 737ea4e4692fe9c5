//! How people join an organization.

use axum::{Json, extract::State};
use serde::Deserialize;
use vestibule::{
    id::OrganizationId,
    journal::{Action, Actor, Entry},
    organization::{Organization, TeamError},
    provisioning::{Mode, Provisioning, ProvisioningError},
    table::Transaction,
    web::Problem,
};

use crate::{
    Api,
    organizations::{load, team_problem},
    post::uncommitted,
    request::{Body, Ids},
};

/// Provisioning options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProvisioning {
    /// How people join.
    mode: Mode,
    /// Whether groups decide who joins and with what role.
    #[serde(default)]
    group_mappings: bool,
}

/// `GET /organizations/{id}/provisioning`.
pub(crate) async fn show(
    State(api): State<Api>,
    Ids((id,)): Ids<(OrganizationId,)>,
) -> Result<Json<Provisioning>, Problem> {
    Ok(Json(load(&api, id).await?.value.provisioning))
}

/// `PUT /organizations/{id}/provisioning`. Switching between the modes of this release adds and removes nobody.
pub(crate) async fn change(
    State(api): State<Api>,
    Ids((id,)): Ids<(OrganizationId,)>,
    Body(new): Body<NewProvisioning>,
) -> Result<Json<Provisioning>, Problem> {
    let app = &api.app;
    let provisioning = Provisioning { mode: new.mode, group_mappings: new.group_mappings };
    let provisioning = provisioning.check().map_err(|error| match error {
        ProvisioningError::MappingsInManualMode => Problem::invalid("/group_mappings", &error),
        ProvisioningError::NotInThisRelease => Problem::invalid("/mode", &error),
    })?;
    let before = load(&api, id).await?;
    if before.value.provisioning == provisioning {
        return Ok(Json(provisioning));
    }
    let entry = Entry { parent: before.value.parent, actor: Actor::Operator, at: app.clock.now() };
    let action = Action::ProvisioningChanged;
    let event = entry.event(action, &id, before.value.provisioning, provisioning, &app.random);
    let organization = Organization { provisioning, ..before.value };
    let mut transaction = Transaction::default();
    transaction.replace_organization(&organization, before.version, TeamError::Changed);
    transaction.record(&event);
    let committed = app.store.commit(transaction).await;
    committed.map_err(|error| uncommitted(error, |error| team_problem(&error)))?;
    Ok(Json(provisioning))
}
