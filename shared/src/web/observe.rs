//! What surrounds every request: its cost, one log line, and the headers that every answer carries.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::Problem;
use crate::{app::App, table::Meter};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Middleware for every route: counts what the request asks of the tables and logs one line without personal data (the
/// route, never the path; no query, no body).
pub async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = request.method().clone();
    let meter = Meter::default();
    let mut response = meter.clone().scope(next.run(request)).await;
    let cost = meter.cost();
    tracing::info!(
        %method,
        route,
        status = response.status().as_u16(),
        round_trips = cost.round_trips,
        read_units = cost.read_units,
        write_units = cost.write_units,
        "answered"
    );
    let headers = response.headers_mut();
    if app.settings.show_cost {
        // Server Timing (W3C), which browsers show beside the request.
        if let Ok(value) = HeaderValue::try_from(format!("dynamodb;desc=\"{cost}\"")) {
            headers.insert(SERVER_TIMING, value);
        }
        response.extensions_mut().insert(cost);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.settings.base_url.scheme() == "https" {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    response
}

/// The answer where no route matches.
pub async fn not_found() -> Response {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", "There is nothing at this address.").into_response()
}
