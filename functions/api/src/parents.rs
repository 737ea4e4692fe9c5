//! Parent organizations.

use axum::{Json, extract::State};
use serde::Serialize;
use vestibule::{
    clock::Timestamp,
    id::{ConnectionId, ParentId},
    parent::Parent,
    table::Stored,
    web::Problem,
};

use crate::{Api, request::Ids};

/// A parent organization.
#[derive(Debug, Serialize)]
pub(crate) struct ParentView {
    id: ParentId,
    /// Its connection, once there is one.
    connection: Option<ConnectionId>,
    created_at: Timestamp,
}

/// `GET /parents/{id}`.
pub(crate) async fn show(State(api): State<Api>, Ids((id,)): Ids<(ParentId,)>) -> Result<Json<ParentView>, Problem> {
    let Parent { id, connection, created_at, .. } = load(&api, id).await?.value;
    Ok(Json(ParentView { id, connection, created_at }))
}

/// The parent, or that there is none.
pub(crate) async fn load(api: &Api, id: ParentId) -> Result<Stored<Parent>, Problem> {
    api.app.store.parent(id).await?.ok_or_else(|| Problem::not_found("parent organization"))
}
