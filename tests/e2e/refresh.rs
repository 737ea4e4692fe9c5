//! What looks after connections on a schedule: metadata fetched again, certificates about to expire, duplicates.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::{
    app::{App, Reach},
    clock::SignedDuration,
    connection::INTERVAL,
};
use vestibule_refresh_metadata::Refresher;
use vestibule_tests::{Product, Published, Publisher, identity_provider::IdentityProvider};

const ENTITY_ID: &str = "https://idp.corp.example/saml";
const SSO: &str = "https://idp.corp.example/sso";
/// Longer than from one fetch to the next.
const PAST_DUE: i64 = INTERVAL * 12 / 10;

struct World {
    product: Product,
    publisher: Publisher,
    idp: IdentityProvider,
    path: String,
    parent: String,
}

impl World {
    /// A customer that verified a domain, and the server with its identity provider's metadata.
    async fn new() -> Self {
        Self::with(IdentityProvider::new(ENTITY_ID)).await
    }

    async fn with(idp: IdentityProvider) -> Self {
        let product = Product::start().await;
        let publisher = Publisher::start(Published::Document(idp.metadata(SSO))).await;
        let parent = product.customer("corp.example").await;
        let path = format!("/parents/{parent}/connection");
        Self { product, publisher, idp, path, parent }
    }

    async fn connect(&self) -> Value {
        let connection = self.put(json!({ "metadata_url": self.publisher.url })).await;
        assert_eq!(connection.0, StatusCode::OK, "{}", connection.1);
        connection.1
    }

    async fn put(&self, body: Value) -> (StatusCode, Value) {
        self.product.api(Method::PUT, &self.path, Some(body)).await
    }

    async fn shown(&self) -> Value {
        self.product.done(Method::GET, &self.path, None).await
    }

    fn wait(&self, seconds: i64) {
        self.product.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The fingerprints that are trusted.
    async fn trusted(&self) -> Vec<String> {
        let shown = self.shown().await;
        let certificates = shown["certificates"].as_array().unwrap().iter();
        certificates.map(|certificate| certificate["fingerprint"].as_str().unwrap().to_owned()).collect()
    }

    async fn changes(&self) -> usize {
        let events = self.product.done(Method::GET, &format!("/parents/{}/events", self.parent), None).await;
        events["items"].as_array().unwrap().iter().filter(|event| event["action"] == "connection.changed").count()
    }

    /// The subjects of the mails that were delivered, the oldest first.
    async fn subjects(&self) -> Vec<String> {
        self.product.deliver_mail().await;
        let mut mails = self.product.local.mailbox.mails();
        mails.sort_by_key(|mail| mail.id);
        let ours = mails.into_iter().filter(|mail| !mail.subject.contains("corp.example"));
        ours.map(|mail| mail.subject).collect()
    }
}

#[tokio::test]
async fn certificates_follow_the_metadata() {
    let world = World::new().await;
    let made = world.connect().await;
    assert_eq!(made["refresh"]["url"], world.publisher.url.as_str());
    assert_eq!(made["warnings"], json!([]));
    assert_eq!(world.product.refresh_metadata().await, 0, "nothing is due yet");
    assert_eq!(world.publisher.asked(), 1);

    // The next key is published before it signs: both are trusted.
    let next = IdentityProvider::new(ENTITY_ID);
    world.publisher.publish(Published::Document(world.idp.metadata_with(SSO, &[&next])));
    world.wait(PAST_DUE);
    assert_eq!(world.product.refresh_metadata().await, 1);
    let mut both = vec![world.idp.fingerprint(), next.fingerprint()];
    let mut trusted = world.trusted().await;
    both.sort();
    trusted.sort();
    assert_eq!(trusted, both);
    assert_eq!(world.changes().await, 2);

    // The old one is dropped.
    world.publisher.publish(Published::Document(next.metadata(SSO)));
    world.wait(PAST_DUE);
    assert_eq!(world.product.refresh_metadata().await, 1);
    assert_eq!(world.trusted().await, [next.fingerprint()]);
    assert_eq!(world.changes().await, 3);

    // The same once more is no change.
    world.wait(PAST_DUE);
    assert_eq!(world.product.refresh_metadata().await, 1);
    assert_eq!(world.changes().await, 3);
    assert_eq!(world.publisher.asked(), 4);
    let shown = world.shown().await;
    assert_eq!(shown["refresh"]["fetched_at"], world.product.local.app.clock.now().to_string());
    assert_eq!((&shown["id"], &shown["created_at"]), (&made["id"], &made["created_at"]));
}

#[tokio::test]
async fn whatever_goes_wrong_keeps_the_keys_and_shows_what_it_was() {
    let world = World::new().await;
    world.connect().await;
    let bomb = {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b' '; 64 << 20]).unwrap();
        gzip.finish().unwrap()
    };
    let other = IdentityProvider::new("https://other.example/saml");
    let weak = world.idp.metadata(SSO).replace("X509Certificate>", "X509Crl>");
    for (published, finding) in [
        (Published::Status(404), "refused"),
        (Published::Elsewhere("https://169.254.169.254/latest/meta-data/".to_owned()), "internal_address"),
        (Published::Elsewhere("https://[::ffff:10.0.0.1]/".to_owned()), "internal_address"),
        (Published::Elsewhere("file:///etc/passwd".to_owned()), "address"),
        (Published::Elsewhere("/again".to_owned()), "refused"),
        (Published::Large(2 << 20), "too_large"),
        (Published::Gzip(bomb), "too_large"),
        (Published::Document("<!DOCTYPE html><html></html>".to_owned()), "not_metadata"),
        (Published::Document(weak), "not_metadata"),
        (Published::Document("\u{0}".to_owned()), "not_metadata"),
        (Published::Document(other.metadata(SSO)), "other_entity"),
    ] {
        world.publisher.publish(published.clone());
        world.wait(PAST_DUE);
        assert_eq!(world.product.refresh_metadata().await, 1, "{published:?}");
        let shown = world.shown().await;
        assert_eq!(shown["refresh"]["failing"]["finding"], finding, "{published:?} {}", shown["refresh"]);
        assert_eq!(world.trusted().await, [world.idp.fingerprint()]);
    }
    assert_eq!(world.changes().await, 1);
    assert_eq!(world.shown().await["refresh"]["failing"]["times"], 11);
    // It is over when it is over.
    world.publisher.publish(Published::Document(world.idp.metadata(SSO)));
    world.wait(PAST_DUE);
    world.product.refresh_metadata().await;
    let shown = world.shown().await;
    assert_eq!((shown["refresh"].get("failing"), &shown["warnings"]), (None, &json!([])));
}

#[tokio::test]
async fn a_document_that_never_ends_is_given_up() {
    let world = World::new().await;
    world.connect().await;
    world.publisher.publish(Published::Endless);
    world.wait(PAST_DUE);
    assert_eq!(world.product.refresh_metadata().await, 1);
    assert_eq!(world.shown().await["refresh"]["failing"]["finding"], "too_slow");
}

#[tokio::test]
async fn runs_at_the_same_time_fetch_and_change_once() {
    let world = World::new().await;
    world.connect().await;
    let next = IdentityProvider::new(ENTITY_ID);
    world.publisher.publish(Published::Late(next.metadata(SSO), Duration::from_millis(200)));
    world.wait(PAST_DUE);
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let refresher = world.product.local.refresher.clone();
        runs.spawn(async move { refresher.run().await.unwrap().kept_up });
    }
    assert_eq!(runs.join_all().await.into_iter().sum::<usize>(), 1);
    assert_eq!((world.publisher.asked(), world.changes().await), (2, 2));
    assert_eq!(world.product.refresh_metadata().await, 0, "nor does a late duplicate");
}

#[tokio::test]
async fn a_change_by_hand_stands_against_a_fetch_that_was_under_way() {
    let world = World::new().await;
    world.connect().await;
    let (next, by_hand) = (IdentityProvider::new(ENTITY_ID), IdentityProvider::new(ENTITY_ID));
    world.publisher.publish(Published::Late(next.metadata(SSO), Duration::from_millis(400)));
    world.wait(PAST_DUE);
    let refresher = world.product.local.refresher.clone();
    let run = tokio::spawn(async move { refresher.run().await.unwrap() });
    while world.publisher.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.put(json!({ "metadata_xml": by_hand.metadata(SSO) })).await.0, StatusCode::OK);
    run.await.unwrap();
    assert_eq!(world.trusted().await, [by_hand.fingerprint()]);
    assert!(world.shown().await.get("refresh").is_none());
}

#[tokio::test]
async fn administrators_are_warned_once_for_each_time_before_the_last_certificate_expires() {
    // The clock stands at 1 March 2027 in the beginning.
    let world = World::with(IdentityProvider::expiring(ENTITY_ID, (2027, 4, 20))).await;
    assert_eq!(world.put(json!({ "metadata_xml": world.idp.metadata(SSO) })).await.0, StatusCode::OK);
    let mut days_of_mail = Vec::new();
    for day in 0..60 {
        world.product.refresh_metadata().await;
        world.product.refresh_metadata().await;
        let mails = world.subjects().await.len();
        if mails > days_of_mail.len() {
            days_of_mail.push(day);
        }
        assert_eq!(mails, days_of_mail.len(), "one at a time");
        world.wait(86_400);
    }
    // 20 March at midnight plus 30, 7 and 1 days is looked at on the mornings of 21 March, 13 and 19 April.
    assert_eq!(days_of_mail, [20, 43, 49]);
    let subjects = world.subjects().await;
    assert!(
        subjects.iter().all(|subject| subject == "The certificate of the identity provider expires on 20 April 2027"),
        "{subjects:?}"
    );
    assert_eq!(world.shown().await["warnings"][0]["warning"], "certificates_expired");
    let mail = world.product.local.mailbox.mails().into_iter().find(|mail| mail.subject == subjects[0]).unwrap();
    assert_eq!(mail.to, ["owner@corp.example"]);
    let text = mail.text.unwrap();
    for fact in [ENTITY_ID, &world.idp.fingerprint(), "20 April 2027, 00:00 UTC", "make a new signing certificate"] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
}

#[tokio::test]
async fn a_renewed_certificate_ends_the_warnings() {
    let world = World::with(IdentityProvider::expiring(ENTITY_ID, (2027, 3, 15))).await;
    let made = world.connect().await;
    assert_eq!(made["warnings"][0]["warning"], "certificates_expire");
    assert_eq!(world.product.refresh_metadata().await, 1, "at once, not with the next fetch");
    assert_eq!(world.subjects().await.len(), 1);
    assert_eq!(world.publisher.asked(), 1);
    let next = IdentityProvider::new(ENTITY_ID);
    world.publisher.publish(Published::Document(world.idp.metadata_with(SSO, &[&next])));
    world.wait(PAST_DUE);
    for _ in 0..40 {
        world.product.refresh_metadata().await;
        world.wait(86_400);
    }
    assert_eq!(world.subjects().await.len(), 1);
    assert_eq!(world.shown().await["warnings"], json!([]));
}

#[tokio::test]
async fn administrators_are_told_of_metadata_that_fails_for_days() {
    let world = World::new().await;
    world.connect().await;
    world.publisher.publish(Published::Status(410));
    let mut told = Vec::new();
    for hour in (0..12 * 24).step_by(3) {
        world.product.refresh_metadata().await;
        if world.subjects().await.len() > told.len() {
            told.push(hour);
        }
        world.wait(3 * 3_600);
    }
    // Three days after the first failure, which came with the first fetch, and with the next fetch from then on.
    assert!(matches!(told[..], [hour] if (3 * 24 + 6..4 * 24).contains(&hour)), "{told:?}");
    let subjects = world.subjects().await;
    assert_eq!(subjects, ["The metadata of the identity provider can not be fetched"]);
    let mails = world.product.local.mailbox.mails();
    let text = mails.iter().find(|mail| mail.subject == subjects[0]).unwrap().text.clone().unwrap();
    assert!(text.contains("the server answered with the status 410") && text.contains(world.publisher.url.as_str()));
    // It was asked with growing pauses, not each hour.
    assert!(world.publisher.asked() < 60, "{}", world.publisher.asked());
}

#[tokio::test]
async fn the_local_product_fetches_from_its_own_identity_provider() {
    let world = World::new().await;
    let url = world.product.local.base_url.join("/idp/metadata").unwrap();
    let (status, made) = world.put(json!({ "metadata_url": url })).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(made["identity_provider"]["entity_id"], url.as_str());
}

#[tokio::test]
async fn a_deployment_asks_the_public_internet_only() {
    let world = World::new().await;
    let local = &world.product.local.app;
    let mut settings = local.settings.clone();
    assert_eq!(settings.reach, Reach::Loopback, "the local product asks this machine itself");
    settings.reach = Reach::default();
    let app = App { settings, store: local.store.clone(), clock: local.clock.clone(), random: local.random.clone() };
    world.connect().await;
    world.wait(PAST_DUE);
    assert_eq!(Refresher::new(app.into()).run().await.unwrap().kept_up, 1);
    assert_eq!(world.publisher.asked(), 1);
    assert_eq!(world.shown().await["refresh"]["failing"]["finding"], "address");
}
