//! Parent organizations: what the organizations of one customer share.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    id::{ConnectionId, ParentId},
};

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
    /// When it came to be.
    pub created_at: Timestamp,
}
