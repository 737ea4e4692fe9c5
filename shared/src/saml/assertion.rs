//! What an accepted assertion says: the only thing a login is decided on.

use jiff::Timestamp;

use super::trace::{CheckName, Refusal, Trace};

/// `NameID` format for e-mail addresses (SAML Core 8.3.2).
pub const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// `NameID` format for identifiers that stay (SAML Core 8.3.7).
pub const PERSISTENT_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// `NameID` format for identifiers that change with every session (SAML Core 8.3.8).
pub const TRANSIENT_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
/// `NameID` format of unknown interpretation (SAML Core 8.3.1).
pub const UNSPECIFIED_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";

/// Longest e-mail address (RFC 5321 section 4.5.3.1.3, without the angle brackets), in bytes.
const MAX_EMAIL_BYTES: usize = 254;

const EMAIL_NAMES: &[&str] = &[
    "email",
    "mail",
    "emailaddress",
    "email_address",
    "user.email",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/claims/EmailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1",
];

const GROUP_NAMES: &[&str] = &[
    "groups",
    "group",
    "memberof",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/Group",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
];

/// What Microsoft Entra ID sends in place of more than 150 groups: where to ask for them.
const GROUPS_OVERFLOW: &str = "http://schemas.microsoft.com/claims/groups.link";

const DISPLAY_NAMES: &[&str] = &[
    "displayname",
    "name",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "cn",
    "urn:oid:2.5.4.3",
];

const GIVEN_NAMES: &[&str] = &[
    "firstname",
    "givenname",
    "first_name",
    "user.firstname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    "urn:oid:2.5.4.42",
];

const SURNAMES: &[&str] = &[
    "lastname",
    "surname",
    "sn",
    "last_name",
    "user.lastname",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    "urn:oid:2.5.4.4",
];

/// The subject's identifier at the identity provider (SAML Core 2.2.3). Never transient, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameId {
    /// The identifier, without surrounding white space.
    pub value: String,
    /// Its format, if given.
    pub format: Option<String>,
    /// The realm of the identifier, if given.
    pub name_qualifier: Option<String>,
    /// The service provider it was made for, if given.
    pub sp_name_qualifier: Option<String>,
}

/// An attribute (SAML Core 2.7.3.1). Values that are not plain text are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name, often a URI.
    pub name: String,
    /// A name for people, if given.
    pub friendly_name: Option<String>,
    /// The values in order, without surrounding white space; empty ones are left out.
    pub values: Vec<String>,
}

/// An assertion that passed every check of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its id: the key of the replay marker, together with the connection.
    pub id: String,
    /// Who signed in.
    pub name_id: NameId,
    /// The identity provider's session, if given.
    pub session_index: Option<String>,
    /// When the person signed in at the identity provider.
    pub authn_instant: Timestamp,
    /// When the session at the identity provider ends, if given.
    pub session_not_on_or_after: Option<Timestamp>,
    /// From when on the assertion is refused as expired, skew included: the replay marker may be forgotten then.
    pub not_on_or_after: Timestamp,
    /// The attributes in order.
    pub attributes: Vec<Attribute>,
}

/// Where an e-mail address was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Email<'a> {
    /// The address as the identity provider wrote it.
    pub address: &'a str,
    /// The attribute's name, or `NameID`.
    pub source: &'a str,
}

impl Assertion {
    /// The person's e-mail address: from the attribute named by the connection and no other, where it names one; else
    /// from an attribute of a well-known name, else from the `NameID` if that is one. The first source that is present
    /// decides; if it does not hold exactly one address, there is none.
    #[must_use]
    pub fn email(&self, attribute: Option<&str>) -> Option<Email<'_>> {
        let found = match attribute {
            Some(name) => Some(self.find(&[name])?),
            None => self.find(EMAIL_NAMES),
        };
        if let Some(found) = found {
            let address = self.only_value(&found.name)?;
            return is_email(address).then_some(Email { address, source: &found.name });
        }
        is_email(&self.name_id.value).then_some(Email { address: &self.name_id.value, source: "NameID" })
    }

    /// As [`email`](Self::email), recorded in the trace without the address.
    ///
    /// # Errors
    /// `email_missing`.
    pub fn check_email(&self, attribute: Option<&str>, trace: &mut Trace) -> Result<Email<'_>, Refusal> {
        let expected = match attribute {
            Some(name) => format!("one e-mail address in attribute {name}"),
            None => "one e-mail address".to_owned(),
        };
        let Some(email) = self.email(attribute) else {
            return Err(trace.fail_email(attribute, &expected));
        };
        trace.pass(CheckName::Email, expected, format_args!("one in {}", email.source));
        Ok(email)
    }

    /// The groups: all values of the attribute named by the connection, else of those with a well-known name.
    #[must_use]
    pub fn groups(&self, attribute: Option<&str>) -> Vec<&str> {
        let values = |names: &[&str]| -> Vec<&str> {
            let named = self.attributes.iter().filter(|a| is_named(a, names));
            named.flat_map(|a| &a.values).map(String::as_str).collect()
        };
        attribute.map_or_else(|| values(GROUP_NAMES), |name| values(&[name]))
    }

    /// How many groups the assertion names, recorded in the trace without their names, and how to send some where they are
    /// `needed` and there are none.
    pub fn note_groups(&self, attribute: Option<&str>, needed: bool, trace: &mut Trace) {
        let count = self.groups(attribute).len();
        let expected = if needed { "groups" } else { "groups, where an organization maps them to roles" };
        let found = if count == 0 { "none".to_owned() } else { count.to_string() };
        trace.pass(CheckName::Groups, expected, found);
        if needed && count == 0 {
            trace.advise_groups(self.find(&[GROUPS_OVERFLOW]).is_some());
        }
    }

    /// A name to show, if the assertion has one.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        let first = |names: &[&str]| self.find(names).and_then(|a| a.values.first()).cloned();
        first(DISPLAY_NAMES).or_else(|| match (first(GIVEN_NAMES), first(SURNAMES)) {
            (Some(given), Some(surname)) => Some(format!("{given} {surname}")),
            (given, surname) => given.or(surname),
        })
    }

    /// The first attribute with one of these names, in the order of the names.
    fn find(&self, names: &[&str]) -> Option<&Attribute> {
        names.iter().find_map(|name| self.attributes.iter().find(|a| is_named(a, &[name]) && !a.values.is_empty()))
    }

    /// The one value of all attributes of this name.
    fn only_value(&self, name: &str) -> Option<&str> {
        let mut values = self.attributes.iter().filter(|a| is_named(a, &[name])).flat_map(|a| &a.values);
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }
}

/// Names are compared without case, friendly names too: identity providers write `Email`, `email` and `mail` alike.
fn is_named(attribute: &Attribute, names: &[&str]) -> bool {
    let friendly = attribute.friendly_name.as_deref();
    names.iter().any(|name| {
        attribute.name.eq_ignore_ascii_case(name)
            || friendly.is_some_and(|friendly| friendly.eq_ignore_ascii_case(name))
    })
}

/// One address in the plain form that every mail system takes.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    text.len() <= MAX_EMAIL_BYTES
        && !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c))
        && !domain.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::IdpKind;
    use crate::saml::Reason;

    fn assertion(name_id: &str, attributes: &[(&str, Option<&str>, &[&str])]) -> Assertion {
        Assertion {
            id: "_a".to_owned(),
            name_id: NameId { value: name_id.to_owned(), format: None, name_qualifier: None, sp_name_qualifier: None },
            session_index: None,
            authn_instant: Timestamp::UNIX_EPOCH,
            session_not_on_or_after: None,
            not_on_or_after: Timestamp::UNIX_EPOCH,
            attributes: attributes
                .iter()
                .map(|(name, friendly, values)| Attribute {
                    name: (*name).to_owned(),
                    friendly_name: friendly.map(str::to_owned),
                    values: values.iter().map(|value| (*value).to_owned()).collect(),
                })
                .collect(),
        }
    }

    fn address<'a>(assertion: &'a Assertion, attribute: Option<&str>) -> Option<&'a str> {
        assertion.email(attribute).map(|email| email.address)
    }

    #[test]
    fn a_named_attribute_alone_counts_and_known_ones_win_over_the_name_id() {
        let a = assertion("n@a.com", &[("upn", None, &["u@a.com"]), ("Email", None, &["e@a.com"])]);
        assert_eq!(address(&a, Some("upn")), Some("u@a.com"));
        assert_eq!(address(&a, Some("absent")), None, "what people can change themselves does not take its place");
        assert_eq!(address(&a, None), Some("e@a.com"));
        assert_eq!(address(&assertion("n@a.com", &[]), None), Some("n@a.com"));
        assert_eq!(address(&assertion("00u1", &[]), None), None);
    }

    #[test]
    fn several_or_malformed_addresses_are_none() {
        assert_eq!(address(&assertion("n@a.com", &[("email", None, &["a@a.com", "b@a.com"])]), None), None);
        for other in ["email", "Email"] {
            let split = assertion("n@a.com", &[("email", None, &["a@a.com"]), (other, None, &["b@a.com"])]);
            assert_eq!(address(&split, None), None, "{other}");
        }
        for bad in ["a@b@c.com", "a b@c.com", "@c.com", "a@", "a@localhost", "a@c.com,b@c.com", "<a@c.com>", "a@.com"] {
            assert_eq!(address(&assertion("x", &[("email", None, &[bad])]), None), None, "{bad}");
        }
    }

    #[test]
    fn the_plain_form_of_an_address_is_exact() {
        let longest = format!("a@{}.com", "b".repeat(MAX_EMAIL_BYTES - 6));
        assert_eq!(address(&assertion(&longest, &[]), None), Some(longest.as_str()));
        for bad in [&format!("{longest}m"), "a@c.com.", "a\u{7f}@c.com", "a\u{9b}b@c.com", "a@.c.com", "a@c.com@"] {
            assert_eq!(address(&assertion(bad, &[]), None), None, "{bad}");
        }
        let repeated = [("email", None, &["a@a.com", "a@a.com"][..]), ("EMAIL", None, &["a@a.com"])];
        assert_eq!(address(&assertion("x", &repeated), None), Some("a@a.com"), "the same address twice is one");
        let empty = [("email", None, &[][..]), ("mail", None, &["m@a.com"])];
        assert_eq!(address(&assertion("x", &empty), None), Some("m@a.com"), "an attribute without a value is none");
        let friendly = [("urn:x:1", Some("Mail"), &["m@a.com"][..])];
        assert_eq!(address(&assertion("x", &friendly), None), Some("m@a.com"));
    }

    #[test]
    fn the_first_value_is_the_name() {
        let a = assertion("x", &[("displayName", None, &["Ada", "Countess"])]);
        assert_eq!(a.display_name().as_deref(), Some("Ada"));
        for name in ["givenName", "sn"] {
            assert_eq!(assertion("x", &[(name, None, &["Ada"])]).display_name().as_deref(), Some("Ada"));
        }
        assert_eq!(assertion("x", &[]).display_name(), None);
    }

    #[test]
    fn groups_and_names_come_from_known_attributes() {
        let a = assertion(
            "x",
            &[
                ("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", None, &["g1", "g2"]),
                ("urn:oid:2.5.4.42", Some("givenName"), &["Ada"]),
                ("urn:oid:2.5.4.4", Some("sn"), &["Lovelace"]),
                ("roles", None, &["r1"]),
            ],
        );
        assert_eq!(a.groups(None), ["g1", "g2"]);
        assert_eq!(a.groups(Some("roles")), ["r1"]);
        assert_eq!(a.display_name().as_deref(), Some("Ada Lovelace"));
    }

    #[test]
    fn missing_groups_are_noted_and_refuse_nobody() {
        let noted = |attributes: &[(&str, Option<&str>, &[&str])], needed| {
            let mut trace = Trace::new(IdpKind::Entra);
            assertion("x", attributes).note_groups(None, needed, &mut trace);
            assert!(trace.failed().is_none());
            trace.checks().iter().find(|check| check.name == CheckName::Groups).unwrap().clone()
        };
        let some = noted(&[("groups", None, &["a", "b"])], true);
        assert_eq!((some.found.as_deref(), some.advice), (Some("2"), None));
        assert_eq!(noted(&[], false).advice, None, "nobody maps groups");
        assert!(noted(&[], true).advice.unwrap().contains("add a group claim"));
        assert!(noted(&[(GROUPS_OVERFLOW, None, &["https://x"])], true).advice.unwrap().contains("too many"));
    }

    #[test]
    fn the_trace_names_the_source_and_not_the_address() {
        let mut trace = Trace::new(IdpKind::Other);
        let a = assertion("n@a.com", &[]);
        a.check_email(None, &mut trace).unwrap();
        let text = serde_json::to_string(&trace).unwrap();
        assert!(text.contains("one in NameID") && !text.contains("n@a.com"), "{text}");
        let refusal = assertion("x", &[]).check_email(Some("mail"), &mut trace).unwrap_err();
        assert_eq!(refusal.reason(), Reason::EmailMissing);
        let advised = |trace: &Trace| trace.failed().unwrap().advice.clone().unwrap();
        assert!(advised(&trace).contains("send the attribute named here"), "{}", advised(&trace));
        let mut trace = Trace::new(IdpKind::Other);
        let _ = assertion("x", &[]).check_email(None, &mut trace).unwrap_err();
        assert!(!advised(&trace).contains("named here"), "{}", advised(&trace));
    }
}
