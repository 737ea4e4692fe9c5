//! A process's memory of the keys, so that a warm request reads none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{KeyError, REMEMBERED, ServiceProviderKeys};
use crate::{
    app::App,
    clock::{Timestamp, after},
    saml::{DecryptionKey, SigningKey},
    table::{StoreError, Stored},
};

/// The keys as they were read at most [`REMEMBERED`] seconds ago, or that there were none.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<Option<Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    keys: Option<Arc<OpenedKeys>>,
    read_at: Timestamp,
}

/// Keys that were read and opened.
#[derive(Debug)]
pub struct OpenedKeys {
    keys: ServiceProviderKeys,
    version: u64,
    decryption: Vec<DecryptionKey>,
}

impl OpenedKeys {
    fn open(stored: Stored<ServiceProviderKeys>, app: &App) -> Self {
        let Stored { value: keys, version } = stored;
        let opened = keys.generations().filter_map(|generation| {
            let opened = generation.decryption_key(&app.settings.sealing_key);
            // Whoever does not encrypt signs in all the same.
            opened.inspect_err(|error| tracing::error!(%error, "encrypted assertions can not be opened")).ok()
        });
        Self { decryption: opened.collect(), version, keys }
    }

    /// The keys that open encrypted assertions, the newest one first.
    #[must_use]
    pub fn decryption_keys(&self) -> &[DecryptionKey] {
        &self.decryption
    }

    /// The key that signs at `now`.
    ///
    /// # Errors
    /// [`KeyError`] when it can not be opened.
    pub fn signing_key(&self, app: &App, now: Timestamp) -> Result<SigningKey, KeyError> {
        self.keys.current(now).signing_key(&app.settings.sealing_key)
    }
}

impl KeyCache {
    /// The keys, read if need be, and made if the deployment has none yet.
    ///
    /// # Errors
    /// [`StoreError`]; keys that can not be made are one.
    pub async fn keys(&self, app: &App, now: Timestamp) -> Result<Arc<OpenedKeys>, StoreError> {
        if let Some(keys) = self.remembered(now).and_then(|remembered| remembered.keys) {
            return Ok(keys);
        }
        let keys = Arc::new(OpenedKeys::open(app.service_provider_keys(now).await?, app));
        self.remember(Some(Arc::clone(&keys)), now);
        Ok(keys)
    }

    /// The keys, read if need be; `None` where the deployment has none yet, and so nobody can have encrypted to one.
    ///
    /// # Errors
    /// [`StoreError`] when they have to be read and can not be.
    pub async fn known(&self, app: &App, now: Timestamp) -> Result<Option<Arc<OpenedKeys>>, StoreError> {
        match self.remembered(now) {
            Some(remembered) => Ok(remembered.keys),
            None => self.read(app, now).await,
        }
    }

    /// The keys, read again because something does not open with `tried`; `None` where there are no others by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn others(
        &self,
        tried: Option<&OpenedKeys>,
        app: &App,
        now: Timestamp,
    ) -> Result<Option<Arc<OpenedKeys>>, StoreError> {
        let keys = self.read(app, now).await?;
        Ok(keys.filter(|keys| tried.is_none_or(|tried| tried.version != keys.version)))
    }

    async fn read(&self, app: &App, now: Timestamp) -> Result<Option<Arc<OpenedKeys>>, StoreError> {
        let stored = app.store.service_provider_keys().await?;
        let keys = stored.map(|stored| Arc::new(OpenedKeys::open(stored, app)));
        self.remember(keys.clone(), now);
        Ok(keys)
    }

    /// A clock that went back makes it read again too.
    fn remembered(&self, now: Timestamp) -> Option<Remembered> {
        let serves =
            |remembered: &&Remembered| remembered.read_at <= now && now < after(remembered.read_at, REMEMBERED);
        self.lock().as_ref().filter(serves).cloned()
    }

    fn remember(&self, keys: Option<Arc<OpenedKeys>>, now: Timestamp) {
        *self.lock() = Some(Remembered { keys, read_at: now });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
