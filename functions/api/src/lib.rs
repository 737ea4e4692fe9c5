//! x

use std::sync::Arc;

use axum::Router;
use vestibule::{app::App, domain::Resolver};

/// The function's routes.
pub fn router(app: Arc<App>, _resolver: Arc<Resolver>) -> Router {
    Router::new().with_state(app)
}
