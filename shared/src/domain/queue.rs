//! The queue in which claims wait for their lookup: Amazon SQS.

use std::fmt;

use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::SendMessageBatchRequestEntry};
use serde::Serialize;

use crate::app::{SettingsError, variable};

/// Messages that one request sends, which is what Amazon SQS takes.
const AT_ONCE: usize = 10;

/// Sends messages to one queue.
#[derive(Clone)]
pub struct ClaimQueue {
    client: Client,
    url: String,
}

/// Why the queue did not take a message. It holds nothing of it, so that it can be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue did not take it ({0})")]
pub struct QueueError(String);

impl ClaimQueue {
    /// Sends through `client` to the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue of a Lambda function: `VESTIBULE_CLAIM_QUEUE`, its address.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub async fn from_env() -> Result<Self, SettingsError> {
        let url = variable("VESTIBULE_CLAIM_QUEUE")?;
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        Ok(Self::new(Client::new(&config), url))
    }

    /// Sends messages, each as JSON. Those before one that was not taken have been.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn send(&self, messages: &[impl Serialize]) -> Result<(), QueueError> {
        let unbuilt = |why: &dyn fmt::Display| QueueError(format!("not built: {why}"));
        for messages in messages.chunks(AT_ONCE) {
            let mut request = self.client.send_message_batch().queue_url(&self.url);
            for (place, message) in messages.iter().enumerate() {
                let body = serde_json::to_string(message).map_err(|error| unbuilt(&error))?;
                let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body).build();
                request = request.entries(entry.map_err(|error| unbuilt(&error))?);
            }
            let answer = Box::pin(request.send()).await.map_err(|error| {
                let code = ProvideErrorMetadata::meta(&error).code();
                QueueError(code.unwrap_or("no answer").to_owned())
            })?;
            if let Some(failed) = answer.failed().first() {
                return Err(QueueError(failed.code().to_owned()));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimQueue").field("url", &self.url).finish_non_exhaustive()
    }
}
