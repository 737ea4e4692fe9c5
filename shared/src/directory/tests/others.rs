//! OneLogin, JumpCloud and Ping, whose requests differ from the standard in fewer ways.

use serde_json::json;

use super::*;

#[test]
fn onelogin_sends_empty_strings_and_a_whole_list_of_emails() {
    let before = user(&json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "ada@corp.example",
        "name": { "givenName": "Ada", "familyName": "Lovelace", "formatted": "" },
        "emails": [{ "value": "ada@corp.example", "type": "work", "primary": true }],
        "title": "Analyst",
        ENTERPRISE: { "department": "", "manager": { "value": "", "displayName": "" } },
    }));
    assert_eq!(before.attributes().get(ENTERPRISE), None);
    let (after, notes) = after(
        &before,
        &json!([{
            "op": "replace",
            "value": {
                "title": "",
                "emails": [{ "value": "king@corp.example", "type": "work", "primary": true }],
                ENTERPRISE: { "department": "Engines", "costCenter": "" },
            },
        }]),
    );
    assert_eq!(
        after,
        json!({
            "userName": "ada@corp.example",
            "active": true,
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": "king@corp.example", "type": "work", "primary": true }],
            ENTERPRISE: { "department": "Engines" },
        })
    );
    assert_eq!(notes, [Leniency::EmptyString]);
}

#[test]
fn jumpcloud_puts_whole_users_and_adds_members_by_bare_ids() {
    let before = user(&json!({ "userName": "ada", "emails": [{ "value": "ada@corp.example", "primary": true }] }));
    let mut notes = Leniencies::new();
    let body = json!({
        "userName": "ada",
        "active": "false",
        "emails": { "value": "ada@corp.example", "type": "work", "primary": "true" },
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
    });
    let put = before.replace(&body, &mut notes).unwrap();
    assert_eq!(
        attributes(&put.resource),
        json!({
            "userName": "ada",
            "active": false,
            "emails": [{ "value": "ada@corp.example", "type": "work", "primary": true }],
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
        })
    );
    let used = [Leniency::BooleanAsString, Leniency::SingleValue, Leniency::MissingSchema];
    assert_eq!(notes.iter().collect::<Vec<_>>(), used);
    let (change, _) = member_change(&json!([
        { "op": "add", "path": "members", "value": "u-1" },
        { "op": "add", "path": "members", "value": ["u-2", { "value": "u-3", "display": "x" }] },
    ]));
    assert_eq!(change, adding(&["u-1", "u-2", "u-3"]));
}

#[test]
fn ping_moves_the_primary_and_sends_members_of_its_own() {
    let before = user(&json!({
        "userName": "ada",
        "emails": [{ "value": "a@x.example", "type": "work", "primary": true }, { "value": "b@x.example", "type": "home" }],
    }));
    let (user, notes) = after(
        &before,
        &json!([
            { "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true, "id": "1" },
            { "op": "replace", "path": "name", "value": { "givenName": "Ada", "familyName": "Lovelace" } },
            { "op": "replace", "path": "name", "value": { "familyName": "King" } },
        ]),
    );
    assert_eq!(
        user,
        json!({
            "userName": "ada",
            "active": true,
            "emails": [
                { "value": "a@x.example", "type": "work", "primary": false },
                { "value": "b@x.example", "type": "home", "primary": true },
            ],
            "name": { "givenName": "Ada", "familyName": "King" },
        })
    );
    assert_eq!(notes, [Leniency::UnknownOperationMember]);
}
