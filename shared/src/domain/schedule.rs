//! When a claim is looked at next.

use super::{ClaimState, DomainClaim};
use crate::{
    clock::{Timestamp, after},
    id::Random,
};

/// Seconds after which a lookup that began and did not come to its end is made again.
pub const LEASE: i64 = 120;
/// Seconds between lookups of a fresh claim; the schedule itself runs as often.
const FRESH: i64 = 60;
/// Seconds between lookups of a claim that is as old as can be: with the minute that the schedule adds, what is in DNS is
/// seen within ten minutes.
const OLD: i64 = 8 * 60;
/// The interval between lookups of a pending claim, as a part of its age: a minute for the first hour.
const GROWTH: i64 = 60;
/// Seconds between lookups of a verified domain.
const DAILY: i64 = 24 * 3600;
/// Seconds between lookups of a verified domain whose record is absent.
const ABSENT: i64 = 6 * 3600;
/// Seconds between lookups of a lapsed domain while nobody else can take it.
const LAPSED: i64 = 3600;
/// Seconds for which a claim that another parent's hold stands in the way of, or that has lapsed, is looked at.
const PATIENCE: i64 = 90 * 24 * 3600;
/// The largest part by which an interval is cut, in percent, so that claims that began together do not stay together.
const JITTER: i64 = 20;

impl DomainClaim {
    /// When the claim is to be looked at again after a lookup that ended at `at`; `None` if only somebody's wish for it
    /// leads to another lookup.
    #[must_use]
    pub fn next_lookup(&self, at: Timestamp, random: &Random) -> Option<Timestamp> {
        let interval = self.interval(at)?;
        let [share] = random.bytes::<1>();
        let cut = interval * JITTER * i64::from(share) / (100 * 256);
        Some(after(at, interval - cut))
    }

    /// Seconds until the next lookup, at most.
    fn interval(&self, at: Timestamp) -> Option<i64> {
        let age = |since: Timestamp| at.as_second().saturating_sub(since.as_second());
        match self.state {
            ClaimState::Pending => Some((age(self.tried_since()) / GROWTH).clamp(FRESH, OLD)),
            ClaimState::Verified { absence: None, .. } => Some(DAILY),
            ClaimState::Verified { absence: Some(_), .. } => Some(ABSENT),
            ClaimState::Lapsed { since } if age(since) < super::PROTECTION => Some(LAPSED),
            ClaimState::Lapsed { since } | ClaimState::Conflict { since } => (age(since) < PATIENCE).then_some(DAILY),
            ClaimState::Failed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Absence, GIVE_UP, claim::tests::claimed};

    const MINUTE: i64 = 60;
    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;

    fn interval(state: ClaimState, seconds: i64) -> Option<i64> {
        let claim = DomainClaim { state, ..claimed("example.com").unwrap().1 };
        claim.interval(after(Timestamp::UNIX_EPOCH, seconds))
    }

    #[test]
    fn a_pending_claim_is_looked_at_less_and_less_often() {
        for (age, seconds) in
            [(0, 60), (59 * MINUTE, 60), (HOUR, 60), (2 * HOUR, 120), (6 * HOUR, 360), (8 * HOUR, 480), (GIVE_UP, 480)]
        {
            assert_eq!(interval(ClaimState::Pending, age), Some(seconds), "after {age} s");
        }
    }

    #[test]
    fn every_other_state_has_its_interval() {
        let since = Timestamp::UNIX_EPOCH;
        let absence = Some(Absence { since, seen_at: since, counted: 0, warned: false });
        for (state, age, expected) in [
            (ClaimState::Verified { since, absence: None }, 400 * DAY, Some(DAY)),
            (ClaimState::Verified { since, absence }, 400 * DAY, Some(6 * HOUR)),
            (ClaimState::Lapsed { since }, 29 * DAY, Some(HOUR)),
            (ClaimState::Lapsed { since }, 31 * DAY, Some(DAY)),
            (ClaimState::Lapsed { since }, 91 * DAY, None),
            (ClaimState::Conflict { since }, 89 * DAY, Some(DAY)),
            (ClaimState::Conflict { since }, 91 * DAY, None),
            (ClaimState::Failed { since }, 0, None),
        ] {
            assert_eq!(interval(state, age), expected, "{state:?} after {age} s");
        }
    }

    #[test]
    fn jitter_only_shortens() {
        let (_, claim) = claimed("example.com").unwrap();
        let (at, random) = (Timestamp::UNIX_EPOCH, Random::default());
        let seconds: Vec<i64> =
            (0..200).map(|_| claim.next_lookup(at, &random).unwrap().as_second() - at.as_second()).collect();
        assert!(seconds.iter().all(|seconds| (48..=60).contains(seconds)), "{seconds:?}");
        assert!(seconds.iter().any(|first| *first != seconds[0]), "it is not always the same");
    }
}
