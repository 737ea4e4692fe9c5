//! Domains: names, claims on them, and what DNS says of a claim.
//!
//! A parent claims a domain and publishes the claim's record in the domain's zone. Whoever has published it first holds
//! the domain, exclusively; a domain that is held grants nothing on the names below it. What is held is lost only by its
//! record being gone, with authority and for long: no resolver's trouble costs anybody a domain.

mod change;
mod claim;
mod diagnosis;
mod evidence;
mod name;
mod ownership;
#[cfg(feature = "queue")]
mod queue;
#[cfg(feature = "resolver")]
mod resolver;
mod schedule;
mod state;
mod store;

pub use change::{Claimed, DomainError, begin_lookup, claim_domain, remove_domain, settle_evidence};
pub use claim::{Challenge, ClaimError, DomainClaim, LOOKUP_INTERVAL, MAX_DOMAINS, Notice, Observed, TooSoon, claim};
pub use diagnosis::usual_mistakes;
pub use evidence::{Evidence, Finding, Outcome, Source, Verdict};
pub use name::{DomainName, DomainNameError};
pub use ownership::{Ownership, PROTECTION};
#[cfg(feature = "queue")]
pub use queue::{ClaimQueue, QueueError};
#[cfg(feature = "resolver")]
pub use resolver::{Resolver, ResolverAddress, ResolverAddressError, TrustError, ZoneServers};
pub use schedule::LEASE;
pub use state::{Absence, ClaimState, GIVE_UP, HoldChange, LAPSE};
