//! Why a login was refused: one code per refusal, the same in traces, logs, the API and the tests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The code of the first check that failed. Exactly one is given for every refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every code, in the order in which the checks run.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code as it is written in traces, logs and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

reasons! {
    /// The decoded message is larger than [`MAX_MESSAGE_BYTES`](super::MAX_MESSAGE_BYTES).
    TooLarge = "too_large",
    /// Not clean base64, not UTF-8, or not the small part of XML 1.0 that we read.
    Malformed = "malformed",
    /// A document type declaration or an entity.
    Dtd = "dtd",
    /// A comment, a processing instruction or a CDATA section.
    Markup = "markup",
    /// The root is not a SAML 2.0 Response, or a required part is missing, repeated or misplaced.
    Structure = "structure",
    /// Not exactly one Assertion or `EncryptedAssertion` directly under the Response.
    AssertionCount = "assertion_count",
    /// Two elements with the same id, or one element with two.
    DuplicateId = "duplicate_id",
    /// Neither the Response nor the Assertion is signed.
    SignatureMissing = "signature_missing",
    /// A `ds:Signature` that is not of the one shape we verify, or is in the wrong place.
    DsigShape = "dsig_shape",
    /// Not exactly one reference, or it does not point at the element that the signature sits in.
    Reference = "reference",
    /// Transforms other than enveloped-signature followed by exclusive canonicalization.
    Transform = "transform",
    /// A signature or digest algorithm outside RSA or ECDSA with SHA-256, SHA-384 or SHA-512.
    Algorithm = "algorithm",
    /// The connection has no certificate that could have made this signature.
    NoTrustedKey = "no_trusted_key",
    /// The signed element was changed after it was signed.
    Digest = "digest",
    /// The signature was not made by a trusted key.
    Signature = "signature",
    /// The encrypted assertion could not be decrypted, for whatever cause.
    Decryption = "decryption",
    /// The identity provider reported that the sign-in failed.
    Status = "status",
    /// The response is addressed to another endpoint.
    Destination = "destination",
    /// The response comes from another identity provider.
    Issuer = "issuer",
    /// The assertion is meant for another service provider.
    Audience = "audience",
    /// The subject confirmation names another endpoint.
    Recipient = "recipient",
    /// The assertion, its confirmation or the session behind it is over.
    Expired = "expired",
    /// The assertion or its confirmation is not valid yet.
    NotYetValid = "not_yet_valid",
    /// The response does not answer the pending request of this browser.
    InResponseTo = "in_response_to",
    /// No usable bearer confirmation.
    SubjectConfirmation = "subject_confirmation",
    /// A condition that we do not know, or contradictory conditions.
    Conditions = "conditions",
    /// The `NameID` is missing, encrypted, transient or not plain text.
    NameId = "name_id",
    /// No e-mail address, or more than one.
    EmailMissing = "email_missing",
    /// The address is on a domain that the connection's parent has not verified.
    DomainNotOwned = "domain_not_owned",
    /// The address is tied to another `NameID` of this connection.
    NameIdConflict = "name_id_conflict",
    /// The assertion was used before.
    Replayed = "replayed",
    /// The person is not a member, and the address's domain has lapsed: only members get in by it.
    DomainLapsed = "domain_lapsed",
    /// The person is not a member and the provisioning mode does not add them.
    NotMember = "not_member",
    /// The person is in none of the organization's mapped groups.
    NoMappedGroup = "no_mapped_group",
    /// Nobody asked for this sign-in, and the connection does not accept that.
    IdpInitiated = "idp_initiated",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason code")]
pub struct UnknownReason;

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == code).ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_text_and_json() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(serde_json::from_value::<Reason>(reason.as_str().into()).unwrap(), *reason);
        }
        assert_eq!("".parse::<Reason>(), Err(UnknownReason));
    }
}
