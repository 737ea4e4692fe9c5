//! Tests of the directory's rules as a whole.

mod differential;
mod entra;
mod filters;
mod okta;
mod others;
mod patches;
mod properties;

use serde_json::{Map, Value, json};

use super::{Draft, Leniencies, Leniency, MemberChange, Meta, Patch, Patched, Resource, ResourceType, ScimError};

const ENTERPRISE: &str = super::schema::ENTERPRISE_USER_URN;
const BASE: &str = "https://id.example/scim/v2";

/// A resource and its members from a POST.
fn created(kind: ResourceType, body: &Value) -> Draft {
    Resource::create(kind, body, &mut Leniencies::new()).unwrap()
}

fn user(body: &Value) -> Resource {
    created(ResourceType::User, body).resource
}

fn group(name: &str) -> Resource {
    created(ResourceType::Group, &json!({ "displayName": name })).resource
}

fn attributes(resource: &Resource) -> Value {
    resource.attributes().clone().into()
}

/// What a PATCH of these operations makes of a resource.
fn patched(resource: &Resource, operations: &Value) -> Result<(Patched, Leniencies), ScimError> {
    let mut notes = Leniencies::new();
    let body = json!({ "schemas": [super::PATCH_URN], "Operations": operations });
    let patched = Patch::parse(resource.kind(), &body, &mut notes)?.apply(resource, &mut notes)?;
    Ok((patched, notes))
}

/// The attributes after a PATCH, and the tolerances that it used.
fn after(resource: &Resource, operations: &Value) -> (Value, Vec<Leniency>) {
    let (patched, notes) = patched(resource, operations).unwrap();
    assert_eq!(patched.changed, patched.resource != *resource);
    assert!(patched.members.is_empty());
    (attributes(&patched.resource), notes.iter().collect())
}

/// What happens to the members of a group, and the tolerances that were used.
fn member_change(operations: &Value) -> (MemberChange, Vec<Leniency>) {
    let before = group("Owners");
    let (patched, notes) = patched(&before, operations).unwrap();
    assert!(!patched.changed && patched.resource == before);
    (patched.members, notes.iter().collect())
}

fn adding(ids: &[&str]) -> MemberChange {
    let mut change = MemberChange::default();
    change.then_add(ids.iter().map(|id| (*id).to_owned()));
    change
}

fn removing(ids: &[&str]) -> MemberChange {
    let mut change = MemberChange::default();
    change.then_remove(ids.iter().map(|id| (*id).to_owned()));
    change
}

fn replacing(ids: &[&str]) -> MemberChange {
    MemberChange::replacing(ids.iter().map(|id| (*id).to_owned()))
}

fn meta() -> Meta {
    Meta {
        id: "u-1".to_owned(),
        version: 1,
        created: "2026-01-02T03:04:05Z".parse().unwrap(),
        last_modified: "2026-01-03T03:04:05Z".parse().unwrap(),
    }
}

fn rendered(resource: &Resource) -> Map<String, Value> {
    resource.render(&meta(), BASE)
}
