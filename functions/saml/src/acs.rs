//! The assertion consumer service (SAML Profiles, section 4.1.4): where a login ends.

mod asserted;
mod believe;
mod unsolicited;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use vestibule::{
    app::App,
    clock::Timestamp,
    connection::Connection,
    id::Reference,
    login::{self, Arrived, Attempt, Facts, Login, LoginError, Progress},
    saml::{Assertion, CheckName, Outcome, Reason, Refusal, Trace},
    session,
    surface::Surface,
    table::{CommitError, StoreError, Stored},
    web::{self, Cookie, CookieReach},
};

use crate::{Service, refetch, refusal};
use asserted::Asserted;
use believe::{Posted, believe};

/// How often a login is decided anew when another request changed what it was decided on.
const ATTEMPTS: u32 = 3;

/// What an identity provider's form posts (SAML Bindings, section 3.5.4). Other fields are not ours to judge.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(rename = "SAMLResponse")]
    response: String,
    #[serde(rename = "RelayState", default)]
    relay_state: String,
}

/// A login that can be answered: alive, this browser's, and waiting for this connection.
struct Pending {
    login: Stored<Login>,
    request_id: String,
    surface: Surface,
}

/// Why there is no sign-in.
enum Failure {
    Refused(Refusal),
    /// The person is another one than the application asked for.
    OtherPerson,
    Unavailable(Box<dyn std::fmt::Debug + Send>),
}

/// `POST /saml/{connection}/acs`: three round trips, of which the last commits.
pub(crate) async fn receive(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Answer>, FormRejection>,
) -> Response {
    let app = &service.app;
    let now = app.clock.now();
    let reference = Reference::new(now, &app.random);
    let Ok(id) = id.parse() else { return unknown(&reference) };
    let relay_state = form.as_ref().ok().and_then(|form| form.relay_state.parse().ok());
    let pending_login = async {
        match relay_state {
            Some(login) => app.store.login(login).await,
            None => Ok(None),
        }
    };
    let keys = async { Ok(service.keys.known(app, now).await) };
    let (mut stored, login, keys) = match tokio::try_join!(app.store.connection(id), pending_login, keys) {
        Ok((Some(connection), login, keys)) => (connection, login, keys),
        Ok((None, ..)) => return unknown(&reference),
        Err(error) => return refusal::unavailable(&error),
    };
    let connection = &stored.value;
    let pending = login.and_then(|login| Pending::new(app, login, connection, &headers, now));

    let mut attempt = Attempt {
        reference,
        parent: connection.parent,
        connection: connection.id,
        application: pending.as_ref().map(|pending| pending.login.value.request.application),
        email: None,
        at: now,
        sent_on: false,
        reason: None,
        checks: Trace::new(connection.identity_provider.kind),
    };
    let posted = Posted { connection, pending: pending.as_ref(), form: &form, now };
    let mut assertion = believe(&service, &posted, keys.clone(), &mut attempt.checks).await;
    if let Err(Failure::Refused(refusal)) = assertion
        && pending.is_some()
        && refetch::may_help(refusal, connection)
    {
        let current = match refetch::current(app, &service.fetcher, &stored, now).await {
            Ok(current) => current,
            Err(error) => return refusal::unavailable(&error),
        };
        if current.value.identity_provider != stored.value.identity_provider {
            attempt.checks = Trace::new(current.value.identity_provider.kind);
            let posted = Posted { connection: &current.value, ..posted };
            assertion = believe(&service, &posted, keys, &mut attempt.checks).await;
        }
        refetch::explain(&mut attempt.checks, &stored.value, &current.value);
        stored = current;
    }
    let connection = &stored.value;
    let outcome = match (assertion, &pending) {
        (Ok(assertion), Some(pending)) => {
            let arrived = sign_in(app, connection, pending, &assertion, &mut attempt).await;
            arrived.map(|arrived| hand_over(app, &pending.login.value, &arrived))
        }
        (Ok(assertion), None) => unsolicited::send_on(app, connection, &assertion, &mut attempt).await,
        (Err(failure), _) => Err(failure),
    };
    match (outcome, &pending) {
        (Ok(response), _) => response,
        (Err(Failure::Refused(refusal)), _) => refuse(app, attempt, refusal).await,
        (Err(Failure::OtherPerson), Some(pending)) => other_person(app, &pending.login.value, &attempt.reference),
        (Err(Failure::OtherPerson), None) => refusal::no_login(),
        (Err(Failure::Unavailable(error)), _) => refusal::unavailable(&error),
    }
}

/// `GET /saml/{connection}/acs`: an identity provider on the wrong binding, or a person who reloads.
pub(crate) async fn by_get() -> Response {
    refusal::page(
        StatusCode::METHOD_NOT_ALLOWED,
        "Answers of a sign-in page arrive here by POST only.",
        "Go back to the application and sign in again. An administrator who sees this sets the identity provider to the HTTP-POST binding.",
        None,
    )
}

impl Pending {
    fn new(
        app: &App,
        login: Stored<Login>,
        connection: &Connection,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Self> {
        let cookie = web::cookie(headers, &app.settings.base_url, &login::cookie_name(login.value.id));
        let Progress::IdentityProvider { connection: asked, request_id } = &login.value.progress else { return None };
        if !login.value.belongs_to(cookie, now) || *asked != connection.id {
            return None;
        }
        let request_id = request_id.clone();
        let surface = app.settings.surfaces.get(login.value.request.surface.as_str())?.clone();
        Some(Self { login, request_id, surface })
    }
}

/// Loads what the assertion is about, decides, and commits.
async fn sign_in(
    app: &App,
    connection: &Connection,
    pending: &Pending,
    assertion: &Assertion,
    attempt: &mut Attempt,
) -> Result<Arrived, Failure> {
    let asserted = Asserted::read(app, connection, assertion, &mut attempt.checks)?;
    let login = &pending.login.value;
    for _ in 0..ATTEMPTS {
        let organizations = app.store.organizations_on(connection.parent, &pending.surface.id);
        let (known, organizations) = tokio::try_join!(asserted.look_up(app), organizations)?;
        let claim = asserted.claim(&known);
        asserted.note_address(&claim, attempt);
        let facts = Facts { claim, login, surface: &pending.surface, organizations: &organizations };
        let arrival = login::decide(&facts, &asserted.name_id_hash, &mut attempt.checks, attempt.at, &app.random)?;
        if !login.request.may_be_about(arrival.authentication.account) {
            return Err(Failure::OtherPerson);
        }
        match app.store.arrive(&pending.login, &arrival, asserted.once(), attempt, &app.random).await {
            Ok(arrived) => return Ok(arrived),
            Err(CommitError::Refused(LoginError::Changed)) => {}
            Err(error) => return Err(Failure::Unavailable(Box::new(error))),
        }
        // Finished by another request: the same form posted twice.
        if app.store.login(login.id).await?.is_none_or(|login| login.version != pending.login.version) {
            let found = "a request that was answered already";
            return Err(attempt
                .checks
                .fail(CheckName::Replay, Reason::Replayed, "an assertion that was not used before", found)
                .into());
        }
    }
    Err(Failure::Unavailable(Box::new("the facts kept changing")))
}

/// Back to the application, or on to the choice of an organization.
fn hand_over(app: &App, login: &Login, arrived: &Arrived) -> Response {
    let settings = &app.settings;
    let target = match &arrived.code {
        Some(code) => login.request.answered_with(code, settings.issuer()),
        None => format!("/oidc/choose?login={}", login.id),
    };
    let response = web::redirect(&target);
    let session = Cookie {
        name: session::COOKIE,
        value: arrived.session.reveal(),
        max_age: session::LIFETIME,
        reach: CookieReach::Lax,
    };
    let response = web::with_cookie(response, &settings.base_url, session);
    if arrived.code.is_none() {
        return response;
    }
    let name = login::cookie_name(login.id);
    let ended = Cookie { name: &name, value: "", max_age: 0, reach: CookieReach::CrossSite };
    web::with_cookie(response, &settings.base_url, ended)
}

/// Tells the application, which named the one person that its answer may be about (OpenID Connect Core, section
/// 3.1.2.2). Nothing is written.
fn other_person(app: &App, login: &Login, reference: &Reference) -> Response {
    tracing::warn!(%reference, reason = "other_person", "sign-in refused");
    let description = "another person signed in";
    web::redirect(&login.request.refused_with("login_required", description, app.settings.issuer()))
}

/// Logs the attempt once without the form, and answers with a page.
async fn refuse(app: &App, mut attempt: Attempt, refusal: Refusal) -> Response {
    let (reason, check) = (refusal.reason(), refusal.check());
    attempt.reason = Some(reason);
    tracing::warn!(
        reference = %attempt.reference,
        parent = %attempt.parent,
        connection = %attempt.connection,
        %reason,
        %check,
        "sign-in refused"
    );
    // Anybody can post anything here: what neither answers a login of this browser nor was signed by the customer's
    // identity provider is not the customer's to read, and would bury what is.
    let signed = attempt
        .checks
        .checks()
        .iter()
        .any(|check| check.name == CheckName::Signature && check.outcome == Outcome::Passed);
    if attempt.application.is_none() && !signed {
        return refusal::refused(reason, &attempt.reference);
    }
    if let Err(error) = app.store.keep_attempt(&attempt).await {
        // The refusal stands without its trace.
        tracing::error!(?error, reference = %attempt.reference, "the attempt was not kept");
    }
    refusal::refused(reason, &attempt.reference)
}

/// No such connection: there is no customer whose trace it could be in.
fn unknown(reference: &Reference) -> Response {
    tracing::warn!(%reference, reason = "unknown_connection", "sign-in refused");
    refusal::page(
        StatusCode::NOT_FOUND,
        "There is no single sign-on connection at this address.",
        refusal::CHECK_ADDRESS,
        Some(reference),
    )
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
