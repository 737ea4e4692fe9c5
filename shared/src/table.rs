//! The four `DynamoDB` tables: reads, transactions and what they cost.
//!
//! Nothing scans. Every read of an item is strongly consistent; nothing is decided by what an index says. Every write is a [`Transaction`], whose failing conditions come
//! back as the domain errors that its author gave them.

mod due;
mod key;
mod meter;
mod people;
mod schema;
mod settle;
mod transaction;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    types::{AttributeValue, ReturnConsumedCapacity},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use due::{Due, Position, Queue};
pub use key::{Key, Range};
pub use meter::{Cost, Meter};
pub use people::People;
pub use settle::{Settling, settle};
pub use transaction::{CommitError, Transaction};

/// The partition key attribute of every table.
pub(crate) const PARTITION: &str = "pk";
/// The sort key attribute of every table.
pub(crate) const SORT: &str = "sk";
/// The attribute by which what has ended is cleaned, in seconds since the Unix epoch.
pub(crate) const TTL: &str = "ttl";
/// The attribute that counts the versions of an item, from 1.
pub(crate) const VERSION: &str = "version";

/// A table, each with one life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// What customers are: parents, organizations, accounts, memberships, domains, connections, applications.
    Identity,
    /// What identity providers push: SCIM users, groups and edges.
    Directory,
    /// What ends by itself: logins under way, replay markers, codes, grants, sessions, traces.
    Ephemeral,
    /// What has happened: the audit trail, only ever appended to, and the outbox of mails.
    Journal,
}

impl Table {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Directory, Self::Ephemeral, Self::Journal];

    /// The table's name in a deployment whose tables begin with `prefix`.
    #[must_use]
    pub fn name(self, prefix: &str) -> String {
        let suffix = match self {
            Self::Identity => "identity",
            Self::Directory => "directory",
            Self::Ephemeral => "ephemeral",
            Self::Journal => "journal",
        };
        format!("{prefix}-{suffix}")
    }
}

/// The deployment's tables.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    prefix: String,
}

/// An item as it was read, with the version that a change of it must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored<T> {
    /// What the item says.
    #[serde(flatten)]
    pub value: T,
    /// How often it was written.
    pub version: u64,
}

/// A part of a listing.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, in the order of their keys unless the range is read backwards.
    pub items: Vec<T>,
    /// Where the next page begins, `None` at the end.
    pub next: Option<String>,
}

/// Why the tables gave no answer. It holds neither keys nor values, so that it can be logged.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `DynamoDB` did not answer or refused the request; how, and its error code.
    #[error("the database did not answer: {0}")]
    Unavailable(String),
    /// An item does not read as, or write from, its type.
    #[error("a stored item and the type {0} do not fit")]
    Shape(&'static str),
}

impl StoreError {
    /// The SDK's error without the request and the answer that it carries along.
    pub(crate) fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let how = match error {
            SdkError::ConstructionFailure(_) => "the request could not be built",
            SdkError::TimeoutError(_) => "it took too long",
            SdkError::DispatchFailure(_) => "the request could not be sent",
            SdkError::ResponseError(_) => "the answer could not be read",
            _ => "it refused",
        };
        let metadata = ProvideErrorMetadata::meta(error);
        let (code, message) = (metadata.code().unwrap_or("no code"), metadata.message().unwrap_or_default());
        Self::Unavailable(format!("{how} ({code}) {message}"))
    }

    /// A request that lacks a part, which is our own mistake.
    #[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
    pub(crate) fn unbuilt(error: BuildError) -> Self {
        Self::Unavailable(format!("the request could not be built: {error}"))
    }

    pub(crate) fn shape<T>() -> Self {
        Self::Shape(std::any::type_name::<T>())
    }
}

impl Store {
    /// The tables whose names begin with `prefix`, behind `client`.
    #[must_use]
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    /// Reads one item; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or the item does not read as `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: Key<'_>) -> Result<Option<Stored<T>>, StoreError> {
        self.read(key.table(), key.attributes()).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        table: Table,
        key: HashMap<String, AttributeValue>,
    ) -> Result<Option<Stored<T>>, StoreError> {
        let call = Meter::begin();
        let request = self
            .client
            .get_item()
            .table_name(table.name(&self.prefix))
            .set_key(Some(key))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        // The client's futures are large; on the heap they leave the handlers' small.
        let answer = Box::pin(request).await.map_err(|error| StoreError::unavailable(&error))?;
        call.read(answer.consumed_capacity.as_slice());
        answer.item.map(read_item).transpose()
    }

    /// Reads at most `limit` items of a range, beginning after the position `after` of an earlier page.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or an item does not read as `T`.
    pub async fn list<T: DeserializeOwned>(
        &self,
        range: Range<'_>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<Stored<T>>, StoreError> {
        let call = Meter::begin();
        let (partition, sort_prefix) = range.parts();
        let start = after.map(|sort| {
            HashMap::from([
                (PARTITION.to_owned(), AttributeValue::S(partition.clone())),
                (SORT.to_owned(), AttributeValue::S(sort.to_owned())),
            ])
        });
        let query = self
            .client
            .query()
            .table_name(range.table().name(&self.prefix))
            .expression_attribute_values(":partition", AttributeValue::S(partition));
        let query = if sort_prefix.is_empty() {
            query.key_condition_expression("pk = :partition")
        } else {
            query
                .key_condition_expression("pk = :partition AND begins_with(sk, :sort)")
                .expression_attribute_values(":sort", AttributeValue::S(sort_prefix))
        };
        let request = query
            .set_exclusive_start_key(start)
            .scan_index_forward(!range.newest_first())
            .consistent_read(true)
            .limit(i32::from(limit))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let answer = Box::pin(request).await.map_err(|error| StoreError::unavailable(&error))?;
        call.read(answer.consumed_capacity.as_slice());
        let next = answer.last_evaluated_key.and_then(|key| key.get(SORT).and_then(|sort| sort.as_s().ok().cloned()));
        let items = answer.items.unwrap_or_default().into_iter().map(read_item).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Reads a whole range that a named limit keeps small.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list_all<T: DeserializeOwned>(&self, range: Range<'_>) -> Result<Vec<Stored<T>>, StoreError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.list(range, after.as_deref(), 1_000).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}

fn read_item<T: DeserializeOwned>(item: HashMap<String, AttributeValue>) -> Result<T, StoreError> {
    // The error itself can quote what was stored.
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| StoreError::shape::<T>())
}
