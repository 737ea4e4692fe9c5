//! What wakes functions by itself: in a deployment streams and schedules, here a clock.

use std::time::Duration;

use tokio::task::JoinHandle;
use vestibule_mailer::Mailer;
use vestibule_refresh_metadata::Refresher;

use crate::{queue::Claims, stop::Stop};

/// How often the outbox is looked at. A deployment is woken by the journal's stream instead.
const MAILS_EVERY: Duration = Duration::from_millis(500);
/// How often connections are looked after.
const CONNECTIONS_EVERY: Duration = Duration::from_mins(1);

/// How often claims that are due are looked at, as in a deployment.
const CLAIMS_EVERY: Duration = Duration::from_mins(1);

/// Sends mails until the end.
pub(crate) fn mails(mailer: Mailer, stop: &Stop) -> JoinHandle<()> {
    every(MAILS_EVERY, stop, move || {
        let mailer = mailer.clone();
        async move {
            if let Err(error) = mailer.run().await {
                tracing::warn!(%error, "mails were not sent");
            }
        }
    })
}

/// Looks at the claims that are due, until the end.
pub(crate) fn claims(claims: Claims, stop: &Stop) -> JoinHandle<()> {
    every(CLAIMS_EVERY, stop, move || {
        let claims = claims.clone();
        async move {
            if let Err(error) = claims.verify().await {
                tracing::warn!(%error, "claims were not looked at");
            }
        }
    })
}

/// Looks after connections until the end.
pub(crate) fn connections(refresher: Refresher, stop: &Stop) -> JoinHandle<()> {
    every(CONNECTIONS_EVERY, stop, move || {
        let refresher = refresher.clone();
        async move {
            if let Err(error) = refresher.run().await {
                tracing::warn!(%error, "connections were not looked after");
            }
        }
    })
}

/// Does `work` again and again, with `pause` between; what is begun is finished before the end.
fn every<F>(pause: Duration, stop: &Stop, work: impl Fn() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send,
{
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut asked = std::pin::pin!(stop.asked());
        loop {
            tokio::select! {
                () = &mut asked => return,
                () = tokio::time::sleep(pause) => work().await,
            }
        }
    })
}
