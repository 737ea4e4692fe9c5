//! `/settings/identity/sign-ins`: attempts to sign in, and why each one was accepted or refused.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;
use vestibule::{
    app::App,
    id::Reference,
    login::Attempt,
    saml::{Check, Outcome},
};

use crate::{
    frame::{Frame, Head, Moment, Section},
    guard::Administrator,
    page::{self, Otherwise},
};

const PATH: &str = "/settings/identity/sign-ins";
/// Attempts of a page.
const ROWS: u16 = 50;

#[derive(Template)]
#[template(path = "sign-ins.html")]
struct ListPage {
    head: Head,
    frame: Frame,
    attempts: Vec<Row>,
    next: Option<String>,
    is_first: bool,
    /// The reference that was looked for and not found.
    missed: Option<String>,
}

#[derive(Template)]
#[template(path = "sign-in-trace.html")]
struct TracePage {
    head: Head,
    frame: Frame,
    attempt: Row,
    application: Option<String>,
    /// The first failed check.
    failed: Option<Line>,
    checks: Vec<Line>,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    reference: String,
    #[serde(default)]
    cursor: String,
}

struct Row {
    reference: String,
    at: Moment,
    email: Option<String>,
    is_accepted: bool,
    /// What did not hold.
    failed: Option<&'static str>,
}

/// A check, in words.
struct Line {
    name: &'static str,
    outcome: &'static str,
    tone: &'static str,
    expected: Option<String>,
    found: Option<String>,
    advice: Option<String>,
}

impl From<&Attempt> for Row {
    fn from(attempt: &Attempt) -> Self {
        Self {
            reference: attempt.reference.to_string(),
            at: Moment(attempt.at),
            email: attempt.email.as_ref().map(ToString::to_string),
            is_accepted: attempt.reason.is_none(),
            failed: attempt.checks.failed().map(|check| check.name.in_words()),
        }
    }
}

impl From<&Check> for Line {
    fn from(check: &Check) -> Self {
        let (outcome, tone) = match check.outcome {
            Outcome::Passed if check.advice.is_some() => ("Passed, with a warning", "waiting"),
            Outcome::Passed => ("Passed", "good"),
            Outcome::Failed => ("Failed", "bad"),
            Outcome::NotReached => ("Not reached", "quiet"),
        };
        Self {
            name: check.name.in_words(),
            outcome,
            tone,
            expected: check.expected.clone(),
            found: check.found.clone(),
            advice: check.advice.clone(),
        }
    }
}

/// `GET /settings/identity/sign-ins`: a page of them, or straight on to the one that is looked for.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Otherwise> {
    let Asked { reference, cursor } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let (parent, now) = (administrator.authority.parent, app.clock.now());
    let sought = reference.trim();
    if !sought.is_empty() {
        let found = match Reference::read_out(sought) {
            Some(reference) => app.store.attempt(parent, &reference, now).await?,
            None => None,
        };
        if let Some(attempt) = found {
            return Ok(page::see(&format!("{PATH}/{}", attempt.reference)));
        }
    }
    let listing = format!("sign-ins {parent}");
    let after = page::position(&app, &listing, &cursor);
    let frame = Frame::of(&app, &administrator, Section::SignIns);
    let (frame, read) = tokio::try_join!(frame, app.store.attempts(parent, after.as_deref(), ROWS, now))?;
    let attempts = read.items.iter().map(|stored| Row::from(&stored.value)).collect();
    let next = read.next.map(|position| {
        let cursor = page::cursor(&app, &listing, &position);
        format!("{PATH}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish())
    });
    let missed = Some(sought).filter(|sought| !sought.is_empty()).map(|sought| sought.chars().take(40).collect());
    let status = if missed.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let head = Head::new("Single sign-on");
    Ok(page::page(status, &ListPage { head, frame, attempts, next, is_first: after.is_none(), missed }))
}

/// `GET /settings/identity/sign-ins/{reference}`: every check of one attempt.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    Path(reference): Path<String>,
) -> Result<Response, Otherwise> {
    let Some(reference) = Reference::read_out(&reference) else { return Ok(page::not_found()) };
    let (parent, now) = (administrator.authority.parent, app.clock.now());
    let frame = Frame::of(&app, &administrator, Section::SignIns);
    let (frame, attempt) = tokio::try_join!(frame, app.store.attempt(parent, &reference, now))?;
    let Some(attempt) = attempt else { return Ok(page::not_found()) };
    let application = match attempt.application {
        Some(id) => app.store.application(id).await?.map(|application| application.name.to_string()),
        None => None,
    };
    let checks: Vec<Line> = attempt.checks.checks().iter().map(Line::from).collect();
    let shown = TracePage {
        head: Head::new(format!("Sign-in {}", attempt.reference)),
        frame,
        attempt: Row::from(&attempt),
        application,
        failed: attempt.checks.failed().map(Line::from),
        checks,
    };
    Ok(page::page(StatusCode::OK, &shown))
}
