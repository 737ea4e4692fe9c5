//! `/parents/{id}/connection`: a parent's trust in its identity provider.

mod metadata;

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    connection::{self, ConnectionError},
    domain::DomainClaim,
    id::{ConnectionId, ParentId},
    journal::{Action, Actor, Entry},
    parent::Parent,
    saml::{IdpMetadata, PinnedKey},
    table::{Stored, Transaction},
    web::{Fetcher, Problem},
};

use crate::{
    once::{Answer, Obstacle, settle},
    problems::NO_VERIFIED_DOMAIN,
    request::{Body, Path},
};

/// The identity provider to trust, by exactly one of `metadata_xml` and `metadata_url`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// Its SAML 2.0 metadata.
    metadata_xml: Option<String>,
    /// Where it publishes its metadata: an https address, which is fetched now and again every few hours.
    #[schema(format = "uri", max_length = 2048, example = "https://login.example.com/metadata.xml")]
    metadata_url: Option<String>,
    /// What the customer chooses; what is left out is as if it was never chosen.
    #[serde(default)]
    options: Options,
}

/// What a customer can choose about its connection.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// The attribute that holds the e-mail address, where it is not one of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "mail", max_length = 255)]
    email_attribute: Option<String>,
    /// Whether people sign in anew at the identity provider each time.
    #[schema(example = false)]
    force_authn: bool,
}

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection {
    /// Its identifier.
    #[schema(value_type = String, example = "con_8277e0910d750195b448797616e091ad")]
    id: ConnectionId,
    /// Our entity ID, to be copied to the identity provider.
    #[schema(example = "https://id.example.com/saml/con_8277e0910d750195b448797616e091ad/metadata")]
    entity_id: String,
    /// Our assertion consumer service, to be copied to the identity provider.
    #[schema(example = "https://id.example.com/saml/con_8277e0910d750195b448797616e091ad/acs")]
    acs_url: String,
    /// Where our metadata is.
    #[schema(example = "https://id.example.com/saml/con_8277e0910d750195b448797616e091ad/metadata")]
    metadata_url: String,
    /// The identity provider, as its metadata describes it.
    identity_provider: IdentityProvider,
    /// The signing certificates that are trusted, all of them at once.
    certificates: Vec<Certificate>,
    /// How its metadata is fetched, where it was given by its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<metadata::Refresh>,
    /// What an administrator is to see to.
    warnings: Vec<metadata::Warning>,
    /// What the customer chose.
    options: Options,
    /// When it came to be.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// An identity provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentityProvider {
    /// Its entity ID.
    #[schema(example = "http://www.okta.com/exk1fcia6d6EMsf331d8")]
    entity_id: String,
    /// Where people are sent by redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uri")]
    sso_redirect: Option<Url>,
    /// Where people are sent by POST.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uri")]
    sso_post: Option<Url>,
    /// Whether it wants our requests signed.
    wants_signed_requests: bool,
    /// Until when its metadata may be used, if it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

/// A signing certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Certificate {
    /// SHA-256 of the certificate, as certificate viewers show it.
    #[schema(example = "B1:94:…:8C")]
    fingerprint: String,
    /// What kind of key it holds.
    #[schema(example = "RSA")]
    key: String,
    /// From when it is valid.
    #[schema(value_type = String, format = DateTime)]
    not_before: Timestamp,
    /// Until when it is valid.
    #[schema(value_type = String, format = DateTime)]
    not_after: Timestamp,
}

impl Connection {
    fn of(connection: &connection::Connection, app: &App, now: Timestamp) -> Self {
        let connection::Connection { id, identity_provider: idp, options, created_at, changed_at, .. } = connection;
        let entity_id = connection.entity_id(&app.settings);
        Self {
            id: *id,
            metadata_url: entity_id.clone(),
            entity_id,
            acs_url: connection.acs_url(&app.settings),
            identity_provider: IdentityProvider {
                entity_id: idp.entity_id.clone(),
                sso_redirect: idp.sso_redirect.clone(),
                sso_post: idp.sso_post.clone(),
                wants_signed_requests: idp.wants_signed_requests,
                valid_until: idp.valid_until,
            },
            certificates: idp.certificates.iter().map(Certificate::from).collect(),
            refresh: connection.refresh.as_ref().map(metadata::Refresh::from),
            warnings: connection.warnings(now).into_iter().map(metadata::Warning::from).collect(),
            options: Options { email_attribute: options.email_attribute.clone(), force_authn: options.force_authn },
            created_at: *created_at,
            changed_at: *changed_at,
        }
    }
}

impl From<&PinnedKey> for Certificate {
    fn from(key: &PinnedKey) -> Self {
        Self {
            fingerprint: key.fingerprint(),
            key: key.kind().to_string(),
            not_before: key.not_before(),
            not_after: key.not_after(),
        }
    }
}

/// Where the metadata is from.
enum Source {
    Document(IdpMetadata),
    Address(Url),
}

impl NewConnection {
    fn read(self) -> Result<(Source, connection::Options), Problem> {
        let source = match (self.metadata_xml, self.metadata_url) {
            (Some(xml), None) => {
                Source::Document(IdpMetadata::read(&xml).map_err(|error| Problem::invalid("/metadata_xml", &error))?)
            }
            (None, Some(url)) => Source::Address(metadata::address(&url)?),
            (Some(_), Some(_)) | (None, None) => {
                let detail = "Send the identity provider's metadata as metadata_xml, or where it is as metadata_url.";
                return Err(Problem::invalid("/metadata_xml", detail));
            }
        };
        let Options { email_attribute, force_authn } = self.options;
        let options = connection::Options { email_attribute, force_authn };
        options.check().map_err(|error| Problem::invalid("/options/email_attribute", &error))?;
        Ok((source, options))
    }
}

/// Shows the connection
#[utoipa::path(
    get,
    path = "/parents/{id}/connection",
    operation_id = "get_connection",
    tag = "Parent organizations",
    params(("id" = String, Path, description = "The parent organization's identifier.")),
    responses(
        (status = 200, description = "The connection.", body = Connection),
        (status = 404, description = "`not-found`: there is no such parent organization, or it has no connection.")
    )
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<ParentId>) -> Result<Answer, Problem> {
    let parent = app.store.parent(id).await?.ok_or_else(|| Problem::not_found("parent organization"))?;
    let none = || Problem::not_found("connection: this parent organization has none yet");
    let connection = app.store.connection(parent.value.connection.ok_or_else(none)?).await?.ok_or_else(none)?;
    Answer::new(StatusCode::OK, &Connection::of(&connection.value, &app, app.clock.now()))
}

/// Trusts an identity provider
///
/// The parent's first connection, or its one connection from now on. Its identifier, and with it the addresses that
/// the identity provider was given, stay. Needs a verified domain. Metadata that is given by its address is fetched
/// before the answer, and again every few hours and after a signature that no known certificate fits: its certificates
/// keep themselves current.
#[utoipa::path(
    put,
    path = "/parents/{id}/connection",
    operation_id = "set_connection",
    tag = "Parent organizations",
    params(("id" = String, Path, description = "The parent organization's identifier.")),
    request_body = NewConnection,
    responses(
        (status = 200, description = "The connection as it is now.", body = Connection),
        (status = 404, description = "`not-found`: there is no such parent organization."),
        (
            status = 409,
            description = "`no-verified-domain`: the parent has no verified domain.\n\n`changed`: somebody else \
                           changed the same."
        ),
        (
            status = 422,
            description = "`invalid-value`: the metadata or the options are not usable, and why.\n\n\
                           `metadata-not-fetched`: there is no usable metadata at the address; `finding` says why."
        )
    )
)]
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    State(fetcher): State<Arc<Fetcher>>,
    Path(id): Path<ParentId>,
    Body(body): Body<NewConnection>,
) -> Result<Answer, Problem> {
    let (source, options) = body.read()?;
    let given = match source {
        Source::Document(metadata) => Given { metadata, url: None, options },
        Source::Address(url) => {
            // Nothing is asked for somebody who could not use the answer.
            let (_, domains) = load(&app, id).await?;
            need_verified(&domains)?;
            Given { metadata: metadata::fetch(&fetcher, &url, app.clock.now()).await?, url: Some(url), options }
        }
    };
    let connection = settle(|| set_once(&app, id, &given)).await?;
    Answer::new(StatusCode::OK, &Connection::of(&connection, &app, app.clock.now()))
}

/// What a connection is to be made of.
struct Given {
    metadata: IdpMetadata,
    /// Where the metadata was fetched a moment ago.
    url: Option<Url>,
    options: connection::Options,
}

impl Given {
    fn is_of(&self, connection: &connection::Connection) -> bool {
        connection.identity_provider == self.metadata
            && connection.options == self.options
            && connection.refresh.as_ref().map(|refresh| &refresh.url) == self.url.as_ref()
    }
}

async fn load(app: &App, id: ParentId) -> Result<(Stored<Parent>, Vec<DomainClaim>), Problem> {
    let (parent, domains) = tokio::try_join!(app.store.parent(id), app.store.domain_claims(id))?;
    Ok((parent.ok_or_else(|| Problem::not_found("parent organization"))?, domains))
}

fn need_verified(domains: &[DomainClaim]) -> Result<(), Problem> {
    let verified = domains.iter().any(|claim| claim.state.is_verified());
    if verified { Ok(()) } else { Err(NO_VERIFIED_DOMAIN.says(&ConnectionError::NoVerifiedDomain)) }
}

async fn set_once(app: &App, id: ParentId, given: &Given) -> Result<connection::Connection, Obstacle> {
    let (Stored { value: mut parent, version }, domains) = load(app, id).await?;
    let present = match parent.connection {
        Some(connection) => app.store.connection(connection).await?,
        None => None,
    };
    let same = present.as_ref().map(|present| &present.value).filter(|present| given.is_of(present));
    if let (Some(same), None) = (same, &given.url) {
        return Ok(same.clone());
    }
    need_verified(&domains)?;
    let (now, before) = (app.clock.now(), present.as_ref().map(|present| &present.value));
    let Given { metadata, url, options } = given;
    let connection = match (same, url) {
        (Some(same), Some(url)) => same.clone().published_at(url.clone(), now, &app.random),
        (_, url) => {
            let (metadata, options) = (metadata.clone(), options.clone());
            let connection =
                connection::Connection::to_identity_provider(id, before, metadata, options, now, &app.random);
            match url {
                Some(url) => connection.published_at(url.clone(), now, &app.random),
                None => connection,
            }
        }
    };
    let mut transaction = Transaction::default();
    if let Some(present) = &present {
        transaction.replace_connection(&connection, present.version, Obstacle::Changed);
    } else {
        transaction.create_connection(&connection);
        parent.connection = Some(connection.id);
        transaction.replace_parent(&parent, version, Obstacle::Changed);
    }
    // That the same was fetched once more changes nothing for the customer.
    if same.is_none() {
        let (before, after) =
            (before.map(|before| Connection::of(before, app, now)), Connection::of(&connection, app, now));
        let entry = Entry { parent: id, actor: Actor::Operator, at: now };
        transaction.record(&entry.event(Action::ConnectionChanged, &connection.id, before, after, &app.random));
    }
    app.store.commit(transaction).await?;
    Ok(connection)
}
