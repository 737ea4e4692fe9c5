//! Applications in `DynamoDB`.

use super::Application;
use crate::{
    id::ApplicationId,
    table::{Key, Page, Range, Store, StoreError, Stored, Transaction},
};

impl Store {
    /// An application by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn application(&self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        Ok(self.get::<Application>(Key::Application(id)).await?.map(|stored| stored.value))
    }

    /// A page of the deployment's applications, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn applications(&self, after: Option<&str>, limit: u16) -> Result<Page<Stored<Application>>, StoreError> {
        self.list(Range::Applications, after, limit).await
    }
}

impl<E> Transaction<E> {
    /// A new application.
    pub fn create_application(&mut self, application: &Application) {
        self.append(Key::Application(application.id), application);
    }
}
