//! Sealing: authenticated encryption (AES-256-GCM, NIST SP 800-38D) of what must be kept or handed out unreadably.

use std::{fmt, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::id::{Random, sha256};

const NONCE_BYTES: usize = 12;

/// The deployment's sealing key.
#[derive(Clone)]
pub struct SealingKey(Arc<LessSafeKey>);

/// What was presented was not sealed by this deployment for this purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed by this deployment for this purpose")]
pub struct NotSealed;

impl SealingKey {
    /// The key of these 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, bytes).ok().map(|key| Self(Arc::new(LessSafeKey::new(key))))
    }

    /// The key of a generated secret of at least 43 characters, which 256 bits need in letters and digits.
    #[must_use]
    pub fn of_secret(secret: &str) -> Option<Self> {
        if secret.len() < 43 { None } else { Self::new(&sha256(secret.as_bytes())) }
    }

    /// Seals `plain` for one `purpose`; only opening with the same purpose gives it back. Base64url, no padding.
    ///
    /// The nonce is random, which bounds one key to about 2^32 seals: rotate the key long before.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> String {
        let nonce = random.bytes::<NONCE_BYTES>();
        let mut sealed = plain.to_vec();
        if self
            .0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut sealed)
            .is_err()
        {
            // Only a message of over 2^36 bytes fails, which no caller can have in memory.
            std::process::abort();
        }
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`SealingKey::seal`] gave.
    ///
    /// # Errors
    /// [`NotSealed`] whatever is wrong with it: encoding, length, key, purpose or tag.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, NotSealed> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| NotSealed)?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(NotSealed)?;
        let mut body = body.to_vec();
        let plain = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(purpose), &mut body)
            .map_err(|_| NotSealed)?;
        Ok(plain.to_vec())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open() {
        let random = Random::default();
        let key = SealingKey::new(&[1; 32]).unwrap();
        let sealed = key.seal("a", b"text", &random);
        assert_eq!(key.open("a", &sealed).unwrap(), b"text");
        assert_eq!(key.open("b", &sealed), Err(NotSealed));
        assert_eq!(SealingKey::new(&[2; 32]).unwrap().open("a", &sealed), Err(NotSealed));
        assert_eq!(key.open("a", "AAAA"), Err(NotSealed));
        assert!(SealingKey::new(&[1; 31]).is_none());
    }
}
