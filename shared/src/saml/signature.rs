//! From a message of the right shape to octets that a trusted key signed: digest, then signature, for every signature
//! that is present.

use jiff::Timestamp;

use super::canonical::canonicalize;
use super::decode::Unverified;
use super::envelope::Envelope;
use super::key::{PinnedKey, Trust};
use super::reason::Reason;
use super::scan::Comments;
use super::shape::Shape;
use super::trace::{CheckName, Refusal, Trace};
use super::xml::{NodeId, Tree};
use super::{ASSERTION_NS, DSIG_NS, PROTOCOL_NS};

/// An assertion that a pinned key has signed, read again from nothing but the canonical octets that were hashed: what
/// was signed is what will be read.
///
/// It gives out no claims yet: the only way on is [`check`](Self::check).
#[derive(Debug, Clone)]
pub struct Signed {
    /// Read from hashed octets: the Assertion, or the Response around it.
    pub(super) tree: Tree,
    pub(super) assertion: NodeId,
    pub(super) envelope: Envelope,
}

/// Octets that were hashed for a verified signature. Only [`check_digest`] makes one.
pub(super) struct Hashed(String);

impl Hashed {
    /// Canonical octets of a tree that was read can be read again.
    pub(super) fn read(&self) -> Option<Tree> {
        Tree::read(&self.0, Comments::Refuse).ok()
    }
}

impl Unverified {
    /// Verifies every signature with the pinned keys. What the message says about its keys is ignored.
    ///
    /// # Errors
    /// `no_trusted_key`, `digest`, `signature`, `decryption`.
    pub fn verify(self, trust: &Trust, now: Timestamp, trace: &mut Trace) -> Result<Signed, Refusal> {
        if trust.keys.is_empty() {
            let expected = "at least one pinned certificate";
            return Err(trace.fail(CheckName::TrustedKey, Reason::NoTrustedKey, expected, "none"));
        }
        let shapes: Vec<&Shape> = self.signatures.iter().collect();
        let hashed = verify_all(&self.tree, &shapes, trust, now, trace)?;
        if self.encrypted {
            return self.open(hashed.first(), trust, now, trace);
        }
        trace.pass(CheckName::Decryption, "", "not encrypted");
        self.into_signed(&hashed, trace)
    }

    /// Reads again what was hashed: the Response where it is signed, with the assertion in it, else the assertion.
    fn into_signed(self, hashed: &[Hashed], trace: &mut Trace) -> Result<Signed, Refusal> {
        // That they cannot be read again does not happen; should it, nothing is believed.
        self.reread(hashed)
            .ok_or_else(|| trace.fail(CheckName::Digest, Reason::Digest, "octets that can be read again", "others"))
    }

    fn reread(self, hashed: &[Hashed]) -> Option<Signed> {
        let signed = self.signatures.response.is_some();
        // In the order of the signatures: the first is the Response's, if that is signed.
        let tree = hashed.first()?.read()?;
        let envelope = Envelope::read(if signed { &tree } else { &self.tree }, signed);
        let assertion = assertion_of(&tree)?;
        Some(Signed { tree, assertion, envelope })
    }
}

/// The assertion in a tree of hashed octets: its root, or the only one directly in the Response at its root.
fn assertion_of(tree: &Tree) -> Option<NodeId> {
    let root = tree.root();
    if tree.is(root, ASSERTION_NS, "Assertion") {
        return Some(root);
    }
    tree.is(root, PROTOCOL_NS, "Response").then(|| tree.only(root, ASSERTION_NS, "Assertion"))?
}

/// Digest and signature of each shape; the hashed octets in the order of `shapes`.
pub(super) fn verify_all(
    tree: &Tree,
    shapes: &[&Shape],
    trust: &Trust,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Vec<Hashed>, Refusal> {
    let keys = shapes.iter().map(|shape| candidates(shape, trust, now, trace)).collect::<Result<Vec<_>, _>>()?;
    let hashed = shapes.iter().map(|shape| check_digest(tree, shape, trace)).collect::<Result<Vec<_>, _>>()?;
    for (shape, keys) in shapes.iter().zip(keys) {
        check_signature(tree, shape, trust, &keys, trace)?;
    }
    Ok(hashed)
}

/// A pinned key, and whether its certificate is within its validity.
type Candidate<'a> = (&'a PinnedKey, bool);

fn candidates<'a>(
    shape: &Shape,
    trust: &'a Trust,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Vec<Candidate<'a>>, Refusal> {
    let keys: Vec<Candidate<'a>> = shape.method.kinds().iter().flat_map(|kind| trust.candidates(*kind, now)).collect();
    let kinds: Vec<String> = shape.method.kinds().iter().map(ToString::to_string).collect();
    let expected = format!("a pinned certificate with a key of {}", kinds.join(" or "));
    let found = format!("{} of {}", keys.len(), trust.keys.len());
    trace.require(CheckName::TrustedKey, Reason::NoTrustedKey, !keys.is_empty(), expected, found)?;
    Ok(keys)
}

/// XML Signature 1.1 section 3.2.1. The octets must not be empty: the digest of nothing proves nothing.
fn check_digest(tree: &Tree, shape: &Shape, trace: &mut Trace) -> Result<Hashed, Refusal> {
    let octets = canonicalize(tree, shape.signed, &[shape.node], &shape.reference_prefixes).unwrap_or_default();
    let digest = shape.hash.digest(octets.as_bytes());
    let same = !octets.is_empty() && digest.as_ref() == shape.digest;
    let found = if same { "the same" } else { "another" };
    trace.require(CheckName::Digest, Reason::Digest, same, "the digest of the signed element", found)?;
    Ok(Hashed(octets))
}

/// XML Signature 1.1 section 3.2.2.
fn check_signature(
    tree: &Tree,
    shape: &Shape,
    trust: &Trust,
    keys: &[Candidate<'_>],
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let octets = canonicalize(tree, shape.signed_info, &[], &shape.info_prefixes).unwrap_or_default();
    let verifies = |key: &PinnedKey| !octets.is_empty() && shape.method.verify(key, octets.as_bytes(), &shape.value);
    let by = keys.iter().find(|(key, _)| verifies(key));
    let pinned: Vec<String> = keys.iter().map(|(key, _)| key.fingerprint()).collect();
    let expected = format!("certificate {}", pinned.join(" or "));
    let Some((key, current)) = by else {
        let found = claimed_signer(tree, shape, trust);
        return Err(trace.fail(CheckName::Signature, Reason::Signature, expected, found));
    };
    trace.pass(CheckName::Signature, expected, format_args!("certificate {}", key.fingerprint()));
    if !current {
        trace.warn(CheckName::Signature, "The pinned certificate is outside of its validity; renew it soon.");
    }
    Ok(())
}

/// By whom the message says that it was signed: which certificate, and which issuer, if that is another than the
/// connection's. For the trace only: nothing is believed because of it.
fn claimed_signer(tree: &Tree, shape: &Shape, trust: &Trust) -> String {
    let certificate = tree
        .only(shape.node, DSIG_NS, "KeyInfo")
        .and_then(|info| tree.only(info, DSIG_NS, "X509Data"))
        .and_then(|data| tree.named(data, DSIG_NS, "X509Certificate").next())
        .and_then(|node| tree.text(node))
        .and_then(|text| PinnedKey::from_base64(text).ok());
    let issuer = tree.only(shape.signed, ASSERTION_NS, "Issuer").and_then(|issuer| tree.text(issuer));
    let issuer = issuer.map(str::trim_ascii).filter(|issuer| *issuer != trust.idp_entity_id);
    let names = [
        certificate.map(|key| format!("; it names certificate {}", key.fingerprint())),
        issuer.map(|issuer| format!("; it names the issuer {issuer}")),
    ];
    format!("a signature that no pinned key made{}", names.into_iter().flatten().collect::<String>())
}
