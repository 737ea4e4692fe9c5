//! Which attributes an answer has (RFC 7644, section 3.9).

use serde_json::{Map, Value};

use super::{
    error::{ScimError, invalid_value},
    leniency::{Leniencies, Leniency},
    limits,
    path::{AttributePath, Base, Resolved, resolve},
    schema::{Attribute, ResourceType, Returned, Schema},
};

/// What a client asked to see.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// These only, besides what is always returned; nothing where the defaults apply.
    only: Option<Vec<Resolved>>,
    /// Not these.
    not: Vec<Resolved>,
}

impl Projection {
    /// What `attributes` and `excludedAttributes` ask for, each a list of names. Names that no schema defines ask for
    /// nothing. Where both are given, the second takes from the first.
    ///
    /// # Errors
    /// `invalidValue` for too many names ([`limits::PROJECTED`]).
    pub fn new<'n>(
        kind: ResourceType,
        attributes: Option<impl IntoIterator<Item = &'n str>>,
        excluded: impl IntoIterator<Item = &'n str>,
        notes: &mut Leniencies,
    ) -> Result<Self, ScimError> {
        let only = match attributes {
            Some(names) => Some(resolved(kind, names, notes)?),
            None => None,
        };
        Ok(Self { only, not: resolved(kind, excluded, notes)? })
    }

    /// The same from query parameters, whose names are separated by commas. An empty `attributes` is none.
    ///
    /// # Errors
    /// As [`Projection::new`].
    pub fn from_query(
        kind: ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
        notes: &mut Leniencies,
    ) -> Result<Self, ScimError> {
        let attributes = attributes.filter(|names| !names.trim().is_empty()).map(|names| names.split(','));
        Self::new(kind, attributes, excluded.unwrap_or_default().split(','), notes)
    }

    /// Whether an answer has any of this attribute of the core schema, so that one that costs a read of its own
    /// (`members`, `groups`) is read only where it is seen.
    #[must_use]
    pub fn shows(&self, kind: ResourceType, attribute: &str) -> bool {
        kind.attribute(attribute).is_some_and(|attribute| {
            self.keeps(Place { base: Base::Resource, attribute, sub: None })
                || attribute
                    .sub_attributes
                    .iter()
                    .any(|sub| self.keeps(Place { base: Base::Resource, attribute, sub: Some(sub) }))
        })
    }

    /// A whole resource ([`super::Resource::render`]) with what was asked for.
    #[must_use]
    pub fn apply(&self, kind: ResourceType, mut object: Map<String, Value>) -> Map<String, Value> {
        object.retain(|name, value| match (kind.extension(name), value) {
            (Some(schema), Value::Object(extension)) => {
                self.prune(Base::Extension(schema), |name| schema.attribute(name), extension);
                !extension.is_empty()
            }
            (_, value) => match kind.attribute(name) {
                Some(attribute) => self.prune_attribute(Base::Resource, attribute, value),
                None => false,
            },
        });
        object
    }

    fn prune(&self, base: Base, find: impl Fn(&str) -> Option<&'static Attribute>, object: &mut Map<String, Value>) {
        object.retain(|name, value| find(name).is_some_and(|attribute| self.prune_attribute(base, attribute, value)));
    }

    /// Takes away the sub-attributes that are not seen; whether anything is left.
    fn prune_attribute(&self, base: Base, attribute: &'static Attribute, value: &mut Value) -> bool {
        let prune = |value: &mut Value| match value {
            Value::Object(object) => {
                object.retain(|name, _| {
                    attribute.sub(name).is_some_and(|sub| self.keeps(Place { base, attribute, sub: Some(sub) }))
                });
                !object.is_empty()
            }
            _ => self.keeps(Place { base, attribute, sub: None }),
        };
        match value {
            Value::Array(elements) if attribute.sub_attributes.is_empty() || !elements.is_empty() => {
                elements.retain_mut(prune);
                !elements.is_empty()
            }
            Value::Array(_) => self.keeps(Place { base, attribute, sub: None }),
            value => prune(value),
        }
    }

    fn keeps(&self, place: Place) -> bool {
        match place.leaf_returned() {
            Returned::Always => true,
            Returned::Never => false,
            returned => {
                let asked = match &self.only {
                    Some(only) => only.iter().any(|asked| place.is_under(asked)),
                    None => returned == Returned::Default,
                };
                asked && !self.not.iter().any(|excluded| place.is_under(excluded))
            }
        }
    }
}

/// An attribute, or a sub-attribute, of an answer.
#[derive(Clone, Copy)]
struct Place {
    base: Base,
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
}

impl Place {
    /// A sub-attribute is returned as its attribute is.
    fn leaf_returned(&self) -> Returned {
        match (self.attribute.returned, self.sub) {
            (Returned::Default, Some(sub)) => sub.returned,
            (returned, _) => returned,
        }
    }

    /// Whether a name means this place, or something that it is a part of.
    fn is_under(&self, name: &Resolved) -> bool {
        match name {
            Resolved::Extension(schema) => self.base == Base::Extension(schema),
            Resolved::Attribute(AttributePath { base, attribute, sub }) => {
                self.base == *base
                    && self.attribute.name == attribute.name
                    && sub.is_none_or(|sub| self.sub.is_some_and(|own| own.name == sub.name))
            }
        }
    }
}

fn resolved<'n>(
    kind: ResourceType,
    names: impl IntoIterator<Item = &'n str>,
    notes: &mut Leniencies,
) -> Result<Vec<Resolved>, ScimError> {
    let mut found = Vec::new();
    for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
        if found.len() == limits::PROJECTED {
            return Err(invalid_value(format!("At most {} attributes can be named.", limits::PROJECTED)));
        }
        match resolve(kind, name) {
            Some(resolved) => found.push(resolved),
            None => match core_schema(kind, name) {
                Some(schema) => found.extend(all_of(schema)),
                None => notes.note(Leniency::UnknownAttribute),
            },
        }
    }
    Ok(found)
}

fn core_schema(kind: ResourceType, name: &str) -> Option<&'static Schema> {
    Some(kind.schema()).filter(|schema| schema.id.eq_ignore_ascii_case(name))
}

fn all_of(schema: &'static Schema) -> impl Iterator<Item = Resolved> {
    let path = |attribute| Resolved::Attribute(AttributePath { base: Base::Resource, attribute, sub: None });
    schema.attributes.iter().map(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::directory::schema::ENTERPRISE_USER_URN;

    fn user() -> Map<String, Value> {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_USER_URN],
            "id": "u-1",
            "userName": "ada",
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": "a@b", "type": "work" }, { "type": "home", "value": "c@d" }],
            "groups": [{ "value": "g-1" }],
            "password": "should not be here",
            ENTERPRISE_USER_URN: { "department": "Engines", "manager": { "value": "m" } },
            "meta": { "resourceType": "User", "version": "W/\"1\"" },
        });
        user.as_object().unwrap().clone()
    }

    /// The names that are left beside `schemas` and `id`, as paths.
    fn seen(attributes: Option<&str>, excluded: Option<&str>) -> String {
        let kind = ResourceType::User;
        let projection = Projection::from_query(kind, attributes, excluded, &mut Leniencies::new()).unwrap();
        let object = projection.apply(kind, user());
        assert!(object.contains_key("schemas") && object["id"] == "u-1", "{object:?}");
        let names = object.iter().filter(|(name, _)| *name != "schemas" && *name != "id").map(|(name, value)| {
            let value = if let Value::Array(elements) = value { &elements[0] } else { value };
            let subs = value.as_object().map(|subs| subs.keys().map(String::as_str).collect::<Vec<_>>().join("+"));
            let name = if name == ENTERPRISE_USER_URN { "ext" } else { name };
            subs.map_or(name.to_owned(), |subs| format!("{name}.{subs}"))
        });
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_answer_has_what_was_asked_for() {
        let all =
            "emails.type+value meta.resourceType+version name.familyName+givenName ext.department+manager userName";
        let ext = ENTERPRISE_USER_URN;
        for (attributes, excluded, expected) in [
            (None, None, all),
            (Some(""), None, all),
            (Some("USERNAME"), None, "userName"),
            (Some("name.givenName,emails.value"), None, "emails.value name.givenName"),
            (Some("groups"), None, "groups.value"),
            (Some("password, unknown"), None, ""),
            (Some("meta.version"), None, "meta.version"),
            (Some(ext), None, "ext.department+manager"),
            (Some("urn:ietf:params:scim:schemas:core:2.0:User:userName"), None, "userName"),
            (
                Some("urn:ietf:params:scim:schemas:core:2.0:User"),
                None,
                "emails.type+value groups.value name.familyName+givenName userName",
            ),
            (None, Some("emails,meta,name.familyName,id,schemas"), "name.givenName ext.department+manager userName"),
            (
                None,
                Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
                "emails.type+value meta.resourceType+version name.familyName+givenName ext.department userName",
            ),
            (None, Some(ext), "emails.type+value meta.resourceType+version name.familyName+givenName userName"),
            (Some("userName,emails"), Some("emails"), "userName"),
        ] {
            assert_eq!(seen(attributes, excluded), expected, "{attributes:?} {excluded:?}");
        }
    }

    #[test]
    fn what_is_not_seen_need_not_be_read() {
        let shows = |kind, attributes, excluded, name| {
            Projection::from_query(kind, attributes, excluded, &mut Leniencies::new()).unwrap().shows(kind, name)
        };
        let (user, group) = (ResourceType::User, ResourceType::Group);
        assert!(shows(group, None, None, "members"));
        assert!(!shows(group, None, Some("members"), "members"));
        assert!(!shows(group, Some("displayName"), None, "members"));
        assert!(shows(group, Some("members.value"), None, "members"));
        assert!(!shows(user, None, None, "groups"));
        assert!(shows(user, Some("groups"), None, "groups"));
    }

    #[test]
    fn too_many_names_are_refused() {
        let names = vec!["userName"; limits::PROJECTED + 1].join(",");
        assert!(Projection::from_query(ResourceType::User, Some(&names), None, &mut Leniencies::new()).is_err());
    }
}
