//! How each product writes a response.

use super::{EMAIL_FORMAT, IdpKind, PERSISTENT_FORMAT, Signing, Style, UNSPECIFIED_FORMAT};

/// Name of an attribute, and its friendly name.
pub(super) type Name = (&'static str, Option<&'static str>);

/// What the attributes are called.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) email: Name,
    pub(super) given_name: Name,
    pub(super) surname: Name,
    pub(super) display_name: Name,
    pub(super) groups: Name,
}

/// Everything in which products differ.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a habit of its own, and a product has any of them")]
pub(super) struct Shape {
    pub(super) xml_declaration: bool,
    /// Prefix of the protocol namespace.
    pub(super) protocol: &'static str,
    /// Prefix of the assertion namespace; empty for a default namespace.
    pub(super) assertion: &'static str,
    /// Whether the Response declares everything, or each element what it uses.
    pub(super) outer_declares_all: bool,
    pub(super) pretty: bool,
    pub(super) issuer_format: bool,
    pub(super) consent: bool,
    /// Qualifiers and address, and an attribute whose value is an element.
    pub(super) qualifiers: bool,
    pub(super) session_end: bool,
    pub(super) name_id_format: &'static str,
    pub(super) name_format: Option<&'static str>,
    pub(super) value_type: Option<&'static str>,
    pub(super) names: Names,
    pub(super) signing: Signing,
    pub(super) style: Style<'static>,
}

const BASIC: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:basic");
const URI: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
const UNSPECIFIED: Option<&str> = Some("urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified");

const PLAIN: Names = Names {
    email: ("email", None),
    given_name: ("firstName", None),
    surname: ("lastName", None),
    display_name: ("displayName", None),
    groups: ("groups", None),
};

const CLAIMS: Names = Names {
    email: ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", None),
    given_name: ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", None),
    surname: ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", None),
    display_name: ("http://schemas.microsoft.com/identity/claims/displayname", None),
    groups: ("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", None),
};

const OIDS: Names = Names {
    email: ("urn:oid:0.9.2342.19200300.100.1.3", Some("mail")),
    given_name: ("urn:oid:2.5.4.42", Some("givenName")),
    surname: ("urn:oid:2.5.4.4", Some("sn")),
    display_name: ("urn:oid:2.16.840.1.113730.3.1.241", Some("displayName")),
    groups: ("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", Some("isMemberOf")),
};

const DS: Style<'static> = Style { prefix: "ds", inclusive: &[], key_info: true, wrapped: false };

const OTHER: Shape = Shape {
    xml_declaration: false,
    protocol: "samlp",
    assertion: "saml",
    outer_declares_all: true,
    pretty: false,
    issuer_format: false,
    consent: false,
    qualifiers: false,
    session_end: false,
    name_id_format: EMAIL_FORMAT,
    name_format: BASIC,
    value_type: None,
    names: PLAIN,
    signing: Signing::Both,
    style: DS,
};

const OKTA: Shape = Shape {
    xml_declaration: true,
    protocol: "saml2p",
    assertion: "saml2",
    outer_declares_all: false,
    issuer_format: true,
    name_format: UNSPECIFIED,
    value_type: Some("xs:string"),
    style: Style { inclusive: &["xs"], ..DS },
    ..OTHER
};

const ENTRA: Shape = Shape {
    assertion: "",
    outer_declares_all: false,
    name_id_format: PERSISTENT_FORMAT,
    name_format: None,
    names: CLAIMS,
    signing: Signing::Assertion,
    style: Style { prefix: "", ..DS },
    ..OTHER
};

const GOOGLE: Shape = Shape {
    xml_declaration: true,
    protocol: "saml2p",
    assertion: "saml2",
    outer_declares_all: false,
    name_format: UNSPECIFIED,
    value_type: Some("xs:anyType"),
    signing: Signing::Response,
    ..OTHER
};

const KEYCLOAK: Shape = Shape {
    session_end: true,
    value_type: Some("xs:string"),
    names: OIDS,
    name_id_format: UNSPECIFIED_FORMAT,
    style: Style { prefix: "dsig", wrapped: true, ..DS },
    ..OTHER
};

const ADFS: Shape = Shape {
    assertion: "",
    outer_declares_all: false,
    consent: true,
    name_format: None,
    names: Names { groups: ("http://schemas.xmlsoap.org/claims/Group", None), ..CLAIMS },
    signing: Signing::Assertion,
    ..OTHER
};

const PING: Shape = Shape { pretty: true, value_type: Some("xs:string"), signing: Signing::Assertion, ..OTHER };

const ONELOGIN: Shape = Shape {
    session_end: true,
    value_type: Some("xs:string"),
    names: Names {
        email: ("User.email", None),
        given_name: ("User.FirstName", None),
        surname: ("User.LastName", None),
        display_name: ("PersonImmutableID", None),
        groups: ("memberOf", None),
    },
    signing: Signing::Response,
    style: Style { inclusive: &["xs", "saml"], ..DS },
    ..OTHER
};

const SHIBBOLETH: Shape = Shape {
    xml_declaration: true,
    protocol: "saml2p",
    assertion: "saml2",
    outer_declares_all: false,
    pretty: true,
    qualifiers: true,
    name_id_format: PERSISTENT_FORMAT,
    name_format: URI,
    value_type: Some("xsd:string"),
    names: OIDS,
    style: Style { inclusive: &["xsd"], wrapped: true, ..DS },
    ..OTHER
};

const SIMPLESAMLPHP: Shape = Shape {
    session_end: true,
    value_type: Some("xs:string"),
    names: Names { email: ("mail", None), given_name: ("givenName", None), surname: ("sn", None), ..PLAIN },
    ..OTHER
};

impl Shape {
    pub(super) const fn of(product: IdpKind) -> &'static Self {
        match product {
            IdpKind::Okta => &OKTA,
            IdpKind::Entra => &ENTRA,
            IdpKind::Google => &GOOGLE,
            IdpKind::Keycloak => &KEYCLOAK,
            IdpKind::Adfs => &ADFS,
            IdpKind::Ping => &PING,
            IdpKind::OneLogin => &ONELOGIN,
            IdpKind::Shibboleth => &SHIBBOLETH,
            IdpKind::SimpleSamlPhp => &SIMPLESAMLPHP,
            IdpKind::Other => &OTHER,
        }
    }

    /// Declarations of the prefixes of `xsi:type`.
    pub(super) fn types(&self) -> String {
        let Some((prefix, _)) = self.value_type.and_then(|value_type| value_type.split_once(':')) else {
            return String::new();
        };
        format!(
            " xmlns:{prefix}=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
        )
    }
}
