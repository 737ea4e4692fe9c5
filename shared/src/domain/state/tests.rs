use super::*;
use crate::{
    domain::{
        Challenge, DomainClaim, Evidence, Finding, Notice, Observed, Outcome, PROTECTION, Source, claim::tests::claimed,
    },
    id::Random,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn me() -> ParentId {
    ParentId::from_bits(1)
}

fn at(second: i64) -> Timestamp {
    after(Timestamp::UNIX_EPOCH, second)
}

fn held_by(parent: u128, lapsed_at: Option<i64>) -> Stored<Ownership> {
    let value = Ownership { lapsed_at: lapsed_at.map(at), ..Ownership::new(ParentId::from_bits(parent), at(1)) };
    Stored { value, version: 7 }
}

fn evidence(verdict: Verdict, second: i64) -> Evidence {
    let outcome = match verdict {
        Verdict::Proof => Outcome::Found,
        Verdict::Absence => Outcome::Nxdomain,
        Verdict::Unclear => Outcome::Timeout,
    };
    let finding = Finding { source: Source::Zone, authoritative: true, ..Finding::new(&"x", outcome, &[]) };
    let evidence = Evidence { at: at(second), findings: vec![finding] };
    assert_eq!(evidence.verdict(), verdict);
    evidence
}

fn observe(state: ClaimState, owner: Option<&Stored<Ownership>>, verdict: Verdict, second: i64) -> Observed {
    let claim = DomainClaim { state, ..claimed("example.com").unwrap().1 };
    claim.observe(evidence(verdict, second), owner, &Random::default())
}

#[test]
fn the_table_of_transitions() {
    use Verdict::{Absence as Absent, Proof, Unclear};
    let since = at(1);
    let (pending, failed) = (ClaimState::Pending, ClaimState::Failed { since });
    let (verified, conflict) = (ClaimState::Verified { since, absence: None }, ClaimState::Conflict { since });
    let lapsed = ClaimState::Lapsed { since };
    let now = 100;
    let (free, mine, other) = (None, Some(held_by(1, None)), Some(held_by(2, None)));
    let (mine_lapsed, other_lapsed) = (Some(held_by(1, Some(1))), Some(held_by(2, Some(1))));
    let other_abandoned = Some(held_by(2, Some(now - PROTECTION)));
    let new = ClaimState::Verified { since: at(now), absence: None };
    let missing = Absence { since: at(now), seen_at: at(now), counted: 0, warned: false };
    let missing = ClaimState::Verified { since, absence: Some(missing) };
    let (lost, mine_held) = (ClaimState::Conflict { since: at(now) }, mine_lapsed.unwrap().value);
    let table = [
        // before, owner, verdict -> after, hold, notice
        (pending, free, Absent, pending, HoldChange::Keep, None),
        (pending, free, Unclear, pending, HoldChange::Keep, None),
        (pending, free, Proof, new, HoldChange::Take, Some(Notice::Verified)),
        (pending, other, Absent, pending, HoldChange::Keep, None),
        (pending, other, Proof, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (pending, other_lapsed, Proof, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (pending, other_abandoned, Absent, pending, HoldChange::Keep, None),
        (pending, other_abandoned, Proof, new, HoldChange::TakeOver(7), Some(Notice::Verified)),
        (failed, free, Absent, pending, HoldChange::Keep, None),
        (failed, free, Proof, new, HoldChange::Take, Some(Notice::Verified)),
        (failed, other, Proof, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (conflict, other, Absent, conflict, HoldChange::Keep, None),
        (conflict, other, Proof, conflict, HoldChange::Keep, None),
        (conflict, other_abandoned, Proof, new, HoldChange::TakeOver(7), Some(Notice::Verified)),
        (conflict, free, Proof, new, HoldChange::Take, Some(Notice::Verified)),
        (conflict, free, Absent, pending, HoldChange::Keep, None),
        (verified, mine, Proof, verified, HoldChange::Keep, None),
        (verified, mine, Unclear, verified, HoldChange::Keep, None),
        (verified, mine, Absent, missing, HoldChange::Keep, None),
        (missing, mine, Unclear, missing, HoldChange::Keep, None),
        (missing, mine, Proof, verified, HoldChange::Keep, None),
        (verified, other, Proof, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (verified, free, Absent, pending, HoldChange::Keep, None),
        (lapsed, mine_lapsed, Absent, lapsed, HoldChange::Keep, None),
        (lapsed, mine_lapsed, Unclear, lapsed, HoldChange::Keep, None),
        (lapsed, mine_lapsed, Proof, new, HoldChange::Restore(mine_held, 7), Some(Notice::Restored)),
        (lapsed, other, Absent, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (lapsed, other, Proof, lost, HoldChange::Keep, Some(Notice::Conflict)),
        (lapsed, free, Proof, new, HoldChange::Take, Some(Notice::Restored)),
    ];
    for (before, owner, verdict, after, hold, notice) in table {
        let observed = observe(before, owner.as_ref(), verdict, now);
        let row = format!("{before:?}, {verdict:?}, owner {owner:?}");
        assert_eq!((observed.claim.state, observed.hold), (after, hold), "{row}");
        assert_eq!(observed.notice(), notice, "{row}");
        assert_eq!(observed.claim.evidence, Some(evidence(verdict, now)), "{row}");
    }
}

#[test]
fn a_claim_is_given_up_after_thirty_days_and_can_be_revived() {
    for verdict in [Verdict::Absence, Verdict::Unclear] {
        let before = observe(ClaimState::Pending, None, verdict, GIVE_UP - 1).claim;
        assert_eq!(before.state, ClaimState::Pending);
        let given_up = observe(ClaimState::Pending, None, verdict, GIVE_UP);
        assert_eq!(given_up.claim.state, ClaimState::Failed { since: at(GIVE_UP) });
        assert_eq!((given_up.notice(), given_up.claim.next_at), (Some(Notice::Failed), None));
        // By a lookup that somebody asks for, or by claiming it again.
        let later = GIVE_UP + 5 * DAY;
        let looked = given_up.claim.clone().observe(evidence(verdict, later), None, &Random::default()).claim;
        for revived in [looked, given_up.claim.revived(at(later)).unwrap()] {
            assert_eq!((revived.state, revived.tried_since()), (ClaimState::Pending, at(later)));
            assert!(revived.is_due(at(later + 60)));
            assert_eq!(revived.challenge, given_up.claim.challenge, "what was published still proves it");
        }
    }
    assert_eq!(observe(ClaimState::Pending, None, Verdict::Absence, 1).claim.revived(at(1)), None);
}

/// A verified claim and its owner, looked at every so many seconds until `end`; the states with the time of each.
fn watched(every: i64, end: i64, verdict: impl Fn(i64) -> Verdict) -> Vec<(i64, Observed)> {
    let mut seen = Vec::new();
    let mut claim = observe(ClaimState::Pending, None, Verdict::Proof, 0).claim;
    let mut owner = held_by(1, None);
    for second in (every..=end).step_by(usize::try_from(every).unwrap()) {
        let observed = claim.observe(evidence(verdict(second), second), Some(&owner), &Random::default());
        if let HoldChange::Lapse(held, _) = observed.hold {
            owner.value = Ownership { lapsed_at: Some(at(second)), ..held };
        }
        claim = observed.claim.clone();
        seen.push((second, observed));
    }
    seen
}

fn notices(seen: &[(i64, Observed)]) -> Vec<(i64, Notice)> {
    seen.iter().filter_map(|(second, observed)| Some((*second, observed.notice()?))).collect()
}

#[test]
fn a_domain_lapses_after_seventy_two_hours_of_absence_and_a_warning() {
    let seen = watched(6 * HOUR, 90 * HOUR, |_| Verdict::Absence);
    // It is first seen to be absent after six hours.
    assert_eq!(notices(&seen), [(30 * HOUR, Notice::LapseWarning), (78 * HOUR, Notice::Lapsed)]);
}

#[test]
fn no_hiccup_costs_a_domain() {
    // Resolvers and servers that fail, for a year.
    assert_eq!(notices(&watched(6 * HOUR, 365 * DAY, |_| Verdict::Unclear)), []);
    // A record that is seen once in between, every two days.
    let flaps = |second| if second % (2 * DAY) == 0 { Verdict::Proof } else { Verdict::Absence };
    assert!(notices(&watched(6 * HOUR, 30 * DAY, flaps)).iter().all(|(_, notice)| *notice == Notice::LapseWarning));
    // Two sightings of an absence with a month of silence in between count for half a day.
    let rare = |second| if second % (30 * DAY) == 0 { Verdict::Absence } else { Verdict::Unclear };
    assert_eq!(notices(&watched(6 * HOUR, 150 * DAY, rare)).last(), Some(&(90 * DAY, Notice::LapseWarning)));
}

#[test]
fn evidence_that_comes_late_changes_nothing() {
    let newer = observe(ClaimState::Pending, None, Verdict::Proof, 100).claim;
    let owner = held_by(1, None);
    let late = newer.clone().observe(evidence(Verdict::Absence, 99), Some(&owner), &Random::default());
    assert_eq!((late.claim.clone(), late.hold, late.notice()), (newer, HoldChange::Keep, None));
}

#[test]
fn the_state_is_explained_in_words() {
    let Challenge { name, value } = claimed("example.com").unwrap().1.challenge;
    assert!(!name.is_empty() && !value.is_empty());
    for (state, words) in [
        (ClaimState::Pending, "Publish a TXT record"),
        (ClaimState::Verified { since: at(0), absence: None }, "Leave the record in place"),
        (ClaimState::Failed { since: at(GIVE_UP) }, "There is no such name"),
        (ClaimState::Lapsed { since: at(0) }, "Until 1970-01-31 00:00 UTC no other"),
        (ClaimState::Conflict { since: at(0) }, "Another organization"),
    ] {
        let evidence = Some(evidence(Verdict::Absence, 0));
        let claim = DomainClaim { state, evidence, parent: me(), ..claimed("example.com").unwrap().1 };
        assert!(claim.explain().contains(words), "{}", claim.explain());
    }
    let seen = watched(6 * HOUR, 30 * HOUR, |_| Verdict::Absence);
    let text = seen.last().unwrap().1.claim.explain();
    assert!(text.contains("gone since 1970-01-01 06:00 UTC") && text.contains("within 48 hours"), "{text}");
}
