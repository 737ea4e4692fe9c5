//! SAML single sign-on: the start of a login, our metadata, and the assertion consumer service.

mod acs;
mod metadata;
mod refetch;
mod refusal;
mod start;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::from_fn_with_state,
    routing::{get, post},
};
use vestibule::{
    app::App,
    web::{self, Fetcher},
};

/// What the handlers share.
#[derive(Clone, Debug)]
struct Saml {
    /// The deployment.
    app: Arc<App>,
    /// How metadata of identity providers is fetched.
    fetcher: Arc<Fetcher>,
}

impl FromRef<Saml> for Arc<App> {
    fn from_ref(saml: &Saml) -> Self {
        Self::clone(&saml.app)
    }
}

impl FromRef<Saml> for Arc<Fetcher> {
    fn from_ref(saml: &Saml) -> Self {
        Self::clone(&saml.fetcher)
    }
}

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    let fetcher = Arc::new(Fetcher::new(app.settings.reach));
    Router::new()
        .route("/saml/start", get(start::show).post(start::identify))
        .route("/saml/{connection}/metadata", get(metadata::show))
        .route("/saml/{connection}/acs", post(acs::receive).get(acs::by_get))
        .layer(DefaultBodyLimit::max(web::MAX_BODY))
        .route_layer(from_fn_with_state(app.clone(), web::observe))
        .with_state(Saml { app, fetcher })
}
