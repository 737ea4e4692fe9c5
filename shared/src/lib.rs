//! Vestibule: the enterprise identity layer of a SaaS vendor. This crate holds its concepts, their rules and their
//! data; the crates under `functions/` translate HTTP and events to it and own nothing else.
//!
//! # The one rule
//!
//! `<concept>.rs` holds a concept's types and rules and does no I/O. `<concept>/store.rs` is its `DynamoDB`. [`app`]
//! wires. A handler reads the same way everywhere: **load, decide, commit**. To decide is pure and gets the time and
//! randomness as arguments; to commit is one transaction that also writes the audit event.
//!
//! # The map
//!
//! | Concept | Where |
//! |---|---|
//! | what customers are | [`parent`], [`organization`], [`account`], [`surface`] |
//! | what they prove, and whom that shows | [`domain`], [`domain_membership`] |
//! | whom their identity provider names | [`directory`] |
//! | whom they trust | [`connection`], [`saml`], [`service_provider`] |
//! | how people get in | [`login`], [`provisioning`], [`session`] |
//! | how administrators get in | [`administrator`] |
//! | what they take along | [`download`] |
//! | what applications get | [`application`], [`grant`], [`signing_key`] |
//! | what is kept and told of it | [`journal`], [`operation`], [`mail`] |
//! | the ground they stand on | [`app`], [`clock`], [`id`], [`seal`], [`table`], [`web`] |
//!
//! # Invariants
//!
//! - An assertion is read only from the octets whose signature was verified ([`saml`]).
//! - An assertion is believed only for an address on a domain that the connection's own parent holds ([`login`]).
//! - An assertion that nobody asked for gives no session: at most it sends the browser to where a sign-in begins.
//! - A domain is held by at most one parent: [`table::Key::DomainOwner`] is written only if absent, or over the version that
//!   was read of one that lapsed long enough ago ([`domain`]).
//! - No resolver's failure or memory costs anybody a domain: only the zone's own servers say that a record is absent
//!   ([`domain::Evidence::verdict`]).
//! - Whatever happens once (an assertion, a code, a login, a repeated request) is marked in the transaction of its
//!   effect, so there is no moment in which it could happen twice.
//! - Every change of what customers are has its event in the same transaction ([`journal`]).
//! - A session or a grant opens nothing by itself: the membership is read again at each use ([`session`], [`grant`]).
//! - An address that a customer names is asked on the public internet only, over the very connection whose address was
//!   looked at ([`web`]). What goes wrong there changes no key that is trusted ([`connection`]).
//! - Secrets are stored as hashes, or sealed where they must be read again ([`id`], [`seal`]).
//!
//! # What is not there
//!
//! No scan of a table, and no eventually consistent read but of an index, which nothing is decided by; no time or environment outside of [`app`] and [`clock`], and no
//! randomness that a rule decides by outside of [`id`]; no HTTP outside of [`web`] and the functions; no `DynamoDB` outside of [`table`] and the
//! `store.rs` files; no repository trait with one implementation; no `unsafe`, no panic.

pub mod account;
pub mod administrator;
pub mod app;
pub mod application;
pub mod clock;
pub mod connection;
pub mod directory;
pub mod domain;
pub mod domain_membership;
pub mod download;
pub mod grant;
pub mod id;
#[cfg(feature = "tls")]
mod internet;
pub mod journal;
pub mod login;
pub mod mail;
pub mod operation;
pub mod organization;
pub mod parent;
pub mod provisioning;
pub mod saml;
pub mod seal;
pub mod service_provider;
pub mod session;
pub mod signing_key;
pub mod surface;
pub mod table;
#[cfg(feature = "tls")]
mod tls;
pub mod web;
