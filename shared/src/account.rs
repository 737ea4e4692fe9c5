//! Accounts (a person, one e-mail address) and their memberships.

mod store;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub use store::Person;

use crate::{
    clock::Timestamp,
    domain::{DomainName, DomainNameError},
    id::{AccountId, ConnectionId, OrganizationId},
    surface::Role,
};

/// Characters before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Characters in an address (RFC 5321, section 4.5.3.1.3, as corrected by erratum 1690).
const MAX_ADDRESS: usize = 254;

/// An e-mail address: its domain normalised, its local part as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: DomainName,
}

/// An address as it is compared: the local part in lower case too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FoldedAddress(String);

/// Why a text is not an address that an account can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No single `@`, nothing before it, too long, or characters that have no place in it.
    #[error("this is not a well-formed e-mail address")]
    Malformed,
    /// Letters outside ASCII before the `@` (RFC 6531), whose case rules would let two people meet in one account.
    #[error("the part before the @ may hold ASCII characters only")]
    NotAscii,
    /// The part after the `@` is not a domain that a customer can hold.
    #[error("the domain of this address is not acceptable: {0}")]
    Domain(#[from] DomainNameError),
}

impl Address {
    /// The domain, by which an assertion is believed or not.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The address as it is compared.
    #[must_use]
    pub fn folded(&self) -> FoldedAddress {
        FoldedAddress(format!("{}@{}", self.local.to_ascii_lowercase(), self.domain))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.split_once('@').ok_or(AddressError::Malformed)?;
        if local.is_empty() || local.len() > MAX_LOCAL || domain.contains('@') || domain.trim() != domain {
            return Err(AddressError::Malformed);
        }
        if !local.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        // An unquoted local part (RFC 5322, section 3.2.3); quoted ones do not occur in directories.
        let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
        if dots || !local.bytes().all(atext) {
            return Err(AddressError::Malformed);
        }
        let address = Self { local: local.to_owned(), domain: domain.parse()? };
        if address.local.len() + 1 + address.domain.as_str().len() > MAX_ADDRESS {
            return Err(AddressError::Malformed);
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FoldedAddress {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FoldedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's identifier, the `sub` of its ID tokens.
    pub id: AccountId,
    /// Its one address.
    pub email: Address,
    /// The name to show, where an identity provider or an administrator gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When the person last signed in, by whatever means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in: Option<Timestamp>,
    /// When the person last signed out of the console everywhere: its sessions that began until then are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_out_at: Option<Timestamp>,
}

/// How a membership came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Added in team settings or by the operator.
    Manual,
    /// Joined at a sign-in.
    Jit,
    /// Assigned by the directory.
    Scim,
}

impl Source {
    /// As the API, pages and documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Jit => "jit",
            Self::Scim => "scim",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account's place in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Whose it is.
    pub account: AccountId,
    /// The account's address, by which the membership is found.
    pub email: Address,
    /// Where it is.
    pub organization: OrganizationId,
    /// The role on the organization's surface.
    pub role: Role,
    /// How it came to be.
    pub source: Source,
    /// Since when. A grant that is older than the membership is void: who leaves and returns signs in again.
    pub since: Timestamp,
}

/// The NameID that a connection knows an account by (SAML core, section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameIdTie {
    /// The connection.
    pub connection: ConnectionId,
    /// The account.
    pub account: AccountId,
    /// The entity id of the identity provider that said so. A connection that is moved to another one starts anew.
    pub identity_provider: String,
    /// SHA-256 of the identity provider and the NameID with its qualifiers, in hexadecimal.
    pub name_id_hash: String,
    /// Since when.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_normalised_and_the_local_part_kept() {
        let address: Address = "Ada.Lovelace+x@EXAMPLE.com".parse().unwrap();
        assert_eq!(address.to_string(), "Ada.Lovelace+x@example.com");
        assert_eq!(address.folded().to_string(), "ada.lovelace+x@example.com");
    }

    #[test]
    fn look_alikes_and_malformed_addresses_are_refused() {
        for (given, reason) in [
            ("\u{212A}im@example.com", AddressError::NotAscii),
            ("a b@example.com", AddressError::Malformed),
            ("a@b@example.com", AddressError::Malformed),
            ("@example.com", AddressError::Malformed),
            ("a@ example.com", AddressError::Malformed),
            ("a\n@example.com", AddressError::Malformed),
            (".a@example.com", AddressError::Malformed),
            ("a", AddressError::Malformed),
            ("a@localhost", AddressError::Domain(DomainNameError::SingleLabel)),
        ] {
            assert_eq!(given.parse::<Address>(), Err(reason), "{given}");
        }
        assert!(format!("{}@example.com", "a".repeat(65)).parse::<Address>().is_err());
    }
}
