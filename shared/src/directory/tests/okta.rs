//! Okta.

use serde_json::json;

use super::*;

/// A user as Okta creates it.
fn body() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@corp.example",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "primary": true, "value": "ada@corp.example", "type": "work" }],
        "displayName": "Ada Lovelace",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    })
}

#[test]
fn a_put_of_what_a_get_gave_drops_nothing() {
    let before = user(&body());
    let mut got = Value::from(rendered(&before));
    assert_eq!(got.get("password"), None);
    got["groups"] = json!([]);
    got["title"] = json!("");
    got["nickName"] = json!(null);
    got["phoneNumbers"] = json!([{ "type": "mobile", "value": "" }]);
    let mut notes = Leniencies::new();
    let put = before.replace(&got, &mut notes).unwrap();
    assert_eq!((put.resource, put.members), (before, None));
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Leniency::EmptyString]);
}

#[test]
fn a_put_changes_what_it_says() {
    let before = user(&body());
    let mut got = Value::from(rendered(&before));
    got["active"] = json!(false);
    got["name"]["familyName"] = json!("King");
    got["emails"] = json!([{ "primary": true, "value": "king@corp.example", "type": "work" }]);
    let after = before.replace(&got, &mut Leniencies::new()).unwrap().resource;
    assert_eq!(
        attributes(&after),
        json!({
            "userName": "ada@corp.example",
            "name": { "givenName": "Ada", "familyName": "King" },
            "emails": [{ "primary": true, "value": "king@corp.example", "type": "work" }],
            "displayName": "Ada Lovelace",
            "locale": "en-US",
            "externalId": "00ujl29u0le5T6Aj10h7",
            "active": false,
        })
    );
    assert!(!after.is_active() && after.address() == Some("king@corp.example"));
}

#[test]
fn a_deactivation_has_no_path() {
    let (user, notes) = after(&user(&body()), &json!([{ "op": "replace", "value": { "active": false } }]));
    assert_eq!((&user["active"], notes), (&json!(false), vec![]));
}

#[test]
fn a_password_is_taken_and_never_kept() {
    let before = user(&body());
    for operation in [
        json!({ "op": "replace", "value": { "password": "GoodDay!1" } }),
        json!({ "op": "replace", "path": "password", "value": "GoodDay!1" }),
    ] {
        let (patched, _) = patched(&before, &json!([operation])).unwrap();
        assert_eq!((patched.changed, patched.resource), (false, before.clone()));
    }
}

#[test]
fn a_rename_comes_with_every_membership_change() {
    let before = group("Owners");
    let operations = json!([
        { "op": "replace", "value": { "id": "g-1", "displayName": "Owners" } },
        { "op": "remove", "path": "members[value eq \"u-1\"]" },
        { "op": "add", "path": "members", "value": [{ "value": "u-2", "display": "grace@corp.example" }] },
    ]);
    let (patched, notes) = patched(&before, &operations).unwrap();
    assert!(!patched.changed, "the name is the same");
    let mut change = removing(&["u-1"]);
    change.then_add(["u-2".to_owned()]);
    assert_eq!(patched.members, change);
    assert_eq!(notes.iter().collect::<Vec<_>>(), [Leniency::ReadOnlyAttribute]);
}

#[test]
fn all_members_are_replaced() {
    let value = json!([{ "value": "u-1", "display": "a" }, { "value": "u-2" }, { "value": "u-1" }]);
    let (change, notes) = member_change(&json!([{ "op": "replace", "path": "members", "value": value }]));
    assert_eq!((change, notes), (replacing(&["u-1", "u-2"]), vec![]));
    let (none, _) = member_change(&json!([{ "op": "replace", "path": "members", "value": [] }]));
    assert_eq!(none, replacing(&[]));
    let put = group("Owners").replace(&json!({ "displayName": "Owners", "members": value }), &mut Leniencies::new());
    assert_eq!(put.unwrap().members, Some(vec!["u-1".to_owned(), "u-2".to_owned()]));
}
