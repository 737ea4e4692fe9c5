//! Which identifier of a person we ask an identity provider for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::saml::{EMAIL_FORMAT, PERSISTENT_FORMAT};

/// The `NameIDPolicy` of our requests (SAML Core, section 3.4.1.1). Transient identifiers are none of them: they change
/// at each sign-in, and an account is tied to the one that it first came with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameIdFormat {
    /// No policy: whichever the identity provider was set up to send, unless that is transient. It works with all of
    /// them, while AD FS answers a format that its rules do not issue with an error, and Microsoft Entra ID sends
    /// another identifier than the one in its claims.
    #[default]
    Unspecified,
    /// The person's e-mail address (section 8.3.2).
    EmailAddress,
    /// An identifier that stays when the address changes (section 8.3.7).
    Persistent,
}

/// The word names no format that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameIdFormatError {
    /// `transient`.
    #[error(
        "a transient NameID is another one at each sign-in, so that nobody would be recognised; use persistent or \
         email_address, or unspecified for what the identity provider is set up to send"
    )]
    Transient,
    /// Anything else.
    #[error("a NameID format is one of unspecified, email_address and persistent")]
    Unknown,
}

impl NameIdFormat {
    /// What our requests ask for, if anything.
    #[must_use]
    pub const fn asked(self) -> Option<&'static str> {
        match self {
            Self::Unspecified => None,
            Self::EmailAddress => Some(EMAIL_FORMAT),
            Self::Persistent => Some(PERSISTENT_FORMAT),
        }
    }

    /// What our metadata says that we take, best first.
    #[must_use]
    pub const fn offered(self) -> &'static [&'static str] {
        match self {
            // Persistent first: an address can change, and come to belong to somebody else.
            Self::Unspecified => &[PERSISTENT_FORMAT, EMAIL_FORMAT],
            Self::EmailAddress => &[EMAIL_FORMAT],
            Self::Persistent => &[PERSISTENT_FORMAT],
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::EmailAddress => "email_address",
            Self::Persistent => "persistent",
        }
    }
}

impl fmt::Display for NameIdFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NameIdFormat {
    type Err = NameIdFormatError;

    fn from_str(word: &str) -> Result<Self, NameIdFormatError> {
        match word {
            "unspecified" => Ok(Self::Unspecified),
            "email_address" => Ok(Self::EmailAddress),
            "persistent" => Ok(Self::Persistent),
            "transient" => Err(NameIdFormatError::Transient),
            _ => Err(NameIdFormatError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_also_offered() {
        for format in [NameIdFormat::Unspecified, NameIdFormat::EmailAddress, NameIdFormat::Persistent] {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert_eq!(serde_json::to_value(format).unwrap(), format.as_str());
            assert!(format.asked().is_none_or(|asked| format.offered() == [asked]));
        }
        assert_eq!("transient".parse::<NameIdFormat>(), Err(NameIdFormatError::Transient));
        assert_eq!("emailAddress".parse::<NameIdFormat>(), Err(NameIdFormatError::Unknown));
    }
}
