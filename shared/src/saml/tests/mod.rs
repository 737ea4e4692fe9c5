//! Tests of the whole way from a form value to an assertion.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod accepted;
mod canonical;
mod fixture;
mod messages;
mod refused;
