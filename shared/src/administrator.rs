//! Administrators: who may open the console, for which organization, and how they prove who they are.
//!
//! A session of the console is no authority. At every request the membership, its role and the organization's place are
//! read again, so that whoever is removed or loses the role is out with the next click.

mod code;
mod session;
mod store;

pub use code::{Begun, CODE_LIFETIME, Code, Presented, Sent, SignIn, TooMany, ask};
pub use session::{COOKIE, LIFETIME, Proof, Session};
pub use store::SignInError;

use crate::{
    account::Person,
    id::{AccountId, OrganizationId, ParentId},
    organization::Place,
    surface::{Role, SurfaceId, Surfaces},
};

/// What somebody may administer now: an organization, and what its parent shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The organization by which it is had.
    pub organization: OrganizationId,
    /// The organization's parent.
    pub parent: ParentId,
    /// The organization's surface.
    pub surface: SurfaceId,
    /// The role there.
    pub role: Role,
}

/// The authority that a person has by being a member of an organization at this place; none without an administrator
/// role of its surface.
#[must_use]
pub fn authority(
    person: &Person,
    account: AccountId,
    organization: OrganizationId,
    place: &Place,
    surfaces: &Surfaces,
) -> Option<Authority> {
    if person.account.as_ref().is_none_or(|stored| stored.value.id != account) {
        return None;
    }
    let membership = &person.membership(organization)?.value;
    let surface = surfaces.get(place.surface.as_str())?;
    (membership.account == account && surface.administers(&membership.role)).then(|| Authority {
        organization,
        parent: place.parent,
        surface: surface.id.clone(),
        role: membership.role.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Timestamp,
        id::Random,
        organization::{Founding, found},
        table::Stored,
    };

    #[test]
    fn only_an_administrator_role_of_the_surface_gives_authority() {
        let surfaces = Surfaces::vendor_default().unwrap();
        let (claude, console) = (surfaces.get("claudeai").unwrap(), surfaces.get("console").unwrap());
        let (owner, random) = ("owner@corp.example".parse().unwrap(), Random::default());
        let founded = found("Corp".parse().unwrap(), claude, &owner, None, Timestamp::UNIX_EPOCH, &random);
        let Founding { organization, new_account, membership, .. } = founded;
        let account = new_account.unwrap();
        let place = |surface: &SurfaceId| Place { parent: organization.parent, surface: surface.clone() };
        let person = |role: &Role| Person {
            account: Some(Stored { value: account.clone(), version: 1 }),
            memberships: vec![Stored {
                value: crate::account::Membership { role: role.clone(), ..membership.clone() },
                version: 1,
            }],
            name_ids: Vec::new(),
        };
        let may = |role: &Role, surface: &SurfaceId| {
            authority(&person(role), account.id, organization.id, &place(surface), &surfaces).is_some()
        };
        for surface in [claude, console] {
            for role in &surface.roles {
                assert_eq!(may(role, &surface.id), surface.administrators.contains(role), "{role} of {}", surface.id);
            }
        }
        assert!(!may(claude.highest_role(), &console.id), "a role counts on its own surface");
        let owner = person(claude.highest_role());
        let ask = |account, organization| authority(&owner, account, organization, &place(&claude.id), &surfaces);
        assert_eq!(ask(random.id(), organization.id), None, "another account has the address by now");
        assert_eq!(ask(account.id, random.id()), None, "another organization");
        assert_eq!(authority(&Person::default(), account.id, organization.id, &place(&claude.id), &surfaces), None);
    }
}
