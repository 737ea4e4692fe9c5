//! The settings that matter to us, by the names that each product's own pages give them.

use crate::saml::idp::IdpKind;

/// How one product names its settings.
pub(super) struct Settings {
    pub(super) product: &'static str,
    pub(super) entity_id: &'static str,
    pub(super) acs_url: &'static str,
    pub(super) name_id: &'static str,
    /// Values of it that last.
    pub(super) lasting_name_ids: &'static str,
    pub(super) signing: &'static str,
    pub(super) algorithm: &'static str,
    pub(super) certificate: &'static str,
    /// Where the application's own metadata is.
    pub(super) metadata: &'static str,
    pub(super) attributes: &'static str,
    /// How to send the e-mail address, to be put behind the product's name and a comma.
    pub(super) send_email: &'static str,
    /// How to send groups, likewise.
    pub(super) send_groups: &'static str,
    pub(super) assignment: &'static str,
    pub(super) encryption: &'static str,
}

pub(super) const fn settings(idp: IdpKind) -> &'static Settings {
    match idp {
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

const OTHER: Settings = Settings {
    product: "the identity provider",
    entity_id: "audience (service provider entity ID)",
    acs_url: "assertion consumer service (ACS) URL",
    name_id: "NameID format",
    lasting_name_ids: "persistent or the e-mail address",
    signing: "signing of the response or the assertion",
    algorithm: "signature and digest algorithm",
    certificate: "signing certificate",
    metadata: "the metadata",
    attributes: "attribute statements",
    send_email: "send an attribute named email with the person's one e-mail address under attribute statements",
    send_groups: "send an attribute named groups with the person's groups under attribute statements",
    assignment: "assignment of people to the application",
    encryption: "assertion encryption",
};

const OKTA: Settings = Settings {
    product: "Okta",
    entity_id: "Audience URI (SP Entity ID)",
    acs_url: "Single sign-on URL",
    name_id: "Name ID format",
    lasting_name_ids: "Persistent or EmailAddress",
    signing: "Response and Assertion Signature",
    algorithm: "Signature Algorithm and Digest Algorithm",
    certificate: "SAML Signing Certificates (Sign On tab)",
    metadata: "the Metadata URL (Sign On tab)",
    attributes: "Attribute Statements and Group Attribute Statements",
    send_email: "add an attribute named email with the value user.email under Attribute Statements",
    send_groups: "add an attribute named groups under Group Attribute Statements, with the filter Starts with and our prefix",
    assignment: "Assignments tab",
    encryption: "Assertion Encryption and its Encryption Certificate",
};

const ENTRA: Settings = Settings {
    product: "Microsoft Entra ID",
    entity_id: "Identifier (Entity ID)",
    acs_url: "Reply URL (Assertion Consumer Service URL)",
    name_id: "Unique User Identifier (Name ID)",
    lasting_name_ids: "the Name identifier format Persistent or Email address",
    signing: "Signing Option",
    algorithm: "Signing Algorithm",
    certificate: "SAML Certificates, Token signing certificate",
    metadata: "the App Federation Metadata Url (SAML Certificates)",
    attributes: "Attributes & Claims",
    send_email: "give the claim emailaddress under Attributes & Claims a source attribute that holds the address: user.mail is \
                 empty for people without a mailbox, who often have it in user.userprincipalname",
    send_groups: "add a group claim under Attributes & Claims, with Groups assigned to the application, of which there can be 150",
    assignment: "Users and groups",
    encryption: "Token encryption",
};

const GOOGLE: Settings = Settings {
    product: "Google Workspace",
    entity_id: "Entity ID",
    acs_url: "ACS URL",
    name_id: "Name ID format",
    lasting_name_ids: "PERSISTENT or EMAIL",
    signing: "Signed response",
    algorithm: "certificate algorithm",
    certificate: "Certificate (SAML app details)",
    metadata: "the metadata file (Download metadata)",
    attributes: "Attribute mapping and Group membership",
    send_email: "map Primary email to the app attribute email under Attribute mapping",
    send_groups: "choose the groups under Group membership and name their app attribute groups",
    assignment: "User access",
    encryption: "assertion encryption",
};

const KEYCLOAK: Settings = Settings {
    product: "Keycloak",
    entity_id: "Client ID",
    acs_url: "Master SAML Processing URL and Valid redirect URIs",
    name_id: "Name ID format",
    lasting_name_ids: "persistent or email, with Force name ID format",
    signing: "Sign documents and Sign assertions",
    algorithm: "Signature algorithm",
    certificate: "realm key (Realm settings, Keys)",
    metadata: "the SAML 2.0 Identity Provider Metadata (Realm settings)",
    attributes: "client scope mappers",
    send_email: "add a User Property mapper of the property email with the SAML attribute name email to the client's scope",
    send_groups: "add a Group list mapper with the attribute name groups and without Full group path to the client's scope",
    assignment: "client access and authentication flow",
    encryption: "Encrypt assertions and its key",
};

const ADFS: Settings = Settings {
    product: "AD FS",
    entity_id: "Relying party trust identifier",
    acs_url: "SAML Assertion Consumer Endpoint",
    name_id: "Name ID claim rule",
    lasting_name_ids: "the outgoing format Persistent Identifier or Email",
    signing: "SamlResponseSignature",
    algorithm: "Secure hash algorithm (Advanced tab)",
    certificate: "Token-signing certificate",
    metadata: "FederationMetadata.xml",
    attributes: "Claim Issuance Policy",
    send_email: "add a rule to the Claim Issuance Policy that sends E-Mail-Addresses as E-Mail Address",
    send_groups: "add a rule to the Claim Issuance Policy that sends Token-Groups - Unqualified Names as Group",
    assignment: "Access control policy",
    encryption: "Encryption tab of the relying party trust",
};

const PING: Settings = Settings {
    product: "Ping",
    entity_id: "Entity ID",
    acs_url: "ACS URLs",
    name_id: "Subject NameID Format",
    lasting_name_ids: "persistent or emailAddress",
    signing: "Sign Assertion & Response",
    algorithm: "Signing Algorithm",
    certificate: "Signing Key",
    metadata: "the IDP Metadata URL",
    attributes: "Attribute Mappings",
    send_email: "map email to Email Address under Attribute Mappings",
    send_groups: "map groups to Group Names under Attribute Mappings",
    assignment: "Access tab",
    encryption: "Enable Encryption",
};

const ONELOGIN: Settings = Settings {
    product: "OneLogin",
    entity_id: "Audience (EntityID)",
    acs_url: "ACS (Consumer) URL and Recipient",
    name_id: "SAML nameID format",
    lasting_name_ids: "Persistent or Email",
    signing: "SAML signature element",
    algorithm: "SAML Signature Algorithm",
    certificate: "X.509 Certificate (SSO tab)",
    metadata: "the SAML Metadata (More Actions)",
    attributes: "Parameters",
    send_email: "add the field email with the value Email under Parameters, with Include in SAML assertion",
    send_groups: "add the field groups with the value User Roles under Parameters, with Include in SAML assertion",
    assignment: "Access tab",
    encryption: "Encrypt assertion",
};

const SHIBBOLETH: Settings = Settings {
    product: "Shibboleth",
    entity_id: "entityID in our metadata as loaded in metadata-providers.xml",
    acs_url: "AssertionConsumerService in our metadata as loaded in metadata-providers.xml",
    name_id: "saml-nameid.xml generators",
    lasting_name_ids: "a persistent generator or one of the e-mail address",
    signing: "signResponses and signAssertions in relying-party.xml",
    algorithm: "signatureAlgorithms in relying-party.xml",
    certificate: "idp.signing.cert",
    metadata: "idp-metadata.xml",
    attributes: "attribute-filter.xml",
    send_email: "release mail to us in attribute-filter.xml",
    send_groups: "release isMemberOf to us in attribute-filter.xml",
    assignment: "context-check interceptor",
    encryption: "encryptAssertions in relying-party.xml",
};

const SIMPLESAMLPHP: Settings = Settings {
    product: "SimpleSAMLphp",
    entity_id: "entity id key in saml20-sp-remote.php",
    acs_url: "AssertionConsumerService in saml20-sp-remote.php",
    name_id: "NameIDFormat in saml20-sp-remote.php",
    lasting_name_ids: "persistent or emailAddress",
    signing: "saml20.sign.response and saml20.sign.assertion",
    algorithm: "signature.algorithm",
    certificate: "certificate in saml20-idp-hosted.php",
    metadata: "saml2/idp/metadata.php",
    attributes: "authproc filters",
    send_email: "let an authproc filter send an attribute named mail with the person's one address",
    send_groups: "let an authproc filter send an attribute named groups",
    assignment: "authorize:Authorize filter",
    encryption: "assertion.encryption",
};
