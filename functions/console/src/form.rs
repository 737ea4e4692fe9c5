//! Forms: believed only from a page of ours that this browser was shown.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::HeaderMap,
};
use http::header;
use url::{Url, form_urlencoded};
use vestibule::{
    id::{Secret, SecretHash},
    web,
};

use crate::MAX_FORM;

/// The field that proves that the browser was shown the form.
pub(crate) const TOKEN: &str = "token";

/// A form's fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// The form is not believed, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign;

impl Fields {
    /// A field's text without space around it; empty where it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }
}

/// What a page's forms hold, made of the secret in the browser's cookie: whoever can read the page has it, and whoever
/// can only make the browser send the cookie has not.
pub(crate) fn token(cookie: &Secret) -> String {
    Secret::presented(&format!("console form {}", cookie.reveal())).hash().as_str().to_owned()
}

/// Reads the form of a request whose browser was shown pages with this token.
pub(crate) async fn read(request: Request<Body>, token: &str, base_url: &Url) -> Result<Fields, Foreign> {
    if !web::is_from_own_page(request.headers(), base_url) || !is_form(request.headers()) {
        return Err(Foreign);
    }
    let body = to_bytes(request.into_body(), MAX_FORM).await.map_err(|_| Foreign)?;
    let fields = form_urlencoded::parse(&body).map(|(name, value)| (name.into_owned(), value.into_owned()));
    let fields = Fields(fields.collect());
    if same(fields.text(TOKEN), token) { Ok(fields) } else { Err(Foreign) }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// Takes the same time wherever the two differ.
fn same(one: &str, other: &str) -> bool {
    let hash = |text: &str| -> SecretHash { Secret::presented(text).hash() };
    hash(one) == hash(other)
}

/// A path of ours that a browser may be sent to after signing in; the first page for anything else.
pub(crate) fn onward(next: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.?=&%".contains(c);
    let ours = next == "/settings" || next.starts_with("/settings/");
    if ours && next.len() <= 1_000 && next.chars().all(plain) { next } else { "/settings/identity" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_away_from_here() {
        for kept in ["/settings", "/settings/identity/domains/example.com", "/settings/identity/sign-ins?reference=A-B"]
        {
            assert_eq!(onward(kept), kept);
        }
        for other in [
            "",
            "//evil.example",
            "https://evil.example",
            "/settings@evil.example",
            "/settingsx",
            "/\\evil",
            "/settings/\r\nx: y",
        ] {
            assert_eq!(onward(other), "/settings/identity", "{other}");
        }
    }

    #[tokio::test]
    async fn a_form_is_believed_with_its_token_only() {
        let base_url: Url = "https://id.example.com".parse().unwrap();
        let cookie = Secret::presented("cookie");
        let send = |token: &str, kind: &str, site: &'static str| {
            let request = Request::post("/")
                .header(header::CONTENT_TYPE, kind)
                .header("sec-fetch-site", site)
                .body(Body::from(format!("domain=+example.com&token={token}")))
                .unwrap();
            let (shown, base_url) = (super::token(&cookie), base_url.clone());
            async move { read(request, &shown, &base_url).await.map(|fields| fields.text("domain").to_owned()) }
        };
        let (good, form) = (token(&cookie), "application/x-www-form-urlencoded");
        assert_eq!(send(&good, form, "same-origin").await, Ok("example.com".to_owned()));
        assert_eq!(send(&good, form, "cross-site").await, Err(Foreign));
        assert_eq!(send(&good, form, "same-site").await, Err(Foreign));
        assert_eq!(send(&good, "text/plain", "same-origin").await, Err(Foreign));
        assert_eq!(send("", form, "same-origin").await, Err(Foreign));
        assert_eq!(send(&token(&Secret::presented("other")), form, "same-origin").await, Err(Foreign));
    }
}
