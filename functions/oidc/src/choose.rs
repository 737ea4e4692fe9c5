//! `/oidc/choose`: a signed-in person chooses among several organizations, once a login.

use askama::Template;
use axum::{
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use url::Url;
use vestibule::{
    account::Person,
    app::App,
    clock::Timestamp,
    domain::Ownership,
    id::{LoginId, OrganizationId, Secret, SecretHash},
    journal::{Actor, Entry},
    login::{self, ChoiceError, Login},
    organization::Organization,
    surface::Surface,
    table::{CommitError, StoreError, Stored, Transaction},
    web::{self, Cookie, CookieReach, Shell},
};

use crate::{Provider, parameters::Parameters, refusal};

pub(crate) const PATH: &str = "/oidc/choose";

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose {
    shell: Shell,
    email: String,
    application: String,
    login: String,
    token: String,
    choices: Vec<Choice>,
}

struct Choice {
    organization: OrganizationId,
    name: String,
    joins: bool,
}

/// A login that waits for this browser's choice.
struct Waiting {
    login: Stored<Login>,
    /// What a form of this login holds.
    token: SecretHash,
    surface: Surface,
}

/// Why there is no choice.
enum Failure {
    /// Not begun in this browser, finished, or too old.
    NoLogin,
    /// Posted by a page that is not ours.
    Foreign,
    Refused(ChoiceError),
    Unavailable(Box<dyn std::fmt::Debug + Send>),
}

/// `GET /oidc/choose`: the organizations to choose from.
pub(crate) async fn show(State(provider): State<Provider>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::of_query(query.as_deref());
    let id = parameters.ok().and_then(|parameters| parameters.one("login").ok().flatten()?.parse().ok());
    let shown = match id {
        Some(id) => list(&provider.app, &headers, id).await,
        None => Err(Failure::NoLogin),
    };
    shown.unwrap_or_else(Failure::page)
}

/// `POST /oidc/choose`: the choice.
pub(crate) async fn decide(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(form) = Parameters::of_form(&headers, body) else { return refusal::no_login() };
    commit(&provider.app, &headers, &form).await.unwrap_or_else(Failure::page)
}

async fn list(app: &App, headers: &HeaderMap, id: LoginId) -> Result<Response, Failure> {
    let now = app.clock.now();
    let Waiting { login: Stored { value: login, .. }, token, surface } = wait(app, headers, id, now).await?;
    let (authentication, ..) = login.choosing()?;
    let email = authentication.email.folded();
    let (organizations, person, holder, application) = tokio::try_join!(
        app.store.organizations_on(authentication.parent, &surface.id),
        app.store.person(&email),
        app.store.domain_ownership(authentication.email.domain()),
        app.store.application(login.request.application),
    )?;
    let holder = holder.map(|stored| stored.value);
    let choices = choices(&login, &surface, &organizations, &person, holder, now)?;
    let page = Choose {
        shell: Shell::new("Choose an organization"),
        email: authentication.email.to_string(),
        application: application.map(|application| application.name.to_string()).ok_or(Failure::NoLogin)?,
        login: id.to_string(),
        token: token.as_str().to_owned(),
        choices,
    };
    let elsewhere = where_to(&login.request.redirect_uri, &app.settings.base_url);
    Ok(web::page_posting_to(StatusCode::OK, &page, &elsewhere))
}

async fn commit(app: &App, headers: &HeaderMap, form: &Parameters) -> Result<Response, Failure> {
    let field = |name| form.one(name).ok().flatten();
    let id = field("login").and_then(|id| id.parse().ok()).ok_or(Failure::NoLogin)?;
    let chosen = field("organization").and_then(|id| id.parse().ok());
    let now = app.clock.now();
    if !web::is_from_own_page(headers, &app.settings.base_url) {
        return Err(Failure::Foreign);
    }
    let Waiting { login: Stored { value: login, version }, token, surface } = wait(app, headers, id, now).await?;
    let presented = field("token").map(|presented| Secret::presented(presented).hash());
    if presented != Some(Secret::presented(token.as_str()).hash()) {
        return Err(Failure::Foreign);
    }
    let (authentication, ..) = login.choosing()?;
    let email = authentication.email.folded();
    let (organizations, person, holder) = tokio::try_join!(
        app.store.organizations_on(authentication.parent, &surface.id),
        app.store.person(&email),
        app.store.domain_ownership(authentication.email.domain()),
    )?;
    let chosen = chosen.ok_or(ChoiceError::NotOffered)?;
    let holder = holder.map(|stored| stored.value);
    let entrance = login.choose(chosen, &surface, &organizations, &person, holder, now)?;

    let actor = Actor::Account { id: authentication.account };
    let entry = Entry { trail: authentication.parent.into(), actor, at: now };
    let mut transaction = Transaction::default();
    transaction.finish_login(id, version, ChoiceError::Finished);
    let code = transaction.enter(&login, &entrance, login.promised(now), entry, ChoiceError::Changed, &app.random);
    app.store.commit(transaction).await?;

    let response = web::redirect(&login.request.answered_with(&code, app.settings.issuer()));
    let name = login::cookie_name(id);
    let ended = Cookie { name: &name, value: "", max_age: 0, reach: CookieReach::CrossSite };
    Ok(web::with_cookie(response, &app.settings.base_url, ended))
}

/// The first round trip: the login, if it waits for this browser.
async fn wait(app: &App, headers: &HeaderMap, id: LoginId, now: Timestamp) -> Result<Waiting, Failure> {
    let login = app.store.login(id).await?.ok_or(Failure::NoLogin)?;
    let cookie = web::cookie(headers, &app.settings.base_url, &login::cookie_name(id));
    let secret = cookie.filter(|_| login.value.belongs_to(cookie, now)).ok_or(Failure::NoLogin)?;
    let surface = app.settings.surfaces.get(login.value.request.surface.as_str()).ok_or(Failure::NoLogin)?.clone();
    // Whoever can read the page has it; whoever can only make the browser send the cookie has not.
    let token = Secret::presented(&format!("choose {secret}")).hash();
    Ok(Waiting { login, token, surface })
}

/// What can be chosen now, of what was offered.
fn choices(
    login: &Login,
    surface: &Surface,
    organizations: &[Stored<Organization>],
    person: &Person,
    holder: Option<Ownership>,
    now: Timestamp,
) -> Result<Vec<Choice>, ChoiceError> {
    let (_, offered, _) = login.choosing()?;
    let mut choices = Vec::new();
    let mut refused = ChoiceError::NotMember;
    for id in offered {
        match login.choose(*id, surface, organizations, person, holder, now) {
            Ok(entrance) => choices.extend(organizations.iter().find(|stored| stored.value.id == *id).map(|stored| {
                Choice { organization: *id, name: stored.value.name.to_string(), joins: entrance.joins.is_some() }
            })),
            Err(error) => refused = error,
        }
    }
    if choices.is_empty() { Err(refused) } else { Ok(choices) }
}

/// Where the choice may lead, as CSP sources: on to the application, and to wherever that redirects in turn.
fn where_to(redirect_uri: &str, base_url: &Url) -> String {
    let usual = web::elsewhere(base_url);
    match Url::parse(redirect_uri) {
        Ok(url) if url.scheme() != "https" => format!("{usual} {}:", url.scheme()),
        Ok(_) | Err(_) => usual.to_owned(),
    }
}

impl Failure {
    fn page(self) -> Response {
        match self {
            Self::NoLogin | Self::Refused(ChoiceError::Finished) => refusal::no_login(),
            Self::Foreign => refusal::page(
                StatusCode::FORBIDDEN,
                "This choice was not made on a page of ours.",
                "Go back to the application and sign in again.",
            ),
            Self::Refused(error) => refusal::page(
                StatusCode::FORBIDDEN,
                &format!("You can not go on: {error}."),
                "Go back to the application and sign in again, or ask your administrator to add you.",
            ),
            Self::Unavailable(error) => refusal::unavailable(&error),
        }
    }
}

impl From<ChoiceError> for Failure {
    fn from(error: ChoiceError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<CommitError<ChoiceError>> for Failure {
    fn from(error: CommitError<ChoiceError>) -> Self {
        match error {
            CommitError::Refused(error) => Self::Refused(error),
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_may_lead_to_the_application_whatever_its_scheme() {
        let base_url = "https://id.example.com".parse().unwrap();
        assert_eq!(where_to("https://app.example.com/cb", &base_url), "https:");
        assert_eq!(where_to("com.example.app:/cb", &base_url), "https: com.example.app:");
        assert_eq!(where_to("http://localhost:4000/cb", &base_url), "https: http:");
    }
}
