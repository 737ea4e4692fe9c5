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
    connection::{self, ConnectionError, NameIdFormatError, SharingError},
    domain::DomainClaim,
    id::{ApplicationId, ConnectionId, ParentId},
    journal::{Action, Actor, Entry},
    parent::Parent,
    saml::{IdpMetadata, PinnedKey},
    table::{Stored, Transaction, settle},
    web::{Fetcher, Problem},
};

use crate::{
    once::{Answer, Obstacle},
    problems::{IDENTITY_PROVIDER_IN_USE, NO_VERIFIED_DOMAIN, TOO_MANY_SHARING},
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
    /// Whether the customer may share the identity provider with others that trust the same entity ID and key. That is for
    /// customers that are one company, and for nobody else. It is not needed again for a further key of the same
    /// identity provider that the same customers trust, as long as they share another one by then.
    #[serde(default)]
    #[schema(example = false)]
    shared_identity_provider: bool,
}

/// What a customer can choose about its connection.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// The attribute that holds the e-mail address, where it is not one of the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "mail", max_length = 255)]
    email_attribute: Option<String>,
    /// Whether people sign in anew at the identity provider each time.
    #[schema(example = false)]
    force_authn: bool,
    /// Which identifier of a person our requests ask for. A change can give everybody another identifier, and then every
    /// tie between an account and its identifier has to be reset.
    #[schema(value_type = NameIdFormat)]
    name_id_format: String,
    /// The application that people are sent to who begin at the identity provider, by its `client_id`. It needs a
    /// `start_login_uri`, where it begins an ordinary sign-in. Without one, such sign-ins are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "app_0cc175b9c0f1b6a831c399e269772661")]
    idp_initiated_application: Option<String>,
}

/// Which identifier of a person our requests ask for: `unspecified` for whichever the identity provider is set up to send.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes a type of the shared crate, which knows no OpenAPI")]
pub(crate) enum NameIdFormat {
    /// Whichever the identity provider is set up to send.
    Unspecified,
    /// The e-mail address.
    EmailAddress,
    /// One that stays when the address changes.
    Persistent,
}

impl Default for Options {
    fn default() -> Self {
        (&connection::Options::default()).into()
    }
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
    /// Where the certificate is that the identity provider can encrypt assertions to; our metadata has it too.
    #[schema(example = "https://id.example.com/saml/con_8277e0910d750195b448797616e091ad/encryption-certificate")]
    encryption_certificate_url: String,
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

/// A connection on the audit trail.
#[derive(Debug, Serialize)]
struct Recorded {
    #[serde(flatten)]
    connection: Connection,
    /// Whether it shares the identity provider with other customers, to which the first time needs the operator's leave.
    shared_identity_provider: bool,
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
            encryption_certificate_url: app.settings.url(&format!("/saml/{id}/encryption-certificate")),
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
            options: options.into(),
            created_at: *created_at,
            changed_at: *changed_at,
        }
    }
}

impl From<&connection::Options> for Options {
    fn from(options: &connection::Options) -> Self {
        Self {
            email_attribute: options.email_attribute.clone(),
            force_authn: options.force_authn,
            name_id_format: options.name_id_format.to_string(),
            idp_initiated_application: options.idp_initiated_application.map(|id| id.to_string()),
        }
    }
}

impl Options {
    fn read(self) -> Result<connection::Options, Problem> {
        let application = |text: String| text.parse::<ApplicationId>().map_err(|_| no_application());
        let options = connection::Options {
            email_attribute: self.email_attribute,
            force_authn: self.force_authn,
            name_id_format: self
                .name_id_format
                .parse()
                .map_err(|error: NameIdFormatError| Problem::invalid("/options/name_id_format", &error))?,
            idp_initiated_application: self.idp_initiated_application.map(application).transpose()?,
        };
        options.check().map_err(|error| Problem::invalid("/options/email_attribute", &error))?;
        Ok(options)
    }
}

fn no_application() -> Problem {
    let detail = "There is no application of this client_id that has a start_login_uri on the web, where it begins a \
                  sign-in.";
    Problem::invalid("/options/idp_initiated_application", detail)
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

/// What a connection is to be.
struct Wanted {
    metadata: IdpMetadata,
    /// Where the metadata was fetched a moment ago, if it was.
    url: Option<Url>,
    options: connection::Options,
    /// Whether another customer may trust the same identity provider.
    may_share: bool,
}

/// Where the metadata is from.
enum Source {
    Document(IdpMetadata),
    Address(Url),
}

impl Source {
    fn of(metadata_xml: Option<&str>, metadata_url: Option<&str>) -> Result<Self, Problem> {
        match (metadata_xml, metadata_url) {
            (Some(xml), None) => {
                let metadata = IdpMetadata::read(xml).map_err(|error| Problem::invalid("/metadata_xml", &error))?;
                Ok(Self::Document(metadata))
            }
            (None, Some(url)) => Ok(Self::Address(metadata::address(url)?)),
            (Some(_), Some(_)) | (None, None) => {
                let detail = "Send the identity provider's metadata as metadata_xml, or where it is as metadata_url.";
                Err(Problem::invalid("/metadata_xml", detail))
            }
        }
    }
}

impl Wanted {
    /// What is asked for `parent`, its metadata fetched where it is given by its address.
    async fn read(body: NewConnection, parent: ParentId, app: &App, fetcher: &Fetcher) -> Result<Self, Problem> {
        let source = Source::of(body.metadata_xml.as_deref(), body.metadata_url.as_deref())?;
        let (options, may_share) = (body.options.read()?, body.shared_identity_provider);
        check_application(app, &options).await?;
        let (metadata, url) = match source {
            Source::Document(metadata) => (metadata, None),
            Source::Address(url) => {
                // Nothing is asked for somebody who could not use the answer.
                let (parent, domains) = load(app, parent).await?;
                need_domain(&domains, parent.value.connection.is_some())?;
                (metadata::fetch(fetcher, &url, app.clock.now()).await?, Some(url))
            }
        };
        Ok(Self { metadata, url, options, may_share })
    }

    fn is(&self, connection: &connection::Connection) -> bool {
        connection.identity_provider == self.metadata
            && connection.options == self.options
            && connection.refresh.as_ref().map(|refresh| &refresh.url) == self.url.as_ref()
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
/// the identity provider was given, stay. Needs a verified domain.
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
            description = "`no-verified-domain`: the parent has no verified domain.\n\n`identity-provider-in-use`: \
                           another customer trusts the same entity ID and key, and `shared_identity_provider` does \
                           not say that they share.\n\n`too-many-sharing`: as many customers as can be share the \
                           identity provider already.\n\n`changed`: somebody else \
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
    let wanted = Wanted::read(body, id, &app, &fetcher).await?;
    let connection = settle(|| set_once(&app, id, &wanted)).await?;
    Answer::new(StatusCode::OK, &Connection::of(&connection, &app, app.clock.now()))
}

/// Who begins at the identity provider must get on from there.
async fn check_application(app: &App, options: &connection::Options) -> Result<(), Problem> {
    let Some(id) = options.idp_initiated_application else { return Ok(()) };
    let application = app.store.application(id).await?.ok_or_else(no_application)?;
    if application.starts_logins() { Ok(()) } else { Err(no_application()) }
}

async fn load(app: &App, id: ParentId) -> Result<(Stored<Parent>, Vec<DomainClaim>), Problem> {
    let (parent, domains) = tokio::try_join!(app.store.parent(id), app.store.domain_claims(id))?;
    Ok((parent.ok_or_else(|| Problem::not_found("parent organization"))?, domains))
}

/// Whether a connection may be made or, where one is `present`, changed: a lapsed domain is no reason to keep an
/// administrator from the keys of a connection that is there already.
fn need_domain(domains: &[DomainClaim], present: bool) -> Result<(), Problem> {
    let suffices = |claim: &DomainClaim| claim.state.is_verified() || (present && claim.state.is_held());
    if domains.iter().any(suffices) { Ok(()) } else { Err(NO_VERIFIED_DOMAIN.says(&ConnectionError::NoVerifiedDomain)) }
}

async fn set_once(app: &App, id: ParentId, wanted: &Wanted) -> Result<connection::Connection, Obstacle> {
    let Wanted { metadata, url, options, may_share } = wanted;
    let (Stored { value: mut parent, version }, domains) = load(app, id).await?;
    let present = match parent.connection {
        Some(connection) => app.store.connection(connection).await?,
        None => None,
    };
    let same = present.as_ref().map(|present| &present.value).filter(|present| wanted.is(present));
    if let (Some(same), None) = (same, url) {
        return Ok(same.clone());
    }
    need_domain(&domains, present.is_some())?;
    let (now, before) = (app.clock.now(), present.as_ref().map(|present| &present.value));
    let keys = app.store.keys_in_use(before.map(|before| &before.identity_provider), metadata).await?;
    let mut transaction = Transaction::default();
    let trusted = transaction.trust_keys(id, metadata, &keys, *may_share, Obstacle::Changed);
    trusted.map_err(|error| unshared(id, error))?;
    let connection = same.cloned().unwrap_or_else(|| {
        let (metadata, options) = (metadata.clone(), options.clone());
        connection::Connection::to_identity_provider(id, before, metadata, options, now, &app.random)
    });
    let connection = match url {
        Some(url) => connection.published_at(url.clone(), now, &app.random),
        None => connection,
    };
    if let Some(present) = &present {
        transaction.replace_connection(&connection, present.version, Obstacle::Changed);
    } else {
        transaction.create_connection(&connection);
        parent.connection = Some(connection.id);
        transaction.replace_parent(&parent, version, Obstacle::Changed);
    }
    // That the same was fetched once more changes nothing for the customer.
    if same.is_none() {
        let recorded = |connection: &connection::Connection| Recorded {
            connection: Connection::of(connection, app, now),
            shared_identity_provider: connection::is_shared(id, &connection.identity_provider, &keys),
        };
        let (before, after) = (before.map(recorded), recorded(&connection));
        let entry = Entry { trail: id.into(), actor: Actor::Operator, at: now };
        transaction.record(&entry.event(Action::ConnectionChanged, &connection.id, before, after, &app.random));
    }
    app.store.commit(transaction).await?;
    Ok(connection)
}

/// The customer is not told who trusts the identity provider; the operator's log is, to settle whose it is.
fn unshared(parent: ParentId, error: SharingError) -> Problem {
    match error {
        SharingError::InUse(earlier) => {
            tracing::warn!(%parent, %earlier, "an identity provider was refused that another customer trusts");
            IDENTITY_PROVIDER_IN_USE.says(&error)
        }
        SharingError::TooMany => TOO_MANY_SHARING.says(&error),
    }
}
