//! SAML single sign-on: the start of a login, our metadata, and the assertion consumer service.

mod acs;
mod metadata;
mod refusal;
mod start;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use vestibule::{app::App, web};

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/saml/start", get(start::show).post(start::identify))
        .route("/saml/{connection}/metadata", get(metadata::show))
        .route("/saml/{connection}/acs", post(acs::receive).get(acs::by_get))
        .layer(DefaultBodyLimit::max(web::MAX_BODY))
        .route_layer(from_fn_with_state(app.clone(), web::observe))
        .with_state(app)
}
