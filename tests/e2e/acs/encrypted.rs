//! Encrypted assertions: every algorithm, keys that rotate, and one refusal for whatever does not open.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::{
    saml::CheckName,
    service_provider::{Generation, LOOKED, REMEMBERED, ServiceProviderKeys},
};
use vestibule_local::idp::response::{Cipher, Encryption, KeyPlace, Transport};

use super::*;

const RANDOM: [u8; 48] = [7; 48];

fn cost(response: &Response) -> Cost {
    *response.extensions().get::<Cost>().unwrap()
}

fn to(recipient: &[u8], cipher: Cipher) -> Encryption<'_> {
    Encryption { recipient, cipher, transport: Transport::OaepSha256, place: KeyPlace::Inside, random: &RANDOM }
}

impl World {
    /// The public key that our metadata names.
    async fn recipient(&self) -> Vec<u8> {
        let keys = self.app().service_provider_keys(self.app().clock.now()).await.unwrap().value;
        keys.encryption_certificate().public_key_info()
    }

    /// Rotates the keys as another process does.
    async fn rotate(&self, notice: u32) {
        let now = self.app().clock.now();
        let keys = self.app().service_provider_keys(now).await.unwrap();
        let turn = ServiceProviderKeys::turn_after(notice, now);
        let next = self.app().fresh_generation(turn, now).await.unwrap();
        let mut transaction = Transaction::<()>::default();
        transaction.replace_service_provider_keys(&keys.value.rotated(next, now).unwrap(), keys.version, ());
        self.app().store.commit(transaction).await.unwrap();
    }

    fn pass(&self, seconds: i64) {
        self.product.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// A public key that is not ours.
    fn stranger(&self) -> Vec<u8> {
        let (app, now) = (self.app(), self.app().clock.now());
        let keys = Generation::make(now, now, &app.settings.sealing_key, &app.random).unwrap();
        keys.encryption.certificate.public_key_info()
    }

    /// Writes something over our keys that is none, so that they can not be read any more.
    async fn spoil_keys(&self) {
        let mut transaction = Transaction::<()>::default();
        transaction.append(Key::ServiceProviderKeys, &serde_json::json!({ "newest": 1 }));
        self.app().store.commit(transaction).await.unwrap();
    }

    /// Signs in with an assertion encrypted to `recipient`; what that cost.
    async fn signs_in(&self, recipient: &[u8]) -> Cost {
        let waiting = self.waiting().await;
        let claims = self.claims(&waiting);
        let response = self.idp.encrypted(&claims, Some(Signing::Both), &to(recipient, Cipher::Gcm256));
        let answer = self.post(&self.connection.id.to_string(), Some(&waiting), &response).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{:?}", self.attempts().await.first());
        self.product.clock.advance(SignedDuration::from_secs(1));
        *answer.extensions().get::<Cost>().unwrap()
    }
}

#[tokio::test]
async fn each_algorithm_signs_in_within_three_round_trips() {
    let world = World::new().await;
    let recipient = world.recipient().await;
    let connection = world.connection.id.to_string();
    for cipher in Cipher::ALL.iter().copied() {
        for (transport, place, signing) in [
            (Transport::OaepSha1, KeyPlace::Inside, Signing::Assertion),
            (Transport::OaepSha256, KeyPlace::Beside, Signing::Response),
            (Transport::OaepSha256, KeyPlace::Inside, Signing::Both),
        ] {
            let waiting = world.waiting().await;
            let encryption = Encryption { recipient: &recipient, cipher, transport, place, random: &RANDOM };
            let response = world.idp.encrypted(&world.claims(&waiting), Some(signing), &encryption);
            let answer = world.post(&connection, Some(&waiting), &response).await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{cipher:?} {transport:?} {signing:?}");
            let cost = *answer.extensions().get::<Cost>().unwrap();
            assert!(cost.round_trips <= 3, "a cold process too: {cost}");
            let attempt = world.attempts().await.remove(0);
            let check = attempt.checks.checks().iter().find(|check| check.name == CheckName::Decryption).unwrap();
            assert_eq!((attempt.reason, check.found.as_deref()), (None, Some("decrypted")));
            world.product.clock.advance(SignedDuration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn a_rotation_elsewhere_stops_nobody() {
    let world = World::new().await;
    let first = world.recipient().await;
    assert!(world.signs_in(&first).await.round_trips <= 3);
    world.rotate(30).await;
    let second = world.recipient().await;
    assert_ne!(first, second);
    world.pass(LOOKED);
    let cost = world.signs_in(&second).await;
    assert!(cost.round_trips <= 4, "keys that this process does not know yet are read once: {cost}");
    assert!(world.signs_in(&second).await.round_trips <= 3, "and known from then on");
    assert!(world.signs_in(&first).await.round_trips <= 3, "an identity provider that has not read the metadata again");

    world.product.clock.advance(SignedDuration::from_hours(31 * 24));
    assert!(world.signs_in(&first).await.round_trips <= 3, "the former key, after the turn");
    world.rotate(0).await;
    world.product.clock.advance(SignedDuration::from_secs(REMEMBERED));
    let waiting = world.waiting().await;
    let dropped = world.idp.encrypted(&world.claims(&waiting), Some(Signing::Both), &to(&first, Cipher::Gcm256));
    world.refuses(&waiting, &dropped, Reason::Decryption).await;
    world.signs_in(&second).await;
}

/// Whatever is wrong, the page, the trace and the cost are the same: a difference would answer questions about the
/// plain text.
#[tokio::test]
async fn what_does_not_open_is_refused_in_one_way() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    let claims = world.claims(&waiting);
    let nobody = IdentityProvider::new("https://idp.corp.example/saml");
    let sound =
        |recipient: &[u8], cipher| world.idp.encrypted(&claims, Some(Signing::Assertion), &to(recipient, cipher));

    // Before the deployment has any keys.
    let stranger = world.stranger();
    world.refuses(&waiting, &sound(&stranger, Cipher::Gcm128), Reason::Decryption).await;

    let ours = world.recipient().await;
    let xml = |response: String| String::from_utf8(STANDARD.decode(response).unwrap()).unwrap();
    let with_data = |response: String, change: &dyn Fn(&mut Vec<u8>)| {
        let xml = xml(response);
        let start = xml.rfind("CipherValue>").and_then(|_| xml.rfind("<xenc:CipherValue>")).unwrap() + 18;
        let end = start + xml[start..].find('<').unwrap();
        let mut data = STANDARD.decode(&xml[start..end]).unwrap();
        change(&mut data);
        STANDARD.encode([&xml[..start], &STANDARD.encode(data), &xml[end..]].concat())
    };
    let last = |data: &mut Vec<u8>| *data.last_mut().unwrap() ^= 1;
    let middle = |data: &mut Vec<u8>| data[40] ^= 1;
    let before_last = |data: &mut Vec<u8>| {
        let at = data.len() - 17;
        data[at] ^= 1;
    };
    let cases = [
        ("another key", sound(&stranger, Cipher::Cbc256)),
        ("a changed tag", with_data(sound(&ours, Cipher::Gcm256), &last)),
        ("a changed last block", with_data(sound(&ours, Cipher::Cbc128), &last)),
        ("changed padding", with_data(sound(&ours, Cipher::Cbc128), &before_last)),
        ("changed text", with_data(sound(&ours, Cipher::Cbc256), &middle)),
        ("half a block", with_data(sound(&ours, Cipher::Cbc256), &|data| data.truncate(24))),
        ("nothing", with_data(sound(&ours, Cipher::Gcm128), &|data| data.clear())),
        ("signed nowhere", world.idp.encrypted(&claims, None, &to(&ours, Cipher::Cbc128))),
        ("signed by somebody else", nobody.encrypted(&claims, Some(Signing::Assertion), &to(&ours, Cipher::Cbc128))),
        (
            "another cipher's name",
            STANDARD.encode(xml(sound(&ours, Cipher::Gcm256)).replace("aes256-gcm", "aes192-gcm")),
        ),
    ];
    let mut seen = Vec::new();
    world.pass(LOOKED);
    for (what, response) in cases {
        let page = world.post(&world.connection.id.to_string(), Some(&waiting), &response).await;
        let (status, cost) = (page.status(), cost(&page));
        let headers = page.headers().clone();
        let attempt = world.attempts().await.remove(0);
        assert_eq!((status, attempt.reason), (StatusCode::FORBIDDEN, Some(Reason::Decryption)), "{what}");
        let html = text(page).await.replace(attempt.reference.as_str(), "…");
        let length = headers.get(header::CONTENT_LENGTH).cloned();
        // Who sends a message knows how long it is.
        let rest: Vec<&Check> = attempt.checks.checks().iter().filter(|check| check.name != CheckName::Size).collect();
        let trace = serde_json::to_string(&rest).unwrap();
        seen.push((what, (html, length, trace, cost.calls, cost.round_trips)));
        world.pass(LOOKED);
    }
    let (_, first) = seen[0].clone();
    for (what, answer) in &seen {
        assert!(*answer == first, "{what}: {:?}, not {:?}", answer.2, first.2);
    }
    assert!(first.2.contains("Decryption") || first.2.contains("decrypt"), "{}", first.2);

    // The positive control, at the very login that all these were posted to.
    let answer = world.post(&world.connection.id.to_string(), Some(&waiting), &sound(&ours, Cipher::Cbc128)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn who_posts_what_does_not_open_makes_nobody_read_each_time() {
    let world = World::new().await;
    let ours = world.recipient().await;
    world.signs_in(&ours).await;
    let waiting = world.waiting().await;
    let rubbish =
        world.idp.encrypted(&world.claims(&waiting), Some(Signing::Both), &to(&world.stranger(), Cipher::Gcm256));
    let calls = async || {
        let answer = world.post(&world.connection.id.to_string(), Some(&waiting), &rubbish).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        world.pass(1);
        cost(&answer).calls
    };
    world.pass(LOOKED);
    let looked = calls().await;
    assert_eq!(calls().await, looked - 1, "looked a second ago");
    world.pass(LOOKED);
    assert_eq!(calls().await, looked);
    // And what another process made in the meantime is found.
    world.rotate(0).await;
    let second = world.recipient().await;
    world.pass(LOOKED);
    world.signs_in(&second).await;
}

#[tokio::test]
async fn where_our_keys_can_not_be_read_only_what_needs_one_fails() {
    let world = World::new().await;
    let ours = world.recipient().await;
    world.spoil_keys().await;
    let store = &world.app().store;
    let mut parent = store.parent(world.connection.parent).await.unwrap().unwrap();
    parent.value.connection = Some(world.connection.id);
    let mut transaction = Transaction::<()>::default();
    transaction.replace_parent(&parent.value, parent.version, ());
    store.commit(transaction).await.unwrap();
    let waiting = world.waiting().await;
    let encrypted = world.idp.encrypted(&world.claims(&waiting), Some(Signing::Both), &to(&ours, Cipher::Gcm256));
    let answer = world.post(&world.connection.id.to_string(), Some(&waiting), &encrypted).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "whether it opens is not known");
    let start = |email: &str| {
        Request::get(format!("/saml/start?login={}&email={email}", waiting.login.id))
            .header(header::COOKIE, &waiting.cookie)
            .body(Body::empty())
            .unwrap()
    };
    let asked = world.router.clone().oneshot(start("")).await.unwrap();
    assert_ne!(asked.status(), StatusCode::SERVICE_UNAVAILABLE);
    let sent = world.router.clone().oneshot(start("ada@corp.example")).await.unwrap();
    assert_eq!(sent.status(), StatusCode::SEE_OTHER, "an unsigned request");
    let waiting = world.waiting().await;
    let answer = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "an assertion that is not encrypted");
}

#[tokio::test]
async fn keys_that_can_not_be_read_again_serve_on() {
    let world = World::new().await;
    let ours = world.recipient().await;
    world.signs_in(&ours).await;
    world.spoil_keys().await;
    world.pass(REMEMBERED);
    let tried = world.signs_in(&ours).await;
    assert_eq!(world.signs_in(&ours).await.calls, tried.calls - 1, "and are not asked for again at once");
}
