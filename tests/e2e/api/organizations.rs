//! Organizations, their parents and their provisioning.

use serde_json::{Value, json};

use super::World;

const NOBODY: &str = "org_00000000000000000000000000000000";

#[tokio::test]
async fn an_organization_comes_with_its_parent_and_its_primary_owner() {
    let world = World::new().await;
    let body = json!({ "name": " Corp ", "surface": "console", "primary_owner": "Ada@EXAMPLE.com" });
    let made = world.post("/organizations", body).await;
    assert_eq!(made.status, 201);
    // One read of the person, one transaction.
    assert_eq!(made.cost.round_trips, 2, "{}", made.cost);
    let made = made.body;
    assert_eq!(made["name"], "Corp");
    assert_eq!(made["surface"], "console");
    assert_eq!(made["group_suffix"], made["id"].as_str().unwrap()[4..12]);
    assert_eq!(made["primary_owner"]["email"], "Ada@example.com");
    assert_eq!(made["provisioning"], json!({ "mode": "manual", "group_mappings": false }));
    assert_eq!(made["created_at"], "2027-03-01T09:00:00Z");
    let (id, parent) = (made["id"].as_str().unwrap(), made["parent_id"].as_str().unwrap());
    assert_eq!(world.get(&format!("/organizations/{id}")).await.done(), made);
    let members = world.get(&format!("/organizations/{id}/members")).await.done();
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    assert_eq!(members["items"][0]["role"], "admin", "the surface's highest role");
    assert_eq!(
        world.get(&format!("/parents/{parent}")).await.done(),
        json!({
            "id": parent,
            "organizations": [{ "id": id, "name": "Corp", "surface": "console" }],
            "domains": 0,
            "connection": null,
            "created_at": "2027-03-01T09:00:00Z",
        })
    );
    let events = world.get(&format!("/parents/{parent}/events")).await.done();
    let created = |event: &&Value| event["action"] == "organization.created";
    let event = events["items"].as_array().unwrap().iter().find(created).unwrap();
    assert_eq!(event["subject"], id);
    assert_eq!((&event["actor"], &event["before"]), (&json!({ "type": "operator" }), &Value::Null));
    assert_eq!(event["after"], made);
}

#[tokio::test]
async fn one_person_owns_several_organizations() {
    let world = World::new().await;
    let (_, first_parent, account) = world.organization("example.com").await;
    let (_, second_parent, same) = world.organization("example.com").await;
    assert_eq!(account, same);
    assert_ne!(first_parent, second_parent);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_organization_is_said() {
    let world = World::new().await;
    let sound = json!({ "name": "Corp", "surface": "claudeai", "primary_owner": "ada@example.com" });
    for (field, value, word) in [
        ("name", json!(""), "1 to 200"),
        ("surface", json!("elsewhere"), "claudeai, console"),
        ("primary_owner", json!("ada"), "e-mail"),
    ] {
        let mut body = sound.clone();
        body[field] = value;
        let answer = world.post("/organizations", body).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], format!("/{field}"));
        assert!(answer.body["detail"].as_str().unwrap().contains(word), "{}", answer.body);
    }
    for id in [NOBODY, "org_1", "par_00000000000000000000000000000000"] {
        assert_eq!(world.get(&format!("/organizations/{id}")).await.refused(), (404, "not-found"));
    }
    assert_eq!(world.get("/parents/par_00000000000000000000000000000000").await.refused(), (404, "not-found"));
}

#[tokio::test]
async fn provisioning_is_set_and_told() {
    let world = World::new().await;
    let (id, parent, _) = world.organization("example.com").await;
    let path = format!("/organizations/{id}/provisioning");
    let jit = json!({ "mode": "jit", "group_mappings": false });
    world.wait(1);
    assert_eq!(world.put(&path, jit.clone()).await.done(), jit);
    assert_eq!(world.put(&path, jit.clone()).await.done(), jit);
    assert_eq!(world.get(&path).await.done(), jit);
    let events = world.get(&format!("/parents/{parent}/events")).await.done();
    assert_eq!(events["items"].as_array().unwrap().len(), 3, "what does not change is not told");
    assert_eq!(events["items"][0]["action"], "provisioning.changed");
    assert_eq!(
        (&events["items"][0]["before"]["mode"], &events["items"][0]["after"]["mode"]),
        (&json!("manual"), &json!("jit"))
    );
    for (body, pointer) in [
        (json!({ "mode": "manual", "group_mappings": true }), json!("/group_mappings")),
        (json!({ "mode": "scim", "group_mappings": false }), json!("/mode")),
        (json!({ "mode": "other", "group_mappings": false }), Value::Null),
        (json!({ "mode": "jit", "group_mappings": false, "preview": "x" }), Value::Null),
    ] {
        let answer = world.put(&path, body).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], pointer);
    }
    assert_eq!(world.put(&format!("/organizations/{NOBODY}/provisioning"), jit).await.refused(), (404, "not-found"));
}
