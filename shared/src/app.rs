//! Wiring: what every handler gets. Settings, time, randomness and the tables enter here and nowhere else.

use std::{env, sync::Arc, time::Duration};

use aws_config::timeout::TimeoutConfig;
use url::Url;

use crate::{
    clock::Clock,
    id::{Random, Secret, SecretHash},
    seal::SealingKey,
    surface::{Surfaces, SurfacesError},
    table::Store,
};

/// What handlers share, behind an [`Arc`].
#[derive(Debug)]
pub struct App {
    /// The deployment's settings.
    pub settings: Settings,
    /// The tables.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// The deployment's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where browsers and identity providers reach the deployment, without a path: the issuer of its ID tokens.
    pub base_url: Url,
    /// The vendor's slug, in group names and DNS records.
    pub vendor: String,
    /// The surfaces and their roles.
    pub surfaces: Surfaces,
    /// The first label of the host on which a claim's TXT record is published.
    pub challenge_label: String,
    /// Hashes of the keys that the operator presents.
    pub operator_keys: Vec<SecretHash>,
    /// Seals what is stored or handed out unreadably.
    pub sealing_key: SealingKey,
    /// Where answers stream, without a path: the base URL, unless another function does it.
    pub downloads_url: Url,
    /// Whether answers carry their cost in a `Server-Timing` header; for the local product.
    pub show_cost: bool,
    /// How far requests to addresses go that customers name. No variable sets it.
    pub reach: Reach,
}

/// How far requests to addresses go that customers name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The public internet, over https.
    #[default]
    Public,
    /// This machine itself too, on any port and over plain http. For the local product; no deployment has it.
    Loopback,
}

/// Why a deployment does not start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable is missing.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable's value is unusable.
    #[error("the environment variable {0} {1}")]
    Unusable(&'static str, &'static str),
    /// The surfaces are misconfigured.
    #[error(transparent)]
    Surfaces(#[from] SurfacesError),
}

impl Settings {
    /// Settings of a deployment at `base_url` with the default vendor and surfaces.
    ///
    /// # Errors
    /// [`SettingsError::Surfaces`]; a test of the defaults shows that it does not happen.
    pub fn new(base_url: Url, sealing_key: SealingKey) -> Result<Self, SettingsError> {
        let vendor = "anthropic".to_owned();
        Ok(Self {
            downloads_url: base_url.clone(),
            base_url,
            challenge_label: format!("_{vendor}-challenge"),
            vendor,
            surfaces: Surfaces::vendor_default()?,
            operator_keys: Vec::new(),
            sealing_key,
            show_cost: false,
            reach: Reach::Public,
        })
    }

    /// Reads the settings of a Lambda function, as `template.yaml` sets them.
    ///
    /// # Errors
    /// [`SettingsError`] names the variable and what is wrong with it, never its value.
    pub fn from_env() -> Result<Self, SettingsError> {
        let base_url = variable("VESTIBULE_BASE_URL")?;
        let base_url = parse_base_url(&base_url).map_err(|why| SettingsError::Unusable("VESTIBULE_BASE_URL", why))?;
        let sealing_key = SealingKey::of_secret(&variable("VESTIBULE_SEALING_SECRET")?)
            .ok_or(SettingsError::Unusable("VESTIBULE_SEALING_SECRET", "has fewer than 43 characters"))?;
        let mut settings = Self::new(base_url, sealing_key)?;
        // Only the management API is given one; without it, no key is the operator's.
        if let Ok(keys) = variable("VESTIBULE_OPERATOR_KEYS") {
            settings.operator_keys = operator_keys(&keys)?;
        }
        if let Ok(vendor) = variable("VESTIBULE_VENDOR") {
            if !is_slug(&vendor) {
                return Err(SettingsError::Unusable(
                    "VESTIBULE_VENDOR",
                    "is not 1 to 32 lower-case letters and digits",
                ));
            }
            settings.challenge_label = format!("_{vendor}-challenge");
            settings.vendor = vendor;
        }
        if let Ok(surfaces) = variable("VESTIBULE_SURFACES") {
            settings.surfaces = Surfaces::parse(&surfaces)?;
        }
        if let Ok(url) = variable("VESTIBULE_DOWNLOADS_URL") {
            settings.downloads_url =
                parse_base_url(&url).map_err(|why| SettingsError::Unusable("VESTIBULE_DOWNLOADS_URL", why))?;
        }
        if let Ok(label) = variable("VESTIBULE_CHALLENGE_LABEL") {
            if !is_label(&label) {
                return Err(SettingsError::Unusable("VESTIBULE_CHALLENGE_LABEL", "is not one label of a DNS name"));
            }
            settings.challenge_label = label;
        }
        Ok(settings)
    }

    /// The deployment's address of `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer())
    }

    /// The base URL without the final slash: the issuer of ID tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.base_url.as_str().trim_end_matches('/')
    }

    /// Whether `presented` is one of the operator's keys.
    #[must_use]
    pub fn is_operator_key(&self, presented: &str) -> bool {
        let hash = Secret::presented(presented).hash();
        // Every key is compared, so that the time tells nothing of which one it was.
        self.operator_keys.iter().filter(|key| **key == hash).count() > 0
    }
}

impl App {
    /// What a Lambda function runs with.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub async fn from_env() -> Result<Arc<Self>, SettingsError> {
        init_logs();
        let settings = Settings::from_env()?;
        let prefix = variable("VESTIBULE_TABLE_PREFIX")?;
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(8))
            .build();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).timeout_config(timeouts).load().await;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&config), prefix);
        Ok(Arc::new(Self { settings, store, clock: Clock::System, random: Random::System }))
    }
}

/// Logs as JSON lines on standard output, where Lambda picks them up.
fn init_logs() {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).flatten_event(true).init();
}

/// A base URL: `https`, or `http` on a loopback host, with nothing behind the host.
///
/// # Errors
/// Says what is wrong with it, to be put behind the name of whatever held it.
pub fn parse_base_url(text: &str) -> Result<Url, &'static str> {
    let url: Url = text.parse().map_err(|_| "is not a URL")?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err("is not an https URL");
    }
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = plain && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if bare { Ok(url) } else { Err("has more than a scheme, a host and a port") }
}

/// Several keys, separated by commas, are good at the same time while one takes the other's place.
fn operator_keys(keys: &str) -> Result<Vec<SecretHash>, SettingsError> {
    let short = SettingsError::Unusable("VESTIBULE_OPERATOR_KEYS", "has a key of fewer than 43 characters");
    let keys: Vec<_> = keys.split(',').map(str::trim).collect();
    if keys.iter().any(|key| key.len() < 43) {
        return Err(short);
    }
    Ok(keys.into_iter().map(|key| Secret::presented(key).hash()).collect())
}

/// A label as hosts of TXT records have them: lower-case letters, digits, hyphens and underscores.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

fn is_slug(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The value of an environment variable.
#[expect(clippy::disallowed_methods, reason = "this is where the environment enters")]
pub(crate) fn variable(name: &'static str) -> Result<String, SettingsError> {
    // A template sets what was left out to nothing.
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(SettingsError::Missing(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_https_or_loopback_and_bare() {
        assert!(parse_base_url("https://id.example.com").is_ok());
        assert!(parse_base_url("http://localhost:3000").is_ok());
        for bad in [
            "http://id.example.com",
            "https://id.example.com/x",
            "https://a@id.example.com",
            "https://:a@id.example.com",
            "x",
        ] {
            assert!(parse_base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_challenge_label_is_one_label() {
        assert!(is_label("_acme-challenge"));
        for bad in ["", "_a.b", "_A", "a b", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
    }

    #[test]
    fn operator_keys_are_compared_by_hash() {
        let mut settings =
            Settings::new("https://id.example.com".parse().unwrap(), SealingKey::new(&[0; 32]).unwrap()).unwrap();
        assert!(!settings.is_operator_key(""));
        settings.operator_keys = vec![Secret::presented("one").hash(), Secret::presented("two").hash()];
        assert!(settings.is_operator_key("one") && settings.is_operator_key("two"));
        assert!(!settings.is_operator_key("three"));
        assert_eq!(settings.url("/x"), "https://id.example.com/x");
    }
}
