//! Pages and their headers, and the short ones that say why there is no other.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use url::Url;
use vestibule::{app::App, table::StoreError, web};

use crate::frame::Head;

/// A short page that says what is the matter and what to do.
#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    head: Head,
    says: &'a str,
    advice: &'a str,
    /// Where to go on, with what is written on it.
    link: (&'a str, &'a str),
}

/// A page of the console.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    reading(status, template, "")
}

/// A page whose script reads what is downloaded from `elsewhere` too.
pub(crate) fn page_reading(status: StatusCode, template: &impl Template, elsewhere: &Url) -> Response {
    reading(status, template, &elsewhere.origin().ascii_serialization())
}

fn reading(status: StatusCode, template: &impl Template, elsewhere: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self' {elsewhere}; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    web::page_under(status, template, &policy)
}

/// A redirect after a form, or to where somebody signs in.
pub(crate) fn see(path: &str) -> Response {
    let mut response = Redirect::to(path).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page that refuses, with a way on.
pub(crate) fn refuse(status: StatusCode, title: &str, message: &str, advice: &str, link: (&str, &str)) -> Response {
    page(status, &Message { head: Head::new(title), says: message, advice, link })
}

/// There is no such page, or not for this administrator.
pub(crate) fn not_found() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing at this address.",
        "It may have been removed, or the address may be incomplete.",
        ("/settings/identity", "Identity settings"),
    )
}

/// A form that no page of ours shows, or of a session that is over.
pub(crate) fn foreign() -> Response {
    refuse(
        StatusCode::FORBIDDEN,
        "Nothing was changed",
        "This form is not from a page that is open in this browser now.",
        "You may have signed out, signed in again or blocked cookies since the page was opened. Open the page again \
         and repeat it.",
        ("/settings/identity", "Identity settings"),
    )
}

/// A failure of ours, which is logged.
pub(crate) fn unavailable(error: &dyn std::fmt::Debug) -> Response {
    tracing::error!(?error, "the store failed");
    let mut response = refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        "Temporarily unavailable",
        "This does not work at this moment.",
        "Nothing was changed, or the change can be seen by now. Try again in a minute.",
        ("/settings/identity", "Identity settings"),
    );
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

/// Why a handler gives another page than its own.
#[derive(Debug)]
pub(crate) struct Otherwise(Box<Response>);

impl Otherwise {
    /// Another page.
    pub(crate) fn page(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<StoreError> for Otherwise {
    fn from(error: StoreError) -> Self {
        Self::page(unavailable(&error))
    }
}

impl IntoResponse for Otherwise {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// What continues a listing of this name at `position`, for a link.
pub(crate) fn cursor(app: &App, listing: &str, position: &str) -> String {
    app.settings.sealing_key.seal(&format!("console cursor of {listing}"), position.as_bytes(), &app.random)
}

/// The position that a link's cursor continues a listing at; none where it is of another listing.
pub(crate) fn position(app: &App, listing: &str, cursor: &str) -> Option<String> {
    let opened = app.settings.sealing_key.open(&format!("console cursor of {listing}"), cursor).ok()?;
    String::from_utf8(opened).ok()
}
