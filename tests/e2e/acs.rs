//! The assertion consumer service over a real engine: what it accepts, what each refusal leaves behind, what it costs.

mod encrypted;
mod set_ups;
mod unsolicited;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use tower::ServiceExt as _;
use vestibule::{
    account::Address,
    app::App,
    clock::SignedDuration,
    connection::{Connection, Options},
    domain::{DomainName, Ownership},
    grant::AuthorizationRequest,
    id::{AccountId, ConnectionId, Secret},
    login::{Attempt, Login, Progress},
    organization::{Organization, found},
    provisioning::{Mode, Provisioning},
    saml::{Check, IdpMetadata, Outcome, PERSISTENT_FORMAT, Reason},
    table::{Cost, Key, Transaction},
};
use vestibule_local::idp::response::Signing;
use vestibule_tests::{
    Product,
    identity_provider::{Claims, IdentityProvider},
};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// A customer with a verified domain, a connection and an organization in JIT mode, and a person about to sign in.
struct World {
    product: Product,
    app: Arc<App>,
    router: Router,
    idp: IdentityProvider,
    connection: Connection,
    organization: Organization,
}

/// A login that waits for an answer, and its browser's cookie.
struct Waiting {
    login: Login,
    cookie: String,
}

impl World {
    async fn new() -> Self {
        let product = Product::start().await;
        let app = product.local.app.clone();
        Self::of(product, app, IdentityProvider::new("https://idp.corp.example/saml")).await
    }

    /// A world in which the deployment answers at `app`'s address.
    async fn of(product: Product, app: Arc<App>, idp: IdentityProvider) -> Self {
        let (connection, organization) = customer(&app, &idp, "corp.example").await;
        let router = vestibule_saml::router(app.clone());
        Self { product, app, router, idp, connection, organization }
    }

    fn app(&self) -> &Arc<App> {
        &self.app
    }

    async fn wait_for(&self, connection: ConnectionId) -> Waiting {
        self.wait_for_person(connection, None).await
    }

    /// As [`World::wait_for`], where the application expects one person.
    async fn wait_for_person(&self, connection: ConnectionId, subject: Option<AccountId>) -> Waiting {
        let request = AuthorizationRequest {
            application: self.app().random.id(),
            surface: self.organization.surface.clone(),
            redirect_uri: "https://app.example.com/callback".to_owned(),
            scope: "openid".to_owned(),
            state: Some("the state".to_owned()),
            nonce: None,
            code_challenge: "x".to_owned(),
            organization: None,
            force: false,
            subject,
        };
        let (mut login, browser) = Login::begin(request, self.app().clock.now(), &self.app().random);
        login.progress = Progress::IdentityProvider { connection, request_id: format!("_request{}", login.id.short()) };
        let mut transaction = Transaction::<()>::default();
        transaction.begin_login(&login);
        self.app().store.commit(transaction).await.unwrap();
        let prefix = if self.app().settings.base_url.scheme() == "https" { "__Host-" } else { "" };
        let cookie = format!("{prefix}{}={}", vestibule::login::cookie_name(login.id), browser.reveal());
        Waiting { login, cookie }
    }

    async fn waiting(&self) -> Waiting {
        self.wait_for(self.connection.id).await
    }

    /// What a sound response to the login says of Ada.
    fn claims(&self, waiting: &Waiting) -> Claims {
        let Progress::IdentityProvider { request_id, .. } = &waiting.login.progress else { panic!("waiting") };
        Claims {
            issuer: self.idp.entity_id.clone(),
            destination: self.connection.acs_url(&self.app().settings),
            audience: self.connection.entity_id(&self.app().settings),
            in_response_to: request_id.clone(),
            name_id: ("ada-7".to_owned(), PERSISTENT_FORMAT.to_owned()),
            email: "Ada@corp.example".to_owned(),
            status: SUCCESS.to_owned(),
            at: self.app().clock.now(),
        }
    }

    async fn post(&self, connection: &str, waiting: Option<&Waiting>, response: &str) -> Response {
        let relay_state = waiting.map(|waiting| waiting.login.id.to_string());
        self.post_with(connection, waiting, relay_state.as_deref(), response).await
    }

    /// As [`World::post`], with a relay state of its own.
    async fn post_with(
        &self,
        connection: &str,
        waiting: Option<&Waiting>,
        relay_state: Option<&str>,
        response: &str,
    ) -> Response {
        let mut form = vec![("SAMLResponse", response.to_owned())];
        form.extend(relay_state.map(|relay_state| ("RelayState", relay_state.to_owned())));
        let body = serde_urlencoded(&form);
        let request = Request::post(format!("/saml/{connection}/acs"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, waiting.map_or("", |waiting| waiting.cookie.as_str()))
            .body(Body::from(body))
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn answer(&self, waiting: &Waiting, claims: &Claims, signed: Option<Signing>) -> Response {
        let response = self.idp.respond(claims, signed);
        self.post(&self.connection.id.to_string(), Some(waiting), &response).await
    }

    async fn attempts(&self) -> Vec<Attempt> {
        let page = self.app().store.attempts(self.connection.parent, None, 100, self.app().clock.now()).await.unwrap();
        page.items.into_iter().map(|stored| stored.value).collect()
    }

    /// Everything that a refused sign-in must leave as it is.
    async fn state(&self, waiting: &Waiting) -> String {
        let store = &self.app().store;
        let ada: Address = "ada@corp.example".parse().unwrap();
        let person = store.person(&ada.folded()).await.unwrap();
        let members = store.members(self.organization.id, None, 100).await.unwrap().items;
        let login = store.login(waiting.login.id).await.unwrap();
        let events = store.events(self.connection.parent, None, 100).await.unwrap().items;
        format!("{person:?}\n{members:?}\n{login:?}\n{events:?}")
    }

    /// Posts, and expects a page that refuses, a trace that says why, and nothing changed but that.
    async fn refuses(&self, waiting: &Waiting, response: &str, reason: Reason) -> Attempt {
        let before = self.state(waiting).await;
        let known = self.attempts().await.len();
        let page = self.post(&self.connection.id.to_string(), Some(waiting), response).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{reason}");
        assert!(page.headers().get(header::SET_COOKIE).is_none(), "{reason}: no session");
        let html = text(page).await;
        let attempts = self.attempts().await;
        assert_eq!(attempts.len(), known + 1, "{reason}: one trace");
        let attempt = attempts.into_iter().max_by_key(|attempt| attempt.at).unwrap();
        assert_eq!(attempt.reason, Some(reason));
        assert!(html.contains(attempt.reference.as_str()), "{reason}: the page shows the reference number");
        let failed = attempt.checks.failed().unwrap_or_else(|| panic!("{reason}: a failed check"));
        assert!(failed.advice.is_some(), "{reason}: advice");
        let after = attempt.checks.checks().iter().skip_while(|check| check.outcome != Outcome::Failed).skip(1);
        assert!(after.into_iter().all(|check| check.outcome == Outcome::NotReached), "{reason}: the rest not reached");
        assert_eq!(self.state(waiting).await, before, "{reason}: nothing changed");
        // The next one is told apart by its time.
        self.product.clock.advance(SignedDuration::from_millis(1));
        attempt
    }
}

async fn customer(app: &App, idp: &IdentityProvider, domain: &str) -> (Connection, Organization) {
    let surface = app.settings.surfaces.get("claudeai").unwrap();
    let owner: Address = format!("owner@{domain}").parse().unwrap();
    let now = app.clock.now();
    let mut founding = found("Corp".parse().unwrap(), surface, &owner, None, now, &app.random);
    founding.organization.provisioning = Provisioning { mode: Mode::Jit, group_mappings: false };
    let parent = founding.parent.id;
    let metadata = IdpMetadata::read(&idp.metadata("https://idp.corp.example/sso")).unwrap();
    let connection = Connection::to_identity_provider(parent, None, metadata, Options::default(), now, &app.random);
    let mut transaction = Transaction::<()>::default();
    transaction.found(&founding, ());
    transaction.create_connection(&connection);
    let domain: DomainName = domain.parse().unwrap();
    transaction.create(Key::DomainOwner(&domain), &Ownership::new(parent, now), ());
    app.store.commit(transaction).await.unwrap();
    (connection, founding.organization)
}

fn serde_urlencoded(form: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn location(response: &Response) -> &str {
    response.headers()[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn a_sign_in_ends_in_the_application_within_three_round_trips() {
    let world = World::new().await;
    for signed in [Signing::Assertion, Signing::Response, Signing::Both].map(Some) {
        let waiting = world.waiting().await;
        let response = world.answer(&waiting, &world.claims(&waiting), signed).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{signed:?}: {:?}", world.attempts().await.first());
        let cost = *response.extensions().get::<Cost>().unwrap();
        assert!(cost.round_trips <= 3, "{signed:?}: {cost}");

        let set = response.headers().get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let cookie = set.filter_map(|line| line.strip_prefix("vestibule-session=")?.split(';').next()).next().unwrap();
        let session = world.app().store.session(&Secret::presented(cookie).hash(), world.app().clock.now()).await;
        assert!(session.unwrap().is_none(), "a session begins when the application redeems the code");

        let target: url::Url = location(&response).parse().unwrap();
        let query: std::collections::HashMap<_, _> = target.query_pairs().into_owned().collect();
        assert_eq!(query["state"], "the state");
        assert_eq!(query["iss"], world.app().settings.issuer());
        let code = world.app().store.code(&Secret::presented(&query["code"]).hash()).await.unwrap().unwrap().value;
        assert_eq!(code.admission.organization, world.organization.id);

        let ada: Address = "ada@corp.example".parse().unwrap();
        let person = world.app().store.person(&ada.folded()).await.unwrap();
        let membership = &person.membership(world.organization.id).unwrap().value;
        assert_eq!(membership.role.as_str(), "user");
        assert!(code.admission.is_upheld_by(Some(membership)));
        assert!(world.app().store.login(waiting.login.id).await.unwrap().is_none(), "the login is finished");
        let attempt = world.attempts().await.remove(0);
        assert_eq!(attempt.reason, None);
        assert_eq!(attempt.email.unwrap().folded(), ada.folded());
        let passed = |check: &Check| check.outcome == Outcome::Passed;
        assert!(attempt.checks.checks().iter().all(passed), "{signed:?}: {:?}", attempt.checks);
        let events = world.app().store.events(world.connection.parent, None, 10).await.unwrap().items;
        let events: Vec<_> = events.into_iter().map(|stored| stored.value.action).collect();
        assert_eq!(events.len(), 2, "joined and tied, at the first sign-in only: {events:?}");
        world.product.clock.advance(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn each_check_refuses() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    let good = world.claims(&waiting);
    let other = IdentityProvider::new(&world.idp.entity_id);
    let spoil = |change: &dyn Fn(&mut Claims)| {
        let mut claims = good.clone();
        change(&mut claims);
        world.idp.respond(&claims, Some(Signing::Assertion))
    };
    let sound = world.idp.xml(&good, Some(Signing::Assertion));
    let encode = |xml: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(xml)
    };
    let hour = 3600;
    let cases = [
        ("%%%".to_owned(), Reason::Malformed),
        (encode("<a/>"), Reason::Structure),
        (encode(&format!("<!DOCTYPE a>{sound}")), Reason::Dtd),
        (encode(&sound.replace("</saml:NameID>", "<!-- x --></saml:NameID>")), Reason::Markup),
        (encode(&format!("{sound}{}", " ".repeat(300_000))), Reason::TooLarge),
        (world.idp.respond(&good, None), Reason::SignatureMissing),
        (other.respond(&good, Some(Signing::Assertion)), Reason::Signature),
        (encode(&sound.replace("Ada@corp", "Eve@corp")), Reason::Digest),
        (spoil(&|c| c.status = "urn:oasis:names:tc:SAML:2.0:status:Responder".to_owned()), Reason::Status),
        (spoil(&|c| c.issuer = "https://elsewhere.example".to_owned()), Reason::Issuer),
        (spoil(&|c| c.audience = "https://elsewhere.example".to_owned()), Reason::Audience),
        (spoil(&|c| c.destination = "https://elsewhere.example/acs".to_owned()), Reason::Destination),
        (spoil(&|c| c.at = vestibule::clock::after(c.at, -hour)), Reason::Expired),
        (spoil(&|c| c.at = vestibule::clock::after(c.at, hour)), Reason::NotYetValid),
        (spoil(&|c| c.in_response_to = "_another".to_owned()), Reason::InResponseTo),
        (spoil(&|c| c.in_response_to = String::new()), Reason::InResponseTo),
        (spoil(&|c| c.name_id.1 = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned()), Reason::NameId),
        (spoil(&|c| c.email = String::new()), Reason::EmailMissing),
        (spoil(&|c| c.email = "ada@elsewhere.example".to_owned()), Reason::DomainNotOwned),
        (spoil(&|c| c.email = "ada@sub.corp.example".to_owned()), Reason::DomainNotOwned),
    ];
    for (response, reason) in cases {
        let attempt = world.refuses(&waiting, &response, reason).await;
        assert_eq!(attempt.email, None, "{reason}: no address of a domain that is not proven to be the customer's");
    }
    // The positive control: the very login that all these were posted to.
    let response = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Assertion)).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_customers_domain_connection_and_login_are_refused() {
    let world = World::new().await;
    let evil = IdentityProvider::new("https://idp.evil.example");
    let (evil_connection, _) = customer(world.app(), &evil, "evil.example").await;

    // Their identity provider asserts our address through their own connection.
    let waiting = world.wait_for(evil_connection.id).await;
    let mut claims = world.claims(&waiting);
    claims.issuer.clone_from(&evil.entity_id);
    claims.destination = evil_connection.acs_url(&world.app().settings);
    claims.audience = evil_connection.entity_id(&world.app().settings);
    let response = evil.respond(&claims, Some(Signing::Both));
    let page = world.post(&evil_connection.id.to_string(), Some(&waiting), &response).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let now = world.app().clock.now();
    let traces = world.app().store.attempts(evil_connection.parent, None, 10, now).await.unwrap().items;
    assert_eq!(traces[0].value.reason, Some(Reason::DomainNotOwned));
    assert!(traces[0].value.email.is_none());

    // Our response at their ACS, and theirs at ours.
    let ours = world.waiting().await;
    let response = world.idp.respond(&world.claims(&ours), Some(Signing::Both));
    let page = world.post(&evil_connection.id.to_string(), Some(&ours), &response).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    world.refuses(&ours, &evil.respond(&claims, Some(Signing::Both)), Reason::Signature).await;

    // A sound response, but this browser has no such login.
    let stranger = Waiting { login: ours.login.clone(), cookie: String::new() };
    let response = world.idp.respond(&world.claims(&ours), Some(Signing::Both));
    world.refuses(&stranger, &response, Reason::InResponseTo).await;
}

#[tokio::test]
async fn an_address_with_a_new_name_id_is_refused_and_so_is_a_name_id_with_a_new_address() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    assert_eq!(
        world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await.status(),
        StatusCode::SEE_OTHER
    );
    world.product.clock.advance(SignedDuration::from_secs(1));

    let waiting = world.waiting().await;
    let mut claims = world.claims(&waiting);
    claims.name_id.0 = "somebody-else".to_owned();
    world.refuses(&waiting, &world.idp.respond(&claims, Some(Signing::Both)), Reason::NameIdConflict).await;
    let mut claims = world.claims(&waiting);
    claims.email = "eve@corp.example".to_owned();
    world.refuses(&waiting, &world.idp.respond(&claims, Some(Signing::Both)), Reason::NameIdConflict).await;
}

#[tokio::test]
async fn a_stranger_to_a_manual_organization_is_refused() {
    let world = World::new().await;
    let manual = Organization { provisioning: Provisioning::default(), ..world.organization.clone() };
    let mut transaction = Transaction::<()>::default();
    transaction.replace_organization(&manual, 1, ());
    world.app().store.commit(transaction).await.unwrap();
    let waiting = world.waiting().await;
    let response = world.idp.respond(&world.claims(&waiting), Some(Signing::Both));
    let attempt = world.refuses(&waiting, &response, Reason::NotMember).await;
    assert!(attempt.email.is_some(), "the administrator may see who it was");
}

#[tokio::test]
async fn nobody_joins_by_a_domain_that_has_lapsed_and_members_go_on() {
    let world = World::new().await;
    let domain: DomainName = "corp.example".parse().unwrap();
    let lapse = async |lapsed_at| {
        let held = world.app().store.domain_ownership(&domain).await.unwrap().unwrap();
        let mut transaction = Transaction::<()>::default();
        let lapsed = Ownership { lapsed_at, ..held.value };
        transaction.replace(Key::DomainOwner(&domain), &lapsed, held.version, ());
        world.app().store.commit(transaction).await.unwrap();
    };
    lapse(Some(world.app().clock.now())).await;
    let waiting = world.waiting().await;
    let response = world.idp.respond(&world.claims(&waiting), Some(Signing::Both));
    world.refuses(&waiting, &response, Reason::DomainLapsed).await;
    // Restored for as long as it takes to join.
    lapse(None).await;
    for lapsed_at in [Some(world.app().clock.now()), None] {
        let waiting = world.waiting().await;
        let answer = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        lapse(lapsed_at).await;
        world.product.clock.advance(SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn of_a_hundred_posts_of_one_response_one_signs_in() {
    let world = Arc::new(World::new().await);
    let waiting = Arc::new(world.waiting().await);
    let response = world.idp.respond(&world.claims(&waiting), Some(Signing::Both));
    let posts = (0..100).map(|_| {
        let (world, waiting, response) = (world.clone(), waiting.clone(), response.clone());
        tokio::spawn(
            async move { world.post(&world.connection.id.to_string(), Some(&waiting), &response).await.status() },
        )
    });
    let mut accepted = 0;
    for post in posts.collect::<Vec<_>>() {
        let status = post.await.unwrap();
        accepted += usize::from(status == StatusCode::SEE_OTHER);
        let sound = [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE];
        assert!(sound.contains(&status), "{status}");
    }
    assert_eq!(accepted, 1);
    let accepted = world.attempts().await.into_iter().filter(|attempt| attempt.reason.is_none()).count();
    assert_eq!(accepted, 1, "one accepted attempt is on record");
}

#[tokio::test]
async fn an_unknown_connection_and_a_form_that_is_none_get_a_page_with_a_reference() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    for unknown in [world.app().random.id::<vestibule::id::ConnectionKind>().to_string(), "nonsense".to_owned()] {
        let page = world.post(&unknown, Some(&waiting), "x").await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(text(page).await.contains("data-reference"));
    }
    let acs = format!("/saml/{}/acs", world.connection.id);
    let send = |body: Vec<u8>, kind: &'static str| {
        let request = Request::post(&acs).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        world.router.clone().oneshot(request)
    };
    for (body, kind) in [
        (b"SAMLResponse=a&SAMLResponse=b".to_vec(), "application/x-www-form-urlencoded"),
        (b"{}".to_vec(), "application/json"),
        (b"RelayState=x".to_vec(), "application/x-www-form-urlencoded"),
        (vec![b'a'; 2 << 20], "application/x-www-form-urlencoded"),
    ] {
        let page = send(body, kind).await.unwrap();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
        assert!(text(page).await.contains("data-reference"));
        world.product.clock.advance(SignedDuration::from_millis(1));
    }
    assert_eq!(world.attempts().await.len(), 0, "strangers do not bury what an administrator looks for");
}

#[tokio::test]
async fn a_login_that_took_too_long_is_refused() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    world.product.clock.advance(SignedDuration::from_secs(vestibule::login::LIFETIME));
    let response = world.idp.respond(&world.claims(&waiting), Some(Signing::Both));
    world.refuses(&waiting, &response, Reason::InResponseTo).await;
}

#[tokio::test]
async fn somebody_else_than_the_application_expects_is_not_handed_over() {
    let world = World::new().await;
    let expected = world.app().random.id();
    let waiting = world.wait_for_person(world.connection.id, Some(expected)).await;
    let response = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await;
    let target: url::Url = location(&response).parse().unwrap();
    let query: std::collections::HashMap<_, _> = target.query_pairs().into_owned().collect();
    assert_eq!((query["error"].as_str(), query["state"].as_str()), ("login_required", "the state"));
    assert!(!query.contains_key("code"));
}
