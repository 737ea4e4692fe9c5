//! A process's memory of the keys, so that a warm request reads none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{KeyError, LOOKED, REMEMBERED, ServiceProviderKeys};
use crate::{
    app::App,
    clock::{Timestamp, after},
    saml::{DecryptionKey, SigningKey},
    table::{StoreError, Stored},
};

/// The keys as they were read at most [`REMEMBERED`] seconds ago, or that there were none. Where they can not be read again,
/// those that are remembered serve on.
#[derive(Debug, Default)]
pub struct KeyCache(Mutex<Option<Remembered>>);

#[derive(Clone, Debug)]
struct Remembered {
    keys: Option<Arc<OpenedKeys>>,
    read_at: Timestamp,
    /// When somebody last tried to read them.
    tried_at: Timestamp,
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

impl Remembered {
    /// Whether they serve without a look at the table. A clock that went back makes it look again too.
    fn serves(&self, now: Timestamp) -> bool {
        let within = |since: Timestamp, seconds| since <= now && now < after(since, seconds);
        within(self.read_at, REMEMBERED) || (self.keys.is_some() && within(self.tried_at, LOOKED))
    }

    /// Where there were none, the first ones can have been made and read of since.
    fn was_just_read(&self, now: Timestamp) -> bool {
        self.keys.is_some() && self.read_at <= now && now < after(self.read_at, LOOKED)
    }
}

impl KeyCache {
    /// The keys, read if need be, and made if the deployment has none yet.
    ///
    /// # Errors
    /// [`StoreError`] where none are remembered either; keys that can not be made are one.
    pub async fn keys(&self, app: &App, now: Timestamp) -> Result<Arc<OpenedKeys>, StoreError> {
        let remembered = self.lock().clone();
        if let Some(keys) = remembered.filter(|remembered| remembered.serves(now)).and_then(|serving| serving.keys) {
            return Ok(keys);
        }
        match app.service_provider_keys(now).await {
            Ok(stored) => Ok(self.take(stored, app, now)),
            Err(error) => self.serve_on(now).ok_or(error),
        }
    }

    /// The keys, read if need be; `None` where the deployment has none yet, and so nobody can have encrypted to one. Whoever
    /// needs none is not to wait for a table's recovery: a failure is logged, and who then does need a key asks for
    /// [`keys`](Self::keys) or [`others`](Self::others), which fail.
    pub async fn known(&self, app: &App, now: Timestamp) -> Option<Arc<OpenedKeys>> {
        let remembered = self.lock().clone();
        if let Some(serving) = remembered.filter(|remembered| remembered.serves(now)) {
            return serving.keys;
        }
        match self.read(app, now).await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!(?error, "the service provider's keys can not be read");
                self.serve_on(now)
            }
        }
    }

    /// The keys, read again because something does not open with `tried`; `None` where there are no others by now, or were
    /// none less than [`LOOKED`] seconds ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn others(
        &self,
        tried: Option<&OpenedKeys>,
        app: &App,
        now: Timestamp,
    ) -> Result<Option<Arc<OpenedKeys>>, StoreError> {
        let remembered = self.lock().clone();
        let keys = match remembered.filter(|remembered| remembered.was_just_read(now)) {
            Some(remembered) => remembered.keys,
            None => self.read(app, now).await?,
        };
        Ok(keys.filter(|keys| tried.is_none_or(|tried| tried.version != keys.version)))
    }

    async fn read(&self, app: &App, now: Timestamp) -> Result<Option<Arc<OpenedKeys>>, StoreError> {
        let stored = app.store.service_provider_keys().await?;
        let keys = stored.map(|stored| self.take(stored, app, now));
        if keys.is_none() {
            self.remember(None, now);
        }
        Ok(keys)
    }

    /// Remembers keys that were read, opened unless they are those that are remembered.
    fn take(&self, stored: Stored<ServiceProviderKeys>, app: &App, now: Timestamp) -> Arc<OpenedKeys> {
        let known = self.lock().as_ref().and_then(|remembered| remembered.keys.clone());
        let known = known.filter(|known| known.version == stored.version && known.keys == stored.value);
        let keys = known.unwrap_or_else(|| Arc::new(OpenedKeys::open(stored, app)));
        self.remember(Some(Arc::clone(&keys)), now);
        keys
    }

    /// What is remembered, because it can not be read again at `now`.
    fn serve_on(&self, now: Timestamp) -> Option<Arc<OpenedKeys>> {
        let mut remembered = self.lock();
        let remembered = remembered.as_mut()?;
        remembered.tried_at = now;
        remembered.keys.clone()
    }

    fn remember(&self, keys: Option<Arc<OpenedKeys>>, now: Timestamp) {
        *self.lock() = Some(Remembered { keys, read_at: now, tried_at: now });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
