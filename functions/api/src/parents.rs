//! `/parents/{id}`: parent organizations.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    id::{ConnectionId, OrganizationId, ParentId},
    organization::{Name, Organization},
    surface::SurfaceId,
    web::Problem,
};

use crate::{once::Answer, request::Path};

/// A parent organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Parent {
    /// Its identifier.
    #[schema(value_type = String, example = "par_1f0e2d3c4b5a69788796a5b4c3d2e1f0")]
    id: ParentId,
    /// The organizations under it.
    organizations: Vec<OrganizationName>,
    /// How many domains it claims, verified or not.
    #[schema(example = 1)]
    domains: u32,
    /// Its connection; null before there is one.
    #[schema(value_type = Option<String>, example = "con_8277e0910d750195b448797616e091ad", required)]
    connection: Option<ConnectionId>,
    /// When it came to be.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// An organization, by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganizationName {
    /// Its identifier.
    #[schema(value_type = String, example = "org_9c9b0adae0b14d6e8b5a3f0c7d21e4f6")]
    id: OrganizationId,
    /// Its name.
    #[schema(value_type = String, example = "Example Corp")]
    name: Name,
    /// Its surface.
    #[schema(value_type = String, example = "claudeai")]
    surface: SurfaceId,
}

impl From<Organization> for OrganizationName {
    fn from(Organization { id, name, surface, .. }: Organization) -> Self {
        Self { id, name, surface }
    }
}

/// Shows a parent organization
#[utoipa::path(
    get,
    path = "/parents/{id}",
    operation_id = "get_parent",
    tag = "Parent organizations",
    params(("id" = String, Path, description = "The parent organization's identifier.")),
    responses(
        (status = 200, description = "The parent organization.", body = Parent),
        (status = 404, description = "`not-found`: there is no such parent organization.")
    )
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<ParentId>) -> Result<Answer, Problem> {
    let (parent, organizations) = tokio::try_join!(app.store.parent(id), app.store.organizations(id))?;
    let parent = parent.ok_or_else(|| Problem::not_found("parent organization"))?.value;
    let shown = Parent {
        id,
        organizations: organizations.into_iter().map(|stored| stored.value.into()).collect(),
        domains: parent.domains,
        connection: parent.connection,
        created_at: parent.created_at,
    };
    Answer::new(StatusCode::OK, &shown)
}
