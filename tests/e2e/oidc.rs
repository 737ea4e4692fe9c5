//! The OpenID Connect provider over a real engine: what it answers, what it refuses and what that costs.

mod attacks;
mod authorize;
mod choose;
mod client;
mod keys;
mod token;
mod userinfo;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};
use vestibule::{
    account::{Account, Address, Membership, Source},
    app::App,
    application::Application,
    clock::SignedDuration,
    domain::Ownership,
    id::{ApplicationId, OrganizationId, ParentId, Secret},
    organization::{Organization, found, new_account},
    provisioning::{Mode, Provisioning},
    session::{self, Authentication, Session},
    surface::Role,
    table::{Cost, Key, Stored, Transaction},
};
use vestibule_tests::Product;

const CALLBACK: &str = "https://app.example.com/cb?tenant=1";
/// Of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Two applications of one surface, and Ada, who belongs to one organization and has signed in.
struct World {
    product: Product,
    router: Router,
    parent: ParentId,
    organization: Organization,
    ada: Account,
    session: String,
    application: Registered,
    other: Registered,
}

/// An application, and its secret if it has one.
#[derive(Clone)]
struct Registered {
    id: ApplicationId,
    secret: Option<String>,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
    cost: Cost,
}

impl Answer {
    fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.body))
    }

    /// The parameters of the address that it redirects to, which is the application's.
    fn handed_over(&self) -> HashMap<String, String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let target = self.header(header::LOCATION);
        assert!(target.starts_with(CALLBACK), "{target}");
        target.parse::<Url>().unwrap().query_pairs().into_owned().collect()
    }

    fn error(&self) -> String {
        self.handed_over().remove("error").unwrap_or_else(|| panic!("{}", self.header(header::LOCATION)))
    }

    /// Refused with a page, and sent nowhere.
    fn assert_page(&self, status: StatusCode, says: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.headers.get(header::LOCATION).is_none());
        assert!(self.headers.get(header::SET_COOKIE).is_none());
        assert!(self.body.contains(says), "{}", self.body);
    }

    fn assert_json_error(&self, status: StatusCode, error: &str) {
        assert_eq!((self.status, self.json()["error"].as_str()), (status, Some(error)), "{}", self.body);
        assert_eq!(self.header(header::CACHE_CONTROL), "no-store");
    }

    /// The name and the value of the one cookie that it sets.
    fn cookie(&self) -> (String, String) {
        let (pair, _) = self.header(header::SET_COOKIE).split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    }
}

impl World {
    async fn new() -> Self {
        let product = Product::start().await;
        let app = product.local.app.clone();
        let router = vestibule_oidc::router(app.clone());
        let email: Address = "ada@corp.example".parse().unwrap();
        let surface = app.settings.surfaces.get("claudeai").unwrap();
        let founding = found("Corp".parse().unwrap(), surface, &email, None, app.clock.now(), &app.random);
        let ada = Account { name: Some("Ada Lovelace".to_owned()), ..founding.new_account.clone().unwrap() };
        let mut transaction = Transaction::<()>::default();
        transaction.found(&founding, ());
        app.store.commit(transaction).await.unwrap();
        let mut transaction = Transaction::<()>::default();
        transaction.replace_account(&ada, 1, ());
        let held = Ownership::new(founding.parent.id, app.clock.now());
        transaction.create(Key::DomainOwner(email.domain()), &held, ());
        app.store.commit(transaction).await.unwrap();
        let (application, other) = (register(&app, true).await, register(&app, true).await);
        let parent = founding.parent.id;
        let session = sign_in(&app, &ada, parent).await;
        // The very first request of a deployment makes the keys; costs are those of all others.
        app.signing_keys(app.clock.now()).await.unwrap();
        Self { product, router, parent, organization: founding.organization, ada, session, application, other }
    }

    fn app(&self) -> &Arc<App> {
        &self.product.local.app
    }

    fn wait(&self, seconds: i64) {
        self.product.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Another organization of the same parent, on the same surface.
    async fn organization(&self, name: &str, mode: Mode) -> Organization {
        self.organization_of(name, mode, self.parent, "claudeai").await
    }

    async fn organization_of(&self, name: &str, mode: Mode, parent: ParentId, surface: &str) -> Organization {
        let app = self.app();
        let surface = app.settings.surfaces.get(surface).unwrap();
        let owner: Address = format!("owner-{}@corp.example", app.random.secret().reveal()).parse().unwrap();
        let mut founding = found(name.parse().unwrap(), surface, &owner, None, app.clock.now(), &app.random);
        founding.parent.id = parent;
        founding.organization.parent = parent;
        founding.organization.provisioning = Provisioning { mode, group_mappings: false };
        let mut transaction = Transaction::<()>::default();
        transaction.found(&founding, ());
        app.store.commit(transaction).await.unwrap();
        founding.organization
    }

    async fn join(&self, organization: OrganizationId, role: &str) {
        let role: Role = serde_json::from_value(role.into()).unwrap();
        let membership = Membership {
            account: self.ada.id,
            email: self.ada.email.clone(),
            organization,
            role,
            source: Source::Manual,
            since: self.app().clock.now(),
        };
        let mut transaction = Transaction::<()>::default();
        transaction.create_membership(&membership, ());
        self.app().store.commit(transaction).await.unwrap();
    }

    async fn membership(&self, organization: OrganizationId) -> Option<Stored<Membership>> {
        self.app().store.membership(&self.ada.email.folded(), organization).await.unwrap()
    }

    async fn leave(&self, organization: OrganizationId) {
        let stored = self.membership(organization).await.unwrap();
        let mut transaction = Transaction::<()>::default();
        transaction.delete_membership(&stored.value, stored.version, ());
        self.app().store.commit(transaction).await.unwrap();
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        self.send_to(&self.router, request).await
    }

    async fn send_to(&self, router: &Router, request: Request<Body>) -> Answer {
        let response: Response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let cost = parts.extensions.get::<Cost>().copied().unwrap_or_default();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body, cost }
    }

    async fn get(&self, address: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request(Method::GET, address, headers, String::new())).await
    }

    async fn post(&self, address: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Answer {
        self.send(posted(address, headers, form)).await
    }

    /// The parameters of a sound authorization request, with some changed: an empty one is left out.
    fn asked<'a>(&'a self, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, String)> {
        let mut asked: BTreeMap<&str, String> = BTreeMap::from([
            ("client_id", self.application.id.to_string()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("response_type", "code".to_owned()),
            ("scope", "openid email profile offline_access".to_owned()),
            ("state", "a state".to_owned()),
            ("nonce", "a nonce".to_owned()),
            ("code_challenge", CHALLENGE.to_owned()),
            ("code_challenge_method", "S256".to_owned()),
        ]);
        asked.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        asked.retain(|_, value| !value.is_empty());
        asked.into_iter().collect()
    }

    /// An authorization request in the browser that has this cookie.
    async fn authorize(&self, changes: &[(&str, &str)], cookie: &str) -> Answer {
        let address = format!("/oidc/authorize?{}", encoded(&self.asked(changes)));
        self.get(&address, &[("cookie", cookie)]).await
    }

    /// A code for Ada's one organization.
    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let answer = self.authorize(changes, &self.session).await;
        let code = answer.handed_over().remove("code");
        code.unwrap_or_else(|| panic!("{}", answer.header(header::LOCATION)))
    }

    /// The exchange of a code as a form, with some fields changed: an empty one is left out.
    fn exchange<'a>(code: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut form = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ]);
        form.extend(changes.iter().copied());
        form.retain(|_, value| !value.is_empty());
        form.into_iter().collect()
    }

    async fn token(&self, application: &Registered, form: &[(&str, &str)]) -> Answer {
        self.post("/oidc/token", &[("authorization", &application.basic())], form).await
    }

    /// The tokens of a fresh code.
    async fn tokens(&self, changes: &[(&str, &str)]) -> Value {
        let code = self.code(changes).await;
        let answer = self.token(&self.application, &Self::exchange(&code, &[])).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.token(&self.application, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn userinfo(&self, token: &str) -> Answer {
        self.get("/oidc/userinfo", &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Nothing that these tokens gave is good any more.
    async fn assert_revoked(&self, tokens: &Value) {
        let told = self.userinfo(tokens["access_token"].as_str().unwrap()).await;
        told.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_token");
        if let Some(token) = tokens["refresh_token"].as_str() {
            self.refresh(token).await.assert_json_error(StatusCode::BAD_REQUEST, "invalid_grant");
        }
    }
}

impl Registered {
    fn basic(&self) -> String {
        let secret = self.secret.as_deref().unwrap_or_default();
        format!("Basic {}", STANDARD.encode(format!("{}:{secret}", self.id)))
    }
}

async fn register(app: &App, confidential: bool) -> Registered {
    let secret = confidential.then(|| app.random.secret());
    let application = Application {
        id: app.random.id(),
        name: "Reports & more".parse().unwrap(),
        surface: app.settings.surfaces.get("claudeai").unwrap().id.clone(),
        redirect_uris: vec![CALLBACK.parse().unwrap(), "com.example.app:/cb".parse().unwrap()],
        start_login_uri: None,
        secret: secret.as_ref().map(Secret::hash),
        created_at: app.clock.now(),
    };
    let mut transaction = Transaction::<()>::default();
    transaction.create_application(&application);
    app.store.commit(transaction).await.unwrap();
    Registered { id: application.id, secret: secret.map(|secret| secret.reveal().to_owned()) }
}

fn authentication(app: &App, account: &Account, parent: ParentId) -> Authentication {
    Authentication {
        account: account.id,
        email: account.email.clone(),
        connection: app.random.id(),
        parent,
        at: app.clock.now(),
        proven_at: app.clock.now(),
        methods: vec!["saml".to_owned()],
    }
}

/// A session of a person that begins now, as the browser's cookie.
async fn sign_in(app: &App, account: &Account, parent: ParentId) -> String {
    let secret = app.random.secret();
    let mut transaction = Transaction::<()>::default();
    transaction.begin_session(&secret.hash(), &Session::begin(authentication(app, account, parent), None));
    app.store.commit(transaction).await.unwrap();
    format!("{}={}", session::COOKIE, secret.reveal())
}

/// Another person with an account.
async fn somebody(app: &App, email: &str) -> Account {
    let account = new_account(&email.parse().unwrap(), app.clock.now(), &app.random);
    let mut transaction = Transaction::<()>::default();
    transaction.create_account(&account, ());
    app.store.commit(transaction).await.unwrap();
    account
}

fn encoded(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn request(method: Method, address: &str, headers: &[(&str, &str)], body: String) -> Request<Body> {
    let request = Request::builder().method(method).uri(address);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body)).unwrap()
}

fn posted(address: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Request<Body> {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    request(Method::POST, address, &[headers, &[kind]].concat(), encoded(form))
}

/// The claims of an ID token, whose signature is looked at elsewhere.
fn claims(tokens: &Value) -> Value {
    let payload = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
