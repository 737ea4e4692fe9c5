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

/// Whom an assertion is about, and what is known of that.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
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
}

/// What is known when the decision is made.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whom the assertion is about.
    pub claim: Claim<'a>,
    /// The login that the assertion answers.
    pub login: &'a Login,
    /// The surface of the application.
    pub surface: &'a Surface,
    /// The organizations of the connection's parent on the surface.
    pub organizations: &'a [Stored<Organization>],
}

/// A believed assertion and what comes of it.
#[derive(Debug)]
pub struct Arrival {
    /// The account as it is from now on.
    pub account: AccountChange,
    /// The tie to write, at the first sign-in through the connection's identity provider.
    pub tie: Option<NewTie>,
    /// What the browser's session will remember.
    pub authentication: Authentication,
    /// When the identity provider's own session ends, if it says.
    pub session_until: Option<Timestamp>,
    /// Where the person goes.
    pub next: Next,
}

/// A tie to write.
#[derive(Debug, PartialEq, Eq)]
pub struct NewTie {
    /// The tie.
    pub tie: NameIdTie,
    /// The version of the one that it replaces: of an identity provider that the connection had before.
    pub stale: Option<u64>,
    /// Whether the connection knows the account by the NameID already.
    pub known: bool,
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
    /// What is written when the person joins by it.
    pub joins: Option<Joining>,
}

/// A membership that begins with an entrance.
#[derive(Debug)]
pub struct Joining {
    /// The membership.
    pub membership: Membership,
    /// The organization as it was when it let the person in; it must still be so when that is written.
    pub organization: Stored<Organization>,
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

/// What a NameID is stored as: a hash of the identity provider, the value and the qualifiers that make it another (SAML
/// Core, section 2.2.2).
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
    let parts = [
        idp_entity_id.to_owned(),
        value,
        qualifier(&name_id.name_qualifier, idp_entity_id),
        qualifier(&name_id.sp_name_qualifier, sp_entity_id),
    ];
    hex(&sha256(parts.join("\0").as_bytes()))
}

/// Believes an assertion that has passed every check of [`crate::saml`], or not. What the person may do is another question.
///
/// # Errors
/// The first of `domain_not_owned`, `name_id_conflict` and `replayed`, recorded in the trace.
pub fn believe(claim: &Claim<'_>, name_id_hash: &str, trace: &mut Trace) -> Result<(), Refusal> {
    check_domain(claim, trace)?;
    check_tie(claim, name_id_hash, trace)?;
    let found = if claim.used { "used" } else { "not used" };
    trace.require(CheckName::Replay, Reason::Replayed, !claim.used, "an assertion that was not used before", found)
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
    let claim = &facts.claim;
    believe(claim, name_id_hash, trace)?;
    let mapped = |stored: &Stored<Organization>| stored.value.provisioning.group_mappings;
    claim.assertion.note_groups(None, facts.organizations.iter().any(mapped), trace);
    let fitting = fitting(facts, trace)?;

    let account = account(claim, now, random);
    let authentication = Authentication {
        account: account.account().id,
        email: account.account().email.clone(),
        connection: claim.connection.id,
        parent: claim.connection.parent,
        at: now,
        proven_at: claim.assertion.authn_instant.min(now),
        methods: vec![METHOD.to_owned()],
    };
    let tie = new_tie(claim, &authentication, name_id_hash, now);
    let next = match fitting.as_slice() {
        [(organization, decision)] => {
            Next::Enter(Box::new(enter(facts.login, &authentication, organization, decision, now)))
        }
        several => Next::Choose(several.iter().map(|(organization, _)| organization.value.id).collect()),
    };
    let session_until = claim.assertion.session_not_on_or_after;
    Ok(Arrival { account, tie, authentication, session_until, next })
}

/// The account, having signed in: the one of the address, or a new one.
fn account(claim: &Claim<'_>, now: Timestamp, random: &Random) -> AccountChange {
    let asserted = || claim.assertion.display_name();
    if let Some(Stored { value, version }) = &claim.person.account {
        let name = value.name.clone().or_else(asserted);
        AccountChange::SignedIn(Account { name, last_sign_in: Some(now), ..value.clone() }, *version)
    } else {
        let fresh = new_account(claim.email, now, random);
        AccountChange::New(Account { name: asserted(), last_sign_in: Some(now), ..fresh })
    }
}

/// The entrance of an authenticated person into an organization that has been decided on.
#[must_use]
pub fn enter(
    login: &Login,
    authentication: &Authentication,
    organization: &Stored<Organization>,
    decision: &AtSignIn,
    now: Timestamp,
) -> Entrance {
    let id = organization.value.id;
    let joins = match decision {
        AtSignIn::Join { role, source } => {
            let membership = Membership {
                account: authentication.account,
                email: authentication.email.clone(),
                organization: id,
                role: role.clone(),
                source: *source,
                since: now,
            };
            Some(Joining { membership, organization: organization.clone() })
        }
        AtSignIn::Keep | AtSignIn::Refuse(_) => None,
    };
    Entrance { admission: Admission::new(&login.request, authentication, id, now), joins }
}

/// The tie to write, unless there is one of the connection's present identity provider.
fn new_tie(claim: &Claim<'_>, authentication: &Authentication, name_id_hash: &str, now: Timestamp) -> Option<NewTie> {
    let identity_provider = &claim.connection.identity_provider.entity_id;
    let present = claim.person.name_id(claim.connection.id);
    if present.is_some_and(|tie| tie.value.identity_provider == *identity_provider) {
        return None;
    }
    let tie = NameIdTie {
        connection: claim.connection.id,
        account: authentication.account,
        identity_provider: identity_provider.clone(),
        name_id_hash: name_id_hash.to_owned(),
        since: now,
    };
    Some(NewTie { tie, stale: present.map(|tie| tie.version), known: claim.known_as.is_some() })
}

fn check_domain(claim: &Claim<'_>, trace: &mut Trace) -> Result<(), Refusal> {
    trace.require(
        CheckName::DomainOwnership,
        Reason::DomainNotOwned,
        claim.domain_owner == Some(claim.connection.parent),
        "an address on a domain that this customer has verified",
        format_args!("an address on {}", claim.email.domain()),
    )
}

/// The account and the NameID belong to each other, or neither belongs to another yet.
fn check_tie(claim: &Claim<'_>, name_id_hash: &str, trace: &mut Trace) -> Result<(), Refusal> {
    let account = claim.person.account.as_ref().map(|account| account.value.id);
    let present = &claim.connection.identity_provider.entity_id;
    let of_address = claim.person.name_id(claim.connection.id).map(|tie| &tie.value);
    let of_address = of_address.filter(|tie| tie.identity_provider == *present);
    let found = match (of_address, claim.known_as) {
        (None, None) => Ok("neither tied yet"),
        // The connection was moved to another identity provider and is back.
        (None, Some(known)) if Some(known.account) == account => Ok("tied before"),
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
fn fitting<'a>(facts: &Facts<'a>, trace: &mut Trace) -> Result<Vec<(&'a Stored<Organization>, AtSignIn)>, Refusal> {
    let mut fitting = Vec::new();
    let mut refused = None;
    for stored in facts.organizations {
        let organization = &stored.value;
        if facts.login.request.organization.is_some_and(|wanted| wanted != organization.id) {
            continue;
        }
        let member = facts.claim.person.membership(organization.id).is_some();
        match at_sign_in(organization.provisioning, member, &facts.surface.default_role) {
            AtSignIn::Refuse(reason) => refused = refused.or(Some(reason)),
            decision => fitting.push((stored, decision)),
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
mod tests;
