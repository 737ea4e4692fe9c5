//! From a form value to a message whose shape is known: base64, text, XML, structure, ids and signature shapes. Nothing
//! here is believed yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::envelope::Envelope;
use super::reason::Reason;
use super::scan::Comments;
use super::shape::{self, Places, Signatures};
use super::trace::{CheckName, Refusal, Trace};
use super::xml::{NodeId, Tree};
use super::{ASSERTION_NS, MAX_MESSAGE_BYTES, PROTOCOL_NS};

/// A response whose shape is right and whose content nobody has vouched for. It gives out no claims: the only way on is
/// [`verify`](Self::verify).
#[derive(Debug, Clone)]
pub struct Unverified {
    pub(super) tree: Tree,
    pub(super) encrypted: bool,
    pub(super) signatures: Signatures,
}

impl Unverified {
    /// Decodes the `SAMLResponse` field of the HTTP POST binding (SAML Bindings 3.5.4).
    ///
    /// # Errors
    /// `too_large`, `malformed`, `dtd`, `markup`, `structure`, `assertion_count`, `duplicate_id`, `signature_missing`,
    /// `dsig_shape`, `reference`, `transform`, `algorithm`; and `status` for a response without an assertion in which
    /// the identity provider says that it failed.
    pub fn decode(form_value: &str, trace: &mut Trace) -> Result<Self, Refusal> {
        let octets = base64_octets(form_value, trace)?;
        Self::from_xml(&octets, trace)
    }

    /// As [`decode`](Self::decode), from the message itself.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn from_xml(octets: &[u8], trace: &mut Trace) -> Result<Self, Refusal> {
        check_size(octets.len(), trace)?;
        let Ok(text) = std::str::from_utf8(octets) else {
            return Err(trace.fail(CheckName::Encoding, Reason::Malformed, "UTF-8", "other octets"));
        };
        trace.pass(CheckName::Encoding, "base64 of UTF-8", "base64 of UTF-8");
        let tree = Tree::read(text, Comments::Refuse)
            .map_err(|error| trace.fail(CheckName::Xml, error.reason(), "plain XML 1.0", &error))?;
        trace.pass(CheckName::Xml, "plain XML 1.0", "plain XML 1.0");
        check_root(&tree, trace)?;
        let (assertion, encrypted) = the_assertion(&tree, trace)?;
        check_ids(&tree, trace)?;
        let otherwise = encrypted.then_some("none outside of the encrypted assertion");
        let plain = (!encrypted).then_some(assertion);
        let places = Places { response: Some(tree.root()), assertion: plain, otherwise };
        let signatures = shape::read(&tree, places, trace)?;
        Ok(Self { tree, encrypted, signatures })
    }
}

/// Decodes base64 that may be wrapped over lines, and nothing looser.
fn base64_octets(form_value: &str, trace: &mut Trace) -> Result<Vec<u8>, Refusal> {
    // Four characters for three octets, and as much again for line breaks.
    if form_value.len() > MAX_MESSAGE_BYTES * 3 {
        check_size(form_value.len(), trace)?;
    }
    let is_white = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    // Hardly anybody wraps it: that is found out for many bytes at once, since nothing ends that loop early.
    let octets = if form_value.bytes().fold(false, |found, byte| found | is_white(byte)) {
        STANDARD.decode(form_value.bytes().filter(|byte| !is_white(*byte)).collect::<Vec<u8>>())
    } else {
        STANDARD.decode(form_value)
    };
    if let Ok(octets) = &octets {
        check_size(octets.len(), trace)?;
    }
    octets.map_err(|error| trace.fail(CheckName::Encoding, Reason::Malformed, "clean base64", error))
}

fn check_size(bytes: usize, trace: &mut Trace) -> Result<(), Refusal> {
    let expected = format_args!("at most {MAX_MESSAGE_BYTES} bytes").to_string();
    trace.require(
        CheckName::Size,
        Reason::TooLarge,
        bytes <= MAX_MESSAGE_BYTES,
        expected,
        format_args!("{bytes} bytes"),
    )
}

/// SAML Core 3.2.2: a Response of version 2.0 with an id; no other Response inside of it.
fn check_root(tree: &Tree, trace: &mut Trace) -> Result<(), Refusal> {
    let root = tree.root();
    let found = if !tree.is(root, PROTOCOL_NS, "Response") {
        "another root element"
    } else if tree.attribute(root, "Version") != Some("2.0") {
        "another version"
    } else if tree.attribute(root, "ID").is_none_or(str::is_empty) {
        "no ID"
    } else if tree.all_elements().filter(|(_, e)| e.local == "Response").count() != 1 {
        "a nested Response"
    } else if tree.named(root, ASSERTION_NS, "Assertion").any(|assertion| !is_versioned(tree, assertion)) {
        "an assertion without ID or of another version"
    } else {
        trace.pass(CheckName::Structure, "a SAML 2.0 Response", "a SAML 2.0 Response");
        return Ok(());
    };
    Err(trace.fail(CheckName::Structure, Reason::Structure, "a SAML 2.0 Response", found))
}

/// SAML Core 2.3.3.
pub(super) fn is_versioned(tree: &Tree, assertion: NodeId) -> bool {
    tree.attribute(assertion, "Version") == Some("2.0")
        && tree.attribute(assertion, "ID").is_some_and(|id| !id.is_empty())
}

/// Assertions are counted by local name in any namespace, wherever they hide.
fn the_assertion(tree: &Tree, trace: &mut Trace) -> Result<(NodeId, bool), Refusal> {
    let named = |(id, name): (NodeId, &str)| matches!(name, "Assertion" | "EncryptedAssertion").then_some(id);
    let all: Vec<NodeId> = tree.all_elements().filter_map(|(id, element)| named((id, element.local))).collect();
    let expected = "one assertion directly under the Response";
    match all[..] {
        // A failed sign-in has no assertion to look for: what the administrator needs is the status.
        [] if !Envelope::read(tree, false).is_success() => {
            Envelope::read(tree, false).check_status(trace)?;
            Err(trace.fail(CheckName::AssertionCount, Reason::AssertionCount, expected, "none"))
        }
        [only] => {
            let direct = tree.parent(only) == Some(tree.root());
            let encrypted = tree.is(only, ASSERTION_NS, "EncryptedAssertion");
            if !direct || !(encrypted || tree.is(only, ASSERTION_NS, "Assertion")) {
                let found = "one elsewhere or in another namespace";
                return Err(trace.fail(CheckName::AssertionCount, Reason::AssertionCount, expected, found));
            }
            trace.pass(CheckName::AssertionCount, expected, if encrypted { "one, encrypted" } else { "one" });
            Ok((only, encrypted))
        }
        _ => Err(trace.fail(CheckName::AssertionCount, Reason::AssertionCount, expected, all.len())),
    }
}

/// Ids are attributes with the local name `id` in any case and any namespace; no element has two, no value is used twice.
pub(super) fn check_ids(tree: &Tree, trace: &mut Trace) -> Result<(), Refusal> {
    let mut ids: Vec<&str> = Vec::new();
    let mut doubled = false;
    for (_, element) in tree.all_elements() {
        let own = element.attributes().filter(|a| a.local.eq_ignore_ascii_case("id"));
        let before = ids.len();
        ids.extend(own.map(|a| a.value));
        doubled |= ids.len() > before + 1;
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    let unique = !doubled && ids.len() == all;
    let found = if unique { "every id once" } else { "an id twice, or an element with two" };
    trace.require(CheckName::UniqueIds, Reason::DuplicateId, unique, "every id once", found)
}
