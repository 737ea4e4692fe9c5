//! How much a request may hold.

/// Bytes of a request's body.
pub const BODY_BYTES: usize = 1024 * 1024;
/// Operations of a bulk request.
pub const BULK_OPERATIONS: usize = 1000;
/// Operations of a PATCH.
pub const PATCH_OPERATIONS: usize = 1000;
/// Bytes of a filter.
pub const FILTER_BYTES: usize = 1024;
/// Brackets of a filter within each other.
pub const FILTER_DEPTH: usize = 8;
/// Comparisons of a filter.
pub const FILTER_TERMS: usize = 20;
/// Values of a multi-valued attribute, members of a group aside, whose number only [`BODY_BYTES`] limits.
pub const VALUES: usize = 200;
/// Bytes of a value that resources are found by: `userName`, `externalId`, a group's `displayName`, a member's id.
pub const KEY_BYTES: usize = 512;
/// Bytes of a resource as it is stored.
pub const RESOURCE_BYTES: usize = 128 * 1024;
/// Names in `attributes` or `excludedAttributes`.
pub const PROJECTED: usize = 100;
