//! The choice among several organizations that fit, once a login.

use super::{Entrance, Login, Progress, enter};
use crate::{
    account::Person,
    clock::Timestamp,
    domain::Ownership,
    id::OrganizationId,
    organization::Organization,
    provisioning::{AtSignIn, at_sign_in},
    session::{Authentication, Promised},
    surface::Surface,
    table::Stored,
};

/// Why a choice gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// The login has not come to a choice, or was finished by another click or in another tab.
    #[error("this sign-in was finished already")]
    Finished,
    /// The organization was not offered, or is not the parent's any more.
    #[error("this organization is not one of the choices")]
    NotOffered,
    /// The person is not a member, and does not become one by choosing.
    #[error("you are not a member of this organization any more")]
    NotMember,
    /// The application asked for somebody else.
    #[error("the application asked for another person to sign in")]
    OtherPerson,
    /// The organization or the membership changed at the same moment.
    #[error("this organization was changed at the same moment")]
    Changed,
}

impl Login {
    /// Who chooses, among what, and whether that may make the person a member.
    ///
    /// # Errors
    /// [`ChoiceError::Finished`] for a login that has not come to a choice.
    pub fn choosing(&self) -> Result<(&Authentication, &[OrganizationId], bool), ChoiceError> {
        match &self.progress {
            Progress::Choosing { authentication, organizations, may_join, .. } => {
                Ok((authentication, organizations, *may_join))
            }
            Progress::Identifying | Progress::IdentityProvider { .. } => Err(ChoiceError::Finished),
        }
    }

    /// The session that begins with the choice, if it is to begin with one.
    #[must_use]
    pub fn promised(&self, now: Timestamp) -> Option<Promised> {
        match &self.progress {
            Progress::Choosing { promised, .. } => promised.as_deref().cloned().map(|to_be| to_be.believed_at(now)),
            Progress::Identifying | Progress::IdentityProvider { .. } => None,
        }
    }

    /// Decides on a choice, given the parent's `organizations` on the application's surface, the person and the holder of
    /// the domain of the person's address, as they are now. It opens nothing that the sign-in did not: who may not join has to be a member still.
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub fn choose(
        &self,
        chosen: OrganizationId,
        surface: &Surface,
        organizations: &[Stored<Organization>],
        person: &Person,
        holder: Option<Ownership>,
        now: Timestamp,
    ) -> Result<Entrance, ChoiceError> {
        let (authentication, offered, may_join) = self.choosing()?;
        let stored = organizations.iter().find(|stored| stored.value.id == chosen && offered.contains(&chosen));
        let stored = stored.ok_or(ChoiceError::NotOffered)?;
        let organization = &stored.value;
        if organization.parent != authentication.parent || organization.surface != self.request.surface {
            return Err(ChoiceError::NotOffered);
        }
        let holder = holder.filter(|holder| holder.parent == authentication.parent).ok_or(ChoiceError::NotMember)?;
        if !self.request.may_be_about(authentication.account) {
            return Err(ChoiceError::OtherPerson);
        }
        if person.account.as_ref().is_none_or(|stored| stored.value.id != authentication.account) {
            return Err(ChoiceError::NotMember);
        }
        let membership = person.membership(chosen).map(|stored| &stored.value);
        let member = membership.is_some_and(|membership| membership.account == authentication.account);
        match at_sign_in(organization.provisioning, member, &surface.default_role) {
            AtSignIn::Join { .. } if !may_join || holder.is_lapsed() => Err(ChoiceError::NotMember),
            AtSignIn::Refuse(_) => Err(ChoiceError::NotMember),
            decision => Ok(enter(self, authentication, stored, &decision, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{Account, Membership, Source},
        clock::after,
        grant::AuthorizationRequest,
        id::{AccountId, ConnectionId, ParentId, Random},
        organization::new_account,
        provisioning::{Mode, Provisioning},
        session::Session,
        surface::Surfaces,
    };

    /// Ada, who is a member of the first of two organizations, and may join the second one.
    struct World {
        surface: Surface,
        organizations: Vec<Stored<Organization>>,
        person: Person,
        login: Login,
        session: Session,
        holder: Option<Ownership>,
        now: Timestamp,
    }

    fn organization(id: u128, surface: &Surface, mode: Mode, now: Timestamp) -> Stored<Organization> {
        let value = Organization {
            id: OrganizationId::from_bits(id),
            parent: ParentId::from_bits(1),
            surface: surface.id.clone(),
            name: "Corp".parse().unwrap(),
            primary_owner: AccountId::from_bits(1),
            administrators: 1,
            provisioning: Provisioning { mode, group_mappings: false },
            created_at: now,
        };
        Stored { value, version: 1 }
    }

    fn member(account: &Account, organization: u128, since: Timestamp) -> Stored<Membership> {
        let value = Membership {
            account: account.id,
            email: account.email.clone(),
            organization: OrganizationId::from_bits(organization),
            role: serde_json::from_str("\"admin\"").unwrap(),
            source: Source::Manual,
            since,
        };
        Stored { value, version: 1 }
    }

    impl World {
        fn new() -> Self {
            let random = Random::default();
            let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
            let surface = Surfaces::vendor_default().unwrap().get("claudeai").unwrap().clone();
            let account = new_account(&"ada@corp.example".parse().unwrap(), now, &random);
            let request = AuthorizationRequest {
                application: random.id(),
                surface: surface.id.clone(),
                redirect_uri: "https://app.example.com/cb".to_owned(),
                scope: "openid".to_owned(),
                state: None,
                nonce: None,
                code_challenge: String::new(),
                organization: None,
                force: false,
                subject: None,
            };
            let authentication = Authentication {
                account: account.id,
                email: account.email.clone(),
                connection: ConnectionId::from_bits(1),
                parent: ParentId::from_bits(1),
                at: now,
                proven_at: now,
                methods: Vec::new(),
            };
            let (mut login, _) = Login::begin(request, now, &random);
            login.progress = Progress::Choosing {
                authentication: authentication.clone(),
                organizations: vec![OrganizationId::from_bits(1), OrganizationId::from_bits(2)],
                may_join: true,
                promised: None,
            };
            Self {
                organizations: vec![
                    organization(1, &surface, Mode::Manual, now),
                    organization(2, &surface, Mode::Jit, now),
                ],
                person: Person {
                    memberships: vec![member(&account, 1, now)],
                    account: Some(Stored { value: account, version: 1 }),
                    name_ids: Vec::new(),
                },
                session: Session::begin(authentication, None),
                holder: Some(Ownership::new(ParentId::from_bits(1), now)),
                surface,
                login,
                now,
            }
        }

        fn choose(&self, organization: u128) -> Result<Option<Membership>, ChoiceError> {
            let chosen = OrganizationId::from_bits(organization);
            let chosen =
                self.login.choose(chosen, &self.surface, &self.organizations, &self.person, self.holder, self.now);
            chosen.map(|entrance| entrance.joins.map(|joining| joining.membership))
        }

        fn opens(&self) -> Vec<u128> {
            let opened = self.session.opens(&self.login.request, &self.surface, &self.organizations, &self.person);
            opened.into_iter().map(OrganizationId::bits).collect()
        }
    }

    #[test]
    fn a_member_enters_and_a_stranger_joins() {
        let world = World::new();
        assert_eq!(world.choose(1), Ok(None));
        let joined = world.choose(2).unwrap().unwrap();
        assert_eq!((joined.role.as_str(), joined.source), ("user", Source::Jit));
    }

    #[test]
    fn only_what_was_offered_and_still_fits_can_be_chosen() {
        let mut world = World::new();
        world.organizations.push(organization(3, &world.surface, Mode::Jit, world.now));
        assert_eq!(world.choose(3), Err(ChoiceError::NotOffered));
        world.organizations[1].value.parent = ParentId::from_bits(9);
        assert_eq!(world.choose(2), Err(ChoiceError::NotOffered), "it left the parent");
        world.person.memberships.clear();
        assert_eq!(world.choose(1), Err(ChoiceError::NotMember));
        world.login.progress = Progress::Identifying;
        assert_eq!(world.choose(1), Err(ChoiceError::Finished));
        let mut world = World::new();
        world.login.request.subject = Some(AccountId::from_bits(9));
        assert_eq!(world.choose(1), Err(ChoiceError::OtherPerson));
        for holder in [None, Some(Ownership::new(ParentId::from_bits(2), Timestamp::UNIX_EPOCH))] {
            let world = World { holder, ..World::new() };
            assert_eq!(world.choose(1), Err(ChoiceError::NotMember), "the domain is no longer the parent's");
        }
    }

    #[test]
    fn a_lapsed_domain_lets_members_in_and_nobody_else() {
        let mut world = World::new();
        world.holder = world.holder.map(|holder| Ownership { lapsed_at: Some(world.now), ..holder });
        assert_eq!(world.choose(1), Ok(None));
        assert_eq!(world.choose(2), Err(ChoiceError::NotMember));
    }

    #[test]
    fn nobody_joins_by_a_session() {
        let mut world = World::new();
        let Progress::Choosing { may_join, .. } = &mut world.login.progress else { panic!("it is choosing") };
        *may_join = false;
        assert_eq!(world.choose(1), Ok(None));
        assert_eq!(world.choose(2), Err(ChoiceError::NotMember));
    }

    #[test]
    fn a_session_opens_the_memberships_that_it_has_seen() {
        let mut world = World::new();
        assert_eq!(world.opens(), [1]);
        let account = world.person.account.as_ref().unwrap().value.clone();
        world.person.memberships.push(member(&account, 2, world.now));
        assert_eq!(world.opens(), [1, 2]);
        world.login.request.organization = Some(OrganizationId::from_bits(2));
        assert_eq!(world.opens(), [2]);
        world.organizations[1].value.provisioning.group_mappings = true;
        assert!(world.opens().is_empty(), "groups are read from an assertion");

        let mut world = World::new();
        world.person.memberships.push(member(&account, 2, world.now));
        assert_eq!(world.opens(), [1], "another account's membership");
        let account = world.person.account.as_ref().unwrap().value.clone();
        world.person.memberships.pop();
        world.person.memberships.push(member(&account, 2, after(world.now, 1)));
        assert!(world.opens().is_empty(), "who joined or came back since signs in anew");
        world.login.request.organization = Some(OrganizationId::from_bits(1));
        assert_eq!(world.opens(), [1]);

        let mut world = World::new();
        world.organizations[0].value.parent = ParentId::from_bits(9);
        assert!(world.opens().is_empty(), "another parent's");
        let mut world = World::new();
        world.login.request.subject = Some(AccountId::from_bits(9));
        assert!(world.opens().is_empty(), "another person was asked for");
        let mut world = World::new();
        world.person.account = None;
        assert!(world.opens().is_empty(), "no account any more");
    }
}
