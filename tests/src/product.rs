//! The product under test.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::{
    clock::{Clock, FixedClock, Timestamp},
    id::{Random, SeededRandom, hex},
};
use vestibule_local::{Local, Options};

use crate::Browser;

/// The running product, with what tests need beside it.
pub struct Product {
    /// The product.
    pub local: Local,
    /// Its clock.
    pub clock: FixedClock,
    calls: Arc<std::sync::atomic::AtomicU32>,
}

/// The operator's key under test.
#[must_use]
pub fn operator_key() -> &'static str {
    "operator-key-under-test"
}

/// When the clock stands still at first.
///
/// # Panics
/// Never.
#[must_use]
pub fn start_time() -> Timestamp {
    "2027-03-01T09:00:00Z".parse().unwrap()
}

impl Product {
    /// An empty product in memory.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A product in memory with the demo customer.
    pub async fn demo() -> Self {
        Self::with(|options| options.seed = true).await
    }

    /// An empty product that keeps its data in `directory`, always by the embedded engine.
    pub async fn at(directory: &Path) -> Self {
        Self::with(|options| options.data = Some(directory.to_owned())).await
    }

    /// A product with other options than usual.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        // What went wrong inside stands beside what a failing test expected.
        let filter = tracing_subscriber::EnvFilter::new("warn,dynoxide=error");
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let clock = FixedClock::new(start_time());
        let mut options = Options {
            operator_key: Some(operator_key().to_owned()),
            clock: Clock::Fixed(clock.clone()),
            random: Random::Seeded(SeededRandom::new(1)),
            ..Options::default()
        };
        adjust(&mut options);
        if options.data.is_none() {
            options.dynamodb = engine();
        }
        let local = Local::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        Self { local, clock, calls: Arc::default() }
    }

    /// A browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(&self.local.base_url)
    }

    /// Asks the management API, as the operator, and gives status and answer.
    ///
    /// # Panics
    /// When there is no answer, or one that is not JSON.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let url = self.local.base_url.join(&format!("/api/v1{path}")).unwrap();
        let mut request = client().request(method.clone(), url).bearer_auth(operator_key());
        if method == Method::POST {
            request = request.header("idempotency-key", format!("call-{call}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        let answer = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) };
        (status, answer)
    }

    /// A customer that has verified `domain` and whose people join by signing in; its parent's id.
    ///
    /// # Panics
    /// When the product does not do it.
    pub async fn customer(&self, domain: &str) -> String {
        let body = json!({ "name": "Corp", "surface": "claudeai", "primary_owner": format!("owner@{domain}") });
        let made = self.done(Method::POST, "/organizations", Some(body)).await;
        let (organization, parent) = (made["id"].as_str().unwrap(), made["parent_id"].as_str().unwrap());
        let joins = json!({ "mode": "jit", "group_mappings": false });
        self.done(Method::PUT, &format!("/organizations/{organization}/provisioning"), Some(joins)).await;
        let claims = format!("/parents/{parent}/domains");
        let claim = self.done(Method::POST, &claims, Some(json!({ "domain": domain }))).await;
        let record = |member: &str| claim["record"][member].as_str().unwrap().to_owned();
        self.local.zone.publish(&record("name"), vec![record("value")]).await.unwrap();
        let claim = self.done(Method::POST, &format!("{claims}/{domain}/refresh"), None).await;
        assert_eq!(claim["status"], "verified", "{claim}");
        parent.to_owned()
    }

    /// Sends what is due of the outbox, and gives how many mails were sent or passed on.
    pub async fn deliver_mail(&self) -> usize {
        let mut sent = 0;
        loop {
            match self.local.mailer.run().await {
                Ok(run) if run.sent > 0 => sent += run.sent,
                _ => return sent,
            }
        }
    }

    /// Does what a deployment does in a minute for the claims that are due, and gives how many they were.
    ///
    /// # Panics
    /// When the tables do not answer.
    pub async fn verify_domains(&self) -> usize {
        self.local.claims.verify().await.unwrap()
    }

    /// Looks after the connections that are due, and gives how many there were.
    ///
    /// # Panics
    /// When the tables do not answer.
    pub async fn refresh_metadata(&self) -> usize {
        self.local.refresher.run().await.unwrap().kept_up
    }

    /// `text` without what differs from run to run or says nothing: the port, and the digits of identifiers.
    #[must_use]
    pub fn stable(&self, text: &str) -> String {
        let text = text.replace(self.local.base_url.as_str().trim_end_matches('/'), "http://localhost");
        let digits = |word: &str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        words.fold(String::new(), |out, word| {
            let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
            let (letters, mark) = word.split_at(end);
            out + if digits(letters) { "…" } else { letters } + mark
        })
    }

    /// As [`Product::api`], for what must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.api(method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }
}

/// A client that asks this machine directly and follows nothing.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the one setting of the tests")]
fn engine() -> Option<String> {
    std::env::var("VESTIBULE_TEST_DYNAMODB").ok()
}

/// A directory that goes when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A name for a directory that does not exist yet.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("vestibule-test-{}", hex(&Random::System.bytes::<8>()));
        Self(std::env::temp_dir().join(name))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
