//! Refusals in SCIM's own words (RFC 7644, section 3.12).

use std::fmt;

use serde_json::{Value, json};

/// The schema of an error's body.
const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What kind of bad request it was (RFC 7644, section 3.12, table 9; the last three: RFC 9865, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// A filter with bad syntax, or a comparison that its attribute does not know.
    InvalidFilter,
    /// More results than the server is willing to read.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// The attribute can not be modified in this way.
    Mutability,
    /// The body is not the message that the endpoint takes.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed or names no attribute.
    InvalidPath,
    /// The path of a PATCH operation leads to nothing that could be operated on.
    NoTarget,
    /// A value is missing, or not one that its attribute takes.
    InvalidValue,
    /// The version of the protocol is not supported.
    InvalidVers,
    /// The request holds in its address what belongs in a body.
    Sensitive,
    /// The cursor was not given out by this server, or for another query.
    InvalidCursor,
    /// The cursor is older than its time-out.
    ExpiredCursor,
    /// The count differs from that of the query which the cursor belongs to.
    InvalidCount,
}

impl ScimType {
    /// The keyword of the RFC.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// What kind of bad request it was, where the RFC has a word for it.
    pub scim_type: Option<ScimType>,
    /// What went wrong and what to do, in words. It names attributes, never anybody's values.
    pub detail: String,
}

impl ScimError {
    /// A refusal of any status, for what is wrong with the request as a whole (401, 404, 405, 412, 413, 415, 429, 5xx).
    #[must_use]
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// A bad request. What must be unique and is taken is a conflict (RFC 7644, section 3.3).
    #[must_use]
    pub fn bad(scim_type: ScimType, detail: impl Into<String>) -> Self {
        let status = if scim_type == ScimType::Uniqueness { 409 } else { 400 };
        Self { status, scim_type: Some(scim_type), detail: detail.into() }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_URN], "status": self.status.to_string(), "detail": self.detail });
        if let (Some(scim_type), Some(members)) = (self.scim_type, body.as_object_mut()) {
            members.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        body
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scim_type {
            Some(scim_type) => write!(f, "{} {}: {}", self.status, scim_type.as_str(), self.detail),
            None => write!(f, "{}: {}", self.status, self.detail),
        }
    }
}

impl std::error::Error for ScimError {}

pub(super) fn invalid_value(detail: impl Into<String>) -> ScimError {
    ScimError::bad(ScimType::InvalidValue, detail)
}

pub(super) fn invalid_syntax(detail: impl Into<String>) -> ScimError {
    ScimError::bad(ScimType::InvalidSyntax, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_one_of_the_rfc() {
        let taken = ScimError::bad(ScimType::Uniqueness, "This userName is taken.");
        assert_eq!(
            taken.body(),
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                "status": "409",
                "scimType": "uniqueness",
                "detail": "This userName is taken.",
            })
        );
        let missing = ScimError::new(404, "There is no such user.").body();
        assert_eq!(missing["status"], "404");
        assert_eq!(missing.get("scimType"), None);
    }
}
