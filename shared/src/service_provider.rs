//! Our side of SAML: the key that signs our requests to the identity providers that ask for signed ones.
//!
//! The deployment has one, made at its first use. Its certificate only carries the public key: who trusts it pinned it.

mod store;

use aws_lc_rs::{encoding::AsDer, encoding::Pkcs8V1Der, rsa};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::tz::Offset;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SerialNumber};
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, after},
    id::Random,
    saml::SigningKey,
    seal::SealingKey,
};

const PURPOSE: &str = "service-provider-key";
/// Seconds the certificate is valid: ten years, since identity providers refuse requests when it ends.
const VALIDITY: i64 = 10 * 365 * 24 * 3600;

/// The key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceProviderKey {
    /// The self-signed certificate, DER in base64.
    pub certificate: String,
    /// The private key, PKCS#8 (RFC 5958), sealed.
    private_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The key could not be made, or not be opened with this deployment's sealing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service provider's key can not be {0}")]
pub struct KeyError(&'static str);

impl ServiceProviderKey {
    /// A new RSA-2048 key, which every identity provider takes.
    ///
    /// # Errors
    /// [`KeyError`] when the cryptography fails.
    pub fn generate(sealing_key: &SealingKey, now: Timestamp, random: &Random) -> Result<Self, KeyError> {
        let failed = KeyError("made");
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| failed)?;
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed)?;
        let certificate = self_signed(pkcs8.as_ref(), now, random).map_err(|_| failed)?;
        Ok(Self {
            certificate: STANDARD.encode(certificate),
            private_key: sealing_key.seal(PURPOSE, pkcs8.as_ref(), random),
            created_at: now,
        })
    }

    /// The key, ready to sign.
    ///
    /// # Errors
    /// [`KeyError`] when it was sealed by another deployment or does not read.
    pub fn open(&self, sealing_key: &SealingKey) -> Result<SigningKey, KeyError> {
        let failed = KeyError("opened");
        let pkcs8 = sealing_key.open(PURPOSE, &self.private_key).map_err(|_| failed)?;
        let certificate = STANDARD.decode(&self.certificate).map_err(|_| failed)?;
        SigningKey::new(&pkcs8, &certificate).map_err(|_| failed)
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
    fn the_key_opens_with_the_deployments_sealing_key_only() {
        let random = Random::default();
        let sealing_key = SealingKey::new(&[1; 32]).unwrap();
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let key = ServiceProviderKey::generate(&sealing_key, now, &random).unwrap();
        let signing = key.open(&sealing_key).unwrap();
        assert!(signing.certificate().not_before() <= now);
        assert!(signing.certificate().not_after() > after(now, VALIDITY - 2 * 86_400));
        assert!(key.open(&SealingKey::new(&[2; 32]).unwrap()).is_err());
    }
}
