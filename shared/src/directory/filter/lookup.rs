//! Filters that a key of the store serves, so that their cost does not grow with the directory.

use super::{Filter, Literal, Operator, Test};
use crate::directory::path::{AttributePath, Base};

/// A key by which the store finds what a filter asks for. The texts are as the client wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'f> {
    /// The resource of this id, or none.
    Id(&'f str),
    /// The user of this `userName`, compared without case, or none.
    UserName(&'f str),
    /// The resources of this `externalId`, whose case matters.
    ExternalId(&'f str),
    /// The resources of this `displayName`, compared without case; the store has a key for groups.
    DisplayName(&'f str),
    /// The groups that this user is a member of.
    Member(&'f str),
    /// The group of this id if this user is a member of it: the probe that Entra sends for each member.
    Membership {
        /// The id of the group.
        group: &'f str,
        /// The id of the user.
        user: &'f str,
    },
    /// The users that are members of this group.
    Group(&'f str),
}

/// How a filter is served by a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup<'f> {
    /// The key to read.
    pub key: Key<'f>,
    /// What the resources found must satisfy besides, all of it.
    pub rest: Vec<&'f Filter>,
}

impl Filter {
    /// The key that serves this filter, or nothing where the collection must be read.
    #[must_use]
    pub fn lookup(&self) -> Option<Lookup<'_>> {
        let parts: Vec<&Filter> = match self {
            Self::And(parts) => parts.iter().collect(),
            other => vec![other],
        };
        let keys: Vec<Option<Key<'_>>> = parts.iter().map(|part| key(part)).collect();
        let find = |wanted: fn(&Key<'_>) -> bool| keys.iter().position(|key| key.as_ref().is_some_and(wanted));
        let without = |used: &[usize]| {
            let rest = parts.iter().enumerate().filter(|(position, _)| !used.contains(position));
            rest.map(|(_, part)| *part).collect()
        };
        let id = find(|key| matches!(key, Key::Id(_)));
        let member = find(|key| matches!(key, Key::Member(_)));
        if let (Some(at), Some(of)) = (id, member)
            && let (Some(Some(Key::Id(group))), Some(Some(Key::Member(user)))) = (keys.get(at), keys.get(of))
        {
            return Some(Lookup { key: Key::Membership { group, user }, rest: without(&[at, of]) });
        }
        // The most selective key first.
        let best = id
            .or_else(|| find(|key| matches!(key, Key::UserName(_))))
            .or_else(|| find(|key| matches!(key, Key::ExternalId(_))))
            .or_else(|| find(|key| matches!(key, Key::DisplayName(_))))
            .or(member)
            .or_else(|| find(|key| matches!(key, Key::Group(_))))?;
        let key = keys.get(best).copied().flatten()?;
        Some(Lookup { key, rest: without(&[best]) })
    }
}

/// The key that a single comparison is.
fn key(filter: &Filter) -> Option<Key<'_>> {
    let (name, value) = match filter {
        Filter::Term(path, test) => (full_name(path)?, equal_to(test)?),
        // `members[value eq "…"]`
        Filter::Element(path, inner) => match inner.as_ref() {
            Filter::Term(sub, test) if sub.attribute.name == "value" => {
                ((path.attribute.name, "value"), equal_to(test)?)
            }
            _ => return None,
        },
        _ => return None,
    };
    match name {
        ("id", "") => Some(Key::Id(value)),
        ("userName", "") => Some(Key::UserName(value)),
        ("externalId", "") => Some(Key::ExternalId(value)),
        ("displayName", "") => Some(Key::DisplayName(value)),
        ("members", "value") => Some(Key::Member(value)),
        ("groups", "value") => Some(Key::Group(value)),
        _ => None,
    }
}

fn full_name(path: &AttributePath) -> Option<(&'static str, &'static str)> {
    (path.base == Base::Resource).then(|| (path.attribute.name, path.sub.map_or("", |sub| sub.name)))
}

/// The text that a test asks a value to be equal to.
pub(in crate::directory) fn equal_to(test: &Test) -> Option<&str> {
    match test {
        Test::Compare(Operator::Eq, Literal::Text(value)) => Some(value),
        _ => None,
    }
}
