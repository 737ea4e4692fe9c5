//! `/app`: the pages of the sample application.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use vestibule::{
    id::Secret,
    web::{Cookie, CookieReach, Shell, cookie, page, with_cookie},
};

use super::{
    CALLBACK, SIGN_IN, Sample,
    provider::{Claims, Provider, SignInError, SignedIn, Wish},
};

/// The cookie by which a browser is known here.
const COOKIE: &str = "sample-app";
/// Seconds it lives.
const COOKIE_LIFETIME: i64 = 24 * 3600;

pub(crate) fn router(sample: Arc<Sample>) -> Router {
    Router::new()
        .route("/app", get(home))
        .route(SIGN_IN, get(sign_in))
        .route(CALLBACK, get(callback))
        .route("/app/refresh", post(refresh))
        .route("/app/sign-out", post(sign_out))
        .with_state(sample)
}

#[derive(Template)]
#[template(path = "app-home.html")]
struct HomePage {
    shell: Shell,
    ready: bool,
}

#[derive(Template)]
#[template(path = "app-signed-in.html")]
struct SignedInPage {
    shell: Shell,
    claims: Claims,
    organization_name: Option<String>,
    all: String,
}

#[derive(Template)]
#[template(path = "app-refused.html")]
struct RefusedPage {
    shell: Shell,
    why: String,
}

/// How the provider sends a browser back (RFC 6749, sections 4.1.2 and 4.1.2.1; RFC 9207).
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

async fn home(State(sample): State<Arc<Sample>>, headers: HeaderMap) -> Response {
    let signed_in = visitor(&sample, &headers).and_then(|cookie| sample.visitors.signed_in(&cookie));
    match signed_in {
        Some(signed_in) => signed_in_page(signed_in),
        None => page(
            StatusCode::OK,
            &HomePage { shell: Shell::new("Sample application"), ready: sample.provider.is_some() },
        ),
    }
}

fn signed_in_page(SignedIn { claims, organization_name, all, .. }: SignedIn) -> Response {
    let all = serde_json::to_string_pretty(&all).unwrap_or_default();
    page(StatusCode::OK, &SignedInPage { shell: Shell::new("You are signed in"), claims, organization_name, all })
}

async fn sign_in(State(sample): State<Arc<Sample>>, headers: HeaderMap, Query(wish): Query<Wish>) -> Response {
    let Some(provider) = &sample.provider else { return Redirect::to("/app").into_response() };
    if wish.iss.as_ref().is_some_and(|issuer| issuer != provider.issuer()) {
        let stranger = SignInError::Answer("somebody else than the provider asked for this sign-in".to_owned());
        return refused(StatusCode::BAD_REQUEST, &stranger);
    }
    let (url, pending) = match provider.begin(&wish, &sample.app.random).await {
        Ok(begun) => begun,
        Err(error) => return refused(StatusCode::BAD_GATEWAY, &error),
    };
    let known = visitor(&sample, &headers);
    let cookie = known.unwrap_or_else(|| sample.app.random.secret());
    sample.visitors.begin(&cookie, pending);
    remember(&sample, Redirect::to(url.as_str()).into_response(), &cookie)
}

async fn callback(State(sample): State<Arc<Sample>>, headers: HeaderMap, Query(answer): Query<Answer>) -> Response {
    let Some(provider) = &sample.provider else { return Redirect::to("/app").into_response() };
    let signed_in = match finish(&sample, provider, &headers, answer).await {
        Ok(signed_in) => signed_in,
        Err(error) => return refused(StatusCode::FORBIDDEN, &error),
    };
    // A new cookie for who is signed in, so that one planted before is worth nothing.
    let cookie = sample.app.random.secret();
    sample.visitors.set(&cookie, Some(signed_in));
    remember(&sample, Redirect::to("/app").into_response(), &cookie)
}

async fn finish(
    sample: &Sample,
    provider: &Provider,
    headers: &HeaderMap,
    answer: Answer,
) -> Result<SignedIn, SignInError> {
    let pending = visitor(sample, headers).and_then(|cookie| sample.visitors.take(&cookie, &answer.state));
    let pending = pending.ok_or_else(|| {
        SignInError::Answer("it belongs to no sign-in that this browser has under way; start again".to_owned())
    })?;
    if answer.iss.is_some_and(|issuer| issuer != provider.issuer()) {
        return Err(SignInError::Answer("it comes from another provider".to_owned()));
    }
    if let Some(error) = answer.error {
        return Err(SignInError::Refused(answer.error_description.unwrap_or(error)));
    }
    let code = answer.code.ok_or_else(|| SignInError::Answer("it has no code".to_owned()))?;
    provider.finish(pending, code).await
}

async fn refresh(State(sample): State<Arc<Sample>>, headers: HeaderMap) -> Response {
    let cookie = visitor(&sample, &headers);
    let signed_in = cookie.as_ref().and_then(|cookie| sample.visitors.signed_in(cookie));
    let (Some(provider), Some(cookie), Some(signed_in)) = (&sample.provider, cookie, signed_in) else {
        return Redirect::to("/app").into_response();
    };
    match provider.refresh(&signed_in).await {
        Ok(signed_in) => {
            sample.visitors.set(&cookie, Some(signed_in));
            Redirect::to("/app").into_response()
        }
        Err(error) => {
            if matches!(error, SignInError::Refused(_)) {
                sample.visitors.set(&cookie, None);
            }
            refused(StatusCode::FORBIDDEN, &error)
        }
    }
}

async fn sign_out(State(sample): State<Arc<Sample>>, headers: HeaderMap) -> Response {
    if let Some(cookie) = visitor(&sample, &headers) {
        sample.visitors.set(&cookie, None);
    }
    Redirect::to("/app").into_response()
}

fn refused(status: StatusCode, error: &SignInError) -> Response {
    page(status, &RefusedPage { shell: Shell::new("You are not signed in"), why: error.to_string() })
}

fn visitor(sample: &Sample, headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, &sample.app.settings.base_url, COOKIE).map(Secret::presented)
}

fn remember(sample: &Sample, response: Response, secret: &Secret) -> Response {
    let cookie = Cookie { name: COOKIE, value: secret.reveal(), max_age: COOKIE_LIFETIME, reach: CookieReach::Lax };
    with_cookie(response, &sample.app.settings.base_url, cookie)
}
