//! x

pub mod idp;
