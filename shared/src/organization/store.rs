//! Organizations in `DynamoDB`: under their parent, so that a sign-in reads all candidates in one query.

use serde::{Deserialize, Serialize};

use super::{Founding, Organization};
use crate::{
    account::{Address, Membership},
    id::{AccountId, OrganizationId, ParentId},
    surface::SurfaceId,
    table::{Key, Page, Range, Store, StoreError, Stored, Transaction},
};

/// Where an organization is found: the pointer that a merge moves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Its parent.
    pub parent: ParentId,
    /// Its surface.
    pub surface: SurfaceId,
}

/// Somebody who administers an organization, as it lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrator {
    /// The account.
    pub account: AccountId,
    /// Its address.
    pub email: Address,
}

impl From<&Membership> for Administrator {
    fn from(membership: &Membership) -> Self {
        Self { account: membership.account, email: membership.email.clone() }
    }
}

impl Store {
    /// An organization by its id: two round trips.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organization(&self, id: OrganizationId) -> Result<Option<Stored<Organization>>, StoreError> {
        let Some(place) = self.place(id).await? else { return Ok(None) };
        self.organization_at(place.parent, &place.surface, id).await
    }

    /// An organization whose place is known already: one round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organization_at(
        &self,
        parent: ParentId,
        surface: &SurfaceId,
        id: OrganizationId,
    ) -> Result<Option<Stored<Organization>>, StoreError> {
        self.get(Key::Organization(parent, surface, id)).await
    }

    /// Where an organization is found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn place(&self, id: OrganizationId) -> Result<Option<Place>, StoreError> {
        Ok(self.get::<Place>(Key::OrganizationPlace(id)).await?.map(|stored| stored.value))
    }

    /// A parent's organizations on every surface.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organizations(&self, parent: ParentId) -> Result<Vec<Stored<Organization>>, StoreError> {
        self.list_all(Range::Organizations(parent)).await
    }

    /// A page of an organization's administrators, in the order of their account ids; what it costs does not grow with
    /// the organization's members.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn administrators(
        &self,
        organization: OrganizationId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<Administrator>, StoreError> {
        let page = self.list::<Administrator>(Range::Administrators(organization), after, limit).await?;
        Ok(Page { items: page.items.into_iter().map(|stored| stored.value).collect(), next: page.next })
    }

    /// Whether a parent has an organization on a surface; it reads one, however many there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_organization_on(&self, parent: ParentId, surface: &SurfaceId) -> Result<bool, StoreError> {
        let page = self.list::<Organization>(Range::OrganizationsOn(parent, surface), None, 1).await?;
        Ok(!page.items.is_empty())
    }

    /// A parent's organizations on one surface.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn organizations_on(
        &self,
        parent: ParentId,
        surface: &SurfaceId,
    ) -> Result<Vec<Stored<Organization>>, StoreError> {
        self.list_all(Range::OrganizationsOn(parent, surface)).await
    }
}

impl<E: Clone> Transaction<E> {
    /// A new organization with its parent and its primary owner; `taken` when the owner's address got an account, or a
    /// membership, in the meantime.
    pub fn found(&mut self, founding: &Founding, taken: E) {
        let Founding { parent, organization, new_account, membership } = founding;
        self.create_parent(parent);
        self.append(Key::Organization(parent.id, &organization.surface, organization.id), organization);
        let place = Place { parent: parent.id, surface: organization.surface.clone() };
        self.append(Key::OrganizationPlace(organization.id), &place);
        if let Some(account) = new_account {
            self.create_account(account, taken.clone());
        }
        self.create_membership(membership, taken);
        self.append(Key::Administrator(organization.id, membership.account), &Administrator::from(membership));
    }

    /// An organization as a change of one member makes it, and whether that member `administers` it from now on. The
    /// number of administrators follows the roles as they are configured, and where it stays, the organization is not
    /// written, so that changes of other members do not stand in one another's way.
    pub fn change_administrators(
        &mut self,
        before: &Stored<Organization>,
        after: &Organization,
        member: &Membership,
        administers: bool,
        changed: E,
    ) {
        let key = Key::Administrator(after.id, member.account);
        if administers {
            self.append(key, &Administrator::from(member));
        } else {
            self.remove(key);
        }
        if *after != before.value {
            self.replace_organization(after, before.version, changed);
        }
    }

    /// An organization as it is from now on.
    pub fn replace_organization(&mut self, organization: &Organization, version: u64, changed: E) {
        let key = Key::Organization(organization.parent, &organization.surface, organization.id);
        self.replace(key, organization, version, changed);
    }

    /// Requires an organization to be still as it was read.
    pub fn require_organization(&mut self, organization: &Organization, version: u64, changed: E) {
        self.require_version(
            Key::Organization(organization.parent, &organization.surface, organization.id),
            version,
            changed,
        );
    }
}
