//! The keys a connection trusts: taken from certificates that an administrator pinned, never from a message.

use std::fmt;

use aws_lc_rs::signature::RsaParameters;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::decrypt::DecryptionKey;
use crate::id::sha256;

/// Smallest RSA modulus accepted, in bits.
pub const MIN_RSA_BITS: u32 = 2048;
/// Largest RSA modulus accepted, in bits: a larger one makes each verification slow.
pub const MAX_RSA_BITS: u32 = 8192;
/// Largest certificate read, in bytes of DER.
pub const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;

/// Object identifiers of the named curves (RFC 5480 section 2.1.1.1).
const P256_OID: &str = "1.2.840.10045.3.1.7";
const P384_OID: &str = "1.3.132.0.34";

/// What kind of key a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with at least [`MIN_RSA_BITS`].
    Rsa,
    /// ECDSA on NIST P-256.
    P256,
    /// ECDSA on NIST P-384.
    P384,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::P256 => "ECDSA P-256",
            Self::P384 => "ECDSA P-384",
        })
    }
}

/// Why a certificate cannot be pinned. The texts are for administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not DER, or trailing bytes, or larger than [`MAX_CERTIFICATE_BYTES`].
    #[error("The certificate cannot be read as X.509.")]
    Unreadable,
    /// RSA below [`MIN_RSA_BITS`] or above [`MAX_RSA_BITS`].
    #[error("The certificate's RSA key has {0} bits; 2048 to 8192 are accepted.")]
    RsaSize(u32),
    /// Neither RSA nor ECDSA on P-256 or P-384.
    #[error("The certificate's key is neither RSA nor ECDSA on P-256 or P-384.")]
    Algorithm,
}

/// The public key of a certificate that a connection trusts. Serialized as the certificate in base64.
///
/// Nothing of the certificate but its key is trusted: SAML pins keys, so neither its issuer nor its names matter, and
/// its dates only warn or, by [`ExpiredKeys`], exclude.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PinnedKey {
    der: Vec<u8>,
    fingerprint: [u8; 32],
    kind: KeyKind,
    /// RSA: PKCS#1 `RSAPublicKey`. ECDSA: the uncompressed point.
    public_key: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl PinnedKey {
    /// Reads a certificate.
    ///
    /// # Errors
    /// If it cannot be read, or its key is too weak or of another kind.
    pub fn from_certificate(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return Err(CertificateError::Unreadable);
        }
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::Unreadable)?;
        if !rest.is_empty() {
            return Err(CertificateError::Unreadable);
        }
        let info = certificate.public_key();
        let kind = key_kind(info)?;
        let validity = certificate.validity();
        let time = |seconds| Timestamp::from_second(seconds).map_err(|_| CertificateError::Unreadable);
        Ok(Self {
            der: der.to_vec(),
            fingerprint: sha256(der),
            kind,
            public_key: info.subject_public_key.data.to_vec(),
            not_before: time(validity.not_before.timestamp())?,
            not_after: time(validity.not_after.timestamp())?,
        })
    }

    /// Reads a certificate in base64, wrapped or not, as metadata carries it.
    ///
    /// # Errors
    /// As [`from_certificate`](Self::from_certificate).
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        let compact: String = text.split_ascii_whitespace().collect();
        let der = STANDARD.decode(compact).map_err(|_| CertificateError::Unreadable)?;
        Self::from_certificate(&der)
    }

    /// The certificate.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the certificate in upper-case hexadecimal with colons, as certificate viewers show it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex_with_colons(&self.fingerprint)
    }

    /// Kind of key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Start of the certificate's validity.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// End of the certificate's validity, itself still valid (RFC 5280 section 4.1.2.5).
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The key as a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7), for those who encrypt to it.
    #[must_use]
    pub fn public_key_info(&self) -> Vec<u8> {
        // It was read from these very octets before.
        let certificate = X509Certificate::from_der(&self.der);
        certificate.map(|(_, certificate)| certificate.public_key().raw.to_vec()).unwrap_or_default()
    }

    /// The public key alone: for RSA the `RSAPublicKey` (RFC 8017, appendix A.1.1), for ECDSA the uncompressed point. It is
    /// the same in every certificate that holds the key.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn is_current(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

impl fmt::Debug for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedKey")
            .field("kind", &self.kind)
            .field("fingerprint", &self.fingerprint())
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl TryFrom<String> for PinnedKey {
    type Error = CertificateError;

    fn try_from(base64: String) -> Result<Self, Self::Error> {
        Self::from_base64(&base64)
    }
}

impl From<PinnedKey> for String {
    fn from(key: PinnedKey) -> Self {
        STANDARD.encode(key.der)
    }
}

/// What to do with a pinned certificate outside of its validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpiredKeys {
    /// Accept it, with a warning in the trace. Identity providers rarely renew in time, and a pinned key is trusted
    /// because it was pinned.
    #[default]
    Warn,
    /// Treat it as not pinned.
    Refuse,
}

/// What one connection trusts.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Entity id of the identity provider.
    pub idp_entity_id: String,
    /// Keys that may sign. Empty trusts nobody: every response is refused.
    pub keys: Vec<PinnedKey>,
    /// What to do with expired certificates.
    pub expired_keys: ExpiredKeys,
    /// Our keys for encrypted assertions: the current one and one in rotation, or none.
    pub decryption_keys: Vec<DecryptionKey>,
}

impl Trust {
    /// Trust in an identity provider's keys, expired ones with a warning, without encryption.
    #[must_use]
    pub fn new(idp_entity_id: impl Into<String>, keys: Vec<PinnedKey>) -> Self {
        Self {
            idp_entity_id: idp_entity_id.into(),
            keys,
            expired_keys: ExpiredKeys::default(),
            decryption_keys: Vec::new(),
        }
    }

    /// The keys of one kind that the policy lets through, and whether each is within its validity.
    pub(super) fn candidates(&self, kind: KeyKind, now: Timestamp) -> Vec<(&PinnedKey, bool)> {
        let of_kind = self.keys.iter().filter(|key| key.kind == kind);
        of_kind
            .map(|key| (key, key.is_current(now)))
            .filter(|(_, current)| *current || self.expired_keys == ExpiredKeys::Warn)
            .collect()
    }
}

fn key_kind(info: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, CertificateError> {
    match info.parsed().map_err(|_| CertificateError::Algorithm)? {
        PublicKey::RSA(_) => {
            let bits = RsaParameters::public_modulus_len(&info.subject_public_key.data);
            let bits = bits.map_err(|_| CertificateError::Algorithm)?;
            if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
                return Err(CertificateError::RsaSize(bits));
            }
            Ok(KeyKind::Rsa)
        }
        PublicKey::EC(_) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            match curve.map(|oid| oid.to_id_string()).as_deref() {
                Some(P256_OID) => Ok(KeyKind::P256),
                Some(P384_OID) => Ok(KeyKind::P384),
                _ => Err(CertificateError::Algorithm),
            }
        }
        _ => Err(CertificateError::Algorithm),
    }
}

fn hex_with_colons(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default().to_ascii_uppercase();
    let mut out = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !out.is_empty() {
            out.push(':');
        }
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(padding: usize) -> Vec<u8> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7; 8]));
        params.custom_extensions.push(rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![0; padding]));
        params.self_signed(&pair).unwrap().der().to_vec()
    }

    /// As large as it may be, give or take what a signature on a curve varies by.
    fn of_size(size: usize) -> Vec<u8> {
        let spare = size - certificate(10_000).len() + 10_000;
        (0..200).map(|_| certificate(spare)).find(|der| der.len() == size).unwrap()
    }

    #[test]
    fn the_largest_certificate_is_read_and_no_larger_one_nor_one_with_more_behind_it() {
        assert!(PinnedKey::from_certificate(&of_size(MAX_CERTIFICATE_BYTES)).is_ok());
        let refused = |der: &[u8]| PinnedKey::from_certificate(der) == Err(CertificateError::Unreadable);
        assert!(refused(&of_size(MAX_CERTIFICATE_BYTES + 1)));
        assert!(refused(&[&certificate(0)[..], &[0]].concat()));
    }

    #[test]
    fn both_ends_of_the_validity_are_inside() {
        let key = PinnedKey::from_certificate(&certificate(0)).unwrap();
        let trust = Trust { expired_keys: ExpiredKeys::Refuse, ..Trust::new("urn:idp", vec![key.clone()]) };
        let at = |time: Timestamp, seconds: i64| {
            let now = Timestamp::from_second(time.as_second() + seconds).unwrap();
            trust.candidates(KeyKind::P256, now).len()
        };
        assert_eq!((at(key.not_before(), -1), at(key.not_before(), 0)), (0, 1));
        assert_eq!((at(key.not_after(), 0), at(key.not_after(), 1)), (1, 0));
        assert!(trust.candidates(KeyKind::P384, key.not_after()).is_empty());
    }

    #[test]
    fn fingerprints_are_written_as_viewers_write_them() {
        assert_eq!(hex_with_colons(&[0x00, 0x0f, 0xa5, 0xff]), "00:0F:A5:FF");
        assert_eq!(hex_with_colons(&[]), "");
    }
}
