//! Signs: an element by an enveloped signature of the one profile we also verify, or the query of a redirect.

use std::fmt;

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    self as lc, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::algorithm::{Hash, Method, Scheme};
use super::canonical::{EXCLUSIVE, canonicalize};
use super::key::PinnedKey;
use super::scan::{Comments, scan};
use super::shape::ENVELOPED;
use super::write::Writer;
use super::xml::{NodeId, Tree};
use super::{ASSERTION_NS, DSIG_NS};

/// Why something cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The private key is not PKCS#8 of an RSA, P-256 or P-384 key.
    #[error("not a private key of RSA, P-256 or P-384 in PKCS#8")]
    Key,
    /// The certificate cannot be read, or is not for this private key.
    #[error("the certificate is not for this private key")]
    Certificate,
    /// No element, or more than one, has this ID, or it has no Issuer to put the signature after.
    #[error("no such element to sign")]
    Element,
    /// The cryptography refused.
    #[error("signing failed")]
    Crypto,
}

/// A private key and its certificate. It never prints its key.
pub struct SigningKey {
    pair: Pair,
    certificate: PinnedKey,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

/// How a signature is written. What is signed and how it is verified do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style<'a> {
    /// Prefix of the signature's elements; empty for a default namespace.
    pub prefix: &'a str,
    /// Prefixes to canonicalize inclusively.
    pub inclusive: &'a [&'a str],
    /// Whether to name the certificate.
    pub key_info: bool,
    /// Whether to break base64 into lines that end in carriage return and line feed, as Java does.
    pub wrapped: bool,
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { prefix: "ds", inclusive: &[], key_info: true, wrapped: false }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A key in PKCS#8 (RFC 5958) and its X.509 certificate, both DER.
    ///
    /// # Errors
    /// If either cannot be read or the certificate is for another key.
    pub fn new(pkcs8: &[u8], certificate_der: &[u8]) -> Result<Self, SignError> {
        let certificate = PinnedKey::from_certificate(certificate_der).map_err(|_| SignError::Certificate)?;
        let pair = Pair::read(pkcs8).ok_or(SignError::Key)?;
        if pair.public_key() != certificate.public_key() {
            return Err(SignError::Certificate);
        }
        Ok(Self { pair, certificate })
    }

    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &PinnedKey {
        &self.certificate
    }

    /// Identifier of the signature algorithm (RFC 6931).
    #[must_use]
    pub fn algorithm_uri(&self) -> &'static str {
        self.method().uri()
    }

    /// RSA and P-256 with SHA-256, P-384 with SHA-384.
    const fn method(&self) -> Method {
        match self.pair {
            Pair::Rsa(_) => Method { scheme: Scheme::Rsa, hash: Hash::Sha256 },
            Pair::P256(_) => Method { scheme: Scheme::Ecdsa, hash: Hash::Sha256 },
            Pair::P384(_) => Method { scheme: Scheme::Ecdsa, hash: Hash::Sha384 },
        }
    }

    /// The signature value over some octets, as XML signatures and redirects carry it.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn sign_octets(&self, octets: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = self.method().hash.digest(octets);
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut value = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&lc::RSA_PKCS1_SHA256, &digest, &mut value).map_err(|_| SignError::Crypto)?;
                Ok(value)
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let value = pair.sign_digest(&digest).map_err(|_| SignError::Crypto)?;
                Ok(value.as_ref().to_vec())
            }
        }
    }

    /// Signs the one element with this `ID` and puts the signature after its Issuer, where the schema wants it.
    ///
    /// # Errors
    /// If there is no such element, or the cryptography refuses.
    pub fn sign_element(&self, xml: &str, id: &str, style: Style<'_>) -> Result<String, SignError> {
        let xml = scan(xml, Comments::Refuse).map_err(|_| SignError::Element)?;
        let tree = Tree::read(&xml, Comments::Refuse).map_err(|_| SignError::Element)?;
        let (element, issuer) = element_to_sign(&tree, id).ok_or(SignError::Element)?;
        let inclusive: Vec<String> = style.inclusive.iter().map(|prefix| (*prefix).to_owned()).collect();
        let octets = canonicalize(&tree, element, &[], &inclusive).map_err(|_| SignError::Element)?;
        let digest = STANDARD.encode(self.method().hash.digest(octets.as_bytes()));
        let signature = self.signature_element(id, &digest, style)?;
        let (before, after) = xml.split_at_checked(tree.source(issuer).end).ok_or(SignError::Element)?;
        Ok([before, &signature, after].concat())
    }

    fn signature_element(&self, id: &str, digest: &str, style: Style<'_>) -> Result<String, SignError> {
        let unsigned = self.write(id, digest, "", style);
        let tree = Tree::read(&unsigned, Comments::Refuse).map_err(|_| SignError::Element)?;
        let signed_info = tree.only(tree.root(), DSIG_NS, "SignedInfo").ok_or(SignError::Element)?;
        let octets = canonicalize(&tree, signed_info, &[], &[]).map_err(|_| SignError::Element)?;
        let value = self.sign_octets(octets.as_bytes())?;
        Ok(self.write(id, digest, &base64(&value, style), style))
    }

    fn write(&self, id: &str, digest: &str, value: &str, style: Style<'_>) -> String {
        let name = |local: &str| match style.prefix {
            "" => local.to_owned(),
            prefix => format!("{prefix}:{local}"),
        };
        let xmlns = if style.prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", style.prefix) };
        let mut w = Writer::default();
        w.start(&name("Signature"), &[(&xmlns, DSIG_NS)]).start(&name("SignedInfo"), &[]);
        w.leaf(&name("CanonicalizationMethod"), &[("Algorithm", EXCLUSIVE)], "");
        w.leaf(&name("SignatureMethod"), &[("Algorithm", self.algorithm_uri())], "");
        w.start(&name("Reference"), &[("URI", &format!("#{id}"))]).start(&name("Transforms"), &[]);
        w.leaf(&name("Transform"), &[("Algorithm", ENVELOPED)], "");
        w.start(&name("Transform"), &[("Algorithm", EXCLUSIVE)]);
        if !style.inclusive.is_empty() {
            let list = style.inclusive.join(" ");
            w.leaf("ec:InclusiveNamespaces", &[("xmlns:ec", EXCLUSIVE), ("PrefixList", &list)], "");
        }
        w.end().end();
        w.leaf(&name("DigestMethod"), &[("Algorithm", self.method().hash.uri())], "");
        w.leaf(&name("DigestValue"), &[], digest).end().end();
        w.leaf(&name("SignatureValue"), &[], value);
        if style.key_info {
            let certificate = base64(self.certificate.certificate_der(), style);
            w.start(&name("KeyInfo"), &[]).start(&name("X509Data"), &[]);
            w.leaf(&name("X509Certificate"), &[], &certificate);
        }
        w.finish()
    }
}

impl Pair {
    fn read(pkcs8: &[u8]) -> Option<Self> {
        let ec = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).ok();
        let rsa = RsaKeyPair::from_pkcs8(pkcs8).ok().map(Self::Rsa);
        rsa.or_else(|| ec(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::P256))
            .or_else(|| ec(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Self::P384))
    }

    /// As a certificate carries it.
    fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_ref(),
        }
    }
}

/// Lines of 76 characters (RFC 2045 section 6.8), or one.
fn base64(octets: &[u8], style: Style<'_>) -> String {
    let text = STANDARD.encode(octets);
    if !style.wrapped {
        return text;
    }
    let lines: Vec<&str> = text.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    lines.join("\r\n")
}

/// The element and its Issuer.
fn element_to_sign(tree: &Tree, id: &str) -> Option<(NodeId, NodeId)> {
    let mut with_id = tree.all_elements().map(|(node, _)| node).filter(|node| tree.attribute(*node, "ID") == Some(id));
    let element = with_id.next()?;
    if with_id.next().is_some() {
        return None;
    }
    Some((element, tree.only(element, ASSERTION_NS, "Issuer")?))
}
