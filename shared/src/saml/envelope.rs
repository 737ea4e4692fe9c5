//! What the Response says around its assertion: status, addressee, sender, the request it answers.
//!
//! When only the assertion is signed, nobody has vouched for these facts. They are checked all the same, because they
//! can refuse a login and can never grant one.

use super::reason::Reason;
use super::trace::{CheckName, Refusal, Trace};
use super::xml::Tree;
use super::{ASSERTION_NS, PROTOCOL_NS, STATUS_SUCCESS};

/// The facts of a Response (SAML Core 3.2.2).
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    /// Whether they were read from octets that were hashed for a verified signature.
    pub(super) signed: bool,
    /// Top-level status code and the one nested in it.
    pub(super) status: Vec<String>,
    pub(super) destination: Option<String>,
    pub(super) in_response_to: Option<String>,
    /// `None` when absent, empty when not plain text.
    pub(super) issuer: Option<String>,
}

impl Envelope {
    /// Reads the facts from a tree whose root is a Response.
    pub(super) fn read(tree: &Tree, signed: bool) -> Self {
        let root = tree.root();
        let attribute = |name| tree.attribute(root, name).map(str::to_owned);
        let issuers: Vec<_> = tree.named(root, ASSERTION_NS, "Issuer").collect();
        let issuer = match issuers[..] {
            [] => None,
            [only] => Some(tree.text(only).map(|text| text.trim_ascii().to_owned()).unwrap_or_default()),
            _ => Some(String::new()),
        };
        Self {
            signed,
            status: status_codes(tree),
            destination: attribute("Destination"),
            in_response_to: attribute("InResponseTo"),
            issuer,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        self.status.first().is_some_and(|code| code == STATUS_SUCCESS)
    }

    /// Refuses with the codes that the identity provider gave. Its message may be personal and is left out.
    pub(super) fn check_status(&self, trace: &mut Trace) -> Result<(), Refusal> {
        let found = if self.status.is_empty() { "no status".to_owned() } else { self.status.join(", ") };
        trace.require(CheckName::Status, Reason::Status, self.is_success(), STATUS_SUCCESS, found)
    }
}

/// SAML Core 3.2.2.1 and 3.2.2.2: at most one Status, and in it one code, in which there may be another.
fn status_codes(tree: &Tree) -> Vec<String> {
    let top =
        tree.only(tree.root(), PROTOCOL_NS, "Status").and_then(|status| tree.only(status, PROTOCOL_NS, "StatusCode"));
    let nested = top.and_then(|code| tree.only(code, PROTOCOL_NS, "StatusCode"));
    let codes = [top, nested].into_iter().flatten();
    codes.filter_map(|code| tree.attribute(code, "Value")).map(str::to_owned).collect()
}
