//! Metadata (SAML Metadata 2.0): what an identity provider publishes, read; what we publish, written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::idp::IdpKind;
use super::key::{CertificateError, PinnedKey};
use super::protocol::{IdpDescriptor, read_idp, write_sp};
use super::scan::{Comments, XmlError};
use super::xml::{NodeId, Tree};
use super::{METADATA_NS, POST_BINDING, PROTOCOL_NS, REDIRECT_BINDING, time};

/// Largest metadata document, in bytes.
pub const MAX_METADATA_BYTES: usize = 1024 * 1024;
/// Longest entity id (SAML Core 8.3.6), in bytes.
pub const MAX_ENTITY_ID_BYTES: usize = 1024;
/// Most signing certificates of one identity provider.
pub const MAX_CERTIFICATES: usize = 16;

/// Why metadata cannot be used. The texts are for administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Larger than [`MAX_METADATA_BYTES`].
    #[error("The metadata is larger than 1 MiB. Use the metadata of this one application, not of a federation.")]
    TooLarge,
    /// A web page.
    #[error(
        "This is a web page, not metadata. The address probably asks for a sign-in first; download the XML file instead."
    )]
    WebPage,
    /// Not XML that we read.
    #[error("This is not XML metadata: {0}.")]
    NotXml(String),
    /// XML, but something else.
    #[error("This is XML, but not SAML 2.0 metadata.")]
    NotMetadata,
    /// An `EntitiesDescriptor` with more or fewer than one identity provider.
    #[error("The metadata describes {0} identity providers; use the metadata of the one to connect.")]
    Several(usize),
    /// Only a service provider's role.
    #[error("This is the metadata of a service provider. Use the identity provider's metadata here, not ours.")]
    ServiceProvider,
    /// No `IDPSSODescriptor` for SAML 2.0.
    #[error("The metadata describes no SAML 2.0 identity provider.")]
    NoIdentityProvider,
    /// No `entityID`, or one too long.
    #[error("The metadata has no usable entity ID.")]
    NoEntityId,
    /// No single sign-on address on a binding that we use.
    #[error("The metadata has no single sign-on address for the redirect or POST binding.")]
    NoSingleSignOn,
    /// A single sign-on address that browsers must not be sent to.
    #[error("The single sign-on address {0} is not an https address.")]
    Address(String),
    /// No certificate for signing.
    #[error("The metadata has no signing certificate.")]
    NoCertificate,
    /// Every signing certificate is unusable; the first one's defect.
    #[error("{0}")]
    Certificate(CertificateError),
    /// More than [`MAX_CERTIFICATES`].
    #[error("The metadata has more than 16 signing certificates.")]
    Certificates,
}

/// What a connection needs to know of its identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpMetadata {
    /// Entity id.
    pub entity_id: String,
    /// Which product it seems to be.
    pub kind: IdpKind,
    /// Single sign-on address of the redirect binding.
    pub sso_redirect: Option<Url>,
    /// Single sign-on address of the POST binding.
    pub sso_post: Option<Url>,
    /// Whether it wants our requests signed.
    pub wants_signed_requests: bool,
    /// Its signing keys. Never empty.
    pub certificates: Vec<PinnedKey>,
    /// Until when the document may be used, if it says.
    pub valid_until: Option<Timestamp>,
    /// `NameID` formats it offers.
    pub name_id_formats: Vec<String>,
}

impl IdpMetadata {
    /// Reads a metadata document. Its signature, if any, is not verified: an administrator vouches for it, or TLS.
    ///
    /// # Errors
    /// If it is not the metadata of exactly one identity provider that we can work with.
    pub fn read(xml: &str) -> Result<Self, MetadataError> {
        let tree = read_tree(xml)?;
        let entity = the_entity(&tree)?;
        let role = identity_provider(&tree, entity)?;
        let descriptor = read_idp(&tree, entity, role).map_err(|_| MetadataError::NotMetadata)?;
        let entity_id = descriptor.entity_id.as_deref().map(str::trim_ascii).unwrap_or_default();
        if entity_id.is_empty() || entity_id.len() > MAX_ENTITY_ID_BYTES {
            return Err(MetadataError::NoEntityId);
        }
        let sso_redirect = single_sign_on(&descriptor, REDIRECT_BINDING)?;
        let sso_post = single_sign_on(&descriptor, POST_BINDING)?;
        let Some(address) = sso_redirect.as_ref().or(sso_post.as_ref()) else {
            return Err(MetadataError::NoSingleSignOn);
        };
        let until = |node| tree.attribute(node, "validUntil").and_then(time::parse);
        Ok(Self {
            entity_id: entity_id.to_owned(),
            kind: IdpKind::detect(entity_id, Some(address.as_str())),
            wants_signed_requests: descriptor.wants_signed_requests,
            certificates: certificates(&descriptor)?,
            valid_until: [until(entity), until(role)].into_iter().flatten().min(),
            name_id_formats: descriptor.name_id_formats.iter().map(|format| format.trim_ascii().to_owned()).collect(),
            sso_redirect,
            sso_post,
        })
    }
}

fn read_tree(xml: &str) -> Result<Tree, MetadataError> {
    if xml.len() > MAX_METADATA_BYTES {
        return Err(MetadataError::TooLarge);
    }
    let xml = xml.trim_start_matches('\u{feff}').trim_ascii();
    let start: String = xml.chars().take(15).collect::<String>().to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Err(MetadataError::WebPage);
    }
    Tree::read(xml, Comments::Skip).map_err(|error| match error {
        XmlError::Dtd => MetadataError::NotXml("it has a document type declaration".to_owned()),
        other => MetadataError::NotXml(other.to_string()),
    })
}

/// The `EntityDescriptor` at the root, or the only identity provider of an `EntitiesDescriptor` there.
fn the_entity(tree: &Tree) -> Result<NodeId, MetadataError> {
    let root = tree.root();
    if tree.is(root, METADATA_NS, "EntityDescriptor") {
        return Ok(root);
    }
    if !tree.is(root, METADATA_NS, "EntitiesDescriptor") {
        return Err(MetadataError::NotMetadata);
    }
    let entities = tree.all_elements().map(|(node, _)| node).filter(|node| {
        tree.is(*node, METADATA_NS, "EntityDescriptor")
            && tree.named(*node, METADATA_NS, "IDPSSODescriptor").next().is_some()
    });
    match entities.collect::<Vec<_>>()[..] {
        [only] => Ok(only),
        ref all => Err(MetadataError::Several(all.len())),
    }
}

/// The role that speaks SAML 2.0.
fn identity_provider(tree: &Tree, entity: NodeId) -> Result<NodeId, MetadataError> {
    let speaks = |role: &NodeId| {
        let protocols = tree.attribute(*role, "protocolSupportEnumeration").unwrap_or(PROTOCOL_NS);
        protocols.split_ascii_whitespace().any(|protocol| protocol == PROTOCOL_NS)
    };
    let mut roles = tree.named(entity, METADATA_NS, "IDPSSODescriptor");
    if let Some(role) = roles.find(speaks) {
        return Ok(role);
    }
    let service_provider = tree.named(entity, METADATA_NS, "SPSSODescriptor").next().is_some();
    Err(if service_provider { MetadataError::ServiceProvider } else { MetadataError::NoIdentityProvider })
}

fn single_sign_on(descriptor: &IdpDescriptor, binding: &str) -> Result<Option<Url>, MetadataError> {
    let service = descriptor.single_sign_on.iter().find(|(offered, _)| offered == binding);
    let Some((_, location)) = service else { return Ok(None) };
    let bad = || MetadataError::Address(location.chars().take(200).collect());
    let url = Url::parse(location.trim_ascii()).map_err(|_| bad())?;
    if is_safe(&url) { Ok(Some(url)) } else { Err(bad()) }
}

/// https, or http on this very machine; no credentials in it.
fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

/// Keys for signing, or for any use, each once. An unusable one is left out as long as another is left.
fn certificates(descriptor: &IdpDescriptor) -> Result<Vec<PinnedKey>, MetadataError> {
    let for_signing = descriptor.keys.iter().filter(|(usage, _)| matches!(usage.as_deref(), None | Some("signing")));
    let (mut keys, mut defect) = (Vec::new(), None);
    for certificate in for_signing.flat_map(|(_, certificates)| certificates) {
        match PinnedKey::from_base64(certificate) {
            Ok(key) if keys.contains(&key) => {}
            Ok(key) => keys.push(key),
            Err(error) => defect = defect.or(Some(error)),
        }
    }
    match (keys.len(), defect) {
        (0, Some(error)) => Err(MetadataError::Certificate(error)),
        (0, None) => Err(MetadataError::NoCertificate),
        (count, _) if count > MAX_CERTIFICATES => Err(MetadataError::Certificates),
        _ => Ok(keys),
    }
}

/// What we publish for one connection.
#[derive(Debug, Clone, Copy)]
pub struct SpMetadata<'a> {
    /// Our entity id.
    pub entity_id: &'a str,
    /// Our assertion consumer service.
    pub acs_url: &'a str,
    /// `NameID` formats we take, best first.
    pub name_id_formats: &'a [&'a str],
    /// Whether our requests are signed. Identity providers that read so refuse others.
    pub signs_requests: bool,
    /// Certificates of the keys that sign our requests, now and soon, in DER.
    pub signing_certificates: &'a [&'a [u8]],
    /// Certificates of the keys that open encrypted assertions, in DER.
    pub encryption_certificates: &'a [&'a [u8]],
}

impl SpMetadata<'_> {
    /// The document.
    ///
    /// # Errors
    /// If it cannot be written, which no value of these fields causes.
    pub fn to_xml(&self) -> Result<String, WriteError> {
        write_sp(self).map_err(|_| WriteError)
    }
}

/// A message that could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be written")]
pub struct WriteError;
