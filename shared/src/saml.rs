//! SAML 2.0.

mod reason;

pub use reason::Reason;
