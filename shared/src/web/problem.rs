//! Problem details for HTTP APIs (RFC 9457).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::table::StoreError;

/// An error of the management API: what went wrong, for programs and for people.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// A name for the kind of problem that does not change: `urn:vestibule:problem:<slug>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    pub status: StatusCode,
    /// What went wrong this time and what to do.
    pub detail: String,
    /// Further members of the document.
    #[serde(flatten)]
    pub members: Map<String, Value>,
    /// A header that the answer carries with it, such as `Retry-After`.
    #[serde(skip)]
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of the kind `slug`, which says `detail`, made a whole sentence where it is a part of one, as the words
    /// of errors are.
    #[must_use]
    pub fn new(status: StatusCode, slug: &str, title: &str, detail: &(impl ToString + ?Sized)) -> Self {
        Self {
            kind: format!("urn:vestibule:problem:{slug}"),
            title: title.to_owned(),
            status,
            detail: sentence(&detail.to_string()),
            members: Map::new(),
            header: None,
        }
    }

    /// The problem with a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.header = Some(Box::new((name, value.into())));
        self
    }

    /// A value that is not acceptable, with the field that holds it (a JSON pointer, RFC 6901).
    #[must_use]
    pub fn invalid(pointer: &str, detail: &(impl ToString + ?Sized)) -> Self {
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-value", "A value is not acceptable", detail);
        problem.members.insert("pointer".to_owned(), pointer.into());
        problem
    }

    /// There is nothing of this name, or not for this caller.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", &format!("There is no such {what}."))
    }

    /// The state of things does not allow it.
    #[must_use]
    pub fn conflict(slug: &str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::new(StatusCode::CONFLICT, slug, "The present state does not allow this", detail)
    }

    /// Something failed that the caller can not mend; it has been logged.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Temporarily unavailable",
            "Nothing was changed, or the change can be seen by now. Try again in a moment.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }
}

/// The words of an error as a sentence.
#[must_use]
pub fn sentence(words: &str) -> String {
    let mut rest = words.trim().chars();
    let mut whole: String = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    if whole.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '\'' | '"' | '`')) {
        whole.push('.');
    }
    whole
}

/// A store's failure, logged.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(?error, "the store failed");
        Problem::unavailable()
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let header = self.header.take();
        let mut response = (self.status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.extend(header.map(|header| *header));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_rfc() {
        let problem = Problem::invalid("/email", "not an address");
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            serde_json::json!({
                "type": "urn:vestibule:problem:invalid-value",
                "title": "A value is not acceptable",
                "status": 422,
                "detail": "Not an address.",
                "pointer": "/email",
            })
        );
        let response = problem.into_response();
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
