//! SAML single sign-on: the start of a login, our metadata, and the assertion consumer service.
//!
//! | Endpoint | Sequential round trips to the tables, at most |
//! |---|---|
//! | `/saml/start` | 2 to ask for the address, 4 to send the person on (login and domain; parent; connection; request) |
//! | `/saml/{connection}/acs` | 3 (connection and login; what the assertion is about; commit) |
//! | `/saml/{connection}/metadata`, `/saml/{connection}/encryption-certificate` | 1 |
//!
//! Our keys cost one read in five minutes beside the first of these, and the deployment's first request of all two more and
//! a write. An assertion that does not open with the keys at hand costs one more read before it is refused, once in ten
//! seconds. Where the keys can not be read, only what needs one fails.
//! A response that no trusted key signed costs more, where metadata is fetched: see `refetch`.

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
    service_provider::KeyCache,
    web::{self, Fetcher},
};

/// What the handlers share.
#[derive(Clone)]
struct Service {
    app: Arc<App>,
    keys: Arc<KeyCache>,
    /// How metadata of identity providers is fetched.
    fetcher: Arc<Fetcher>,
}

impl FromRef<Service> for Arc<App> {
    fn from_ref(service: &Service) -> Self {
        Self::clone(&service.app)
    }
}

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    let fetcher = Arc::new(Fetcher::new(app.settings.reach));
    let service = Service { app: Arc::clone(&app), keys: Arc::default(), fetcher };
    Router::new()
        .route("/saml/start", get(start::show).post(start::identify))
        .route("/saml/{connection}/metadata", get(metadata::show))
        .route("/saml/{connection}/encryption-certificate", get(metadata::certificate))
        .route("/saml/{connection}/acs", post(acs::receive).get(acs::by_get))
        .layer(DefaultBodyLimit::max(web::MAX_BODY))
        .route_layer(from_fn_with_state(app, web::observe))
        .with_state(service)
}
