//! Applications: the relying programs of a surface, registered as OAuth clients (RFC 6749, section 2).

mod store;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{
    account::Address,
    clock::Timestamp,
    grant,
    id::{ApplicationId, Secret, SecretHash},
    organization::Name,
    surface::SurfaceId,
};

/// Redirect URIs of one application.
pub const MAX_REDIRECT_URIS: usize = 20;
/// Characters of a URI.
const MAX_URI: usize = 2_000;

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its identifier, the OAuth `client_id`.
    pub id: ApplicationId,
    /// Its name, as people see it while they sign in.
    pub name: Name,
    /// The surface it belongs to.
    pub surface: SurfaceId,
    /// Where a finished login may be handed to, compared character by character (RFC 9700, section 2.1).
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a person starts to sign in to it, for logins that begin elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_login_uri: Option<RedirectUri>,
    /// The hash of its secret; a public client (RFC 6749, section 2.1) has none and relies on PKCE alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretHash>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Application {
    /// Whether `presented` authenticates the application: its secret, or none for a public client.
    #[must_use]
    pub fn authenticates(&self, presented: Option<&str>) -> bool {
        match (&self.secret, presented) {
            (None, None) => true,
            (Some(hash), Some(secret)) => *hash == Secret::presented(secret).hash(),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    /// Where a person is sent who begins to sign in elsewhere, with the address that they are expected to sign in with
    /// (OpenID Connect Core, section 4, whose `target_link_uri` is left out: nothing that came from elsewhere goes along).
    /// `None` where the application has no such address, or one of its own scheme.
    #[must_use]
    pub fn start_login(&self, address: &Address, issuer: &str) -> Option<String> {
        let uri = self.start_login_uri.as_ref().filter(|uri| uri.is_web())?;
        Some(grant::answer(uri.as_str(), &[("login_hint", &address.to_string())], None, issuer))
    }

    /// Whether a person can be sent to it to begin to sign in.
    #[must_use]
    pub fn starts_logins(&self) -> bool {
        self.start_login_uri.as_ref().is_some_and(RedirectUri::is_web)
    }

    /// Whether a finished login may be handed to `uri`.
    #[must_use]
    pub fn redirects_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| registered.as_str() == uri)
    }
}

/// A URI of an application, kept exactly as it was registered: absolute, without fragment, `https`, or `http` on a
/// loopback host (RFC 8252, section 7.3), or an app's own scheme with a dot in it (section 7.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// The text is no [`RedirectUri`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a redirect URI is absolute, has at most {MAX_URI} characters, no fragment and no user name, and is https, http on \
     a loopback host, or of a private scheme such as com.example.app"
)]
pub struct RedirectUriError;

impl RedirectUri {
    /// The URI as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a page, and not an app's own scheme.
    #[must_use]
    pub fn is_web(&self) -> bool {
        self.0.starts_with("https:") || self.0.starts_with("http:")
    }
}

impl std::str::FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(text: &str) -> Result<Self, RedirectUriError> {
        let plain = text.len() <= MAX_URI && text.bytes().all(|b| b.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|url| plain && url.fragment().is_none()).ok_or(RedirectUriError)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let sound = match url.scheme() {
            "https" => url.username().is_empty() && url.password().is_none(),
            "http" => loopback,
            scheme => scheme.contains('.'),
        };
        sound.then(|| Self(text.to_owned())).ok_or(RedirectUriError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_are_exact_and_safe() {
        for good in ["https://app.example.com/cb?x=1", "http://localhost:3000/app/callback", "com.example.app:/cb"] {
            assert_eq!(good.parse::<RedirectUri>().unwrap().as_str(), good);
        }
        for bad in [
            "https://app.example.com/#x",
            "http://app.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/relative",
            "https://user@app.example.com/",
            "https://app.example.com/\n",
        ] {
            assert_eq!(bad.parse::<RedirectUri>(), Err(RedirectUriError), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_asked_of_a_confidential_client_only() {
        let mut application = Application {
            id: ApplicationId::from_bits(1),
            name: "App".parse().unwrap(),
            surface: serde_json::from_str("\"claudeai\"").unwrap(),
            redirect_uris: vec!["https://app.example.com/cb".parse().unwrap()],
            start_login_uri: None,
            secret: Some(Secret::presented("s").hash()),
            created_at: Timestamp::UNIX_EPOCH,
        };
        assert!(application.authenticates(Some("s")));
        assert!(!application.authenticates(Some("t")));
        assert!(!application.authenticates(None));
        assert!(application.redirects_to("https://app.example.com/cb"));
        assert!(!application.redirects_to("https://app.example.com/cb/"));
        application.secret = None;
        assert!(application.authenticates(None));
        assert!(!application.authenticates(Some("")));
    }

    #[test]
    fn a_login_that_begins_elsewhere_is_sent_to_a_page_with_the_address() {
        let mut application = Application {
            id: ApplicationId::from_bits(1),
            name: "App".parse().unwrap(),
            surface: serde_json::from_str("\"claudeai\"").unwrap(),
            redirect_uris: Vec::new(),
            start_login_uri: Some("https://app.example.com/login?from=portal".parse().unwrap()),
            secret: None,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let ada: Address = "a&da+x@corp.example".parse().unwrap();
        let start = |application: &Application| application.start_login(&ada, "https://id.example.com");
        let address = "https://app.example.com/login?from=portal&login_hint=a%26da%2Bx%40corp.example\
                       &iss=https%3A%2F%2Fid.example.com";
        assert_eq!(start(&application).as_deref(), Some(address));
        application.start_login_uri = Some("com.example.app:/login".parse().unwrap());
        assert_eq!(start(&application), None);
        application.start_login_uri = None;
        assert_eq!(start(&application), None);
    }
}
