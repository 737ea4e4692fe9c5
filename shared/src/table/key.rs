//! Every key of every table, spelled here and nowhere else.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{PARTITION, SORT, Table};
use crate::{
    account::FoldedAddress,
    clock::Timestamp,
    domain::DomainName,
    id::{
        AccountId, ApplicationId, ConnectionId, EventId, GrantId, LoginId, MailId, OrganizationId, ParentId, Reference,
        SecretHash,
    },
    journal::Trail,
    surface::SurfaceId,
};

/// The key of one item. Every key of customer data begins with whose it is.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// A parent organization.
    Parent(ParentId),
    /// An organization, under its parent and surface.
    Organization(ParentId, &'a SurfaceId, OrganizationId),
    /// Which parent and surface an organization is under.
    OrganizationPlace(OrganizationId),
    /// A member as its organization lists it.
    Roster(OrganizationId, AccountId),
    /// An administrator of an organization, found without reading all its members.
    Administrator(OrganizationId, AccountId),
    /// An account, under its address.
    Account(&'a FoldedAddress),
    /// Which address an account has.
    AccountAddress(AccountId),
    /// A membership, beside its account.
    Membership(&'a FoldedAddress, OrganizationId),
    /// The NameID that one connection knows an account by.
    NameIdOf(&'a FoldedAddress, ConnectionId),
    /// The account that one connection knows by a NameID (given as its hash).
    NameId(ConnectionId, &'a str),
    /// A parent's claim on a domain.
    DomainClaim(ParentId, &'a DomainName),
    /// Who holds a domain: the one item that makes ownership exclusive.
    DomainOwner(&'a DomainName),
    /// A connection.
    Connection(ConnectionId),
    /// The customers that trust a key of an identity provider (given as the hash of its entity id and public key).
    IdentityProviderKey(&'a str),
    /// An application.
    Application(ApplicationId),
    /// The keys that sign ID tokens, their private halves sealed.
    SigningKeys,
    /// The keys that sign our requests to identity providers and open what they encrypt to us, sealed.
    ServiceProviderKeys,
    /// A login under way.
    Login(LoginId),
    /// An assertion (given as the hash of its id) that a connection has used.
    UsedAssertion(ConnectionId, &'a str),
    /// A login's trace.
    Trace(ParentId, Timestamp, &'a Reference),
    /// An authorization code.
    Code(&'a SecretHash),
    /// What an application was granted.
    Grant(GrantId),
    /// A browser's session.
    Session(&'a SecretHash),
    /// That a connection's metadata is being fetched, or was a moment ago.
    MetadataFetch(ConnectionId),
    /// A browser's sign-in to the console under way.
    AdministratorSignIn(&'a SecretHash),
    /// How many sign-in codes were sent to an address.
    SentCodes(&'a FoldedAddress),
    /// A browser's session of the console.
    AdministratorSession(&'a SecretHash),
    /// The answer to a request with an idempotency key (given as its hash).
    Operation(&'a str),
    /// An entry of an audit trail.
    Event(Trail, Timestamp, EventId),
    /// A mail in the outbox.
    Mail(MailId),
}

impl Key<'_> {
    /// The table the item is in.
    #[must_use]
    pub fn table(&self) -> Table {
        match self {
            Self::Parent(..)
            | Self::Organization(..)
            | Self::OrganizationPlace(..)
            | Self::Roster(..)
            | Self::Administrator(..)
            | Self::Account(..)
            | Self::AccountAddress(..)
            | Self::Membership(..)
            | Self::NameIdOf(..)
            | Self::NameId(..)
            | Self::DomainClaim(..)
            | Self::DomainOwner(..)
            | Self::Connection(..)
            | Self::IdentityProviderKey(..)
            | Self::Application(..)
            | Self::SigningKeys
            | Self::ServiceProviderKeys => Table::Identity,
            Self::Login(..)
            | Self::UsedAssertion(..)
            | Self::Trace(..)
            | Self::Code(..)
            | Self::Grant(..)
            | Self::Session(..)
            | Self::MetadataFetch(..)
            | Self::AdministratorSignIn(..)
            | Self::SentCodes(..)
            | Self::AdministratorSession(..)
            | Self::Operation(..) => Table::Ephemeral,
            Self::Event(..) | Self::Mail(..) => Table::Journal,
        }
    }

    pub(super) fn parts(&self) -> (String, String) {
        let alone = || "-".to_owned();
        match self {
            Self::Parent(parent) => (of_parent(*parent), "PARENT".to_owned()),
            Self::Organization(parent, surface, id) => (of_parent(*parent), format!("ORG#{surface}#{id}")),
            Self::OrganizationPlace(id) => (format!("O#{id}"), "PLACE".to_owned()),
            Self::Roster(id, account) => (format!("O#{id}"), format!("MEMBER#{account}")),
            Self::Administrator(id, account) => (format!("O#{id}"), format!("ADMIN#{account}")),
            Self::Account(address) => (of_address(address), "ACCOUNT".to_owned()),
            Self::AccountAddress(account) => (format!("A#{account}"), "ADDRESS".to_owned()),
            Self::Membership(address, id) => (of_address(address), format!("MEMBER#{id}")),
            Self::NameIdOf(address, connection) => (of_address(address), format!("NAMEID#{connection}")),
            Self::NameId(connection, hash) => (format!("C#{connection}"), format!("NAMEID#{hash}")),
            Self::DomainClaim(parent, domain) => (of_parent(*parent), format!("DOMAIN#{domain}")),
            Self::DomainOwner(domain) => (format!("D#{domain}"), "OWNER".to_owned()),
            Self::Connection(id) => (format!("C#{id}"), "CONNECTION".to_owned()),
            Self::IdentityProviderKey(hash) => (format!("IDP-KEY#{hash}"), alone()),
            Self::Application(id) => (APPLICATIONS.to_owned(), id.to_string()),
            Self::SigningKeys => ("SIGNING-KEYS".to_owned(), alone()),
            Self::ServiceProviderKeys => ("SERVICE-PROVIDER-KEYS".to_owned(), alone()),
            Self::Login(id) => (format!("LOGIN#{id}"), alone()),
            Self::UsedAssertion(connection, hash) => (format!("USED#{connection}#{hash}"), alone()),
            Self::Trace(parent, at, reference) => (of_traces(*parent), format!("{}#{reference}", sortable(*at))),
            Self::Code(hash) => (format!("CODE#{}", hash.as_str()), alone()),
            Self::Grant(id) => (format!("GRANT#{id}"), alone()),
            Self::Session(hash) => (format!("SESSION#{}", hash.as_str()), alone()),
            Self::MetadataFetch(id) => (format!("FETCH#{id}"), alone()),
            Self::AdministratorSignIn(hash) => (format!("ADMINISTRATOR-SIGN-IN#{}", hash.as_str()), alone()),
            Self::SentCodes(address) => (format!("SENT-CODES#{address}"), alone()),
            Self::AdministratorSession(hash) => (format!("ADMINISTRATOR-SESSION#{}", hash.as_str()), alone()),
            Self::Operation(hash) => (format!("OPERATION#{hash}"), alone()),
            Self::Event(trail, at, id) => (of_trail(*trail), format!("{}#{id}", sortable(*at))),
            Self::Mail(id) => (format!("MAIL#{id}"), alone()),
        }
    }

    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        let (partition, sort) = self.parts();
        HashMap::from([
            (PARTITION.to_owned(), AttributeValue::S(partition)),
            (SORT.to_owned(), AttributeValue::S(sort)),
        ])
    }
}

const APPLICATIONS: &str = "APPLICATIONS";

fn of_parent(parent: ParentId) -> String {
    format!("P#{parent}")
}

fn of_trail(trail: Trail) -> String {
    match trail {
        Trail::Parent(parent) => of_parent(parent),
        Trail::Deployment => "DEPLOYMENT".to_owned(),
    }
}

fn of_traces(parent: ParentId) -> String {
    format!("TRACES#{parent}")
}

pub(super) fn of_address(address: &impl std::fmt::Display) -> String {
    format!("E#{address}")
}

/// Milliseconds since the epoch in a fixed width, so that text order is time order.
fn sortable(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}

/// Neighbouring items that are read together.
#[derive(Clone, Copy, Debug)]
pub enum Range<'a> {
    /// A parent's organizations on every surface.
    Organizations(ParentId),
    /// A parent's organizations on one surface.
    OrganizationsOn(ParentId, &'a SurfaceId),
    /// An organization's members.
    Members(OrganizationId),
    /// An organization's administrators.
    Administrators(OrganizationId),
    /// An account with its memberships and NameIDs.
    AccountWhole(&'a FoldedAddress),
    /// A parent's domain claims.
    DomainClaims(ParentId),
    /// The deployment's applications.
    Applications,
    /// A parent's login traces, newest first.
    Traces(ParentId),
    /// A parent's login traces of one second.
    TracesOf(ParentId, Timestamp),
    /// An audit trail, newest first.
    Events(Trail),
}

impl Range<'_> {
    pub(super) fn table(self) -> Table {
        match self {
            Self::Traces(..) | Self::TracesOf(..) => Table::Ephemeral,
            Self::Events(..) => Table::Journal,
            _ => Table::Identity,
        }
    }

    pub(super) fn newest_first(self) -> bool {
        matches!(self, Self::Traces(..) | Self::Events(..))
    }

    /// The partition and what its sort keys begin with.
    pub(super) fn parts(self) -> (String, String) {
        match self {
            Self::Organizations(parent) => (of_parent(parent), "ORG#".to_owned()),
            Self::OrganizationsOn(parent, surface) => (of_parent(parent), format!("ORG#{surface}#")),
            Self::Members(id) => (format!("O#{id}"), "MEMBER#".to_owned()),
            Self::Administrators(id) => (format!("O#{id}"), "ADMIN#".to_owned()),
            Self::AccountWhole(address) => (of_address(address), String::new()),
            Self::DomainClaims(parent) => (of_parent(parent), "DOMAIN#".to_owned()),
            Self::Applications => (APPLICATIONS.to_owned(), String::new()),
            Self::Traces(parent) => (of_traces(parent), String::new()),
            Self::TracesOf(parent, second) => {
                // All but the digits of the milliseconds.
                (of_traces(parent), sortable(second).chars().take(12).collect())
            }
            Self::Events(trail) => (of_trail(trail), String::new()),
        }
    }
}
