//! The audit trails: every change, by whom, on what, before and after, in the transaction of the change. Each parent has a
//! trail of its own, and the deployment has one for what belongs to no parent.

mod store;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Timestamp,
    id::{AccountId, EventId, ParentId, Random},
};

/// An audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<ParentId>", into = "Option<ParentId>")]
pub enum Trail {
    /// What a parent and its organizations are.
    Parent(ParentId),
    /// What all customers have in common: applications, and our keys towards identity providers. Only the operator reads it.
    Deployment,
}

impl From<ParentId> for Trail {
    fn from(parent: ParentId) -> Self {
        Self::Parent(parent)
    }
}

impl From<Option<ParentId>> for Trail {
    fn from(parent: Option<ParentId>) -> Self {
        parent.map_or(Self::Deployment, Self::Parent)
    }
}

impl From<Trail> for Option<ParentId> {
    fn from(trail: Trail) -> Self {
        match trail {
            Trail::Parent(parent) => Some(parent),
            Trail::Deployment => None,
        }
    }
}

/// An entry of an audit trail. It is written once and never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identifier.
    pub id: EventId,
    /// Which trail it is on, stored as the parent that it belongs to, if any.
    #[serde(rename = "parent")]
    pub trail: Trail,
    /// When the change was decided.
    pub at: Timestamp,
    /// Who made it.
    pub actor: Actor,
    /// What happened: a noun and a past participle, such as `member.added`.
    pub action: Action,
    /// What it happened to: an identifier or a domain name; for our keys, the fingerprint of the certificate that signs next.
    pub subject: String,
    /// What was changed as it was before; null for something new.
    #[serde(default)]
    pub before: Value,
    /// What was changed as it is from now on; null for something removed.
    #[serde(default)]
    pub after: Value,
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Actor {
    /// The vendor's staff or backend, through the management API.
    Operator,
    /// A person, by signing in.
    Account {
        /// The person.
        id: AccountId,
    },
    /// The product itself, on a schedule.
    System,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// An organization and its parent came to be.
    #[serde(rename = "organization.created")]
    OrganizationCreated,
    /// How people join an organization changed.
    #[serde(rename = "provisioning.changed")]
    ProvisioningChanged,
    /// Somebody became a member, by hand or at a sign-in.
    #[serde(rename = "member.added")]
    MemberAdded,
    /// A member's role changed.
    #[serde(rename = "member.role_changed")]
    MemberRoleChanged,
    /// A membership ended.
    #[serde(rename = "member.removed")]
    MemberRemoved,
    /// A domain was claimed.
    #[serde(rename = "domain.claimed")]
    DomainClaimed,
    /// A claim was proven and is held exclusively.
    #[serde(rename = "domain.verified")]
    DomainVerified,
    /// A claim was proven but another parent holds the domain.
    #[serde(rename = "domain.conflict")]
    DomainConflict,
    /// A claim was given up: its record was not seen for too long.
    #[serde(rename = "domain.failed")]
    DomainFailed,
    /// The record of a verified domain has been gone for a day.
    #[serde(rename = "domain.missing")]
    DomainMissing,
    /// The record of a verified domain was gone for too long: nobody joins by it any more.
    #[serde(rename = "domain.lapsed")]
    DomainLapsed,
    /// The record of a lapsed domain is there again.
    #[serde(rename = "domain.restored")]
    DomainRestored,
    /// A claim was removed, and with it the hold on the domain where it was verified.
    #[serde(rename = "domain.removed")]
    DomainRemoved,
    /// The connection came to be or changed.
    #[serde(rename = "connection.changed")]
    ConnectionChanged,
    /// A connection learned by which NameID its identity provider knows an account.
    #[serde(rename = "name_id.tied")]
    NameIdTied,
    /// An administrator had a connection forget it, so that the next sign-in ties the account anew.
    #[serde(rename = "name_id.reset")]
    NameIdReset,
    /// An application was registered.
    #[serde(rename = "application.registered")]
    ApplicationRegistered,
    /// The next keys of ours towards identity providers were published, or took over at once.
    #[serde(rename = "service_provider_keys.rotated")]
    ServiceProviderKeysRotated,
}

/// The start of an [`Event`]: who, when and on which trail.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Which trail.
    pub trail: Trail,
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

impl Entry {
    /// The event of a change from `before` to `after`.
    ///
    /// What does not serialize is left out: both are plain data, and a change is not refused for its description.
    #[must_use]
    pub fn event(
        self,
        action: Action,
        subject: &impl ToString,
        before: impl Serialize,
        after: impl Serialize,
        random: &Random,
    ) -> Event {
        Event {
            id: random.id(),
            trail: self.trail,
            at: self.at,
            actor: self.actor,
            action,
            subject: subject.to_string(),
            before: serde_json::to_value(before).unwrap_or_default(),
            after: serde_json::to_value(after).unwrap_or_default(),
        }
    }
}
