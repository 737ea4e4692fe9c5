//! `/parents/{id}/sign-ins`: attempts to sign in, with their traces.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{
    account::Address,
    app::App,
    clock::Timestamp,
    id::{ApplicationId, ConnectionId, ParentId, Reference},
    login,
    saml::{Reason, Trace},
    web::Problem,
};

use crate::{
    once::Answer,
    page::{Page, PageQuery},
    request::{Path, Query},
};

/// An attempt to sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignIn {
    /// The number that the person was shown.
    #[schema(value_type = String, example = "7K2M9-QXD4T")]
    reference: Reference,
    /// The connection that it reached.
    #[schema(value_type = String, example = "con_8277e0910d750195b448797616e091ad")]
    connection: ConnectionId,
    /// The application: the one that asked for the sign-in, or the one that a person who began at the identity provider was
    /// sent on to; null where there is none.
    #[schema(value_type = Option<String>, example = "app_0cc175b9c0f1b6a831c399e269772661", required)]
    application: Option<ApplicationId>,
    /// The person's e-mail address; known only where it is on a domain of this parent.
    #[schema(value_type = Option<String>, example = "grace@example.com", required)]
    email: Option<Address>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What came of it.
    outcome: SignInOutcome,
    /// The code of the first check that failed; null unless it was refused.
    #[schema(value_type = Option<String>, example = "audience", required)]
    reason: Option<Reason>,
    /// All checks, in order.
    #[schema(value_type = Vec<Check>)]
    checks: Trace,
}

/// What came of an attempt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignInOutcome {
    /// The person is signed in.
    SignedIn,
    /// The person began at the identity provider and was sent on to the application, to begin a sign-in there.
    SentOn,
    /// A check failed.
    Refused,
}

impl From<login::AttemptOutcome> for SignInOutcome {
    fn from(outcome: login::AttemptOutcome) -> Self {
        match outcome {
            login::AttemptOutcome::SignedIn => Self::SignedIn,
            login::AttemptOutcome::SentOn => Self::SentOn,
            login::AttemptOutcome::Refused => Self::Refused,
        }
    }
}

/// A check of an attempt.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a type of the shared crate, which knows no OpenAPI")]
pub(crate) struct Check {
    /// Which check.
    #[schema(example = "audience")]
    name: String,
    /// What became of it.
    outcome: CheckOutcome,
    /// What was required.
    #[schema(required)]
    expected: Option<String>,
    /// What the response had.
    #[schema(required)]
    found: Option<String>,
    /// For a failure, the setting to change at the identity provider; for a pass, a warning.
    #[schema(required)]
    advice: Option<String>,
}

/// What became of a check.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes a type of the shared crate, which knows no OpenAPI")]
pub(crate) enum CheckOutcome {
    /// It held.
    Passed,
    /// It did not hold.
    Failed,
    /// An earlier check failed.
    NotReached,
}

impl From<login::Attempt> for SignIn {
    fn from(attempt: login::Attempt) -> Self {
        let outcome = attempt.outcome().into();
        let login::Attempt { reference, connection, application, email, at, reason, checks, .. } = attempt;
        Self { reference, connection, application, email, at, outcome, reason, checks }
    }
}

/// Lists attempts to sign in
///
/// Those of the last seven days that reached the connection, whatever came of them, newest first.
#[utoipa::path(
    get,
    path = "/parents/{id}/sign-ins",
    operation_id = "list_sign_ins",
    tag = "Parent organizations",
    params(("id" = String, Path, description = "The parent organization's identifier."), PageQuery),
    responses(
        (status = 200, description = "A page of the attempts.", body = Page<SignIn>),
        (status = 404, description = "`not-found`: there is no such parent organization."),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<ParentId>,
    Query(query): Query<PageQuery>,
) -> Result<Answer, Problem> {
    let place = query.of(&format!("sign-ins {id}"), &app)?;
    let read = app.store.attempts(id, place.after.as_deref(), place.limit, app.clock.now());
    let parent = ("parent organization", app.store.parent(id));
    Answer::new(StatusCode::OK, &place.page_of(parent, read, SignIn::from, &app).await?)
}
