//! Domains: names, claims on them, and what DNS says of a claim.
//!
//! A parent claims a domain and publishes the claim's record in the domain's zone. Whoever has published it first holds
//! the domain, exclusively; a domain that is held grants nothing on the names below it.

mod claim;
mod evidence;
mod name;
#[cfg(feature = "resolver")]
mod resolver;
mod store;

pub use claim::{
    Challenge, ClaimError, ClaimState, DomainClaim, LOOKUP_INTERVAL, MAX_DOMAINS, Observed, TooSoon, claim,
};
pub use evidence::{Evidence, Finding, Outcome};
pub use name::{DomainName, DomainNameError};
#[cfg(feature = "resolver")]
pub use resolver::Resolver;
pub use store::Ownership;
