//! Parent organizations: what the organizations of one customer share.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    id::{ConnectionId, ParentId},
};

/// Organizations under one parent; it bounds what a sign-in reads.
pub const MAX_ORGANIZATIONS: usize = 200;

/// A parent organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its identifier.
    pub id: ParentId,
    /// Its connection, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// Domains claimed, in whatever state; kept in step with the claims so that their limit can be enforced.
    pub domains: u32,
    /// Organizations under it; kept in step likewise.
    pub organizations: u32,
    /// When it came to be.
    pub created_at: Timestamp,
}
