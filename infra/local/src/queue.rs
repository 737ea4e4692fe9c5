//! A queue as Amazon SQS has it, as far as the product uses it: messages are taken in over HTTP as its clients send them,
//! and handed over as Lambda hands them over.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;
use vestibule::domain::ClaimQueue;
use vestibule_verify_domains::{Failures, Message, ScheduleError, Verifier, Wake};

use crate::{StartError, aside, stop::Stop};

/// Messages handed over at once, as the template has it.
const AT_ONCE: usize = 10;
/// How often a message is handed over before it is put aside, as the template has it.
const RECEIVED: u32 = 3;
/// The one operation that is spoken here.
const SEND: &str = "AmazonSQS.SendMessageBatch";

/// The queue of claims that wait for their lookup, and what takes them from there.
#[derive(Clone, Debug)]
pub struct Claims {
    /// What looks at them.
    pub verifier: Verifier,
    queue: Queue,
}

impl Claims {
    /// Does what a deployment does in a minute: hands out what is due, and has it looked at. Gives how many claims were
    /// handed out.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn verify(&self) -> Result<usize, ScheduleError> {
        let due = self.verifier.schedule().await?;
        self.queue.deliver(&self.verifier).await?;
        Ok(due)
    }

    pub(crate) fn new(verifier: Verifier, queue: Queue) -> Self {
        Self { verifier, queue }
    }
}

/// The messages that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Kept>,
    /// Numbers the messages.
    last: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    id: String,
    body: String,
    received: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
}

impl Queue {
    /// Starts the endpoint that clients send to; gives a client of it.
    pub(crate) async fn start(stop: &Stop) -> Result<(Self, ClaimQueue, JoinHandle<()>), StartError> {
        let queue = Self::default();
        let listener = aside::listen().await?;
        let url = format!("http://{}", listener.local_addr().map_err(StartError::Listen)?);
        let router = Router::new().route("/", post(send)).with_state(queue.clone());
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().asked());
        let task = tokio::spawn(async move {
            let _ = serving.await;
        });
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .endpoint_url(&url)
            .build();
        let client = ClaimQueue::new(aws_sdk_sqs::Client::from_conf(config), format!("{url}/claims"));
        Ok((queue, client, task))
    }

    /// Hands messages over until none waits.
    async fn deliver(&self, verifier: &Verifier) -> Result<(), ScheduleError> {
        loop {
            let taken: Vec<Kept> = {
                let mut waiting = self.lock();
                let count = waiting.messages.len().min(AT_ONCE);
                waiting.messages.drain(..count).collect()
            };
            if taken.is_empty() {
                return Ok(());
            }
            let message = |kept: &Kept| Message { message_id: kept.id.clone(), body: kept.body.clone() };
            let records = taken.iter().map(message).collect();
            let Failures { failures } = verifier.handle(Wake::Messages { records }).await?;
            for kept in taken.into_iter().filter(|kept| failures.iter().any(|failure| failure.message_id == kept.id)) {
                let again = Kept { received: kept.received + 1, ..kept };
                if again.received < RECEIVED {
                    self.lock().messages.push_back(again);
                } else {
                    tracing::error!(message = again.id, "a message was not handled and is put aside");
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(State(queue): State<Queue>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Some(Ok(request)) = (operation == Some(SEND)).then(|| serde_json::from_slice::<SendMessageBatch>(&body)) else {
        let error = json!({ "__type": "com.amazonaws.sqs#UnsupportedOperation", "message": "The local queue takes messages only." });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    let mut waiting = queue.lock();
    let mut taken = Vec::new();
    for Entry { id, message_body: body } in request.entries {
        waiting.last += 1;
        let message = format!("message-{}", waiting.last);
        // Clients that compare the digest of the body do so only where there is one.
        taken.push(json!({ "Id": id, "MessageId": message, "MD5OfMessageBody": "" }));
        waiting.messages.push_back(Kept { id: message, body, received: 0 });
    }
    Json(json!({ "Successful": taken, "Failed": [] })).into_response()
}
