//! The protocol types of `samael`: metadata in and out, and the request. The only module that names that crate.
//!
//! It is used with care, for these reasons and no others than its types:
//! - It reads by local name, whatever the namespace, with a parser that has known denial-of-service advisories. It gets
//!   only the canonical form of an element that passed the strict reader, cut down to the elements we ask it for.
//! - It writes attribute values escaped and text as it is. Text is escaped before it gets there.
//! - `AuthnRequest::default` reads the clock. It is not called.
//! - Nothing of its verification is called: without certificates it accepts unsigned responses, and its cryptography is
//!   a stub that answers yes.
//! - It does not read assertions here. Its `Assertion` drops conditions it does not know, qualifiers of the `NameID`
//!   and namespaces, and joins text: what it leaves out is what must be refused. [`validate`](super::validate) reads
//!   the tree of hashed octets instead.
//!
//! Version 0.0.20 is pinned: later ones do not build without their C feature (libxml2, libxmlsec1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, Unit};
use samael::key_info::{KeyInfo, X509Data};
use samael::metadata::{EncryptionMethod, EntityDescriptor, IndexedEndpoint, KeyDescriptor, SpSsoDescriptor};
use samael::schema::{AuthnRequest as Request, Issuer, NameIdPolicy};
use samael::traits::ToXml as _;

use super::canonical::{canonicalize, escape_text};
use super::decrypt::METHODS;
use super::metadata::SpMetadata;
use super::request::AuthnRequest;
use super::xml::{NodeId, Tree};
use super::{DSIG_NS, METADATA_NS, POST_BINDING, PROTOCOL_NS};

/// Something that the crate does not read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("outside of what the protocol types express")]
pub(super) struct ProtocolError;

/// What an identity provider's descriptor says, as far as we ask.
#[derive(Debug, Clone)]
pub(super) struct IdpDescriptor {
    pub(super) entity_id: Option<String>,
    pub(super) wants_signed_requests: bool,
    /// Use and certificates of each key.
    pub(super) keys: Vec<(Option<String>, Vec<String>)>,
    pub(super) name_id_formats: Vec<String>,
    /// Binding and location of each service.
    pub(super) single_sign_on: Vec<(String, String)>,
}

/// Reads the descriptor of one role of an entity.
///
/// # Errors
/// If the crate does not read it.
pub(super) fn read_idp(tree: &Tree, entity: NodeId, role: NodeId) -> Result<IdpDescriptor, ProtocolError> {
    let mut tree = tree.clone();
    // It takes a duration for a number of seconds.
    tree.retain_attributes(entity, &["entityID"]);
    tree.retain_attributes(role, &["WantAuthnRequestsSigned", "protocolSupportEnumeration"]);
    let octets = canonicalize(&tree, entity, &others(&tree, entity, role), &[]).map_err(|_| ProtocolError)?;
    let descriptor: EntityDescriptor = octets.parse().map_err(|_| ProtocolError)?;
    let role = descriptor.idp_sso_descriptors.into_iter().flatten().next().ok_or(ProtocolError)?;
    let certificates = |info: KeyInfo| info.x509_data.map(|data| data.certificates).unwrap_or_default();
    let keys = role.key_descriptors.into_iter().map(|key| (key.key_use, certificates(key.key_info)));
    let services = role.single_sign_on_services.into_iter().map(|service| (service.binding, service.location));
    Ok(IdpDescriptor {
        entity_id: descriptor.entity_id,
        wants_signed_requests: role.want_authn_requests_signed.unwrap_or_default(),
        keys: keys.collect(),
        name_id_formats: role.name_id_formats,
        single_sign_on: services.collect(),
    })
}

/// What the crate is not shown: everything but the role's keys in X.509 form, formats and sign-on services. It matches
/// by local name, so the namespace is decided here.
fn others(tree: &Tree, entity: NodeId, role: NodeId) -> Vec<NodeId> {
    let wanted = |node: &NodeId| {
        let named = |local| tree.is(*node, METADATA_NS, local);
        let holds_certificate = || {
            let infos = tree.named(*node, DSIG_NS, "KeyInfo");
            infos.flat_map(|info| tree.named(info, DSIG_NS, "X509Data")).count() == 1
        };
        named("NameIDFormat") || named("SingleSignOnService") || (named("KeyDescriptor") && holds_certificate())
    };
    let beside = tree.elements(entity).filter(|node| *node != role);
    let unwanted = tree.elements(role).filter(|node| !wanted(node));
    let in_keys = tree.named(role, METADATA_NS, "KeyDescriptor").flat_map(|key| {
        let methods = tree.elements(key).filter(|node| !tree.is(*node, DSIG_NS, "KeyInfo"));
        let infos = tree.named(key, DSIG_NS, "KeyInfo").flat_map(|info| tree.elements(info));
        methods.chain(infos.filter(|node| !tree.is(*node, DSIG_NS, "X509Data")))
    });
    let in_data = tree.named(role, METADATA_NS, "KeyDescriptor").flat_map(|key| {
        let data = tree.named(key, DSIG_NS, "KeyInfo").flat_map(|info| tree.named(info, DSIG_NS, "X509Data"));
        data.flat_map(|data| tree.elements(data)).filter(|node| !tree.is(*node, DSIG_NS, "X509Certificate"))
    });
    beside.chain(unwanted).chain(in_keys).chain(in_data).collect()
}

/// Writes our own metadata.
///
/// # Errors
/// If the crate does not write it.
pub(super) fn write_sp(metadata: &SpMetadata<'_>) -> Result<String, ProtocolError> {
    let key = |usage: &str, certificate: &[u8]| KeyDescriptor {
        key_use: Some(usage.to_owned()),
        key_info: KeyInfo { id: None, x509_data: Some(X509Data { certificates: vec![STANDARD.encode(certificate)] }) },
        encryption_methods: None,
    };
    let method = |uri: &&str| EncryptionMethod { algorithm: (*uri).to_owned() };
    let signing = metadata.signing_certificates.iter().map(|certificate| key("signing", certificate));
    let encryption = metadata.encryption_certificates.iter().map(|certificate| KeyDescriptor {
        encryption_methods: Some(METHODS.iter().map(method).collect()),
        ..key("encryption", certificate)
    });
    let service = IndexedEndpoint {
        binding: POST_BINDING.to_owned(),
        location: metadata.acs_url.to_owned(),
        response_location: None,
        index: 0,
        is_default: Some(true),
    };
    let role = SpSsoDescriptor {
        protocol_support_enumeration: Some(PROTOCOL_NS.to_owned()),
        key_descriptors: Some(signing.chain(encryption).collect()),
        name_id_formats: Some(metadata.name_id_formats.iter().map(|format| escaped(format)).collect()),
        authn_requests_signed: Some(metadata.signs_requests),
        want_assertions_signed: Some(true),
        assertion_consumer_services: vec![service],
        ..SpSsoDescriptor::default()
    };
    let descriptor = EntityDescriptor {
        entity_id: Some(metadata.entity_id.to_owned()),
        sp_sso_descriptors: Some(vec![role]),
        ..EntityDescriptor::default()
    };
    descriptor.to_string().map_err(|_| ProtocolError)
}

/// Writes a request.
///
/// # Errors
/// If the crate does not write it.
pub(super) fn write_request(request: &AuthnRequest<'_>) -> Result<String, ProtocolError> {
    let request = Request {
        id: request.id.to_owned(),
        version: "2.0".to_owned(),
        issue_instant: instant(request.issue_instant).parse().map_err(|_| ProtocolError)?,
        destination: Some(request.destination.to_string()),
        consent: None,
        issuer: Some(Issuer { value: Some(escaped(request.issuer)), ..Issuer::default() }),
        signature: None,
        subject: None,
        name_id_policy: request.name_id_format.map(|format| NameIdPolicy {
            format: Some(format.to_owned()),
            sp_name_qualifier: None,
            allow_create: Some(true),
        }),
        conditions: None,
        requested_authn_context: None,
        force_authn: request.force_authn.then_some(true),
        is_passive: None,
        assertion_consumer_service_index: None,
        assertion_consumer_service_url: Some(request.acs_url.to_owned()),
        protocol_binding: Some(POST_BINDING.to_owned()),
        attribute_consuming_service_index: None,
        provider_name: None,
    };
    request.to_string().map_err(|_| ProtocolError)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape_text(&mut out, text);
    out
}

/// Whole seconds in UTC.
fn instant(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}
