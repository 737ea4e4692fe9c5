//! The operator's key.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use vestibule::{app::App, web::Problem};

/// Middleware: lets nobody through but the operator, by bearer token (RFC 6750, section 2.1).
pub(crate) async fn require(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    match presented {
        Some(key) if app.settings.is_operator_key(key) => next.run(request).await,
        presented => refuse(presented.is_some()),
    }
}

fn refuse(wrong: bool) -> Response {
    let (challenge, detail) = if wrong {
        ("Bearer error=\"invalid_token\"", "The key in the Authorization header is not the operator's.")
    } else {
        ("Bearer", "Send the operator's key as a bearer token in the Authorization header.")
    };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "The operator's key is needed", detail);
    let mut response = problem.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
