//! Organizations: a customer's tenant on one surface.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    account::{Account, Address, Membership, Source},
    clock::Timestamp,
    id::{AccountId, OrganizationId, ParentId, Random},
    parent::Parent,
    provisioning::Provisioning,
    surface::{Role, Surface, SurfaceId},
};

pub use store::{Administrator, Place};

/// Characters of an organization's name.
const MAX_NAME: usize = 200;

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// The parent it is under.
    pub parent: ParentId,
    /// The surface it is on.
    pub surface: SurfaceId,
    /// Its name, as people see it.
    pub name: Name,
    /// Its one primary owner, whom nothing automatic removes or demotes.
    pub primary_owner: AccountId,
    /// Members with an administrator role; kept in step with the memberships, so that the last one can be protected.
    pub administrators: u32,
    /// How people join it.
    pub provisioning: Provisioning,
    /// When it came to be.
    pub created_at: Timestamp,
}

/// A name that people see: 1 to 200 characters, without control characters or space around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

/// The text is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 200 characters and no control characters")]
pub struct NameError;

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let sound = (1..=MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned())).ok_or(NameError)
    }
}

/// A new organization with its new parent and its primary owner's membership.
#[derive(Debug)]
pub struct Founding {
    /// The parent that comes with it.
    pub parent: Parent,
    /// The organization, in Manual mode.
    pub organization: Organization,
    /// The primary owner's account, when the address had none.
    pub new_account: Option<Account>,
    /// The primary owner's membership, with the surface's highest role.
    pub membership: Membership,
}

/// Founds an organization on `surface` for the primary owner's address, whose account is `existing` if it has one.
#[must_use]
pub fn found(
    name: Name,
    surface: &Surface,
    primary_owner: &Address,
    existing: Option<&Account>,
    now: Timestamp,
    random: &Random,
) -> Founding {
    let new_account = existing.is_none().then(|| new_account(primary_owner, now, random));
    let account = existing.or(new_account.as_ref()).map_or_else(|| random.id(), |account| account.id);
    let parent = Parent { id: random.id(), connection: None, domains: 0, created_at: now };
    let organization = Organization {
        id: random.id(),
        parent: parent.id,
        surface: surface.id.clone(),
        name,
        primary_owner: account,
        administrators: 1,
        provisioning: Provisioning::default(),
        created_at: now,
    };
    let membership = Membership {
        account,
        email: existing.map_or_else(|| primary_owner.clone(), |account| account.email.clone()),
        organization: organization.id,
        role: surface.highest_role().clone(),
        source: Source::Manual,
        since: now,
    };
    Founding { parent, organization, new_account, membership }
}

/// An account for an address that has none.
#[must_use]
pub fn new_account(email: &Address, now: Timestamp, random: &Random) -> Account {
    Account {
        id: random.id(),
        email: email.clone(),
        name: None,
        created_at: now,
        last_sign_in: None,
        signed_out_at: None,
    }
}

/// Why a change in team settings is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeamError {
    /// The surface has no such role.
    #[error("this surface has no role of that name; its roles are {}", .0.join(", "))]
    UnknownRole(Vec<String>),
    /// The address is a member already.
    #[error("this address is a member already")]
    AlreadyMember,
    /// The account is not a member.
    #[error("this account is not a member of the organization")]
    NotMember,
    /// The change would take the primary owner away.
    #[error("the primary owner can not be removed or given another role; transfer primary ownership first")]
    PrimaryOwner,
    /// The change would leave nobody to administer the organization.
    #[error("this is the last administrator of the organization; make somebody else an administrator first")]
    LastAdministrator,
    /// Somebody else changed the same at the same time.
    #[error("somebody else changed this at the same moment; look again and repeat it")]
    Changed,
}

impl Organization {
    /// What a new member with `role` makes of the organization.
    ///
    /// # Errors
    /// [`TeamError::UnknownRole`].
    pub fn with_member(&self, surface: &Surface, role: &str) -> Result<(Self, Role), TeamError> {
        let role = named_role(surface, role)?;
        Ok((self.counting(surface, None, Some(&role)), role))
    }

    /// What a member's new role makes of the organization.
    ///
    /// # Errors
    /// [`TeamError::UnknownRole`], [`TeamError::PrimaryOwner`] or [`TeamError::LastAdministrator`].
    pub fn with_role(
        &self,
        surface: &Surface,
        member: &Membership,
        role: &str,
    ) -> Result<(Self, Membership), TeamError> {
        let role = named_role(surface, role)?;
        if member.role != role {
            self.may_lose(surface, member, Some(&role))?;
        }
        Ok((self.counting(surface, Some(&member.role), Some(&role)), Membership { role, ..member.clone() }))
    }

    /// What a member's removal makes of the organization.
    ///
    /// # Errors
    /// [`TeamError::PrimaryOwner`] or [`TeamError::LastAdministrator`].
    pub fn without(&self, surface: &Surface, member: &Membership) -> Result<Self, TeamError> {
        self.may_lose(surface, member, None)?;
        Ok(self.counting(surface, Some(&member.role), None))
    }

    fn may_lose(&self, surface: &Surface, member: &Membership, role: Option<&Role>) -> Result<(), TeamError> {
        if member.account == self.primary_owner {
            return Err(TeamError::PrimaryOwner);
        }
        let stays = role.is_some_and(|role| surface.administers(role));
        if surface.administers(&member.role) && !stays && self.administrators <= 1 {
            return Err(TeamError::LastAdministrator);
        }
        Ok(())
    }

    fn counting(&self, surface: &Surface, before: Option<&Role>, after: Option<&Role>) -> Self {
        let is = |role: Option<&Role>| u32::from(role.is_some_and(|role| surface.administers(role)));
        let administrators = (self.administrators + is(after)).saturating_sub(is(before));
        Self { administrators, ..self.clone() }
    }
}

fn named_role(surface: &Surface, name: &str) -> Result<Role, TeamError> {
    surface
        .role(name)
        .cloned()
        .ok_or_else(|| TeamError::UnknownRole(surface.roles.iter().map(ToString::to_string).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Surfaces;

    fn founded() -> (Surfaces, Founding) {
        let surfaces = Surfaces::vendor_default().unwrap();
        let surface = surfaces.get("claudeai").unwrap().clone();
        let owner = "owner@corp.example".parse().unwrap();
        let founding = found(
            "Corp".parse().unwrap(),
            &surface,
            &owner,
            None,
            "2026-01-01T00:00:00Z".parse().unwrap(),
            &Random::default(),
        );
        (surfaces, founding)
    }

    #[test]
    fn the_primary_owner_stays() {
        let (surfaces, Founding { organization, membership, .. }) = founded();
        let surface = surfaces.get("claudeai").unwrap();
        assert_eq!(organization.without(surface, &membership), Err(TeamError::PrimaryOwner));
        assert_eq!(organization.with_role(surface, &membership, "user").err(), Some(TeamError::PrimaryOwner));
        let (same, _) = organization.with_role(surface, &membership, "owner").unwrap();
        assert_eq!(same, organization);
    }

    #[test]
    fn the_last_administrator_stays_even_when_not_primary_owner() {
        let (surfaces, Founding { mut organization, membership, .. }) = founded();
        let surface = surfaces.get("claudeai").unwrap();
        organization.primary_owner = Random::default().id();
        assert_eq!(organization.without(surface, &membership), Err(TeamError::LastAdministrator));
        assert_eq!(organization.with_role(surface, &membership, "user").err(), Some(TeamError::LastAdministrator));
        let (two, _) = organization.with_member(surface, "admin").unwrap();
        assert_eq!(two.administrators, 2);
        assert_eq!(two.without(surface, &membership).unwrap().administrators, 1);
    }

    #[test]
    fn a_role_of_another_surface_is_refused() {
        let (surfaces, Founding { organization, .. }) = founded();
        let surface = surfaces.get("claudeai").unwrap();
        assert!(matches!(organization.with_member(surface, "developer"), Err(TeamError::UnknownRole(_))));
    }

    #[test]
    fn names_are_bounded() {
        assert_eq!(" Corp ".parse::<Name>().unwrap().as_str(), "Corp");
        for bad in ["", "  ", "a\u{0}b", &"x".repeat(201)] {
            assert_eq!(bad.parse::<Name>(), Err(NameError));
        }
    }
}
