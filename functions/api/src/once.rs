//! Carrying changes out: again where somebody else was faster, and once however often a `POST` is repeated.

use std::future::Future;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use vestibule::{
    app::App,
    clock::Timestamp,
    domain::DomainError,
    operation::{Carried, Operation},
    table::{CommitError, Settling, StoreError, settle},
    web::Problem,
};

use crate::problems;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What stands in the way of a change.
#[derive(Clone, Debug)]
pub(crate) enum Obstacle {
    /// What it was decided on has changed: load and decide again.
    Changed,
    /// The operation has been carried out before.
    Repeated,
    /// It is refused.
    Refused(Box<Problem>),
}

impl Settling for Obstacle {
    fn is_changed(&self) -> bool {
        matches!(self, Self::Changed)
    }
}

impl From<DomainError> for Obstacle {
    fn from(error: DomainError) -> Self {
        match error {
            DomainError::Changed => Self::Changed,
            error => problems::of_domain(error).into(),
        }
    }
}

impl From<Problem> for Obstacle {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<CommitError<Self>> for Obstacle {
    fn from(error: CommitError<Self>) -> Self {
        match error {
            CommitError::Refused(obstacle) => obstacle,
            CommitError::Contended => Self::Changed,
            CommitError::Store(error) => error.into(),
        }
    }
}

impl From<Obstacle> for Problem {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Refused(problem) => *problem,
            // An operation that was repeated and is not to be found has just come to its end.
            Obstacle::Changed | Obstacle::Repeated => {
                problems::CHANGED.says("Somebody else changed the same at the same moment; look again and repeat it.")
            }
        }
    }
}

/// A JSON answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: String,
    replayed: bool,
}

impl Answer {
    /// The answer with this status that says `value`.
    ///
    /// # Errors
    /// [`Problem::unavailable`] when the value does not serialize, which plain data always does.
    pub(crate) fn new(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        match serde_json::to_string(value) {
            Ok(body) => Ok(Self { status, body, replayed: false }),
            Err(error) => {
                tracing::error!(%error, "an answer did not serialize");
                Err(Problem::unavailable())
            }
        }
    }

    /// What is stored of it, so that the operation's repetition is answered likewise.
    pub(crate) fn carried(&self, operation: &Operation, now: Timestamp, app: &App) -> Carried {
        Carried::new(operation, self.status.as_u16(), &self.body, now, app)
    }

    fn replayed(carried: &Carried, app: &App) -> Result<Self, Problem> {
        let status = StatusCode::from_u16(carried.status).ok();
        let body = carried.body(&app.settings.sealing_key).ok();
        let (status, body) = status.zip(body).ok_or_else(|| {
            tracing::error!("the answer of an operation can not be read any more");
            Problem::unavailable()
        })?;
        Ok(Self { status, body, replayed: true })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Carries a `POST` out once. The first attempt to commit marks the operation in the transaction of the change; so only
/// when something stands in the way is there a question whether the operation has been carried out before, and then its
/// first answer is the answer.
///
/// # Errors
/// What stands in its way, or that the key belongs to another request.
pub(crate) async fn once<F>(app: &App, operation: &Operation, attempt: impl Fn() -> F) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Answer, Obstacle>>,
{
    let obstacle = match settle(attempt).await {
        Ok(answer) => return Ok(answer),
        Err(obstacle) => obstacle,
    };
    match app.store.carried(operation, app.clock.now()).await? {
        None => Err(obstacle.into()),
        Some(carried) if carried.fingerprint == operation.fingerprint => Answer::replayed(&carried, app),
        Some(_) => Err(problems::KEY_REUSED.says(
            "This Idempotency-Key was used for a request with another path or body. Use a fresh key for a new change.",
        )),
    }
}
