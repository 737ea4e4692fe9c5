//! Claims: a parent's claim on a domain, from the record to publish to exclusive ownership.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{DomainName, DomainNameError, Evidence};
use crate::{
    app::Settings,
    clock::{Timestamp, after},
    id::{ParentId, Random},
    journal::Action,
    mail::Message,
    parent::Parent,
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
    /// When the latest lookup began, whether or not it came to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_began_at: Option<Timestamp>,
    /// What the latest finished lookup found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
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
    },
    /// The record was seen, but another parent holds the domain.
    Conflict {
        /// Since when.
        since: Timestamp,
    },
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
        lookup_began_at: None,
        evidence: None,
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
    /// Whether the parent takes hold of the domain, which nobody held when this was decided.
    pub takes_hold: bool,
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
            Some(next) if now < next => {
                // Rounded up, so that whoever waits that long is not refused again.
                let millis = next.as_millisecond().saturating_sub(now.as_millisecond());
                Err(TooSoon { retry_after: millis.saturating_add(999) / 1000 })
            }
            _ => Ok(Self { lookup_began_at: Some(now), ..self.clone() }),
        }
    }

    /// What new evidence makes of the claim, given who holds the domain now.
    #[must_use]
    pub fn observe(self, evidence: Evidence, holder: Option<ParentId>) -> Observed {
        let before = self.state;
        let (proof, at) = (evidence.is_proof(), evidence.at);
        let takes_hold = proof && holder.is_none();
        let state = match holder {
            // What was proven once stays: that a record can not be seen today takes nothing away at once.
            Some(holder) if holder == self.parent => before.verified(at),
            None if proof => before.verified(at),
            None => ClaimState::Pending,
            Some(_) if proof => before.conflicting(at),
            Some(_) => before.unless_verified(),
        };
        Observed { claim: Self { state, evidence: Some(evidence), ..self }, before, takes_hold }
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
        match self.state {
            ClaimState::Pending => format!(
                "Publish a TXT record named {name} with the value {value}. Once most resolvers see it, ask for a \
                 refresh."
            ),
            ClaimState::Verified { .. } => {
                "The domain is verified. Leave the record in place: it is looked for again from time to time."
                    .to_owned()
            }
            ClaimState::Conflict { .. } => "The record is there, but another organization has verified this domain \
                                            before, and a domain is held by one alone. If it is yours, whoever set it \
                                            up there must remove it first."
                .to_owned(),
        }
    }
}

impl ClaimState {
    fn verified(self, at: Timestamp) -> Self {
        if matches!(self, Self::Verified { .. }) { self } else { Self::Verified { since: at } }
    }

    fn conflicting(self, at: Timestamp) -> Self {
        if matches!(self, Self::Conflict { .. }) { self } else { Self::Conflict { since: at } }
    }

    fn unless_verified(self) -> Self {
        if matches!(self, Self::Verified { .. }) { Self::Pending } else { self }
    }

    /// Whether the parent holds the domain.
    #[must_use]
    pub fn is_verified(self) -> bool {
        matches!(self, Self::Verified { .. })
    }
}

impl Observed {
    /// What the audit trail says of it; nothing where the claim's state is as it was.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match (self.before, self.claim.state) {
            (ClaimState::Verified { .. }, ClaimState::Verified { .. })
            | (ClaimState::Conflict { .. }, ClaimState::Conflict { .. })
            | (_, ClaimState::Pending) => None,
            (_, ClaimState::Verified { .. }) => Some(Action::DomainVerified),
            (_, ClaimState::Conflict { .. }) => Some(Action::DomainConflict),
        }
    }

    /// What administrators are told of it.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let domain = self.claim.domain.clone();
        match self.action()? {
            Action::DomainVerified => Some(Message::DomainVerified { domain }),
            Action::DomainConflict => Some(Message::DomainConflict { domain }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Outcome},
        seal::SealingKey,
    };

    fn settings() -> Settings {
        Settings::new("https://id.example.com".parse().unwrap(), SealingKey::new(&[0; 32]).unwrap()).unwrap()
    }

    fn parent() -> Parent {
        Parent { id: ParentId::from_bits(1), connection: None, domains: 0, created_at: Timestamp::UNIX_EPOCH }
    }

    fn claimed(domain: &str) -> Result<(Parent, DomainClaim), ClaimError> {
        claim(&parent(), domain.parse()?, &settings(), Timestamp::UNIX_EPOCH, &Random::default())
    }

    fn seen(outcome: Outcome, second: i64) -> Evidence {
        Evidence { at: after(Timestamp::UNIX_EPOCH, second), findings: vec![Finding::new(&"x", outcome, &[])] }
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
    fn the_table_of_transitions() {
        let (me, other) = (ParentId::from_bits(1), ParentId::from_bits(2));
        let (pending, since) = (ClaimState::Pending, after(Timestamp::UNIX_EPOCH, 1));
        let (verified, conflict) = (ClaimState::Verified { since }, ClaimState::Conflict { since });
        let table = [
            // before, proof, holder -> after, takes hold, event
            (pending, false, None, pending, false, None),
            (pending, false, Some(other), pending, false, None),
            (pending, true, None, verified, true, Some(Action::DomainVerified)),
            (pending, true, Some(other), conflict, false, Some(Action::DomainConflict)),
            (conflict, false, Some(other), conflict, false, None),
            (conflict, true, Some(other), conflict, false, None),
            (conflict, true, None, verified, true, Some(Action::DomainVerified)),
            (conflict, false, None, pending, false, None),
            (verified, true, Some(me), verified, false, None),
            (verified, false, Some(me), verified, false, None),
        ];
        for (before, proof, holder, after, takes_hold, action) in table {
            let claim = DomainClaim { state: before, ..claimed("example.com").unwrap().1 };
            let outcome = if proof { Outcome::Found } else { Outcome::Nxdomain };
            let observed = claim.observe(seen(outcome, 1), holder);
            let row = format!("{before:?}, proof {proof}, holder {holder:?}");
            assert_eq!((observed.claim.state, observed.takes_hold), (after, takes_hold), "{row}");
            assert_eq!(observed.action(), action, "{row}");
            assert_eq!(observed.claim.evidence, Some(seen(outcome, 1)), "{row}");
        }
    }

    #[test]
    fn since_tells_the_first_time() {
        let (_, claim) = claimed("example.com").unwrap();
        let me = claim.parent;
        let first = claim.observe(seen(Outcome::Found, 1), None).claim;
        let again = first.clone().observe(seen(Outcome::Found, 100), Some(me)).claim;
        assert_eq!(first.state, again.state);
    }

    #[test]
    fn lookups_keep_their_distance() {
        let (_, claim) = claimed("example.com").unwrap();
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let begun = claim.begin_lookup(at(0)).unwrap();
        assert_eq!(begun.begin_lookup(at(1)), Err(TooSoon { retry_after: 5 }));
        assert_eq!(begun.begin_lookup(at(4_001)), Err(TooSoon { retry_after: 1 }));
        assert!(begun.begin_lookup(at(5_000)).is_ok());
    }
}
