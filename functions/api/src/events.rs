//! The audit trail.

use axum::{Json, extract::State};
use vestibule::{id::ParentId, journal::Event, web::Problem};

use crate::{
    Api,
    page::{Listing, Paging},
    request::{Ids, Parameters},
};

/// `GET /parents/{id}/events`, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Ids((id,)): Ids<(ParentId,)>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Listing<Event>>, Problem> {
    let of = format!("events:{id}");
    let (limit, after) = (paging.limit()?, paging.after(&api, &of)?);
    let store = &api.app.store;
    let (parent, page) = tokio::try_join!(store.parent(id), store.events(id, after.as_deref(), limit))?;
    parent.ok_or_else(|| Problem::not_found("parent organization"))?;
    Ok(Json(Listing::of(&api, &of, page, |event| event)))
}
