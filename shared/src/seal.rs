//! Sealing: authenticated encryption of what must be kept or handed out unreadably.
//!
//! Each seal has a key of its own, derived from the deployment's (HKDF, RFC 5869) with 128 random bits and the purpose,
//! and used once with AES-256-GCM (NIST SP 800-38D). So there is no count of seals after which nonces would repeat.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::id::{Random, sha256};

/// Random bytes that make each seal's key another.
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// The deployment's sealing key.
#[derive(Clone)]
pub struct SealingKey(Arc<Prk>);

/// What was presented was not sealed by this deployment for this purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sealed by this deployment for this purpose")]
pub struct NotSealed;

impl SealingKey {
    /// The key of these 32 bytes; `None` for any other length.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == KEY_BYTES).then(|| Self(Arc::new(Prk::new_less_safe(HKDF_SHA256, bytes))))
    }

    /// The key of a generated secret of at least 43 characters, which 256 bits need in letters and digits.
    #[must_use]
    pub fn of_secret(secret: &str) -> Option<Self> {
        if secret.len() < 43 { None } else { Self::new(&sha256(secret.as_bytes())) }
    }

    /// Seals `plain` for one `purpose`; only opening with the same purpose gives it back. Base64url, no padding.
    #[must_use]
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> String {
        let salt = random.bytes::<SALT_BYTES>();
        let mut sealed = plain.to_vec();
        let done = self
            .once(&salt, purpose)
            .and_then(|(key, nonce)| key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).ok());
        if done.is_none() {
            // Only a message of over 2^36 bytes fails, which no caller can have in memory.
            std::process::abort();
        }
        URL_SAFE_NO_PAD.encode([salt.as_slice(), &sealed].concat())
    }

    /// Opens what [`SealingKey::seal`] gave.
    ///
    /// # Errors
    /// [`NotSealed`] whatever is wrong with it: encoding, length, key, purpose or tag.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, NotSealed> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| NotSealed)?;
        let (salt, body) = bytes.split_first_chunk::<SALT_BYTES>().ok_or(NotSealed)?;
        let (key, nonce) = self.once(salt, purpose).ok_or(NotSealed)?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut body).map_err(|_| NotSealed)?;
        Ok(plain.to_vec())
    }

    /// The key and nonce of one seal.
    fn once(&self, salt: &[u8; SALT_BYTES], purpose: &str) -> Option<(LessSafeKey, Nonce)> {
        struct KeyAndNonce;
        impl KeyType for KeyAndNonce {
            fn len(&self) -> usize {
                KEY_BYTES + aws_lc_rs::aead::NONCE_LEN
            }
        }
        // The salt has a fixed length, so that no two pairs of salt and purpose read the same.
        let mut bytes = [0; KEY_BYTES + aws_lc_rs::aead::NONCE_LEN];
        self.0.expand(&[salt, purpose.as_bytes()], KeyAndNonce).ok()?.fill(&mut bytes).ok()?;
        let (key, nonce) = bytes.split_at(KEY_BYTES);
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        Some((LessSafeKey::new(key), Nonce::try_assume_unique_for_key(nonce).ok()?))
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
        assert_ne!(sealed, key.seal("a", b"text", &random));
        let mut changed = sealed.clone();
        changed.replace_range(30..31, if &sealed[30..31] == "A" { "B" } else { "A" });
        assert_eq!(key.open("a", &changed), Err(NotSealed));
        assert!(SealingKey::new(&[1; 31]).is_none());
    }
}
