//! Applications, and what they ask before they show a sign-in form.

use serde_json::json;

use super::{World, connections::METADATA};

#[tokio::test]
async fn an_application_is_registered_and_its_secret_shown_once() {
    let world = World::new().await;
    let body = json!({
        "name": "App",
        "surface": "claudeai",
        "redirect_uris": ["https://app.example.com/callback", "http://localhost:3000/callback"],
        "start_login_uri": "https://app.example.com/login",
    });
    let made = world.post("/applications", body).await;
    assert_eq!(made.status, 201);
    let mut made = made.body;
    let secret = made["client_secret"].take();
    assert!(secret.as_str().unwrap().len() >= 43);
    made.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(made["public"], false);
    let listed = world.get("/applications").await.done();
    assert_eq!(listed, json!({ "items": [made], "next_cursor": null }));
    let events = world.get("/events").await.done();
    let event = &events["items"][0];
    assert_eq!((&event["action"], &event["subject"]), (&"application.registered".into(), &made["client_id"]));
    assert_eq!((&event["before"], &event["after"]), (&serde_json::Value::Null, &made), "without its secret");
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    let id = made["client_id"].as_str().unwrap().parse().unwrap();
    let stored = world.app().store.application(id).await.unwrap().unwrap();
    assert!(stored.authenticates(secret.as_str()));
}

#[tokio::test]
async fn a_public_application_has_no_secret() {
    let world = World::new().await;
    let body = json!({ "name": "App", "surface": "console", "redirect_uris": ["com.example.app:/cb"], "public": true });
    let made = world.post("/applications", body).await.done();
    assert!(made.get("client_secret").is_none());
    assert_eq!(made["public"], true);
}

#[tokio::test]
async fn what_is_wrong_with_an_application_is_said() {
    let world = World::new().await;
    let sound = json!({ "name": "App", "surface": "claudeai", "redirect_uris": ["https://app.example.com/cb"] });
    for (field, value, pointer) in [
        ("name", json!("a\u{0}b"), "/name"),
        ("surface", json!("elsewhere"), "/surface"),
        ("redirect_uris", json!([]), "/redirect_uris"),
        ("redirect_uris", json!(vec!["https://app.example.com/"; 21]), "/redirect_uris"),
        ("redirect_uris", json!(["https://app.example.com/", "http://app.example.com/"]), "/redirect_uris/1"),
        ("start_login_uri", json!("javascript:alert(1)"), "/start_login_uri"),
    ] {
        let mut body = sound.clone();
        body[field] = value;
        let answer = world.post("/applications", body).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], pointer);
    }
}

#[tokio::test]
async fn login_options_go_by_the_domain_alone() {
    let world = World::new().await;
    let options = async |email: &str, surface: &str| {
        let answer = world.get(&format!("/login-options?email={email}&surface={surface}")).await;
        assert!(answer.status != 200 || answer.cost.round_trips <= 2, "{}", answer.cost);
        answer
    };
    assert_eq!(options("owner@example.com", "claudeai").await.done(), json!({ "sso": "none" }));
    let (_, parent) = world.verified("example.com").await;
    assert_eq!(options("owner@example.com", "claudeai").await.done(), json!({ "sso": "none" }), "no connection yet");
    world.put(&format!("/parents/{parent}/connection"), json!({ "metadata_xml": METADATA })).await.done();
    let sso = json!({ "sso": "optional", "authorization_endpoint": world.url("/oidc/authorize") });
    for email in ["owner@example.com", "nobody%2Bx@EXAMPLE.com"] {
        assert_eq!(options(email, "claudeai").await.done(), sso, "whether or not there is an account");
    }
    assert_eq!(options("owner@example.com", "console").await.done(), json!({ "sso": "none" }), "no organization there");
    assert_eq!(options("owner@sub.example.com", "claudeai").await.done(), json!({ "sso": "none" }));
    assert_eq!(options("owner", "claudeai").await.refused(), (422, "invalid-value"));
    assert_eq!(options("owner@example.com", "elsewhere").await.body["parameter"], "surface");
    assert_eq!(world.get("/login-options").await.refused(), (422, "invalid-value"));
}
