//! Signing ID tokens, and reading them back where a client gives one as a hint.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyRing, SigningKey, SigningKeyError};
use crate::{
    clock::Timestamp,
    id::{AccountId, ApplicationId, SigningKeyId},
    seal::SealingKey,
};

/// The ring of ID tokens, opened for use.
pub struct IdTokenKeys {
    ring: KeyRing,
    opened: Vec<Opened>,
}

struct Opened {
    id: SigningKeyId,
    private: EncodingKey,
    public: Jwk,
}

/// What is read of an ID token that comes back.
#[derive(Deserialize)]
struct Hint {
    sub: AccountId,
}

impl IdTokenKeys {
    /// Opens a ring.
    ///
    /// # Errors
    /// [`SigningKeyError`] when one of its keys can not be opened.
    pub fn open(ring: KeyRing, sealing_key: &SealingKey) -> Result<Self, SigningKeyError> {
        let opened = ring.keys.iter().map(|key| Opened::new(key, sealing_key)).collect::<Result<_, _>>()?;
        Ok(Self { ring, opened })
    }

    /// Signs claims as a JWT (RFC 7519) with the key whose turn it is at `now`.
    ///
    /// # Errors
    /// [`SigningKeyError::Crypto`] when the library refuses.
    pub fn sign(&self, claims: &impl Serialize, now: Timestamp) -> Result<String, SigningKeyError> {
        let current = self.ring.current(now).and_then(|key| self.opened(key.id)).ok_or(SigningKeyError::Crypto)?;
        let header = Header { kid: Some(current.id.to_string()), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &current.private).map_err(|_| SigningKeyError::Crypto)
    }

    /// The public halves of what is published at `now` (RFC 7517, section 5).
    #[must_use]
    pub fn published(&self, now: Timestamp) -> JwkSet {
        let keys = self.ring.published(now).filter_map(|key| self.opened(key.id));
        JwkSet { keys: keys.map(|key| key.public.clone()).collect() }
    }

    /// Whom an ID token of ours for `application` is about, however old it is; `None` for everything else, and when its
    /// key is not published any more.
    #[must_use]
    pub fn subject(&self, token: &str, issuer: &str, application: ApplicationId, now: Timestamp) -> Option<AccountId> {
        let kid = decode_header(token).ok()?.kid?;
        let key = DecodingKey::from_jwk(self.published(now).find(&kid)?).ok()?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[application.to_string()]);
        validation.set_required_spec_claims(&["iss", "aud", "sub"]);
        decode::<Hint>(token, &key, &validation).ok().map(|token| token.claims.sub)
    }

    fn opened(&self, id: SigningKeyId) -> Option<&Opened> {
        self.opened.iter().find(|key| key.id == id)
    }
}

impl Opened {
    fn new(key: &SigningKey, sealing_key: &SealingKey) -> Result<Self, SigningKeyError> {
        // The library takes PKCS #8 in no other form than PEM (RFC 7468).
        let body = Zeroizing::new(STANDARD.encode(key.private(sealing_key)?));
        let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body));
        let private = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| SigningKeyError::Crypto)?;
        let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256).map_err(|_| SigningKeyError::Crypto)?;
        public.common.key_id = Some(key.id.to_string());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { id: key.id, private, public })
    }
}

impl fmt::Debug for IdTokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenKeys").field("ring", &self.ring).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::after,
        id::Random,
        signing_key::{PUBLISHED_AFTER, PUBLISHED_AHEAD},
    };

    const ISSUER: &str = "https://id.example.com";

    #[test]
    fn what_both_keys_signed_verifies_while_they_are_published() {
        let (sealing_key, random) = (SealingKey::new(&[1; 32]).unwrap(), Random::default());
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let key = |signs_from| SigningKey::generate(signs_from, &sealing_key, &random).unwrap();
        let turn = after(start, PUBLISHED_AHEAD);
        let ring = KeyRing::new(key(start)).rotated(key(turn), start).unwrap();
        let keys = IdTokenKeys::open(ring, &sealing_key).unwrap();

        let (account, application): (AccountId, ApplicationId) = (random.id(), random.id());
        let claims = |iss: &str| serde_json::json!({ "iss": iss, "aud": application, "sub": account, "exp": 0 });
        let former = keys.sign(&claims(ISSUER), start).unwrap();
        let present = keys.sign(&claims(ISSUER), turn).unwrap();
        assert_eq!(keys.published(turn).keys.len(), 2);
        assert_ne!(decode_header(&former).unwrap().kid, decode_header(&present).unwrap().kid);
        let subject = |token: &str, now| keys.subject(token, ISSUER, application, now);
        assert_eq!((subject(&former, turn), subject(&present, turn)), (Some(account), Some(account)));
        let over = after(turn, PUBLISHED_AFTER);
        assert_eq!((subject(&former, over), subject(&present, over)), (None, Some(account)));

        assert_eq!(keys.subject(&present, ISSUER, random.id(), turn), None, "another application's");
        assert_eq!(subject(&keys.sign(&claims("https://other.example"), turn).unwrap(), turn), None);
        let mut forged = present.clone();
        forged.replace_range(forged.len() - 8.., "AAAAAAAA");
        assert_eq!((subject(&forged, turn), subject("", turn)), (None, None));
    }

    #[test]
    fn the_public_half_is_a_key_of_the_rfc() {
        let (sealing_key, random) = (SealingKey::new(&[1; 32]).unwrap(), Random::default());
        let key = SigningKey::generate(Timestamp::UNIX_EPOCH, &sealing_key, &random).unwrap();
        let id = key.id.to_string();
        let keys = IdTokenKeys::open(KeyRing::new(key), &sealing_key).unwrap();
        let set = serde_json::to_value(keys.published(Timestamp::UNIX_EPOCH)).unwrap();
        let mut names: Vec<&str> = set["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"], "nothing of the private half");
        assert_eq!(set["keys"][0]["kid"], id);
        assert_eq!(set["keys"][0]["e"], "AQAB");
        assert_eq!(set["keys"][0]["use"], "sig");
    }
}
