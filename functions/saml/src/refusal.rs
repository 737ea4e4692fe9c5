//! Refusals as the person sees them: one sentence on what happened, one on what to do, and a reference number. What
//! exactly failed is for the administrator, in the trace.

use std::fmt::Debug;

use axum::response::Response;
use http::StatusCode;
use vestibule::{
    id::Reference,
    saml::Reason,
    web::{self, ErrorPage, Shell},
};

/// What to do about an address that leads nowhere.
pub(crate) const CHECK_ADDRESS: &str = "Compare it with the address that your administrator was given.";
const START_AGAIN: &str = "Go back to the application and sign in again.";
const TELL_ADMINISTRATOR: &str =
    "Tell your administrator the reference number below: it leads to what exactly did not fit and how to mend it.";

/// A page that refuses.
pub(crate) fn page(status: StatusCode, message: &str, advice: &str, reference: Option<&Reference>) -> Response {
    let page = ErrorPage {
        shell: Shell::new("You are not signed in"),
        message: message.to_owned(),
        advice: advice.to_owned(),
        reference: reference.map(ToString::to_string),
    };
    web::page(status, &page)
}

/// A page for a failure of ours, which is logged.
pub(crate) fn unavailable(error: &impl Debug) -> Response {
    tracing::error!(?error, "the store failed");
    let mut response = page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Signing in is not possible at this moment.",
        "Try again in a minute.",
        None,
    );
    response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("60"));
    response
}

/// A page for a login that is not there: never begun in this browser, finished, or too old.
pub(crate) fn no_login() -> Response {
    page(
        StatusCode::BAD_REQUEST,
        "This sign-in was finished, took too long, or was begun in another browser.",
        START_AGAIN,
        None,
    )
}

/// The page for a response that was refused for `reason`.
pub(crate) fn refused(reason: Reason, reference: &Reference) -> Response {
    let (message, advice) = match reason {
        Reason::NotMember => (
            "You proved who you are, but you are not a member of an organization here.",
            "Ask your administrator to add you, and give the reference number below.",
        ),
        Reason::DomainLapsed => (
            "You proved who you are, but nobody new can join by your company's e-mail domain at the moment.",
            "Ask your administrator to verify the domain again, and give the reference number below.",
        ),
        Reason::NoMappedGroup => (
            "You proved who you are, but you are in none of the groups that give access here.",
            "Ask your administrator to add you to one, and give the reference number below.",
        ),
        Reason::NameIdConflict => (
            "Your address belongs to somebody whom your company's sign-in page knew by another identifier.",
            "If that was you, your administrator can reset the tie; give the reference number below.",
        ),
        Reason::Status => (
            "Your company's sign-in page did not let you in.",
            "Ask your administrator whether you may use this application, and give the reference number below.",
        ),
        Reason::InResponseTo | Reason::Replayed => {
            ("This sign-in was finished already, took too long, or was begun in another browser.", START_AGAIN)
        }
        Reason::Expired => (
            "Signing in took too long, or clocks disagree.",
            "Sign in again. If that does not help, tell your administrator the reference number below.",
        ),
        Reason::IdpInitiated => (
            "Signing in does not begin at your company's portal here.",
            "Open the application itself and sign in there.",
        ),
        _ => ("The answer of your company's sign-in page was not accepted.", TELL_ADMINISTRATOR),
    };
    page(StatusCode::FORBIDDEN, message, advice, Some(reference))
}
