//! Resources: what is stored of a user or a group, and how clients see it.

mod body;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use body::Draft;
pub(super) use body::{check_schemas, read_members};

use super::{
    error::{ScimError, invalid_value},
    limits,
    path::fold,
    schema::{ResourceType, Returned},
    value::is_primary,
};
use crate::clock::Timestamp;

/// What a client said of a user or a group, in canonical spelling: its attributes, and those of an extension in an object
/// under the extension's URN.
///
/// It holds no `id`, `meta` or `schemas`, which the server knows; no `members` and no `groups`, which are edges of their
/// own; no password. Its object's keys are sorted, so that equal resources are equal in every octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub(super) kind: ResourceType,
    pub(super) attributes: Map<String, Value>,
}

/// What the server says of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The identifier.
    pub id: String,
    /// How often it has changed, from 1.
    pub version: u64,
    /// When it came to be.
    pub created: Timestamp,
    /// When it last changed.
    pub last_modified: Timestamp,
}

impl Meta {
    /// The entity tag (RFC 7644, section 3.14): weak, since an answer's octets depend on its projection too.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

impl Resource {
    /// A resource as the store kept it ([`Resource::attributes`]). It is trusted to have been checked when it was written.
    #[must_use]
    pub fn stored(kind: ResourceType, attributes: Map<String, Value>) -> Self {
        Self { kind, attributes }
    }

    /// What the store keeps.
    #[must_use]
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }

    /// The name by which the provider knows a user, as it was written.
    #[must_use]
    pub fn user_name(&self) -> Option<&str> {
        self.text("userName")
    }

    /// The `userName` as it is compared and must be unique.
    #[must_use]
    pub fn folded_user_name(&self) -> Option<String> {
        self.user_name().map(fold)
    }

    /// The identifier that the client gave, whose case matters, and which need not be unique.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// The name to show; a group always has one.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }

    /// Whether a user may have access. One is created active; one whose `active` was taken away is not.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.attributes.get("active") == Some(&Value::Bool(true))
    }

    /// The text that is the user's address for an account: the primary e-mail, else the `userName`. It need not be a
    /// well-formed address.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        let emails = self.attributes.get("emails").and_then(Value::as_array);
        let primary = emails.and_then(|emails| emails.iter().find(|email| is_primary(email)));
        primary.and_then(|email| email.get("value")?.as_str()).or_else(|| self.user_name())
    }

    /// The resource as clients see it, whole: with `schemas`, `id` and `meta` ([`super::Projection`] takes away what was
    /// not asked for). `base` is the address of the service, without a slash at its end.
    #[must_use]
    pub fn render(&self, meta: &Meta, base: &str) -> Map<String, Value> {
        let mut object = self.attributes.clone();
        let extensions = self.kind.extensions().iter().map(|schema| schema.id);
        let schemas: Vec<&str> =
            [self.kind.schema().id].into_iter().chain(extensions.filter(|urn| object.contains_key(*urn))).collect();
        object.insert("schemas".to_owned(), schemas.into());
        object.insert("id".to_owned(), meta.id.as_str().into());
        object.insert(
            "meta".to_owned(),
            json!({
                "resourceType": self.kind.name(),
                "created": meta.created.to_string(),
                "lastModified": meta.last_modified.to_string(),
                "location": self.location(meta, base),
                "version": meta.etag(),
            }),
        );
        object
    }

    /// The address of the resource.
    #[must_use]
    pub fn location(&self, meta: &Meta, base: &str) -> String {
        location(self.kind, &meta.id, base)
    }

    /// Refuses what can not be stored: a required attribute that is missing, a key that is too long, too much of all.
    pub(super) fn check(&self) -> Result<(), ScimError> {
        for attribute in self.kind.schema().attributes {
            if attribute.required && !self.attributes.contains_key(attribute.name) {
                return Err(invalid_value(format!("'{}' is required.", attribute.name)));
            }
        }
        for name in ["userName", "externalId", "displayName"] {
            if self.text(name).is_some_and(|text| fold(text).len() > limits::KEY_BYTES) {
                return Err(invalid_value(format!("'{name}' has more than {} bytes.", limits::KEY_BYTES)));
            }
        }
        if serde_json::to_vec(&self.attributes).map_or(usize::MAX, |bytes| bytes.len()) > limits::RESOURCE_BYTES {
            return Err(invalid_value(format!("The resource has more than {} bytes.", limits::RESOURCE_BYTES)));
        }
        Ok(())
    }
}

fn location(kind: ResourceType, id: &str, base: &str) -> String {
    format!("{base}{}/{id}", kind.endpoint())
}

/// An element of a group's `members`: the user of this id.
#[must_use]
pub fn member(id: &str, display: Option<&str>, base: &str) -> Value {
    edge(ResourceType::User, "User", id, display, base)
}

/// An element of a user's `groups`: the group of this id.
#[must_use]
pub fn group_of_user(id: &str, display: Option<&str>, base: &str) -> Value {
    edge(ResourceType::Group, "direct", id, display, base)
}

fn edge(kind: ResourceType, how: &str, id: &str, display: Option<&str>, base: &str) -> Value {
    let mut edge = json!({ "value": id, "$ref": location(kind, id, base), "type": how });
    if let (Some(display), Some(members)) = (display, edge.as_object_mut()) {
        members.insert("display".to_owned(), display.into());
    }
    edge
}

/// Whether an attribute is part of what the store keeps in the resource itself.
pub(super) fn is_kept(attribute: &super::schema::Attribute) -> bool {
    !attribute.is_read_only() && attribute.returned != Returned::Never && attribute.name != "members"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::leniency::Leniencies;

    const BASE: &str = "https://id.example/scim/v2";

    fn create(kind: ResourceType, body: &Value) -> Draft {
        Resource::create(kind, body, &mut Leniencies::new()).unwrap()
    }

    #[test]
    fn a_user_is_seen_whole() {
        let user = create(
            ResourceType::User,
            &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "Ada@Example.com",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": "m-1" },
            }),
        );
        let meta = Meta {
            id: "u-1".to_owned(),
            version: 3,
            created: "2026-01-02T03:04:05Z".parse().unwrap(),
            last_modified: "2026-01-03T03:04:05.5Z".parse().unwrap(),
        };
        assert_eq!(
            Value::Object(user.resource.render(&meta, BASE)),
            json!({
                "schemas": [
                    "urn:ietf:params:scim:schemas:core:2.0:User",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                ],
                "id": "u-1",
                "userName": "Ada@Example.com",
                "active": true,
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "m-1" } },
                "meta": {
                    "resourceType": "User",
                    "created": "2026-01-02T03:04:05Z",
                    "lastModified": "2026-01-03T03:04:05.5Z",
                    "location": "https://id.example/scim/v2/Users/u-1",
                    "version": "W/\"3\"",
                },
            })
        );
        assert_eq!(user.resource.folded_user_name().unwrap(), "ada@example.com");
    }

    #[test]
    fn the_address_is_the_primary_email_else_the_name() {
        for (emails, address) in [
            (json!(null), "upn@x.example"),
            (json!([{ "value": "other@x.example" }]), "upn@x.example"),
            (json!([{ "value": "a@x.example" }, { "value": "b@x.example", "primary": true }]), "b@x.example"),
            (json!([{ "display": "B", "primary": true }]), "upn@x.example"),
        ] {
            let user = create(ResourceType::User, &json!({ "userName": "upn@x.example", "emails": emails }));
            assert_eq!(user.resource.address(), Some(address));
        }
    }

    #[test]
    fn edges_are_shown_with_their_address() {
        assert_eq!(
            member("u-1", Some("Ada"), BASE),
            json!({ "value": "u-1", "$ref": "https://id.example/scim/v2/Users/u-1", "type": "User", "display": "Ada" })
        );
        assert_eq!(
            group_of_user("g-1", None, BASE),
            json!({ "value": "g-1", "$ref": "https://id.example/scim/v2/Groups/g-1", "type": "direct" })
        );
    }
}
