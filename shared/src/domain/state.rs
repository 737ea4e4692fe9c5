//! The life of a claim: from pending to verified, and what ends it.

use serde::{Deserialize, Serialize};

use super::{Ownership, Verdict};
use crate::{
    clock::{Timestamp, after},
    id::ParentId,
    table::Stored,
};

/// Seconds after which a claim that nothing proves is given up: 30 days.
pub const GIVE_UP: i64 = 30 * 24 * 3600;
/// Seconds of absence after which a verified domain lapses: 72 hours.
pub const LAPSE: i64 = 72 * 3600;
/// Seconds of absence after which its administrators are warned: two days are left then.
const WARNING: i64 = 24 * 3600;
/// Seconds that count at most between two sightings of an absence. They are looked for twice as often, so only what was
/// really seen counts, whatever else keeps the lookups from happening.
const MAX_COUNTED: i64 = 12 * 3600;

/// How far a claim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ClaimState {
    /// The record has not been seen.
    Pending,
    /// The record was seen, and the parent holds the domain.
    Verified {
        /// Since when.
        since: Timestamp,
        /// The record's absence, while it is absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        absence: Option<Absence>,
    },
    /// The record has not been seen for so long that nobody looks any more.
    Failed {
        /// Since when.
        since: Timestamp,
    },
    /// The record was gone for too long. The parent holds the domain still, for its members only.
    Lapsed {
        /// Since when.
        since: Timestamp,
    },
    /// Another parent holds the domain.
    Conflict {
        /// Since when.
        since: Timestamp,
    },
}

/// The absence of a verified domain's record, as the zone's own servers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// When it was seen first.
    pub since: Timestamp,
    /// When it was seen last.
    pub seen_at: Timestamp,
    /// Seconds that count towards the lapse.
    pub counted: i64,
    /// Whether the administrators have been warned.
    pub warned: bool,
}

/// What becomes of the hold on a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldChange {
    /// It stays as it is.
    Keep,
    /// The parent takes hold of a domain that nobody held.
    Take,
    /// The parent takes over a domain whose protection is over; the version of the hold that ends.
    TakeOver(u64),
    /// The parent's hold lapses; the hold as it was, and its version.
    Lapse(Ownership, u64),
    /// The parent's hold is whole again; the hold as it was, and its version.
    Restore(Ownership, u64),
}

/// Whose a domain is, seen from one parent.
enum Position {
    /// Nobody's.
    Free,
    /// Somebody else's, who does not keep it from whoever proves it.
    Abandoned(u64),
    /// The parent's own.
    Ours(Ownership, u64),
    /// Another parent's.
    Others,
}

impl Position {
    fn of(parent: ParentId, owner: Option<&Stored<Ownership>>, at: Timestamp) -> Self {
        match owner {
            None => Self::Free,
            Some(stored) if stored.value.parent == parent => Self::Ours(stored.value, stored.version),
            Some(stored) if stored.value.can_be_taken(at) => Self::Abandoned(stored.version),
            Some(_) => Self::Others,
        }
    }
}

impl ClaimState {
    /// What a lookup makes of the state of `parent`'s claim, which has been tried `since` then, given who holds the domain.
    pub(super) fn observe(
        self,
        parent: ParentId,
        owner: Option<&Stored<Ownership>>,
        verdict: Verdict,
        tried_since: Timestamp,
        at: Timestamp,
    ) -> (Self, HoldChange) {
        match (Position::of(parent, owner, at), verdict) {
            (Position::Ours(held, version), verdict) => self.held(held, version, verdict, at),
            (Position::Free, Verdict::Proof) => (self.present(at), HoldChange::Take),
            (Position::Abandoned(version), Verdict::Proof) => (self.present(at), HoldChange::TakeOver(version)),
            (Position::Others, Verdict::Proof) => (self.conflicting(at), HoldChange::Keep),
            (Position::Others, _) => (self.of_others(tried_since, at), HoldChange::Keep),
            (Position::Free | Position::Abandoned(_), _) => (self.unproven(tried_since, at), HoldChange::Keep),
        }
    }

    /// The parent holds the domain: what was proven once stays, unless its record is seen to be gone for long enough.
    fn held(self, held: Ownership, version: u64, verdict: Verdict, at: Timestamp) -> (Self, HoldChange) {
        let lapsed = Self::Lapsed { since: held.lapsed_at.unwrap_or(at) };
        match (held.is_lapsed(), verdict) {
            (true, Verdict::Proof) => (Self::Verified { since: at, absence: None }, HoldChange::Restore(held, version)),
            (true, _) => (lapsed, HoldChange::Keep),
            (false, Verdict::Proof) => (self.present(held.since), HoldChange::Keep),
            (false, Verdict::Unclear) => (self.or_verified(held.since), HoldChange::Keep),
            (false, Verdict::Absence) => {
                let absence = self.absence().map_or_else(|| Absence::begins(at), |absence| absence.goes_on(at));
                if absence.counted >= LAPSE {
                    return (Self::Lapsed { since: at }, HoldChange::Lapse(held, version));
                }
                (Self::Verified { since: self.since().unwrap_or(held.since), absence: Some(absence) }, HoldChange::Keep)
            }
        }
    }

    /// Verified, the record being there; since `since` where it was not verified before.
    fn present(self, since: Timestamp) -> Self {
        Self::Verified { since: self.since().unwrap_or(since), absence: None }
    }

    fn or_verified(self, since: Timestamp) -> Self {
        if self.is_verified() { self } else { Self::Verified { since, absence: None } }
    }

    fn conflicting(self, at: Timestamp) -> Self {
        if matches!(self, Self::Conflict { .. }) { self } else { Self::Conflict { since: at } }
    }

    /// Nothing proves the claim, and another parent holds the domain.
    fn of_others(self, tried_since: Timestamp, at: Timestamp) -> Self {
        match self {
            // It was the parent's own until the other one took it.
            Self::Verified { .. } | Self::Lapsed { .. } => Self::Conflict { since: at },
            Self::Conflict { .. } => self,
            Self::Pending | Self::Failed { .. } => self.unproven(tried_since, at),
        }
    }

    /// Nothing proves the claim, and nothing else stands in its way.
    fn unproven(self, tried_since: Timestamp, at: Timestamp) -> Self {
        match self {
            Self::Pending if after(tried_since, GIVE_UP) <= at => Self::Failed { since: at },
            // Whoever looks at a claim that was given up wants it to be tried again.
            _ => Self::Pending,
        }
    }

    fn since(self) -> Option<Timestamp> {
        if let Self::Verified { since, .. } = self { Some(since) } else { None }
    }

    /// The record's absence, while it is absent from a verified domain.
    #[must_use]
    pub fn absence(self) -> Option<Absence> {
        if let Self::Verified { absence, .. } = self { absence } else { None }
    }

    /// Whether the parent holds the domain, and its record is there or has not been gone for long.
    #[must_use]
    pub fn is_verified(self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// Whether the parent holds the domain, lapsed or not.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Lapsed { .. })
    }
}

impl Absence {
    fn begins(at: Timestamp) -> Self {
        Self { since: at, seen_at: at, counted: 0, warned: false }
    }

    fn goes_on(self, at: Timestamp) -> Self {
        let passed = at.as_second().saturating_sub(self.seen_at.as_second()).clamp(0, MAX_COUNTED);
        let counted = self.counted.saturating_add(passed);
        Self { seen_at: at.max(self.seen_at), counted, warned: counted >= WARNING, ..self }
    }

    /// Whole hours that are left until the domain lapses.
    #[must_use]
    pub fn hours_left(&self) -> i64 {
        LAPSE.saturating_sub(self.counted).max(0) / 3600
    }
}

#[cfg(test)]
mod tests;
