//! The directory as SCIM 2.0 has it (RFC 7643, RFC 7644, RFC 9865): what clients may say, and what is made of it.
//!
//! A strict core works from the [`schema`], which is data: reading ([`Resource`]), changing ([`Patch`]), filtering
//! ([`Filter`]), projecting ([`Projection`]), sorting ([`Sort`]), asking ([`Search`]) and the discovery documents know no
//! attribute but through it. In front of it stands what real clients send besides: each tolerance is a [`Leniency`], is
//! collected while a request is read, and hands the core the canonical form.
//!
//! What holds, and what is absent:
//! - A [`Resource`] is in canonical spelling and of the right types, whoever wrote it; there is no password in it.
//! - A group's members and a user's groups are edges, not parts of a resource: a body or a PATCH yields them apart
//!   ([`Draft`], [`MemberChange`]), and an answer gets them only where they are asked for ([`Projection::shows`],
//!   [`Filter::reads`]).
//! - Several operations hold together or not at all, and what changes nothing is known to ([`Patched`]).
//! - What a request may hold is limited by name ([`limits`]).
//! - No refusal ([`ScimError`]) holds anybody's values.
//! - There is no I/O, no clock and no randomness.

mod error;
mod filter;
mod leniency;
pub mod limits;
mod list;
mod patch;
mod path;
mod projection;
mod resource;
pub mod schema;
mod search;
mod sort;
#[cfg(test)]
mod tests;
mod value;

pub use error::{ScimError, ScimType};
pub use filter::{Filter, Key, Literal, Lookup, Operator, Test};
pub use leniency::{Leniencies, Leniency};
pub use list::{DEFAULT_PAGE, ListResponse, MAX_PAGE, Page};
pub use patch::{MemberChange, PATCH_URN, Patch, Patched};
pub use path::{AttributePath, fold};
pub use projection::Projection;
pub use resource::{Draft, Meta, Resource, group_of_user, member};
pub use schema::ResourceType;
pub use search::Search;
pub use sort::Sort;
