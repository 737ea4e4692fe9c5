//! `GET /oidc/jwks`: the public halves of the signing keys (RFC 7517), two of them while they rotate.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use vestibule::signing_key::REMEMBERED;

use crate::Provider;

pub(crate) const PATH: &str = "/oidc/jwks";

pub(crate) async fn show(State(provider): State<Provider>) -> Response {
    let now = provider.app.clock.now();
    match provider.keys.keys(&provider.app, now).await {
        Ok(keys) => {
            let remembered = format!("public, max-age={REMEMBERED}");
            ([(header::CACHE_CONTROL, remembered)], Json(keys.published(now))).into_response()
        }
        Err(error) => {
            tracing::error!(?error, "there are no signing keys");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")]).into_response()
        }
    }
}
