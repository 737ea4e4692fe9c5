//! SAML 2.0 web browser single sign-on, from the service provider's side.
//!
//! A login moves through types, and each step consumes the one before:
//! [`Unverified::decode`] → [`Unverified::verify`] → [`Signed::check`] → [`Assertion`].
//!
//! What holds, and what is absent:
//! - [`Assertion`] is the only type with claims, and [`Signed::check`] the only way to one.
//! - [`Signed`] is read again from nothing but the octets that were hashed: there is no path from a claim to a part of
//!   the message that nobody signed.
//! - Keys come from [`Trust`] only. Nothing in a message chooses a key, and there is no empty trust that accepts.
//! - There is one signature profile (enveloped, one reference to the parent, exclusive canonicalization, SHA-2). There
//!   is no general XML signature engine, no `XPath`, no dereferencing, no SHA-1, no HMAC, no X.509 path building.
//! - There is no comment, CDATA section, processing instruction, document type or entity in any tree.
//! - Every check is recorded in a [`Trace`], and there is no [`Refusal`] without a record.
//! - There is no I/O, no clock and no randomness: keys, the time and random bytes are arguments.
//!
//! Of the libraries at hand, the parser's tokenizer (`uppsala`) reads what `scan` lets through and `aws-lc-rs` does the
//! cryptography. The types of metadata and requests are `samael`'s, all of it in `protocol`, which says with what care.

mod advice;
mod algorithm;
mod assertion;
mod canonical;
mod confirmation;
mod decode;
mod decrypt;
mod envelope;
mod idp;
mod key;
mod metadata;
mod opened;
mod protocol;
mod reason;
mod renewal;
mod request;
mod scan;
mod shape;
mod sign;
mod signature;
mod statement;
#[cfg(test)]
mod tests;
mod time;
mod trace;
mod uri;
mod validate;
mod write;
mod xml;

pub use assertion::{
    Assertion, Attribute, EMAIL_FORMAT, Email, NameId, PERSISTENT_FORMAT, TRANSIENT_FORMAT, UNSPECIFIED_FORMAT,
};
pub use decode::Unverified;
pub use decrypt::{DecryptionKey, DecryptionKeyError};
pub use idp::IdpKind;
pub use key::{
    CertificateError, ExpiredKeys, KeyKind, MAX_CERTIFICATE_BYTES, MAX_RSA_BITS, MIN_RSA_BITS, PinnedKey, Trust,
};
pub use metadata::{
    IdpMetadata, MAX_CERTIFICATES, MAX_ENTITY_ID_BYTES, MAX_METADATA_BYTES, MetadataError, SpMetadata, WriteError,
};
pub use reason::{Reason, UnknownReason};
pub use request::{
    AuthnRequest, MAX_RELAY_STATE_BYTES, PostForm, ReceiveError, ReceivedRequest, RequestError, decode_redirect,
    request_id,
};
pub use sign::{SignError, SigningKey, Style};
pub use signature::Signed;
pub use time::{MAX_SKEW_SECONDS, Skew};
pub use trace::{Check, CheckName, Outcome, Refusal, Trace};
pub use validate::{Expected, Request};

/// Largest decoded message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

const PROTOCOL_NS: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION_NS: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const METADATA_NS: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const DSIG_NS: &str = "http://www.w3.org/2000/09/xmldsig#";
const REDIRECT_BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST_BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const ENCRYPTION_NS: &str = "http://www.w3.org/2001/04/xmlenc#";
const ENCRYPTION_11_NS: &str = "http://www.w3.org/2009/xmlenc11#";
const STATUS_SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
