//! Which product an identity provider is, so that advice can name the settings as its own pages do.

use serde::{Deserialize, Serialize};

/// The product behind a connection, guessed from addresses. It chooses words and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdpKind {
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
    /// Google Workspace.
    Google,
    /// Keycloak.
    Keycloak,
    /// Active Directory Federation Services.
    Adfs,
    /// `PingOne` or `PingFederate`.
    Ping,
    /// `OneLogin`.
    OneLogin,
    /// Shibboleth.
    Shibboleth,
    /// `SimpleSAMLphp`.
    SimpleSamlPhp,
    /// Anything else.
    #[default]
    Other,
}

/// What the entity id or single sign-on address of each product contains.
const MARKS: &[(&str, IdpKind)] = &[
    ("www.okta.com/", IdpKind::Okta),
    (".okta.com", IdpKind::Okta),
    (".oktapreview.com", IdpKind::Okta),
    (".okta-emea.com", IdpKind::Okta),
    ("sts.windows.net/", IdpKind::Entra),
    ("login.microsoftonline.", IdpKind::Entra),
    ("accounts.google.com/o/saml2", IdpKind::Google),
    ("/adfs/", IdpKind::Adfs),
    (".pingone.", IdpKind::Ping),
    (".pingidentity.", IdpKind::Ping),
    ("pingfederate", IdpKind::Ping),
    (".onelogin.com", IdpKind::OneLogin),
    ("/idp/shibboleth", IdpKind::Shibboleth),
    ("/idp/profile/saml2/", IdpKind::Shibboleth),
    ("/saml2/idp/metadata.php", IdpKind::SimpleSamlPhp),
    ("/simplesaml/", IdpKind::SimpleSamlPhp),
    ("/realms/", IdpKind::Keycloak),
];

impl IdpKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Okta,
        Self::Entra,
        Self::Google,
        Self::Keycloak,
        Self::Adfs,
        Self::Ping,
        Self::OneLogin,
        Self::Shibboleth,
        Self::SimpleSamlPhp,
        Self::Other,
    ];

    /// Guesses from the entity id and, where that says nothing, from a single sign-on address.
    #[must_use]
    pub fn detect(entity_id: &str, sso_url: Option<&str>) -> Self {
        [Some(entity_id), sso_url].into_iter().flatten().map(of).find(|kind| *kind != Self::Other).unwrap_or_default()
    }
}

fn of(address: &str) -> IdpKind {
    let address = address.to_ascii_lowercase();
    MARKS.iter().find(|(mark, _)| address.contains(mark)).map_or(IdpKind::Other, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_apart() {
        for (entity_id, kind) in [
            ("http://www.okta.com/exk1fcia6d6EMsf331d8", IdpKind::Okta),
            ("https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/", IdpKind::Entra),
            ("https://accounts.google.com/o/saml2?idpid=C01abc", IdpKind::Google),
            ("https://sso.example.com/realms/main", IdpKind::Keycloak),
            ("http://fs.example.com/adfs/services/trust", IdpKind::Adfs),
            ("https://auth.pingone.eu/0000", IdpKind::Ping),
            ("https://app.onelogin.com/saml/metadata/1", IdpKind::OneLogin),
            ("https://login.example.edu/idp/shibboleth", IdpKind::Shibboleth),
            ("https://idp.example.org/simplesaml/saml2/idp/metadata.php", IdpKind::SimpleSamlPhp),
            ("urn:example:idp", IdpKind::Other),
        ] {
            assert_eq!(IdpKind::detect(entity_id, None), kind, "{entity_id}");
        }
        assert_eq!(IdpKind::detect("urn:x", Some("https://acme.okta.com/app/sso")), IdpKind::Okta);
    }
}
