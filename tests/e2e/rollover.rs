//! An identity provider that changes its key while people sign in: nobody is refused for it, and nobody can make the
//! product ask for the metadata more often than it should.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use reqwest::Method;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vestibule::{
    app::App,
    clock::SignedDuration,
    connection::Connection,
    grant::AuthorizationRequest,
    login::{Attempt, Login, Progress},
    saml::{PERSISTENT_FORMAT, Reason},
    table::{Cost, Transaction},
};
use vestibule_local::idp::response::Signing;
use vestibule_tests::{
    Product, Published, Publisher,
    identity_provider::{Claims, IdentityProvider},
};

const ENTITY_ID: &str = "https://idp.corp.example/saml";
const SSO: &str = "https://idp.corp.example/sso";
/// Seconds in which metadata is fetched once, whatever fails.
const QUIET: i64 = 300;

/// A customer whose connection is by the address of its metadata.
struct World {
    product: Product,
    router: Router,
    publisher: Publisher,
    idp: IdentityProvider,
    connection: Connection,
}

impl World {
    async fn new() -> Self {
        let product = Product::start().await;
        let idp = IdentityProvider::new(ENTITY_ID);
        let publisher = Publisher::start(Published::Document(idp.metadata(SSO))).await;
        let parent = product.customer("corp.example").await;
        let body = json!({ "metadata_url": publisher.url });
        let made = product.done(Method::PUT, &format!("/parents/{parent}/connection"), Some(body)).await;
        let id = made["id"].as_str().unwrap().parse().unwrap();
        let connection = product.local.app.store.connection(id).await.unwrap().unwrap().value;
        product.clock.advance(SignedDuration::from_secs(1));
        let router = vestibule_saml::router(product.local.app.clone());
        Self { product, router, publisher, idp, connection }
    }

    fn app(&self) -> &App {
        &self.product.local.app
    }

    fn wait(&self, seconds: i64) {
        self.product.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Signs a person in, with a response that `idp` signs; a browser of its own each time.
    async fn sign_in(&self, idp: &IdentityProvider, person: &str) -> Response {
        let (login, cookie) = self.wait_for().await;
        let response = idp.respond(&self.claims(&login, person), Some(Signing::Assertion));
        self.post(&login, &cookie, &response).await
    }

    async fn wait_for(&self) -> (Login, String) {
        let request = AuthorizationRequest {
            application: self.app().random.id(),
            surface: self.app().settings.surfaces.get("claudeai").unwrap().id.clone(),
            redirect_uri: "https://app.example.com/callback".to_owned(),
            scope: "openid".to_owned(),
            state: None,
            nonce: None,
            code_challenge: "x".to_owned(),
            organization: None,
            force: false,
            subject: None,
        };
        let (mut login, browser) = Login::begin(request, self.app().clock.now(), &self.app().random);
        let request_id = format!("_request{}", login.id.short());
        login.progress = Progress::IdentityProvider { connection: self.connection.id, request_id };
        let mut transaction = Transaction::<()>::default();
        transaction.begin_login(&login);
        self.app().store.commit(transaction).await.unwrap();
        let cookie = format!("{}={}", vestibule::login::cookie_name(login.id), browser.reveal());
        (login, cookie)
    }

    fn claims(&self, login: &Login, person: &str) -> Claims {
        let Progress::IdentityProvider { request_id, .. } = &login.progress else { panic!("waiting") };
        Claims {
            issuer: ENTITY_ID.to_owned(),
            destination: self.connection.acs_url(&self.app().settings),
            audience: self.connection.entity_id(&self.app().settings),
            in_response_to: request_id.clone(),
            name_id: (person.to_owned(), PERSISTENT_FORMAT.to_owned()),
            email: format!("{person}@corp.example"),
            status: "urn:oasis:names:tc:SAML:2.0:status:Success".to_owned(),
            at: self.app().clock.now(),
        }
    }

    async fn post(&self, login: &Login, cookie: &str, response: &str) -> Response {
        let form = [("SAMLResponse", response), ("RelayState", &login.id.to_string())];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(format!("/saml/{}/acs", self.connection.id))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie)
            .body(Body::from(body))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The attempts on record, the latest first.
    async fn attempts(&self) -> Vec<Attempt> {
        let page = self.app().store.attempts(self.connection.parent, None, 200, self.app().clock.now()).await.unwrap();
        page.items.into_iter().map(|stored| stored.value).collect()
    }

    async fn shown(&self) -> Value {
        self.product.done(Method::GET, &format!("/parents/{}/connection", self.connection.parent), None).await
    }

    async fn changes(&self) -> Vec<Value> {
        let path = format!("/parents/{}/events", self.connection.parent);
        let events = self.product.done(Method::GET, &path, None).await;
        let events = events["items"].as_array().unwrap().iter();
        events.filter(|event| event["action"] == "connection.changed").cloned().collect()
    }
}

#[tokio::test]
async fn the_first_response_with_a_new_key_signs_in() {
    let world = World::new().await;
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(world.publisher.asked(), 1, "where all is well nothing is fetched");

    // The identity provider changes its key at once, without a time in which both are published.
    let next = IdentityProvider::new(ENTITY_ID);
    world.publisher.publish(Published::Document(next.metadata(SSO)));
    world.wait(1);
    let response = world.sign_in(&next, "grace").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{:?}", world.attempts().await[0]);
    assert_eq!(world.publisher.asked(), 2);
    let attempt = &world.attempts().await[0];
    assert_eq!(attempt.reason, None);
    assert!(attempt.checks.checks().iter().any(|check| {
        check.advice.as_deref().is_some_and(|advice| advice.contains("names other certificates now"))
    }));
    let shown = world.shown().await;
    assert_eq!(shown["certificates"][0]["fingerprint"], next.fingerprint());
    assert_eq!(shown["certificates"].as_array().unwrap().len(), 1);
    let change = &world.changes().await[0];
    assert_eq!(change["actor"], json!({ "type": "system" }));
    assert_eq!(change["before"]["certificates"][0]["fingerprint"], world.idp.fingerprint());
    assert_eq!(change["after"]["certificates"][0]["fingerprint"], next.fingerprint());

    // From now on it is an ordinary sign-in, and the old key is none any more.
    world.wait(1);
    let response = world.sign_in(&next, "ada").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(response.extensions().get::<Cost>().unwrap().round_trips <= 3);
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.publisher.asked(), 2);
}

#[tokio::test]
async fn of_many_who_arrive_with_the_new_key_at_once_nobody_is_refused_and_one_fetch_serves_all() {
    let world = Arc::new(World::new().await);
    let next = Arc::new(IdentityProvider::new(ENTITY_ID));
    // Slow enough for all to arrive meanwhile.
    world.publisher.publish(Published::Late(next.metadata(SSO), Duration::from_millis(400)));
    let people = (0..20).map(|number| {
        let (world, next) = (world.clone(), next.clone());
        tokio::spawn(async move { world.sign_in(&next, &format!("person{number}")).await.status() })
    });
    for person in people.collect::<Vec<_>>() {
        assert_eq!(person.await.unwrap(), StatusCode::SEE_OTHER);
    }
    assert_eq!(world.publisher.asked(), 2, "once when the connection was made, once now");
    assert_eq!(world.changes().await.len(), 2);
}

#[tokio::test]
async fn a_hundred_bad_signatures_spend_one_fetch() {
    let world = Arc::new(World::new().await);
    let evil = Arc::new(IdentityProvider::new(ENTITY_ID));
    let posts = (0..100).map(|_| {
        let (world, evil) = (world.clone(), evil.clone());
        tokio::spawn(async move { world.sign_in(&evil, "ada").await.status() })
    });
    for post in posts.collect::<Vec<_>>() {
        assert_eq!(post.await.unwrap(), StatusCode::FORBIDDEN);
    }
    assert_eq!(world.publisher.asked(), 2);
    let attempts = world.attempts().await;
    assert_eq!(attempts.len(), 100);
    for attempt in attempts {
        assert_eq!(attempt.reason, Some(Reason::Signature));
        let advice = attempt.checks.failed().unwrap().advice.as_deref().unwrap();
        assert!(advice.contains("names the same certificates"), "{advice}");
    }
    // Whoever comes within the next minutes is refused at once, and whoever is right is not held up.
    world.wait(QUIET - 1);
    let response = world.sign_in(&evil, "ada").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.publisher.asked(), 2);
    let cost = *response.extensions().get::<Cost>().unwrap();
    assert!(cost.round_trips <= 5, "the two facts, the mark, who began, what came of it and the trace: {cost}");
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::SEE_OTHER);
    world.wait(1);
    assert_eq!(world.sign_in(&evil, "ada").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.publisher.asked(), 3, "and then once more");
}

#[tokio::test]
async fn a_fetch_is_spent_only_on_a_browser_that_signs_in_here() {
    let world = World::new().await;
    let evil = IdentityProvider::new(ENTITY_ID);
    let (login, cookie) = world.wait_for().await;
    let response = evil.respond(&world.claims(&login, "ada"), Some(Signing::Assertion));
    // Another browser, and none of ours.
    for cookie in ["", "vestibule-login-00000000=x"] {
        assert_eq!(world.post(&login, cookie, &response).await.status(), StatusCode::FORBIDDEN);
    }
    // This browser, with what other keys would not mend.
    let tampered = world.idp.xml(&world.claims(&login, "ada"), Some(Signing::Assertion)).replace("ada@", "eve@");
    let tampered = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, tampered);
    for response in ["%%%", tampered.as_str()] {
        assert_eq!(world.post(&login, &cookie, response).await.status(), StatusCode::FORBIDDEN);
    }
    // A login that took too long.
    world.wait(vestibule::login::LIFETIME);
    assert_eq!(world.post(&login, &cookie, &response).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.publisher.asked(), 1);
    assert_eq!(world.sign_in(&evil, "ada").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.publisher.asked(), 2, "the control");
}

#[tokio::test]
async fn what_can_not_be_fetched_leaves_the_old_keys_and_says_so() {
    let world = World::new().await;
    let next = IdentityProvider::new(ENTITY_ID);
    world.publisher.publish(Published::Status(503));
    assert_eq!(world.sign_in(&next, "ada").await.status(), StatusCode::FORBIDDEN);
    let attempt = world.attempts().await.remove(0);
    let advice = attempt.checks.failed().unwrap().advice.clone().unwrap();
    assert!(advice.contains("could not be fetched again: the server answered with the status 503."), "{advice}");
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::SEE_OTHER, "the old key still signs in");
    let shown = world.shown().await;
    assert_eq!(shown["refresh"]["failing"]["finding"], "refused");
    assert_eq!(shown["warnings"][0]["warning"], "metadata_fails");
    assert_eq!(world.changes().await.len(), 1, "nothing of what is trusted changed");

    // Whoever took the address over is no identity provider of this customer's.
    world.wait(QUIET);
    let evil = IdentityProvider::new("https://evil.example/saml");
    world.publisher.publish(Published::Document(evil.metadata(SSO)));
    assert_eq!(world.sign_in(&evil, "ada").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.shown().await["refresh"]["failing"]["finding"], "other_entity");
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_fetch_that_was_begun_and_lost_holds_nobody_up() {
    let world = World::new().await;
    let begun = world.app().store.begin_fetch(world.connection.id, QUIET, world.app().clock.now()).await.unwrap();
    assert_eq!(begun, None, "ours");
    world.wait(30);
    let response = world.sign_in(&IdentityProvider::new(ENTITY_ID), "ada").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let cost = *response.extensions().get::<Cost>().unwrap();
    assert!(cost.round_trips <= 5, "looked at once, not waited for: {cost}");
    assert_eq!(world.publisher.asked(), 1);
}

#[tokio::test]
async fn a_connection_by_document_fetches_nothing() {
    let world = World::new().await;
    let path = format!("/parents/{}/connection", world.connection.parent);
    let document = json!({ "metadata_xml": world.idp.metadata(SSO) });
    let shown = world.product.done(Method::PUT, &path, Some(document)).await;
    assert!(shown.get("refresh").is_none());
    let evil = IdentityProvider::new(ENTITY_ID);
    assert_eq!(world.sign_in(&evil, "ada").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.sign_in(&world.idp, "ada").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(world.publisher.asked(), 1);
}
