//! Our metadata, for the identity provider's administrator.

use std::{error::Error, sync::Arc};

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use vestibule::{
    app::App,
    connection,
    saml::{EMAIL_FORMAT, PERSISTENT_FORMAT, SpMetadata},
};

use crate::refusal;

/// SAML Metadata, appendix A.
const MEDIA_TYPE: &str = "application/samlmetadata+xml";

/// `GET /saml/{connection}/metadata`: the metadata of a connection, as SAML Metadata, section 2.4.4, has it.
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    match describe(&app, &id).await {
        Ok(Some(xml)) => {
            let mut response = xml.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            headers
                .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"metadata.xml\""));
            response
        }
        Ok(None) => refusal::page(
            StatusCode::NOT_FOUND,
            "There is no single sign-on connection at this address.",
            refusal::CHECK_ADDRESS,
            None,
        ),
        Err(error) => refusal::unavailable(&error),
    }
}

async fn describe(app: &App, id: &str) -> Result<Option<String>, Box<dyn Error + Send + Sync>> {
    let Ok(id) = id.parse() else { return Ok(None) };
    if app.store.connection(id).await?.is_none() {
        return Ok(None);
    }
    let key = app.store.service_provider_key(app, app.clock.now()).await?;
    let certificate = STANDARD.decode(&key.certificate).ok();
    let metadata = SpMetadata {
        entity_id: &connection::entity_id(id, &app.settings),
        acs_url: &connection::acs_url(id, &app.settings),
        // Persistent first: an address can change, and come to belong to somebody else.
        name_id_formats: &[PERSISTENT_FORMAT, EMAIL_FORMAT],
        signing_certificate: certificate.as_deref(),
        encryption_certificates: &[],
    };
    Ok(Some(metadata.to_xml()?))
}
