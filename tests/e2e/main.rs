//! Stories, each over the whole product.

mod acs;
mod api;
mod claims;
mod console;
mod dns;
mod first_login;
mod idp;
mod lifecycle;
mod mail;
mod mailbox;
mod oidc;
mod options;
mod pages;
mod refresh;
mod rollover;
mod table;
