//! Our metadata, for the identity provider's administrator.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use vestibule::{
    app::App,
    connection::Connection,
    saml::{PinnedKey, SpMetadata, WriteError},
    service_provider::ServiceProviderKeys,
    table::StoreError,
};

use crate::refusal;

/// SAML Metadata, appendix A.
const METADATA: HeaderValue = HeaderValue::from_static("application/samlmetadata+xml");
/// A certificate in text (RFC 7468, section 5).
const PEM: HeaderValue = HeaderValue::from_static("application/x-pem-file");

/// Why nothing can be shown.
enum Missing {
    Connection,
    Unavailable(Box<dyn std::fmt::Debug + Send>),
}

/// `GET /saml/{connection}/metadata`: the metadata of a connection, as SAML Metadata, section 2.4.4, has it.
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let described = load(&app, &id).await.and_then(|(connection, keys)| Ok(describe(&app, &connection, &keys)?));
    file(described, METADATA, "attachment; filename=\"metadata.xml\"")
}

/// `GET /saml/{connection}/encryption-certificate`: the certificate to encrypt assertions to, for identity providers
/// that take no metadata.
pub(crate) async fn certificate(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let certificate = load(&app, &id).await.map(|(_, keys)| pem(keys.encryption_certificate()));
    file(certificate, PEM, "attachment; filename=\"encryption.cer\"")
}

/// The connection and the keys, side by side, both as they are now: what is published is not remembered.
async fn load(app: &App, id: &str) -> Result<(Connection, ServiceProviderKeys), Missing> {
    let id = id.parse().map_err(|_| Missing::Connection)?;
    let (connection, keys) = tokio::try_join!(app.store.connection(id), app.store.service_provider_keys())?;
    let connection = connection.ok_or(Missing::Connection)?.value;
    // Keys are made for a connection that there is, and not for whoever asks.
    let keys = match keys {
        Some(keys) => keys,
        None => app.service_provider_keys(app.clock.now()).await?,
    };
    Ok((connection, keys.value))
}

fn describe(app: &App, connection: &Connection, keys: &ServiceProviderKeys) -> Result<String, WriteError> {
    let settings = &app.settings;
    let signing = keys.signing_certificates(app.clock.now());
    let signing: Vec<&[u8]> = signing.into_iter().map(PinnedKey::certificate_der).collect();
    let metadata = SpMetadata {
        entity_id: &connection.entity_id(settings),
        acs_url: &connection.acs_url(settings),
        name_id_formats: connection.options.name_id_format.offered(),
        signs_requests: connection.identity_provider.wants_signed_requests,
        signing_certificates: &signing,
        encryption_certificates: &[keys.encryption_certificate().certificate_der()],
    };
    metadata.to_xml()
}

fn pem(certificate: &PinnedKey) -> String {
    let text = STANDARD.encode(certificate.certificate_der());
    let lines = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok());
    let body: Vec<&str> = lines.collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body.join("\n"))
}

fn file(text: Result<String, Missing>, kind: HeaderValue, disposition: &'static str) -> Response {
    match text {
        Ok(text) => {
            let disposition = HeaderValue::from_static(disposition);
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], text).into_response()
        }
        Err(Missing::Connection) => refusal::page(
            StatusCode::NOT_FOUND,
            "There is no single sign-on connection at this address.",
            refusal::CHECK_ADDRESS,
            None,
        ),
        Err(Missing::Unavailable(error)) => refusal::unavailable(&error),
    }
}

impl From<StoreError> for Missing {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<WriteError> for Missing {
    fn from(error: WriteError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
