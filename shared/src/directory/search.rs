//! Queries: the parameters of a GET on a collection (RFC 7644, section 3.4.2) and the body of `/.search` (section 3.4.3).

use serde_json::Value;

use super::{
    error::{ScimError, invalid_syntax},
    filter::Filter,
    leniency::Leniencies,
    list::Page,
    projection::Projection,
    resource::check_schemas,
    schema::ResourceType,
    sort::Sort,
};

/// The schema of the body.
const SEARCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// What a client asks of one collection, or of all.
#[derive(Clone, Debug)]
pub struct Search {
    /// Which resources; all of them where nothing is said.
    pub filter: Option<Filter>,
    /// In which order; in the store's own where nothing is said.
    pub sort: Option<Sort>,
    /// Which page of them.
    pub page: Page,
    projections: Vec<(ResourceType, Projection)>,
}

/// The parameters by name, as texts.
#[derive(Debug, Default)]
struct Parameters {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl Search {
    /// The query that the parameters of an address ask for, of these types of resources. Unknown parameters are ignored.
    ///
    /// # Errors
    /// `invalidSyntax` for a parameter that is given twice, and as [`Filter::parse`], [`Sort::parse`], [`Page::parse`]
    /// and [`Projection::new`] say.
    pub fn from_query<'q>(
        kinds: &[ResourceType],
        pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
        notes: &mut Leniencies,
    ) -> Result<Self, ScimError> {
        let mut parameters = Parameters::default();
        for (name, value) in pairs {
            parameters.set(name, value.to_owned())?;
        }
        parameters.search(kinds, notes)
    }

    /// The query that the body of `/.search` asks for, of these types of resources. Unknown members are ignored.
    ///
    /// # Errors
    /// `invalidSyntax` for a body that is no such message, and as [`Search::from_query`].
    pub fn from_body(kinds: &[ResourceType], body: &Value, notes: &mut Leniencies) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(invalid_syntax("The body is not a JSON object."));
        };
        check_schemas(SEARCH_URN, |_| false, body, notes)?;
        let mut parameters = Parameters::default();
        for (name, value) in body.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("schemas")) {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                Value::Array(names) => {
                    names.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|names| names.join(","))
                }
                _ => None,
            };
            match text {
                Some(text) => parameters.set(name, text)?,
                None if Parameters::default().slot(name).is_some() => {
                    return Err(invalid_syntax("A member of the query is of the wrong type."));
                }
                None => {}
            }
        }
        parameters.search(kinds, notes)
    }

    /// What is seen of resources of this type.
    #[must_use]
    pub fn projection(&self, kind: ResourceType) -> Option<&Projection> {
        self.projections.iter().find(|(of, _)| *of == kind).map(|(_, projection)| projection)
    }
}

impl Parameters {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        let slots = [
            ("filter", &mut self.filter),
            ("sortBy", &mut self.sort_by),
            ("sortOrder", &mut self.sort_order),
            ("startIndex", &mut self.start_index),
            ("count", &mut self.count),
            ("cursor", &mut self.cursor),
            ("attributes", &mut self.attributes),
            ("excludedAttributes", &mut self.excluded_attributes),
        ];
        slots.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, slot)| slot)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ScimError> {
        match self.slot(name) {
            Some(Some(_)) => Err(invalid_syntax("A parameter of the query is given twice.")),
            Some(slot) => {
                *slot = Some(value);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn search(self, kinds: &[ResourceType], notes: &mut Leniencies) -> Result<Search, ScimError> {
        let filter = self.filter.filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| Filter::parse_for(kinds, &text, notes)).transpose()?;
        let sort_by = self.sort_by.filter(|text| !text.trim().is_empty());
        let sort = sort_by.map(|by| Sort::parse_for(kinds, &by, self.sort_order.as_deref())).transpose()?;
        let page = Page::parse(self.start_index.as_deref(), self.count.as_deref(), self.cursor.as_deref())?;
        let (attributes, excluded) = (self.attributes.as_deref(), self.excluded_attributes.as_deref());
        let mut projections = Vec::new();
        for kind in kinds {
            projections.push((*kind, Projection::from_query(*kind, attributes, excluded, notes)?));
        }
        Ok(Search { filter, sort, page, projections })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::directory::limits;

    #[test]
    fn an_address_and_a_body_ask_the_same() {
        let kinds = [ResourceType::User];
        let query = Search::from_query(
            &kinds,
            [
                ("filter", "title pr"),
                ("sortBy", "userName"),
                ("sortOrder", "descending"),
                ("startIndex", "11"),
                ("count", "10"),
                ("attributes", "userName,title"),
                ("unknown", "x"),
            ],
            &mut Leniencies::new(),
        );
        let mut notes = Leniencies::new();
        let body = Search::from_body(
            &kinds,
            &json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": "title pr",
                "sortBy": "userName",
                "sortOrder": "descending",
                "startIndex": 11,
                "count": 10,
                "attributes": ["userName", "title"],
                "excludedAttributes": null,
                "unknown": {},
            }),
            &mut notes,
        );
        let (query, body) = (query.unwrap(), body.unwrap());
        assert_eq!(format!("{query:?}"), format!("{body:?}"));
        assert_eq!(query.filter.unwrap().to_string(), "title pr");
        assert_eq!(query.page, Page::Index { start: 11, count: 10 });
        assert!(notes.is_empty());
    }

    #[test]
    fn all_types_are_asked_at_once() {
        let search = Search::from_query(
            &ResourceType::ALL,
            [("filter", "members.value eq \"u\" or userName pr"), ("sortBy", "userName"), ("attributes", "members")],
            &mut Leniencies::new(),
        )
        .unwrap();
        assert!(search.projection(ResourceType::Group).unwrap().shows(ResourceType::Group, "members"));
        assert!(search.sort.is_some() && search.filter.unwrap().reads("members"));
    }

    #[test]
    fn bad_queries_are_refused() {
        let kinds = [ResourceType::Group];
        for (name, value, scim_type) in [
            ("filter", "userName pr", "invalidFilter"),
            ("sortBy", "userName", "invalidValue"),
            ("startIndex", "x", "invalidValue"),
            ("Count", "2", "invalidSyntax"),
            ("attributes", &"displayName,".repeat(limits::PROJECTED + 1), "invalidValue"),
        ] {
            let asked = Search::from_query(&kinds, [("count", "1"), (name, value)], &mut Leniencies::new());
            assert_eq!(asked.unwrap_err().scim_type.unwrap().as_str(), scim_type, "{name}");
        }
        for body in [json!([]), json!({ "filter": {} }), json!({ "attributes": [1] }), json!({ "count": true })] {
            let refused = Search::from_body(&kinds, &body, &mut Leniencies::new()).unwrap_err();
            assert_eq!(refused.scim_type.unwrap().as_str(), "invalidSyntax", "{body}");
        }
    }
}
