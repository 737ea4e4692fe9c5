//! What every test stands on: the API's router over an embedded engine, with a clock and randomness of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vestibule::{
    app::App,
    clock::SignedDuration,
    domain::Resolver,
    organization::Organization,
    table::{Cost, Stored, Transaction},
};
use vestibule_tests::{Dns, Product, operator_key};

use super::conformance::Description;

const MAX_ANSWER: usize = 8 * 1024 * 1024;

pub(super) struct World {
    product: Product,
    /// Three resolvers, as a deployment has.
    pub(super) dns: [Dns; 3],
    router: Router,
    description: Arc<Description>,
    keys: AtomicU32,
}

/// An answer, held against the document.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
    pub(super) cost: Cost,
}

impl Answer {
    /// The body of a success.
    pub(super) fn done(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }

    /// The status and the kind of a refusal.
    pub(super) fn refused(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_else(|| panic!("{} {}", self.status, self.body));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["status"], self.status.as_u16());
        (self.status.as_u16(), kind.strip_prefix("urn:vestibule:problem:").unwrap())
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let product = Product::start().await;
        let dns = [Dns::start().await, Dns::start().await, Dns::start().await];
        let servers: Vec<_> = dns.iter().map(|dns| dns.address).collect();
        let router = vestibule_api::router(product.local.app.clone(), Arc::new(Resolver::new(&servers)));
        let description = Arc::new(Description::fetch(&router).await);
        Self { product, dns, router, description, keys: AtomicU32::new(0) }
    }

    pub(super) fn app(&self) -> &App {
        &self.product.local.app
    }

    /// An address of the deployment's.
    pub(super) fn url(&self, path: &str) -> String {
        self.app().settings.url(path)
    }

    pub(super) fn description(&self) -> Arc<Description> {
        self.description.clone()
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
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

    /// Sends a request whose answer is no JSON.
    pub(super) async fn fetch(&self, request: Request<Body>) -> (axum::http::response::Parts, String) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, MAX_ANSWER).await.unwrap();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A request of the operator's, a `POST` with a fresh key.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        self.call_with(method, path, body, &format!("key-{key}")).await
    }

    /// A request of the operator's with this idempotency key.
    pub(super) async fn call_with(&self, method: Method, path: &str, body: Option<Value>, key: &str) -> Answer {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", operator_key()));
        if method == Method::POST {
            request = request.header("Idempotency-Key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// A page of the deployment that is not the API's, as text.
    pub(super) async fn page(&self, path: &str) -> String {
        let page = self.product.browser().open(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    /// The status of a page of the deployment that is not the API's.
    pub(super) async fn status(&self, path: &str) -> u16 {
        self.product.browser().open(path).await.status.into()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Every item of a listing, page by page.
    pub(super) async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit={limit}{cursor}")).await.done();
            let found = page["items"].as_array().unwrap();
            assert!(found.len() <= limit);
            items.extend(found.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.product.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// An organization on the first surface; its id, its parent's and the primary owner's account.
    pub(super) async fn organization(&self, domain: &str) -> (String, String, String) {
        let body = json!({ "name": "Corp", "surface": "claudeai", "primary_owner": format!("owner@{domain}") });
        let made = self.post("/organizations", body).await.done();
        let text = |pointer: &str| made.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        (text("/id"), text("/parent_id"), text("/primary_owner/account"))
    }

    /// A parent that has verified this domain.
    pub(super) async fn verified(&self, domain: &str) -> (String, String) {
        let (organization, parent, _) = self.organization(domain).await;
        let claim = self.post(&format!("/parents/{parent}/domains"), json!({ "domain": domain })).await.done();
        self.publish(&claim);
        let refreshed = self.refresh(&parent, domain).await.done();
        assert_eq!(refreshed["status"], "verified", "{refreshed}");
        (organization, parent)
    }

    /// Publishes a claim's record in every resolver.
    pub(super) fn publish(&self, claim: &Value) {
        let (name, value) = (claim["record"]["name"].as_str().unwrap(), claim["record"]["value"].as_str().unwrap());
        for dns in &self.dns {
            dns.txt(name, &[&[value]]);
        }
    }

    pub(super) async fn refresh(&self, parent: &str, domain: &str) -> Answer {
        self.call(Method::POST, &format!("/parents/{parent}/domains/{domain}/refresh"), None).await
    }

    /// How many administrators an organization counts.
    pub(super) async fn administrators(&self, organization: &str) -> u32 {
        self.stored(organization).await.value.administrators
    }

    /// Takes the primary owner away from an organization: nobody is protected any more, and one fewer is counted.
    pub(super) async fn forget_the_primary_owner(&self, organization: &str) {
        let Stored { value, version } = self.stored(organization).await;
        let administrators = value.administrators - 1;
        let changed = Organization { primary_owner: self.app().random.id(), administrators, ..value };
        let mut transaction = Transaction::default();
        transaction.replace_organization(&changed, version, "changed");
        self.app().store.commit(transaction).await.unwrap();
    }

    async fn stored(&self, organization: &str) -> Stored<Organization> {
        self.app().store.organization(organization.parse().unwrap()).await.unwrap().unwrap()
    }

    /// The actions on a parent's audit trail, newest first.
    pub(super) async fn actions(&self, parent: &str) -> Vec<String> {
        let events = self.get(&format!("/parents/{parent}/events")).await.done();
        let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
        events["items"].as_array().unwrap().iter().map(action).collect()
    }
}
