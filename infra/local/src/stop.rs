//! Ending: every server finishes the requests under way before it goes.

use tokio::sync::watch;

/// Tells the servers when to end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Asks for the end.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// A pair of the two.
pub(crate) fn pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks for the end.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the end is asked for, or nobody is left who could ask.
    pub(crate) async fn asked(mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
