//! The discovery documents (RFC 7643, sections 5 to 7; RFC 7644, section 4), written from the schemas.

use serde_json::{Map, Value, json};

use super::{Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};
use crate::directory::{
    limits,
    list::{DEFAULT_PAGE, MAX_PAGE},
};

const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// The documents at `/Schemas`, each served at `/Schemas/{id}` too. `base` is the address of the service, without a
/// slash at its end.
#[must_use]
pub fn schemas(base: &str) -> Vec<Map<String, Value>> {
    let of_type = |kind: ResourceType| [kind.schema()].into_iter().chain(kind.extensions().iter().copied());
    ResourceType::ALL.into_iter().flat_map(of_type).map(|schema| schema_document(schema, base)).collect()
}

fn schema_document(schema: &Schema, base: &str) -> Map<String, Value> {
    object(json!({
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(attribute_document).collect::<Vec<_>>(),
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id) },
    }))
}

fn attribute_document(attribute: &Attribute) -> Value {
    let mut document = object(json!({
        "name": attribute.name,
        "type": kind(attribute.kind),
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "mutability": mutability(attribute.mutability),
        "returned": returned(attribute.returned),
        "uniqueness": uniqueness(attribute.uniqueness),
    }));
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    // These have no meaning for some types (RFC 7643, section 7).
    if !matches!(attribute.kind, Kind::Complex | Kind::Boolean | Kind::DateTime) {
        add("caseExact", attribute.case_exact.into());
    }
    if !attribute.canonical_values.is_empty() {
        add("canonicalValues", attribute.canonical_values.into());
    }
    if attribute.kind == Kind::Reference {
        add("referenceTypes", attribute.reference_types.into());
    }
    if attribute.kind == Kind::Complex {
        add("subAttributes", attribute.sub_attributes.iter().map(attribute_document).collect());
    }
    document.into()
}

/// The documents at `/ResourceTypes`, each served at `/ResourceTypes/{id}` too.
#[must_use]
pub fn resource_types(base: &str) -> Vec<Map<String, Value>> {
    let document = |kind: ResourceType| {
        let name = kind.name();
        let extension = |schema: &&'static Schema| json!({ "schema": schema.id, "required": false });
        object(json!({
            "schemas": [RESOURCE_TYPE_URN],
            "id": name,
            "name": name,
            "description": kind.schema().description,
            "endpoint": kind.endpoint(),
            "schema": kind.schema().id,
            "schemaExtensions": kind.extensions().iter().map(extension).collect::<Vec<_>>(),
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
        }))
    };
    ResourceType::ALL.into_iter().map(document).collect()
}

/// The document at `/ServiceProviderConfig`. `cursor_seconds` is how long a cursor can be used (RFC 9865, section 4).
#[must_use]
pub fn service_provider_config(base: &str, cursor_seconds: u64) -> Map<String, Value> {
    object(json!({
        "schemas": [CONFIG_URN],
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": limits::BULK_OPERATIONS,
            "maxPayloadSize": limits::BODY_BYTES,
        },
        "filter": { "supported": true, "maxResults": MAX_PAGE },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_PAGE,
            "maxPageSize": MAX_PAGE,
            "cursorTimeout": cursor_seconds,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the directory, in the Authorization header.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Boolean => "boolean",
        Kind::DateTime => "dateTime",
        Kind::Reference => "reference",
        Kind::Binary => "binary",
        Kind::Complex => "complex",
    }
}

fn mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadOnly => "readOnly",
        Mutability::ReadWrite => "readWrite",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

fn returned(returned: Returned) -> &'static str {
    match returned {
        Returned::Always => "always",
        Returned::Never => "never",
        Returned::Default => "default",
        Returned::Request => "request",
    }
}

fn uniqueness(uniqueness: Uniqueness) -> &'static str {
    match uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://scim.example/v2";

    /// Names and types of every attribute, as the schema document tells them.
    fn described(document: &Map<String, Value>) -> Vec<String> {
        fn collect(attributes: &Value, prefix: &str, found: &mut Vec<String>) {
            for attribute in attributes.as_array().unwrap() {
                let name = attribute["name"].as_str().unwrap();
                let list = if attribute["multiValued"] == true { "[]" } else { "" };
                found.push(format!("{prefix}{name}: {}{list}", attribute["type"].as_str().unwrap()));
                if let Some(subs) = attribute.get("subAttributes") {
                    collect(subs, &format!("{prefix}{name}."), found);
                }
            }
        }
        let mut found = Vec::new();
        collect(&document["attributes"], "", &mut found);
        found
    }

    #[test]
    fn schemas_are_described_as_they_are() {
        let documents = schemas(BASE);
        let ids: Vec<&Value> = documents.iter().map(|document| &document["id"]).collect();
        assert_eq!(ids, [super::super::USER_URN, super::super::ENTERPRISE_USER_URN, super::super::GROUP_URN]);
        assert_eq!(
            described(&documents[2]),
            [
                "displayName: string",
                "members: complex[]",
                "members.value: string",
                "members.$ref: reference",
                "members.type: string",
                "members.display: string",
            ]
        );
        let user = described(&documents[0]);
        assert!(user.contains(&"emails.primary: boolean".to_owned()));
        assert!(user.contains(&"x509Certificates.value: binary".to_owned()));
        assert_eq!(documents[2]["attributes"][0]["required"], true);
        assert_eq!(documents[0]["meta"]["location"], format!("{BASE}/Schemas/{}", super::super::USER_URN));
    }

    #[test]
    fn the_password_is_never_returned() {
        let documents = schemas(BASE);
        let attributes = documents[0]["attributes"].as_array().unwrap();
        let password = attributes.iter().find(|attribute| attribute["name"] == "password").unwrap();
        assert_eq!((&password["mutability"], &password["returned"]), (&json!("writeOnly"), &json!("never")));
    }

    #[test]
    fn the_service_says_what_it_can() {
        let config = service_provider_config(BASE, 3600);
        assert_eq!(config["pagination"]["defaultPaginationMethod"], "index");
        assert_eq!(config["pagination"]["cursorTimeout"], 3600);
        assert_eq!(config["bulk"]["maxOperations"], 1000);
        let types = resource_types(BASE);
        assert_eq!(types[0]["schemaExtensions"][0]["schema"], super::super::ENTERPRISE_USER_URN);
        assert_eq!(types[1]["endpoint"], "/Groups");
    }
}
