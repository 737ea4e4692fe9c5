//! The service provider's key in `DynamoDB`.

use super::ServiceProviderKey;
use crate::{
    app::App,
    clock::Timestamp,
    table::{CommitError, Key, Store, StoreError, Transaction},
};

impl Store {
    /// The deployment's key, made now if there is none yet. However many ask at the same time, all get the same one.
    ///
    /// # Errors
    /// [`StoreError`]; a key that can not be made is one.
    pub async fn service_provider_key(&self, app: &App, now: Timestamp) -> Result<ServiceProviderKey, StoreError> {
        if let Some(stored) = self.get::<ServiceProviderKey>(Key::ServiceProvider).await? {
            return Ok(stored.value);
        }
        let key = ServiceProviderKey::generate(&app.settings.sealing_key, now, &app.random)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let mut transaction = Transaction::default();
        transaction.create(Key::ServiceProvider, &key, ());
        match self.commit(transaction).await {
            Ok(()) => Ok(key),
            Err(CommitError::Store(error)) => Err(error),
            Err(CommitError::Refused(()) | CommitError::Contended) => {
                let stored = self.get::<ServiceProviderKey>(Key::ServiceProvider).await?;
                stored
                    .map(|stored| stored.value)
                    .ok_or_else(|| StoreError::Unavailable("the key is not there".to_owned()))
            }
        }
    }
}
