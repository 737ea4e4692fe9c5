//! A POST is carried out once, however often it is sent.

use std::sync::Arc;

use axum::http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::{World, world::Answer};

async fn register(world: &World, name: &str, key: &str) -> Answer {
    let body = json!({ "name": name, "surface": "claudeai", "redirect_uris": ["https://app.example.com/callback"] });
    world.call_with(Method::POST, "/applications", Some(body), key).await
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let world = World::new().await;
    let first = register(&world, "App", "k").await;
    let again = register(&world, "App", "k").await;
    assert_eq!((first.status, again.status), (again.status, first.status));
    assert_eq!(first.body, again.body, "the secret, which is shown once, included");
    assert!(first.headers.get("idempotent-replayed").is_none());
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_ne!(register(&world, "App", "another").await.body["client_id"], first.body["client_id"]);
    assert_eq!(world.get("/applications").await.done()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let world = World::new().await;
    register(&world, "App", "k").await.done();
    assert_eq!(register(&world, "Other", "k").await.refused(), (422, "idempotency-key-reused"));
    let (id, ..) = world.organization("example.com").await;
    // Not even where the other request would be refused for a reason of its own.
    for email in ["new@example.com", "owner@example.com"] {
        let path = format!("/organizations/{id}/members");
        let answer = world.call_with(Method::POST, &path, Some(json!({ "email": email })), "k").await;
        assert_eq!(answer.refused(), (422, "idempotency-key-reused"));
    }
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let world = World::new().await;
    assert_eq!(register(&world, "", "k").await.refused(), (422, "invalid-value"));
    register(&world, "App", "k").await.done();
}

#[tokio::test]
async fn sixteen_at_once_change_one_thing() {
    let world = Arc::new(World::new().await);
    let (id, parent, _) = world.organization("example.com").await;
    let bodies = [
        (
            "/applications".to_owned(),
            json!({ "name": "A", "surface": "claudeai", "redirect_uris": ["https://a.example/"] }),
        ),
        ("/organizations".to_owned(), json!({ "name": "B", "surface": "claudeai", "primary_owner": "b@b.example" })),
        (format!("/organizations/{id}/members"), json!({ "email": "m@example.com", "role": "admin" })),
        (format!("/parents/{parent}/domains"), json!({ "domain": "example.com" })),
    ];
    for (path, body) in bodies {
        let mut asking = JoinSet::new();
        for _ in 0..16 {
            let (world, path, body) = (world.clone(), path.clone(), body.clone());
            asking.spawn(async move { world.call_with(Method::POST, &path, Some(body), &path).await });
        }
        let answers = asking.join_all().await;
        assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body), "{path}");
        let own = answers.iter().filter(|answer| answer.headers.get("idempotent-replayed").is_none());
        assert_eq!(own.count(), 1, "{path}");
    }
    assert_eq!(world.administrators(&id).await, 2);
    let mut actions = world.actions(&parent).await;
    actions.sort();
    assert_eq!(actions, ["domain.claimed", "member.added", "member.added", "organization.created"]);
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let world = World::new().await;
    let first = register(&world, "App", "k").await.done();
    world.wait(24 * 3600 - 1);
    assert_eq!(register(&world, "App", "k").await.done(), first);
    world.wait(1);
    let second = register(&world, "Other", "k").await;
    assert!(second.headers.get("idempotent-replayed").is_none());
    assert_eq!(register(&world, "Other", "k").await.body, second.body, "from now on it is the other one's");
}
