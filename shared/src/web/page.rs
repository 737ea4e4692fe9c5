//! Pages: one shell, one stylesheet, one content security policy.

use askama::Template;
use aws_lc_rs::digest;
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use url::Url;

/// What the shell around every page needs; templates extend `shell.html` and hold one as `shell`.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The page's title.
    pub title: String,
}

impl Shell {
    /// The shell of a page with this title.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into() }
    }

    /// The stylesheet, which stands in the page itself.
    #[must_use]
    pub fn style(&self) -> &'static str {
        STYLE
    }
}

const STYLE: &str = include_str!("../../templates/style.css");
/// The one script: it posts a form that would wait for a click without it.
pub const POST_SCRIPT: &str = include_str!("../../templates/post.js");

/// A short page that says what went wrong and what to do.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The shell.
    pub shell: Shell,
    /// What went wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// The number by which an administrator finds the attempt.
    pub reference: Option<String>,
}

/// A rendered page with its status and headers.
#[must_use]
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    page_posting_to(status, template, "")
}

/// Where the forms of a page may lead that ends at an identity provider or an application.
///
/// Browsers hold every redirect that follows a form to the policy of the form's page (CSP level 3, section 6.4.1), and
/// an identity provider redirects wherever it likes, so nothing narrower than a scheme works.
#[must_use]
pub fn elsewhere(base_url: &Url) -> &'static str {
    if base_url.scheme() == "https" { "https:" } else { "https: http://localhost:* http://127.0.0.1:*" }
}

/// A page whose forms may lead to `elsewhere` as well: CSP sources, such as [`elsewhere`] gives.
#[must_use]
pub fn page_posting_to(status: StatusCode, template: &impl Template, elsewhere: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; form-action 'self' {}; \
         frame-ancestors 'none'; base-uri 'none'",
        source_hash(STYLE),
        source_hash(POST_SCRIPT),
        elsewhere,
    );
    page_under(status, template, &policy)
}

/// A page under a content security policy of its own.
#[must_use]
pub fn page_under(status: StatusCode, template: &impl Template, policy: &str) -> Response {
    let mut response = match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page did not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// On to another address: by 303, so that a form's body never goes along (RFC 9700, section 4.12), and remembered by
/// nobody.
#[must_use]
pub fn redirect(location: &str) -> Response {
    let mut response = Redirect::to(location).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A CSP hash source (CSP level 3, section 2.3.1).
fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}
