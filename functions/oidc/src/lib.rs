//! x

use std::sync::Arc;

use axum::Router;
use vestibule::app::App;

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new().with_state(app)
}
