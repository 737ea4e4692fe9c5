//! The signing keys in `DynamoDB`: one item, so that the ring is read and changed whole.

use super::{KeyRing, RotationUnderWay, SigningKey, SigningKeyError};
use crate::{
    app::App,
    clock::Timestamp,
    table::{CommitError, Key, Store, StoreError, Stored, Transaction},
};

/// Why there is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// No key could be made or opened.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// The next key is published already.
    #[error(transparent)]
    UnderWay(#[from] RotationUnderWay),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody else wrote the ring first.
#[derive(Clone, Copy, Debug)]
struct Lost;

impl App {
    /// The keys: made at the first use, and rotated when that is due. Whoever loses a race for either reads
    /// what the winner wrote.
    ///
    /// # Errors
    /// [`KeyRingError`].
    pub async fn signing_keys(&self, now: Timestamp) -> Result<KeyRing, KeyRingError> {
        match self.store.key_ring().await? {
            None => self.first_key(now).await,
            Some(stored) if stored.value.is_due(now) => {
                let present = stored.value.clone();
                // What is due can wait: the present key goes on until a later request succeeds.
                Ok(self.next_key(stored, now).await.unwrap_or_else(|error| {
                    tracing::error!(?error, "the signing keys were not rotated");
                    present
                }))
            }
            Some(stored) => Ok(stored.value),
        }
    }

    /// Publishes the next key, which takes its turn [`super::PUBLISHED_AHEAD`] seconds from `now`.
    ///
    /// # Errors
    /// [`KeyRingError`].
    pub async fn rotate_signing_keys(&self, now: Timestamp) -> Result<KeyRing, KeyRingError> {
        match self.store.key_ring().await? {
            None => self.first_key(now).await,
            Some(stored) => self.next_key(stored, now).await,
        }
    }

    async fn first_key(&self, now: Timestamp) -> Result<KeyRing, KeyRingError> {
        let ring = KeyRing::new(self.generate(now).await?);
        let mut transaction = Transaction::default();
        transaction.create(Key::SigningKeys, &ring, Lost);
        self.commit_ring(ring, transaction).await
    }

    async fn next_key(
        &self,
        Stored { value: ring, version }: Stored<KeyRing>,
        now: Timestamp,
    ) -> Result<KeyRing, KeyRingError> {
        let next = ring.rotated(self.generate(KeyRing::next_turn(now)).await?, now)?;
        let mut transaction = Transaction::default();
        transaction.replace(Key::SigningKeys, &next, version, Lost);
        self.commit_ring(next, transaction).await
    }

    async fn commit_ring(&self, ring: KeyRing, transaction: Transaction<Lost>) -> Result<KeyRing, KeyRingError> {
        match self.store.commit(transaction).await {
            Ok(()) => {
                tracing::info!("a signing key was made");
                Ok(ring)
            }
            Err(CommitError::Store(error)) => Err(error.into()),
            Err(CommitError::Refused(Lost) | CommitError::Contended) => {
                let written = self.store.key_ring().await?;
                written.map(|stored| stored.value).ok_or_else(|| StoreError::shape::<KeyRing>().into())
            }
        }
    }

    /// A fresh key, made beside whatever else the process is answering.
    async fn generate(&self, signs_from: Timestamp) -> Result<SigningKey, SigningKeyError> {
        let (key, random) = (self.settings.sealing_key.clone(), self.random.clone());
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(signs_from, &key, &random)).await;
        made.unwrap_or(Err(SigningKeyError::Crypto))
    }
}

impl Store {
    async fn key_ring(&self) -> Result<Option<Stored<KeyRing>>, StoreError> {
        self.get(Key::SigningKeys).await
    }
}
