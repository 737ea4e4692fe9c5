//! PATCH by the rules of RFC 7644, section 3.5.2.

use serde_json::json;

use super::*;

fn ada() -> Resource {
    user(&json!({
        "userName": "ada",
        "title": "Analyst",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [
            { "value": "a@x.example", "type": "work", "primary": true },
            { "value": "b@x.example", "type": "home", "display": "B" },
        ],
        ENTERPRISE: { "department": "Engines", "division": "One" },
    }))
}

/// The user with some attributes set to other values, or taken away by `null`.
fn ada_with(changes: &Value) -> Value {
    let mut user = ada().attributes().clone();
    for (name, value) in changes.as_object().unwrap() {
        user.remove(name);
        if !value.is_null() {
            user.insert(name.clone(), value.clone());
        }
    }
    user.into()
}

#[test]
fn each_operation_does_what_the_rfc_says() {
    let work = json!({ "value": "a@x.example", "type": "work", "primary": true });
    let home = json!({ "value": "b@x.example", "type": "home", "display": "B" });
    for (operation, changes) in [
        (json!({ "op": "add", "path": "title", "value": "Countess" }), json!({ "title": "Countess" })),
        (json!({ "op": "remove", "path": "title" }), json!({ "title": null })),
        (json!({ "op": "replace", "path": "title", "value": null }), json!({ "title": null })),
        (json!({ "op": "remove", "path": "name.givenName" }), json!({ "name": { "familyName": "Lovelace" } })),
        (
            json!({ "op": "add", "path": "name", "value": { "middleName": "King", "givenName": null } }),
            json!({ "name": { "familyName": "Lovelace", "middleName": "King" } }),
        ),
        (json!({ "op": "remove", "path": "name" }), json!({ "name": null })),
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "c@x.example", "primary": true }] }),
            json!({ "emails": [
                { "value": "a@x.example", "type": "work", "primary": false },
                home,
                { "value": "c@x.example", "primary": true },
            ] }),
        ),
        // What is there already is not added again.
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "B@x.example", "type": "HOME" }] }),
            json!({ "emails": [work, { "value": "B@x.example", "type": "HOME", "display": "B" }] }),
        ),
        (
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "c@x.example" }] }),
            json!({ "emails": [{ "value": "c@x.example" }] }),
        ),
        (json!({ "op": "replace", "path": "emails", "value": [] }), json!({ "emails": null })),
        (json!({ "op": "remove", "path": "emails" }), json!({ "emails": null })),
        (json!({ "op": "remove", "path": "emails[type eq \"work\"]" }), json!({ "emails": [home] })),
        (json!({ "op": "remove", "path": "emails[type eq \"none\"]" }), json!({})),
        (
            json!({ "op": "remove", "path": "emails", "value": [{ "value": "A@X.example" }] }),
            json!({ "emails": [home] }),
        ),
        (
            json!({ "op": "remove", "path": "emails[value sw \"b@\"].display" }),
            json!({ "emails": [work, { "value": "b@x.example", "type": "home" }] }),
        ),
        // The sub-attributes that the value does not name stay.
        (
            json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "c@x.example" } }),
            json!({ "emails": [work, { "value": "c@x.example", "type": "home", "display": "B" }] }),
        ),
        (
            json!({ "op": "replace", "path": "emails[not (type eq \"work\")].type", "value": "other" }),
            json!({ "emails": [work, { "value": "b@x.example", "type": "other", "display": "B" }] }),
        ),
        (
            json!({ "op": "replace", "path": "emails.primary", "value": false }),
            json!({ "emails": [
                { "value": "a@x.example", "type": "work", "primary": false },
                { "value": "b@x.example", "type": "home", "display": "B", "primary": false },
            ] }),
        ),
        (
            json!({ "op": "replace", "path": ENTERPRISE, "value": { "department": "Looms" } }),
            json!({ ENTERPRISE: { "department": "Looms", "division": "One" } }),
        ),
        (json!({ "op": "remove", "path": ENTERPRISE }), json!({ ENTERPRISE: null })),
        (
            json!({ "op": "remove", "path": format!("{ENTERPRISE}:division") }),
            json!({ ENTERPRISE: { "department": "Engines" } }),
        ),
        (
            json!({ "op": "add", "value": { "TITLE": "Countess", "Name": { "familyname": "King" }, "nothing": 1 } }),
            json!({ "title": "Countess", "name": { "givenName": "Ada", "familyName": "King" } }),
        ),
        (
            json!({ "op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:nickName", "value": "A" }),
            json!({ "nickName": "A" }),
        ),
    ] {
        let (user, _) = after(&ada(), &json!([operation]));
        assert_eq!(user, ada_with(&changes), "{operation}");
    }
}

#[test]
fn what_can_not_be_is_refused_and_nothing_holds() {
    for (operation, scim_type) in [
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "replace", "path": "userName", "value": "" }), "invalidValue"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "replace", "path": "meta.version", "value": "x" }), "mutability"),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
        (json!({ "op": "add", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "x" }), "mutability"),
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "remove", "path": "" }), "noTarget"),
        (json!({ "op": "replace", "path": "emails[type co \"x\"].value", "value": "x" }), "noTarget"),
        (json!({ "op": "replace", "path": "emails[value eq \"x\"].value", "value": "y" }), "noTarget"),
        (
            json!({ "op": "replace", "path": "emails[type eq \"x\"]", "value": { "type": "y", "value": "z" } }),
            "noTarget",
        ),
        (json!({ "op": "replace", "path": "nothing", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "name.nothing", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "urn:x:y:title", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"]x", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"].nothing", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": 7, "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[type eq work]", "value": 1 }), "invalidFilter"),
        (json!({ "op": "replace", "path": "name[givenName eq \"x\"]", "value": 1 }), "invalidFilter"),
        (json!({ "op": "replace", "path": "title", "value": ["x"] }), "invalidValue"),
        (json!({ "op": "replace", "path": "emails.primary", "value": true }), "invalidValue"),
        (
            json!({ "op": "replace", "path": "emails", "value": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            "invalidValue",
        ),
        (json!({ "op": "replace", "path": ENTERPRISE, "value": "x" }), "invalidValue"),
        (json!({ "op": "replace", "value": "x" }), "invalidSyntax"),
        (json!({ "op": "replace", "path": "title" }), "invalidSyntax"),
        (json!({ "op": "move", "path": "title", "value": "x" }), "invalidSyntax"),
        (json!({ "path": "title", "value": "x" }), "invalidSyntax"),
        (json!({ "op": "add", "OP": "remove", "path": "title", "value": "x" }), "invalidSyntax"),
        (json!("x"), "invalidSyntax"),
    ] {
        let refused = patched(&ada(), &json!([{ "op": "replace", "path": "title", "value": "x" }, operation]));
        let refused = refused.map(|(patched, _)| patched).unwrap_err();
        assert_eq!((refused.status, refused.scim_type.unwrap().as_str()), (400, scim_type), "{operation}: {refused}");
    }
    for body in [json!(1), json!({}), json!({ "Operations": {} }), json!({ "Operations": [] })] {
        let refused = Patch::parse(ResourceType::User, &body, &mut Leniencies::new()).unwrap_err();
        assert_eq!(refused.scim_type.unwrap().as_str(), "invalidSyntax", "{body}");
    }
    let many = json!({ "Operations": vec![json!({ "op": "remove", "path": "title" }); 1001] });
    assert!(Patch::parse(ResourceType::User, &many, &mut Leniencies::new()).is_err());
}

#[test]
fn what_changes_nothing_is_known() {
    for operations in [
        json!([{ "op": "replace", "path": "title", "value": "Analyst" }]),
        json!([{ "op": "replace", "value": { "active": "True" } }]),
        json!([{ "op": "add", "path": "emails", "value": { "value": "a@x.example", "type": "work" } }]),
        json!([{ "op": "remove", "path": "nickName" }]),
        json!([{ "op": "add", "path": "nickName", "value": "A" }, { "op": "remove", "path": "nickName" }]),
    ] {
        let (patched, _) = patched(&ada(), &operations).unwrap();
        assert_eq!((patched.changed, patched.resource), (false, ada()), "{operations}");
    }
}

#[test]
fn changes_of_members_are_put_together_in_order() {
    for (operations, expected) in [
        (json!([{ "op": "remove", "path": "members" }]), replacing(&[])),
        (json!([{ "op": "remove", "path": "members", "value": [] }]), MemberChange::default()),
        (
            json!([
                { "op": "add", "path": "members", "value": ["a", "b"] },
                { "op": "remove", "path": "members[value eq \"a\" or value eq \"c\"]" },
                { "op": "add", "value": { "members": [{ "value": "c" }] } },
            ]),
            {
                let mut change = removing(&["a"]);
                change.then_add(["b".to_owned(), "c".to_owned()]);
                change
            },
        ),
        (
            json!([
                { "op": "add", "path": "members", "value": ["a"] },
                { "op": "replace", "path": "members", "value": ["b", "c"] },
                { "op": "add", "path": "members[value eq \"d\"]", "value": {} },
                { "op": "remove", "path": "members", "value": "b" },
            ]),
            replacing(&["c", "d"]),
        ),
    ] {
        assert_eq!(member_change(&operations).0, expected, "{operations}");
    }
    for (operation, scim_type) in [
        (json!({ "op": "remove", "path": "members", "value": null }), "invalidValue"),
        (json!({ "op": "add", "path": "members", "value": [{ "display": "x" }] }), "invalidValue"),
        (json!({ "op": "add", "path": "members", "value": [{ "value": "x", "type": "Group" }] }), "invalidValue"),
        (json!({ "op": "remove", "path": "members[display eq \"x\"]" }), "invalidFilter"),
        (json!({ "op": "remove", "path": "members[value co \"x\"]" }), "invalidFilter"),
        (json!({ "op": "replace", "path": "members[value eq \"x\"].type", "value": "y" }), "mutability"),
        (json!({ "op": "replace", "path": "members.display", "value": "y" }), "mutability"),
        (json!({ "op": "remove", "path": "displayName" }), "mutability"),
    ] {
        let refused = patched(&group("Owners"), &json!([operation])).map(|(patched, _)| patched).unwrap_err();
        assert_eq!(refused.scim_type.unwrap().as_str(), scim_type, "{operation}");
    }
}
