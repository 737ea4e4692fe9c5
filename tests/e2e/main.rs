//! Stories, each over the whole product.

mod dns;
mod lifecycle;
mod mailbox;
mod pages;
