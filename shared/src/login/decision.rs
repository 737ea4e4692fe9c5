//! The decision at the end of a login: who the person is, and where that opens a door.

use super::Login;
use crate::{
    account::{Account, Address, Membership, NameIdTie, Person},
    clock::Timestamp,
    connection::Connection,
    grant::Admission,
    id::{OrganizationId, ParentId, Random, hex, sha256},
    organization::{Organization, new_account},
    provisioning::{AtSignIn, at_sign_in},
    saml::{Assertion, CheckName, EMAIL_FORMAT, NameId, Reason, Refusal, Trace},
    session::Authentication,
    surface::Surface,
    table::Stored,
};

/// The means of authentication that a SAML sign-in proves by itself; what the identity provider asked for is its own.
const METHOD: &str = "saml";

/// What is known when the decision is made.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The login that the assertion answers.
    pub login: &'a Login,
    /// The surface of the application.
    pub surface: &'a Surface,
    /// The connection that the assertion came through.
    pub connection: &'a Connection,
    /// The assertion, which passed every check of [`crate::saml`].
    pub assertion: &'a Assertion,
    /// The assertion's address.
    pub email: &'a Address,
    /// Who holds the address's domain.
    pub domain_owner: Option<ParentId>,
    /// What is stored under the address.
    pub person: &'a Person,
    /// The account that the connection knows by the assertion's NameID.
    pub known_as: Option<&'a NameIdTie>,
    /// Whether the assertion has been used before.
    pub used: bool,
    /// The organizations of the connection's parent on the surface.
    pub organizations: &'a [Stored<Organization>],
}

/// A believed assertion and what comes of it.
#[derive(Debug)]
pub struct Arrival {
    /// The account as it is from now on.
    pub account: AccountChange,
    /// The tie to write, at the first sign-in through the connection.
    pub tie: Option<NameIdTie>,
    /// What the browser's session will remember.
    pub authentication: Authentication,
    /// Where the person goes.
    pub next: Next,
}

/// What becomes of the account.
#[derive(Debug)]
pub enum AccountChange {
    /// It comes to be.
    New(Account),
    /// It has signed in; its version as it was read.
    SignedIn(Account, u64),
}

/// Where an authenticated person goes.
#[derive(Debug)]
pub enum Next {
    /// Into the one organization that fits.
    Enter(Box<Entrance>),
    /// To the choice among several.
    Choose(Vec<OrganizationId>),
}

/// A person entering an organization.
#[derive(Debug)]
pub struct Entrance {
    /// What the application's code will stand for.
    pub admission: Admission,
    /// The membership to write, when the person joins by it.
    pub joins: Option<Membership>,
}

impl AccountChange {
    /// The account as it is from now on.
    #[must_use]
    pub fn account(&self) -> &Account {
        match self {
            Self::New(account) | Self::SignedIn(account, _) => account,
        }
    }
}

/// What a NameID is stored as: a hash of its value and of the qualifiers that make it another (SAML Core, section 2.2.2).
///
/// Qualifiers that only repeat their defaults, the two entity ids, are left out: providers that begin or cease to write
/// them mean the same person. Addresses are compared without case.
#[must_use]
pub fn name_id_hash(name_id: &NameId, idp_entity_id: &str, sp_entity_id: &str) -> String {
    let qualifier = |given: &Option<String>, default: &str| match given {
        Some(qualifier) if qualifier != default => qualifier.clone(),
        Some(_) | None => String::new(),
    };
    let value = if name_id.format.as_deref() == Some(EMAIL_FORMAT) {
        name_id.value.to_lowercase()
    } else {
        name_id.value.clone()
    };
    let parts =
        [value, qualifier(&name_id.name_qualifier, idp_entity_id), qualifier(&name_id.sp_name_qualifier, sp_entity_id)];
    hex(&sha256(parts.join("\0").as_bytes()))
}

/// Decides on a login whose assertion has passed every check of [`crate::saml`].
///
/// # Errors
/// The first of `domain_not_owned`, `name_id_conflict`, `replayed`, `not_member` and `no_mapped_group`, recorded in
/// the trace.
pub fn decide(
    facts: &Facts<'_>,
    name_id_hash: &str,
    trace: &mut Trace,
    now: Timestamp,
    random: &Random,
) -> Result<Arrival, Refusal> {
    check_domain(facts, trace)?;
    check_tie(facts, name_id_hash, trace)?;
    trace.require(
        CheckName::Replay,
        Reason::Replayed,
        !facts.used,
        "an assertion that was not used before",
        if facts.used { "used" } else { "not used" },
    )?;
    let fitting = fitting(facts, trace)?;

    let account = account(facts, now, random);
    let authentication = Authentication {
        account: account.account().id,
        email: account.account().email.clone(),
        connection: facts.connection.id,
        parent: facts.connection.parent,
        at: now,
        methods: vec![METHOD.to_owned()],
    };
    let tie = facts.person.name_id(facts.connection.id).is_none().then(|| NameIdTie {
        connection: facts.connection.id,
        account: authentication.account,
        name_id_hash: name_id_hash.to_owned(),
        since: now,
    });
    let next = match fitting.as_slice() {
        [(organization, decision)] => {
            Next::Enter(Box::new(enter(facts.login, &authentication, organization, decision, now)))
        }
        several => Next::Choose(several.iter().map(|(organization, _)| organization.id).collect()),
    };
    Ok(Arrival { account, tie, authentication, next })
}

/// The account, having signed in: the one of the address, or a new one.
fn account(facts: &Facts<'_>, now: Timestamp, random: &Random) -> AccountChange {
    let asserted = || facts.assertion.display_name();
    if let Some(Stored { value, version }) = &facts.person.account {
        let name = value.name.clone().or_else(asserted);
        AccountChange::SignedIn(Account { name, last_sign_in: Some(now), ..value.clone() }, *version)
    } else {
        let fresh = new_account(facts.email, now, random);
        AccountChange::New(Account { name: asserted(), last_sign_in: Some(now), ..fresh })
    }
}

/// The entrance of an authenticated person into an organization that has been decided on.
#[must_use]
pub fn enter(
    login: &Login,
    authentication: &Authentication,
    organization: &Organization,
    decision: &AtSignIn,
    now: Timestamp,
) -> Entrance {
    let joins = match decision {
        AtSignIn::Join { role, source } => Some(Membership {
            account: authentication.account,
            email: authentication.email.clone(),
            organization: organization.id,
            role: role.clone(),
            source: *source,
            since: now,
        }),
        AtSignIn::Keep | AtSignIn::Refuse(_) => None,
    };
    Entrance { admission: Admission::new(&login.request, authentication, organization.id, now), joins }
}

fn check_domain(facts: &Facts<'_>, trace: &mut Trace) -> Result<(), Refusal> {
    trace.require(
        CheckName::DomainOwnership,
        Reason::DomainNotOwned,
        facts.domain_owner == Some(facts.connection.parent),
        "an address on a domain that this customer has verified",
        format_args!("an address on {}", facts.email.domain()),
    )
}

/// The account and the NameID belong to each other, or neither belongs to another yet.
fn check_tie(facts: &Facts<'_>, name_id_hash: &str, trace: &mut Trace) -> Result<(), Refusal> {
    let account = facts.person.account.as_ref().map(|account| account.value.id);
    let of_address = facts.person.name_id(facts.connection.id);
    let found = match (of_address, facts.known_as) {
        (None, None) => Ok("neither tied yet"),
        (Some(tie), Some(known)) if tie.name_id_hash == name_id_hash && Some(known.account) == account => Ok("tied"),
        (Some(_), None) => Err("the address is tied to another NameID"),
        (_, Some(_)) => Err("the NameID is tied to another address"),
    };
    trace.require(
        CheckName::NameIdTie,
        Reason::NameIdConflict,
        found.is_ok(),
        "the NameID that this address signed in with before, if it did",
        found.unwrap_or_else(|found| found),
    )
}

/// The organizations that let the person in; at least one.
fn fitting<'a>(facts: &Facts<'a>, trace: &mut Trace) -> Result<Vec<(&'a Organization, AtSignIn)>, Refusal> {
    let mut fitting = Vec::new();
    let mut refused = None;
    for Stored { value: organization, .. } in facts.organizations {
        if facts.login.request.organization.is_some_and(|wanted| wanted != organization.id) {
            continue;
        }
        let member = facts.person.membership(organization.id).is_some();
        match at_sign_in(organization.provisioning, member, &facts.surface.default_role) {
            AtSignIn::Refuse(reason) => refused = refused.or(Some(reason)),
            decision => fitting.push((organization, decision)),
        }
    }
    let expected = "membership of an organization, or one that people join by signing in";
    if fitting.is_empty() {
        let reason = refused.unwrap_or(Reason::NotMember);
        return Err(trace.fail(CheckName::Access, reason, expected, "neither"));
    }
    trace.pass(CheckName::Access, expected, format_args!("{} fitting", fitting.len()));
    Ok(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::Source,
        connection::Options,
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
        owner: Option<ParentId>,
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
                created_at: now,
                changed_at: now,
            };
            let mut world = Self {
                login,
                connection,
                assertion: assertion(now),
                email: EMAIL.parse().unwrap(),
                owner: Some(parent),
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
            NameIdTie { connection, account, name_id_hash: name_id_hash.to_owned(), since: self.now }
        }

        fn decide(&mut self) -> Result<Arrival, Reason> {
            let facts = Facts {
                login: &self.login,
                surface: &self.surface,
                connection: &self.connection,
                assertion: &self.assertion,
                email: &self.email,
                domain_owner: self.owner,
                person: &self.person,
                known_as: self.known_as.as_ref(),
                used: self.used,
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
        assert_eq!(arrival.tie, Some(world.tie(account.id, HASH)));
        let Next::Enter(entrance) = arrival.next else { panic!("one organization") };
        let membership = entrance.joins.unwrap();
        assert_eq!((membership.role.as_str(), membership.source), ("user", Source::Jit));
        assert!(entrance.admission.is_upheld_by(Some(&membership)));
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
        world.owner = Some(world.random.id());
        assert_eq!(world.decide().err(), Some(Reason::DomainNotOwned));
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
        assert_ne!(hash(&qualified("a", "b")), hash(&qualified("ab", "https://sp")));
    }
}
