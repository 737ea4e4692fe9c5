//! Looks after connections on a schedule: fetches metadata again where the identity provider publishes it, and tells
//! administrators before the last certificate expires.
//!
//! The schedule says only that it is time. What is due is asked of an index, and decided on the connection itself; a
//! fetch belongs to whoever marks its beginning first, and what came of it is stored over the version that was read. So
//! it does not matter how often it is woken, or how many runs there are at once.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tracing::{error, info};
use vestibule::{
    app::App,
    clock::Timestamp,
    connection::{Changed, Connection, Refetched},
    table::{CommitError, Position, StoreError, Stored},
    web::Fetcher,
};

/// Connections that one run looks after; the next run goes on.
const AT_ONCE: u16 = 160;
/// Connections that are looked after side by side: some wait for slow servers while others go on.
const SIDE_BY_SIDE: usize = 16;
/// How long one document may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Seconds for which nobody else fetches the same metadata: longer than a fetch takes, shorter than until the next run.
const QUIET: i64 = 60;
/// Runs of one waking: together they end before the function's time does, however slow all servers are.
const RUNS: usize = 2;

/// What looks after connections.
#[derive(Clone, Debug)]
pub struct Refresher {
    app: Arc<App>,
    fetcher: Arc<Fetcher>,
}

/// What wakes the function: a schedule. Nothing of it is believed.
#[derive(Debug, Deserialize)]
pub struct Wake {}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Connections that were looked after.
    pub kept_up: usize,
    /// Connections that could not be, because the tables did not answer. They are still due.
    pub failed: usize,
}

impl Refresher {
    /// Looks after the connections of `app`.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let fetcher = Arc::new(Fetcher::new(app.settings.reach));
        Self { app, fetcher }
    }

    /// Looks after what is due.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known what is due.
    pub async fn handle(&self, _: Wake) -> Result<(), StoreError> {
        for _ in 0..RUNS {
            let run = self.run().await?;
            info!(kept_up = run.kept_up, failed = run.failed, "connections were looked after");
            if run.kept_up == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Looks after what is due, at most about [`AT_ONCE`] connections.
    ///
    /// # Errors
    /// As [`Refresher::handle`].
    pub async fn run(&self) -> Result<Run, StoreError> {
        let due = self.app.store.due_connections(self.app.clock.now(), AT_ONCE).await?;
        let outcomes = stream::iter(due).map(|position| self.look_after(position)).buffer_unordered(SIDE_BY_SIDE);
        let run = outcomes.fold(Run::default(), async |run, outcome| match outcome {
            Ok(kept_up) => Run { kept_up: run.kept_up + usize::from(kept_up), ..run },
            Err(error) => {
                error!(?error, "a connection was not looked after");
                Run { failed: run.failed + 1, ..run }
            }
        });
        Ok(run.await)
    }

    /// Whether there was something to do and it is done.
    async fn look_after(&self, position: Position) -> Result<bool, StoreError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let Some(connection) = app.store.connection_at(&position).await? else { return Ok(false) };
        if connection.value.due().is_none_or(|due| now < due.at) {
            return Ok(false);
        }
        if connection.value.is_fetch_due(now) {
            let refetched = app.refetch(&self.fetcher, &connection, QUIET, WITHIN, now).await?;
            if matches!(refetched, Refetched::Stored(_)) {
                return Ok(true);
            }
        }
        self.warn(&connection, now).await
    }

    /// Tells of what is due to be told without a fetch.
    async fn warn(&self, connection: &Stored<Connection>, now: Timestamp) -> Result<bool, StoreError> {
        let Some(upkeep) = connection.value.upkeep(None, now, &self.app.random) else { return Ok(false) };
        match self.app.store.keep_up(&self.app, connection, &upkeep, &[], now).await {
            Ok(()) => Ok(true),
            // Whoever changed it has its next time stored with it.
            Err(CommitError::Refused(Changed) | CommitError::Contended) => Ok(false),
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}
