//! What to tell the administrator: the setting to change, named as their identity provider names it.

use super::idp::IdpKind;
use super::reason::Reason;

/// How one product names the settings that matter to us.
pub(super) struct Settings {
    pub(super) product: &'static str,
    entity_id: &'static str,
    acs_url: &'static str,
    name_id: &'static str,
    signing: &'static str,
    algorithm: &'static str,
    certificate: &'static str,
    attributes: &'static str,
    assignment: &'static str,
    encryption: &'static str,
}

const OTHER: Settings = Settings {
    product: "the identity provider",
    entity_id: "audience (service provider entity ID)",
    acs_url: "assertion consumer service (ACS) URL",
    name_id: "NameID format",
    signing: "signing of the response or the assertion",
    algorithm: "signature and digest algorithm",
    certificate: "signing certificate",
    attributes: "attribute statements",
    assignment: "assignment of people to the application",
    encryption: "assertion encryption",
};

pub(super) fn settings(idp: IdpKind) -> Settings {
    match idp {
        IdpKind::Okta => Settings {
            product: "Okta",
            entity_id: "Audience URI (SP Entity ID)",
            acs_url: "Single sign-on URL",
            name_id: "Name ID format",
            signing: "Response and Assertion Signature",
            algorithm: "Signature Algorithm and Digest Algorithm",
            certificate: "SAML Signing Certificates (Sign On tab)",
            attributes: "Attribute Statements and Group Attribute Statements",
            assignment: "Assignments tab",
            encryption: "Assertion Encryption and its certificate",
        },
        IdpKind::Entra => Settings {
            product: "Microsoft Entra ID",
            entity_id: "Identifier (Entity ID)",
            acs_url: "Reply URL (Assertion Consumer Service URL)",
            name_id: "Unique User Identifier (Name ID)",
            signing: "Signing Option",
            algorithm: "Signing Algorithm",
            certificate: "SAML Certificates, Token signing certificate",
            attributes: "Attributes & Claims",
            assignment: "Users and groups",
            encryption: "Token encryption",
        },
        IdpKind::Google => Settings {
            product: "Google Workspace",
            entity_id: "Entity ID",
            acs_url: "ACS URL",
            name_id: "Name ID format",
            signing: "Signed response",
            algorithm: "certificate algorithm",
            certificate: "Certificate (SAML app details)",
            attributes: "Attribute mapping and Group membership",
            assignment: "User access",
            encryption: "assertion encryption",
        },
        IdpKind::Keycloak => Settings {
            product: "Keycloak",
            entity_id: "Client ID",
            acs_url: "Master SAML Processing URL and Valid redirect URIs",
            name_id: "Name ID format",
            signing: "Sign documents and Sign assertions",
            algorithm: "Signature algorithm",
            certificate: "realm key (Realm settings, Keys)",
            attributes: "client scope mappers",
            assignment: "client access and authentication flow",
            encryption: "Encrypt assertions and its key",
        },
        IdpKind::Adfs => Settings {
            product: "AD FS",
            entity_id: "Relying party trust identifier",
            acs_url: "SAML Assertion Consumer Endpoint",
            name_id: "Name ID claim rule",
            signing: "SamlResponseSignature",
            algorithm: "Secure hash algorithm (Advanced tab)",
            certificate: "Token-signing certificate",
            attributes: "Claim Issuance Policy",
            assignment: "Access control policy",
            encryption: "Encryption tab of the relying party trust",
        },
        _ => others(idp),
    }
}

fn others(idp: IdpKind) -> Settings {
    match idp {
        IdpKind::Ping => Settings {
            product: "Ping",
            entity_id: "Entity ID",
            acs_url: "ACS URLs",
            name_id: "Subject NameID Format",
            signing: "Sign Assertion & Response",
            algorithm: "Signing Algorithm",
            certificate: "Signing Key",
            attributes: "Attribute Mappings",
            assignment: "Access tab",
            encryption: "Enable Encryption",
        },
        IdpKind::OneLogin => Settings {
            product: "OneLogin",
            entity_id: "Audience (EntityID)",
            acs_url: "ACS (Consumer) URL and Recipient",
            name_id: "SAML nameID format",
            signing: "SAML signature element",
            algorithm: "SAML Signature Algorithm",
            certificate: "X.509 Certificate (SSO tab)",
            attributes: "Parameters",
            assignment: "Access tab",
            encryption: "Encrypt assertion",
        },
        IdpKind::Shibboleth => Settings {
            product: "Shibboleth",
            entity_id: "entityID in our metadata as loaded in metadata-providers.xml",
            acs_url: "AssertionConsumerService in our metadata as loaded in metadata-providers.xml",
            name_id: "saml-nameid.xml generators",
            signing: "signResponses and signAssertions in relying-party.xml",
            algorithm: "signatureAlgorithms in relying-party.xml",
            certificate: "idp.signing.cert",
            attributes: "attribute-filter.xml",
            assignment: "context-check interceptor",
            encryption: "encryptAssertions in relying-party.xml",
        },
        IdpKind::SimpleSamlPhp => Settings {
            product: "SimpleSAMLphp",
            entity_id: "entity id key in saml20-sp-remote.php",
            acs_url: "AssertionConsumerService in saml20-sp-remote.php",
            name_id: "NameIDFormat in saml20-sp-remote.php",
            signing: "saml20.sign.response and saml20.sign.assertion",
            algorithm: "signature.algorithm",
            certificate: "certificate in saml20-idp-hosted.php",
            attributes: "authproc filters",
            assignment: "authorize:Authorize filter",
            encryption: "assertion.encryption",
        },
        _ => OTHER,
    }
}

/// One or two sentences for the first failure of a trace.
pub(super) fn advice(reason: Reason, idp: IdpKind) -> String {
    let s = settings(idp);
    let product = s.product;
    match reason {
        Reason::TooLarge => format!(
            "The response is too large. In {product}, send fewer attributes: under {}, limit the groups to those whose name starts with our prefix.",
            s.attributes
        ),
        Reason::Malformed | Reason::Dtd | Reason::Markup | Reason::Structure => format!(
            "The message is not a SAML 2.0 response that we accept. Check that {product} sends an unmodified SAML 2.0 Response by HTTP POST, and that no proxy in between changes it."
        ),
        Reason::AssertionCount | Reason::DuplicateId | Reason::DsigShape | Reason::Reference | Reason::Transform => {
            format!(
                "The signed response is not of the usual form, which an attack also looks like. In {product}, set {} to the product's default and send one assertion.",
                s.signing
            )
        }
        Reason::SignatureMissing => {
            format!("Nothing in the response is signed. In {product}, turn on {}.", s.signing)
        }
        Reason::Algorithm => {
            format!("In {product}, set {} to RSA or ECDSA with SHA-256 or stronger.", s.algorithm)
        }
        Reason::NoTrustedKey => {
            format!(
                "The connection has no certificate for this signature. Copy the {} from {product} into the connection, or refresh its metadata.",
                s.certificate
            )
        }
        Reason::Digest => {
            format!(
                "The signed part was changed after signing. Check what sits between {product} and the browser, then try again."
            )
        }
        Reason::Signature => {
            format!(
                "{product} signed with a certificate that the connection does not trust. Copy the current {} into the connection, or refresh its metadata.",
                s.certificate
            )
        }
        Reason::Decryption => {
            format!(
                "The assertion could not be decrypted. In {product}, set {} to the certificate in our metadata, or turn it off.",
                s.encryption
            )
        }
        _ => later_advice(reason, &s),
    }
}

fn later_advice(reason: Reason, s: &Settings) -> String {
    let product = s.product;
    match reason {
        Reason::Status => {
            format!("{product} ended the sign-in itself. Look for the attempt in its log and check {}.", s.assignment)
        }
        Reason::Destination | Reason::Recipient => {
            format!("In {product}, set {} to the expected value shown here.", s.acs_url)
        }
        Reason::Issuer => {
            format!("The response comes from another identity provider than the connection was set up with. Load the metadata of this {product} application into the connection.")
        }
        Reason::Audience => format!("In {product}, set {} to the expected value shown here.", s.entity_id),
        Reason::Expired | Reason::NotYetValid => {
            format!("The response was not valid at the time it arrived. Check the clock of {product}, and sign in again without waiting on its page.")
        }
        Reason::InResponseTo => {
            "The response does not belong to the sign-in that this browser started. Start again from the application, in one tab.".to_owned()
        }
        Reason::IdpInitiated => {
            format!("The sign-in was started from {product}. Start it from the application, or allow sign-in from the identity provider on the connection.")
        }
        Reason::SubjectConfirmation | Reason::Conditions => {
            format!("The assertion lacks what browser sign-in needs or restricts its use in a way we cannot honour. In {product}, use the standard SAML 2.0 web browser SSO application type.")
        }
        Reason::NameId => {
            format!("In {product}, set {} to a persistent identifier or the e-mail address, not transient.", s.name_id)
        }
        Reason::EmailMissing => {
            format!("In {product}, add an attribute named email with the person's one e-mail address under {}.", s.attributes)
        }
        Reason::DomainNotOwned => "Verify the domain of this person's e-mail address first, or correct the address at the identity provider.".to_owned(),
        Reason::NameIdConflict => {
            format!("This address was signed in before with another NameID. If the person is the same, an administrator can reset the tie; keep {} unchanged from then on.", s.name_id)
        }
        Reason::Replayed => "This response was used before. Start the sign-in again.".to_owned(),
        Reason::NotMember => "Add the person to the organization, or change its provisioning mode.".to_owned(),
        Reason::NoMappedGroup => {
            format!("Add the person to one of the organization's groups, and check in {product} that {} send them.", s.attributes)
        }
        _ => format!("Check the application's settings in {product}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_setting_of_the_product() {
        assert!(advice(Reason::Audience, IdpKind::Entra).contains("Identifier (Entity ID)"));
        assert!(advice(Reason::Recipient, IdpKind::OneLogin).contains("ACS (Consumer) URL"));
        assert!(advice(Reason::Algorithm, IdpKind::Other).contains("SHA-256"));
    }

    #[test]
    fn every_reason_has_words_for_every_product() {
        for reason in Reason::ALL {
            for idp in [IdpKind::Other, IdpKind::Okta, IdpKind::Shibboleth] {
                let text = advice(*reason, idp);
                assert!(text.ends_with('.'), "{reason}: {text}");
                assert!(!text.starts_with("Check the application's settings"), "{reason} has no advice of its own");
            }
        }
    }
}
