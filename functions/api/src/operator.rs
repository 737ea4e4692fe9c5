//! Who may call: whoever presents one of the operator's keys.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use vestibule::app::App;

use crate::problems;

/// Middleware for every route that is not open: lets the operator pass (RFC 6750, section 2.1).
pub(crate) async fn require(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match bearer(request.headers()) {
        Some(key) if app.settings.is_operator_key(key) => next.run(request).await,
        Some(_) => {
            refuse("This is not one of the operator's keys.", r#"Bearer realm="vestibule", error="invalid_token""#)
        }
        None => refuse("Present an operator key as bearer token.", r#"Bearer realm="vestibule""#),
    }
}

/// The bearer token, if there is exactly one `Authorization` header and it holds one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (all.next()?, all.next());
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    (second.is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

/// A refusal that names the way in (RFC 6750, section 3).
fn refuse(detail: &str, challenge: &'static str) -> Response {
    let problem = problems::UNAUTHORIZED.says(detail);
    problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_read_in_whatever_case_its_scheme_is_written() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer k"]).as_deref(), Some("k"));
        assert_eq!(read(&["bearer k"]).as_deref(), Some("k"));
        assert_eq!(read(&["Basic k"]), None);
        assert_eq!(read(&["Bearer"]), None);
        assert_eq!(read(&["Bearer k", "Bearer l"]), None);
        assert_eq!(read(&[]), None);
    }
}
