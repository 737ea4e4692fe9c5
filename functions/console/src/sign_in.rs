//! `/settings/sign-in`: an address, then the code that was mailed to it.
//!
//! Whatever the address, the same is read, written and answered: what a browser sees tells nobody whether the address
//! belongs to anybody.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, Request, State},
    http::HeaderMap,
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use url::form_urlencoded;
use vestibule::{
    account::{Account, Address},
    administrator::{self, Begun, COOKIE, LIFETIME, Presented, Proof, Session, SignInError, TooMany},
    app::App,
    id::Secret,
    table::{CommitError, Settling, StoreError, Stored, Transaction, settle},
    web::{self, Cookie, CookieReach},
};

use crate::{
    form::{self, Fields},
    frame::Head,
    page::{self, Otherwise},
};

/// The cookie that binds a code to the browser that asked for it.
const BROWSER: &str = "vestibule-console-browser";
/// Seconds that it lives.
const BROWSER_LIFETIME: i64 = 24 * 3600;
pub(crate) const PATH: &str = "/settings/sign-in";
const CODE_PATH: &str = "/settings/sign-in/code";

#[derive(Template)]
#[template(path = "sign-in.html")]
struct AskPage<'a> {
    head: Head,
    token: String,
    next: &'a str,
    email: &'a str,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    head: Head,
    token: String,
    next: &'a str,
    email: String,
    problem: Option<String>,
}

/// Where to go on once somebody is signed in.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    #[serde(default)]
    next: String,
}

/// What stands in the way of a step.
#[derive(Clone, Debug)]
enum Obstacle {
    /// Another request was faster: load and decide again.
    Changed,
    TooMany(TooMany),
    /// There is no sign-in whose code could be entered.
    Over,
    Wrong {
        tries_left: u8,
        email: Address,
    },
    NoAdministrator,
    Unavailable(Arc<StoreError>),
}

impl Obstacle {
    /// The page for what is not the person's doing: our failure, or ten requests that were all faster.
    fn unavailable(&self) -> Response {
        match self {
            Self::Unavailable(error) => page::unavailable(error),
            other => page::unavailable(other),
        }
    }
}

impl Settling for Obstacle {
    fn is_changed(&self) -> bool {
        matches!(self, Self::Changed)
    }
}

/// `GET /settings/sign-in`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    onward: Result<Query<Onward>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let next = onward.map(|Query(onward)| onward.next).unwrap_or_default();
    ask_page(&app, &browser(&app, &headers), form::onward(&next), "", None)
}

/// `POST /settings/sign-in`: sends a code.
pub(crate) async fn ask(State(app): State<Arc<App>>, request: Request) -> Response {
    let (browser, fields) = match posted(&app, request).await {
        Ok(posted) => posted,
        Err(otherwise) => return *otherwise,
    };
    let next = form::onward(fields.text("next"));
    let given = fields.text("email");
    let Ok(email) = given.parse::<Address>() else {
        let problem = "This is not a complete e-mail address. It has the form name@example.com.";
        return ask_page(&app, &browser, next, given, Some((StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned())));
    };
    match settle(|| begin(&app, &browser, &email)).await {
        Ok(()) => page::see(&with_next(CODE_PATH, next)),
        Err(Obstacle::TooMany(error)) => {
            let problem = format!("This is refused for now: {error}.");
            let mut refused = ask_page(&app, &browser, next, given, Some((StatusCode::TOO_MANY_REQUESTS, problem)));
            refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(error.retry_after));
            refused
        }
        Err(obstacle) => obstacle.unavailable(),
    }
}

/// Load, decide, commit: two round trips, whatever the address.
async fn begin(app: &App, browser: &Secret, email: &Address) -> Result<(), Obstacle> {
    let (hash, folded) = (browser.hash(), email.folded());
    let (before, sent, person) = tokio::try_join!(
        app.store.administrator_sign_in(&hash),
        app.store.sent_codes(email),
        app.store.person(&folded)
    )?;
    // Whether a member administers anything is found out when the code is back, in whatever time that takes.
    let known = !person.memberships.is_empty();
    let to = person.account.map_or_else(|| email.clone(), |stored| stored.value.email);
    let now = app.clock.now();
    let counted = (before.as_ref().map(|before| &before.value), sent.map(|sent| sent.value));
    let begun = administrator::ask(email, known, browser, counted, now, &app.random).map_err(Obstacle::TooMany)?;
    let Begun { sign_in, sent: count, code, is_sent } = begun;
    let mut transaction = Transaction::default();
    let before = before.map(|before| before.version);
    transaction.put_administrator_sign_in(&hash, &sign_in, before, SignInError::Changed);
    transaction.count_sent_codes(email, count, sent.map(|sent| sent.version), SignInError::Changed);
    transaction.send_sign_in_code(&to, &code, is_sent, app);
    app.store.commit(transaction).await?;
    Ok(())
}

/// `GET /settings/sign-in/code`.
pub(crate) async fn show_code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    onward: Result<Query<Onward>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Otherwise> {
    let next = onward.map(|Query(onward)| onward.next).unwrap_or_default();
    let next = form::onward(&next);
    let browser = browser(&app, &headers);
    let sign_in = app.store.administrator_sign_in(&browser.hash()).await?.map(|stored| stored.value);
    let waiting = sign_in.filter(|sign_in| !sign_in.is_over(app.clock.now()));
    Ok(match waiting {
        Some(sign_in) => code_page(&browser, next, &sign_in.email, None),
        None => page::see(&with_next(PATH, next)),
    })
}

/// `POST /settings/sign-in/code`: the code, and the session that begins with it.
pub(crate) async fn present(State(app): State<Arc<App>>, request: Request) -> Response {
    let (browser, fields) = match posted(&app, request).await {
        Ok(posted) => posted,
        Err(otherwise) => return *otherwise,
    };
    let next = form::onward(fields.text("next"));
    match settle(|| enter(&app, &browser, fields.text("code"))).await {
        Ok((session, chosen)) => {
            let response = page::see(if chosen { next } else { "/settings/organization" });
            let cookie = Cookie { name: COOKIE, value: session.reveal(), max_age: LIFETIME, reach: CookieReach::Lax };
            web::with_cookie(response, &app.settings.base_url, cookie)
        }
        Err(Obstacle::Wrong { tries_left, email }) => {
            let left = if tries_left == 1 { "one more time".to_owned() } else { format!("{tries_left} more times") };
            let problem = format!("This is not the code that was sent last. You can try {left}.");
            code_page(&browser, next, &email, Some(problem))
        }
        Err(Obstacle::Over) => {
            let problem = "The code is too old, was tried too often, or was asked for in another browser. Have a new \
                           one sent.";
            ask_page(&app, &browser, next, "", Some((StatusCode::UNPROCESSABLE_ENTITY, problem.to_owned())))
        }
        Err(Obstacle::NoAdministrator) => page::refuse(
            StatusCode::FORBIDDEN,
            "You are not signed in",
            "This address is yours, but it is not the address of an administrator.",
            "Settings are for administrators of an organization. Ask one of them to make you one.",
            (PATH, "Use another address"),
        ),
        Err(obstacle) => obstacle.unavailable(),
    }
}

/// Load, decide, commit. Gives the session's secret, and whether it is clear which organization it is for.
async fn enter(app: &App, browser: &Secret, code: &str) -> Result<(Secret, bool), Obstacle> {
    let (hash, now) = (browser.hash(), app.clock.now());
    let stored = app.store.administrator_sign_in(&hash).await?;
    let Stored { value: sign_in, version } = stored.ok_or(Obstacle::Over)?;
    let mut transaction = Transaction::default();
    match sign_in.present(code, browser, now) {
        Presented::Over => return Err(Obstacle::Over),
        Presented::Wrong(next) => {
            transaction.put_administrator_sign_in(&hash, &next, Some(version), SignInError::Changed);
            app.store.commit(transaction).await?;
            return Err(match next.tries_left() {
                0 => Obstacle::Over,
                tries_left => Obstacle::Wrong { tries_left, email: next.email },
            });
        }
        Presented::Right => {}
    }
    let person = app.store.person(&sign_in.email.folded()).await?;
    let authorities = app.store.authorities(&person, &app.settings.surfaces).await?;
    transaction.end_administrator_sign_in(&hash, version, SignInError::Changed);
    let account = person.account.filter(|_| !authorities.is_empty());
    let Some(Stored { value: account, version }) = account else {
        app.store.commit(transaction).await?;
        return Err(Obstacle::NoAdministrator);
    };
    let organization = match authorities.as_slice() {
        [only] => Some(only.organization),
        _ => None,
    };
    let account = Account { last_sign_in: Some(now), ..account };
    let session = Session::begin(&account, organization, Proof::EmailedCode, now);
    let cookie = app.random.secret();
    transaction.replace_account(&account, version, SignInError::Changed);
    transaction.begin_administrator_session(&cookie.hash(), &session);
    app.store.commit(transaction).await?;
    Ok((cookie, organization.is_some()))
}

/// The form of a request, and the secret of its browser.
async fn posted(app: &App, request: Request) -> Result<(Secret, Fields), Box<Response>> {
    let base_url = &app.settings.base_url;
    let Some(browser) = web::cookie(request.headers(), base_url, BROWSER).map(Secret::presented) else {
        return Err(Box::new(foreign()));
    };
    match form::read(request, &form::token(&browser), base_url).await {
        Ok(fields) => Ok((browser, fields)),
        Err(form::Foreign) => Err(Box::new(foreign())),
    }
}

fn foreign() -> Response {
    page::refuse(
        StatusCode::FORBIDDEN,
        "You are not signed in",
        "This form is not from a page that is open in this browser now.",
        "Signing in needs cookies: allow them for this address, then begin again.",
        (PATH, "Begin again"),
    )
}

/// The browser's secret, a new one where it has none.
fn browser(app: &App, headers: &HeaderMap) -> Secret {
    let present = web::cookie(headers, &app.settings.base_url, BROWSER).filter(|secret| secret.len() == 43);
    present.map_or_else(|| app.random.secret(), Secret::presented)
}

fn ask_page(app: &App, browser: &Secret, next: &str, email: &str, problem: Option<(StatusCode, String)>) -> Response {
    let (status, problem) = problem.map_or((StatusCode::OK, None), |(status, problem)| (status, Some(problem)));
    let email = email.get(..254.min(email.len())).unwrap_or_default();
    let shown = AskPage { head: Head::new("Sign in to settings"), token: form::token(browser), next, email, problem };
    let cookie = Cookie { name: BROWSER, value: browser.reveal(), max_age: BROWSER_LIFETIME, reach: CookieReach::Lax };
    web::with_cookie(page::page(status, &shown), &app.settings.base_url, cookie)
}

fn code_page(browser: &Secret, next: &str, email: &Address, problem: Option<String>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (token, email) = (form::token(browser), email.to_string());
    page::page(status, &CodePage { head: Head::new("Enter the code"), token, next, email, problem })
}

pub(crate) fn with_next(path: &str, next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("{path}?{query}")
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl From<CommitError<SignInError>> for Obstacle {
    fn from(error: CommitError<SignInError>) -> Self {
        match error {
            CommitError::Refused(SignInError::Changed) | CommitError::Contended => Self::Changed,
            CommitError::Store(error) => error.into(),
        }
    }
}
