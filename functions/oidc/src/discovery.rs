//! `GET /.well-known/openid-configuration`: what the provider can do (OpenID Connect Discovery 1.0, section 3).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::{Value, json};
use vestibule::{
    app::{App, Settings},
    grant::SCOPES,
};

use crate::{authorize, jwks, token, userinfo};

pub(crate) const PATH: &str = "/.well-known/openid-configuration";

pub(crate) async fn show(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(document(&app.settings))).into_response()
}

fn document(settings: &Settings) -> Value {
    json!({
        "issuer": settings.issuer(),
        "authorization_endpoint": settings.url(authorize::PATH),
        "token_endpoint": settings.url(token::PATH),
        "userinfo_endpoint": settings.url(userinfo::PATH),
        "jwks_uri": settings.url(jwks::PATH),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": authorize::PROMPTS,
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "amr", "nonce", "at_hash",
            "email", "email_verified", "name", "organization", "surface", "role",
        ],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}
