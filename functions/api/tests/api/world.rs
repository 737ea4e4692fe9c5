//! What every test stands on: the API's router over an embedded engine, with a clock and randomness of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use vestibule::{
    app::{App, Settings},
    clock::{Clock, FixedClock, SignedDuration},
    domain::Resolver,
    id::{Random, Secret, SeededRandom},
    organization::Organization,
    seal::SealingKey,
    table::{Cost, Store, Stored, Transaction},
};

use crate::{conformance::Description, dns::Dns};

pub(crate) const OPERATOR_KEY: &str = "operator-key";
const MAX_ANSWER: usize = 8 * 1024 * 1024;

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) clock: FixedClock,
    /// Three resolvers, as a deployment has.
    pub(crate) dns: [Dns; 3],
    router: Router,
    description: Arc<Description>,
    keys: AtomicU32,
}

/// An answer, held against the document.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) cost: Cost,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn done(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// The status and the kind of a refusal.
    pub(crate) fn refused(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_else(|| panic!("{} {}", self.status, self.body));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["status"], self.status.as_u16());
        (self.status.as_u16(), kind.strip_prefix("urn:vestibule:problem:").unwrap())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let random = Random::Seeded(SeededRandom::new(1));
        let store = Store::new(engine().await, "test");
        store.create_tables().await.unwrap();
        let clock = FixedClock::new("2027-03-01T09:00:00Z".parse().unwrap());
        let mut settings =
            Settings::new("https://id.example.com".parse().unwrap(), SealingKey::new(&[1; 32]).unwrap()).unwrap();
        settings.operator_keys = vec![Secret::presented(OPERATOR_KEY).hash()];
        settings.show_cost = true;
        let app = Arc::new(App { settings, store, clock: Clock::Fixed(clock.clone()), random });
        let dns = [Dns::start().await, Dns::start().await, Dns::start().await];
        let servers: Vec<_> = dns.iter().map(|dns| dns.address).collect();
        let router = vestibule_api::router(app.clone(), Arc::new(Resolver::new(&servers)));
        let description = Arc::new(Description::fetch(&router).await);
        Self { app, clock, dns, router, description, keys: AtomicU32::new(0) }
    }

    pub(crate) fn description(&self) -> Arc<Description> {
        self.description.clone()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MAX_ANSWER).await.unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        let cost = parts.extensions.get::<Cost>().copied().unwrap_or_default();
        let answer = Answer { status: parts.status, headers: parts.headers, body, cost };
        self.description.holds(&method, &path, &answer);
        answer
    }

    /// A request of the operator's, a `POST` with a fresh key.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        self.call_with(method, path, body, &format!("key-{key}")).await
    }

    /// A request of the operator's with this idempotency key.
    pub(crate) async fn call_with(&self, method: Method, path: &str, body: Option<Value>, key: &str) -> Answer {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {OPERATOR_KEY}"));
        if method == Method::POST {
            request = request.header("Idempotency-Key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// An organization on the first surface; its id, its parent's and the primary owner's account.
    pub(crate) async fn organization(&self, domain: &str) -> (String, String, String) {
        let body = json!({ "name": "Corp", "surface": "claudeai", "primary_owner": format!("owner@{domain}") });
        let made = self.post("/organizations", body).await.done();
        let text = |pointer: &str| made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        (text("/id"), text("/parent_id"), text("/primary_owner/account"))
    }

    /// A parent that has verified this domain.
    pub(crate) async fn verified(&self, domain: &str) -> (String, String) {
        let (organization, parent, _) = self.organization(domain).await;
        let claim = self.post(&format!("/parents/{parent}/domains"), json!({ "domain": domain })).await.done();
        self.publish(&claim);
        let refreshed = self.refresh(&parent, domain).await.done();
        assert_eq!(refreshed["status"], "verified", "{refreshed}");
        (organization, parent)
    }

    /// Publishes a claim's record in every resolver.
    pub(crate) fn publish(&self, claim: &Value) {
        let (name, value) = (claim["record"]["name"].as_str().unwrap(), claim["record"]["value"].as_str().unwrap());
        for dns in &self.dns {
            dns.txt(name, &[&[value]]);
        }
    }

    pub(crate) async fn refresh(&self, parent: &str, domain: &str) -> Answer {
        self.call(Method::POST, &format!("/parents/{parent}/domains/{domain}/refresh"), None).await
    }

    /// How many administrators an organization counts.
    pub(crate) async fn administrators(&self, organization: &str) -> u32 {
        self.stored(organization).await.value.administrators
    }

    /// Takes the primary owner away from an organization: nobody is protected any more, and one fewer is counted.
    pub(crate) async fn forget_the_primary_owner(&self, organization: &str) {
        let Stored { value, version } = self.stored(organization).await;
        let administrators = value.administrators - 1;
        let changed = Organization { primary_owner: self.app.random.id(), administrators, ..value };
        let mut transaction = Transaction::default();
        transaction.replace_organization(&changed, version, "changed");
        self.app.store.commit(transaction).await.unwrap();
    }

    async fn stored(&self, organization: &str) -> Stored<Organization> {
        self.app.store.organization(organization.parse().unwrap()).await.unwrap().unwrap()
    }

    /// The actions on a parent's audit trail, newest first.
    pub(crate) async fn actions(&self, parent: &str) -> Vec<String> {
        let events = self.get(&format!("/parents/{parent}/events")).await.done();
        let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
        events["items"].as_array().unwrap().iter().map(action).collect()
    }
}

async fn engine() -> Client {
    let database = dynoxide::Database::memory().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}
