//! Private keys as they are stored, and what they open to.

use aws_lc_rs::{encoding::AsDer, encoding::Pkcs8V1Der, rsa};
use jiff::tz::Offset;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SerialNumber};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    clock::{Timestamp, after},
    id::Random,
    saml::{DecryptionKey, PinnedKey, SigningKey},
    seal::SealingKey,
};

const SIGNING: &str = "service-provider-signing-key";
const ENCRYPTION: &str = "service-provider-encryption-key";
/// Seconds the certificates are valid: ten years, since identity providers refuse ours when it ends.
const VALIDITY: i64 = 10 * 365 * 24 * 3600;

/// Keys that come and go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Signs our requests.
    pub signing: SealedKey,
    /// Opens assertions that are encrypted to us.
    pub encryption: SealedKey,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it signs.
    pub takes_over_at: Timestamp,
}

/// An RSA key of 2,048 bits, which every identity provider takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedKey {
    /// The self-signed certificate.
    pub certificate: PinnedKey,
    /// The private key, PKCS#8 (RFC 5958), sealed.
    private_key: String,
}

/// The key could not be made, or not be opened with this deployment's sealing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service provider's key can not be {0}")]
pub struct KeyError(&'static str);

impl Generation {
    /// Fresh keys; it takes a noticeable part of a second.
    ///
    /// # Errors
    /// [`KeyError`] when the cryptography fails.
    pub fn make(
        takes_over_at: Timestamp,
        now: Timestamp,
        sealing_key: &SealingKey,
        random: &Random,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            signing: SealedKey::make(SIGNING, sealing_key, now, random)?,
            encryption: SealedKey::make(ENCRYPTION, sealing_key, now, random)?,
            made_at: now,
            takes_over_at,
        })
    }

    /// The key that signs.
    ///
    /// # Errors
    /// [`KeyError`] when it was sealed by another deployment or does not read.
    pub fn signing_key(&self, sealing_key: &SealingKey) -> Result<SigningKey, KeyError> {
        let pkcs8 = self.signing.open(SIGNING, sealing_key)?;
        SigningKey::new(&pkcs8, self.signing.certificate.certificate_der()).map_err(|_| KeyError("opened"))
    }

    /// The key that opens.
    ///
    /// # Errors
    /// [`KeyError`] when it was sealed by another deployment or does not read.
    pub fn decryption_key(&self, sealing_key: &SealingKey) -> Result<DecryptionKey, KeyError> {
        let pkcs8 = self.encryption.open(ENCRYPTION, sealing_key)?;
        DecryptionKey::from_pkcs8(&pkcs8).map_err(|_| KeyError("opened"))
    }
}

impl SealedKey {
    fn make(purpose: &str, sealing_key: &SealingKey, now: Timestamp, random: &Random) -> Result<Self, KeyError> {
        let failed = KeyError("made");
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| failed)?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed)?;
        let certificate = self_signed(pkcs8.as_ref(), now, random).map_err(|_| failed)?;
        Ok(Self {
            certificate: PinnedKey::from_certificate(&certificate).map_err(|_| failed)?,
            private_key: sealing_key.seal(purpose, pkcs8.as_ref(), random),
        })
    }

    fn open(&self, purpose: &str, sealing_key: &SealingKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        sealing_key.open(purpose, &self.private_key).map(Zeroizing::new).map_err(|_| KeyError("opened"))
    }
}

fn self_signed(pkcs8: &[u8], now: Timestamp, random: &Random) -> Result<Vec<u8>, rcgen::Error> {
    let key = KeyPair::try_from(pkcs8)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Vestibule");
    params.serial_number = Some(SerialNumber::from_slice(&random.bytes::<16>()));
    let date = |at: Timestamp| {
        let date = Offset::UTC.to_datetime(at);
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = date(now);
    params.not_after = date(after(now, VALIDITY));
    Ok(params.self_signed(&key)?.der().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_open_with_the_deployments_sealing_key_and_for_their_purpose_only() {
        let random = Random::default();
        let sealing_key = SealingKey::new(&[1; 32]).unwrap();
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let keys = Generation::make(now, now, &sealing_key, &random).unwrap();
        let signing = keys.signing_key(&sealing_key).unwrap();
        assert!(signing.certificate().not_before() <= now);
        assert!(signing.certificate().not_after() > after(now, VALIDITY - 2 * 86_400));
        assert!(keys.decryption_key(&sealing_key).is_ok());
        assert_ne!(keys.signing.certificate, keys.encryption.certificate);

        let other = SealingKey::new(&[2; 32]).unwrap();
        assert!(keys.signing_key(&other).is_err() && keys.decryption_key(&other).is_err());
        let crossed = Generation { signing: keys.encryption.clone(), encryption: keys.signing.clone(), ..keys };
        assert!(crossed.signing_key(&sealing_key).is_err() && crossed.decryption_key(&sealing_key).is_err());
    }
}
