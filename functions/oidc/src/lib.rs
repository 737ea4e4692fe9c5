//! The hand-off to applications: an OpenID Connect provider (OpenID Connect Core 1.0, Discovery 1.0; RFC 6749 with the
//! practice of RFC 9700; PKCE, RFC 7636; issuer identification, RFC 9207).
//!
//! | Endpoint | Sequential round trips to the tables, at most |
//! |---|---|
//! | `/oidc/authorize` | 3 with a session (application and session; organizations and person; code), 2 without one |
//! | `/oidc/choose` | 2 to show, 3 to choose (login; organizations and person; code) |
//! | `/oidc/token` | 3 (application and code or grant; membership; grant) |
//! | `/oidc/userinfo` | 2 (grant; membership) |
//! | discovery, `/oidc/jwks` | none |
//!
//! The signing keys cost one read in five minutes beside the first of these, and the deployment's first request of all
//! a write. A second use of a code or a refresh token costs what it takes to revoke the grant.

mod authorize;
mod choose;
mod cors;
mod discovery;
mod jwks;
mod parameters;
mod refusal;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn_with_state, map_response},
    routing::{get, post},
};
use vestibule::{app::App, signing_key::KeyCache, web};

/// What the handlers share.
#[derive(Clone)]
struct Provider {
    app: Arc<App>,
    keys: Arc<KeyCache>,
}

impl FromRef<Provider> for Arc<App> {
    fn from_ref(provider: &Provider) -> Self {
        Self::clone(&provider.app)
    }
}

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    let provider = Provider { app: Arc::clone(&app), keys: Arc::default() };
    // What an application calls from a page of its own, and what a browser navigates to.
    let called = Router::new()
        .route(discovery::PATH, get(discovery::show).options(cors::preflight))
        .route(jwks::PATH, get(jwks::show).options(cors::preflight))
        .route(token::PATH, post(token::exchange).options(cors::preflight))
        .route(userinfo::PATH, get(userinfo::by_get).post(userinfo::by_post).options(cors::preflight))
        .layer(map_response(cors::open));
    let visited = Router::new()
        .route(authorize::PATH, get(authorize::by_get).post(authorize::by_post))
        .route(choose::PATH, get(choose::show).post(choose::decide));
    called
        .merge(visited)
        .layer(DefaultBodyLimit::max(parameters::MAX_TEXT))
        .route_layer(from_fn_with_state(app, web::observe))
        .with_state(provider)
}
