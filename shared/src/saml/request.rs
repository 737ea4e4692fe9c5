//! The request that starts a login (SAML Core 3.4.1), on the redirect and POST bindings (SAML Bindings 3.4 and 3.5).

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use url::Url;

use crate::id::hex;

use super::protocol::write_request;
use super::scan::Comments;
use super::sign::{SignError, SigningKey, Style};
use super::xml::Tree;
use super::{ASSERTION_NS, MAX_MESSAGE_BYTES, PROTOCOL_NS};

/// Longest `RelayState` (SAML Bindings 3.4.3), in bytes.
pub const MAX_RELAY_STATE_BYTES: usize = 80;

/// Why a request cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// `RelayState` is longer than [`MAX_RELAY_STATE_BYTES`].
    #[error("the relay state is longer than 80 bytes")]
    RelayState,
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It could not be written.
    #[error("the request could not be written")]
    Write,
    /// It could not be compressed.
    #[error("the request could not be compressed")]
    Deflate,
}

/// An id for a request, from random bits that the caller draws: `_` and 32 hexadecimal digits, an `xs:ID`.
#[must_use]
pub fn request_id(random: [u8; 16]) -> String {
    format!("_{}", hex(&random))
}

/// A request to an identity provider to sign somebody in.
#[derive(Debug, Clone, Copy)]
pub struct AuthnRequest<'a> {
    /// See [`request_id`].
    pub id: &'a str,
    /// The time.
    pub issue_instant: Timestamp,
    /// The identity provider's single sign-on address, for the binding that is used.
    pub destination: &'a Url,
    /// Our assertion consumer service for the connection.
    pub acs_url: &'a str,
    /// Our entity id for the connection.
    pub issuer: &'a str,
    /// The `NameID` format to ask for, if any.
    pub name_id_format: Option<&'a str>,
    /// Whether the person must sign in again.
    pub force_authn: bool,
}

/// A form that the browser posts to the identity provider. The values are not escaped for HTML yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// Where to.
    pub action: Url,
    /// The field `SAMLRequest`.
    pub saml_request: String,
    /// The field `RelayState`, if any.
    pub relay_state: Option<String>,
}

impl AuthnRequest<'_> {
    /// The message, not signed.
    ///
    /// # Errors
    /// If it cannot be written, which no value of these fields causes.
    pub fn to_xml(&self) -> Result<String, RequestError> {
        write_request(self).map_err(|_| RequestError::Write)
    }

    /// The address to send the browser to, signed if a key is given (SAML Bindings 3.4.4).
    ///
    /// # Errors
    /// If the relay state is too long, or signing fails.
    pub fn redirect_url(&self, relay_state: Option<&str>, key: Option<&SigningKey>) -> Result<Url, RequestError> {
        check_relay_state(relay_state)?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(self.to_xml()?.as_bytes()).map_err(|_| RequestError::Deflate)?;
        let deflated = encoder.finish().map_err(|_| RequestError::Deflate)?;
        let mut query = format!("SAMLRequest={}", percent_encode(&STANDARD.encode(deflated)));
        if let Some(relay_state) = relay_state {
            query = format!("{query}&RelayState={}", percent_encode(relay_state));
        }
        if let Some(key) = key {
            query = format!("{query}&SigAlg={}", percent_encode(key.algorithm_uri()));
            let signature = STANDARD.encode(key.sign_octets(query.as_bytes())?);
            query = format!("{query}&Signature={}", percent_encode(&signature));
        }
        let mut url = self.destination.clone();
        let whole = match url.query().filter(|own| !own.is_empty()) {
            Some(own) => format!("{own}&{query}"),
            None => query,
        };
        url.set_query(Some(&whole));
        url.set_fragment(None);
        Ok(url)
    }

    /// The form to post, its message signed if a key is given (SAML Bindings 3.5.4).
    ///
    /// # Errors
    /// If the relay state is too long, or signing fails.
    pub fn post_form(&self, relay_state: Option<&str>, key: Option<&SigningKey>) -> Result<PostForm, RequestError> {
        check_relay_state(relay_state)?;
        let xml = self.to_xml()?;
        let xml = match key {
            Some(key) => key.sign_element(&xml, self.id, Style::default())?,
            None => xml,
        };
        Ok(PostForm {
            action: self.destination.clone(),
            saml_request: STANDARD.encode(xml),
            relay_state: relay_state.map(str::to_owned),
        })
    }
}

fn check_relay_state(relay_state: Option<&str>) -> Result<(), RequestError> {
    if relay_state.is_some_and(|state| state.len() > MAX_RELAY_STATE_BYTES) {
        return Err(RequestError::RelayState);
    }
    Ok(())
}

/// RFC 3986 section 2.3: everything but unreserved characters.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// Not base64, not DEFLATE, not UTF-8, or not an `AuthnRequest` of version 2.0.
    #[error("not a SAML 2.0 authentication request")]
    Malformed,
    /// Larger than [`MAX_MESSAGE_BYTES`] once inflated.
    #[error("the authentication request is too large")]
    TooLarge,
}

/// Inflates the `SAMLRequest` parameter of the redirect binding, already percent-decoded (SAML Bindings 3.4.4.1).
///
/// # Errors
/// If it is malformed, or would be larger than [`MAX_MESSAGE_BYTES`]: nothing beyond that is inflated.
pub fn decode_redirect(saml_request: &str) -> Result<String, ReceiveError> {
    if saml_request.len() > MAX_MESSAGE_BYTES * 2 {
        return Err(ReceiveError::TooLarge);
    }
    let deflated = STANDARD.decode(saml_request).map_err(|_| ReceiveError::Malformed)?;
    let limit = u64::try_from(MAX_MESSAGE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut inflated = Vec::new();
    let read = DeflateDecoder::new(&deflated[..]).take(limit).read_to_end(&mut inflated);
    read.map_err(|_| ReceiveError::Malformed)?;
    if inflated.len() > MAX_MESSAGE_BYTES {
        return Err(ReceiveError::TooLarge);
    }
    String::from_utf8(inflated).map_err(|_| ReceiveError::Malformed)
}

/// What a request asks for, as an identity provider reads it. Its signature is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// Its id, for `InResponseTo`.
    pub id: String,
    /// Entity id of who asks.
    pub issuer: String,
    /// Where to answer, if it says.
    pub acs_url: Option<String>,
    /// Where it was sent, if it says.
    pub destination: Option<String>,
    /// The `NameID` format asked for, if any.
    pub name_id_format: Option<String>,
    /// Whether the person must sign in again.
    pub force_authn: bool,
}

impl ReceivedRequest {
    /// Reads a message.
    ///
    /// # Errors
    /// If it is not an `AuthnRequest` of version 2.0 with id and issuer.
    pub fn read(xml: &str) -> Result<Self, ReceiveError> {
        let tree = Tree::read(xml, Comments::Refuse).map_err(|_| ReceiveError::Malformed)?;
        let root = tree.root();
        let attribute = |name| tree.attribute(root, name).map(str::to_owned);
        if !tree.is(root, PROTOCOL_NS, "AuthnRequest") || tree.attribute(root, "Version") != Some("2.0") {
            return Err(ReceiveError::Malformed);
        }
        let issuer = tree.only(root, ASSERTION_NS, "Issuer").and_then(|issuer| tree.text(issuer));
        let policy = tree.only(root, PROTOCOL_NS, "NameIDPolicy");
        Ok(Self {
            id: attribute("ID").filter(|id| !id.is_empty()).ok_or(ReceiveError::Malformed)?,
            issuer: issuer.ok_or(ReceiveError::Malformed)?.trim_ascii().to_owned(),
            acs_url: attribute("AssertionConsumerServiceURL"),
            destination: attribute("Destination"),
            name_id_format: policy.and_then(|policy| tree.attribute(policy, "Format")).map(str::to_owned),
            force_authn: matches!(tree.attribute(root, "ForceAuthn"), Some("true" | "1")),
        })
    }
}
