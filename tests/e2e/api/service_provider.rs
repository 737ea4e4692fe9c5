//! The keys of the deployment, as the operator rotates them.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::service_provider::{REMEMBERED, SETTLING};

use super::{World, connections::METADATA};

const KEYS: &str = "/service-provider/keys";
const DAY: i64 = 24 * 3600;

impl World {
    async fn rotate(&self, notice_days: u32) -> super::world::Answer {
        self.post("/service-provider/keys/rotate", json!({ "notice_days": notice_days })).await
    }
}

fn fingerprint<'a>(keys: &'a Value, generation: &str, key: &str) -> &'a str {
    keys[generation][key]["fingerprint"].as_str().unwrap_or_else(|| panic!("no {generation} {key}: {keys}"))
}

#[tokio::test]
async fn keys_are_published_take_over_and_are_kept() {
    let world = World::new().await;
    let first = world.get(KEYS).await.done();
    assert_eq!((&first["next"], &first["former"]), (&Value::Null, &Value::Null));
    assert_eq!(world.get(KEYS).await.done(), first, "made once");

    let rotated = world.post("/service-provider/keys/rotate", json!({})).await.done();
    assert_eq!(rotated["current"], first["current"]);
    assert_ne!(fingerprint(&rotated, "next", "signing"), fingerprint(&first, "current", "signing"));
    assert_ne!(fingerprint(&rotated, "next", "encryption"), fingerprint(&first, "current", "encryption"));
    assert_eq!(world.get(KEYS).await.done(), rotated);
    assert_eq!(world.rotate(30).await.refused(), (409, "rotation-under-way"));

    world.wait(30 * DAY);
    let turned = world.get(KEYS).await.done();
    assert_eq!((&turned["former"], &turned["current"]), (&first["current"], &rotated["next"]));
    assert_eq!(world.rotate(30).await.refused(), (409, "rotation-too-soon"));
    world.wait(90 * DAY);
    let again = world.rotate(1).await.done();
    assert_eq!((&again["former"], &again["current"]), (&Value::Null, &turned["current"]), "the former one is dropped");
}

#[tokio::test]
async fn keys_that_leaked_are_replaced_at_once() {
    let world = World::new().await;
    let first = world.get(KEYS).await.done();
    let planned = world.rotate(30).await.done();
    let forward = world.rotate(0).await.done();
    assert_eq!(
        fingerprint(&forward, "current", "signing"),
        fingerprint(&planned, "next", "signing"),
        "brought forward"
    );
    assert_eq!(forward["former"], first["current"]);
    assert_eq!(world.rotate(0).await.refused(), (409, "rotation-under-way"), "the first key is in use until now");
    world.wait(SETTLING);
    let at_once = world.rotate(0).await.done();
    assert_eq!((&at_once["former"], &at_once["next"]), (&forward["current"], &Value::Null));
}

#[tokio::test]
async fn however_many_ask_first_get_the_same_keys() {
    let world = World::new().await;
    let (one, two, three) = tokio::join!(world.get(KEYS), world.get(KEYS), world.get(KEYS));
    let keys = one.done();
    assert_eq!((&two.done(), &three.done()), (&keys, &keys));
}

#[tokio::test]
async fn of_two_rotations_at_the_same_moment_one_happens() {
    let world = World::new().await;
    world.get(KEYS).await.done();
    let refused = world.rotate(91).await;
    assert_eq!((refused.refused(), &refused.body["pointer"]), ((422, "invalid-value"), &"/notice_days".into()));
    let both = tokio::join!(world.rotate(30), world.rotate(30));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two at the same moment one rotates");
}

#[tokio::test]
async fn a_rotation_that_is_repeated_happens_once() {
    let world = World::new().await;
    world.get(KEYS).await.done();
    let repeat = || {
        let body = json!({ "notice_days": 0 });
        world.call_with(Method::POST, "/service-provider/keys/rotate", Some(body), "once")
    };
    let (one, two) = tokio::join!(repeat(), repeat());
    let rotated = one.done();
    assert_eq!(two.done(), rotated);
    world.wait(SETTLING);
    let later = repeat().await;
    assert_eq!(later.headers["idempotent-replayed"], "true");
    assert_eq!(later.done(), rotated);
    assert_eq!(world.get(KEYS).await.done(), rotated);
}

#[tokio::test]
async fn of_two_emergency_rotations_at_once_the_keys_in_use_are_kept() {
    let world = World::new().await;
    let first = world.get(KEYS).await.done();
    let (one, two) = tokio::join!(world.rotate(0), world.rotate(0));
    let (rotated, refused) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!(refused.refused(), (409, "rotation-under-way"));
    let rotated = rotated.done();
    assert_eq!(rotated["former"], first["current"], "what is encrypted to the first certificate still opens");
    assert_eq!(world.get(KEYS).await.done(), rotated);
}

#[tokio::test]
async fn a_rotation_is_on_the_deployments_audit_trail() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let before = world.get(KEYS).await.done();
    let after = world.rotate(30).await.done();
    let event = world.get("/events").await.done()["items"][0].take();
    assert_eq!(event["action"], "service_provider_keys.rotated");
    assert_eq!((&event["before"], &event["after"], &event["actor"]["type"]), (&before, &after, &"operator".into()));
    assert_eq!(event["subject"], fingerprint(&after, "next", "signing"));
    assert!(!world.actions(&parent).await.contains(&"service_provider_keys.rotated".to_owned()), "no customer's");
    assert_eq!(world.get("/events?limit=0").await.refused(), (422, "invalid-value"));
}

#[tokio::test]
async fn nobody_makes_keys_by_asking_for_metadata_that_there_is_none_of() {
    let world = World::new().await;
    for file in ["metadata", "encryption-certificate"] {
        assert_eq!(world.status(&format!("/saml/con_00000000000000000000000000000000/{file}")).await, 404);
    }
    assert!(world.app().store.service_provider_keys().await.unwrap().is_none());
}

#[tokio::test]
async fn metadata_has_the_certificates_that_the_keys_say() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let connection =
        world.put(&format!("/parents/{parent}/connection"), json!({ "metadata_xml": METADATA })).await.done();
    let id = connection["id"].as_str().unwrap();
    assert_eq!(connection["encryption_certificate_url"], world.url(&format!("/saml/{id}/encryption-certificate")));
    let before = world.published(id).await;
    assert_eq!((before.signing.len(), before.encryption.len()), (1, 1));
    assert_ne!(before.signing, before.encryption);
    for method in ["xmlenc11#aes256-gcm", "xmlenc11#aes128-gcm", "xmlenc#aes256-cbc", "xmlenc#rsa-oaep-mgf1p"] {
        assert!(before.xml.contains(method), "{method}: {}", before.xml);
    }
    world.rotate(30).await.done();
    let during = world.published(id).await;
    assert_eq!(during.signing.len(), 2, "the present one and the next one");
    assert_eq!(during.signing[0], before.signing[0]);
    assert_eq!(during.encryption.len(), 1);
    assert_ne!(during.encryption, before.encryption, "the next one at once, since it opens at once");
    assert!(world.page(&format!("/saml/{id}/encryption-certificate")).await.contains(&during.encryption[0][..60]));
    world.wait(30 * DAY);
    let after = world.published(id).await;
    let turned = [during.signing[1].clone(), during.signing[0].clone()];
    assert_eq!((&after.signing[..], &after.encryption), (&turned[..], &during.encryption), "some still sign as before");
    world.wait(REMEMBERED);
    assert_eq!(world.published(id).await.signing, during.signing[1..]);
}

/// What metadata says of our keys.
struct Published {
    xml: String,
    signing: Vec<String>,
    encryption: Vec<String>,
}

impl World {
    async fn published(&self, connection: &str) -> Published {
        let xml = self.page(&format!("/saml/{connection}/metadata")).await;
        let of = |usage: &str| {
            let keys = xml.split("KeyDescriptor use=\"").filter(|key| key.starts_with(usage));
            let certificates = keys.map(|key| key.split("X509Certificate>").nth(1).unwrap().split('<').next().unwrap());
            certificates.map(str::to_owned).collect()
        };
        Published { signing: of("signing"), encryption: of("encryption"), xml }
    }
}
