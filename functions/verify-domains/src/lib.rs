//! Looks for the records of the claims that are due.
//!
//! A schedule asks each minute which claims are due, and puts where they are into a queue; from the queue come messages, each
//! with some of them. Both may come twice, late or in another order: a claim is looked at by whoever stores the beginning
//! of the lookup first, and only while it is due.

mod check;

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tracing::{error, info};
use vestibule::{
    app::App,
    domain::{ClaimQueue, QueueError, Resolver},
    table::{Cost, Meter, Position, StoreError},
};

pub use check::Checked;

/// Claims that one run of the schedule hands out; what is left over is due longest at the next.
pub const MAX_DUE: u16 = 4_000;
/// Claims in one message.
const IN_A_MESSAGE: usize = 10;
/// Lookups that go on at the same time, each of which is a handful of questions.
const AT_ONCE: usize = 32;

/// What looks at claims.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// Settings, time and the tables.
    pub app: Arc<App>,
    /// How domains are looked up.
    pub resolver: Arc<Resolver>,
    /// Where claims wait for their lookup.
    pub queue: ClaimQueue,
}

/// What wakes the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Wake {
    /// Messages of the queue.
    Messages {
        /// The messages.
        #[serde(rename = "Records")]
        records: Vec<Message>,
    },
    /// The schedule. Nothing of it is believed.
    Schedule {},
}

/// A message of the queue, as Lambda hands it over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// What the queue calls it.
    pub message_id: String,
    /// What it says.
    pub body: String,
}

/// The messages that are to come again; the queue forgets all others.
#[derive(Debug, Default, Serialize)]
pub struct Failures {
    /// Each by what the queue calls it.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<Failure>,
}

/// A message that is to come again.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// What the queue calls it.
    #[serde(rename = "itemIdentifier")]
    pub message_id: String,
}

/// Why a run of the schedule did not hand everything out. What it did not is due at the next.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue did not take it.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Verifier {
    /// Does what the function was woken for.
    ///
    /// # Errors
    /// [`ScheduleError`]. Messages never fail as a whole.
    pub async fn handle(&self, wake: Wake) -> Result<Failures, ScheduleError> {
        match wake {
            Wake::Schedule {} => {
                self.schedule().await?;
                Ok(Failures::default())
            }
            Wake::Messages { records } => {
                let (messages, meter) = (records.len(), Meter::default());
                let failures = meter.clone().scope(self.messages(records)).await;
                let Cost { calls, read_units, write_units, .. } = meter.cost();
                info!(
                    messages,
                    failed = failures.failures.len(),
                    calls,
                    read_units,
                    write_units,
                    "claims were looked at"
                );
                Ok(failures)
            }
        }
    }

    /// Hands out the claims that are due, at most about [`MAX_DUE`], and gives how many.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub async fn schedule(&self) -> Result<usize, ScheduleError> {
        let due = self.app.store.due_domain_claims(self.app.clock.now(), MAX_DUE).await?;
        let messages: Vec<&[Position]> = due.chunks(IN_A_MESSAGE).collect();
        self.queue.send(&messages).await?;
        if !due.is_empty() {
            info!(claims = due.len(), messages = messages.len(), "claims are due");
        }
        Ok(due.len())
    }

    /// Looks at the claims of messages, side by side, and gives those messages that are to come again.
    pub async fn messages(&self, messages: Vec<Message>) -> Failures {
        let mut claims = Vec::new();
        for (place, message) in messages.iter().enumerate() {
            if let Ok(positions) = serde_json::from_str::<Vec<Position>>(&message.body) {
                claims.extend(positions.into_iter().map(|position| (place, position)));
            } else {
                // It would not read the next time either.
                error!(message = message.message_id, "a message of the queue does not read and is dropped");
            }
        }
        let checks = stream::iter(claims).map(|(place, position)| async move {
            let checked = self.check(&position).await;
            (place, checked)
        });
        let checked: Vec<_> = checks.buffer_unordered(AT_ONCE).collect().await;
        let mut again = vec![false; messages.len()];
        for (place, checked) in checked {
            if let Err(error) = checked {
                error!(%error, "a claim was not looked at");
                if let Some(again) = again.get_mut(place) {
                    *again = true;
                }
            }
        }
        let failed = messages.into_iter().zip(again).filter(|(_, again)| *again);
        Failures { failures: failed.map(|(message, _)| Failure { message_id: message.message_id }).collect() }
    }
}
