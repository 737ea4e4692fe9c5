//! Encrypted assertions (XML Encryption 1.1): a key for this one message under our RSA key, and the assertion under it.
//!
//! There is one error and no detail, whatever went wrong: CBC has no authentication, so any difference between a wrong
//! padding, wrong text and a missing signature would let an attacker read the assertion byte by byte.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::xml::{NodeId, Tree};
use super::{DSIG_NS, ENCRYPTION_11_NS, ENCRYPTION_NS, MAX_MESSAGE_BYTES};

/// Most encrypted keys of one message, one for each recipient. Each costs an RSA operation for each of our keys.
const MAX_ENCRYPTED_KEYS: usize = 4;
/// Most decryption keys of ours: the current one and one in rotation.
const MAX_DECRYPTION_KEYS: usize = 2;

/// What our metadata offers, best first (SAML Metadata, section 2.4.1.1): ciphers, then ways to send their key.
pub(super) const METHODS: &[&str] = &[
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];

/// It could not be decrypted. There is nothing more to say, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not be decrypted")]
pub(super) struct DecryptError;

/// A text that is no private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA private key of 2048 to 8192 bits in PKCS#8")]
pub struct DecryptionKeyError;

/// Our private RSA key for encrypted assertions. It never prints itself.
#[derive(Clone)]
pub struct DecryptionKey(Arc<OaepPrivateDecryptingKey>);

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").finish_non_exhaustive()
    }
}

impl DecryptionKey {
    /// A key in PKCS#8 (RFC 5958), DER.
    ///
    /// # Errors
    /// If it is not an RSA key of 2048 to 8192 bits in that form.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, DecryptionKeyError> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| DecryptionKeyError)?;
        OaepPrivateDecryptingKey::new(key).map(|key| Self(Arc::new(key))).map_err(|_| DecryptionKeyError)
    }

    /// A key in PKCS#8, PEM (RFC 7468 section 10).
    ///
    /// # Errors
    /// As [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pem(pem: &str) -> Result<Self, DecryptionKeyError> {
        let body = pem.split_once("-----BEGIN PRIVATE KEY-----").and_then(|(_, rest)| rest.split_once("-----END"));
        let compact: Zeroizing<String> =
            Zeroizing::new(body.map(|(body, _)| body.split_ascii_whitespace().collect()).ok_or(DecryptionKeyError)?);
        let der = Zeroizing::new(STANDARD.decode(compact.as_bytes()).map_err(|_| DecryptionKeyError)?);
        Self::from_pkcs8(&der)
    }

    fn open(&self, algorithm: &'static OaepAlgorithm, encrypted: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if encrypted.len() != self.0.key_size_bytes() {
            return None;
        }
        let mut buffer = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let length = self.0.decrypt(algorithm, encrypted, &mut buffer, None).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

/// How the assertion is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Gcm128,
    Gcm256,
    Cbc128,
    Cbc256,
}

const CIPHERS: &[(&str, Cipher)] = &[
    ("http://www.w3.org/2009/xmlenc11#aes128-gcm", Cipher::Gcm128),
    ("http://www.w3.org/2009/xmlenc11#aes256-gcm", Cipher::Gcm256),
    ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", Cipher::Cbc128),
    ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", Cipher::Cbc256),
];

impl Cipher {
    const fn key_bytes(self) -> usize {
        match self {
            Self::Gcm128 | Self::Cbc128 => 16,
            Self::Gcm256 | Self::Cbc256 => 32,
        }
    }

    /// XML Encryption 1.1 sections 5.2.1 (CBC) and 5.2.4 (GCM): the initialization vector comes first.
    fn open(self, key: &[u8], octets: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Gcm128 | Self::Gcm256 => {
                let (nonce, sealed) = octets.split_at_checked(12)?;
                let algorithm = if self == Self::Gcm128 { &AES_128_GCM } else { &AES_256_GCM };
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                let mut sealed = sealed.to_vec();
                key.open_in_place(nonce, Aad::empty(), &mut sealed).ok().map(|opened| opened.to_vec())
            }
            Self::Cbc128 | Self::Cbc256 => {
                let (vector, sealed) = octets.split_at_checked(16)?;
                if sealed.is_empty() || !sealed.len().is_multiple_of(16) {
                    return None;
                }
                let vector: [u8; 16] = vector.try_into().ok()?;
                let algorithm = if self == Self::Cbc128 { &AES_128 } else { &AES_256 };
                // Only the last byte of the padding counts (section 5.2).
                let key = PaddedBlockDecryptingKey::cbc_iso10126(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
                let mut sealed = sealed.to_vec();
                let context = DecryptionContext::Iv128(FixedLength::from(vector));
                key.decrypt(&mut sealed, context).ok().map(|opened| opened.to_vec())
            }
        }
    }
}

/// Decrypts the content of an `EncryptedAssertion` with the first of our keys that fits.
///
/// # Errors
/// One, whatever went wrong.
pub(super) fn decrypt(tree: &Tree, encrypted: NodeId, keys: &[DecryptionKey]) -> Result<String, DecryptError> {
    open(tree, encrypted, keys).ok_or(DecryptError)
}

fn open(tree: &Tree, encrypted: NodeId, keys: &[DecryptionKey]) -> Option<String> {
    let data = tree.only(encrypted, ENCRYPTION_NS, "EncryptedData")?;
    let method = tree.only(data, ENCRYPTION_NS, "EncryptionMethod")?;
    let uri = tree.attribute(method, "Algorithm")?;
    let cipher = CIPHERS.iter().find(|(known, _)| *known == uri).map(|(_, cipher)| *cipher)?;
    let sealed = cipher_value(tree, data)?;
    let candidates = encrypted_keys(tree, encrypted, data);
    if candidates.len() > MAX_ENCRYPTED_KEYS {
        return None;
    }
    let content_keys = candidates.iter().flat_map(|candidate| {
        keys.iter().take(MAX_DECRYPTION_KEYS).filter_map(|key| content_key(tree, *candidate, key))
    });
    let mut fitting = content_keys.filter(|key| key.len() == cipher.key_bytes());
    let opened = fitting.find_map(|key| cipher.open(&key, &sealed))?;
    if opened.len() > MAX_MESSAGE_BYTES {
        return None;
    }
    String::from_utf8(opened).ok()
}

/// Keys in the data's `KeyInfo` and beside the data. A `RetrievalMethod` may point at the latter (section 3.5.2); it is
/// not followed, since there is nowhere else that they could be.
fn encrypted_keys(tree: &Tree, encrypted: NodeId, data: NodeId) -> Vec<NodeId> {
    let infos = tree.named(data, DSIG_NS, "KeyInfo");
    let inside = infos.flat_map(|info| tree.named(info, ENCRYPTION_NS, "EncryptedKey"));
    inside.chain(tree.named(encrypted, ENCRYPTION_NS, "EncryptedKey")).collect()
}

fn content_key(tree: &Tree, encrypted_key: NodeId, key: &DecryptionKey) -> Option<Zeroizing<Vec<u8>>> {
    let method = tree.only(encrypted_key, ENCRYPTION_NS, "EncryptionMethod")?;
    key.open(oaep(tree, method)?, &cipher_value(tree, encrypted_key)?)
}

/// RSA-OAEP (XML Encryption 1.1 section 5.5.2) with one hash for both the label and the mask. PKCS#1 v1.5 is absent.
fn oaep(tree: &Tree, method: NodeId) -> Option<&'static OaepAlgorithm> {
    const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
    const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
    const MGF_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
    const MGF_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
    let child = |namespace, local| tree.only(method, namespace, local).and_then(|n| tree.attribute(n, "Algorithm"));
    let digest = child(DSIG_NS, "DigestMethod").unwrap_or(SHA1);
    let mask = match tree.attribute(method, "Algorithm")? {
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => MGF_SHA1,
        "http://www.w3.org/2009/xmlenc11#rsa-oaep" => child(ENCRYPTION_11_NS, "MGF").unwrap_or(MGF_SHA1),
        _ => return None,
    };
    match (digest, mask) {
        (SHA1, MGF_SHA1) => Some(&OAEP_SHA1_MGF1SHA1),
        (SHA256, MGF_SHA256) => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}

/// Base64 in one text node; references to ciphertext elsewhere are absent.
fn cipher_value(tree: &Tree, node: NodeId) -> Option<Vec<u8>> {
    let data = tree.only(node, ENCRYPTION_NS, "CipherData")?;
    let value = tree.only(data, ENCRYPTION_NS, "CipherValue")?;
    let compact: String = tree.text(value)?.split_ascii_whitespace().collect();
    STANDARD.decode(compact).ok()
}
