//! Claims: a parent's claim on a domain, from the record to publish to exclusive ownership.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{ClaimState, DomainName, DomainNameError, Evidence, GIVE_UP, HoldChange, LEASE, Ownership, Verdict};
use crate::{
    app::Settings,
    clock::{Timestamp, after, seconds_until},
    id::{ParentId, Random},
    journal::Action,
    mail::Message,
    parent::Parent,
    table::{Due, Queue, Stored},
};

/// Domains that one parent can claim, in whatever state.
pub const MAX_DOMAINS: u32 = 50;
/// Seconds from the beginning of one lookup for a claim to the next.
pub const LOOKUP_INTERVAL: i64 = 5;

/// Random bytes in a token: 192 bits, which are 32 characters of base64url.
const TOKEN_BYTES: usize = 24;
/// Characters in a name that DNS can hold (RFC 1035, section 2.3.4, in its text form).
const MAX_NAME: usize = 253;

/// A parent's claim on a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainClaim {
    /// Whose claim it is.
    pub parent: ParentId,
    /// The domain.
    pub domain: DomainName,
    /// What proves it.
    pub challenge: Challenge,
    /// How far it has come.
    pub state: ClaimState,
    /// Since when the parent claims it.
    pub claimed_at: Timestamp,
    /// Since when it is being tried, where it was given up or failed otherwise in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_again_at: Option<Timestamp>,
    /// When the latest lookup began, whether or not it came to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_began_at: Option<Timestamp>,
    /// What the latest finished lookup found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// When the schedule looks at it next; none where it does not. The table has it in its index too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

/// The TXT record that proves a claim. It is made for one parent and one domain, and kept as it was handed out, so
/// that a later change of the deployment's settings does not void what customers have published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The record's full name, without the trailing dot.
    pub name: String,
    /// The record's value, compared character by character.
    pub value: String,
}

impl Challenge {
    /// A fresh challenge for a domain.
    #[must_use]
    pub fn new(domain: &DomainName, settings: &Settings, random: &Random) -> Self {
        let token = URL_SAFE_NO_PAD.encode(random.bytes::<TOKEN_BYTES>());
        Self {
            name: format!("{}.{domain}", settings.challenge_label),
            value: format!("{}-domain-verification={token}", settings.vendor),
        }
    }

    /// What the values of all challenges of this deployment begin with.
    pub(super) fn form(&self) -> &str {
        self.value.split_once('=').map_or("", |(form, _)| form)
    }
}

/// Why a claim is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The name can not be claimed.
    #[error(transparent)]
    Name(#[from] DomainNameError),
    /// The record's name would be too long for DNS.
    #[error("the name of the record to publish would have more than 253 characters; claim a shorter domain")]
    RecordTooLong,
    /// The parent claims as many domains as it can.
    #[error("a parent organization can claim {MAX_DOMAINS} domains; remove one that is not needed any more")]
    TooMany,
}

/// The latest lookup began too short a time ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DNS was asked a moment ago; ask again in {retry_after} s")]
pub struct TooSoon {
    /// Whole seconds after which the next one may begin.
    pub retry_after: i64,
}

/// A parent's new claim, and the parent with the claim counted.
///
/// # Errors
/// [`ClaimError`].
pub fn claim(
    parent: &Parent,
    domain: DomainName,
    settings: &Settings,
    now: Timestamp,
    random: &Random,
) -> Result<(Parent, DomainClaim), ClaimError> {
    domain.check_claimable()?;
    let challenge = Challenge::new(&domain, settings, random);
    if challenge.name.len() > MAX_NAME {
        return Err(ClaimError::RecordTooLong);
    }
    if parent.domains >= MAX_DOMAINS {
        return Err(ClaimError::TooMany);
    }
    let claim = DomainClaim {
        parent: parent.id,
        domain,
        challenge,
        state: ClaimState::Pending,
        claimed_at: now,
        tried_again_at: None,
        lookup_began_at: None,
        evidence: None,
        next_at: Some(now),
    };
    Ok((Parent { domains: parent.domains + 1, ..parent.clone() }, claim))
}

/// What evidence made of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The claim as it is from now on.
    pub claim: DomainClaim,
    /// The state it was in.
    pub before: ClaimState,
    /// What becomes of the hold on the domain.
    pub hold: HoldChange,
}

impl DomainClaim {
    /// The claim with a lookup begun at `now`. To store it before the lookup is what keeps lookups rare, however many
    /// requests ask for one at the same moment.
    ///
    /// # Errors
    /// [`TooSoon`].
    pub fn begin_lookup(&self, now: Timestamp) -> Result<Self, TooSoon> {
        let next = self.lookup_began_at.map(|began| after(began, LOOKUP_INTERVAL));
        match next {
            Some(next) if now < next => Err(TooSoon { retry_after: seconds_until(next, now) }),
            // A lookup that does not come to its end is made again by the schedule.
            _ => Ok(Self { lookup_began_at: Some(now), next_at: Some(after(now, LEASE)), ..self.clone() }),
        }
    }

    /// Whether it makes a difference to what evidence makes of the claim who holds the domain: not to one that waits and
    /// goes on waiting.
    #[must_use]
    pub fn depends_on_owner(&self, evidence: &Evidence) -> bool {
        self.state != ClaimState::Pending || evidence.verdict() == Verdict::Proof
    }

    /// Whether the schedule is to look at it now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_at.is_some_and(|next_at| next_at <= now)
    }

    /// When it is due, and for which schedule.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        self.next_at.map(|at| Due { queue: Queue::DomainClaims, at })
    }

    /// Since when it is being tried.
    #[must_use]
    pub fn tried_since(&self) -> Timestamp {
        self.tried_again_at.unwrap_or(self.claimed_at)
    }

    /// A claim that was given up, tried again from `now` on as after a new claim; `None` for any other.
    #[must_use]
    pub fn revived(&self, now: Timestamp) -> Option<Self> {
        matches!(self.state, ClaimState::Failed { .. }).then(|| Self {
            state: ClaimState::Pending,
            tried_again_at: Some(now),
            next_at: Some(now),
            ..self.clone()
        })
    }

    /// What new evidence makes of the claim, given who holds the domain now. Evidence that comes after newer one makes
    /// nothing of it.
    #[must_use]
    pub fn observe(self, evidence: Evidence, owner: Option<&Stored<Ownership>>, random: &Random) -> Observed {
        let (before, at) = (self.state, evidence.at);
        if self.evidence.as_ref().is_some_and(|known| at < known.at) {
            return Observed { claim: self, before, hold: HoldChange::Keep };
        }
        let (state, hold) = before.observe(self.parent, owner, evidence.verdict(), self.tried_since(), at);
        let begins_again = state == ClaimState::Pending && before != ClaimState::Pending;
        let tried_again_at = if begins_again { Some(at) } else { self.tried_again_at };
        let claim = Self { state, tried_again_at, evidence: Some(evidence), ..self };
        let claim = Self { next_at: claim.next_lookup(at, random), ..claim };
        Observed { claim, before, hold }
    }

    /// The parent without this claim.
    #[must_use]
    pub fn removed_from(&self, parent: &Parent) -> Parent {
        Parent { domains: parent.domains.saturating_sub(1), ..parent.clone() }
    }

    /// Where the claim stands and what to do next, for the domain's administrator.
    #[must_use]
    pub fn explain(&self) -> String {
        let Challenge { name, value } = &self.challenge;
        let hint = self.evidence.as_ref().and_then(Evidence::hint);
        let foremost = self.evidence.as_ref().and_then(Evidence::foremost);
        let seen = || hint.map(str::to_owned).or_else(|| foremost.map(|finding| finding.explain(&self.challenge)));
        match self.state {
            ClaimState::Pending => format!(
                "Publish a TXT record named {name} with the value {value}. It is looked for again and again, and \
                 usually seen within ten minutes; a refresh looks at once.{}",
                hint.map(|hint| format!(" {hint}")).unwrap_or_default()
            ),
            ClaimState::Verified { absence: None, .. } => {
                "The domain is verified. Leave the record in place: it is looked for again every day.".to_owned()
            }
            ClaimState::Verified { absence: Some(absence), .. } => format!(
                "The domain is verified, but its record is gone since {}. Publish the TXT record named {name} with the \
                 value {value} again within {} hours, or the domain lapses: nobody could join by it any more.",
                spoken(absence.since),
                absence.hours_left()
            ),
            ClaimState::Failed { since } => format!(
                "The record was not seen in {} days, so since {} nobody looks for it any more. {}Publish it and ask \
                 for a refresh to try again.",
                GIVE_UP / (24 * 3600),
                spoken(since),
                seen().map(|reason| format!("The reason as it was last: {reason} ")).unwrap_or_default()
            ),
            ClaimState::Lapsed { since } => format!(
                "The domain's record is gone, and the domain lapsed at {}: members keep their access, but nobody joins \
                 by it. Publish the TXT record named {name} with the value {value} again to restore it. Until {} no \
                 other organization can take the domain.",
                spoken(since),
                spoken(after(since, super::PROTECTION))
            ),
            ClaimState::Conflict { .. } => {
                "Another organization has verified this domain, and a domain is held by one \
                                            alone. If it is yours, whoever set it up there must remove it first."
                    .to_owned()
            }
        }
    }
}

/// A moment as people read it: date and minute, in UTC.
fn spoken(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What a change of a claim is, for the audit trail and the administrators' mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The domain is the parent's.
    Verified,
    /// It is another parent's.
    Conflict,
    /// Nobody looks for the record any more.
    Failed,
    /// The record of a verified domain has been gone for a day.
    LapseWarning,
    /// It was gone for too long.
    Lapsed,
    /// It is there again.
    Restored,
}

impl Notice {
    /// The change as the audit trail names it.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Verified => Action::DomainVerified,
            Self::Conflict => Action::DomainConflict,
            Self::Failed => Action::DomainFailed,
            Self::LapseWarning => Action::DomainMissing,
            Self::Lapsed => Action::DomainLapsed,
            Self::Restored => Action::DomainRestored,
        }
    }

    /// What administrators are told of it.
    #[must_use]
    pub fn message(self, claim: &DomainClaim) -> Message {
        let (domain, record) = (claim.domain.clone(), claim.challenge.clone());
        match self {
            Self::Verified => Message::DomainVerified { domain },
            Self::Conflict => Message::DomainConflict { domain },
            Self::Failed => Message::DomainFailed { domain, record },
            Self::LapseWarning => {
                let hours_left = claim.state.absence().map_or(0, |absence| absence.hours_left());
                Message::DomainMissing { domain, record, hours_left }
            }
            Self::Lapsed => {
                let since = if let ClaimState::Lapsed { since } = claim.state { since } else { claim.claimed_at };
                Message::DomainLapsed { domain, record, protected_until: after(since, super::PROTECTION) }
            }
            Self::Restored => Message::DomainRestored { domain },
        }
    }
}

impl Observed {
    /// What is to be told of it; nothing where the claim stands as it stood.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let warned = |state: ClaimState| state.absence().is_some_and(|absence| absence.warned);
        match (self.before, self.claim.state) {
            (ClaimState::Lapsed { .. }, ClaimState::Verified { .. }) => Some(Notice::Restored),
            (before @ ClaimState::Verified { .. }, after @ ClaimState::Verified { .. }) => {
                (warned(after) && !warned(before)).then_some(Notice::LapseWarning)
            }
            (_, ClaimState::Verified { .. }) => Some(Notice::Verified),
            (ClaimState::Conflict { .. }, ClaimState::Conflict { .. })
            | (ClaimState::Lapsed { .. }, ClaimState::Lapsed { .. })
            | (ClaimState::Failed { .. }, ClaimState::Failed { .. })
            | (_, ClaimState::Pending) => None,
            (_, ClaimState::Conflict { .. }) => Some(Notice::Conflict),
            (_, ClaimState::Lapsed { .. }) => Some(Notice::Lapsed),
            (_, ClaimState::Failed { .. }) => Some(Notice::Failed),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::seal::SealingKey;

    fn settings() -> Settings {
        Settings::new("https://id.example.com".parse().unwrap(), SealingKey::new(&[0; 32]).unwrap()).unwrap()
    }

    fn parent() -> Parent {
        Parent { id: ParentId::from_bits(1), connection: None, domains: 0, created_at: Timestamp::UNIX_EPOCH }
    }

    pub(in crate::domain) fn claimed(domain: &str) -> Result<(Parent, DomainClaim), ClaimError> {
        claim(&parent(), domain.parse()?, &settings(), Timestamp::UNIX_EPOCH, &Random::default())
    }

    #[test]
    fn the_record_is_on_the_very_domain_and_its_token_is_long() {
        let (parent, claim) = claimed("sub.example.com").unwrap();
        assert_eq!(parent.domains, 1);
        assert_eq!(claim.challenge.name, "_anthropic-challenge.sub.example.com");
        let token = claim.challenge.value.strip_prefix("anthropic-domain-verification=").unwrap();
        assert!(token.len() * 6 >= 128);
        assert_ne!(claim.challenge, claimed("sub.example.com").unwrap().1.challenge, "every claim has its own");
    }

    #[test]
    fn what_can_not_be_claimed_is_refused() {
        assert_eq!(claimed("co.uk").err(), Some(ClaimError::Name(DomainNameError::PublicSuffix)));
        let long = format!("{}example.com", "a.".repeat(115));
        assert_eq!(claimed(&long).err(), Some(ClaimError::RecordTooLong));
        let full = Parent { domains: MAX_DOMAINS, ..parent() };
        let refused =
            claim(&full, "example.com".parse().unwrap(), &settings(), Timestamp::UNIX_EPOCH, &Random::default());
        assert_eq!(refused.err(), Some(ClaimError::TooMany));
    }

    #[test]
    fn lookups_keep_their_distance() {
        let (_, claim) = claimed("example.com").unwrap();
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let begun = claim.begin_lookup(at(0)).unwrap();
        assert_eq!(begun.begin_lookup(at(1)), Err(TooSoon { retry_after: 5 }));
        assert_eq!(begun.begin_lookup(at(4_001)), Err(TooSoon { retry_after: 1 }));
        assert!(begun.begin_lookup(at(5_000)).is_ok());
        assert!(!begun.is_due(at(119_999)) && begun.is_due(at(120_000)), "if it does not come to its end");
    }

    #[test]
    fn what_is_stored_of_old_still_reads() {
        let old = serde_json::json!({
            "parent": ParentId::from_bits(1), "domain": "example.com", "challenge": {"name": "n", "value": "v"},
            "state": {"status": "verified", "since": "2026-01-01T00:00:00Z"}, "claimed_at": "2026-01-01T00:00:00Z",
            "evidence": {
                "at": "2026-01-01T00:00:00Z",
                "findings": [{"perspective": "1.1.1.1:53", "outcome": "found"}],
            },
        });
        let claim: DomainClaim = serde_json::from_value(old).unwrap();
        assert!(claim.state.is_verified() && claim.next_at.is_none());
        assert_eq!(claim.tried_since(), claim.claimed_at);
    }
}
