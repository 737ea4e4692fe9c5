//! Encrypts an assertion (XML Encryption 1.1) in the ways that are met.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule::saml::SignError;

/// How the assertion is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128 in GCM.
    Gcm128,
    /// AES-256 in GCM.
    Gcm256,
    /// AES-128 in CBC.
    Cbc128,
    /// AES-256 in CBC.
    Cbc256,
}

/// How the content key is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RSA-OAEP with SHA-1, by its older name.
    OaepSha1,
    /// RSA-OAEP with SHA-256.
    OaepSha256,
}

/// Where the encrypted key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    /// In the `KeyInfo` of the encrypted data.
    Inside,
    /// Beside the encrypted data, which points at it.
    Beside,
}

/// Everything about how to encrypt.
#[derive(Debug, Clone, Copy)]
pub struct Encryption<'a> {
    /// The recipient's RSA key, as `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    pub recipient: &'a [u8],
    /// How the assertion is encrypted.
    pub cipher: Cipher,
    /// How the content key is encrypted.
    pub transport: Transport,
    /// Where the encrypted key stands.
    pub place: KeyPlace,
    /// 48 random bytes: content key and initialization vector.
    pub random: &'a [u8; 48],
}

/// Why an assertion could not be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptError {
    /// It is not there.
    Assertion,
    /// The cryptography failed.
    Crypto,
    /// Signing failed.
    Sign(SignError),
}

impl std::fmt::Display for EncryptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Assertion => f.write_str("no assertion to encrypt"),
            Self::Crypto => f.write_str("encryption failed"),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EncryptError {}

impl From<SignError> for EncryptError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl From<Unspecified> for EncryptError {
    fn from(_: Unspecified) -> Self {
        Self::Crypto
    }
}

impl From<KeyRejected> for EncryptError {
    fn from(_: KeyRejected) -> Self {
        Self::Crypto
    }
}

impl Cipher {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Gcm128, Self::Gcm256, Self::Cbc128, Self::Cbc256];

    /// How a form names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gcm128 => "aes128-gcm",
            Self::Gcm256 => "aes256-gcm",
            Self::Cbc128 => "aes128-cbc",
            Self::Cbc256 => "aes256-cbc",
        }
    }

    const fn uri(self) -> &'static str {
        match self {
            Self::Gcm128 => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Gcm256 => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Self::Cbc128 => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            Self::Cbc256 => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Gcm128 | Self::Cbc128 => 16,
            Self::Gcm256 | Self::Cbc256 => 32,
        }
    }

    /// Initialization vector and ciphertext.
    fn seal(self, key: &[u8], vector: &[u8; 16], text: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut sealed = text.to_vec();
        match self {
            Self::Gcm128 | Self::Gcm256 => {
                let algorithm = if self == Self::Gcm128 { &AES_128_GCM } else { &AES_256_GCM };
                let nonce = vector.get(..12).ok_or(Unspecified)?;
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
                key.seal_in_place_append_tag(Nonce::try_assume_unique_for_key(nonce)?, Aad::empty(), &mut sealed)?;
                Ok([nonce, &sealed].concat())
            }
            Self::Cbc128 | Self::Cbc256 => {
                let algorithm = if self == Self::Cbc128 { &AES_128 } else { &AES_256 };
                let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key)?)?;
                key.less_safe_encrypt(&mut sealed, EncryptionContext::Iv128(FixedLength::from(*vector)))?;
                Ok([&vector[..], &sealed].concat())
            }
        }
    }
}

impl Transport {
    fn method(self) -> &'static str {
        match self {
            Self::OaepSha1 => {
                r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"><ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/></xenc:EncryptionMethod>"#
            }
            Self::OaepSha256 => {
                r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep"><ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><xenc11:MGF xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/></xenc:EncryptionMethod>"#
            }
        }
    }

    const fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Self::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }

    fn seal(self, recipient: &[u8], key: &[u8]) -> Result<Vec<u8>, EncryptError> {
        let recipient = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(recipient)?)?;
        let mut sealed = vec![0; recipient.ciphertext_size()];
        recipient.encrypt(self.algorithm(), key, &mut sealed, None)?;
        Ok(sealed)
    }
}

impl Encryption<'_> {
    /// Replaces the assertion of a document, whose elements have this prefix, by its encrypted form.
    ///
    /// # Errors
    /// If there is none, or the cryptography fails.
    pub fn apply(&self, xml: &str, prefix: &str) -> Result<String, EncryptError> {
        let prefixed = if prefix.is_empty() { String::new() } else { format!("{prefix}:") };
        let close = format!("</{prefixed}Assertion>");
        let start = xml.find(&format!("<{prefixed}Assertion ")).ok_or(EncryptError::Assertion)?;
        let end = xml.rfind(&close).ok_or(EncryptError::Assertion)? + close.len();
        let (before, rest) = xml.split_at_checked(start).ok_or(EncryptError::Assertion)?;
        let (assertion, after) = rest.split_at_checked(end.saturating_sub(start)).ok_or(EncryptError::Assertion)?;
        let encrypted = self.element(assertion.as_bytes())?;
        Ok([before, &encrypted, after].concat())
    }

    /// The `EncryptedAssertion` with any octets inside.
    ///
    /// # Errors
    /// If the cryptography fails.
    pub fn element(&self, octets: &[u8]) -> Result<String, EncryptError> {
        let (key, vector) = self.random.split_at(32);
        let key = key.get(..self.cipher.key_bytes()).ok_or(EncryptError::Crypto)?;
        let vector: &[u8; 16] = vector.try_into().map_err(|_| EncryptError::Crypto)?;
        let data = STANDARD.encode(self.cipher.seal(key, vector, octets)?);
        let sealed_key = STANDARD.encode(self.transport.seal(self.recipient, key)?);
        let encrypted_key = format!(
            "<xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Id=\"_key\">{}<xenc:CipherData><xenc:CipherValue>{sealed_key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
            self.transport.method(),
        );
        let (inside, beside) = match self.place {
            KeyPlace::Inside => (encrypted_key, String::new()),
            KeyPlace::Beside => (
                "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" URI=\"#_key\"/>".to_owned(),
                encrypted_key,
            ),
        };
        Ok(format!(
            "<saml2:EncryptedAssertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Id=\"_data\" Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod Algorithm=\"{}\"/><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{inside}</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{data}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>{beside}</saml2:EncryptedAssertion>",
            self.cipher.uri(),
        ))
    }
}
