//! `/mailbox`: the mails, as pages and as JSON.

use askama::Template;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use vestibule::web::{Shell, not_found, page};

use super::{Mail, Mailbox};
use crate::pages::{also_allow, wants_json};

pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/mailbox", get(list))
        .route("/mailbox/{id}", get(show))
        .route("/mailbox/{id}/html", get(show_html))
        .with_state(mailbox)
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct ListPage {
    shell: Shell,
    mails: Vec<Mail>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    shell: Shell,
    mail: Mail,
}

#[derive(Serialize)]
struct Listing {
    mails: Vec<Mail>,
}

async fn list(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Response {
    let mails = mailbox.mails();
    if wants_json(&headers) {
        return Json(Listing { mails }).into_response();
    }
    page(StatusCode::OK, &ListPage { shell: Shell::new("Mailbox"), mails })
}

async fn show(State(mailbox): State<Mailbox>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let Some(mail) = mailbox.mail(id) else { return not_found().await };
    if wants_json(&headers) {
        return Json(mail).into_response();
    }
    let response = page(StatusCode::OK, &MailPage { shell: Shell::new(mail.subject.clone()), mail });
    also_allow(response, "frame-src 'self'")
}

/// The HTML of a mail, for the frame on its page: no script, nothing from elsewhere, no form, no link that leads out of
/// the frame.
async fn show_html(State(mailbox): State<Mailbox>, Path(id): Path<u64>) -> Response {
    let Some(html) = mailbox.mail(id).and_then(|mail| mail.html) else { return not_found().await };
    let mut response = Html(html).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
