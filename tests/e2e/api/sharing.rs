//! Customers that trust the same identity provider.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use vestibule_tests::identity_provider::IdentityProvider;

use super::{World, world::Answer};

const ENTITY_ID: &str = "https://sso.corp.example/realms/main";

fn metadata(provider: &IdentityProvider) -> String {
    provider.metadata("https://sso.corp.example/sso")
}

impl World {
    async fn connect(&self, parent: &str, metadata: &str, shared: bool) -> Answer {
        let body = json!({ "metadata_xml": metadata, "shared_identity_provider": shared });
        self.put(&format!("/parents/{parent}/connection"), body).await
    }

    async fn parents(&self, count: usize) -> Vec<String> {
        let mut parents = Vec::new();
        for number in 0..count {
            parents.push(self.verified(&format!("corp{number}.example")).await.1);
        }
        parents
    }
}

#[tokio::test]
async fn a_second_customer_is_refused_without_learning_who_the_first_is() {
    let world = World::new().await;
    let parents = world.parents(2).await;
    let (first, second) = (&parents[0], &parents[1]);
    let provider = metadata(&IdentityProvider::new(ENTITY_ID));
    world.connect(first, &provider, false).await.done();
    let refused = world.connect(second, &provider, false).await;
    assert_eq!(refused.refused(), (409, "identity-provider-in-use"));
    let words = refused.body["detail"].as_str().unwrap();
    assert!(words.contains("with a certificate of its own") && words.contains("the vendor can allow it"), "{words}");
    for secret in ["corp0", "par_", "Corp", "con_"] {
        assert!(!refused.body.to_string().contains(secret), "{secret}: {}", refused.body);
    }
    assert_eq!(world.get(&format!("/parents/{second}")).await.done()["connection"], Value::Null, "nothing changed");
    assert_eq!(world.connect(second, "<html></html>", false).await.refused().0, 422);

    // Another key, or another entity id, is another identity provider.
    world.connect(second, &metadata(&IdentityProvider::new(ENTITY_ID)), false).await.done();
    // The first customer is not disturbed.
    world.connect(first, &provider, false).await.done();
    let options = json!({ "metadata_xml": provider, "options": { "force_authn": true } });
    world.put(&format!("/parents/{first}/connection"), options).await.done();
}

#[tokio::test]
async fn the_operator_lets_customers_of_one_company_share() {
    let world = World::new().await;
    let parents = world.parents(3).await;
    let provider = metadata(&IdentityProvider::new(ENTITY_ID));
    world.connect(&parents[0], &provider, false).await.done();
    world.connect(&parents[1], &provider, true).await.done();
    world.connect(&parents[1], &provider, false).await.done();
    assert_eq!(world.connect(&parents[2], &provider, false).await.refused().0, 409);
    // Once everybody has left, it is anybody's.
    for parent in &parents[..2] {
        assert_eq!(world.connect(&parents[2], &provider, false).await.refused().0, 409, "{parent} is still there");
        world.connect(parent, &metadata(&IdentityProvider::new("https://new.corp.example")), false).await.done();
    }
    world.connect(&parents[2], &provider, false).await.done();
}

/// The keys of an identity provider in metadata.
fn key_descriptor(metadata: &str) -> &str {
    let start = metadata.find("<md:KeyDescriptor").unwrap();
    &metadata[start..metadata.find("<md:SingleSignOnService").unwrap()]
}

/// The metadata with the keys of another one too.
fn with_keys_of(metadata: &str, other: &str) -> String {
    metadata.replace("<md:SingleSignOnService", &format!("{}<md:SingleSignOnService", key_descriptor(other)))
}

#[tokio::test]
async fn the_same_key_in_a_certificate_that_was_changed_is_the_same() {
    let world = World::new().await;
    let parents = world.parents(2).await;
    let provider = metadata(&IdentityProvider::new(ENTITY_ID));
    world.connect(&parents[0], &provider, false).await.done();
    let certificate = provider.split("X509Certificate>").nth(1).unwrap().split('<').next().unwrap();
    let mut der = STANDARD.decode(certificate).unwrap();
    *der.last_mut().unwrap() ^= 1;
    let changed = provider.replace(certificate, &STANDARD.encode(der));
    assert_ne!(changed, provider);
    assert_eq!(world.connect(&parents[1], &changed, false).await.refused(), (409, "identity-provider-in-use"));
}

#[tokio::test]
async fn who_shares_goes_on_sharing_when_the_keys_change() {
    let world = World::new().await;
    let parents = world.parents(3).await;
    let (old, new) = (metadata(&IdentityProvider::new(ENTITY_ID)), metadata(&IdentityProvider::new(ENTITY_ID)));
    let both = with_keys_of(&old, &new);
    world.connect(&parents[0], &old, false).await.done();
    world.connect(&parents[1], &old, true).await.done();
    for rollover in [&both, &new] {
        world.wait(1);
        for parent in &parents[..2] {
            world.connect(parent, rollover, false).await.done();
        }
        assert_eq!(world.connect(&parents[2], rollover, false).await.refused(), (409, "identity-provider-in-use"));
    }
    // The operator's leave is on record.
    let shared = async |parent: &str| {
        let events = world.get(&format!("/parents/{parent}/events")).await.done();
        let changes =
            events["items"].as_array().unwrap().iter().filter(|event| event["action"] == "connection.changed");
        let word = |event: &Value, side: &str| event[side]["shared_identity_provider"].clone();
        let words = changes.map(|event| (word(event, "before"), word(event, "after"))).collect::<Vec<_>>();
        words.into_iter().rev().collect::<Vec<_>>()
    };
    let (no, yes) = (Value::Bool(false), Value::Bool(true));
    assert_eq!(shared(&parents[1]).await[..2], [(Value::Null, yes.clone()), (yes.clone(), yes.clone())]);
    assert_eq!(shared(&parents[0]).await[..2], [(Value::Null, no), (yes.clone(), yes)]);
}

#[tokio::test]
async fn however_many_share_a_change_costs_the_same_and_there_is_a_limit() {
    let world = World::new().await;
    let parents = world.parents(21).await;
    let provider = metadata(&IdentityProvider::new(ENTITY_ID));
    let mut costs = Vec::new();
    for parent in &parents[..20] {
        let answer = world.connect(parent, &provider, true).await;
        costs.push(answer.cost.round_trips);
        answer.done();
    }
    // Beside the connection itself: the keys, and who is named there with their connections.
    assert!(costs[1..].iter().all(|cost| *cost <= costs[0] + 2), "{costs:?}");
    assert_eq!(world.connect(&parents[20], &provider, true).await.refused(), (409, "too-many-sharing"));
}

#[tokio::test]
async fn a_certificate_that_is_added_is_looked_at_too() {
    let world = World::new().await;
    let parents = world.parents(2).await;
    let (ours, theirs) = (IdentityProvider::new(ENTITY_ID), IdentityProvider::new(ENTITY_ID));
    world.connect(&parents[0], &metadata(&theirs), false).await.done();
    world.connect(&parents[1], &metadata(&ours), false).await.done();
    let both = with_keys_of(&metadata(&ours), &metadata(&theirs));
    assert_eq!(world.connect(&parents[1], &both, false).await.refused(), (409, "identity-provider-in-use"));
    let shown = world.get(&format!("/parents/{}/connection", parents[1])).await.done();
    assert_eq!(shown["certificates"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_customers_at_the_same_moment_one_is_first() {
    let world = World::new().await;
    let parents = world.parents(6).await;
    let provider = metadata(&IdentityProvider::new(ENTITY_ID));
    let connect = |number: usize| world.connect(&parents[number], &provider, false);
    let answers = tokio::join!(connect(0), connect(1), connect(2), connect(3), connect(4), connect(5));
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    let connected = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(connected, 1, "{answers:?}");
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.refused(), (409, "identity-provider-in-use"));
    }
    let mut trusting = 0;
    for parent in &parents {
        trusting += usize::from(world.get(&format!("/parents/{parent}/connection")).await.status == 200);
    }
    assert_eq!(trusting, 1);
}
