//! The only algorithms there are: RSA (PKCS#1 v1.5) and ECDSA with SHA-256, SHA-384 or SHA-512 (RFC 6931), and those
//! digests. There is no name here for SHA-1, MD5 or HMAC, so none can be asked for.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};

use super::key::{KeyKind, PinnedKey};

/// A digest of the SHA-2 family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// How the signature value is made of the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Rsa,
    Ecdsa,
}

/// A signature method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) scheme: Scheme,
    pub(super) hash: Hash,
}

const DIGESTS: &[(&str, Hash)] = &[
    ("http://www.w3.org/2001/04/xmlenc#sha256", Hash::Sha256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", Hash::Sha384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", Hash::Sha512),
];

const METHODS: &[(&str, Method)] = &[
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Method { scheme: Scheme::Rsa, hash: Hash::Sha256 }),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", Method { scheme: Scheme::Rsa, hash: Hash::Sha384 }),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", Method { scheme: Scheme::Rsa, hash: Hash::Sha512 }),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", Method { scheme: Scheme::Ecdsa, hash: Hash::Sha256 }),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", Method { scheme: Scheme::Ecdsa, hash: Hash::Sha384 }),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", Method { scheme: Scheme::Ecdsa, hash: Hash::Sha512 }),
];

impl Hash {
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        DIGESTS.iter().find(|(known, _)| *known == uri).map(|(_, hash)| *hash)
    }

    pub(super) fn uri(self) -> &'static str {
        DIGESTS.iter().find(|(_, hash)| *hash == self).map_or("", |(uri, _)| uri)
    }

    pub(super) fn digest(self, octets: &[u8]) -> digest::Digest {
        digest::digest(self.algorithm(), octets)
    }

    const fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }
}

impl Method {
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        METHODS.iter().find(|(known, _)| *known == uri).map(|(_, method)| *method)
    }

    pub(super) fn uri(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("", |(uri, _)| uri)
    }

    /// Kinds of key that can have made such a signature.
    pub(super) const fn kinds(self) -> &'static [KeyKind] {
        match self.scheme {
            Scheme::Rsa => &[KeyKind::Rsa],
            Scheme::Ecdsa => &[KeyKind::P256, KeyKind::P384],
        }
    }

    /// Whether `key` made `value` over `octets`.
    pub(super) fn verify(self, key: &PinnedKey, octets: &[u8], value: &[u8]) -> bool {
        match (key.kind(), self.scheme) {
            (KeyKind::Rsa, Scheme::Rsa) => self.verify_rsa(key, octets, value),
            (KeyKind::P256, Scheme::Ecdsa) => self.verify_ecdsa(key, 32, octets, value),
            (KeyKind::P384, Scheme::Ecdsa) => self.verify_ecdsa(key, 48, octets, value),
            _ => false,
        }
    }

    fn verify_rsa(self, key: &PinnedKey, octets: &[u8], value: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.hash {
            Hash::Sha256 => &lc::RSA_PKCS1_2048_8192_SHA256,
            Hash::Sha384 => &lc::RSA_PKCS1_2048_8192_SHA384,
            Hash::Sha512 => &lc::RSA_PKCS1_2048_8192_SHA512,
        };
        algorithm.verify_sig(key.public_key(), octets, value).is_ok()
    }

    /// XML signatures carry r and s side by side, each as long as the field (RFC 6931 section 2.3.6).
    fn verify_ecdsa(self, key: &PinnedKey, field: usize, octets: &[u8], value: &[u8]) -> bool {
        if value.len() != field * 2 {
            return false;
        }
        let algorithm = match (key.kind(), self.hash) {
            (KeyKind::P256, Hash::Sha256) => &lc::ECDSA_P256_SHA256_ASN1,
            (KeyKind::P256, Hash::Sha384) => &lc::ECDSA_P256_SHA384_ASN1,
            (KeyKind::P256, Hash::Sha512) => &lc::ECDSA_P256_SHA512_ASN1,
            (KeyKind::P384, Hash::Sha256) => &lc::ECDSA_P384_SHA256_ASN1,
            (KeyKind::P384, Hash::Sha384) => &lc::ECDSA_P384_SHA384_ASN1,
            (KeyKind::P384, Hash::Sha512) => &lc::ECDSA_P384_SHA512_ASN1,
            (KeyKind::Rsa, _) => return false,
        };
        let (r, s) = value.split_at(field);
        UnparsedPublicKey::new(algorithm, key.public_key()).verify(octets, &ecdsa_der(r, s)).is_ok()
    }
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) of two numbers of at most 48 bytes, so that every length fits one byte.
fn ecdsa_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let body = [der_integer(r), der_integer(s)].concat();
    let mut out = vec![0x30, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    out.extend(body);
    out
}

fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count().min(number.len().saturating_sub(1));
    let digits = number.get(zeros..).unwrap_or_default();
    let sign = digits.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = digits.len() + usize::from(sign);
    let mut out = vec![0x02, u8::try_from(length).unwrap_or(u8::MAX)];
    out.extend(sign.then_some(0));
    out.extend_from_slice(digits);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_map_both_ways_and_weak_ones_do_not_exist() {
        for (uri, hash) in DIGESTS {
            assert_eq!((Hash::from_uri(uri), hash.uri()), (Some(*hash), *uri));
        }
        for (uri, method) in METHODS {
            assert_eq!((Method::from_uri(uri), method.uri()), (Some(*method), *uri));
        }
        for weak in [
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
            "",
        ] {
            assert_eq!(Method::from_uri(weak), None);
        }
        assert_eq!(Hash::from_uri("http://www.w3.org/2000/09/xmldsig#sha1"), None);
    }

    #[test]
    fn numbers_are_minimal_and_positive_in_der() {
        assert_eq!(der_integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(der_integer(&[0x80, 0]), [2, 3, 0, 0x80, 0]);
        assert_eq!(der_integer(&[0, 0]), [2, 1, 0]);
        assert_eq!(ecdsa_der(&[1], &[0xff]), [0x30, 7, 2, 1, 1, 2, 2, 0, 0xff]);
    }

    /// By another implementation, since ours signs with fewer hashes than it verifies.
    fn sign(pkcs8: &[u8], method: Method, field: usize, octets: &[u8]) -> Vec<u8> {
        use openssl::{ecdsa::EcdsaSig, hash::MessageDigest, pkey::PKey, sign::Signer};
        let key = PKey::private_key_from_pkcs8(pkcs8).unwrap();
        let digest = match method.hash {
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        };
        let value = Signer::new(digest, &key).unwrap().sign_oneshot_to_vec(octets).unwrap();
        if method.scheme == Scheme::Rsa {
            return value;
        }
        let size = i32::try_from(field).unwrap();
        let value = EcdsaSig::from_der(&value).unwrap();
        [value.r().to_vec_padded(size).unwrap(), value.s().to_vec_padded(size).unwrap()].concat()
    }

    #[test]
    fn every_method_verifies_what_another_implementation_signed_and_nothing_else() {
        let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let p256 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let pinned = |pair: &rcgen::KeyPair| {
            let certificate = rcgen::CertificateParams::default().self_signed(pair).unwrap();
            PinnedKey::from_certificate(certificate.der()).unwrap()
        };
        for (pair, scheme, field) in [(&rsa, Scheme::Rsa, 0), (&p256, Scheme::Ecdsa, 32), (&p384, Scheme::Ecdsa, 48)] {
            let key = pinned(pair);
            for (_, method) in METHODS {
                let signed = Method { scheme, hash: method.hash };
                let value = sign(pair.serialized_der(), signed, field, b"octets");
                assert_eq!(method.verify(&key, b"octets", &value), *method == signed, "{:?} {method:?}", key.kind());
                assert!(!method.verify(&key, b"octet", &value));
                for other in METHODS.iter().map(|(_, other)| *other).filter(|other| *other != signed) {
                    assert!(!other.verify(&key, b"octets", &value), "{other:?} for {signed:?}");
                }
            }
        }
    }
}
