//! Bodies of POST and PUT (RFC 7644, sections 3.3 and 3.5.1).

use serde_json::{Map, Value};

use super::{Resource, is_kept};
use crate::directory::{
    error::{ScimError, invalid_syntax, invalid_value},
    leniency::{Leniencies, Leniency},
    limits,
    path::is_urn,
    schema::{Attribute, ResourceType, Schema},
    value::{as_list, once, read, read_one},
};

/// What a body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The resource to store.
    pub resource: Resource,
    /// The ids of a group's members, each once, in the order given; nothing where the body does not say, which leaves
    /// them as they are.
    pub members: Option<Vec<String>>,
}

impl Resource {
    /// A new resource from a client's body. Read-only attributes are ignored, and unknown ones are too, with a note. A
    /// user is active unless the body says otherwise.
    ///
    /// # Errors
    /// `invalidSyntax` for a body that is no such message, `invalidValue` for a value that its attribute does not take,
    /// a required attribute that is missing, or too much of something ([`limits`]).
    pub fn create(kind: ResourceType, body: &Value, notes: &mut Leniencies) -> Result<Draft, ScimError> {
        draft(kind, body, Value::Bool(true), notes)
    }

    /// The resource as a client's body replaces it. What the body leaves out is cleared, but for two things that decide
    /// who has access, which stay as they are: whether a user is active, and a group's members.
    ///
    /// # Errors
    /// As [`Resource::create`].
    pub fn replace(&self, body: &Value, notes: &mut Leniencies) -> Result<Draft, ScimError> {
        draft(self.kind, body, self.is_active().into(), notes)
    }
}

fn draft(kind: ResourceType, body: &Value, active: Value, notes: &mut Leniencies) -> Result<Draft, ScimError> {
    let Value::Object(body) = body else {
        return Err(invalid_syntax("The body is not a JSON object."));
    };
    check_schemas(kind.schema().id, |urn| kind.extension(urn).is_some(), body, notes)?;
    let mut attributes = Map::new();
    let mut members = None;
    let mut seen = Vec::new();
    for (key, value) in body {
        if let Some(schema) = kind.extension(key) {
            once(&mut seen, schema.id)?;
            if let Some(extension) = read_extension(schema, value, notes)? {
                attributes.insert(schema.id.to_owned(), extension.into());
            }
            continue;
        }
        let Some(attribute) = kind.attribute(key) else {
            notes.note(if is_urn(key) { Leniency::UnknownSchema } else { Leniency::UnknownAttribute });
            continue;
        };
        once(&mut seen, attribute.name)?;
        if attribute.name == "members" {
            members = Some(read_members(attribute, value, notes)?);
        } else if !attribute.is_read_only()
            && let Some(value) = read(attribute, value, notes)?
            && is_kept(attribute)
        {
            attributes.insert(attribute.name.to_owned(), value);
        }
    }
    if kind == ResourceType::User && !attributes.contains_key("active") {
        attributes.insert("active".to_owned(), active);
    }
    let resource = Resource { kind, attributes };
    resource.check()?;
    Ok(Draft { resource, members })
}

/// Notes schemas that are missing or unknown. Clients list schemas of their own, which mean nothing here.
pub(in crate::directory) fn check_schemas(
    expected: &str,
    known: impl Fn(&str) -> bool,
    body: &Map<String, Value>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    let given = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas"));
    let given = match given.map(|(_, value)| value) {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(given)) => given,
        Some(_) => return Err(invalid_syntax("'schemas' is a list of URNs.")),
    };
    let mut found = false;
    for urn in given {
        let Some(urn) = urn.as_str() else {
            return Err(invalid_syntax("'schemas' is a list of URNs."));
        };
        if urn.eq_ignore_ascii_case(expected) {
            found = true;
        } else if !known(urn) {
            notes.note(Leniency::UnknownSchema);
        }
    }
    if !found {
        notes.note(Leniency::MissingSchema);
    }
    Ok(())
}

/// The object of an extension, or nothing where it is empty.
fn read_extension(
    schema: &Schema,
    value: &Value,
    notes: &mut Leniencies,
) -> Result<Option<Map<String, Value>>, ScimError> {
    let given = match value {
        Value::Object(given) => given,
        Value::Null => return Ok(None),
        _ => return Err(invalid_value(format!("'{}' is an object of its attributes.", schema.id))),
    };
    let mut read_ones = Map::new();
    let mut seen = Vec::new();
    for (key, value) in given {
        let Some(attribute) = schema.attribute(key) else {
            notes.note(Leniency::UnknownAttribute);
            continue;
        };
        once(&mut seen, attribute.name)?;
        if let Some(value) = read(attribute, value, notes)? {
            read_ones.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(if read_ones.is_empty() { None } else { Some(read_ones) })
}

/// The ids of members, each once, in the order given.
pub(in crate::directory) fn read_members(
    attribute: &Attribute,
    value: &Value,
    notes: &mut Leniencies,
) -> Result<Vec<String>, ScimError> {
    let mut seen = std::collections::BTreeSet::new();
    let mut ids = Vec::new();
    for element in as_list(value, notes) {
        let element = read_one(attribute, element, notes)?.unwrap_or_default();
        let id = element.get("value").and_then(Value::as_str);
        let id = id.ok_or_else(|| invalid_value("A member has no 'value', which is its id."))?;
        if id.len() > limits::KEY_BYTES {
            return Err(invalid_value(format!("A member's id has more than {} bytes.", limits::KEY_BYTES)));
        }
        let kind = element.get("type").and_then(Value::as_str);
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("User")) {
            return Err(invalid_value("Members are users; groups within groups are not supported."));
        }
        if seen.insert(id.to_owned()) {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn create(kind: ResourceType, body: &Value) -> Result<(Value, Option<Vec<String>>), ScimError> {
        let draft = Resource::create(kind, body, &mut Leniencies::new())?;
        Ok((draft.resource.attributes().clone().into(), draft.members))
    }

    #[test]
    fn what_the_server_knows_is_ignored() {
        let (user, members) = create(
            ResourceType::User,
            &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:okta:custom"],
                "id": "mine",
                "meta": { "version": "W/\"9\"" },
                "groups": [],
                "USERNAME": "ada",
                "password": "correct horse",
                "custom": true,
                "urn:okta:custom": { "a": 1 },
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {},
            }),
        )
        .unwrap();
        assert_eq!(user, json!({ "userName": "ada", "active": true }));
        assert_eq!(members, None);
    }

    #[test]
    fn members_are_apart_from_the_group() {
        let (group, members) = create(
            ResourceType::Group,
            &json!({
                "displayName": "Owners",
                "members": [{ "value": "a", "$ref": null, "display": "A", "type": "User" }, "b", { "value": "a" }],
            }),
        )
        .unwrap();
        assert_eq!(group, json!({ "displayName": "Owners" }));
        assert_eq!(members, Some(vec!["a".to_owned(), "b".to_owned()]));
        let (_, none) = create(ResourceType::Group, &json!({ "displayName": "Owners", "members": [] })).unwrap();
        assert_eq!(none, Some(vec![]));
    }

    #[test]
    fn bad_bodies_are_refused() {
        let long = "x".repeat(limits::KEY_BYTES + 1);
        for (kind, body, scim_type) in [
            (ResourceType::User, json!([]), "invalidSyntax"),
            (ResourceType::User, json!({ "userName": "a", "schemas": "x" }), "invalidSyntax"),
            (ResourceType::User, json!({ "userName": "a", "username": "b" }), "invalidSyntax"),
            (ResourceType::User, json!({}), "invalidValue"),
            (ResourceType::User, json!({ "userName": "" }), "invalidValue"),
            (ResourceType::User, json!({ "userName": long }), "invalidValue"),
            (ResourceType::User, json!({ "userName": "a", "externalId": long }), "invalidValue"),
            (ResourceType::User, json!({ "userName": "a", "password": [] }), "invalidValue"),
            (
                ResourceType::User,
                json!({ "userName": "a", "title": "x".repeat(limits::RESOURCE_BYTES) }),
                "invalidValue",
            ),
            (ResourceType::Group, json!({ "externalId": "a" }), "invalidValue"),
            (ResourceType::Group, json!({ "displayName": "a", "members": [{ "display": "x" }] }), "invalidValue"),
            (
                ResourceType::Group,
                json!({ "displayName": "a", "members": [{ "value": "x", "type": "Group" }] }),
                "invalidValue",
            ),
        ] {
            let refused = create(kind, &body).unwrap_err();
            assert_eq!(refused.scim_type.unwrap().as_str(), scim_type, "{refused}");
        }
    }

    #[test]
    fn a_replacement_clears_what_it_leaves_out_but_not_access() {
        let body = json!({ "userName": "ada", "title": "Countess", "active": false });
        let user = Resource::create(ResourceType::User, &body, &mut Leniencies::new()).unwrap().resource;
        let replaced = user.replace(&json!({ "userName": "ada" }), &mut Leniencies::new()).unwrap().resource;
        assert_eq!(Value::from(replaced.attributes().clone()), json!({ "userName": "ada", "active": false }));
    }
}
