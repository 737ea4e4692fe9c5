//! `/oidc/authorize`: what an application asks for, and the first step of an answer (RFC 6749, section 4.1.1; OpenID
//! Connect Core, section 3.1.2).

mod request;

use std::{convert::Infallible, fmt::Debug};

use axum::{
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use url::form_urlencoded;
use vestibule::{
    account::Address,
    app::App,
    application::Application,
    clock::Timestamp,
    grant::{self, Admission, Code},
    id::{AccountId, ApplicationId, OrganizationId},
    login::{self, Login, Progress},
    organization::Place,
    session::{self, Authentication, Session},
    signing_key::KeyRingError,
    table::Transaction,
    web::{self, Cookie, CookieReach},
};

pub(crate) use request::PROMPTS;
use request::{Asked, Refusal};

use crate::{
    Provider, choose,
    parameters::{ParameterError, Parameters},
    refusal,
};

pub(crate) const PATH: &str = "/oidc/authorize";

/// What is known when the request is judged.
struct Facts {
    application: Option<Application>,
    place: Option<Place>,
    session: Option<Session>,
    hint: Hint,
}

/// What an `id_token_hint` says.
#[derive(Clone, Copy)]
enum Hint {
    /// There is none.
    None,
    /// The answer is about this person or about nobody.
    Of(AccountId),
    /// It is not ours, or its key is long gone: the person signs in, whoever it is.
    Unreadable,
}

/// The first step of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Answer(OrganizationId),
    Choose(Vec<OrganizationId>),
    SignIn,
    Refuse(&'static str, &'static str),
}

/// `GET /oidc/authorize`.
pub(crate) async fn by_get(
    State(provider): State<Provider>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&provider, &headers, Parameters::of_query(query.as_deref())).await
}

/// `POST /oidc/authorize`, with the same parameters in a form.
pub(crate) async fn by_post(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let parameters = Parameters::of_form(&headers, body);
    answer(&provider, &headers, parameters).await
}

/// Until it is certain whom an answer goes to, every fault is a page; from then on the application is told.
async fn answer(provider: &Provider, headers: &HeaderMap, parameters: Result<Parameters, ParameterError>) -> Response {
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(error) => return unusable(&error.to_string()),
    };
    let (application, redirect_uri) = match request::recipient(&parameters) {
        Ok(recipient) => recipient,
        Err(error) => return unusable(&error.to_string()),
    };
    let now = provider.app.clock.now();
    let facts = match load(provider, headers, &parameters, application, now).await {
        Ok(facts) => facts,
        Err(error) => return refusal::unavailable(&error),
    };
    let Some(application) = &facts.application else { return unusable("there is no application of this client_id") };
    if !application.redirects_to(redirect_uri) {
        return unusable("the redirect_uri is not one that the application registered, character by character");
    }
    let state = parameters.one("state").ok().flatten();
    let asked = Asked::read(&parameters, application, facts.place.as_ref());
    let outcome = match asked {
        Ok(asked) => go_on(&provider.app, headers, asked, &facts, now).await,
        Err(refusal) => Err(refusal),
    };
    outcome.unwrap_or_else(|Refusal { error, description }| {
        let parameters = [("error", error), ("error_description", &description)];
        web::redirect(&grant::answer(redirect_uri, &parameters, state, provider.app.settings.issuer()))
    })
}

/// The first round trip: all that the parameters and the cookie point at, side by side.
async fn load(
    provider: &Provider,
    headers: &HeaderMap,
    parameters: &Parameters,
    application: Option<ApplicationId>,
    now: Timestamp,
) -> Result<Facts, KeyRingError> {
    let App { store, settings, .. } = &*provider.app;
    let cookie = session::presented(web::cookie(headers, &settings.base_url, session::COOKIE));
    let (application, place, session, hint) = tokio::try_join!(
        async {
            match application {
                Some(id) => Ok(store.application(id).await?),
                None => Ok(None),
            }
        },
        async {
            match request::organization(parameters) {
                Some(id) => Ok(store.place(id).await?),
                None => Ok(None),
            }
        },
        async {
            match &cookie {
                Some(secret) => Ok(store.session(&secret.hash(), now).await?),
                None => Ok(None),
            }
        },
        hint(provider, parameters, application, now),
    )?;
    Ok(Facts { application, place, session, hint })
}

async fn hint(
    provider: &Provider,
    parameters: &Parameters,
    application: Option<ApplicationId>,
    now: Timestamp,
) -> Result<Hint, KeyRingError> {
    let (Some(application), Ok(Some(token))) = (application, parameters.one("id_token_hint")) else {
        return Ok(Hint::None);
    };
    let keys = provider.keys.keys(&provider.app, now).await?;
    let subject = keys.subject(token, provider.app.settings.issuer(), application, now);
    Ok(subject.map_or(Hint::Unreadable, Hint::Of))
}

/// Goes on with a request that can be answered.
async fn go_on(
    app: &App,
    headers: &HeaderMap,
    mut asked: Asked,
    facts: &Facts,
    now: Timestamp,
) -> Result<Response, Refusal> {
    if let Hint::Of(account) = facts.hint {
        asked.request.subject = Some(account);
    }
    let session = facts.session.as_ref().filter(|session| may_serve(session, &asked, facts.hint, now));
    let open = match session {
        Some(session) => opened(app, session, &asked, now).await?,
        None => Vec::new(),
    };
    // In a frame nothing can be shown, and nobody's browser is to collect cookies for what it never saw.
    let window = headers.get("sec-fetch-dest").is_none_or(|destination| destination == "document");
    match (step(open, asked.silent || !window, facts.session.is_some()), session) {
        (Step::Answer(organization), Some(session)) => enter(app, &asked, session, organization, now).await,
        (Step::Choose(organizations), Some(session)) => {
            let progress = Progress::Choosing {
                authentication: session.authentication.clone(),
                organizations,
                may_join: false,
                promised: None,
            };
            let (login, secret) = Login::begin(asked.request, now, &app.random);
            let login = Login { progress, expires_at: login.expires_at.min(session.expires_at), ..login };
            let target = format!("{}?login={}", choose::PATH, login.id);
            begin(app, &login, secret.reveal(), &target).await
        }
        (Step::Refuse(error, description), _) => Err(Refusal::new(error, description)),
        (Step::SignIn | Step::Answer(_) | Step::Choose(_), _) => {
            // How old the identity provider's own session is can not be known beforehand.
            asked.request.force |= asked.max_age.is_some();
            let (login, secret) = Login::begin(asked.request, now, &app.random);
            let target = sign_in_address(&login, asked.login_hint.as_ref());
            begin(app, &login, secret.reveal(), &target).await
        }
    }
}

/// Whether the session is one that the application would have.
fn may_serve(session: &Session, asked: &Asked, hint: Hint, now: Timestamp) -> bool {
    let expected = asked.login_hint.as_ref();
    !asked.anew
        && session.serves(asked.max_age, now)
        && expected.is_none_or(|address| address.folded() == session.authentication.email.folded())
        && !matches!(hint, Hint::Unreadable)
}

/// The second round trip: the organizations that the session opens.
async fn opened(app: &App, session: &Session, asked: &Asked, now: Timestamp) -> Result<Vec<OrganizationId>, Refusal> {
    let Some(surface) = app.settings.surfaces.get(asked.request.surface.as_str()) else {
        tracing::error!(surface = %asked.request.surface, at = %now, "an application's surface is not configured");
        return Err(Refusal::new("server_error", "the surface of the application is not configured"));
    };
    let email = session.authentication.email.folded();
    let Authentication { parent, email: address, .. } = &session.authentication;
    let (organizations, person, holder) = tokio::try_join!(
        app.store.organizations_on(*parent, &surface.id),
        app.store.person(&email),
        app.store.domain_owner(address.domain()),
    )
    .map_err(|error| unavailable(&error))?;
    if holder != Some(*parent) {
        return Ok(Vec::new());
    }
    Ok(session.opens(&asked.request, surface, &organizations, &person))
}

/// Decides on the first step, given what a fitting session opens.
fn step(mut open: Vec<OrganizationId>, silent: bool, session: bool) -> Step {
    match (open.len(), silent) {
        (0, false) => Step::SignIn,
        (0, true) if session => {
            Step::Refuse("interaction_required", "the session does not open what was asked: the person signs in anew")
        }
        (0, true) => Step::Refuse("login_required", "the person has to sign in"),
        (1, _) => open.pop().map_or(Step::SignIn, Step::Answer),
        (_, false) => Step::Choose(open),
        (_, true) => {
            Step::Refuse("account_selection_required", "several organizations fit: name one, or let the person choose")
        }
    }
}

/// The answer at once: a code for one organization.
async fn enter(
    app: &App,
    asked: &Asked,
    session: &Session,
    organization: OrganizationId,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let admission = Admission::new(&asked.request, &session.authentication, organization, now);
    let code = app.random.secret();
    let mut transaction = Transaction::<Infallible>::default();
    transaction.issue_code(&code.hash(), &Code::new(asked.request.clone(), admission, None));
    app.store.commit(transaction).await.map_err(|error| unavailable(&error))?;
    Ok(web::redirect(&asked.request.answered_with(&code, app.settings.issuer())))
}

/// The beginning of a login: kept, and bound to this browser.
async fn begin(app: &App, login: &Login, secret: &str, target: &str) -> Result<Response, Refusal> {
    let mut transaction = Transaction::<Infallible>::default();
    transaction.begin_login(login);
    app.store.commit(transaction).await.map_err(|error| unavailable(&error))?;
    let name = login::cookie_name(login.id);
    let cookie = Cookie { name: &name, value: secret, max_age: login::LIFETIME, reach: CookieReach::CrossSite };
    Ok(web::with_cookie(web::redirect(target), &app.settings.base_url, cookie))
}

/// Where a person signs in, whose address may be known.
fn sign_in_address(login: &Login, address: Option<&Address>) -> String {
    let path = "/saml/start?".to_owned();
    let query_from = path.len();
    let mut target = form_urlencoded::Serializer::for_suffix(path, query_from);
    target.append_pair("login", &login.id.to_string());
    if let Some(organization) = login.request.organization {
        target.append_pair("organization", &organization.to_string());
    }
    if let Some(address) = address {
        target.append_pair("email", &address.to_string());
    }
    target.finish()
}

/// A failure of ours, as the application is told of it.
fn unavailable(error: &impl Debug) -> Refusal {
    tracing::error!(?error, "the store failed");
    Refusal::new("temporarily_unavailable", "signing in is not possible at this moment")
}

fn unusable(why: &str) -> Response {
    refusal::page(
        StatusCode::BAD_REQUEST,
        &format!("The application sent you here with a request that can not be answered: {why}."),
        "This has to be mended in the application. Tell those who run it what this page says.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_depends_on_what_is_open_and_what_may_be_shown() {
        let one = OrganizationId::from_bits(1);
        let two = OrganizationId::from_bits(2);
        let refused = |open: &[OrganizationId], session| match step(open.to_vec(), true, session) {
            Step::Refuse(error, _) => Some(error),
            _ => None,
        };
        assert_eq!(step(vec![one], true, true), Step::Answer(one));
        assert_eq!(step(vec![one], false, true), Step::Answer(one));
        assert_eq!(step(vec![one, two], false, true), Step::Choose(vec![one, two]));
        assert_eq!(step(vec![], false, true), Step::SignIn);
        assert_eq!(step(vec![], false, false), Step::SignIn);
        assert_eq!(refused(&[], false), Some("login_required"));
        assert_eq!(refused(&[], true), Some("interaction_required"));
        assert_eq!(refused(&[one, two], true), Some("account_selection_required"));
    }
}
