//! Vestibule

pub mod saml;
