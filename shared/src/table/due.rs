//! What is due: a sparse index on the time at which an item is to be looked at again.
//!
//! Only items with such a time are in the index, so that a schedule reads what is due and nothing else. An index is
//! read eventually consistently: it says where to look, and the item itself is then read and changed on its version.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Key, Meter, PARTITION, SORT, Store, StoreError, Stored, Table, read_item};
use crate::{clock::Timestamp, id::sha256};

/// The index's name, on every table that has one.
pub(super) const INDEX: &str = "due";
/// The index's partition key: the queue and a shard of it.
pub(super) const SHARD: &str = "due_shard";
/// The index's sort key: milliseconds since the epoch.
pub(super) const AT: &str = "due_at";

/// Partitions of each queue, so that what falls due at once is not one partition's load: 1,000 writes a second each.
const SHARDS: u8 = 8;

/// What a schedule looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// Domain claims whose record is to be looked for.
    DomainClaims,
    /// Connections whose metadata or certificates are to be looked at.
    Connections,
    /// Mails that are not sent yet.
    Mails,
}

impl Queue {
    /// The table its items are in.
    #[must_use]
    pub fn table(self) -> Table {
        match self {
            Self::DomainClaims | Self::Connections => Table::Identity,
            Self::Mails => Table::Journal,
        }
    }

    fn shard(self, shard: u8) -> String {
        let name = match self {
            Self::DomainClaims => "DOMAINS",
            Self::Connections => "CONNECTIONS",
            Self::Mails => "MAILS",
        };
        format!("{name}#{shard}")
    }
}

/// When an item is to be looked at again, and by which schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The schedule's queue.
    pub queue: Queue,
    /// From when on.
    pub at: Timestamp,
}

impl Due {
    pub(super) fn attributes(self, key: &Key<'_>) -> [(String, AttributeValue); 2] {
        let (partition, sort) = key.parts();
        // Always the same shard for an item, and no two neighbours in one for being neighbours.
        let [first, ..] = sha256(format!("{partition}\n{sort}").as_bytes());
        let millis = self.at.as_millisecond().max(0);
        [
            (SHARD.to_owned(), AttributeValue::S(self.queue.shard(first % SHARDS))),
            (AT.to_owned(), AttributeValue::N(millis.to_string())),
        ]
    }
}

/// Where an item is, as the index and messages between functions say it. It gives no access: it is read like any other
/// item, and is only what it was written as.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    #[serde(rename = "pk")]
    partition: String,
    #[serde(rename = "sk")]
    sort: String,
}

impl Position {
    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PARTITION.to_owned(), AttributeValue::S(self.partition.clone())),
            (SORT.to_owned(), AttributeValue::S(self.sort.clone())),
        ])
    }
}

impl Store {
    /// Where the items of `queue` are that are due at `now`, at most about `limit`, the longest due ones of each shard
    /// first. One round trip; an item that was written a moment ago may be missing or stand where it was before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, queue: Queue, now: Timestamp, limit: u16) -> Result<Vec<Position>, StoreError> {
        let each = i32::from(limit.div_ceil(u16::from(SHARDS)));
        let shards = (0..SHARDS).map(|shard| self.due_in(queue, shard, now, each));
        let mut due = try_join_all(shards).await?.concat();
        due.sort_by_key(|(at, _)| *at);
        Ok(due.into_iter().map(|(_, position)| position).collect())
    }

    async fn due_in(
        &self,
        queue: Queue,
        shard: u8,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<(i64, Position)>, StoreError> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "due_at")]
            at: i64,
            #[serde(flatten)]
            position: Position,
        }
        let call = Meter::begin();
        let request = self
            .client
            .query()
            .table_name(queue.table().name(&self.prefix))
            .index_name(INDEX)
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(queue.shard(shard)))
            .expression_attribute_values(":now", AttributeValue::N(now.as_millisecond().max(0).to_string()))
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let answer = Box::pin(request).await.map_err(|error| StoreError::unavailable(&error))?;
        call.read(answer.consumed_capacity.as_slice());
        let entries = answer.items.unwrap_or_default().into_iter().map(read_item::<Entry>);
        entries.map(|entry| entry.map(|entry| (entry.at, entry.position))).collect()
    }

    /// Reads an item of `queue` by its position; `None` where there is none any more.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get_at<T: DeserializeOwned>(
        &self,
        queue: Queue,
        position: &Position,
    ) -> Result<Option<Stored<T>>, StoreError> {
        self.read(queue.table(), position.attributes()).await
    }
}
