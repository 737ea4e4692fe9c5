//! The embedded `DynamoDB`: dynoxide in this process, asked over loopback by the same SDK that asks the real one.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use dynoxide::Database;
use tokio::task::JoinHandle;

use crate::{StartError, aside, data::Data, stop::Stop};

/// The database's file in the data directory.
const FILE: &str = "dynamodb.sqlite";
/// How often expired items are cleaned. Expiry is checked whenever an item is read, so this only saves room.
const SWEEP_EVERY: Duration = Duration::from_mins(5);

/// Starts the engine on the data's file, or in memory, and gives its address.
pub(crate) async fn start(data: &Data, stop: &Stop) -> Result<(String, JoinHandle<()>), StartError> {
    let database = match data.path(FILE) {
        Some(path) => Database::new(&path.to_string_lossy()),
        None => Database::memory(),
    };
    let database = database.map_err(|error| StartError::Engine(error.to_string()))?;
    let listener = aside::listen().await?;
    let url = format!("http://{}", listener.local_addr().map_err(StartError::Listen)?);
    let stopping = stop.clone();
    let task = tokio::spawn(async move {
        let sweeper = tokio::spawn(sweep(database.clone()));
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stopping.asked()).await {
            tracing::error!(error, "the embedded database ended");
        }
        sweeper.abort();
    });
    Ok((url, task))
}

async fn sweep(database: Database) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        let database = database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items were not cleaned");
        }
    }
}

/// A client of the engine at `url`, which checks no credentials.
pub(crate) fn client(url: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}
