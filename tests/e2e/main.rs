//! Stories, each over the whole product.

mod acs;
mod api;
mod dns;
mod idp;
mod lifecycle;
mod mailbox;
mod oidc;
mod pages;
