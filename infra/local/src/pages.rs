//! What the local pages share.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

/// Whether the caller asks for JSON rather than for a page.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).find_map(|range| match range.split(';').next().map(str::trim) {
        Some("application/json") => Some(true),
        Some("text/html" | "application/xhtml+xml") => Some(false),
        _ => None,
    }) == Some(true)
}

/// The page with one more directive in its content security policy.
pub(crate) fn also_allow(mut response: Response, directive: &str) -> Response {
    if let Some(policy) = response.headers_mut().get_mut(header::CONTENT_SECURITY_POLICY)
        && let Ok(longer) = policy.to_str().map(|policy| format!("{policy}; {directive}"))
        && let Ok(longer) = HeaderValue::try_from(longer)
    {
        *policy = longer;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_pages_and_a_program_json() {
        for (accept, json) in [
            ("application/json", true),
            ("application/json, text/plain;q=0.5", true),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("text/html, application/json", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(wants_json(&headers), json, "{accept}");
        }
        assert!(!wants_json(&HeaderMap::new()));
    }
}
