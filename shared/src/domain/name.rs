//! Names of DNS domains, and which of them can be claimed.
//!
//! Being a name and being claimable are two questions: addresses exist on `gov.uk`, which is a public suffix, and what
//! was claimed yesterday must still read as a name after the suffix list has grown.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Characters in a domain name (RFC 1035, section 2.3.4, in its text form).
const MAX_CHARACTERS: usize = 253;

/// A domain name of at least two labels, in lower case and as A-labels (RFC 5890), without the trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DomainName(String);

/// Why a text is not a domain name, or a name not one that can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    /// Nothing was given.
    #[error("enter a domain name, such as example.com")]
    Empty,
    /// More than 253 characters.
    #[error("a domain name has at most 253 characters")]
    TooLong,
    /// An IP address.
    #[error("an IP address is not a domain name; enter a name such as example.com")]
    IpAddress,
    /// A wildcard.
    #[error("a wildcard covers names that were not proven; claim each domain and subdomain by its own name")]
    Wildcard,
    /// A URL or an e-mail address.
    #[error("enter the domain name alone, without a scheme, a path or an @")]
    NotAName,
    /// A single label.
    #[error("a single label, such as localhost, is not a domain that can be verified")]
    SingleLabel,
    /// A public suffix.
    #[error("this is a public suffix, under which anyone can register names; enter a domain of your own below it")]
    PublicSuffix,
    /// Letters of several scripts within one label.
    #[error("a label mixes letters of different scripts, which is how look-alike names are made")]
    MixedScripts,
    /// Not a name in DNS for any other reason.
    #[error("this is not a well-formed domain name")]
    Malformed,
}

impl DomainName {
    /// The name as A-labels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a customer can claim the name.
    ///
    /// # Errors
    /// [`DomainNameError::PublicSuffix`] for a suffix of either division of the public suffix list, and
    /// [`DomainNameError::MixedScripts`].
    pub fn check_claimable(&self) -> Result<(), DomainNameError> {
        if self.to_unicode().split('.').any(mixes_scripts) {
            return Err(DomainNameError::MixedScripts);
        }
        // A name under a private suffix belongs to whoever the suffix's holder says, as under a registry's.
        if psl::suffix_str(&self.0) == Some(&self.0) {
            return Err(DomainNameError::PublicSuffix);
        }
        Ok(())
    }

    /// The name as people of its script read it (U-labels).
    #[must_use]
    pub fn to_unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainNameError::Empty);
        }
        if text.len() > MAX_CHARACTERS * 4 {
            return Err(DomainNameError::TooLong);
        }
        if text.contains('*') {
            return Err(DomainNameError::Wildcard);
        }
        if text.contains("://") || text.contains(['/', '@']) {
            return Err(DomainNameError::NotAName);
        }
        if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
            return Err(DomainNameError::IpAddress);
        }
        // STD 3 rules, hyphen checks and lengths as UTS #46 asks of registered names.
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| {
            if text.chars().count() > MAX_CHARACTERS { DomainNameError::TooLong } else { DomainNameError::Malformed }
        })?;
        let mut labels = ascii.split('.');
        if labels.clone().any(str::is_empty) {
            return Err(DomainNameError::Malformed);
        }
        if labels.clone().count() < 2 {
            return Err(DomainNameError::SingleLabel);
        }
        // A last label of digits, or of digits in hexadecimal, is how the WHATWG URL standard tells an address.
        if labels.next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")) {
            return Err(DomainNameError::IpAddress);
        }
        Ok(Self(ascii))
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Whether a label mixes Latin, Greek, Cyrillic or Armenian letters, whose shapes are alike.
///
/// Scripts that are written together (Han with Hiragana, Katakana, Hangul or Bopomofo, each with Latin) may mix, as in
/// the "Highly Restrictive" level of UTS #39, section 5.2; the four named here never do.
fn mixes_scripts(label: &str) -> bool {
    let mut seen = [false; 4];
    for c in label.chars() {
        let script = match u32::from(c) {
            0x41..=0x5A | 0x61..=0x7A | 0xC0..=0x24F | 0x1E00..=0x1EFF => 0,
            0x370..=0x3FF | 0x1F00..=0x1FFF => 1,
            0x400..=0x52F | 0x2DE0..=0x2DFF | 0xA640..=0xA69F => 2,
            0x530..=0x58F => 3,
            _ => continue,
        };
        if let Some(flag) = seen.get_mut(script) {
            *flag = true;
        }
    }
    seen.iter().filter(|&&seen| seen).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        for (given, stored) in [
            ("Example.COM", "example.com"),
            (" example.com. ", "example.com"),
            ("sub.example.co.uk", "sub.example.co.uk"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("例え.jp", "xn--r8jz45g.jp"),
        ] {
            assert_eq!(given.parse::<DomainName>().unwrap().as_str(), stored, "{given}");
        }
        assert_eq!("xn--bcher-kva.example".parse::<DomainName>().unwrap().to_unicode(), "bücher.example");
    }

    #[test]
    fn each_bad_name_is_refused_for_its_reason() {
        for (given, reason) in [
            ("", DomainNameError::Empty),
            (".", DomainNameError::Empty),
            ("co.uk", DomainNameError::PublicSuffix),
            ("github.io", DomainNameError::PublicSuffix),
            ("localhost", DomainNameError::SingleLabel),
            ("1.2.3.4", DomainNameError::IpAddress),
            ("[::1]", DomainNameError::IpAddress),
            ("0x7f.1", DomainNameError::IpAddress),
            ("*.example.com", DomainNameError::Wildcard),
            ("exa mple.com", DomainNameError::Malformed),
            ("a..example.com", DomainNameError::Malformed),
            ("-a.example.com", DomainNameError::Malformed),
            ("https://example.com", DomainNameError::NotAName),
            ("me@example.com", DomainNameError::NotAName),
            ("ex\u{0430}mple.com", DomainNameError::MixedScripts),
            (&"a.".repeat(150), DomainNameError::TooLong),
            (&"a".repeat(300), DomainNameError::TooLong),
        ] {
            let claim = given.parse::<DomainName>().and_then(|name| name.check_claimable());
            assert_eq!(claim, Err(reason), "{given}");
        }
    }
}
