//! Reading domain memberships from `DynamoDB`, a stretch of the index of people at a time.

use std::collections::HashMap;

use futures_util::future::try_join_all;

use super::{DomainMembership, Entry, Place, Row, Shown, Stretch, stretch};
use crate::{
    domain::DomainName,
    id::{OrganizationId, ParentId},
    table::{People, Store, StoreError},
};

/// Entries of the index that are read at once for a document: some 100 KiB.
const STRETCH: u16 = 500;
/// Entries that are looked through for one page at most, so that a search that finds nothing ends.
const MAX_LOOKED_THROUGH: usize = 2_000;
/// Organizations that are kept in mind while a listing is read.
const MAX_KEPT: usize = 2_000;
/// Organizations that are read side by side.
const SIDE_BY_SIDE: usize = 32;

/// What is asked of the domain memberships of a parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What the addresses begin with; empty for all of them.
    pub begins: String,
    /// Whether the last address comes first.
    pub backwards: bool,
    /// Only those inside (or outside) of the parent; accounts in no organization are outside.
    pub inside: Option<bool>,
}

/// The domain memberships of a parent, read as far as they are asked for.
#[derive(Debug)]
pub struct Listing {
    store: Store,
    parent: ParentId,
    query: Query,
    verified: Vec<DomainName>,
    /// The verified domains that are left, the next one last.
    domains: Vec<DomainName>,
    /// Behind what the next stretch of the next domain begins.
    after: Option<String>,
    organizations: HashMap<OrganizationId, Option<Shown>>,
}

/// A page of domain memberships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rows, in the order of their addresses.
    pub items: Vec<DomainMembership>,
    /// Where it goes on; nothing at the end.
    pub next: Option<Place>,
}

/// A row with the place behind it.
type Placed = (DomainMembership, Place);

impl Store {
    /// What `query` finds of a parent's domain memberships, from `place` on, else from the beginning.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn domain_memberships(
        &self,
        parent: ParentId,
        query: Query,
        place: Option<Place>,
    ) -> Result<Listing, StoreError> {
        let verified = self.verified_domains(parent).await?;
        let mut domains = verified.clone();
        if !query.backwards {
            domains.reverse();
        }
        let mut after = None;
        if let Some(place) = place {
            let passed =
                |domain: &DomainName| if query.backwards { *domain > place.domain } else { *domain < place.domain };
            domains.retain(|domain| !passed(domain));
            after = place.after.filter(|_| domains.last() == Some(&place.domain));
        }
        let query = Query { begins: query.begins.to_lowercase(), ..query };
        if let Some((_, domain)) = query.begins.split_once('@') {
            domains.retain(|name| name.as_str().starts_with(domain));
        }
        Ok(Listing { store: self.clone(), parent, query, verified, domains, after, organizations: HashMap::new() })
    }
}

impl Listing {
    /// The domains that the parent has verified, in the order of their names.
    #[must_use]
    pub fn verified(&self) -> &[DomainName] {
        &self.verified
    }

    /// The next part of it, in a fixed number of reads; nothing at its end. A part can be empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self) -> Result<Option<Vec<DomainMembership>>, StoreError> {
        let part = self.read(STRETCH).await?;
        Ok(part.map(|rows| rows.into_iter().map(|(row, _)| row).collect()))
    }

    /// At most `limit` rows of it, and where it goes on.
    ///
    /// There can be fewer although it goes on, where few are found among many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn page(mut self, limit: u16) -> Result<Found, StoreError> {
        let stretch = limit.saturating_mul(2).clamp(2, STRETCH);
        let mut items = Vec::new();
        let mut looked_through = 0;
        while looked_through < MAX_LOOKED_THROUGH {
            let Some(rows) = self.read(stretch).await? else { return Ok(Found { items, next: None }) };
            looked_through += usize::from(stretch);
            let mut rows = rows.into_iter();
            let room = usize::from(limit) - items.len();
            let taken: Vec<Placed> = rows.by_ref().take(room).collect();
            let place = taken.last().map(|(_, place)| place.clone());
            items.extend(taken.into_iter().map(|(row, _)| row));
            if items.len() == usize::from(limit) {
                let next = if rows.next().is_some() { place } else { self.place() };
                return Ok(Found { items, next });
            }
        }
        Ok(Found { items, next: self.place() })
    }

    /// Where it goes on; nothing at its end.
    fn place(&self) -> Option<Place> {
        self.domains.last().map(|domain| Place { domain: domain.clone(), after: self.after.clone() })
    }

    /// Reads a stretch of `size` entries.
    async fn read(&mut self, size: u16) -> Result<Option<Vec<Placed>>, StoreError> {
        let Some(domain) = self.domains.last().cloned() else { return Ok(None) };
        let (begins, backwards) = (self.query.begins.as_str(), self.query.backwards);
        let people = People { domain: &domain, begins, backwards };
        let page = self.store.people::<Entry>(people, self.after.as_deref(), size).await?;
        let Stretch { rows, end } = stretch(page.items, self.after.as_deref(), page.next, backwards);
        if end.is_none() {
            self.domains.pop();
        }
        self.after = end;
        let rows = self.complete(rows).await?;
        let wanted = |row: &DomainMembership| {
            self.query.inside.is_none_or(|inside| row.inside_parent.unwrap_or_default() == inside)
        };
        let shown = rows.into_iter().filter_map(|(row, position)| {
            let row = row.shown_to(self.parent, &self.organizations).filter(wanted)?;
            Some((row, Place { domain: domain.clone(), after: Some(position) }))
        });
        Ok(Some(shown.collect()))
    }

    /// Reads what the rows need: their organizations, and the account of somebody whom the stretch cut in two.
    async fn complete(&mut self, mut rows: Vec<(Row, String)>) -> Result<Vec<(Row, String)>, StoreError> {
        let mut cut: HashMap<String, _> = HashMap::new();
        for (row, _) in &mut rows {
            if row.account.is_none() {
                let address = row.email.folded();
                if !cut.contains_key(address.as_str()) {
                    let account = self.store.account(&address).await?.map(|stored| stored.value);
                    cut.insert(address.as_str().to_owned(), account);
                }
                row.account = cut.get(address.as_str()).cloned().flatten();
            }
        }
        if self.organizations.len() > MAX_KEPT {
            self.organizations.clear();
        }
        let named = rows.iter().filter_map(|(row, _)| row.membership.as_ref());
        let mut unknown: Vec<_> = named.map(|membership| membership.organization).collect();
        unknown.retain(|id| !self.organizations.contains_key(id));
        unknown.sort_unstable();
        unknown.dedup();
        for some in unknown.chunks(SIDE_BY_SIDE) {
            let found = try_join_all(some.iter().map(|id| self.store.shown(*id))).await?;
            self.organizations.extend(some.iter().copied().zip(found));
        }
        Ok(rows)
    }
}

impl Store {
    /// What is shown of an organization.
    async fn shown(&self, id: OrganizationId) -> Result<Option<Shown>, StoreError> {
        let organization = self.organization(id).await?.map(|stored| stored.value);
        Ok(organization.map(|organization| Shown {
            name: organization.name,
            surface: organization.surface,
            parent: organization.parent,
        }))
    }
}
