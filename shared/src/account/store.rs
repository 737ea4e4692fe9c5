//! Accounts in `DynamoDB`: one partition an address, so that a sign-in reads a whole person in one query.

use serde::{Deserialize, Serialize};

use super::{Account, Address, FoldedAddress, Membership, NameIdTie};
use crate::{
    id::{AccountId, ConnectionId, OrganizationId},
    table::{Key, Page, Range, Store, StoreError, Stored, Transaction},
};

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Item {
    Account(Account),
    Membership(Membership),
    NameId(NameIdTie),
}

#[derive(Debug, Serialize, Deserialize)]
struct Pointer {
    email: Address,
}

/// What is stored under one address.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The account; `None` when the address has none.
    pub account: Option<Stored<Account>>,
    /// Its memberships, in every organization.
    pub memberships: Vec<Stored<Membership>>,
    /// The NameIDs that connections know it by.
    pub name_ids: Vec<Stored<NameIdTie>>,
}

impl Person {
    /// The membership in this organization.
    #[must_use]
    pub fn membership(&self, organization: OrganizationId) -> Option<&Stored<Membership>> {
        self.memberships.iter().find(|membership| membership.value.organization == organization)
    }

    /// The tie of this connection, whichever identity provider it had then.
    #[must_use]
    pub fn name_id(&self, connection: ConnectionId) -> Option<&Stored<NameIdTie>> {
        self.name_ids.iter().find(|tie| tie.value.connection == connection)
    }
}

impl Store {
    /// Everything under an address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person(&self, address: &FoldedAddress) -> Result<Person, StoreError> {
        let mut person = Person::default();
        for Stored { value, version } in self.list_all(Range::AccountWhole(address)).await? {
            match value {
                Item::Account(value) => person.account = Some(Stored { value, version }),
                Item::Membership(value) => person.memberships.push(Stored { value, version }),
                Item::NameId(value) => person.name_ids.push(Stored { value, version }),
            }
        }
        Ok(person)
    }

    /// The account of an address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, address: &FoldedAddress) -> Result<Option<Stored<Account>>, StoreError> {
        self.get(Key::Account(address)).await
    }

    /// The address of an account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn address(&self, account: AccountId) -> Result<Option<Address>, StoreError> {
        Ok(self.get::<Pointer>(Key::AccountAddress(account)).await?.map(|stored| stored.value.email))
    }

    /// The membership of an address in an organization.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn membership(
        &self,
        address: &FoldedAddress,
        organization: OrganizationId,
    ) -> Result<Option<Stored<Membership>>, StoreError> {
        self.get(Key::Membership(address, organization)).await
    }

    /// The member of an organization by account, with the version of the roster's item.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn member(
        &self,
        organization: OrganizationId,
        account: AccountId,
    ) -> Result<Option<Stored<Membership>>, StoreError> {
        self.get(Key::Roster(organization, account)).await
    }

    /// A page of an organization's members, in the order of their account ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn members(
        &self,
        organization: OrganizationId,
        after: Option<&str>,
        limit: u16,
    ) -> Result<Page<Stored<Membership>>, StoreError> {
        self.list(Range::Members(organization), after, limit).await
    }

    /// The account that a connection knows by this NameID.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_id(&self, connection: ConnectionId, name_id_hash: &str) -> Result<Option<NameIdTie>, StoreError> {
        Ok(self.get::<NameIdTie>(Key::NameId(connection, name_id_hash)).await?.map(|stored| stored.value))
    }
}

impl<E: Clone> Transaction<E> {
    /// A new account; `taken` when its address has one by now.
    pub fn create_account(&mut self, account: &Account, taken: E) {
        self.create(Key::Account(&account.email.folded()), &Item::Account(account.clone()), taken);
        self.append(Key::AccountAddress(account.id), &Pointer { email: account.email.clone() });
    }

    /// An account as it is from now on.
    pub fn replace_account(&mut self, account: &Account, version: u64, changed: E) {
        self.replace(Key::Account(&account.email.folded()), &Item::Account(account.clone()), version, changed);
    }

    /// A new membership, beside the account and on the organization's roster.
    pub fn create_membership(&mut self, membership: &Membership, taken: E) {
        let key = membership.email.folded();
        self.create(
            Key::Membership(&key, membership.organization),
            &Item::Membership(membership.clone()),
            taken.clone(),
        );
        self.create(Key::Roster(membership.organization, membership.account), membership, taken);
    }

    /// A membership as it is from now on. Both items are written together, so they have one version.
    pub fn replace_membership(&mut self, membership: &Membership, version: u64, changed: E) {
        let key = membership.email.folded();
        self.replace(
            Key::Membership(&key, membership.organization),
            &Item::Membership(membership.clone()),
            version,
            changed.clone(),
        );
        self.replace(Key::Roster(membership.organization, membership.account), membership, version, changed);
    }

    /// The end of a membership.
    pub fn delete_membership(&mut self, membership: &Membership, version: u64, changed: E) {
        let key = membership.email.folded();
        self.delete_version(Key::Membership(&key, membership.organization), version, changed.clone());
        self.delete_version(Key::Roster(membership.organization, membership.account), version, changed);
    }

    /// Ties an account to the NameID that a connection knows it by, in place of the tie of version `stale` if there is
    /// one; `taken` when either has another tie by now. Where the connection knows the account by the NameID already,
    /// that half is left as it is.
    pub fn tie_name_id(&mut self, address: &FoldedAddress, tie: &NameIdTie, stale: Option<u64>, known: bool, taken: E) {
        let (key, item) = (Key::NameIdOf(address, tie.connection), Item::NameId(tie.clone()));
        match stale {
            None => self.create(key, &item, taken.clone()),
            Some(version) => self.replace(key, &item, version, taken.clone()),
        }
        let key = Key::NameId(tie.connection, &tie.name_id_hash);
        if known {
            self.require(key, taken);
        } else {
            self.create(key, tie, taken);
        }
    }

    /// Forgets the tie of `version`, so that the next sign-in ties the account anew; `changed` when it is another by now.
    pub fn reset_name_id(&mut self, address: &FoldedAddress, tie: &NameIdTie, version: u64, changed: E) {
        self.delete_version(Key::NameIdOf(address, tie.connection), version, changed.clone());
        self.delete(Key::NameId(tie.connection, &tie.name_id_hash), changed);
    }
}
