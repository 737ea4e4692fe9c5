//! Tests of the whole way from a form value to an assertion.

mod accepted;
mod canonical;
mod fixture;
mod messages;
mod refused;
