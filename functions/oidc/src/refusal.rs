//! Answers that a person sees: pages that refuse, and the redirects of the ordinary course.

use std::fmt::Debug;

use axum::response::{IntoResponse, Redirect, Response};
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

/// On to another address: by 303, so that a form's body never goes along (RFC 9700, section 4.12), and remembered by
/// nobody.
pub(crate) fn redirect(location: &str) -> Response {
    let mut response = Redirect::to(location).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
