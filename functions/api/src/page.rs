//! Listings in pages.

use serde::{Deserialize, Serialize};
use vestibule::{
    table::{Page, Stored},
    web::Problem,
};

use crate::Api;

/// Items on a page, unless a smaller number is asked for.
const MAX_ITEMS: u16 = 100;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Items on the page, 1 to 100.
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page.
#[derive(Debug, Serialize)]
pub(crate) struct Listing<T> {
    /// The items.
    items: Vec<T>,
    /// How to ask for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Paging {
    /// Items on the page.
    pub(crate) fn limit(&self) -> Result<u16, Problem> {
        let limit = self.limit.unwrap_or(MAX_ITEMS);
        if (1..=MAX_ITEMS).contains(&limit) { Ok(limit) } else { Err(Problem::invalid("/limit", "1 to 100 items fit")) }
    }

    /// Where the page begins in the listing called `of`.
    pub(crate) fn after(&self, api: &Api, of: &str) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let opened = api.app.settings.sealing_key.open(&purpose(of), cursor).ok();
        let after = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        after.map(Some).ok_or_else(|| Problem::invalid("/cursor", "this is no next_cursor of this listing"))
    }
}

impl<T> Listing<T> {
    /// The page of the listing called `of`, its items as `view` shows them.
    ///
    /// A cursor is a sealed key, which fits no other listing and tells nothing of what is in this one.
    pub(crate) fn of<S>(api: &Api, of: &str, page: Page<Stored<S>>, view: impl Fn(S) -> T) -> Self {
        let seal = |next: String| api.app.settings.sealing_key.seal(&purpose(of), next.as_bytes(), &api.app.random);
        Self {
            items: page.items.into_iter().map(|stored| view(stored.value)).collect(),
            next_cursor: page.next.map(seal),
        }
    }
}

fn purpose(of: &str) -> String {
    format!("cursor:{of}")
}
