use super::*;
use crate::{
    account::Source,
    connection::Options,
    domain::Ownership,
    grant::AuthorizationRequest,
    id::{AccountId, ApplicationId},
    provisioning::{Mode, Provisioning},
    saml::{IdpKind, IdpMetadata},
    surface::Surfaces,
};

const EMAIL: &str = "ada@corp.example";
const HASH: &str = "hash of ada's NameID";

/// A world in which Ada, who has no account yet, signs in to an organization in JIT mode.
struct World {
    surface: Surface,
    login: Login,
    connection: Connection,
    assertion: Assertion,
    email: Address,
    owner: Option<Ownership>,
    person: Person,
    known_as: Option<NameIdTie>,
    used: bool,
    organizations: Vec<Stored<Organization>>,
    trace: Trace,
    now: Timestamp,
    random: Random,
}

impl World {
    fn new() -> Self {
        let random = Random::default();
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let surface = Surfaces::vendor_default().unwrap().get("claudeai").unwrap().clone();
        let parent = random.id();
        let request = AuthorizationRequest {
            application: ApplicationId::from_bits(1),
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
        let (login, _) = Login::begin(request, now, &random);
        let connection = Connection {
            id: random.id(),
            parent,
            identity_provider: IdpMetadata {
                entity_id: "https://idp.example".to_owned(),
                kind: IdpKind::Other,
                sso_redirect: None,
                sso_post: None,
                wants_signed_requests: false,
                certificates: Vec::new(),
                valid_until: None,
                name_id_formats: Vec::new(),
            },
            options: Options::default(),
            refresh: None,
            warned: None,
            created_at: now,
            changed_at: now,
        };
        let mut world = Self {
            login,
            connection,
            assertion: assertion(now),
            email: EMAIL.parse().unwrap(),
            owner: Some(Ownership::new(parent, now)),
            person: Person::default(),
            known_as: None,
            used: false,
            organizations: Vec::new(),
            trace: Trace::new(IdpKind::Other),
            surface,
            now,
            random,
        };
        world.add_organization(Mode::Jit);
        world
    }

    fn add_organization(&mut self, mode: Mode) -> OrganizationId {
        let organization = Organization {
            id: self.random.id(),
            parent: self.connection.parent,
            surface: self.surface.id.clone(),
            name: "Corp".parse().unwrap(),
            primary_owner: self.random.id(),
            administrators: 1,
            provisioning: Provisioning { mode, group_mappings: false },
            created_at: self.now,
        };
        let id = organization.id;
        self.organizations.push(Stored { value: organization, version: 1 });
        id
    }

    fn add_account(&mut self) -> AccountId {
        let account = new_account(&self.email, self.now, &self.random);
        let id = account.id;
        self.person.account = Some(Stored { value: account, version: 4 });
        id
    }

    fn add_membership(&mut self, organization: OrganizationId) {
        let account = self.person.account.as_ref().unwrap().value.id;
        let value = Membership {
            account,
            email: self.email.clone(),
            organization,
            role: self.surface.role("admin").unwrap().clone(),
            source: Source::Manual,
            since: self.now,
        };
        self.person.memberships.push(Stored { value, version: 1 });
    }

    fn tie(&self, account: AccountId, name_id_hash: &str) -> NameIdTie {
        let connection = self.connection.id;
        let identity_provider = self.connection.identity_provider.entity_id.clone();
        NameIdTie { connection, account, identity_provider, name_id_hash: name_id_hash.to_owned(), since: self.now }
    }

    fn decide(&mut self) -> Result<Arrival, Reason> {
        let facts = Facts {
            claim: Claim {
                connection: &self.connection,
                assertion: &self.assertion,
                email: &self.email,
                domain_owner: self.owner,
                person: &self.person,
                known_as: self.known_as.as_ref(),
                used: self.used,
            },
            login: &self.login,
            surface: &self.surface,
            organizations: &self.organizations,
        };
        let decided = decide(&facts, HASH, &mut self.trace, self.now, &self.random);
        assert_eq!(decided.is_err(), self.trace.failed().is_some(), "a refusal is recorded, and only that");
        decided.map_err(Refusal::reason)
    }
}

fn assertion(now: Timestamp) -> Assertion {
    Assertion {
        id: "_a".to_owned(),
        name_id: name_id("ada", None),
        session_index: None,
        authn_instant: now,
        session_not_on_or_after: None,
        not_on_or_after: now,
        attributes: Vec::new(),
    }
}

fn name_id(value: &str, format: Option<&str>) -> NameId {
    NameId {
        value: value.to_owned(),
        format: format.map(ToOwned::to_owned),
        name_qualifier: None,
        sp_name_qualifier: None,
    }
}

#[test]
fn a_stranger_joins_with_the_default_role_and_is_tied() {
    let mut world = World::new();
    let arrival = world.decide().unwrap();
    let AccountChange::New(account) = &arrival.account else { panic!("a new account") };
    assert_eq!(account.last_sign_in, Some(world.now));
    assert_eq!(arrival.tie, Some(NewTie { tie: world.tie(account.id, HASH), stale: None, known: false }));
    let Next::Enter(entrance) = arrival.next else { panic!("one organization") };
    let membership = entrance.joins.unwrap().membership;
    assert_eq!((membership.role.as_str(), membership.source), ("user", Source::Jit));
    assert!(entrance.admission.is_upheld_by(Some(&membership)));
}

#[test]
fn what_was_proven_long_ago_is_not_proven_now() {
    let mut world = World::new();
    let morning = crate::clock::after(world.now, -8 * 3600);
    world.assertion.authn_instant = morning;
    world.assertion.session_not_on_or_after = Some(crate::clock::after(world.now, 60));
    let arrival = world.decide().unwrap();
    assert_eq!((arrival.authentication.at, arrival.authentication.proven_at), (world.now, morning));
    let Next::Enter(entrance) = &arrival.next else { panic!("one organization") };
    assert_eq!(entrance.admission.authenticated_at, morning);
    let session = crate::session::Session::begin(arrival.authentication, arrival.session_until);
    assert!(session.serves(None, world.now) && !session.serves(Some(60), world.now));
    assert!(!session.serves(None, crate::clock::after(world.now, 60)), "it ends with the identity provider's");
}

#[test]
fn a_member_keeps_the_role_and_is_tied_once() {
    let mut world = World::new();
    let account = world.add_account();
    world.add_membership(world.organizations[0].value.id);
    assert!(world.decide().unwrap().tie.is_some());

    let tie = world.tie(account, HASH);
    world.person.name_ids.push(Stored { value: tie.clone(), version: 1 });
    world.known_as = Some(tie);
    let arrival = world.decide().unwrap();
    assert!(arrival.tie.is_none());
    assert!(matches!(arrival.account, AccountChange::SignedIn(_, 4)));
    let Next::Enter(entrance) = arrival.next else { panic!("one organization") };
    assert!(entrance.joins.is_none());
}

#[test]
fn a_domain_of_nobody_or_of_another_customer_is_refused() {
    let mut world = World::new();
    world.owner = None;
    assert_eq!(world.decide().err(), Some(Reason::DomainNotOwned));
    let mut world = World::new();
    world.owner = Some(Ownership::new(world.random.id(), world.now));
    assert_eq!(world.decide().err(), Some(Reason::DomainNotOwned));
}

#[test]
fn a_lapsed_domain_lets_members_in_and_nobody_else() {
    let lapsed = |world: &World| world.owner.map(|owner| Ownership { lapsed_at: Some(world.now), ..owner });
    let mut world = World::new();
    world.owner = lapsed(&world);
    assert_eq!(world.decide().err(), Some(Reason::DomainLapsed));
    let mut world = World::new();
    world.add_account();
    world.add_membership(world.organizations[0].value.id);
    world.owner = lapsed(&world);
    let Next::Enter(entrance) = world.decide().unwrap().next else { panic!("one organization") };
    assert!(entrance.joins.is_none());
}

#[test]
fn a_name_id_and_an_address_that_belong_to_others_are_refused() {
    // The address signed in with another NameID before.
    let mut world = World::new();
    let account = world.add_account();
    let other = world.tie(account, "another hash");
    world.person.name_ids.push(Stored { value: other, version: 1 });
    assert_eq!(world.decide().err(), Some(Reason::NameIdConflict));
    // The NameID signed in with another address before; ours has no account, or another one.
    let mut world = World::new();
    world.known_as = Some(world.tie(world.random.id(), HASH));
    assert_eq!(world.decide().err(), Some(Reason::NameIdConflict));
    world.add_account();
    assert_eq!(world.decide().err(), Some(Reason::NameIdConflict));
    // Both are tied, each to the other one's counterpart.
    let account = world.person.account.as_ref().unwrap().value.id;
    let own = world.tie(account, HASH);
    world.person.name_ids.push(Stored { value: own, version: 1 });
    assert_eq!(world.decide().err(), Some(Reason::NameIdConflict));
    // A tie of another connection says nothing here.
    let mut world = World::new();
    let account = world.add_account();
    let elsewhere = NameIdTie { connection: world.random.id(), ..world.tie(account, "another hash") };
    world.person.name_ids.push(Stored { value: elsewhere, version: 1 });
    assert!(world.decide().is_ok());
}

#[test]
fn a_connection_moved_to_another_identity_provider_ties_anew() {
    let mut world = World::new();
    let account = world.add_account();
    let before = NameIdTie {
        identity_provider: "https://the-one-before.example".to_owned(),
        ..world.tie(account, "another hash")
    };
    world.person.name_ids.push(Stored { value: before, version: 3 });
    let arrival = world.decide().unwrap();
    assert_eq!(arrival.tie, Some(NewTie { tie: world.tie(account, HASH), stale: Some(3), known: false }));
    // And back again, where the NameID is known.
    world.known_as = Some(world.tie(account, HASH));
    assert_eq!(
        world.decide().unwrap().tie,
        Some(NewTie { tie: world.tie(account, HASH), stale: Some(3), known: true })
    );
    world.known_as = Some(world.tie(world.random.id(), HASH));
    assert_eq!(world.decide().err(), Some(Reason::NameIdConflict), "somebody else's");
}

#[test]
fn a_used_assertion_is_refused() {
    let mut world = World::new();
    world.used = true;
    assert_eq!(world.decide().err(), Some(Reason::Replayed));
}

#[test]
fn a_stranger_to_manual_organizations_or_none_is_refused() {
    let mut world = World::new();
    world.organizations.clear();
    assert_eq!(world.decide().err(), Some(Reason::NotMember));
    world.add_organization(Mode::Manual);
    assert_eq!(world.decide().err(), Some(Reason::NotMember));
}

#[test]
fn several_that_fit_are_chosen_among_and_nothing_is_joined_before() {
    let mut world = World::new();
    let manual = world.add_organization(Mode::Manual);
    world.add_account();
    world.add_membership(manual);
    let arrival = world.decide().unwrap();
    let Next::Choose(organizations) = arrival.next else { panic!("a choice") };
    assert_eq!(organizations, [world.organizations[0].value.id, manual]);

    // The application named one of them.
    world.login.request.organization = Some(manual);
    let Next::Enter(entrance) = world.decide().unwrap().next else { panic!("the named one") };
    assert_eq!(entrance.admission.organization, manual);
    // It named one that is not this parent's.
    world.login.request.organization = Some(world.random.id());
    assert_eq!(world.decide().err(), Some(Reason::NotMember));
}

#[test]
fn a_name_id_is_told_apart_by_value_and_qualifiers_but_not_by_repeated_defaults() {
    let hash = |name_id: &NameId| name_id_hash(name_id, "https://idp", "https://sp");
    let plain = name_id("Ada", None);
    assert_ne!(hash(&plain), hash(&name_id("ada", None)));
    let address = |value| name_id(value, Some(EMAIL_FORMAT));
    assert_eq!(hash(&address("Ada@corp.example")), hash(&address("ada@corp.example")));
    let qualified = |name: &str, sp: &str| NameId {
        name_qualifier: Some(name.to_owned()),
        sp_name_qualifier: Some(sp.to_owned()),
        ..plain.clone()
    };
    assert_eq!(hash(&plain), hash(&qualified("https://idp", "https://sp")));
    assert_ne!(hash(&plain), hash(&qualified("https://other", "https://sp")));
    assert_ne!(hash(&plain), name_id_hash(&plain, "https://another-idp", "https://sp"));
    assert_ne!(hash(&qualified("a", "b")), hash(&qualified("ab", "https://sp")));
}
