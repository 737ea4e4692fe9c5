//! Who is there, at every request anew.
//!
//! First the session is read, then side by side the person and the place of the organization. A form is believed only
//! with the token of the session's own pages.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, request::Parts};
use vestibule::{
    account::{Address, Person},
    administrator::{Authority, COOKIE, Session},
    app::App,
    id::{Secret, SecretHash},
    journal::Actor,
    table::{StoreError, Stored, Transaction},
    web::{self, Cookie, CookieReach},
};

use crate::{
    form::{self, Fields},
    page, sign_in,
};

/// Somebody with a session that lives.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The session.
    pub(crate) session: Stored<Session>,
    /// The hash of its cookie.
    pub(crate) cookie: SecretHash,
    /// What the forms of its pages hold.
    pub(crate) token: String,
    /// The person as they are now.
    pub(crate) person: Person,
}

impl Visitor {
    pub(crate) fn email(&self) -> &Address {
        &self.session.value.email
    }

    /// Who an event says it was.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Account { id: self.session.value.account }
    }
}

/// Somebody who administers the session's organization now.
#[derive(Clone, Debug)]
pub(crate) struct Administrator {
    /// Who it is.
    pub(crate) visitor: Visitor,
    /// What they administer.
    pub(crate) authority: Authority,
}

/// Whether there is somebody.
enum Found {
    Nobody,
    Somebody { visitor: Box<Visitor>, authority: Option<Authority> },
}

/// Middleware for whoever is signed in.
pub(crate) async fn signed_in(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match find(&app, request.headers()).await {
        Ok(Found::Nobody) => to_sign_in(&request),
        Ok(Found::Somebody { visitor, .. }) => {
            let token = visitor.token.clone();
            pass(&app, request, next, &token, *visitor).await
        }
        Err(error) => page::unavailable(&error),
    }
}

/// Middleware for administrators.
pub(crate) async fn administrator(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match find(&app, request.headers()).await {
        Ok(Found::Nobody) => to_sign_in(&request),
        Ok(Found::Somebody { visitor, .. }) if visitor.session.value.organization.is_none() => {
            page::see("/settings/organization")
        }
        Ok(Found::Somebody { visitor, authority: Some(authority) }) => {
            let token = visitor.token.clone();
            pass(&app, request, next, &token, Administrator { visitor: *visitor, authority }).await
        }
        Ok(Found::Somebody { visitor, authority: None, .. }) => no_more(&app, &visitor).await,
        Err(error) => page::unavailable(&error),
    }
}

async fn find(app: &App, headers: &HeaderMap) -> Result<Found, StoreError> {
    let Some(secret) = web::cookie(headers, &app.settings.base_url, COOKIE).map(Secret::presented) else {
        return Ok(Found::Nobody);
    };
    let (cookie, now) = (secret.hash(), app.clock.now());
    let Some(session) = app.store.administrator_session(&cookie, now).await? else { return Ok(Found::Nobody) };
    let Session { email, account, organization, .. } = &session.value;
    let (person, authority) = match organization {
        Some(organization) => app.store.authority(email, *account, *organization, &app.settings.surfaces).await?,
        None => (app.store.person(&email.folded()).await?, None),
    };
    if person.account.as_ref().is_none_or(|stored| !session.value.is_of(&stored.value)) {
        return Ok(Found::Nobody);
    }
    let session = keep(app, &cookie, session).await?;
    let visitor = Box::new(Visitor { session, cookie, token: form::token(&secret), person });
    Ok(Found::Somebody { visitor, authority })
}

/// Writes down now and then that the session is used. Another request that does the same at this moment is as good.
async fn keep(app: &App, cookie: &SecretHash, session: Stored<Session>) -> Result<Stored<Session>, StoreError> {
    let Some(used) = session.value.used(app.clock.now()) else { return Ok(session) };
    let mut transaction = Transaction::default();
    transaction.replace_administrator_session(cookie, &used, session.version, ());
    if app.store.commit_unless_changed(transaction).await? {
        Ok(Stored { value: used, version: session.version.saturating_add(1) })
    } else {
        Ok(session)
    }
}

/// Lets a request pass, a form only with its token.
async fn pass<T>(app: &App, request: Request, next: Next, token: &str, who: T) -> Response
where
    T: Clone + Send + Sync + 'static,
{
    let mut request = request;
    if request.method() == Method::POST {
        let (parts, body) = request.into_parts();
        let posted = Request::from_parts(parts.clone(), body);
        let Ok(fields) = form::read(posted, token, &app.settings.base_url).await else { return page::foreign() };
        request = Request::from_parts(parts, axum::body::Body::empty());
        request.extensions_mut().insert(fields);
    }
    request.extensions_mut().insert(who);
    next.run(request).await
}

/// To where one signs in, and from there back to the page that was asked for.
fn to_sign_in(request: &Request) -> Response {
    let asked = request.uri().path_and_query().filter(|_| request.method() == Method::GET);
    page::see(
        &asked.map_or_else(|| sign_in::PATH.to_owned(), |asked| sign_in::with_next(sign_in::PATH, asked.as_str())),
    )
}

/// The session ends with what it was for.
async fn no_more(app: &App, visitor: &Visitor) -> Response {
    if let Err(error) = end(app, visitor).await {
        return page::unavailable(&error);
    }
    let refused = page::refuse(
        StatusCode::FORBIDDEN,
        "You are signed out",
        "You are not an administrator of this organization any more.",
        "If that is a mistake, ask another administrator of it. If you administer another organization, sign in again.",
        ("/settings/sign-in", "Sign in"),
    );
    without_session(app, refused)
}

/// Ends a session; one that has ended already is as good.
pub(crate) async fn end(app: &App, visitor: &Visitor) -> Result<(), StoreError> {
    let mut transaction = Transaction::default();
    transaction.end_administrator_session(&visitor.cookie, visitor.session.version, ());
    app.store.commit_unless_changed(transaction).await?;
    Ok(())
}

/// The response that also takes the session's cookie away.
pub(crate) fn without_session(app: &App, response: Response) -> Response {
    let cookie = Cookie { name: COOKIE, value: "", max_age: 0, reach: CookieReach::Lax };
    web::with_cookie(response, &app.settings.base_url, cookie)
}

macro_rules! taken_from_extensions {
    ($($type:ty),*) => { $(
        impl<S: Send + Sync> FromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                // A route without its guard would end here, and answer nobody.
                parts.extensions.get::<Self>().cloned().ok_or_else(|| StatusCode::FORBIDDEN.into_response())
            }
        }
    )* };
}

taken_from_extensions!(Administrator, Visitor, Fields);
