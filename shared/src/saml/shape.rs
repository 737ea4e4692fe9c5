//! The one shape of `ds:Signature` that is verified, as types: what does not fit is refused before any of it is used
//! (XML Signature 1.1 section 4, narrowed by SAML Core section 5.4).
//!
//! Every stage looks at all signatures before the next one begins, so that the trace reads in order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DSIG_NS;
use super::algorithm::{Hash, Method};
use super::canonical::EXCLUSIVE;
use super::reason::Reason;
use super::trace::{CheckName, Refusal, Trace};
use super::xml::{NodeId, Tree};

/// The first transform (XML Signature 1.1 section 6.6.4).
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Most prefixes in one `PrefixList`.
const MAX_PREFIXES: usize = 32;

const SHAPE: &str = "SignedInfo, SignatureValue and KeyInfo, directly in the signed element";
const REFERENCE: &str = "one reference, to the signed element's own ID";
const TRANSFORMS: &str = "enveloped-signature, then exclusive canonicalization";
const ALGORITHMS: &str = "RSA or ECDSA with SHA-256, SHA-384 or SHA-512";
const PRESENT: &str = "a signed response or assertion";

/// One signature of the verified shape.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// The `ds:Signature`.
    pub(super) node: NodeId,
    /// Its parent, which it signs.
    pub(super) signed: NodeId,
    pub(super) signed_info: NodeId,
    pub(super) method: Method,
    pub(super) hash: Hash,
    pub(super) digest: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// Inclusive prefixes for `ds:SignedInfo`.
    pub(super) info_prefixes: Vec<String>,
    /// Inclusive prefixes for the signed element.
    pub(super) reference_prefixes: Vec<String>,
}

/// The signatures of a response: at least one, except where the assertion is encrypted and signed inside.
#[derive(Debug, Clone, Default)]
pub(super) struct Signatures {
    pub(super) response: Option<Shape>,
    pub(super) assertion: Option<Shape>,
}

impl Signatures {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.response.iter().chain(&self.assertion)
    }
}

/// Where signatures may stand, and whether there must be one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) response: Option<NodeId>,
    /// None while it is encrypted.
    pub(super) assertion: Option<NodeId>,
    /// Who vouches for the assertion if neither is signed: the response around it, or what is still encrypted.
    pub(super) otherwise: Option<&'static str>,
}

/// Finds the signatures and reads their shapes.
///
/// # Errors
/// `signature_missing`, `dsig_shape`, `reference`, `transform`, `algorithm`.
pub(super) fn read(tree: &Tree, places: Places, trace: &mut Trace) -> Result<Signatures, Refusal> {
    let found = find(tree, places);
    if let Ok((None, None)) = found {
        let Some(otherwise) = places.otherwise else {
            return Err(trace.fail(CheckName::SignaturePresent, Reason::SignatureMissing, PRESENT, "none"));
        };
        trace.pass(CheckName::SignaturePresent, PRESENT, otherwise);
        return Ok(Signatures::default());
    }
    trace.pass(CheckName::SignaturePresent, PRESENT, presence(&found));
    let (response, assertion) = found.map_err(|defect| dsig(trace, &defect))?;
    let of = |place: Option<Place>| place.map(|place| parts(tree, place)).transpose();
    let (response, assertion) =
        of(response).and_then(|r| Ok((r, of(assertion)?))).map_err(|defect| dsig(trace, &defect))?;
    let all: Vec<&Parts> = response.iter().chain(&assertion).collect();
    trace.pass(CheckName::SignatureShape, SHAPE, "the same");
    check_references(tree, &all, trace)?;
    check_transforms(tree, &all, trace)?;
    check_algorithms(tree, &all, trace)?;
    let shape = |parts: Option<Parts>| parts.and_then(|parts| parts.into_shape(tree));
    Ok(Signatures { response: shape(response), assertion: shape(assertion) })
}

/// Why something is not of the shape, in words.
type Defect = String;

fn dsig(trace: &mut Trace, defect: &str) -> Refusal {
    trace.fail(CheckName::SignatureShape, Reason::DsigShape, SHAPE, defect)
}

/// A `ds:Signature` and its parent.
type Place = (NodeId, NodeId);
type Found = (Option<Place>, Option<Place>);

fn presence(found: &Result<Found, Defect>) -> &'static str {
    match found {
        Ok((Some(_), Some(_))) => "response and assertion",
        Ok((Some(_), None)) => "response",
        Ok((None, Some(_))) => "assertion",
        _ => "some",
    }
}

/// Every element called Signature, in any namespace, must be a direct child of the Response or the Assertion.
fn find(tree: &Tree, places: Places) -> Result<Found, Defect> {
    let mut found = (None, None);
    for (node, _) in tree.all_elements().filter(|(_, element)| element.local == "Signature") {
        if !tree.is(node, DSIG_NS, "Signature") {
            return Err("a Signature in another namespace".to_owned());
        }
        let (slot, parent) = match tree.parent(node) {
            Some(parent) if Some(parent) == places.response => (&mut found.0, parent),
            Some(parent) if Some(parent) == places.assertion => (&mut found.1, parent),
            _ => return Err("a signature in another place".to_owned()),
        };
        if slot.replace((node, parent)).is_some() {
            return Err("two signatures on one element".to_owned());
        }
    }
    Ok(found)
}

/// The parts of a signature, in the right order and nothing between them.
struct Parts {
    node: NodeId,
    signed: NodeId,
    signed_info: NodeId,
    canonicalization: NodeId,
    method: NodeId,
    references: Vec<ReferenceParts>,
    value: Vec<u8>,
}

struct ReferenceParts {
    node: NodeId,
    transforms: Option<NodeId>,
    method: NodeId,
    digest: Vec<u8>,
}

fn parts(tree: &Tree, (node, signed): Place) -> Result<Parts, Defect> {
    let (signed_info, value) = match children(tree, node)?[..] {
        [info, value] => (info, value),
        [info, value, key_info] if tree.is(key_info, DSIG_NS, "KeyInfo") => (info, value),
        _ => return Err("other children of Signature".to_owned()),
    };
    named(tree, signed_info, "SignedInfo")?;
    named(tree, value, "SignatureValue")?;
    let info = children(tree, signed_info)?;
    let [canonicalization, method, references @ ..] = &info[..] else {
        return Err("other children of SignedInfo".to_owned());
    };
    named(tree, *canonicalization, "CanonicalizationMethod")?;
    named(tree, *method, "SignatureMethod")?;
    childless(tree, *method)?;
    Ok(Parts {
        node,
        signed,
        signed_info,
        canonicalization: *canonicalization,
        method: *method,
        references: references.iter().map(|node| reference_parts(tree, *node)).collect::<Result<_, _>>()?,
        value: octets(tree, value)?,
    })
}

fn reference_parts(tree: &Tree, node: NodeId) -> Result<ReferenceParts, Defect> {
    named(tree, node, "Reference")?;
    let (transforms, method, value) = match children(tree, node)?[..] {
        [transforms, method, value] => (Some(transforms), method, value),
        [method, value] => (None, method, value),
        _ => return Err("other children of Reference".to_owned()),
    };
    if let Some(transforms) = transforms {
        named(tree, transforms, "Transforms")?;
    }
    named(tree, method, "DigestMethod")?;
    named(tree, value, "DigestValue")?;
    childless(tree, method)?;
    Ok(ReferenceParts { node, transforms, method, digest: octets(tree, value)? })
}

/// Child elements, if there is nothing but white space between them.
fn children(tree: &Tree, node: NodeId) -> Result<Vec<NodeId>, Defect> {
    if !tree.holds_only_elements(node) {
        return Err("text between the parts of the signature".to_owned());
    }
    Ok(tree.elements(node).collect())
}

/// No `HMACOutputLength` or any other parameter.
fn childless(tree: &Tree, node: NodeId) -> Result<(), Defect> {
    if children(tree, node)?.is_empty() { Ok(()) } else { Err("parameters of a method".to_owned()) }
}

fn named(tree: &Tree, node: NodeId, local: &str) -> Result<(), Defect> {
    if tree.is(node, DSIG_NS, local) { Ok(()) } else { Err(format!("something else in place of {local}")) }
}

/// Base64 in exactly one text node.
fn octets(tree: &Tree, node: NodeId) -> Result<Vec<u8>, Defect> {
    let text = tree.text(node).ok_or("a value that is not one text")?;
    let compact: String = text.split_ascii_whitespace().collect();
    let octets = STANDARD.decode(compact).map_err(|_| "a value that is not base64")?;
    if octets.is_empty() { Err("an empty value".to_owned()) } else { Ok(octets) }
}

fn check_references(tree: &Tree, all: &[&Parts], trace: &mut Trace) -> Result<(), Refusal> {
    let defect = all.iter().find_map(|parts| reference_defect(tree, parts));
    let found = defect.as_deref().unwrap_or("the same");
    trace.require(CheckName::Reference, Reason::Reference, defect.is_none(), REFERENCE, found)
}

fn reference_defect(tree: &Tree, parts: &Parts) -> Option<String> {
    let [only] = &parts.references[..] else {
        return Some(format!("{} references", parts.references.len()));
    };
    let Some(id) = tree.attribute(parts.signed, "ID").filter(|id| !id.is_empty()) else {
        return Some("no ID to refer to".to_owned());
    };
    match tree.attribute(only.node, "URI") {
        Some(uri) if uri.strip_prefix('#') == Some(id) => None,
        Some(uri) => Some(format!("a reference to \"{uri}\"")),
        None => Some("a reference without URI".to_owned()),
    }
}

fn check_transforms(tree: &Tree, all: &[&Parts], trace: &mut Trace) -> Result<(), Refusal> {
    let defect = all.iter().find_map(|parts| parts.prefixes(tree).err());
    let found = defect.as_deref().unwrap_or("the same");
    trace.require(CheckName::Transforms, Reason::Transform, defect.is_none(), TRANSFORMS, found)
}

fn check_algorithms(tree: &Tree, all: &[&Parts], trace: &mut Trace) -> Result<(), Refusal> {
    let known = all.iter().all(|parts| parts.algorithms(tree).is_some());
    let found: Vec<String> = all.iter().map(|parts| parts.algorithm_names(tree)).collect();
    trace.require(CheckName::Algorithms, Reason::Algorithm, known, ALGORITHMS, found.join("; "))
}

impl Parts {
    /// Inclusive prefixes of `SignedInfo` and of the reference.
    fn prefixes(&self, tree: &Tree) -> Result<(Vec<String>, Vec<String>), Defect> {
        let info = exclusive(tree, self.canonicalization)?;
        let transforms = self.references.first().and_then(|reference| reference.transforms).ok_or("no transforms")?;
        let [enveloped, canonical] = children(tree, transforms)?[..] else {
            return Err("another number of transforms".to_owned());
        };
        named(tree, enveloped, "Transform")?;
        named(tree, canonical, "Transform")?;
        let uri = tree.attribute(enveloped, "Algorithm").unwrap_or_default();
        if uri != ENVELOPED || !children(tree, enveloped)?.is_empty() {
            return Err(format!("\"{uri}\" first"));
        }
        Ok((info, exclusive(tree, canonical)?))
    }

    fn algorithms(&self, tree: &Tree) -> Option<(Method, Hash)> {
        let (method, digest) = self.algorithm_uris(tree);
        Some((Method::from_uri(method)?, Hash::from_uri(digest)?))
    }

    fn algorithm_uris<'a>(&self, tree: &'a Tree) -> (&'a str, &'a str) {
        let digest = self.references.first().and_then(|reference| tree.attribute(reference.method, "Algorithm"));
        (tree.attribute(self.method, "Algorithm").unwrap_or_default(), digest.unwrap_or_default())
    }

    fn algorithm_names(&self, tree: &Tree) -> String {
        let (method, digest) = self.algorithm_uris(tree);
        let short = |uri: &str| uri.rsplit('#').next().unwrap_or_default().to_owned();
        format!("{} over {}", short(method), short(digest))
    }

    fn into_shape(self, tree: &Tree) -> Option<Shape> {
        let (method, hash) = self.algorithms(tree)?;
        let (info_prefixes, reference_prefixes) = self.prefixes(tree).ok()?;
        let Self { node, signed, signed_info, value, references, .. } = self;
        let digest = references.into_iter().next()?.digest;
        Some(Shape { node, signed, signed_info, method, hash, digest, value, info_prefixes, reference_prefixes })
    }
}

/// The inclusive prefixes of exclusive canonicalization without comments.
fn exclusive(tree: &Tree, node: NodeId) -> Result<Vec<String>, Defect> {
    let uri = tree.attribute(node, "Algorithm").unwrap_or_default();
    if uri != EXCLUSIVE {
        return Err(format!("\"{uri}\" as canonicalization"));
    }
    let list = match children(tree, node)?[..] {
        [] => return Ok(Vec::new()),
        [only] if tree.is(only, EXCLUSIVE, "InclusiveNamespaces") && tree.children(only).next().is_none() => only,
        _ => return Err("unknown parameters of canonicalization".to_owned()),
    };
    let prefixes = tree.attribute(list, "PrefixList").unwrap_or_default().split_ascii_whitespace();
    let prefixes: Vec<String> = prefixes.map(str::to_owned).collect();
    if prefixes.len() > MAX_PREFIXES { Err("too many inclusive prefixes".to_owned()) } else { Ok(prefixes) }
}
