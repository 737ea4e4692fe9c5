//! Responses as the identity providers in use write them: the same sign-in in the prefixes, signatures, attribute names
//! and quirks of each product.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, Unit};
use vestibule::saml::{EMAIL_FORMAT, IdpKind, PERSISTENT_FORMAT, SignError, SigningKey, Style, UNSPECIFIED_FORMAT};

mod encrypt;
mod shape;

pub use encrypt::{Cipher, EncryptError, Encryption, KeyPlace, Transport};
use shape::Shape;

/// For how long a response is good.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// How long a session at the identity provider lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(8);

/// Who signs in, where and when. Every value is escaped where it is written.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// Entity id of the identity provider.
    pub idp_entity_id: &'a str,
    /// Entity id of the service provider.
    pub sp_entity_id: &'a str,
    /// Assertion consumer service to answer to.
    pub acs_url: &'a str,
    /// The request that is answered; none for a sign-in that starts here.
    pub in_response_to: Option<&'a str>,
    /// The person's identifier.
    pub name_id: &'a str,
    /// Its format; the product's own if none is given.
    pub name_id_format: Option<&'a str>,
    /// E-mail address.
    pub email: &'a str,
    /// First name.
    pub given_name: &'a str,
    /// Last name.
    pub surname: &'a str,
    /// Groups.
    pub groups: &'a [&'a str],
    /// The time.
    pub now: Timestamp,
    /// 128 random bits, from which the ids are made.
    pub random: [u8; 16],
}

/// Which parts carry a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The Response only.
    Response,
    /// The Assertion only.
    Assertion,
    /// Both, the Assertion first.
    Both,
}

/// A response that is not signed yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The document.
    pub xml: String,
    /// Id of the Response.
    pub response_id: String,
    /// Id of the Assertion.
    pub assertion_id: String,
    /// What to sign.
    pub signing: Signing,
    /// How signatures are written.
    pub style: Style<'static>,
    /// Prefix of the assertion's elements, without its colon; empty for a default namespace.
    pub assertion_prefix: &'static str,
}

impl Draft {
    /// A response as `product` writes it.
    #[must_use]
    pub fn new(product: IdpKind, sign_in: &SignIn<'_>) -> Self {
        Self::of(Shape::of(product), sign_in)
    }

    /// As [`new`](Self::new), but the assertion declares its own namespaces, as it must to be encrypted.
    #[must_use]
    pub fn self_contained(product: IdpKind, sign_in: &SignIn<'_>) -> Self {
        Self::of(&Shape { outer_declares_all: false, ..*Shape::of(product) }, sign_in)
    }

    fn of(shape: &Shape, sign_in: &SignIn<'_>) -> Self {
        let digits = sign_in.random.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        let ids =
            Ids { response: format!("_r{digits}"), assertion: format!("_a{digits}"), session: format!("_s{digits}") };
        let xml = Writing { shape, sign_in, ids: &ids }.response();
        Self {
            xml: if shape.pretty { pretty(&xml) } else { xml },
            response_id: ids.response,
            assertion_id: ids.assertion,
            signing: shape.signing,
            style: shape.style,
            assertion_prefix: shape.assertion,
        }
    }

    /// The document with the assertion signed if it is to be, then encrypted, then the Response signed if it is to be.
    ///
    /// # Errors
    /// If the element to sign or to encrypt is not there, or the cryptography fails.
    pub fn sign_and_encrypt(&self, key: &SigningKey, encryption: &Encryption<'_>) -> Result<String, EncryptError> {
        let inner = match self.signing {
            Signing::Response => self.xml.clone(),
            Signing::Assertion | Signing::Both => key.sign_element(&self.xml, &self.assertion_id, self.style)?,
        };
        let encrypted = encryption.apply(&inner, self.assertion_prefix)?;
        match self.signing {
            Signing::Assertion => Ok(encrypted),
            Signing::Response | Signing::Both => Ok(key.sign_element(&encrypted, &self.response_id, self.style)?),
        }
    }

    /// The signed document.
    ///
    /// # Errors
    /// If the element to sign is not there, or signing fails.
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        let inner = match self.signing {
            Signing::Response => self.xml.clone(),
            Signing::Assertion | Signing::Both => key.sign_element(&self.xml, &self.assertion_id, self.style)?,
        };
        match self.signing {
            Signing::Assertion => Ok(inner),
            Signing::Response | Signing::Both => key.sign_element(&inner, &self.response_id, self.style),
        }
    }
}

struct Ids {
    response: String,
    assertion: String,
    session: String,
}

struct Writing<'a> {
    shape: &'a Shape,
    sign_in: &'a SignIn<'a>,
    ids: &'a Ids,
}

impl Writing<'_> {
    fn response(&self) -> String {
        let Self { shape, sign_in, ids } = self;
        let p = prefixed(shape.protocol);
        let xmlns = declaration(shape.protocol, "urn:oasis:names:tc:SAML:2.0:protocol");
        let answers = sign_in.in_response_to.map(|id| attribute("InResponseTo", id)).unwrap_or_default();
        let mut out =
            String::from(if shape.xml_declaration { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" } else { "" });
        let _ = write!(
            out,
            "<{p}Response{xmlns}{}{}{} Version=\"2.0\"{}{answers}{}>{}<{p}Status><{p}StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></{p}Status>{}</{p}Response>",
            if shape.outer_declares_all { declaration(shape.assertion, ASSERTION) } else { String::new() },
            if shape.outer_declares_all { shape.types() } else { String::new() },
            attribute("ID", &ids.response),
            attribute("IssueInstant", &instant(sign_in.now)),
            attribute("Destination", sign_in.acs_url)
                + if shape.consent { " Consent=\"urn:oasis:names:tc:SAML:2.0:consent:unspecified\"" } else { "" },
            self.issuer(),
            self.assertion(),
        );
        out
    }

    /// The declaration stands on the element itself where the outer one has none.
    fn issuer(&self) -> String {
        let a = prefixed(self.shape.assertion);
        let xmlns = self.own_declaration();
        let format = if self.shape.issuer_format {
            attribute("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")
        } else {
            String::new()
        };
        format!("<{a}Issuer{xmlns}{format}>{}</{a}Issuer>", escape(self.sign_in.idp_entity_id))
    }

    fn own_declaration(&self) -> String {
        if self.shape.outer_declares_all { String::new() } else { declaration(self.shape.assertion, ASSERTION) }
    }

    fn assertion(&self) -> String {
        let Self { shape, sign_in, ids } = self;
        let a = prefixed(shape.assertion);
        format!(
            "<{a}Assertion{}{}{} Version=\"2.0\">{}{}{}{}{}</{a}Assertion>",
            self.own_declaration(),
            attribute("ID", &ids.assertion),
            attribute("IssueInstant", &instant(sign_in.now)),
            self.issuer(),
            self.subject(),
            self.conditions(),
            self.authn_statement(),
            self.attribute_statement(),
        )
    }

    fn subject(&self) -> String {
        let Self { shape, sign_in, .. } = self;
        let a = prefixed(shape.assertion);
        let format = sign_in.name_id_format.unwrap_or(shape.name_id_format);
        let qualifiers = if shape.qualifiers {
            attribute("NameQualifier", sign_in.idp_entity_id) + &attribute("SPNameQualifier", sign_in.sp_entity_id)
        } else {
            String::new()
        };
        let answers = sign_in.in_response_to.map(|id| attribute("InResponseTo", id)).unwrap_or_default();
        let address = if shape.qualifiers { attribute("Address", "192.0.2.1") } else { String::new() };
        format!(
            "<{a}Subject><{a}NameID{}{qualifiers}>{}</{a}NameID><{a}SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><{a}SubjectConfirmationData{address}{answers}{}{}/></{a}SubjectConfirmation></{a}Subject>",
            attribute("Format", format),
            escape(sign_in.name_id),
            attribute("NotOnOrAfter", &instant(later(sign_in.now, LIFETIME))),
            attribute("Recipient", sign_in.acs_url),
        )
    }

    fn conditions(&self) -> String {
        let Self { shape, sign_in, .. } = self;
        let a = prefixed(shape.assertion);
        format!(
            "<{a}Conditions{}{}><{a}AudienceRestriction><{a}Audience>{}</{a}Audience></{a}AudienceRestriction></{a}Conditions>",
            attribute("NotBefore", &instant(later(sign_in.now, -LIFETIME))),
            attribute("NotOnOrAfter", &instant(later(sign_in.now, LIFETIME))),
            escape(sign_in.sp_entity_id),
        )
    }

    fn authn_statement(&self) -> String {
        let Self { shape, sign_in, ids } = self;
        let a = prefixed(shape.assertion);
        let end = if shape.session_end {
            attribute("SessionNotOnOrAfter", &instant(later(sign_in.now, SESSION)))
        } else {
            String::new()
        };
        format!(
            "<{a}AuthnStatement{}{}{end}><{a}AuthnContext><{a}AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</{a}AuthnContextClassRef></{a}AuthnContext></{a}AuthnStatement>",
            attribute("AuthnInstant", &instant(sign_in.now)),
            attribute("SessionIndex", &ids.session),
        )
    }

    fn attribute_statement(&self) -> String {
        let Self { shape, sign_in, .. } = self;
        let a = prefixed(shape.assertion);
        let names = &shape.names;
        let display = format!("{} {}", sign_in.given_name, sign_in.surname);
        let mut out = format!("<{a}AttributeStatement>");
        for (name, value) in [
            (names.email, sign_in.email),
            (names.given_name, sign_in.given_name),
            (names.surname, sign_in.surname),
            (names.display_name, &display),
        ] {
            out.push_str(&self.attribute_element(name, &[value]));
        }
        if !sign_in.groups.is_empty() {
            out.push_str(&self.attribute_element(names.groups, sign_in.groups));
        }
        if shape.qualifiers {
            let _ = write!(
                out,
                "<{a}Attribute Name=\"urn:oid:1.3.6.1.4.1.5923.1.1.1.10\" FriendlyName=\"eduPersonTargetedID\"><{a}AttributeValue><{a}NameID>{}</{a}NameID></{a}AttributeValue></{a}Attribute>",
                escape(sign_in.name_id)
            );
        }
        let _ = write!(out, "</{a}AttributeStatement>");
        out
    }

    fn attribute_element(&self, (name, friendly): shape::Name, values: &[&str]) -> String {
        let shape = self.shape;
        let a = prefixed(shape.assertion);
        let friendly = friendly.map(|name| attribute("FriendlyName", name)).unwrap_or_default();
        let format = shape.name_format.map(|format| attribute("NameFormat", format)).unwrap_or_default();
        let typed = match shape.value_type {
            Some(_) if shape.outer_declares_all => attribute("xsi:type", shape.value_type.unwrap_or_default()),
            Some(value_type) => shape.types() + &attribute("xsi:type", value_type),
            None => String::new(),
        };
        let mut out = format!("<{a}Attribute{}{friendly}{format}>", attribute("Name", name));
        for value in values {
            let _ = write!(out, "<{a}AttributeValue{typed}>{}</{a}AttributeValue>", escape(value));
        }
        let _ = write!(out, "</{a}Attribute>");
        out
    }
}

const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// Milliseconds, as most products write them.
fn instant(at: Timestamp) -> String {
    let at = at.round(Unit::Millisecond).unwrap_or(at);
    format!("{at:.3}")
}

fn prefixed(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{prefix}:") }
}

fn declaration(prefix: &str, namespace: &str) -> String {
    if prefix.is_empty() { attribute("xmlns", namespace) } else { attribute(&format!("xmlns:{prefix}"), namespace) }
}

fn attribute(name: &str, value: &str) -> String {
    format!(" {name}=\"{}\"", escape(value))
}

/// For text and for attribute values in double quotes.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

/// Every element on a line of its own.
fn pretty(xml: &str) -> String {
    xml.replace("><", ">\n  <")
}

#[cfg(test)]
mod tests;
