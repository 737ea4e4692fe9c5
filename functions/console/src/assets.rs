//! The stylesheet and the script, each at an address that changes with it, so that browsers keep them.

use std::sync::OnceLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use vestibule::{
    id::{hex, sha256},
    web,
};

/// The stylesheet of all pages of the deployment, and what only the console needs.
const STYLE: &str = concat!(include_str!("../../../shared/templates/style.css"), include_str!("../static/console.css"));
const SCRIPT: &str = include_str!("../static/console.js");

/// The address of the stylesheet.
pub(crate) fn style() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| path(STYLE, "css"))
}

/// The address of the script.
pub(crate) fn script() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| path(SCRIPT, "js"))
}

fn path(text: &str, ending: &str) -> String {
    let digest: String = hex(&sha256(text.as_bytes())).chars().take(16).collect();
    format!("/settings/assets/console-{digest}.{ending}")
}

/// `GET /settings/assets/{file}`.
pub(crate) async fn show(Path(file): Path<String>) -> Response {
    let is = |path: &str| path.rsplit('/').next() == Some(file.as_str());
    let (media_type, text) = if is(style()) {
        ("text/css; charset=utf-8", STYLE)
    } else if is(script()) {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return web::not_found().await;
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type)), (header::CACHE_CONTROL, kept)];
    (headers, text).into_response()
}
