//! What clients send outside of the standard, and is understood nevertheless.
//!
//! Each tolerance has a name, and a request's are collected while it is read, so that it can be kept per directory what
//! its identity provider relies on.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// A tolerance that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leniency {
    /// A boolean as a string: `"active": "False"` (Entra without `aadOptscim062020`).
    BooleanAsString,
    /// A number where a string belongs: `"employeeNumber": 701984`.
    NumberAsString,
    /// A bare string for an object with a `value`: a manager or a member by its id alone.
    BareValue,
    /// One value for a list of them.
    SingleValue,
    /// An empty string, which unassigns the attribute.
    EmptyString,
    /// A `schemas` without the schema that the body is written in, or no `schemas` at all.
    MissingSchema,
    /// A schema that is not served, in `schemas` or as an attribute.
    UnknownSchema,
    /// An attribute that no schema defines.
    UnknownAttribute,
    /// A read-only attribute within a PATCH value, such as the `id` in Okta's rename of a group.
    ReadOnlyAttribute,
    /// `Add`, `Replace` or `Remove` in a spelling other than the RFC's lower case (Entra).
    OperationCase,
    /// A member of a PATCH operation other than `op`, `path` and `value`.
    UnknownOperationMember,
    /// A key of a PATCH value that is a path: `"name.givenName"`, `"emails[type eq \"work\"].value"` (Entra).
    KeyAsPath,
    /// A value path that matched nothing and created its element (Entra).
    Upsert,
    /// A removal with a list of values, which removes those only (Entra).
    RemoveWithValue,
    /// A removal of what is not there.
    RemoveAbsent,
    /// `emails[type eq "work"].value eq "x"` as a filter (Entra).
    ValuePathComparison,
    /// `not(` without the space.
    NotWithoutSpace,
    /// `True`, `FALSE` or `Null` in a filter.
    LiteralCase,
}

/// The tolerances that a request used, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leniencies(BTreeSet<Leniency>);

impl Leniencies {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a tolerance.
    pub fn note(&mut self, leniency: Leniency) {
        self.0.insert(leniency);
    }

    /// Whether none was used: the request kept to the standard.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this one was used.
    #[must_use]
    pub fn contains(&self, leniency: Leniency) -> bool {
        self.0.contains(&leniency)
    }

    /// Each of them, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Leniency> {
        self.0.iter().copied()
    }

    /// Those of another request as well.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_are_kept_by_name_and_once() {
        let mut used = Leniencies::new();
        assert!(used.is_empty());
        used.note(Leniency::Upsert);
        used.note(Leniency::BooleanAsString);
        used.note(Leniency::Upsert);
        let stored = serde_json::to_value(&used).unwrap();
        assert_eq!(stored, serde_json::json!(["boolean-as-string", "upsert"]));
        assert_eq!(serde_json::from_value::<Leniencies>(stored).unwrap(), used);
        assert_eq!(Leniency::RemoveWithValue.to_string(), "remove-with-value");
        let mut both = Leniencies::new();
        both.extend(&used);
        assert!(both.contains(Leniency::Upsert) && both.iter().count() == 2);
    }
}
