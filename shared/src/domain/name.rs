//! Names of DNS domains, and which of them can be claimed.
//!
//! Being a name and being claimable are two questions: addresses exist on `gov.uk`, which is a public suffix, and what
//! was claimed yesterday must still read as a name after the suffix list has grown.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use unicode_security::{
    GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _, mixed_script::AugmentedScriptSet,
    skeleton,
};

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
    /// White space.
    #[error("a domain name has no spaces in it")]
    Space,
    /// Emoji, symbols and other characters that names of people and companies are not written with (UTS #39, section 3).
    #[error("a domain name that can be verified has letters, digits and hyphens only, no emoji and no symbols")]
    Symbols,
    /// Letters of several scripts within one label.
    #[error("a label mixes letters of different scripts, which is how look-alike names are made")]
    MixedScripts,
    /// Letters of another script that all look like Latin ones.
    #[error(
        "in letters of another script this name looks the same as a name in Latin letters: as a look-alike of \
         another domain it is refused, whether or not that one is claimed by anybody"
    )]
    LookAlike,
    /// Not a name in DNS for any other reason.
    #[error(
        "this is not a well-formed domain name: between dots it has 1 to 63 letters, digits and hyphens, and no hyphen \
         at an end"
    )]
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
    /// [`DomainNameError::Symbols`], [`DomainNameError::MixedScripts`] and [`DomainNameError::LookAlike`] for names that
    /// people can not tell from others.
    pub fn check_claimable(&self) -> Result<(), DomainNameError> {
        let unicode = self.to_unicode();
        if unicode.chars().any(|c| c != '.' && !c.identifier_allowed()) {
            return Err(DomainNameError::Symbols);
        }
        if unicode.split('.').any(mixes_scripts) {
            return Err(DomainNameError::MixedScripts);
        }
        // Under a suffix of its own script, which takes no names of another, a name is what it looks like.
        let suffix_is_ascii = unicode.rsplit('.').next().is_some_and(str::is_ascii);
        if suffix_is_ascii && unicode.split('.').any(looks_latin) {
            return Err(DomainNameError::LookAlike);
        }
        // A name under a private suffix belongs to whoever the suffix's holder says, as under a registry's.
        if psl::suffix_str(&self.0) == Some(&self.0) {
            return Err(DomainNameError::PublicSuffix);
        }
        Ok(())
    }

    /// The part of the name that is registered under a public suffix, `None` for a suffix itself.
    #[must_use]
    pub fn registrable(&self) -> Option<&str> {
        psl::domain_str(&self.0)
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
        if text.contains(char::is_whitespace) {
            return Err(DomainNameError::Space);
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

/// Whether a label mixes scripts in another way than those that are written together: Han with Hiragana and Katakana,
/// Hangul or Bopomofo, each with Latin (the "Highly Restrictive" level of UTS #39, section 5.2).
fn mixes_scripts(label: &str) -> bool {
    !matches!(
        label.detect_restriction_level(),
        RestrictionLevel::ASCIIOnly | RestrictionLevel::SingleScript | RestrictionLevel::HighlyRestrictive
    )
}

/// Whether a label without a Latin letter looks like one of Latin letters only (UTS #39, section 4: whole-script
/// confusables, by their skeletons).
///
/// The rule goes by the name alone. One that asked which names are claimed would tell strangers who is a customer, and
/// let them keep owners from their names by claims that they can not prove.
fn looks_latin(label: &str) -> bool {
    !label.is_ascii() && !label.chars().any(is_latin) && skeleton(label).all(|c| c.is_ascii())
}

fn is_latin(c: char) -> bool {
    let scripts = AugmentedScriptSet::for_char(c);
    let mut latin = AugmentedScriptSet::for_char('a');
    latin.intersect_with(scripts);
    // Digits and hyphens belong to every script.
    !scripts.is_all() && !latin.is_empty()
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
            ("exa mple.com", DomainNameError::Space),
            ("exa\u{a0}mple.com", DomainNameError::Space),
            ("under_score.example.com", DomainNameError::Malformed),
            ("xn--zzzzzz.example.com", DomainNameError::Malformed),
            ("\u{1f600}.example.com", DomainNameError::Symbols),
            ("i\u{2764}\u{fe0f}.ws", DomainNameError::Symbols),
            ("xn--e28h.example.com", DomainNameError::Symbols),
            ("a..example.com", DomainNameError::Malformed),
            ("-a.example.com", DomainNameError::Malformed),
            ("https://example.com", DomainNameError::NotAName),
            ("me@example.com", DomainNameError::NotAName),
            ("ex\u{0430}mple.com", DomainNameError::MixedScripts),
            ("\u{3b1}\u{3bc}\u{440}.com", DomainNameError::MixedScripts),
            // Cyrillic letters only, which read "apple", "scope" and, with digits, "copo1".
            ("\u{430}\u{440}\u{440}\u{4cf}\u{435}.com", DomainNameError::LookAlike),
            ("www.\u{455}\u{441}\u{43e}\u{440}\u{435}.com", DomainNameError::LookAlike),
            ("\u{441}\u{43e}\u{440}\u{43e}1.com", DomainNameError::LookAlike),
            (&"a.".repeat(150), DomainNameError::TooLong),
            (&"a".repeat(300), DomainNameError::TooLong),
        ] {
            let claim = given.parse::<DomainName>().and_then(|name| name.check_claimable());
            assert_eq!(claim, Err(reason), "{given}");
        }
    }

    #[test]
    fn names_of_every_script_can_be_claimed() {
        for given in [
            "bücher.example",
            "læge.dk",
            "cœur.fr",
            "kırmızı.com.tr",
            "例え.jp",
            "東京タワーtokyo.jp",
            "한국어.kr",
            "пример.com",
            "сосо.рф",
            "ελλάδα.gr",
            "ไทย.com",
            "مثال.com",
            "xn--bcher-kva.example",
            "123.example",
            "3com.com",
        ] {
            assert_eq!(given.parse::<DomainName>().and_then(|name| name.check_claimable()), Ok(()), "{given}");
        }
    }
}
