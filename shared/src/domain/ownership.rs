//! Who holds a domain, and for how long nobody else can take it.

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, after},
    id::ParentId,
};

/// Seconds for which nobody else can take a domain that has lapsed: 30 days.
pub const PROTECTION: i64 = 30 * 24 * 3600;

/// Who holds a domain: one item for each domain, written only where there is none or over the very version that the
/// decision was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The parent.
    pub parent: ParentId,
    /// Since when.
    pub since: Timestamp,
    /// Since when the domain is lapsed: its record was gone for too long. The parent holds it still and its members
    /// keep their access, but nobody joins by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapsed_at: Option<Timestamp>,
}

impl Ownership {
    /// The hold that begins at `since`.
    #[must_use]
    pub fn new(parent: ParentId, since: Timestamp) -> Self {
        Self { parent, since, lapsed_at: None }
    }

    /// Whether the domain is lapsed.
    #[must_use]
    pub fn is_lapsed(&self) -> bool {
        self.lapsed_at.is_some()
    }

    /// Until when nobody else can take the domain; `None` while it has not lapsed.
    #[must_use]
    pub fn protected_until(&self) -> Option<Timestamp> {
        self.lapsed_at.map(|lapsed_at| after(lapsed_at, PROTECTION))
    }

    /// Whether another parent that proves the domain at `at` gets it.
    #[must_use]
    pub fn can_be_taken(&self, at: Timestamp) -> bool {
        self.protected_until().is_some_and(|until| until <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lapsed_domain_is_protected_for_thirty_days() {
        let since = Timestamp::UNIX_EPOCH;
        let held = Ownership::new(ParentId::from_bits(1), since);
        assert!(!held.is_lapsed() && !held.can_be_taken(Timestamp::MAX));
        let lapsed = Ownership { lapsed_at: Some(since), ..held };
        assert!(lapsed.is_lapsed());
        assert!(!lapsed.can_be_taken(after(since, PROTECTION - 1)));
        assert!(lapsed.can_be_taken(after(since, PROTECTION)));
    }
}
