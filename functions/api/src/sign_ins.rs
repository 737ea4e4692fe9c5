//! Attempts to sign in, with their traces.

use axum::{Json, extract::State};
use serde::Serialize;
use vestibule::{
    account::Address,
    clock::Timestamp,
    id::{ApplicationId, ConnectionId, ParentId, Reference},
    login::Attempt,
    saml::{Reason, Trace},
    web::Problem,
};

use crate::{
    Api,
    page::{Listing, Paging},
    request::{Ids, Parameters},
};

/// `GET /parents/{id}/sign-ins`: attempts of the last seven days, newest first.
pub(crate) async fn list(
    State(api): State<Api>,
    Ids((id,)): Ids<(ParentId,)>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Listing<AttemptView>>, Problem> {
    let of = format!("sign-ins:{id}");
    let (limit, after) = (paging.limit()?, paging.after(&api, &of)?);
    let store = &api.app.store;
    let (parent, mut page) = tokio::try_join!(store.parent(id), store.attempts(id, after.as_deref(), limit))?;
    parent.ok_or_else(|| Problem::not_found("parent organization"))?;
    // What has ended is gone, even where the table has not been cleaned yet.
    let now = api.app.clock.now();
    page.items.retain(|attempt| now < attempt.value.kept_until());
    Ok(Json(Listing::of(&api, &of, page, AttemptView::from)))
}

/// An attempt.
#[derive(Debug, Serialize)]
pub(crate) struct AttemptView {
    /// The number that the person was shown.
    reference: Reference,
    connection: ConnectionId,
    application: Option<ApplicationId>,
    /// Known only where it is on a domain of this parent.
    email: Option<Address>,
    at: Timestamp,
    /// Why it was refused; null when it was accepted.
    reason: Option<Reason>,
    /// All checks, in order.
    checks: Trace,
}

impl From<Attempt> for AttemptView {
    fn from(Attempt { reference, connection, application, email, at, reason, checks, .. }: Attempt) -> Self {
        Self { reference, connection, application, email, at, reason, checks }
    }
}
