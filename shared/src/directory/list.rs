//! Lists: which page is asked for, and the message that answers (RFC 7644, sections 3.4.2.4 and 3.4.2; RFC 9865).

use serde_json::{Map, Value, json};

use super::error::{ScimError, ScimType, invalid_value};

/// Resources of a page where the client names no count.
pub const DEFAULT_PAGE: usize = 100;
/// Resources of a page at most.
pub const MAX_PAGE: usize = 200;
/// The schema of the message.
const LIST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// The page that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// From a position on, which counts from 1.
    Index {
        /// The position of the first resource.
        start: u64,
        /// How many resources at most; none asks for the total alone.
        count: usize,
    },
    /// From a cursor on; none begins.
    Cursor {
        /// What the answer before gave as `nextCursor`.
        cursor: Option<String>,
        /// How many resources at most.
        count: usize,
    },
}

impl Page {
    /// The page that the parameters ask for. A `startIndex` below 1 is 1, and a negative `count` is 0 (RFC 7644, section
    /// 3.4.2.4); more than [`MAX_PAGE`] is that. `cursor`, even an empty one, asks for pages by cursor (RFC 9865, section
    /// 2); without it pages go by index.
    ///
    /// # Errors
    /// `invalidValue` for a `startIndex` that is no number or stands beside a `cursor`, `invalidCount` for a `count` that
    /// is no number.
    pub fn parse(start_index: Option<&str>, count: Option<&str>, cursor: Option<&str>) -> Result<Self, ScimError> {
        let number = |text: &str| text.trim().parse::<i64>().ok();
        let count = match count {
            Some(count) => {
                let refused = || ScimError::bad(ScimType::InvalidCount, "'count' is a number.");
                let count = number(count).ok_or_else(refused)?;
                usize::try_from(count.max(0)).unwrap_or(MAX_PAGE).min(MAX_PAGE)
            }
            None => DEFAULT_PAGE,
        };
        match (start_index, cursor) {
            (Some(_), Some(_)) => Err(invalid_value("Pages go by 'startIndex' or by 'cursor', not by both.")),
            (None, Some(cursor)) => {
                let cursor = Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty());
                Ok(Self::Cursor { cursor, count })
            }
            (Some(start), None) => {
                let start = number(start).ok_or_else(|| invalid_value("'startIndex' is a number."))?;
                Ok(Self::Index { start: u64::try_from(start).unwrap_or(1).max(1), count })
            }
            (None, None) => Ok(Self::Index { start: 1, count }),
        }
    }

    /// How many resources at most.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Index { count, .. } | Self::Cursor { count, .. } => *count,
        }
    }
}

/// What answers a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListResponse {
    /// The resources of this page, as the client sees them.
    pub resources: Vec<Map<String, Value>>,
    /// How many satisfy the query, where that is known; pages by cursor may leave it open (RFC 9865, section 2).
    pub total: Option<u64>,
    /// The position of the first resource of the page, where pages go by index.
    pub start: Option<u64>,
    /// What leads to the next page; none on the last one.
    pub next_cursor: Option<String>,
    /// What leads to the page before, where the server can tell.
    pub previous_cursor: Option<String>,
}

impl ListResponse {
    /// The message.
    #[must_use]
    pub fn body(self) -> Value {
        let mut body = Map::new();
        let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
        add("schemas", json!([LIST_URN]));
        add("itemsPerPage", self.resources.len().into());
        for (name, number) in [("totalResults", self.total), ("startIndex", self.start)] {
            if let Some(number) = number {
                add(name, number.into());
            }
        }
        for (name, cursor) in [("nextCursor", self.next_cursor), ("previousCursor", self.previous_cursor)] {
            if let Some(cursor) = cursor {
                add(name, cursor.into());
            }
        }
        add("Resources", self.resources.into_iter().map(Value::Object).collect());
        body.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded() {
        let index = |start, count| Ok(Page::Index { start, count });
        let cursor = |cursor: Option<&str>, count| Ok(Page::Cursor { cursor: cursor.map(str::to_owned), count });
        for (start, count, given, expected) in [
            (None, None, None, index(1, DEFAULT_PAGE)),
            (Some("0"), Some("-1"), None, index(1, 0)),
            (Some("-7"), Some("10"), None, index(1, 10)),
            (Some("101"), Some("100000"), None, index(101, MAX_PAGE)),
            (None, Some("5"), Some(""), cursor(None, 5)),
            (None, None, Some("abc"), cursor(Some("abc"), DEFAULT_PAGE)),
            (Some("1"), None, Some("abc"), Err("invalidValue")),
            (Some("x"), None, None, Err("invalidValue")),
            (None, Some("many"), None, Err("invalidCount")),
        ] {
            let page = Page::parse(start, count, given).map_err(|refused| refused.scim_type.unwrap().as_str());
            assert_eq!(page, expected, "{start:?} {count:?} {given:?}");
        }
    }

    #[test]
    fn a_list_says_where_it_is() {
        let by_index = ListResponse { total: Some(0), start: Some(1), ..ListResponse::default() };
        assert_eq!(
            by_index.body(),
            json!({ "schemas": [LIST_URN], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [] })
        );
        let one = json!({ "id": "u-1" }).as_object().unwrap().clone();
        let by_cursor =
            ListResponse { resources: vec![one], next_cursor: Some("n".to_owned()), ..ListResponse::default() };
        assert_eq!(
            by_cursor.body(),
            json!({ "schemas": [LIST_URN], "nextCursor": "n", "itemsPerPage": 1, "Resources": [{ "id": "u-1" }] })
        );
    }
}
