//! Stories, each over the whole product.

mod acs;
mod dns;
mod lifecycle;
mod mailbox;
mod pages;
