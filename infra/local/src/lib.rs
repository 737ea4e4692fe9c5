//! The local product: everything in one process, on loopback, with no other software.
//!
//! The functions are the very routers that Lambda runs, behind one port. What is played is the outside world:
//!
//! | Outside | Here |
//! |---|---|
//! | `DynamoDB` | `engine`, an embedded emulator on a file or in memory |
//! | Amazon SES and people's mailboxes | [`mailbox`] |
//! | the public DNS | [`dns`] |
//! | a customer's identity provider | [`idp`] |
//! | an application of the vendor | `sample` |
//!
//! [`Local`] is all of it together, for the program (`cli`) and for the tests; [`data`] is where it keeps things.

mod aside;
pub mod cli;
pub mod data;
pub mod dns;
mod engine;
mod home;
pub mod idp;
pub mod mailbox;
mod pages;
mod product;
mod sample;
mod schedule;
mod seed;
mod stop;

pub use product::{Local, Options, StartError};
pub use seed::Demo;
