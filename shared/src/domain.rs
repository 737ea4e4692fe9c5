//! Domains: names, claims on them, and what DNS says of a claim.

mod name;
#[cfg(feature = "resolver")]
mod resolver;
mod store;

pub use name::{DomainName, DomainNameError};
#[cfg(feature = "resolver")]
pub use resolver::Resolver;
pub use store::Ownership;
