//! The service provider's keys in `DynamoDB`: one item, so that they are read and changed whole.

use super::{Generation, ServiceProviderKeys};
use crate::{
    app::App,
    clock::Timestamp,
    table::{Key, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// The deployment's keys, if there are any yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn service_provider_keys(&self) -> Result<Option<Stored<ServiceProviderKeys>>, StoreError> {
        self.get(Key::ServiceProviderKeys).await
    }
}

impl App {
    /// The deployment's keys, made now if there are none yet. However many ask at the same time, all get the same ones.
    ///
    /// # Errors
    /// [`StoreError`]; keys that can not be made are one.
    pub async fn service_provider_keys(&self, now: Timestamp) -> Result<Stored<ServiceProviderKeys>, StoreError> {
        if let Some(stored) = self.store.service_provider_keys().await? {
            return Ok(stored);
        }
        let first = ServiceProviderKeys::new(self.fresh_generation(now, now).await?);
        let mut transaction = Transaction::default();
        transaction.create(Key::ServiceProviderKeys, &first, ());
        if self.store.commit_unless_changed(transaction).await? {
            tracing::info!("the service provider's first keys were made");
            return Ok(Stored { value: first, version: 1 });
        }
        let written = self.store.service_provider_keys().await?;
        written.ok_or_else(StoreError::shape::<ServiceProviderKeys>)
    }

    /// Fresh keys that take over at this time, made beside whatever else the process is answering.
    ///
    /// # Errors
    /// [`StoreError`] when they can not be made.
    pub async fn fresh_generation(&self, takes_over_at: Timestamp, now: Timestamp) -> Result<Generation, StoreError> {
        let (key, random) = (self.settings.sealing_key.clone(), self.random.clone());
        let made = tokio::task::spawn_blocking(move || Generation::make(takes_over_at, now, &key, &random)).await;
        match made {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) => Err(StoreError::Unavailable(error.to_string())),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }
}

impl<E> Transaction<E> {
    /// The keys as they are from now on.
    pub fn replace_service_provider_keys(&mut self, keys: &ServiceProviderKeys, version: u64, changed: E) {
        self.replace(Key::ServiceProviderKeys, keys, version, changed);
    }
}
