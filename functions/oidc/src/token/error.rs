//! Errors of the token endpoint (RFC 6749, section 5.2).

use std::fmt::Debug;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use vestibule::{
    grant::GrantRefusal,
    signing_key::{KeyRingError, SigningKeyError},
    table::StoreError,
};

use crate::parameters::ParameterError;

/// Why there are no tokens.
#[derive(Debug)]
pub(super) enum TokenError {
    InvalidRequest(String),
    InvalidClient(&'static str),
    InvalidScope(&'static str),
    UnsupportedGrantType,
    InvalidGrant(GrantRefusal),
    /// A failure of ours.
    Unavailable(Box<dyn Debug + Send>),
}

impl TokenError {
    pub(super) fn unavailable(error: impl Debug + Send + 'static) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        let (status, error, description) = match self {
            Self::InvalidRequest(description) => (bad, "invalid_request", description),
            Self::InvalidClient(description) => (StatusCode::UNAUTHORIZED, "invalid_client", description.to_owned()),
            Self::InvalidScope(description) => (bad, "invalid_scope", description.to_owned()),
            Self::UnsupportedGrantType => {
                (bad, "unsupported_grant_type", "the grant types are authorization_code and refresh_token".to_owned())
            }
            Self::InvalidGrant(refusal) => (bad, "invalid_grant", refusal.to_string()),
            Self::Unavailable(error) => {
                tracing::error!(?error, "no tokens");
                // Not in the RFC's list, as nothing is for this; it is the authorization endpoint's word.
                let description = "try again in a moment".to_owned();
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description)
            }
        };
        let mut response = (status, Json(json!({ "error": error, "error_description": description }))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"vestibule\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<ParameterError> for TokenError {
    fn from(error: ParameterError) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl From<GrantRefusal> for TokenError {
    fn from(refusal: GrantRefusal) -> Self {
        Self::InvalidGrant(refusal)
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error)
    }
}

impl From<KeyRingError> for TokenError {
    fn from(error: KeyRingError) -> Self {
        Self::unavailable(error)
    }
}

impl From<SigningKeyError> for TokenError {
    fn from(error: SigningKeyError) -> Self {
        Self::unavailable(error)
    }
}
