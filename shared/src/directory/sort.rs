//! The order of a list (RFC 7644, section 3.4.2.3).

use std::cmp::{Ordering, Reverse};

use serde_json::{Map, Value};

use super::{
    error::{ScimError, invalid_value},
    path::{AttributePath, fold},
    schema::{Kind, ResourceType, Returned},
    value::is_primary,
};
use crate::clock::Timestamp;

/// An order by an attribute.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    path: AttributePath,
    descending: bool,
}

/// What a resource is sorted by. Resources without a value come last in ascending order, and first in descending order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Boolean(bool),
    Time(Timestamp),
    Text(String),
    Missing,
}

impl Sort {
    /// The order that `sortBy` and `sortOrder` ask for; ascending unless said otherwise.
    ///
    /// # Errors
    /// `invalidValue` for an attribute that is unknown or has no order, and for an order that is neither `ascending` nor
    /// `descending`.
    pub fn parse(kind: ResourceType, sort_by: &str, sort_order: Option<&str>) -> Result<Self, ScimError> {
        Self::parse_for(&[kind], sort_by, sort_order)
    }

    /// The order of resources of several types, of which those without the attribute have no value.
    ///
    /// # Errors
    /// As [`Sort::parse`].
    pub fn parse_for(kinds: &[ResourceType], sort_by: &str, sort_order: Option<&str>) -> Result<Self, ScimError> {
        let mut found = kinds.iter().filter_map(|kind| AttributePath::resolve(*kind, sort_by.trim()));
        let path = found.next().map(AttributePath::compared);
        let has_order = |path: &AttributePath| {
            let leaf = path.leaf();
            !matches!(leaf.kind, Kind::Complex | Kind::Binary) && leaf.returned != Returned::Never
        };
        let path = path.filter(has_order).ok_or_else(|| invalid_value("'sortBy' is no attribute to sort by."))?;
        let order = sort_order.map_or("ascending", str::trim);
        let descending = if order.eq_ignore_ascii_case("descending") {
            true
        } else if order.eq_ignore_ascii_case("ascending") || order.is_empty() {
            false
        } else {
            return Err(invalid_value("'sortOrder' is 'ascending' or 'descending'."));
        };
        Ok(Self { path, descending })
    }

    /// How two whole resources ([`super::Resource::render`]) stand to each other.
    #[must_use]
    pub fn compare(&self, one: &Map<String, Value>, other: &Map<String, Value>) -> Ordering {
        let order = self.key(one).cmp(&self.key(other));
        if self.descending { order.reverse() } else { order }
    }

    /// Sorts whole resources; equal ones stay in the order that they had.
    pub fn sort(&self, resources: &mut [Map<String, Value>]) {
        if self.descending {
            resources.sort_by_cached_key(|resource| Reverse(self.key(resource)));
        } else {
            resources.sort_by_cached_key(|resource| self.key(resource));
        }
    }

    fn key(&self, resource: &Map<String, Value>) -> SortKey {
        self.key_of(resource).unwrap_or(SortKey::Missing)
    }

    /// A multi-valued attribute is sorted by its primary value, else by its first.
    fn key_of(&self, resource: &Map<String, Value>) -> Option<SortKey> {
        let value = self.path.container(resource)?.get(self.path.attribute.name)?;
        let value = match value {
            Value::Array(elements) => elements.iter().find(|element| is_primary(element)).or(elements.first())?,
            single => single,
        };
        let value = match self.path.sub {
            Some(sub) => value.get(sub.name)?,
            None => value,
        };
        let leaf = self.path.leaf();
        match (leaf.kind, value) {
            (_, Value::Bool(value)) => Some(SortKey::Boolean(*value)),
            (Kind::DateTime, Value::String(text)) => text.parse().ok().map(SortKey::Time),
            (_, Value::String(text)) if leaf.case_exact => Some(SortKey::Text(text.clone())),
            (_, Value::String(text)) => Some(SortKey::Text(fold(text))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn resources_are_sorted_as_their_attribute_means() {
        let users = [
            json!({ "id": "1", "userName": "bob", "externalId": "b", "active": true, "meta": { "created": "2026-01-02T00:00:00Z" },
                "emails": [{ "value": "z@x" }, { "value": "a@x", "primary": true }] }),
            json!({ "id": "2", "userName": "Ada", "externalId": "C", "active": false, "meta": { "created": "2026-01-01T23:30:00-01:00" } }),
            json!({ "id": "3", "userName": "Cyd", "externalId": "a", "meta": { "created": "2025-12-31T00:00:00Z" },
                "emails": [{ "value": "M@x" }], "name": { "familyName": "X" } }),
        ];
        for (by, order, expected) in [
            ("userName", None, "213"),
            ("USERNAME", Some("Descending"), "312"),
            ("externalId", None, "231"),
            ("active", None, "213"),
            ("active", Some("descending"), "312"),
            ("meta.created", Some("ascending"), "312"),
            ("emails", None, "132"),
            ("emails.value", Some("descending"), "231"),
            ("name.familyName", None, "312"),
            ("name.familyName", Some("descending"), "123"),
        ] {
            let sort = Sort::parse(ResourceType::User, by, order).unwrap();
            let mut sorted: Vec<_> = users.iter().map(|user| user.as_object().unwrap().clone()).collect();
            sort.sort(&mut sorted);
            let ids: String = sorted.iter().map(|user| user["id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{by} {order:?}");
            assert!(sorted.windows(2).all(|pair| sort.compare(&pair[0], &pair[1]).is_le()), "{by} {order:?}");
        }
    }

    #[test]
    fn what_has_no_order_is_refused() {
        for (by, order) in
            [("name", None), ("password", None), ("x509Certificates", None), ("nothing", None), ("id", Some("up"))]
        {
            let refused = Sort::parse(ResourceType::User, by, order).unwrap_err();
            assert_eq!(refused.scim_type.unwrap().as_str(), "invalidValue", "{by}");
        }
    }
}
