//! The keys that sign ID tokens, made once and rotated without anybody noticing.

use std::sync::Arc;

use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
use axum::http::{StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use vestibule::signing_key::{KeyRingError, PUBLISHED_AFTER, PUBLISHED_AHEAD, REMEMBERED, ROTATED_AFTER};
use vestibule_tests::Product;

use super::World;

async fn published(world: &World) -> Vec<Value> {
    let answer = world.get("/oidc/jwks", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::CACHE_CONTROL), format!("public, max-age={REMEMBERED}"));
    answer.json()["keys"].as_array().unwrap().clone()
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Whether one of the keys made the ID token's signature, by its `kid`.
fn verifies(tokens: &Value, keys: &[Value]) -> bool {
    let token = tokens["id_token"].as_str().unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decoded(message.split('.').next().unwrap())).unwrap();
    assert_eq!(header["alg"], "RS256");
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else { return false };
    let part = |name: &str| decoded(key[name].as_str().unwrap());
    let key = PublicKeyComponents { n: part("n"), e: part("e") };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &decoded(signature)).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_first_makes_the_one_key() {
    let product = Product::start().await;
    let app = &product.local.app;
    let now = app.clock.now();
    let made = (0..8).map(|_| {
        let app = Arc::clone(app);
        tokio::spawn(async move { app.signing_keys(now).await.unwrap() })
    });
    let mut rings = Vec::new();
    for ring in made.collect::<Vec<_>>() {
        rings.push(ring.await.unwrap());
    }
    assert!(rings.iter().all(|ring| *ring == rings[0]));
    assert_eq!(rings[0].published(now).count(), 1);
}

#[tokio::test]
async fn a_warm_request_reads_no_keys() {
    let world = World::new().await;
    world.tokens(&[]).await;
    let code = world.code(&[]).await;
    let warm = world.token(&world.application, &World::exchange(&code, &[])).await;
    assert_eq!(warm.cost.calls, 4, "application, code, membership, transaction: {}", warm.cost);
    assert_eq!(world.get("/oidc/jwks", &[]).await.cost.calls, 0);
    world.wait(REMEMBERED);
    assert_eq!(world.get("/oidc/jwks", &[]).await.cost.calls, 1, "but nothing is remembered for ever");
}

#[tokio::test]
async fn keys_overlap_while_they_rotate() {
    let world = World::new().await;
    let former = world.tokens(&[]).await;
    assert_eq!(published(&world).await.len(), 1);

    let now = world.app().clock.now();
    world.app().rotate_signing_keys(now).await.unwrap();
    let again = world.app().rotate_signing_keys(now).await;
    assert!(matches!(again, Err(KeyRingError::UnderWay(_))), "{again:?}");
    world.wait(REMEMBERED);
    let keys = published(&world).await;
    assert_eq!(keys.len(), 2, "the next one is known before it signs");
    assert!(verifies(&former, &keys));
    let before = world.tokens(&[]).await;
    assert_eq!(kid(&before), kid(&former));

    world.wait(PUBLISHED_AHEAD - REMEMBERED);
    let session = super::sign_in(world.app(), &world.ada, world.parent).await;
    let world = World { session, ..world };
    let present = world.tokens(&[]).await;
    assert_ne!(kid(&present), kid(&former), "its turn came by time alone");
    let keys = published(&world).await;
    assert!(verifies(&former, &keys) && verifies(&present, &keys));

    world.wait(PUBLISHED_AFTER);
    let keys = published(&world).await;
    assert_eq!(keys.len(), 1);
    assert!(!verifies(&former, &keys) && verifies(&present, &keys));
}

#[tokio::test]
async fn rotation_begins_by_itself_when_it_is_due() {
    let world = World::new().await;
    assert_eq!(published(&world).await.len(), 1);
    world.wait(ROTATED_AFTER);
    assert_eq!(published(&world).await.len(), 2);
}

fn kid(tokens: &Value) -> String {
    let header = tokens["id_token"].as_str().unwrap().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
