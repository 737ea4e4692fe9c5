//! Microsoft Entra ID, with its flag `aadOptscim062020` and without.

use serde_json::json;

use super::*;
use crate::directory::Filter;

/// A user as Entra creates it.
fn ada() -> Resource {
    let mut notes = Leniencies::new();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "ada",
        "userName": "Ada@contoso.example",
        "active": true,
        "displayName": "Ada Lovelace",
        "emails": [{ "primary": true, "type": "work", "value": "ada@contoso.example" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada" },
        "roles": [],
    });
    let user = Resource::create(ResourceType::User, &body, &mut notes).unwrap().resource;
    assert!(notes.is_empty());
    assert_eq!(
        attributes(&user),
        json!({
            "externalId": "ada",
            "userName": "Ada@contoso.example",
            "active": true,
            "displayName": "Ada Lovelace",
            "emails": [{ "primary": true, "type": "work", "value": "ada@contoso.example" }],
            "name": { "formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada" },
        })
    );
    user
}

#[test]
fn a_rename_and_a_deactivation_in_one_patch_both_hold() {
    let (user, notes) = after(
        &ada(),
        &json!([
            { "op": "Replace", "path": "userName", "value": "ada.king@contoso.example" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ada.king@contoso.example" },
            { "op": "Replace", "path": "name.familyName", "value": "King" },
            { "op": "Replace", "path": "active", "value": "False" },
        ]),
    );
    assert_eq!(
        user,
        json!({
            "externalId": "ada",
            "userName": "ada.king@contoso.example",
            "active": false,
            "displayName": "Ada Lovelace",
            "emails": [{ "primary": true, "type": "work", "value": "ada.king@contoso.example" }],
            "name": { "formatted": "Ada Lovelace", "familyName": "King", "givenName": "Ada" },
        })
    );
    assert_eq!(notes, [Leniency::BooleanAsString, Leniency::OperationCase]);
}

#[test]
fn keys_of_a_value_are_paths() {
    let bare = user(&json!({ "userName": "ada", "title": "Analyst" }));
    let (user, notes) = after(
        &bare,
        &json!([{
            "op": "Add",
            "value": {
                "name.givenName": "Ada",
                "emails[type eq \"work\"].value": "ada@contoso.example",
                "emails[type eq \"work\"].primary": "True",
                "addresses[type eq \"work\"].country": "GB",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Engines",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager": "m-1",
                "title": "",
            },
        }]),
    );
    assert_eq!(
        user,
        json!({
            "userName": "ada",
            "active": true,
            "name": { "givenName": "Ada" },
            "emails": [{ "type": "work", "value": "ada@contoso.example", "primary": true }],
            "addresses": [{ "type": "work", "country": "GB" }],
            ENTERPRISE: { "department": "Engines", "manager": { "value": "m-1" } },
        })
    );
    for leniency in [Leniency::KeyAsPath, Leniency::Upsert, Leniency::BareValue, Leniency::EmptyString] {
        assert!(notes.contains(&leniency), "{leniency}");
    }
}

#[test]
fn a_path_that_matches_nothing_creates_its_element() {
    let (user, _) = after(
        &ada(),
        &json!([
            { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+44 1" },
            { "op": "Add", "path": "emails[type eq \"other\" and primary eq false].value", "value": "a@other.example" },
            { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "admin" },
        ]),
    );
    assert_eq!(user["phoneNumbers"], json!([{ "type": "mobile", "value": "+44 1" }]));
    assert_eq!(user["emails"][1], json!({ "type": "other", "primary": false, "value": "a@other.example" }));
    assert_eq!(user["emails"][0]["primary"], true);
    assert_eq!(user["roles"], json!([{ "primary": true, "value": "admin" }]));
}

#[test]
fn the_order_of_an_elements_parts_does_not_matter() {
    let bare = user(&json!({ "userName": "ada" }));
    let (user, _) = after(
        &bare,
        &json!([
            { "op": "Add", "path": "emails[type eq \"work\"].primary", "value": true },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@contoso.example" },
        ]),
    );
    assert_eq!(user["emails"], json!([{ "type": "work", "primary": true, "value": "a@contoso.example" }]));
    // A preference for nothing takes nothing from the others.
    let (user, _) =
        after(&ada(), &json!([{ "op": "Add", "path": "emails[type eq \"home\"].primary", "value": "True" }]));
    assert_eq!(user["emails"], json!([{ "type": "work", "primary": true, "value": "ada@contoso.example" }]));
}

#[test]
fn an_empty_string_clears() {
    let (user, notes) = after(
        &ada(),
        &json!([
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "" },
            { "op": "Replace", "path": "name.formatted", "value": "" },
            { "op": "Replace", "path": "displayName", "value": "" },
        ]),
    );
    assert_eq!(
        user,
        json!({
            "externalId": "ada",
            "userName": "Ada@contoso.example",
            "active": true,
            "name": { "familyName": "Lovelace", "givenName": "Ada" },
        })
    );
    assert_eq!(notes, [Leniency::EmptyString, Leniency::OperationCase]);
}

#[test]
fn a_manager_is_a_bare_string_and_answered_as_an_object() {
    let path = format!("{ENTERPRISE}:manager");
    let add = json!([{ "op": "Add", "path": path, "value": "m-1" }]);
    let (first, _) = patched(&ada(), &add).unwrap();
    assert_eq!(rendered(&first.resource)[ENTERPRISE], json!({ "manager": { "value": "m-1" } }));
    let object = json!([{ "op": "Replace", "path": path, "value": { "$ref": "../Users/m-2", "value": "m-2" } }]);
    let (second, _) = patched(&first.resource, &object).unwrap();
    let (third, _) = patched(&second.resource, &json!([{ "op": "Replace", "path": path, "value": "m-3" }])).unwrap();
    assert_eq!(rendered(&third.resource)[ENTERPRISE], json!({ "manager": { "value": "m-3" } }));
    for cleared in [json!({ "op": "Remove", "path": path }), json!({ "op": "Replace", "path": path, "value": "" })] {
        let (user, _) = after(&third.resource, &json!([cleared]));
        assert_eq!(user, attributes(&ada()));
    }
}

#[test]
fn members_with_the_flag_and_without() {
    for (operations, change, notes) in [
        (
            json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "u-1" }, { "value": "u-2" }] }]),
            adding(&["u-1", "u-2"]),
            vec![Leniency::OperationCase],
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "u-1" }] }]),
            removing(&["u-1"]),
            vec![Leniency::OperationCase, Leniency::RemoveWithValue],
        ),
        (json!([{ "op": "remove", "path": "members[value eq \"u-1\"]" }]), removing(&["u-1"]), vec![]),
        (json!([{ "op": "add", "path": "members", "value": [{ "value": "u-1" }] }]), adding(&["u-1"]), vec![]),
    ] {
        assert_eq!(member_change(&operations), (change, notes), "{operations}");
    }
}

#[test]
fn what_the_flag_changes_is_understood() {
    for operations in [
        json!([{ "op": "replace", "path": "active", "value": false }]),
        json!([{ "op": "replace", "value": { "active": false } }]),
    ] {
        let (user, notes) = after(&ada(), &operations);
        assert_eq!((&user["active"], notes), (&json!(false), vec![]));
    }
}

#[test]
fn a_filter_outside_of_the_grammar_is_understood() {
    let mut notes = Leniencies::new();
    let text = "emails[type eq \"work\"].value eq \"ADA@contoso.example\"";
    let filter = Filter::parse(ResourceType::User, text, &mut notes).unwrap();
    assert_eq!(filter.to_string(), "emails[type eq \"work\" and value eq \"ADA@contoso.example\"]");
    assert!(notes.contains(Leniency::ValuePathComparison));
    assert!(filter.matches(&rendered(&ada())));
    let home = Filter::parse(ResourceType::User, &text.replace("work", "home"), &mut notes).unwrap();
    assert!(!home.matches(&rendered(&ada())));
}

#[test]
fn a_group_has_a_schema_of_microsofts() {
    let mut notes = Leniencies::new();
    let body = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        ],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Owners",
        "meta": { "resourceType": "Group" },
    });
    let draft = Resource::create(ResourceType::Group, &body, &mut notes).unwrap();
    assert_eq!(
        attributes(&draft.resource),
        json!({ "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159", "displayName": "Owners" })
    );
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Leniency::UnknownSchema]);
}
