//! The management API: JSON for the operator's backend, errors as problem details (RFC 9457).
//!
//! Every route but the API's own description asks for the operator's key; every POST for an `Idempotency-Key`.

mod applications;
mod events;
mod login_options;
mod members;
mod operator;
mod organizations;
mod page;
mod parents;
mod post;
mod provisioning;
mod request;
mod sign_ins;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, patch, post},
};
use vestibule::{app::App, domain::Resolver, web};

/// Bytes of a request's body: metadata of an identity provider is the largest thing that anybody sends.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// The deployment.
    pub(crate) app: Arc<App>,
    /// How domains are looked up.
    #[expect(dead_code, reason = "the domains' routes come next")]
    pub(crate) resolver: Arc<Resolver>,
}

/// The function's routes.
pub fn router(app: Arc<App>, resolver: Arc<Resolver>) -> Router {
    let routes = Router::new()
        .route("/organizations", post(organizations::create))
        .route("/organizations/{organization}", get(organizations::show))
        .route("/organizations/{organization}/provisioning", get(provisioning::show).put(provisioning::change))
        .route("/organizations/{organization}/members", get(members::list).post(members::add))
        .route("/organizations/{organization}/members/{account}", patch(members::change).delete(members::remove))
        .route("/parents/{parent}", get(parents::show))
        .route("/parents/{parent}/events", get(events::list))
        .route("/parents/{parent}/sign-ins", get(sign_ins::list))
        .route("/applications", get(applications::list).post(applications::create))
        .route("/login-options", get(login_options::show))
        .method_not_allowed_fallback(request::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .route_layer(from_fn_with_state(app.clone(), operator::require))
        .route_layer(from_fn_with_state(app.clone(), web::observe));
    Router::new().nest("/api/v1", routes).with_state(Api { app, resolver }).layer(from_fn(request::problems))
}
