//! All-or-nothing writes, whose failing conditions are domain errors.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem,
    },
};
use serde::Serialize;

use super::{Due, Key, Meter, Store, StoreError, TTL, VERSION};
use crate::{
    clock::Timestamp,
    id::{Random, hex},
};

/// How often a transaction that met another one on the same item is sent.
const ATTEMPTS: u32 = 4;

/// Writes that happen together or not at all. `E` says what each condition's failure means.
#[derive(Debug)]
pub struct Transaction<E> {
    actions: Vec<Action<E>>,
    malformed: Option<StoreError>,
}

#[derive(Debug)]
struct Action<E> {
    key: HashMap<String, AttributeValue>,
    table: super::Table,
    what: What,
    /// The error that the failing condition stands for; `None` where there is no condition.
    refusal: Option<E>,
}

#[derive(Debug)]
enum What {
    Put { item: HashMap<String, AttributeValue>, condition: Option<Condition> },
    Delete { condition: Option<Condition> },
    Check { condition: Condition },
}

#[derive(Clone, Debug)]
enum Condition {
    Absent,
    Present,
    Version(u64),
    /// A field of this name and value, and none of the other name.
    FieldAlone(&'static str, String, &'static str),
    /// Absent, or ended at this second since the Unix epoch and not cleaned yet.
    AbsentOrEnded(i64),
}

/// What an item carries beside its own attributes.
#[derive(Clone, Copy, Debug, Default)]
struct Extra {
    /// When it ends.
    expires: Option<Timestamp>,
    /// When it is to be looked at again.
    due: Option<Due>,
}

impl Extra {
    fn until(expires: Timestamp) -> Self {
        Self { expires: Some(expires), due: None }
    }
}

/// Why a transaction did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// A condition failed; nothing was written.
    #[error("a condition failed")]
    Refused(E),
    /// Other transactions kept meeting it on the same items; nothing was written.
    #[error("too much contention")]
    Contended,
    /// The database did not answer. It may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> Default for Transaction<E> {
    fn default() -> Self {
        Self { actions: Vec::new(), malformed: None }
    }
}

impl<E> Transaction<E> {
    /// Writes a new item; `taken` when there is one at its key already.
    pub fn create<T: Serialize>(&mut self, key: Key<'_>, item: &T, taken: E) {
        self.put(key, item, 1, Extra::default(), Some((Condition::Absent, taken)));
    }

    /// As [`Transaction::create`], for an item that is to be looked at again at `due`, if at all.
    pub fn create_due<T: Serialize>(&mut self, key: Key<'_>, item: &T, due: Option<Due>, taken: E) {
        self.put(key, item, 1, Extra { due, ..Extra::default() }, Some((Condition::Absent, taken)));
    }

    /// Writes a new item that ends at `expires`; `taken` when there is one at its key already, ended or not.
    pub fn create_until<T: Serialize>(&mut self, key: Key<'_>, item: &T, expires: Timestamp, taken: E) {
        self.put(key, item, 1, Extra::until(expires), Some((Condition::Absent, taken)));
    }

    /// As [`Transaction::create_until`], except that an item that ended by `now` counts as none.
    pub fn create_again_until<T: Serialize>(
        &mut self,
        key: Key<'_>,
        item: &T,
        expires: Timestamp,
        now: Timestamp,
        taken: E,
    ) {
        let condition = Condition::AbsentOrEnded(now.as_second());
        self.put(key, item, 1, Extra::until(expires), Some((condition, taken)));
    }

    /// Writes over the item that was read with `version`; `changed` when it has another version by now or is gone.
    pub fn replace<T: Serialize>(&mut self, key: Key<'_>, item: &T, version: u64, changed: E) {
        self.replace_due(key, item, version, None, changed);
    }

    /// As [`Transaction::replace`], for an item that is to be looked at again at `due`, if at all.
    pub fn replace_due<T: Serialize>(&mut self, key: Key<'_>, item: &T, version: u64, due: Option<Due>, changed: E) {
        let extra = Extra { due, ..Extra::default() };
        self.put(key, item, version.saturating_add(1), extra, Some((Condition::Version(version), changed)));
    }

    /// As [`Transaction::replace`], for an item that ends at `expires`.
    pub fn replace_until<T: Serialize>(
        &mut self,
        key: Key<'_>,
        item: &T,
        expires: Timestamp,
        version: u64,
        changed: E,
    ) {
        let condition = Condition::Version(version);
        self.put(key, item, version.saturating_add(1), Extra::until(expires), Some((condition, changed)));
    }

    /// As [`Transaction::create_until`] or, where one of version `before` was read, as [`Transaction::replace_until`].
    pub fn put_until<T: Serialize>(
        &mut self,
        key: Key<'_>,
        item: &T,
        expires: Timestamp,
        before: Option<u64>,
        changed: E,
    ) {
        match before {
            None => self.create_until(key, item, expires, changed),
            Some(version) => self.replace_until(key, item, expires, version, changed),
        }
    }

    /// Writes an item unconditionally, over whatever is there.
    pub fn append<T: Serialize>(&mut self, key: Key<'_>, item: &T) {
        self.append_due(key, item, None);
    }

    /// As [`Transaction::append`], for an item that is to be looked at again at `due`, if at all.
    pub fn append_due<T: Serialize>(&mut self, key: Key<'_>, item: &T, due: Option<Due>) {
        self.put(key, item, 1, Extra { due, ..Extra::default() }, None);
    }

    /// As [`Transaction::append`], for an item that ends at `expires`.
    pub fn append_until<T: Serialize>(&mut self, key: Key<'_>, item: &T, expires: Timestamp) {
        self.put(key, item, 1, Extra::until(expires), None);
    }

    /// Deletes the item; `gone` when there is none.
    pub fn delete(&mut self, key: Key<'_>, gone: E) {
        self.push(key, What::Delete { condition: Some(Condition::Present) }, Some(gone));
    }

    /// Deletes the item if there is one.
    pub fn remove(&mut self, key: Key<'_>) {
        self.push(key, What::Delete { condition: None }, None);
    }

    /// Deletes the item that was read with `version`; `changed` when it has another version by now or is gone.
    pub fn delete_version(&mut self, key: Key<'_>, version: u64, changed: E) {
        self.push(key, What::Delete { condition: Some(Condition::Version(version)) }, Some(changed));
    }

    /// Requires the item to be there; `gone` otherwise.
    pub fn require(&mut self, key: Key<'_>, gone: E) {
        self.push(key, What::Check { condition: Condition::Present }, Some(gone));
    }

    /// Requires the item's text `field` to be `value` and the item to have no field `without`; `other` when either is not so
    /// or the item is gone.
    pub fn require_field_alone(
        &mut self,
        key: Key<'_>,
        field: &'static str,
        value: String,
        without: &'static str,
        other: E,
    ) {
        self.push(key, What::Check { condition: Condition::FieldAlone(field, value, without) }, Some(other));
    }

    /// Requires the item to still have `version`; `changed` otherwise.
    pub fn require_version(&mut self, key: Key<'_>, version: u64, changed: E) {
        self.push(key, What::Check { condition: Condition::Version(version) }, Some(changed));
    }

    fn put<T: Serialize>(
        &mut self,
        key: Key<'_>,
        item: &T,
        version: u64,
        extra: Extra,
        condition: Option<(Condition, E)>,
    ) {
        let Ok(mut attributes) = serde_dynamo::aws_sdk_dynamodb_1::to_item(item) else {
            self.malformed.get_or_insert(StoreError::shape::<T>());
            return;
        };
        attributes.extend(key.attributes());
        attributes.extend(key.in_people().into_iter().flatten());
        attributes.insert(VERSION.to_owned(), AttributeValue::N(version.to_string()));
        if let Some(expires) = extra.expires {
            attributes.insert(TTL.to_owned(), AttributeValue::N(expires.as_second().to_string()));
        }
        if let Some(due) = extra.due {
            attributes.extend(due.attributes(&key));
        }
        let (condition, refusal) = condition.unzip();
        self.push(key, What::Put { item: attributes, condition }, refusal);
    }

    fn push(&mut self, key: Key<'_>, what: What, refusal: Option<E>) {
        self.actions.push(Action { key: key.attributes(), table: key.table(), what, refusal });
    }
}

impl Store {
    /// Commits `transaction`, once, however often the request has to be sent.
    ///
    /// # Errors
    /// [`CommitError::Refused`] with the error of the first failing condition, in the order they were added;
    /// [`CommitError::Contended`] and [`CommitError::Store`] as they say.
    pub async fn commit<E>(&self, transaction: Transaction<E>) -> Result<(), CommitError<E>> {
        if let Some(error) = transaction.malformed {
            return Err(error.into());
        }
        if transaction.actions.is_empty() {
            return Ok(());
        }
        // Never from a repeatable sequence: the token is what tells one transaction from another.
        let token = hex(&Random::System.bytes::<16>());
        let mut refusals = Vec::with_capacity(transaction.actions.len());
        let mut items = Vec::with_capacity(transaction.actions.len());
        for action in transaction.actions {
            items.push(action.what.into_item(action.table.name(&self.prefix), action.key)?);
            refusals.push(action.refusal);
        }
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                // Whoever met another one steps back for a random while, longer each time.
                let jitter = u64::from(Random::System.bytes::<1>()[0]);
                tokio::time::sleep(Duration::from_millis(jitter << (attempt - 1)) / 8).await;
            }
            let call = Meter::begin();
            let request = self
                .client
                .transact_write_items()
                .client_request_token(token.clone())
                .set_transact_items(Some(items.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let error = match Box::pin(request).await {
                Ok(answer) => {
                    call.write(answer.consumed_capacity());
                    return Ok(());
                }
                Err(error) => error,
            };
            call.write(&[]);
            let Some(reasons) = cancellation(&error) else { return Err(StoreError::unavailable(&error).into()) };
            if let Some(failed) = position(reasons, "ConditionalCheckFailed") {
                let refusal = refusals.into_iter().nth(failed).flatten();
                return Err(refusal.map_or_else(|| StoreError::unavailable(&error).into(), CommitError::Refused));
            }
            if position(reasons, "TransactionConflict").is_none() {
                return Err(StoreError::unavailable(&error).into());
            }
        }
        Err(CommitError::Contended)
    }
}

impl Store {
    /// Commits `transaction` and gives whether it happened: it does not where a condition fails, which is that somebody
    /// else was faster.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn commit_unless_changed(&self, transaction: Transaction<()>) -> Result<bool, StoreError> {
        match self.commit(transaction).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(()) | CommitError::Contended) => Ok(false),
            Err(CommitError::Store(error)) => Err(error),
        }
    }
}

impl What {
    fn into_item(self, table: String, key: HashMap<String, AttributeValue>) -> Result<TransactWriteItem, StoreError> {
        let built = TransactWriteItem::builder();
        let item = match self {
            Self::Put { item, condition } => {
                let put = Put::builder().table_name(table).set_item(Some(item));
                let put = match condition {
                    None => put,
                    Some(condition) => put
                        .condition_expression(condition.expression())
                        .set_expression_attribute_names(condition.names())
                        .set_expression_attribute_values(condition.values()),
                };
                built.put(put.build().map_err(StoreError::unbuilt)?)
            }
            Self::Delete { condition } => {
                let delete = Delete::builder().table_name(table).set_key(Some(key));
                let delete = match condition {
                    None => delete,
                    Some(condition) => delete
                        .condition_expression(condition.expression())
                        .set_expression_attribute_names(condition.names())
                        .set_expression_attribute_values(condition.values()),
                };
                built.delete(delete.build().map_err(StoreError::unbuilt)?)
            }
            Self::Check { condition } => built.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .condition_expression(condition.expression())
                    .set_expression_attribute_names(condition.names())
                    .set_expression_attribute_values(condition.values())
                    .build()
                    .map_err(StoreError::unbuilt)?,
            ),
        };
        Ok(item.build())
    }
}

impl Condition {
    fn expression(&self) -> &'static str {
        match self {
            Self::Absent => "attribute_not_exists(pk)",
            Self::Present => "attribute_exists(pk)",
            Self::Version(_) => "#version = :version",
            Self::FieldAlone(..) => "#field = :field AND attribute_not_exists(#without)",
            Self::AbsentOrEnded(_) => "attribute_not_exists(pk) OR #ttl <= :now",
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        match self {
            Self::Absent | Self::Present => None,
            Self::Version(_) => Some(HashMap::from([("#version".to_owned(), VERSION.to_owned())])),
            Self::FieldAlone(field, _, without) => Some(HashMap::from([
                ("#field".to_owned(), (*field).to_owned()),
                ("#without".to_owned(), (*without).to_owned()),
            ])),
            Self::AbsentOrEnded(_) => Some(HashMap::from([("#ttl".to_owned(), TTL.to_owned())])),
        }
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        match self {
            Self::Absent | Self::Present => None,
            Self::Version(version) => {
                Some(HashMap::from([(":version".to_owned(), AttributeValue::N(version.to_string()))]))
            }
            Self::FieldAlone(_, value, _) => {
                Some(HashMap::from([(":field".to_owned(), AttributeValue::S(value.clone()))]))
            }
            Self::AbsentOrEnded(now) => Some(HashMap::from([(":now".to_owned(), AttributeValue::N(now.to_string()))])),
        }
    }
}

fn cancellation(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

fn position(reasons: &[CancellationReason], code: &str) -> Option<usize> {
    reasons.iter().position(|reason| reason.code() == Some(code))
}
