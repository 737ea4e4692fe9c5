//! How administrators renew what an identity provider signs with, in the words of its own pages.

use super::advice::product;
use super::idp::IdpKind;

impl IdpKind {
    /// The product's name, for sentences.
    #[must_use]
    pub fn name(self) -> &'static str {
        product(self)
    }

    /// Where the product's administrators make a new signing certificate, as a sentence.
    #[must_use]
    pub const fn renewal(self) -> &'static str {
        match self {
            Self::Okta => {
                "In the Okta Admin Console, open Applications, the application, Sign On; under SAML Signing \
                 Certificates, choose Generate new certificate, and later Activate in its Actions."
            }
            Self::Entra => {
                "In the Microsoft Entra admin center, open Enterprise applications, the application, Single sign-on; \
                 under SAML Certificates, edit the Token signing certificate: New Certificate, Save, and later Make \
                 certificate active."
            }
            Self::Google => {
                "In the Google Admin console, open Apps, Web and mobile apps, the application, Service provider \
                 details; under Certificate, choose Manage certificates, Add certificate, and later select it there."
            }
            Self::Keycloak => {
                "In the Keycloak Admin Console, open Realm settings, Keys, Add providers; choose Add provider, \
                 rsa-generated, with a higher Priority than the present one, which stays enabled for a while."
            }
            Self::Adfs => {
                "In AD FS Management, open Service, Certificates; with AutoCertificateRollover a new Token-signing \
                 certificate appears there by itself, else choose Add Token-Signing Certificate, and later Set as \
                 Primary."
            }
            Self::Ping => {
                "In the PingOne console, open Settings, Certificates & Key Pairs, to add a key pair for signing, and \
                 later choose it as Signing Key in the application's Configuration."
            }
            Self::OneLogin => {
                "In OneLogin, open Security, Certificates, to make a new certificate, and later choose it at X.509 \
                 Certificate on the application's SSO tab with Change."
            }
            Self::Shibboleth => {
                "In Shibboleth, add the new certificate to the KeyDescriptor elements of idp-metadata.xml, and later set \
                 idp.signing.key and idp.signing.cert to the new pair."
            }
            Self::SimpleSamlPhp => {
                "In SimpleSAMLphp, set new_privatekey and new_certificate in saml20-idp-hosted.php, and later move \
                 them to privatekey and certificate."
            }
            Self::Other => {
                "At the identity provider, make a new signing certificate for the application, and let it sign with it \
                 later only."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_words() {
        assert_eq!(IdpKind::Entra.name(), "Microsoft Entra ID");
        assert!(IdpKind::Okta.renewal().contains("SAML Signing Certificates"));
        assert!(IdpKind::Keycloak.renewal().ends_with('.') && IdpKind::Other.renewal().ends_with('.'));
    }
}
