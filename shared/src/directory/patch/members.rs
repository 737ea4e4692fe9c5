//! Changes of a group's members, which are edges of their own and not part of the group's resource.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Op, Operation, Target};
use crate::directory::{
    error::{ScimError, ScimType, invalid_value},
    filter::{Filter, equal_to},
    leniency::{Leniencies, Leniency},
    path::AttributePath,
    resource::read_members,
    schema::Attribute,
};

/// What happens to the members of a group, by their ids: the operations of a request in their order, put together.
///
/// Where `replace` is given, it is the whole list of members afterwards, and `add` and `remove` are empty. Otherwise
/// members are added and removed; no id is in both. Adding who is there and removing who is not changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// The members afterwards, where they are replaced as a whole.
    pub replace: Option<BTreeSet<String>>,
    /// Who becomes a member.
    pub add: BTreeSet<String>,
    /// Who is a member no longer.
    pub remove: BTreeSet<String>,
}

impl MemberChange {
    /// Whether nothing is asked for. What is asked for may still be so already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replace.is_none() && self.add.is_empty() && self.remove.is_empty()
    }

    /// A replacement of all members, as a PUT says it.
    #[must_use]
    pub fn replacing(ids: impl IntoIterator<Item = String>) -> Self {
        Self { replace: Some(ids.into_iter().collect()), ..Self::default() }
    }

    /// Then these become members.
    pub fn then_add(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            if let Some(members) = &mut self.replace {
                members.insert(id);
            } else {
                self.remove.remove(&id);
                self.add.insert(id);
            }
        }
    }

    /// Then these are members no longer.
    pub fn then_remove(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            if let Some(members) = &mut self.replace {
                members.remove(&id);
            } else {
                self.add.remove(&id);
                self.remove.insert(id);
            }
        }
    }

    /// Then these are the members, and nobody else.
    pub fn then_replace(&mut self, ids: impl IntoIterator<Item = String>) {
        *self = Self::replacing(ids);
    }

    /// The members after the change of those before it.
    #[must_use]
    pub fn applied(&self, before: &BTreeSet<String>) -> BTreeSet<String> {
        match &self.replace {
            Some(members) => members.clone(),
            None => before.difference(&self.remove).chain(&self.add).cloned().collect(),
        }
    }
}

/// An operation on `members`, by path.
pub(super) fn by_path(
    operation: &Operation,
    path: &AttributePath,
    change: &mut MemberChange,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    if path.sub.is_some_and(|sub| sub.name != "value") {
        return Err(immutable());
    }
    let ids = match &operation.value {
        Some(value) => Some(read_members(path.attribute, value, notes)?),
        None => None,
    };
    match (operation.op, ids) {
        (Op::Add, ids) => change.then_add(ids.unwrap_or_default()),
        (Op::Replace, ids) => change.then_replace(ids.unwrap_or_default()),
        (Op::Remove, None) => change.then_replace([]),
        // A `null` would empty the group for one reader and do nothing for another.
        (Op::Remove, Some(_)) if operation.value == Some(Value::Null) => {
            return Err(invalid_value("Name the members to remove, or leave the value out to remove all."));
        }
        (Op::Remove, Some(ids)) => {
            notes.note(Leniency::RemoveWithValue);
            change.then_remove(ids);
        }
    }
    Ok(())
}

/// An operation on `members[value eq "…"]`.
pub(super) fn by_filter(
    op: Op,
    filter: &Filter,
    sub: Option<&Attribute>,
    change: &mut MemberChange,
) -> Result<(), ScimError> {
    if sub.is_some_and(|sub| op != Op::Remove || sub.name != "value") {
        return Err(immutable());
    }
    let mut ids = Vec::new();
    if !chosen(filter, &mut ids) {
        return Err(ScimError::bad(
            ScimType::InvalidFilter,
            "Members are chosen by their 'value', with 'eq' and 'or'.",
        ));
    }
    match op {
        Op::Add | Op::Replace => change.then_add(ids),
        Op::Remove => change.then_remove(ids),
    }
    Ok(())
}

fn immutable() -> ScimError {
    ScimError::bad(ScimType::Mutability, "A member is added or removed, and not changed.")
}

/// Collects the ids that a filter on members names, if it does nothing else.
fn chosen(filter: &Filter, ids: &mut Vec<String>) -> bool {
    match filter {
        Filter::Or(parts) => parts.iter().all(|part| chosen(part, ids)),
        Filter::Term(path, test) if path.attribute.name == "value" => match equal_to(test) {
            Some(id) => {
                ids.push(id.to_owned());
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// The change that an operation on `members` makes, if it is one.
pub(super) fn operation(
    operation: &Operation,
    change: &mut MemberChange,
    notes: &mut Leniencies,
) -> Option<Result<(), ScimError>> {
    match &operation.target {
        Target::Attribute(path) if path.attribute.name == "members" => Some(by_path(operation, path, change, notes)),
        Target::Elements { path, filter, sub } if path.attribute.name == "members" => {
            Some(by_filter(operation.op, filter, *sub, change))
        }
        _ => None,
    }
}
