//! Paths to attributes (RFC 7644, section 3.10), resolved against the schemas.

use std::fmt;

use serde_json::{Map, Value};

use super::schema::{Attribute, Kind, ResourceType, Schema};

/// Where a path begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    /// At the resource.
    Resource,
    /// At the object of an extension.
    Extension(&'static Schema),
    /// At an element of a multi-valued attribute, within the brackets of a value path.
    Element,
}

/// An attribute or sub-attribute of a resource.
#[derive(Clone, Copy, Debug)]
pub struct AttributePath {
    pub(super) base: Base,
    pub(super) attribute: &'static Attribute,
    pub(super) sub: Option<&'static Attribute>,
}

/// What a text leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resolved {
    Attribute(AttributePath),
    /// The whole object of an extension.
    Extension(&'static Schema),
}

impl AttributePath {
    /// The attribute that the text `[urn:]attribute[.sub]` names, in any case, or nothing.
    #[must_use]
    pub fn resolve(kind: ResourceType, text: &str) -> Option<Self> {
        match resolve(kind, text)? {
            Resolved::Attribute(path) => Some(path),
            Resolved::Extension(_) => None,
        }
    }

    /// The path within the brackets of a value path on `parent`.
    pub(super) fn of_element(parent: &Attribute, name: &str) -> Option<Self> {
        parent.sub(name).map(|attribute| Self { base: Base::Element, attribute, sub: None })
    }

    /// The attribute that holds the value in the end.
    #[must_use]
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// With the sub-attribute `value` where a complex attribute that has one is compared as a whole (`emails co "@x"`).
    pub(super) fn compared(mut self) -> Self {
        if self.sub.is_none() && self.attribute.kind == Kind::Complex {
            self.sub = self.attribute.sub("value");
        }
        self
    }

    /// Every value that the path leads to in a resource, or in an element.
    pub(super) fn values<'v>(&self, object: &'v Map<String, Value>) -> Vec<&'v Value> {
        let found = self.container(object).and_then(|container| container.get(self.attribute.name));
        let found: Vec<&Value> = match found {
            Some(Value::Array(elements)) => elements.iter().collect(),
            other => other.into_iter().collect(),
        };
        match self.sub {
            Some(sub) => found.into_iter().filter_map(|value| value.get(sub.name)).collect(),
            None => found,
        }
    }

    /// The object that holds the attribute.
    pub(super) fn container<'v>(&self, object: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
        match self.base {
            Base::Extension(schema) => object.get(schema.id)?.as_object(),
            Base::Resource | Base::Element => Some(object),
        }
    }
}

impl PartialEq for AttributePath {
    fn eq(&self, other: &Self) -> bool {
        let sub = |path: &Self| path.sub.map(|sub| sub.name);
        self.base == other.base && self.attribute.name == other.attribute.name && sub(self) == sub(other)
    }
}

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Extension(one), Self::Extension(other)) => one.id == other.id,
            (Self::Resource, Self::Resource) | (Self::Element, Self::Element) => true,
            _ => false,
        }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Base::Extension(schema) = self.base {
            write!(f, "{}:", schema.id)?;
        }
        f.write_str(self.attribute.name)?;
        self.sub.map_or(Ok(()), |sub| write!(f, ".{}", sub.name))
    }
}

/// What the text `urn`, `[urn:]attribute` or `[urn:]attribute.sub` leads to.
pub(super) fn resolve(kind: ResourceType, text: &str) -> Option<Resolved> {
    if let Some(schema) = kind.extension(text) {
        return Some(Resolved::Extension(schema));
    }
    let of = |base, attribute: Option<&'static Attribute>, sub: Option<&str>| {
        let attribute = attribute?;
        let sub = match sub {
            Some(sub) => Some(attribute.sub(sub)?),
            None => None,
        };
        Some(Resolved::Attribute(AttributePath { base, attribute, sub }))
    };
    for schema in kind.extensions() {
        if let Some(name) = after_urn(schema, text) {
            let (name, sub) = split(name);
            return of(Base::Extension(schema), schema.attribute(name), sub);
        }
    }
    let (name, sub) = split(after_urn(kind.schema(), text).unwrap_or(text));
    of(Base::Resource, kind.attribute(name), sub)
}

/// What follows a schema's URN and a colon.
fn after_urn<'t>(schema: &Schema, text: &'t str) -> Option<&'t str> {
    let (urn, rest) = text.split_at_checked(schema.id.len())?;
    if urn.eq_ignore_ascii_case(schema.id) { rest.strip_prefix(':') } else { None }
}

fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(name, sub)| (name, Some(sub)))
}

/// Whether the text begins with a URN, served here or not.
pub(super) fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) || text.contains("://")
}

/// A text as it is compared where case does not matter: each character in lower case by itself, so that a part of a text
/// is folded as the whole is.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_by_character() {
        assert_eq!(fold("ΟΔΟΣ"), fold("οδοσ"));
        assert!(fold("ΟΔΟΣΑ").starts_with(&fold("ΟΔΟΣ")));
    }

    #[test]
    fn paths_are_resolved_in_any_case_and_printed_in_one() {
        for (given, printed) in [
            ("USERNAME", "userName"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyname", "name.familyName"),
            (
                "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:Manager.value",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            ),
            ("meta.lastmodified", "meta.lastModified"),
            ("externalid", "externalId"),
        ] {
            let path = AttributePath::resolve(ResourceType::User, given).unwrap();
            assert_eq!(path.to_string(), printed);
            assert_eq!(AttributePath::resolve(ResourceType::User, printed), Some(path));
        }
        for unknown in
            ["", "nothing", "name.nothing", "userName.value", "name.", "department", "members", "urn:x:userName"]
        {
            assert_eq!(AttributePath::resolve(ResourceType::User, unknown), None, "{unknown}");
        }
    }
}
