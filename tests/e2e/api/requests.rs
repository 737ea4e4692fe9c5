//! Requests that are not what they should be.

use axum::{
    body::Body,
    http::{Request, header},
};
use vestibule_tests::operator_key;

use super::{World, world::Answer};

async fn post(world: &World, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let request =
        Request::post("/api/v1/organizations").header(header::AUTHORIZATION, format!("Bearer {}", operator_key()));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    world.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn each_fault_is_a_problem() {
    let world = World::new().await;
    let (key, json) = (("idempotency-key", "k"), ("content-type", "application/json"));
    let sound = r#"{"name":"Corp","surface":"claudeai","primary_owner":"ada@example.com"}"#;
    let long = "x".repeat(256);
    let big = format!(r#"{{"name":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    for (headers, body, status, kind) in [
        (vec![json], sound, 400, "idempotency-key-missing"),
        (vec![json, ("idempotency-key", "")], sound, 400, "idempotency-key-missing"),
        (vec![json, ("idempotency-key", &long)], sound, 400, "idempotency-key-missing"),
        (vec![key, json], "{", 400, "malformed-json"),
        (vec![key, json], "[]", 422, "invalid-value"),
        (vec![key, json], r#"{"name":1}"#, 422, "invalid-value"),
        (vec![key, json], r#"{"name":"Corp","name":"Corp"}"#, 422, "invalid-value"),
        (vec![key], "", 422, "invalid-value"),
        (vec![key], sound, 415, "unsupported-media-type"),
        (vec![key], "{}", 415, "unsupported-media-type"),
        (vec![key, ("content-type", "text/plain")], sound, 415, "unsupported-media-type"),
        (vec![key, json], &big, 413, "too-large"),
    ] {
        assert_eq!(post(&world, &headers, body.to_owned()).await.refused(), (status, kind), "{body:.80}");
    }
    for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"] {
        post(&world, &[key, ("content-type", content_type)], sound).await.done();
    }
    let unknown = post(&world, &[key, json], sound.replace("name", "nome")).await;
    assert_eq!(unknown.refused(), (422, "invalid-value"));
    assert!(unknown.body["detail"].as_str().unwrap().contains("nome"), "{}", unknown.body);
}

#[tokio::test]
async fn there_is_nothing_elsewhere() {
    let world = World::new().await;
    for path in ["/api/v1", "/api/v1/elsewhere", "/api/v1/organizations/"] {
        let answer = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.refused(), (404, "not-found"), "{path}");
    }
}

#[tokio::test]
async fn answers_are_kept_out_of_caches_and_tell_their_cost() {
    let world = World::new().await;
    let answer = world.get("/applications").await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(answer.headers["server-timing"].to_str().unwrap().contains("1 calls in 1 round trips"));
    assert_eq!(answer.cost.calls, 1);
}
