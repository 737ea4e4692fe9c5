//! The management API over the embedded engine and a DNS server of its own.
#![cfg(test)]

mod applications;
mod conformance;
mod connections;
mod dns;
mod domains;
mod listings;
mod members;
mod once;
mod organizations;
mod requests;
mod world;
