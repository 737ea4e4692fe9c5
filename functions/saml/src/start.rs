//! The start of a login: where does this person sign in?

use askama::Template;
use axum::{
    Form,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use vestibule::{
    account::Address,
    app::App,
    connection::Connection,
    domain::DomainName,
    id::{OrganizationId, ParentId},
    login::{self, Login, LoginError, Progress},
    organization::Place,
    saml::{AuthnRequest, RequestError, SigningKey, request_id},
    service_provider::KeyError,
    table::{CommitError, StoreError, Stored, Transaction},
    web::{self, Shell},
};

use crate::{Service, refusal};

/// Which login it is, and whose address or which organization, where that is known.
#[derive(Deserialize)]
pub(crate) struct Start {
    #[serde(default)]
    login: String,
    #[serde(default)]
    email: String,
    /// Only what to look up beside the login, which says whether it is the one.
    #[serde(default)]
    organization: String,
}

/// What is looked up beside the login, before it is known what that asks for.
struct Ahead {
    login: Stored<Login>,
    /// Whether there is a whole address.
    has_address: bool,
    /// Who holds its domain.
    holder: Option<ParentId>,
    /// An organization, and where it is.
    place: Option<(OrganizationId, Option<Place>)>,
}

#[derive(Template)]
#[template(path = "identify.html")]
struct Identify {
    shell: Shell,
    application: String,
    login: String,
    email: String,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "forward.html")]
struct Forward {
    shell: Shell,
    action: String,
    fields: [(&'static str, String); 2],
    script: &'static str,
}

/// What stands in the way of sending the person to an identity provider.
enum Obstacle {
    /// Ask for the address, again if there is something to say about the one given.
    Ask(Option<&'static str>),
    /// The organization that the application named has no single sign-on.
    NoConnection,
    /// The login went on in another request.
    Gone,
    Unavailable(Box<dyn std::fmt::Debug + Send>),
}

/// `GET /saml/start`: goes on at once where the application named an organization or an address, else asks.
pub(crate) async fn show(
    State(service): State<Service>,
    headers: HeaderMap,
    query: Result<Query<Start>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(start)) => proceed(&service, &headers, &start).await,
        Err(_) => refusal::no_login(),
    }
}

/// `POST /saml/start`: goes on with the address that the person typed.
pub(crate) async fn identify(
    State(service): State<Service>,
    headers: HeaderMap,
    form: Result<Form<Start>, FormRejection>,
) -> Response {
    match form {
        Ok(Form(start)) => proceed(&service, &headers, &start).await,
        Err(_) => refusal::no_login(),
    }
}

async fn proceed(service: &Service, headers: &HeaderMap, start: &Start) -> Response {
    let app = &service.app;
    let ahead = match look_ahead(service, start).await {
        Ok(Some(ahead)) => ahead,
        Ok(None) => return refusal::no_login(),
        Err(error) => return refusal::unavailable(&error),
    };
    let login = &ahead.login.value;
    let cookie = web::cookie(headers, &app.settings.base_url, &login::cookie_name(login.id));
    let choosing = matches!(login.progress, Progress::Choosing { .. });
    if choosing || !login.belongs_to(cookie, app.clock.now()) {
        return refusal::no_login();
    }
    match send(service, &ahead, &start.email).await {
        Ok(response) => response,
        Err(Obstacle::Ask(problem)) => ask(app, login, &start.email, problem).await,
        Err(Obstacle::NoConnection) => refusal::page(
            StatusCode::NOT_FOUND,
            "This organization has no single sign-on.",
            "Sign in to the application in another way, or ask your administrator to set it up.",
            None,
        ),
        Err(Obstacle::Gone) => refusal::no_login(),
        Err(Obstacle::Unavailable(error)) => refusal::unavailable(&error),
    }
}

/// The first round trip, in which our keys are read too if they have to be; `None` where there is no such login.
async fn look_ahead(service: &Service, start: &Start) -> Result<Option<Ahead>, StoreError> {
    let (app, now) = (&service.app, service.app.clock.now());
    let Ok(id) = start.login.parse() else { return Ok(None) };
    let domain = domain_of(&start.email);
    let holder = async {
        match &domain {
            Some(domain) => app.store.domain_owner(domain).await,
            None => Ok(None),
        }
    };
    let place = async {
        match start.organization.parse() {
            Ok(organization) => Ok(Some((organization, app.store.place(organization).await?))),
            Err(_) => Ok(None),
        }
    };
    let keys = async { Ok(service.keys.known(app, now).await) };
    let (login, holder, place, _) = tokio::try_join!(app.store.login(id), holder, place, keys)?;
    Ok(login.map(|login| Ahead { login, has_address: domain.is_some(), holder, place }))
}

fn domain_of(email: &str) -> Option<DomainName> {
    email.trim().parse::<Address>().ok().map(|address| address.domain().clone())
}

/// Finds the connection, notes the request that goes to it, and sends the person there.
async fn send(service: &Service, ahead: &Ahead, email: &str) -> Result<Response, Obstacle> {
    let (app, now) = (&service.app, service.app.clock.now());
    let login = &ahead.login;
    let (parent, unconnected) = match login.value.request.organization {
        Some(organization) => (parent_of(app, organization, ahead).await?, Obstacle::NoConnection),
        None => holder_of(ahead, email)?,
    };
    let connection = match parent {
        Some(parent) => connection_of(app, parent).await?.ok_or(unconnected)?,
        None => return Err(unconnected),
    };
    let key = if connection.identity_provider.wants_signed_requests {
        Some(service.keys.keys(app, now).await?.signing_key(app, now)?)
    } else {
        None
    };
    let request_id = request_id(app.random.bytes());
    let progress = Progress::IdentityProvider { connection: connection.id, request_id: request_id.clone() };
    let mut transaction = Transaction::default();
    transaction.replace_login(&Login { progress, ..login.value.clone() }, login.version, LoginError::Changed);
    app.store.commit(transaction).await?;
    Ok(forward(app, &connection, &login.value, &request_id, key.as_ref())?)
}

async fn parent_of(app: &App, organization: OrganizationId, ahead: &Ahead) -> Result<Option<ParentId>, StoreError> {
    let place = match &ahead.place {
        Some((looked_up, place)) if *looked_up == organization => place.clone(),
        _ => app.store.place(organization).await?,
    };
    Ok(place.map(|place| place.parent))
}

/// The parent that holds the address's domain, and what to say if it has no connection either.
fn holder_of(ahead: &Ahead, email: &str) -> Result<(Option<ParentId>, Obstacle), Obstacle> {
    if email.is_empty() {
        return Err(Obstacle::Ask(None));
    }
    if !ahead.has_address {
        return Err(Obstacle::Ask(Some("This is not a complete e-mail address. It has the form name@example.com.")));
    }
    let unconnected = "No single sign-on is set up for addresses of this domain. Check the address, or sign in to \
                       the application in another way.";
    Ok((ahead.holder, Obstacle::Ask(Some(unconnected))))
}

async fn connection_of(app: &App, parent: ParentId) -> Result<Option<Connection>, StoreError> {
    let Some(id) = app.store.parent(parent).await?.and_then(|parent| parent.value.connection) else { return Ok(None) };
    Ok(app.store.connection(id).await?.map(|connection| connection.value))
}

/// The AuthnRequest, by redirect where the identity provider takes that, else by a form that posts itself.
fn forward(
    app: &App,
    connection: &Connection,
    login: &Login,
    id: &str,
    key: Option<&SigningKey>,
) -> Result<Response, RequestError> {
    let provider = &connection.identity_provider;
    let relay_state = login.id.to_string();
    let (acs_url, issuer) = (connection.acs_url(&app.settings), connection.entity_id(&app.settings));
    let request = |destination| AuthnRequest {
        id,
        issue_instant: app.clock.now(),
        destination,
        acs_url: &acs_url,
        issuer: &issuer,
        name_id_format: connection.options.name_id_format.asked(),
        force_authn: login.request.force || connection.options.force_authn,
    };
    match (&provider.sso_redirect, &provider.sso_post) {
        (Some(destination), _) => {
            let url = request(destination).redirect_url(Some(&relay_state), key)?;
            Ok(Redirect::to(url.as_str()).into_response())
        }
        (None, Some(destination)) => {
            let form = request(destination).post_form(Some(&relay_state), key)?;
            let page = Forward {
                shell: Shell::new("Signing in"),
                action: form.action.to_string(),
                fields: [("SAMLRequest", form.saml_request), ("RelayState", relay_state)],
                script: web::POST_SCRIPT,
            };
            Ok(web::page_posting_to(StatusCode::OK, &page, web::elsewhere(&app.settings.base_url)))
        }
        (None, None) => Ok(refusal::unavailable(&"a connection without a single sign-on address")),
    }
}

async fn ask(app: &App, login: &Login, email: &str, problem: Option<&'static str>) -> Response {
    let application = match app.store.application(login.request.application).await {
        Ok(Some(application)) => application.name.to_string(),
        Ok(None) => return refusal::no_login(),
        Err(error) => return refusal::unavailable(&error),
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Identify {
        shell: Shell::new(format!("Sign in to {application}")),
        application,
        login: login.id.to_string(),
        email: email.chars().take(254).collect(),
        problem,
    };
    // The answer to this form redirects to an identity provider that is not known yet, and browsers hold the redirect
    // to the form's policy.
    web::page_posting_to(status, &page, web::elsewhere(&app.settings.base_url))
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<KeyError> for Obstacle {
    fn from(error: KeyError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<RequestError> for Obstacle {
    fn from(error: RequestError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<CommitError<LoginError>> for Obstacle {
    fn from(error: CommitError<LoginError>) -> Self {
        match error {
            CommitError::Refused(LoginError::Changed) => Self::Gone,
            error => Self::Unavailable(Box::new(error)),
        }
    }
}
