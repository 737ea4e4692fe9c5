//! Reading requests: JSON bodies, queries and identifiers, each refusal a problem.

use std::str::FromStr;

use axum::{
    extract::{FromRequest, FromRequestParts, Json, Path, Query, Request, rejection::JsonRejection},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use vestibule::web::Problem;

/// A JSON body of exactly the members that `T` has.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        Ok(Self(body))
    }
}

/// The problem with a JSON body.
pub(crate) fn unreadable(rejection: &JsonRejection) -> Problem {
    let status = rejection.status();
    let (slug, title) = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported-media-type", "JSON is needed"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "The request is too large"),
        StatusCode::UNPROCESSABLE_ENTITY => ("invalid-value", "A value is not acceptable"),
        _ => ("malformed", "The request is not well-formed JSON"),
    };
    Problem::new(status, slug, title, &rejection.body_text())
}

/// Query parameters.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(parameters)| Self(parameters)).map_err(|rejection| {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-value",
                "A parameter is not acceptable",
                &rejection.body_text(),
            )
        })
    }
}

/// The identifiers in the path, which name nothing when they are malformed.
pub(crate) struct Ids<T>(pub(crate) T);

impl<S: Send + Sync, A: FromStr + Send> FromRequestParts<S> for Ids<(A,)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        Ok(Self((id.parse().map_err(|_| nothing())?,)))
    }
}

impl<S: Send + Sync, A: FromStr + Send, B: FromStr + Send> FromRequestParts<S> for Ids<(A, B)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((a, b)) = Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| nothing())?;
        Ok(Self((a.parse().map_err(|_| nothing())?, b.parse().map_err(|_| nothing())?)))
    }
}

fn nothing() -> Problem {
    Problem::not_found("resource")
}

/// The answer to a method that a route does not have; the router adds the `Allow` header.
pub(crate) async fn method_not_allowed() -> Problem {
    let detail = "This address does not take that method; the Allow header names those that it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
}

/// Middleware: answers of the API are for nobody's cache.
pub(crate) async fn problems(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
