//! Members of an organization.

use std::sync::Arc;

use serde_json::{Value, json};

use super::World;

async fn add(world: &World, organization: &str, email: &str, role: Option<&str>) -> Value {
    let body = role.map_or_else(|| json!({ "email": email }), |role| json!({ "email": email, "role": role }));
    world.post(&format!("/organizations/{organization}/members"), body).await.done()
}

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    let world = World::new().await;
    let (id, parent, _) = world.organization("example.com").await;
    let added = world.post(&format!("/organizations/{id}/members"), json!({ "email": "Grace@Example.com" })).await;
    assert_eq!(added.status, 201);
    // Where the organization is, itself and the person, then one transaction.
    assert_eq!(added.cost.round_trips, 3, "{}", added.cost);
    let member = added.body;
    let account = member["account"].as_str().unwrap();
    assert_eq!(
        member,
        json!({
            "account": account,
            "email": "Grace@example.com",
            "role": "user",
            "source": "manual",
            "since": "2027-03-01T09:00:00Z",
        })
    );
    world.wait(1);
    let path = format!("/organizations/{id}/members/{account}");
    assert_eq!(world.patch(&path, json!({ "role": "admin" })).await.done()["role"], "admin");
    world.patch(&path, json!({ "role": "admin" })).await.done();
    world.wait(1);
    let removed = world.delete(&path).await;
    assert_eq!((removed.status.as_u16(), removed.body), (204, Value::Null));
    assert_eq!(
        world.actions(&parent).await[..2],
        ["member.removed", "member.role_changed"],
        "what does not change is not told"
    );
    assert_eq!(world.delete(&path).await.refused(), (404, "not-found"));
    assert_eq!(world.patch(&path, json!({ "role": "user" })).await.refused(), (404, "not-found"));
    // Who returns has the same account.
    assert_eq!(add(&world, &id, "grace@example.com", Some("owner")).await["account"], account);
}

#[tokio::test]
async fn an_account_is_a_member_of_many() {
    let world = World::new().await;
    let (first, ..) = world.organization("example.com").await;
    let (second, ..) = world.organization("other.example").await;
    let here = add(&world, &first, "grace@example.com", None).await;
    let there = add(&world, &second, "GRACE@example.com", None).await;
    assert_eq!(here["account"], there["account"]);
    assert_eq!(there["email"], "grace@example.com", "the address is as the account has it");
}

#[tokio::test]
async fn what_team_settings_refuse_is_refused() {
    let world = World::new().await;
    let (id, _, owner) = world.organization("example.com").await;
    let members = format!("/organizations/{id}/members");
    for (body, status, kind) in [
        (json!({ "email": "owner@example.com" }), 409, "already-member"),
        (json!({ "email": "OWNER@EXAMPLE.COM", "role": "admin" }), 409, "already-member"),
        (json!({ "email": "grace@example.com", "role": "developer" }), 422, "invalid-value"),
        (json!({ "email": "grace" }), 422, "invalid-value"),
        (json!({ "mail": "grace@example.com" }), 422, "invalid-value"),
    ] {
        assert_eq!(world.post(&members, body).await.refused(), (status, kind));
    }
    let owner = format!("{members}/{owner}");
    assert_eq!(world.delete(&owner).await.refused(), (409, "primary-owner"));
    assert_eq!(world.patch(&owner, json!({ "role": "user" })).await.refused(), (409, "primary-owner"));
    assert_eq!(world.patch(&owner, json!({ "role": "king" })).await.refused(), (422, "invalid-value"));
    let nobody = "/organizations/org_00000000000000000000000000000000/members";
    assert_eq!(world.get(nobody).await.refused(), (404, "not-found"));
    assert_eq!(world.post(nobody, json!({ "email": "a@example.com" })).await.refused(), (404, "not-found"));
    assert_eq!(world.delete(&format!("{members}/acc_1")).await.refused(), (404, "not-found"));
}

#[tokio::test]
async fn of_two_demotions_at_once_one_leaves_an_administrator() {
    let world = Arc::new(World::new().await);
    let (id, ..) = world.organization("example.com").await;
    // Two administrators who are not protected as the primary owner is: that one gives its place up here.
    let a = add(&world, &id, "a@example.com", Some("admin")).await["account"].as_str().unwrap().to_owned();
    let b = add(&world, &id, "b@example.com", Some("owner")).await["account"].as_str().unwrap().to_owned();
    world.forget_the_primary_owner(&id).await;
    let demote = |account: String| {
        let (world, path) = (world.clone(), format!("/organizations/{id}/members/{account}"));
        tokio::spawn(async move { world.patch(&path, json!({ "role": "user" })).await })
    };
    let (first, second) = tokio::join!(demote(a), demote(b));
    let (first, second) = (first.unwrap(), second.unwrap());
    let (done, refused) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!(done.done()["role"], "user");
    assert_eq!(refused.refused(), (409, "last-administrator"));
}

#[tokio::test]
async fn members_are_added_side_by_side() {
    let world = Arc::new(World::new().await);
    let (id, ..) = world.organization("example.com").await;
    let adding = (0..16).map(|number| {
        let (world, path) = (world.clone(), format!("/organizations/{id}/members"));
        let role = if number % 2 == 0 { "admin" } else { "user" };
        let body = json!({ "email": format!("m{number}@example.com"), "role": role });
        tokio::spawn(async move { world.post(&path, body).await.done() })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.unwrap();
    }
    assert_eq!(world.administrators(&id).await, 9, "the count is in step");
}
