//! Answers that a person sees: pages that refuse, and the redirects of the ordinary course.

use std::fmt::Debug;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use vestibule::web::{self, ErrorPage, Shell};

/// A page that refuses.
pub(crate) fn page(status: StatusCode, message: &str, advice: &str) -> Response {
    let page = ErrorPage {
        shell: Shell::new("You are not signed in"),
        message: message.to_owned(),
        advice: advice.to_owned(),
        reference: None,
    };
    web::page(status, &page)
}

/// A page for a failure of ours, which is logged.
pub(crate) fn unavailable(error: &impl Debug) -> Response {
    tracing::error!(?error, "the store failed");
    let mut response =
        page(StatusCode::SERVICE_UNAVAILABLE, "Signing in is not possible at this moment.", "Try again in a minute.");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

/// A page for a login that is not there: never begun in this browser, finished, or too old.
pub(crate) fn no_login() -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "This sign-in was finished, took too long, or was begun in another browser.",
        "Go back to the application and sign in again.",
    )
}
