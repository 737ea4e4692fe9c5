//! HTTP at the edge: problems, pages, cookies and what every answer carries. Domain errors become answers here and in
//! the functions' own files, once.

mod cookie;
#[cfg(feature = "fetch")]
mod fetch;
mod observe;
mod origin;
mod page;
mod problem;

pub use cookie::{Cookie, CookieReach, cookie, with_cookie};
#[cfg(feature = "fetch")]
pub use fetch::{FetchError, Fetcher, MAX_URL_BYTES, Stage, Wanted};
pub use observe::{not_found, observe};
pub use origin::is_from_own_page;
pub use page::{ErrorPage, POST_SCRIPT, Shell, elsewhere, page, page_posting_to, page_under, redirect};
pub use problem::{Problem, sentence};

/// Bytes of a request's body, unless a handler says otherwise.
pub const MAX_BODY: usize = 1024 * 1024;
