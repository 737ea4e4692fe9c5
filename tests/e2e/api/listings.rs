//! Listings go page by page, and a cursor fits its own listing alone.

use std::collections::BTreeSet;

use serde_json::json;

use super::World;

#[tokio::test]
async fn pages_hold_every_item_once() {
    let world = World::new().await;
    let (id, parent, _) = world.organization("example.com").await;
    for number in 0..6 {
        world.wait(1);
        let body = json!({ "email": format!("m{number}@example.com") });
        world.post(&format!("/organizations/{id}/members"), body).await.done();
    }
    for limit in [1, 3, 7, 100] {
        let members = world.all(&format!("/organizations/{id}/members"), limit).await;
        let emails: BTreeSet<_> = members.iter().map(|member| member["email"].as_str().unwrap()).collect();
        assert_eq!((members.len(), emails.len()), (7, 7));
        let events = world.all(&format!("/parents/{parent}/events"), limit).await;
        assert_eq!(events.len(), 8);
        assert!(events.is_sorted_by(|newer, older| newer["at"].as_str() >= older["at"].as_str()));
    }
    assert_eq!(world.get(&format!("/parents/{parent}/sign-ins")).await.done()["items"], json!([]));
    for name in ["sign-ins", "events"] {
        let nobody = format!("/parents/par_00000000000000000000000000000000/{name}");
        assert_eq!(world.get(&nobody).await.refused(), (404, "not-found"));
    }
}

#[tokio::test]
async fn a_cursor_fits_its_own_listing() {
    let world = World::new().await;
    let (first, parent, _) = world.organization("example.com").await;
    let (second, ..) = world.organization("other.example").await;
    for id in [&first, &second] {
        world.post(&format!("/organizations/{id}/members"), json!({ "email": "m@example.com" })).await.done();
    }
    let page = world.get(&format!("/organizations/{first}/members?limit=1")).await.done();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert!(!cursor.contains("acc_"));
    world.get(&format!("/organizations/{first}/members?cursor={cursor}")).await.done();
    for path in [
        format!("/organizations/{second}/members?cursor={cursor}"),
        format!("/parents/{parent}/events?cursor={cursor}"),
        format!("/applications?cursor={cursor}"),
        format!("/organizations/{first}/members?cursor={cursor}x"),
        format!("/organizations/{first}/members?limit=0"),
        format!("/organizations/{first}/members?limit=101"),
        format!("/organizations/{first}/members?limit=many"),
        format!("/organizations/{first}/members?page=2"),
    ] {
        assert_eq!(world.get(&path).await.refused(), (422, "invalid-value"), "{path}");
    }
}
