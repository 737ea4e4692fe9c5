//! From an encrypted assertion to a signed one: decrypted, then looked at as strictly as if it had come in the clear.

use jiff::Timestamp;

use super::ASSERTION_NS;
use super::decode::{Unverified, check_ids, is_versioned};
use super::decrypt::decrypt;
use super::envelope::Envelope;
use super::idp::IdpKind;
use super::key::Trust;
use super::reason::Reason;
use super::scan::Comments;
use super::shape::{self, Places};
use super::signature::{Hashed, Signed, verify_all};
use super::trace::{CheckName, Refusal, Trace};
use super::xml::Tree;

impl Unverified {
    /// `response` is what was hashed for the signature of the Response, if it has one: then that signature covers the
    /// encrypted assertion, and the assertion need not be signed itself. If it is, it must verify all the same.
    ///
    /// Everything that goes wrong in here is one and the same refusal: see [`decrypt`].
    pub(super) fn open(
        self,
        response: Option<&Hashed>,
        trust: &Trust,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<Signed, Refusal> {
        let expected = "an assertion that opens with our key and is signed, itself or by the response around it";
        let mut inner = Trace::new(IdpKind::Other);
        let Some(signed) = self.opened(response, trust, now, &mut inner) else {
            return Err(trace.fail(CheckName::Decryption, Reason::Decryption, expected, "it is not"));
        };
        trace.adopt(&inner);
        trace.pass(CheckName::Decryption, expected, "decrypted");
        Ok(signed)
    }

    fn opened(self, response: Option<&Hashed>, trust: &Trust, now: Timestamp, inner: &mut Trace) -> Option<Signed> {
        let hashed = match response {
            Some(octets) => Some(octets.read()?),
            None => None,
        };
        let outer = hashed.as_ref().unwrap_or(&self.tree);
        let encrypted = outer.only(outer.root(), ASSERTION_NS, "EncryptedAssertion")?;
        let text = decrypt(outer, encrypted, &trust.decryption_keys).ok()?;
        let tree = Tree::read(&text, Comments::Refuse).ok()?;
        let assertion = tree.root();
        if !is_lone_assertion(&tree) {
            return None;
        }
        check_ids(&tree, inner).ok()?;
        let otherwise = hashed.is_some().then_some("response");
        let places = Places { response: None, assertion: Some(assertion), otherwise };
        let signatures = shape::read(&tree, places, inner).ok()?;
        let envelope = Envelope::read(outer, hashed.is_some());
        let Some(shape) = signatures.assertion else {
            return Some(Signed { tree, assertion, envelope });
        };
        let own = verify_all(&tree, &[&shape], trust, now, inner).ok()?;
        let tree = own.first()?.read()?;
        Some(Signed { assertion: tree.root(), tree, envelope })
    }
}

/// An Assertion of version 2.0, and in it neither another one nor a Response.
fn is_lone_assertion(tree: &Tree) -> bool {
    let counted = |name: &str| matches!(name, "Assertion" | "EncryptedAssertion" | "Response");
    let root = tree.root();
    tree.is(root, ASSERTION_NS, "Assertion")
        && is_versioned(tree, root)
        && tree.all_elements().filter(|(_, element)| counted(element.local)).count() == 1
}
