//! An identity provider to try the product with.

pub mod response;
