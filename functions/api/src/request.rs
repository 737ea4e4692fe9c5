//! What handlers take from a request, refused as problems where it is not what it should be.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
};
use http::{HeaderMap, HeaderName, StatusCode, header, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use vestibule::{
    operation::{MAX_KEY, Operation},
    web::Problem,
};

use crate::{MAX_REQUEST, problems};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The parts of the path. What does not read as them names nothing.
pub(crate) struct Path<T>(pub(crate) T);

/// The query, with nothing unknown in it.
pub(crate) struct Query<T>(pub(crate) T);

/// The body of a `PUT` or `PATCH`.
pub(crate) struct Body<T>(pub(crate) T);

/// A `POST`: what it asks for, and the operation that makes its repetition harmless.
pub(crate) struct Submission<T> {
    /// The operation.
    pub(crate) operation: Operation,
    /// What it asks for.
    pub(crate) body: T,
}

/// The body of a `POST` that says all in its path: none, or an empty object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| problems::NOT_FOUND.says("Nothing is at this path."))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|error| {
            problems::INVALID_VALUE.says(&format!("The query is not as it should be: {}.", reason(&error)))
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        read_json(&headers, &bytes(request, state).await?).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Submission<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let key = idempotency_key(&headers)?;
        let bytes = bytes(request, state).await?;
        let body = read_json(&headers, &bytes)?;
        Ok(Self { operation: Operation::new(key, method.as_str(), &path, &bytes), body })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    headers
        .get(IDEMPOTENCY_KEY)
        .and_then(|key| key.to_str().ok())
        .map(str::trim)
        .filter(|key| (1..=MAX_KEY).contains(&key.len()))
        .ok_or_else(|| {
            problems::NO_IDEMPOTENCY_KEY.says(&format!(
                "Send a header Idempotency-Key of 1 to {MAX_KEY} visible ASCII characters, fresh for every change and \
                 the same when this request is repeated."
            ))
        })
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            problems::TOO_LARGE.says(&format!("A body has at most {MAX_REQUEST} bytes."))
        } else {
            problems::MALFORMED_JSON.says("The body did not arrive whole.")
        }
    })
}

fn read_json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    // No body says as much as an empty object: of what is needed, everything is missing.
    let (bytes, needs_type) = if bytes.is_empty() { (b"{}".as_slice(), false) } else { (bytes, true) };
    if needs_type && !is_json(headers) {
        return Err(problems::NOT_JSON.says("Send the body as JSON, with Content-Type: application/json."));
    }
    match Json::from_bytes(bytes) {
        Ok(Json(value)) => Ok(value),
        Err(JsonRejection::JsonDataError(error)) => {
            Err(problems::INVALID_VALUE.says(&format!("The body is not as it should be: {}.", reason(&error))))
        }
        Err(error) => Err(problems::MALFORMED_JSON.says(&format!("The body can not be read: {}.", reason(&error)))),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// What is wrong, without the framework's words around it.
fn reason(error: &impl std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
