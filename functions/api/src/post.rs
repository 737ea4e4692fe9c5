//! POST: carried out once, however often it is sent.

use axum::{
    body::Bytes,
    extract::{FromRequest, Json, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use vestibule::{
    operation::{Carried, MAX_KEY, Operation},
    table::{CommitError, Transaction},
    web::{Problem, problem_of_store},
};

use crate::{Api, request::unreadable};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The body of a POST, which names its operation by the `Idempotency-Key` header.
pub(crate) struct Post<T> {
    pub(crate) body: T,
    operation: Operation,
}

/// What a POST is answered with.
pub(crate) struct Answer {
    status: StatusCode,
    body: String,
}

/// Why the transaction of a POST did not happen: it did before, or for a reason of the domain's.
#[derive(Clone, Debug)]
pub(crate) enum Refused<E> {
    Repeated,
    By(E),
}

impl<T: DeserializeOwned> FromRequest<Api> for Post<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let key = idempotency_key(&parts.headers)?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let body = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(body, api).await.map_err(|rejection| {
            Problem::new(rejection.status(), "too-large", "The request is too large", &rejection.body_text())
        })?;
        let operation = Operation::new(&key, method.as_str(), &path, &bytes);
        let request = Request::from_parts(parts, bytes.into());
        let Json(body) = Json::from_request(request, api).await.map_err(|rejection| unreadable(&rejection))?;
        Ok(Self { body, operation })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (1..=MAX_KEY).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency-key-missing",
        "An Idempotency-Key is needed",
        "Send a header Idempotency-Key of 1 to 255 characters, a new one for each operation: repeating a request \
         with the same key changes nothing twice.",
    ))
}

impl<T> Post<T> {
    /// The answer, if the operation has been carried out before.
    pub(crate) async fn carried(&self, api: &Api) -> Result<Option<Response>, Problem> {
        let Some(carried) = api.app.store.carried(&self.operation).await? else { return Ok(None) };
        if carried.fingerprint != self.operation.fingerprint {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request",
                "Send a new key with each new operation.",
            ));
        }
        let body = carried.body(&api.app.settings.sealing_key).map_err(|_| Problem::unavailable())?;
        let status = StatusCode::from_u16(carried.status).map_err(|_| Problem::unavailable())?;
        Ok(Some(Answer { status, body }.into_response()))
    }

    /// Commits the operation with its answer. Whoever is second gets the first one's.
    pub(crate) async fn commit<E>(
        &self,
        api: &Api,
        mut transaction: Transaction<Refused<E>>,
        answer: Answer,
        explain: impl FnOnce(E) -> Problem,
    ) -> Result<Response, Problem> {
        let carried = Carried::new(&self.operation, answer.status.as_u16(), &answer.body, &api.app);
        transaction.carry(&self.operation, &carried, api.app.clock.now(), Refused::Repeated);
        match api.app.store.commit(transaction).await {
            Ok(()) => Ok(answer.into_response()),
            Err(CommitError::Refused(Refused::Repeated)) => self.carried(api).await?.ok_or_else(Problem::unavailable),
            // The first one may have won between our look and our commit: its answer is ours too.
            Err(CommitError::Refused(Refused::By(error))) => match self.carried(api).await? {
                Some(answer) => Ok(answer),
                None => Err(explain(error)),
            },
            Err(CommitError::Contended) => Err(Problem::unavailable()),
            Err(CommitError::Store(error)) => Err(problem_of_store(&error)),
        }
    }
}

impl Answer {
    /// 201 with what was created.
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::new(StatusCode::CREATED, body)
    }

    /// Any status, with a body.
    pub(crate) fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| {
            tracing::error!(%error, "an answer did not serialize");
            Problem::unavailable()
        })?;
        Ok(Self { status, body })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (self.status, json, self.body).into_response()
    }
}

/// A failed commit of a change that names no operation.
pub(crate) fn uncommitted<E>(error: CommitError<E>, explain: impl FnOnce(E) -> Problem) -> Problem {
    match error {
        CommitError::Refused(error) => explain(error),
        CommitError::Contended => Problem::unavailable(),
        CommitError::Store(error) => problem_of_store(&error),
    }
}
