//! A process's memory of the keys, so that a warm request reads none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{IdTokenKeys, REMEMBERED, store::KeyRingError};
use crate::{
    app::App,
    clock::{Timestamp, after},
};

/// The keys of ID tokens as they were read at most [`REMEMBERED`] seconds ago.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<Option<Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    keys: Arc<IdTokenKeys>,
    read_at: Timestamp,
}

impl KeyCache {
    /// The keys, read if need be.
    ///
    /// # Errors
    /// [`KeyRingError`] when they have to be read and can not be: older ones are not used instead.
    pub async fn keys(&self, app: &App, now: Timestamp) -> Result<Arc<IdTokenKeys>, KeyRingError> {
        if let Some(remembered) = self.lock().as_ref().filter(|remembered| remembered.serves(now)) {
            return Ok(Arc::clone(&remembered.keys));
        }
        let ring = app.signing_keys(now).await?;
        let keys = Arc::new(IdTokenKeys::open(ring, &app.settings.sealing_key)?);
        *self.lock() = Some(Remembered { keys: Arc::clone(&keys), read_at: now });
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// A clock that went back makes it read again too.
    fn serves(&self, now: Timestamp) -> bool {
        self.read_at <= now && now < after(self.read_at, REMEMBERED)
    }
}
