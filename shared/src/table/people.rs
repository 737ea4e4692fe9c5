//! The index of people by the domain of their address: every account beside its memberships, in the order of addresses.
//!
//! Only accounts and memberships are in it, with what an answer about them shows, so that whoever holds a domain learns
//! of everybody on it at a cost that follows the answer's size. Like every index of `DynamoDB` it follows the table by
//! moments; nothing is decided by it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use serde::de::DeserializeOwned;

use super::key::of_address;
use super::{Key, Meter, PARTITION, Page, SORT, Store, StoreError, Table, read_item};
use crate::{account::FoldedAddress, domain::DomainName};

/// The index's name.
pub(super) const INDEX: &str = "people";
/// Its partition key: the domain.
pub(super) const DOMAIN: &str = "people_domain";
/// Its sort key: the address, a space and the sort key within the table.
pub(super) const AT: &str = "people_at";
/// The attributes that it holds beside the keys.
pub(super) const PROJECTED: [&str; 11] =
    ["kind", "id", "email", "name", "created_at", "last_sign_in", "account", "organization", "role", "source", "since"];

/// Which people of a domain, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct People<'a> {
    /// The domain.
    pub domain: &'a DomainName,
    /// What their addresses begin with, in lower case; empty for all of them.
    pub begins: &'a str,
    /// Whether the last address comes first.
    pub backwards: bool,
}

impl Key<'_> {
    /// What the item carries to be in the index; nothing unless it is an account or a membership.
    pub(super) fn in_people(&self) -> Option<[(String, AttributeValue); 2]> {
        let (Key::Account(address) | Key::Membership(address, _)) = self else { return None };
        let domain = address.as_str().split_once('@').map_or("", |(_, domain)| domain);
        Some([
            (DOMAIN.to_owned(), AttributeValue::S(domain.to_owned())),
            (AT.to_owned(), AttributeValue::S(self.place_among(address))),
        ])
    }

    /// Where the item is in the index, among the people of its domain, given the address that the key is of.
    pub(crate) fn place_among(&self, address: &FoldedAddress) -> String {
        let (_, sort) = self.parts();
        format!("{address} {sort}")
    }
}

impl Store {
    /// Reads at most `limit` accounts and memberships of people, beginning after the position `after` of an earlier page.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer or an item does not read as `T`.
    pub async fn people<T: DeserializeOwned>(
        &self,
        people: People<'_>,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<T>, StoreError> {
        let call = Meter::begin();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let domain = people.domain.as_str();
        let start = after.and_then(|position| {
            let (address, sort) = position.split_once(' ')?;
            Some(HashMap::from([
                (DOMAIN.to_owned(), text(domain)),
                (AT.to_owned(), text(position)),
                (PARTITION.to_owned(), AttributeValue::S(of_address(&address))),
                (SORT.to_owned(), text(sort)),
            ]))
        });
        let query = self
            .client
            .query()
            .table_name(Table::Identity.name(&self.prefix))
            .index_name(INDEX)
            .expression_attribute_values(":domain", text(domain));
        let query = if people.begins.is_empty() {
            query.key_condition_expression("people_domain = :domain")
        } else {
            query
                .key_condition_expression("people_domain = :domain AND begins_with(people_at, :begins)")
                .expression_attribute_values(":begins", text(people.begins))
        };
        let request = query
            .set_exclusive_start_key(start)
            .scan_index_forward(!people.backwards)
            .limit(i32::from(limit))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let answer = Box::pin(request).await.map_err(|error| StoreError::unavailable(&error))?;
        call.read(answer.consumed_capacity.as_slice());
        let next = answer.last_evaluated_key.and_then(|key| key.get(AT).and_then(|at| at.as_s().ok().cloned()));
        let items = answer.items.unwrap_or_default().into_iter().map(read_item).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }
}
