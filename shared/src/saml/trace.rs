//! The login trace: every check in order, each passed, failed or not reached.
//!
//! A [`Refusal`] can only be had from [`Trace::fail`] or [`Trace::require`], so nothing is refused without a record.

use std::fmt::{self, Display, Write as _};

use serde::{Deserialize, Serialize};

use super::advice::{advice, no_email_in_attribute, no_groups};
use super::idp::IdpKind;
use super::reason::Reason;

/// Longest text kept of an expected or found value, in characters.
const MAX_VALUE_CHARS: usize = 300;

macro_rules! checks {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The checks of one login, in the order in which they run. The last ones, from the domain on, are recorded by the login itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum CheckName { $($(#[doc = $doc])+ $name,)+ }

        impl CheckName {
            /// Every check, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name as it is written in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it requires, in words.
            #[must_use]
            pub fn in_words(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim(),)+ }
            }
        }
    };
}

checks! {
    /// The decoded message is small enough.
    Size = "size",
    /// Clean base64 of UTF-8 text.
    Encoding = "encoding",
    /// The strict part of XML that we read.
    Xml = "xml",
    /// A SAML 2.0 Response.
    Structure = "structure",
    /// One assertion, directly under the Response.
    AssertionCount = "assertion_count",
    /// No id twice.
    UniqueIds = "unique_ids",
    /// The Response, the Assertion or both are signed.
    SignaturePresent = "signature_present",
    /// The signature is of the one shape we verify.
    SignatureShape = "signature_shape",
    /// It points at the element it sits in.
    Reference = "reference",
    /// Enveloped-signature, then exclusive canonicalization.
    Transforms = "transforms",
    /// RSA or ECDSA with SHA-2.
    Algorithms = "algorithms",
    /// A pinned certificate that could have made the signature.
    TrustedKey = "trusted_key",
    /// What was signed is unchanged.
    Digest = "digest",
    /// A pinned key made the signature.
    Signature = "signature",
    /// The encrypted assertion, if it is one, opens with our key and passes the same checks.
    Decryption = "decryption",
    /// The identity provider reports success.
    Status = "status",
    /// Addressed to our assertion consumer service.
    Destination = "destination",
    /// Issued by the connection's identity provider.
    Issuer = "issuer",
    /// Meant for our entity id.
    Audience = "audience",
    /// A bearer confirmation with what it needs.
    SubjectConfirmation = "subject_confirmation",
    /// Confirmed for our assertion consumer service.
    Recipient = "recipient",
    /// Valid now, give or take the allowed clock skew.
    Validity = "validity",
    /// Answers the pending request of this browser.
    InResponseTo = "in_response_to",
    /// No condition that we do not know.
    Conditions = "conditions",
    /// When and how the person signed in.
    Authentication = "authentication",
    /// A NameID that an account can be tied to.
    NameId = "name_id",
    /// One e-mail address.
    Email = "email",
    /// Its domain is verified by the connection's parent.
    DomainOwnership = "domain_ownership",
    /// The address is not tied to another NameID.
    NameIdTie = "name_id_tie",
    /// The assertion was not used before.
    Replay = "replay",
    /// Which groups the person is in. It refuses nobody; without groups it advises, where some are needed.
    Groups = "groups",
    /// The provisioning rules let the person in.
    Access = "access",
}

impl Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not hold; nothing after it was looked at.
    Failed,
    /// An earlier check failed, or the login is still under way.
    NotReached,
}

/// One line of the trace. Expected and found never hold personal attributes or parts of the raw message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which check.
    pub name: CheckName,
    /// What became of it.
    pub outcome: Outcome,
    /// What was required, in words or as the required value.
    pub expected: Option<String>,
    /// What the message had.
    pub found: Option<String>,
    /// For a failure, the setting to change at the identity provider; for a pass, a warning.
    pub advice: Option<String>,
}

/// All checks of one login attempt, in order. Serialized as the plain list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trace {
    #[serde(skip)]
    idp: IdpKind,
    checks: Vec<Check>,
}

/// A login that was refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused: {reason} at {check}")]
pub struct Refusal {
    reason: Reason,
    check: CheckName,
}

impl Refusal {
    /// The code.
    #[must_use]
    pub const fn reason(self) -> Reason {
        self.reason
    }

    /// The check that failed.
    #[must_use]
    pub const fn check(self) -> CheckName {
        self.check
    }
}

impl Trace {
    /// A trace in which nothing has been reached yet. `idp` only chooses the words of the advice.
    #[must_use]
    pub fn new(idp: IdpKind) -> Self {
        let checks = CheckName::ALL.iter().map(|name| Check {
            name: *name,
            outcome: Outcome::NotReached,
            expected: None,
            found: None,
            advice: None,
        });
        Self { idp, checks: checks.collect() }
    }

    /// The checks, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The first failed check.
    #[must_use]
    pub fn failed(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.outcome == Outcome::Failed)
    }

    /// Records that a check held. Empty texts are left out.
    pub fn pass(&mut self, name: CheckName, expected: impl Display, found: impl Display) {
        self.record(name, Outcome::Passed, &expected, &found, None);
    }

    /// Adds words to what is advised on a check, whatever became of it; a trace without the check stays as it is.
    pub fn warn(&mut self, name: CheckName, warning: &str) {
        let Some(check) = self.checks.iter_mut().find(|check| check.name == name) else {
            return;
        };
        check.advice = Some(match check.advice.take() {
            Some(earlier) => format!("{earlier} {warning}"),
            None => warning.to_owned(),
        });
    }

    /// Records that a check did not hold, with advice for the administrator. The only source of a [`Refusal`].
    #[must_use]
    pub fn fail(&mut self, name: CheckName, reason: Reason, expected: impl Display, found: impl Display) -> Refusal {
        let (wanted, had) = (bounded(&expected).unwrap_or_default(), bounded(&found).unwrap_or_default());
        let advice = advice(reason, self.idp, &wanted, &had);
        self.record(name, Outcome::Failed, &expected, &found, Some(advice));
        Refusal { reason, check: name }
    }

    /// Records that there is no address, in the attribute that the connection names if it does.
    pub(super) fn fail_email(&mut self, attribute: Option<&str>, expected: &str) -> Refusal {
        let refusal = self.fail(CheckName::Email, Reason::EmailMissing, expected, "none, or several");
        let (idp, check) = (self.idp, self.checks.iter_mut().find(|check| check.name == CheckName::Email));
        if let (Some(check), Some(_)) = (check, attribute) {
            check.advice = Some(no_email_in_attribute(idp));
        }
        refusal
    }

    /// Adds to the check of groups how to send some. `overflowed` is when the provider left them out for their number.
    pub(super) fn advise_groups(&mut self, overflowed: bool) {
        self.warn(CheckName::Groups, &no_groups(self.idp, overflowed));
    }

    /// Records a check either way.
    ///
    /// # Errors
    /// The refusal, if `holds` is false.
    pub fn require(
        &mut self,
        name: CheckName,
        reason: Reason,
        holds: bool,
        expected: impl Display,
        found: impl Display,
    ) -> Result<(), Refusal> {
        if holds {
            self.pass(name, expected, found);
            return Ok(());
        }
        Err(self.fail(name, reason, expected, found))
    }

    /// Takes over what another trace passed and this one did not reach: the checks of what was inside.
    pub(super) fn adopt(&mut self, inner: &Self) {
        for (own, other) in self.checks.iter_mut().zip(&inner.checks) {
            if own.outcome == Outcome::NotReached && other.outcome == Outcome::Passed && own.name == other.name {
                own.clone_from(other);
            }
        }
    }

    fn record(
        &mut self,
        name: CheckName,
        outcome: Outcome,
        expected: &dyn Display,
        found: &dyn Display,
        advice: Option<String>,
    ) {
        // A trace that was read back from a store of an older version may lack the check: it is added at the end.
        let at = self.checks.iter().position(|check| check.name == name);
        let check = Check { name, outcome, expected: bounded(expected), found: bounded(found), advice };
        match at.and_then(|at| self.checks.get_mut(at)) {
            Some(slot) => *slot = check,
            None => self.checks.push(check),
        }
    }
}

/// At most [`MAX_VALUE_CHARS`] characters, control characters replaced; `None` when empty.
fn bounded(value: &dyn Display) -> Option<String> {
    let mut text = String::new();
    // Writing to a `String` cannot fail; a failing `Display` leaves what it wrote so far.
    let _ = write!(text, "{value}");
    if text.is_empty() {
        return None;
    }
    if text.len() <= MAX_VALUE_CHARS && !text.contains(char::is_control) {
        return Some(text);
    }
    let mut short: String =
        text.chars().take(MAX_VALUE_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_VALUE_CHARS).is_some() {
        short.push('…');
    }
    Some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_trace_lists_every_check_as_not_reached() {
        let trace = Trace::new(IdpKind::Other);
        assert_eq!(trace.checks().iter().map(|check| check.name).collect::<Vec<_>>(), CheckName::ALL);
        assert!(trace.checks().iter().all(|check| check.outcome == Outcome::NotReached));
    }

    #[test]
    fn a_refusal_records_reason_values_and_advice() {
        let mut trace = Trace::new(IdpKind::Okta);
        trace.pass(CheckName::Size, "at most 5", 3);
        let refusal = trace.fail(CheckName::Audience, Reason::Audience, "https://sp", "https://other");
        assert_eq!((refusal.reason(), refusal.check()), (Reason::Audience, CheckName::Audience));
        let failed = trace.failed().unwrap();
        assert_eq!(failed.found.as_deref(), Some("https://other"));
        assert!(failed.advice.as_deref().unwrap().contains("Audience URI (SP Entity ID)"));
    }

    #[test]
    fn json_is_the_list_with_these_fields() {
        let mut trace = Trace::new(IdpKind::Other);
        trace.pass(CheckName::Size, "", "12 bytes");
        let json = serde_json::to_value(&trace).unwrap();
        assert_eq!(
            json[0],
            serde_json::json!({"name": "size", "outcome": "passed", "expected": null, "found": "12 bytes", "advice": null})
        );
        assert_eq!(json[1]["outcome"], "not_reached");
        assert_eq!(serde_json::from_value::<Trace>(json).unwrap(), trace);
        for name in CheckName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }

    #[test]
    fn found_values_are_bounded_and_printable() {
        let mut trace = Trace::new(IdpKind::Other);
        trace.pass(CheckName::Issuer, "a\u{0}b", "x".repeat(5000));
        let check = trace.checks().iter().find(|check| check.name == CheckName::Issuer).unwrap();
        assert_eq!(check.expected.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(check.found.as_ref().unwrap().chars().count(), MAX_VALUE_CHARS + 1);
    }
}
