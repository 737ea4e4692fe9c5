//! Listings in pages. A cursor is sealed: it continues the listing it came from and nothing else.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vestibule::{
    app::App,
    table::{self, StoreError, Stored},
    web::Problem,
};

use crate::problems::invalid_parameter;

/// Items of a page, unless the request says otherwise.
const DEFAULT_LIMIT: u16 = 50;
/// Items of a page at most.
const MAX_LIMIT: u16 = 100;

/// Which page of a listing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// How many items at most, from 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
    /// Where to go on: the `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A place in a listing.
pub(crate) struct Place {
    purpose: String,
    /// The position after which the page begins.
    pub(crate) after: Option<String>,
    /// How many items it has at most.
    pub(crate) limit: u16,
}

impl PageQuery {
    /// Whether it asks for no page in particular.
    pub(crate) fn is_whole(&self) -> bool {
        self.limit.is_none() && self.cursor.is_none()
    }

    /// The place in the listing of this name, which says what is listed and whose.
    ///
    /// # Errors
    /// A problem where the limit is out of bounds or the cursor is not of this listing.
    pub(crate) fn of(&self, listing: &str, app: &App) -> Result<Place, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(invalid_parameter("limit", &format!("The limit is from 1 to {MAX_LIMIT}.")));
        }
        let purpose = format!("cursor of {listing}");
        let opened = self.cursor.as_ref().map(|cursor| app.settings.sealing_key.open(&purpose, cursor));
        let after = opened
            .transpose()
            .ok()
            .map(|bytes| bytes.map(String::from_utf8).transpose())
            .and_then(Result::ok)
            .ok_or_else(|| invalid_parameter("cursor", "This cursor does not belong to this listing."))?;
        Ok(Place { purpose, after, limit })
    }
}

impl Place {
    /// What continues this listing at `position`.
    pub(crate) fn cursor(&self, position: &str, app: &App) -> String {
        app.settings.sealing_key.seal(&self.purpose, position.as_bytes(), &app.random)
    }

    /// The page that was read there, its items as `show` gives them.
    pub(crate) fn page<T, U>(&self, read: table::Page<Stored<T>>, show: impl Fn(T) -> U, app: &App) -> Page<U> {
        let items = read.items.into_iter().map(|stored| show(stored.value)).collect();
        Page { items, next_cursor: read.next.map(|position| self.cursor(&position, app)) }
    }

    /// As [`Place::page`], for what belongs to an `owner`, read side by side with it.
    ///
    /// # Errors
    /// A problem where there is no such owner, which is called `what`.
    pub(crate) async fn page_of<O, T, U>(
        &self,
        (what, owner): (&str, impl Future<Output = Result<Option<O>, StoreError>>),
        read: impl Future<Output = Result<table::Page<Stored<T>>, StoreError>>,
        show: impl Fn(T) -> U,
        app: &App,
    ) -> Result<Page<U>, Problem> {
        let (owner, read) = tokio::try_join!(owner, read)?;
        owner.ok_or_else(|| Problem::not_found(what))?;
        Ok(self.page(read, show, app))
    }
}
