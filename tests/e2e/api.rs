//! The management API, as the operator's backend uses it, with resolvers that say what a test tells them to.

mod applications;
mod conformance;
mod connections;
mod domain_memberships;
mod domains;
mod listings;
mod members;
mod once;
mod organizations;
mod requests;
mod service_provider;
mod sharing;
mod world;

use world::World;
