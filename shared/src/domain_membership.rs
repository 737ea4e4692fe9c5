//! Domain memberships: for the domains that a parent has verified, every account on them and every organization, of any
//! customer and on any surface, that the account belongs to.
//!
//! Whoever holds a domain may know where its addresses are used; that is what the holder is told of others: an
//! organization's identifier, name and surface, and the person's own membership. Nothing of its parent, its other
//! members or its settings.

mod document;
mod store;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    account::{Account, Address, Membership, Source},
    clock::Timestamp,
    domain::DomainName,
    id::{AccountId, OrganizationId, ParentId},
    organization::Name,
    surface::{Role, SurfaceId},
    table::Key,
};

pub use document::{Document, Format};
pub use store::{Found, Listing, Query};

/// An account on a verified domain, in one of the organizations that it belongs to; in none, where it belongs to none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainMembership {
    /// The account's address.
    pub email: Address,
    /// The account.
    pub account: AccountId,
    /// The person's name, where it is known.
    pub name: Option<String>,
    /// The verified domain that the address is on.
    pub domain: DomainName,
    /// When the person last signed in, anywhere.
    pub last_sign_in: Option<Timestamp>,
    /// The organization; nothing where the account belongs to none.
    pub organization: Option<OrganizationId>,
    /// The organization's name.
    pub organization_name: Option<Name>,
    /// The organization's surface.
    pub surface: Option<SurfaceId>,
    /// The role there.
    pub role: Option<Role>,
    /// How the membership came to be.
    pub source: Option<Source>,
    /// Since when.
    pub member_since: Option<Timestamp>,
    /// Whether the organization is the verifying parent's own.
    pub inside_parent: Option<bool>,
}

/// What is shown of an organization, to whomever one of its members' domain belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: Name,
    /// Its surface.
    pub surface: SurfaceId,
    /// Its parent, which is compared and not told.
    pub parent: ParentId,
}

/// Where a listing of domain memberships goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// In this domain.
    pub domain: DomainName,
    /// Behind this position of the index of people; at its beginning where there is none.
    pub after: Option<String>,
}

/// What the index of people holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// An account.
    Account(Account),
    /// One of its memberships.
    Membership(Membership),
}

impl Entry {
    fn email(&self) -> &Address {
        match self {
            Self::Account(account) => &account.email,
            Self::Membership(membership) => &membership.email,
        }
    }

    /// Its place in the index.
    fn position(&self) -> String {
        let address = self.email().folded();
        let key = match self {
            Self::Account(_) => Key::Account(&address),
            Self::Membership(membership) => Key::Membership(&address, membership.organization),
        };
        key.place_among(&address)
    }
}

/// What is to be shown of a stretch of the index, in its order.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    /// Accounts in the organizations that they belong to, each with its place in the index.
    pub(crate) rows: Vec<(Row, String)>,
    /// Behind what the next stretch begins, where that is not behind the last row.
    pub(crate) end: Option<String>,
}

/// A row to be, before its account and its organization are known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The account's address.
    pub(crate) email: Address,
    /// The account, where it stands in the same stretch.
    pub(crate) account: Option<Account>,
    /// The membership; none for an account that belongs to no organization.
    pub(crate) membership: Option<Membership>,
}

/// Reads a stretch of the index that begins behind `after` and ends at `end`; at the end of the domain where there is
/// none.
///
/// An account stands before its memberships, or behind them where the index is read `backwards`. So the last account of a
/// stretch that is read forwards can have memberships in the next one, and is left to that.
pub(crate) fn stretch(entries: Vec<Entry>, after: Option<&str>, end: Option<String>, backwards: bool) -> Stretch {
    let folded = |entry: &Entry| entry.email().folded();
    let continued = after.and_then(|position| position.split_once(' ')).map(|(address, _)| address.to_owned());
    let mut rows: Vec<(Row, String)> = Vec::new();
    let mut end = end;
    let mut entries = entries.into_iter().peekable();
    let mut before: Option<String> = after.map(str::to_owned);
    while let Some(first) = entries.peek() {
        let person = folded(first);
        let mut account = None;
        let mut memberships = Vec::new();
        let mut last = String::new();
        while let Some(entry) = entries.next_if(|entry| folded(entry) == person) {
            last = entry.position();
            match entry {
                Entry::Account(value) => account = Some((value, last.clone())),
                Entry::Membership(value) => memberships.push((value, last.clone())),
            }
        }
        let may_go_on = entries.peek().is_none() && end.is_some() && !backwards;
        if memberships.is_empty() && may_go_on {
            // Its memberships, if it has any, come next. A stretch has more entries than one, so this is not its first.
            end = before.take();
            break;
        }
        if memberships.is_empty() {
            // Whoever was shown with a membership before is not shown again as somebody without one.
            if continued.as_deref() != Some(person.as_str()) {
                rows.extend(account.map(|(account, position)| {
                    (Row { email: account.email.clone(), account: Some(account), membership: None }, position)
                }));
            }
        } else {
            let account = account.map(|(account, _)| account);
            let row = |(membership, position): (Membership, String)| {
                let (email, account) = (membership.email.clone(), account.clone());
                (Row { email, account, membership: Some(membership) }, position)
            };
            rows.extend(memberships.into_iter().map(row));
        }
        before = Some(last);
    }
    Stretch { rows, end }
}

impl Row {
    /// The row as the parent that verified the domain is shown it.
    ///
    /// Nothing where the organization is gone by now.
    pub(crate) fn shown_to(
        self,
        parent: ParentId,
        organizations: &HashMap<OrganizationId, Option<Shown>>,
    ) -> Option<DomainMembership> {
        let Self { email, account, membership } = self;
        let domain = email.domain().clone();
        let id = account.as_ref().map(|account| account.id);
        let id = id.or(membership.as_ref().map(|membership| membership.account))?;
        let (name, last_sign_in) = account.map(|account| (account.name, account.last_sign_in)).unwrap_or_default();
        let alone = DomainMembership {
            email,
            account: id,
            name,
            domain,
            last_sign_in,
            organization: None,
            organization_name: None,
            surface: None,
            role: None,
            source: None,
            member_since: None,
            inside_parent: None,
        };
        let Some(membership) = membership else { return Some(alone) };
        let shown = organizations.get(&membership.organization)?.as_ref()?;
        Some(DomainMembership {
            organization: Some(membership.organization),
            organization_name: Some(shown.name.clone()),
            surface: Some(shown.surface.clone()),
            role: Some(membership.role),
            source: Some(membership.source),
            member_since: Some(membership.since),
            inside_parent: Some(shown.parent == parent),
            ..alone
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(email: &str) -> Entry {
        Entry::Account(Account {
            id: AccountId::from_bits(1),
            email: email.parse().unwrap(),
            name: Some("A".to_owned()),
            created_at: Timestamp::UNIX_EPOCH,
            last_sign_in: Some(Timestamp::UNIX_EPOCH),
            signed_out_at: None,
        })
    }

    fn member(email: &str, organization: u128) -> Entry {
        let surfaces = crate::surface::Surfaces::vendor_default().unwrap();
        Entry::Membership(Membership {
            account: AccountId::from_bits(1),
            email: email.parse().unwrap(),
            organization: OrganizationId::from_bits(organization),
            role: surfaces.get("claudeai").unwrap().default_role.clone(),
            source: Source::Manual,
            since: Timestamp::UNIX_EPOCH,
        })
    }

    /// A domain with somebody in no organization, in two and in one.
    fn people() -> Vec<Entry> {
        let (a, b, c) = ("a@corp.example", "b@corp.example", "C@corp.example");
        vec![account(a), account(b), member(b, 1), member(b, 2), account(c), member(c, 1)]
    }

    /// The rows of a domain that is read in stretches of `size` entries.
    fn read(people: &[Entry], size: usize, backwards: bool) -> Vec<(String, Option<u128>)> {
        let mut people = people.to_vec();
        if backwards {
            people.reverse();
        }
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let from = after.as_ref().map_or(0, |at| people.iter().position(|e| e.position() == *at).unwrap() + 1);
            let entries: Vec<_> = people[from..].iter().take(size).cloned().collect();
            let end = entries.last().filter(|_| from + size < people.len()).map(Entry::position);
            let Stretch { rows, end } = stretch(entries, after.as_deref(), end, backwards);
            all.extend(rows.into_iter().map(|(row, _)| {
                (row.email.to_string(), row.membership.map(|membership| membership.organization.bits()))
            }));
            assert!(end.is_none() || end != after, "it goes on");
            after = end;
            if after.is_none() {
                return all;
            }
        }
    }

    #[test]
    fn everybody_is_shown_once_wherever_stretches_end() {
        let mut expected = vec![
            ("a@corp.example".to_owned(), None),
            ("b@corp.example".to_owned(), Some(1)),
            ("b@corp.example".to_owned(), Some(2)),
            ("C@corp.example".to_owned(), Some(1)),
        ];
        for size in 2..8 {
            assert_eq!(read(&people(), size, false), expected, "{size}");
        }
        expected.reverse();
        for size in 1..8 {
            assert_eq!(read(&people(), size, true), expected, "{size}");
        }
    }

    #[test]
    fn a_position_is_the_one_of_the_index() {
        assert_eq!(account("Ada@corp.example").position(), "ada@corp.example ACCOUNT");
        let id = OrganizationId::from_bits(1);
        assert_eq!(member("Ada@corp.example", 1).position(), format!("ada@corp.example MEMBER#{id}"));
    }

    #[test]
    fn an_organization_is_inside_or_outside_and_what_is_gone_is_left_out() {
        let (ours, theirs) = (ParentId::from_bits(1), ParentId::from_bits(2));
        let shown = |parent| {
            Some(Shown {
                name: "Corp".parse().unwrap(),
                surface: crate::surface::Surfaces::vendor_default().unwrap().get("console").unwrap().id.clone(),
                parent,
            })
        };
        let organizations = [(1, shown(ours)), (2, shown(theirs)), (3, None)];
        let organizations =
            organizations.into_iter().map(|(id, shown)| (OrganizationId::from_bits(id), shown)).collect();
        let rows = stretch(
            vec![member("b@corp.example", 1), member("b@corp.example", 2), member("b@corp.example", 3)],
            None,
            None,
            false,
        )
        .rows;
        let inside: Vec<_> = rows
            .into_iter()
            .filter_map(|(row, _)| row.shown_to(ours, &organizations))
            .map(|row| row.inside_parent)
            .collect();
        assert_eq!(inside, [Some(true), Some(false)]);
    }
}
