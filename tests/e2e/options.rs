//! What a customer can choose about its connection, as its people see it.

use reqwest::Method;
use serde_json::{Value, json};
use vestibule::{clock::SignedDuration, service_provider::SETTLING};
use vestibule_local::idp::response::Cipher;
use vestibule_tests::{Browser, Page, Product};

use super::first_login::{attempts, claim, sign_in, to_identity_provider};

/// Sets the options of the demo customer's connection.
async fn choose(product: &Product, options: Value) -> Value {
    let metadata = product.browser().open("/idp/metadata").await.body;
    let parent = &product.local.demo.as_ref().unwrap().parent;
    let body = json!({ "metadata_xml": metadata, "options": options });
    product.done(Method::PUT, &format!("/parents/{parent}/connection"), Some(body)).await
}

async fn sample(product: &Product) -> String {
    let applications = product.done(Method::GET, "/applications", None).await;
    applications["items"][0]["client_id"].as_str().unwrap().to_owned()
}

/// Signs Grace in with an encrypted assertion.
async fn sign_in_encrypted(browser: &mut Browser, cipher: Cipher) -> Page {
    let page = to_identity_provider(browser, "grace@acme.example").await;
    let form = page.form("/idp/sign-in").fill("email", "grace@acme.example").fill("cipher", cipher.word());
    let answer = browser.submit(&page, &form).await;
    browser.submit(&answer, &answer.form("/saml/")).await
}

#[tokio::test]
async fn an_identity_provider_encrypts_to_our_metadata_before_and_after_a_rotation() {
    let product = Product::demo().await;
    for cipher in Cipher::ALL.iter().copied() {
        let page = sign_in_encrypted(&mut product.browser(), cipher).await;
        assert_eq!(claim(&page, "email"), "grace@acme.example", "{cipher:?}");
        product.clock.advance(SignedDuration::from_secs(SETTLING));
        let rotated = json!({ "notice_days": 0 });
        product.done(Method::POST, "/service-provider/keys/rotate", Some(rotated)).await;
    }
    let decrypted = |attempt: &Value| {
        let checks = attempt["checks"].as_array().unwrap();
        checks.iter().any(|check| check["name"] == "decryption" && check["found"] == "decrypted")
    };
    let attempts = attempts(&product).await;
    assert_eq!(attempts.iter().filter(|attempt| decrypted(attempt)).count(), Cipher::ALL.len());
}

#[tokio::test]
async fn a_name_id_format_is_asked_for_where_it_was_chosen() {
    let product = Product::demo().await;
    for (word, asked, offered) in [
        ("unspecified", None, ["nameid-format:persistent", "nameid-format:emailAddress"].as_slice()),
        ("email_address", Some("nameid-format:emailAddress"), &["nameid-format:emailAddress"]),
        ("persistent", Some("nameid-format:persistent"), &["nameid-format:persistent"]),
    ] {
        let connection = choose(&product, json!({ "name_id_format": word })).await;
        assert_eq!(connection["options"]["name_id_format"], word);
        let page = to_identity_provider(&mut product.browser(), "ada@acme.example").await;
        let request = page.text();
        assert_eq!(request.contains("NameIDPolicy"), asked.is_some(), "{word}: {request}");
        assert!(asked.is_none_or(|format| request.contains(format)), "{word}: {request}");
        let metadata = product.browser().open(connection["metadata_url"].as_str().unwrap()).await.body;
        let formats = metadata.split("NameIDFormat>").filter(|text| text.starts_with("urn:"));
        let formats: Vec<&str> = formats.map(|text| text.split("SAML:").nth(1).unwrap()).collect();
        assert!(formats.iter().zip(offered).all(|(format, end)| format.split('<').next().unwrap().ends_with(end)));
        assert_eq!(formats.len(), offered.len(), "{word}: {metadata}");
    }
    for (word, end) in [("email_address", "nameid-format:emailAddress"), ("persistent", "nameid-format:persistent")] {
        product.clock.advance(SignedDuration::from_secs(1));
        choose(&product, json!({ "name_id_format": word })).await;
        let email = format!("{}@acme.example", word.replace('_', "-"));
        let page = sign_in(&mut product.browser(), &email, "").await;
        assert_eq!(claim(&page, "email"), email);
        let attempt = attempts(&product).await.remove(0);
        let check = attempt["checks"].as_array().unwrap().iter().find(|check| check["name"] == "name_id").unwrap();
        assert!(check["found"].as_str().unwrap().ends_with(end), "{check}");
    }
}

/// From the portal of the identity provider to wherever its answer leads.
async fn begin_at_portal(product: &Product, browser: &mut Browser, email: &str) -> Page {
    let home = browser.open("/idp").await;
    let acs_url = &product.local.demo.as_ref().unwrap().acs_url;
    let page = browser.submit(&home, &home.form("/idp/sso").fill("acs_url", acs_url)).await;
    let answer = browser.submit(&page, &page.form("/idp/sign-in").fill("email", email)).await;
    browser.submit(&answer, &answer.form("/saml/")).await
}

#[tokio::test]
async fn who_begins_at_the_portal_signs_in_by_way_of_the_application() {
    let product = Product::demo().await;
    let page = begin_at_portal(&product, &mut product.browser(), "grace@acme.example").await;
    assert_eq!(page.status, 403, "off by default: {}", page.text());
    let refused = &attempts(&product).await[0];
    assert_eq!(refused["reason"], "idp_initiated");

    product.clock.advance(SignedDuration::from_secs(1));
    let options = json!({ "idp_initiated_application": sample(&product).await });
    choose(&product, options).await;
    let mut browser = product.browser();
    let page = begin_at_portal(&product, &mut browser, "grace@acme.example").await;
    // The application has begun an ordinary sign-in, and the identity provider is asked whether it is still Grace.
    assert_eq!(page.url.path(), "/idp/sso", "{}", page.text());
    assert!(!page.text().contains("Nobody asked for this sign-in."));
    assert!(browser.open("/app").await.body.contains("href=\"/app/sign-in\""), "nobody is signed in yet");
    let answer = browser.submit(&page, &page.form("/idp/sign-in").fill("email", "grace@acme.example")).await;
    let page = browser.submit(&answer, &answer.form("/saml/")).await;
    assert_eq!((claim(&page, "email").as_str(), claim(&page, "role").as_str()), ("grace@acme.example", "user"));

    let came_of = |attempt: &Value| attempt["outcome"].as_str().unwrap().to_owned();
    let mut outcomes: Vec<String> = attempts(&product).await.iter().map(came_of).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["refused", "sent_on", "signed_in"], "to be sent on is no sign-in");

    let parent = &product.local.demo.as_ref().unwrap().parent;
    let events = product.done(Method::GET, &format!("/parents/{parent}/events"), None).await;
    let changes = events["items"].as_array().unwrap().iter().filter(|event| event["action"] == "connection.changed");
    let last = changes.max_by_key(|event| event["at"].as_str().unwrap().to_owned()).unwrap();
    assert_eq!(last["before"]["options"].get("idp_initiated_application"), None);
    assert_eq!(last["after"]["options"]["idp_initiated_application"], sample(&product).await);
}

#[tokio::test]
async fn the_application_begins_nothing_for_strangers() {
    let product = Product::demo().await;
    let page =
        product.browser().open("/app/sign-in?iss=https%3A%2F%2Felsewhere.example&login_hint=a%40b.example").await;
    assert_eq!(page.status, 400);
    let ours = product.local.app.settings.issuer();
    let issuer: String = url::form_urlencoded::byte_serialize(ours.as_bytes()).collect();
    let page = product.browser().open(&format!("/app/sign-in?iss={issuer}&login_hint=ada%40acme.example")).await;
    assert_eq!(page.url.path(), "/idp/sso");
}

#[tokio::test]
async fn our_metadata_promises_signed_requests_where_they_are_signed() {
    let product = Product::demo().await;
    let demo = product.local.demo.as_ref().unwrap();
    let plain = product.browser().open("/idp/metadata").await.body;
    let wanting = plain.replace("WantAuthnRequestsSigned=\"false\"", "WantAuthnRequestsSigned=\"true\"");
    for (metadata, signed) in [(plain, false), (wanting, true)] {
        let path = format!("/parents/{}/connection", demo.parent);
        let connection = product.done(Method::PUT, &path, Some(json!({ "metadata_xml": metadata }))).await;
        let ours = product.browser().open(connection["metadata_url"].as_str().unwrap()).await.body;
        assert!(ours.contains(&format!("AuthnRequestsSigned=\"{signed}\"")), "{ours}");
        let mut browser = product.browser();
        let page = to_identity_provider(&mut browser, "ada@acme.example").await;
        assert_eq!(page.url.query_pairs().any(|(name, _)| name == "Signature"), signed, "{}", page.url);
        let identify = browser.open("/app/sign-in").await;
        let sent = browser.send(&identify, &identify.form("/saml/start").fill("email", "ada@acme.example")).await;
        assert!(sent.cost().round_trips <= 4, "signed or not: {}", sent.cost());
    }
}

#[tokio::test]
async fn a_login_starts_within_four_round_trips() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let asked = browser.step(Method::GET, "/app/sign-in", None).await.location().unwrap();
    let identify = browser.open(asked.as_str()).await;
    let sent = browser.send(&identify, &identify.form("/saml/start").fill("email", "ada@acme.example")).await;
    assert_eq!(sent.location().unwrap().path(), "/idp/sso", "{}", sent.text());
    assert!(sent.cost().round_trips <= 4, "an address that was typed: {}", sent.cost());
    let organization = product.local.demo.as_ref().unwrap().organization.as_str();
    for known in [("login_hint", "ada@acme.example"), ("organization", organization)] {
        let mut asked = browser.step(Method::GET, "/app/sign-in", None).await.location().unwrap();
        asked.query_pairs_mut().append_pair(known.0, known.1);
        let start = browser.step(Method::GET, asked.as_str(), None).await.location().unwrap();
        assert_eq!(start.path(), "/saml/start");
        let sent = browser.step(Method::GET, start.as_str(), None).await;
        assert_eq!(sent.location().unwrap().path(), "/idp/sso", "{}", sent.text());
        assert!(sent.cost().round_trips <= 4, "{}: {}", known.0, sent.cost());
    }
}

#[tokio::test]
async fn the_organization_in_the_address_is_only_what_is_looked_up_first() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let demo = product.local.demo.as_ref().unwrap();
    let mut asked = browser.step(Method::GET, "/app/sign-in", None).await.location().unwrap();
    asked.query_pairs_mut().append_pair("organization", &demo.organization);
    let start = browser.step(Method::GET, asked.as_str(), None).await.location().unwrap();
    // Whatever somebody writes there, the login knows which one the application named.
    for other in [demo.developers.as_str(), "org_00000000000000000000000000000000", "nonsense"] {
        let changed = start.as_str().replace(&demo.organization, other);
        let sent = browser.step(Method::GET, &changed, None).await;
        assert_eq!(sent.location().unwrap().path(), "/idp/sso", "{other}: {}", sent.text());
    }
}
