//! The harness: the whole product in this process, with a clock that stands still and repeatable randomness, and a
//! browser small enough to see every step of.
//!
//! With `VESTIBULE_TEST_DYNAMODB` set to an address, the product's tables are made in the engine there, under a prefix
//! of their own, in place of the embedded one. Stories that restart the product stay with the embedded one.
//!
//! Snapshots are `insta`'s, written inline, of text that [`Product::stable`] freed from what differs between runs.

mod browser;
mod dns;
mod html;
pub mod identity_provider;
mod product;
mod publisher;
mod race;

pub use browser::{Browser, Page, cost_of};
pub use dns::Dns;
pub use html::{Form, text_of};
pub use product::{Product, Scratch, operator_key, start_time};
pub use publisher::{Published, Publisher};
pub use race::Race;
