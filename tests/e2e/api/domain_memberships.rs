//! Domain memberships: everybody on the verified domains and no one else, wherever they are members.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use vestibule_tests::operator_key;

use super::World;

async fn add(world: &World, organization: &str, email: &str, role: &str) -> String {
    let body = json!({ "email": email, "role": role });
    let member = world.post(&format!("/organizations/{organization}/members"), body).await.done();
    member["account"].as_str().unwrap().to_owned()
}

async fn all(world: &World, parent: &str, limit: usize) -> Vec<Value> {
    world.all(&format!("/parents/{parent}/domain-memberships"), limit).await
}

#[tokio::test]
async fn everybody_on_the_verified_domains_is_listed_once_for_each_organization() {
    let world = World::new().await;
    let (ours, parent) = world.verified("corp.example").await;
    let (theirs, foreign_parent) = world.verified("other.example").await;
    let claims = format!("/parents/{parent}/domains");
    let second = world.post(&claims, json!({ "domain": "second.example" })).await.done();
    world.publish(&second);
    world.refresh(&parent, "second.example").await.done();
    world.post(&claims, json!({ "domain": "unproven.example" })).await.done();

    add(&world, &ours, "b@corp.example", "admin").await;
    add(&world, &theirs, "B@corp.example", "user").await;
    let alone = add(&world, &ours, "a@corp.example", "user").await;
    world.delete(&format!("/organizations/{ours}/members/{alone}")).await;
    add(&world, &theirs, "x@second.example", "user").await;
    add(&world, &ours, "no@unproven.example", "user").await;
    add(&world, &ours, "no@sub.corp.example", "user").await;
    add(&world, &ours, "no@other.example", "user").await;

    let show = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let inside = row["inside_parent"].as_bool().map_or("-".to_owned(), |inside| inside.to_string());
        let organization = match row["organization"].as_str() {
            Some(id) if id == ours => "ours",
            Some(id) if id == theirs => "theirs",
            Some(_) => "another",
            None => "-",
        };
        format!("{} {organization} {} {} {inside}", text("email"), text("role"), text("source"))
    };
    let expected = [
        "a@corp.example - - - -",
        "b@corp.example ours admin manual true",
        "b@corp.example theirs user manual false",
        "owner@corp.example ours owner manual true",
        "x@second.example theirs user manual false",
    ];
    for limit in [1, 2, 3, 100] {
        let rows = all(&world, &parent, limit).await;
        let mut shown: Vec<_> = rows.iter().map(show).collect();
        assert_eq!(shown.len(), expected.len(), "{limit}: {shown:?}");
        shown[1..3].sort();
        assert_eq!(shown, expected, "{limit}");
    }
    // Of another customer: an organization's id, name and surface. Nothing of its parent or its settings.
    let rows = all(&world, &parent, 100).await;
    assert!(!json!(rows).to_string().contains(&foreign_parent));
    let names: BTreeSet<_> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 12);

    let other = all(&world, &foreign_parent, 100).await;
    assert_eq!(other.len(), 2, "{other:?}");
}

#[tokio::test]
async fn it_ends_with_the_domain() {
    let world = World::new().await;
    let (organization, parent) = world.verified("corp.example").await;
    add(&world, &organization, "a@corp.example", "user").await;
    assert_eq!(all(&world, &parent, 100).await.len(), 2);
    world.delete(&format!("/parents/{parent}/domains/corp.example")).await;
    assert_eq!(all(&world, &parent, 100).await, Vec::<Value>::new());
    let nobody = "/parents/par_00000000000000000000000000000000/domain-memberships";
    assert_eq!(world.get(nobody).await.refused(), (404, "not-found"));
}

#[tokio::test]
async fn a_cursor_is_of_its_own_parent() {
    let world = World::new().await;
    let (organization, parent) = world.verified("corp.example").await;
    let (_, other) = world.verified("other.example").await;
    add(&world, &organization, "a@corp.example", "user").await;
    let page = world.get(&format!("/parents/{parent}/domain-memberships?limit=1")).await.done();
    let cursor = page["next_cursor"].as_str().unwrap();
    let strange = format!("/parents/{other}/domain-memberships?cursor={cursor}");
    assert_eq!(world.get(&strange).await.refused(), (422, "invalid-value"));
}

#[tokio::test]
async fn csv_is_answered_to_whom_asks_for_it() {
    let world = World::new().await;
    let (organization, parent) = world.verified("corp.example").await;
    add(&world, &organization, "=1+1@corp.example", "user").await;
    let ask = |path: String| {
        let request = Request::get(format!("/api/v1{path}"))
            .header(header::ACCEPT, "text/csv")
            .header(header::AUTHORIZATION, format!("Bearer {}", operator_key()));
        world.fetch(request.body(Body::empty()).unwrap())
    };
    let (parts, csv) = ask(format!("/parents/{parent}/domain-memberships")).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert_eq!(parts.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.matches("\r\n").count(), 3, "{csv}");
    assert!(csv.starts_with("\"email\",\"account\",") && csv.contains("\"'=1+1@corp.example\""), "{csv}");
    let (parts, _) = ask(format!("/parents/{parent}/domain-memberships?limit=1")).await;
    assert_eq!(parts.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_read_follows_the_answer_and_not_the_customer() {
    let world = World::new().await;
    let (organization, parent) = world.verified("corp.example").await;
    for number in 0..10 {
        add(&world, &organization, &format!("few{number}@corp.example"), "user").await;
    }
    let path = format!("/parents/{parent}/domain-memberships?limit=5");
    let few = world.get(&path).await.cost;
    for number in 0..90 {
        add(&world, &organization, &format!("many{number}@corp.example"), "user").await;
    }
    let many = world.get(&path).await.cost;
    assert_eq!(few.calls, many.calls);
    assert!((few.read_units - many.read_units).abs() < 1.0, "{few} and {many}");
}
