//! A parent's connection to its identity provider.

use serde_json::{Value, json};
use vestibule_tests::{Published, Publisher};

use super::World;

pub(super) const METADATA: &str = include_str!("metadata.xml");

#[tokio::test]
async fn a_connection_is_made_shown_and_changed() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let path = format!("/parents/{parent}/connection");
    assert_eq!(world.get(&path).await.refused(), (404, "not-found"));
    world.wait(1);
    let made = world.put(&path, json!({ "metadata_xml": METADATA })).await.done();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["entity_id"], world.url(&format!("/saml/{id}/metadata")));
    assert_eq!(made["metadata_url"], made["entity_id"]);
    assert_eq!(made["acs_url"], world.url(&format!("/saml/{id}/acs")));
    assert_eq!(made["identity_provider"]["entity_id"], "https://idp.example.com/metadata");
    assert_eq!(made["identity_provider"]["sso_redirect"], "https://idp.example.com/sso");
    assert_eq!(made["certificates"].as_array().unwrap().len(), 1);
    assert_eq!(made["options"], json!({ "force_authn": false, "name_id_format": "unspecified" }));
    assert_eq!(world.get(&path).await.done(), made);
    assert_eq!(world.get(&format!("/parents/{parent}")).await.done()["connection"], id);
    world.wait(1);
    assert_eq!(world.put(&path, json!({ "metadata_xml": METADATA })).await.done(), made, "nothing changes");
    let options = json!({ "email_attribute": "mail", "force_authn": true, "name_id_format": "persistent" });
    let changed = world.put(&path, json!({ "metadata_xml": METADATA, "options": options })).await.done();
    assert_eq!((&changed["id"], &changed["options"]), (&made["id"], &options), "its addresses stay");
    assert_eq!(changed["created_at"], made["created_at"]);
    assert_ne!(changed["changed_at"], made["changed_at"]);
    let events = world.get(&format!("/parents/{parent}/events")).await.done();
    assert_eq!(events["items"][0]["action"], "connection.changed");
    let recorded = |connection: &Value| {
        let mut recorded = connection.clone();
        recorded["shared_identity_provider"] = false.into();
        recorded
    };
    let change = |place: usize| (events["items"][place]["before"].clone(), events["items"][place]["after"].clone());
    assert_eq!(change(0), (recorded(&made), recorded(&changed)));
    assert_eq!(change(1), (Value::Null, recorded(&made)));
}

#[tokio::test]
async fn it_needs_a_verified_domain_and_usable_metadata() {
    let world = World::new().await;
    let (_, parent, _) = world.organization("example.com").await;
    let path = format!("/parents/{parent}/connection");
    assert_eq!(world.put(&path, json!({ "metadata_xml": METADATA })).await.refused(), (409, "no-verified-domain"));
    let (_, parent) = world.verified("other.example").await;
    let path = format!("/parents/{parent}/connection");
    for (body, pointer) in [
        (json!({}), json!("/metadata_xml")),
        (
            json!({ "metadata_xml": METADATA, "metadata_url": "https://idp.example.com/metadata" }),
            json!("/metadata_xml"),
        ),
        (json!({ "metadata_url": "nowhere" }), json!("/metadata_url")),
        (json!({ "metadata_url": format!("https://idp.example.com/{}", "a".repeat(2048)) }), json!("/metadata_url")),
        (json!({ "metadata_xml": "<html></html>" }), json!("/metadata_xml")),
        (json!({ "metadata_xml": METADATA, "options": { "email_attribute": "" } }), json!("/options/email_attribute")),
        (
            json!({ "metadata_xml": METADATA, "options": { "name_id_format": "transient" } }),
            json!("/options/name_id_format"),
        ),
        (json!({ "metadata_xml": METADATA, "options": { "name_id_format": "" } }), json!("/options/name_id_format")),
        (
            json!({ "metadata_xml": METADATA, "options": { "idp_initiated_application": "Claude" } }),
            json!("/options/idp_initiated_application"),
        ),
        (json!({ "metadata_xml": METADATA, "options": { "other": 1 } }), Value::Null),
    ] {
        let answer = world.put(&path, body).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], pointer);
    }
    let nobody = "/parents/par_00000000000000000000000000000000/connection";
    assert_eq!(world.put(nobody, json!({ "metadata_xml": METADATA })).await.refused(), (404, "not-found"));
    assert_eq!(world.get(nobody).await.refused(), (404, "not-found"));
}

#[tokio::test]
async fn a_tie_that_is_not_there_can_not_be_reset() {
    let world = World::new().await;
    let (organization, parent) = world.verified("example.com").await;
    let owner = world.get(&format!("/organizations/{organization}")).await.done()["primary_owner"]["account"].take();
    let owner = owner.as_str().unwrap();
    let tie = async |parent: &str, account: &str| {
        world.delete(&format!("/parents/{parent}/connection/ties/{account}")).await.refused().0
    };
    assert_eq!(tie(&parent, owner).await, 404, "no connection");
    world.put(&format!("/parents/{parent}/connection"), json!({ "metadata_xml": METADATA })).await.done();
    assert_eq!(tie(&parent, owner).await, 404, "has never signed in");
    assert_eq!(tie(&parent, "acc_00000000000000000000000000000000").await, 404);
    assert_eq!(tie("par_00000000000000000000000000000000", owner).await, 404);
}

#[tokio::test]
async fn metadata_is_taken_from_its_address() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let path = format!("/parents/{parent}/connection");
    let publisher = Publisher::start(Published::Document(METADATA.to_owned())).await;
    let by_url = || json!({ "metadata_url": format!("{}#fragment", publisher.url) });
    world.wait(1);
    let made = world.put(&path, by_url()).await.done();
    assert_eq!(made["identity_provider"]["entity_id"], "https://idp.example.com/metadata");
    assert_eq!(made["refresh"]["url"], publisher.url.as_str());
    assert_eq!(made["refresh"].get("failing"), None);
    assert_eq!(world.get(&path).await.done(), made);
    assert_eq!(world.actions(&parent).await[0], "connection.changed");
    // The same once more fetches it again, and that is all.
    world.wait(1);
    let again = world.put(&path, by_url()).await.done();
    assert_eq!(publisher.asked(), 2);
    assert_ne!(again["refresh"]["fetched_at"], made["refresh"]["fetched_at"]);
    assert_eq!(again["changed_at"], made["changed_at"]);
    let changes = world.actions(&parent).await.into_iter().filter(|action| action == "connection.changed");
    assert_eq!(changes.count(), 1);
    // By the same metadata as a document it is another connection to the same identity provider.
    let document = world.put(&path, json!({ "metadata_xml": METADATA })).await.done();
    assert_eq!((document.get("refresh"), &document["id"]), (None, &made["id"]));
}

#[tokio::test]
async fn an_address_without_metadata_changes_nothing_and_says_why() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let path = format!("/parents/{parent}/connection");
    let publisher = Publisher::start(Published::Document("<a/>".to_owned())).await;
    let at = |url: &str| json!({ "metadata_url": url });
    for (url, finding) in [
        (publisher.url.as_str(), "not_metadata"),
        ("http://10.0.0.1/metadata", "internal_address"),
        ("https://169.254.169.254/latest/meta-data/", "internal_address"),
        ("https://[::ffff:192.168.0.1]/", "internal_address"),
        ("https://ada:secret@127.0.0.1/", "address"),
        ("ftp://127.0.0.1/", "address"),
        ("https://8.8.8.8:25/", "address"),
        ("https://127.0.0.1:1/", "unreachable"),
    ] {
        let answer = world.put(&path, at(url)).await;
        assert_eq!(answer.refused(), (422, "metadata-not-fetched"), "{url}: {}", answer.body);
        assert_eq!(
            (&answer.body["pointer"], &answer.body["finding"]),
            (&json!("/metadata_url"), &json!(finding)),
            "{url}"
        );
        assert_eq!(world.get(&path).await.refused(), (404, "not-found"), "{url}");
    }
    publisher.publish(Published::Status(500));
    assert_eq!(world.put(&path, at(publisher.url.as_str())).await.body["finding"], "refused");
    publisher.publish(Published::Large(1 << 21));
    assert_eq!(world.put(&path, at(publisher.url.as_str())).await.body["finding"], "too_large");
    let expired = METADATA.replacen("entityID=", "validUntil=\"2020-01-01T00:00:00Z\" entityID=", 1);
    publisher.publish(Published::Document(expired));
    assert_eq!(world.put(&path, at(publisher.url.as_str())).await.body["finding"], "expired");

    // Nobody is asked for a parent that could not use the answer.
    let asked = publisher.asked();
    let (_, other, _) = world.organization("other.example").await;
    let answer = world.put(&format!("/parents/{other}/connection"), at(publisher.url.as_str())).await;
    assert_eq!(answer.refused(), (409, "no-verified-domain"));
    assert_eq!(publisher.asked(), asked);
}

#[tokio::test]
async fn who_begins_at_the_identity_provider_is_sent_to_an_application_that_begins_sign_ins() {
    let world = World::new().await;
    let (_, parent) = world.verified("example.com").await;
    let path = format!("/parents/{parent}/connection");
    let register = async |start: Option<&str>| {
        let body = json!({
            "name": "Claude",
            "surface": "claudeai",
            "redirect_uris": ["https://app.example.com/callback"],
            "start_login_uri": start,
        });
        world.post("/applications", body).await.done()["client_id"].clone()
    };
    let choose = async |application: &Value| {
        let options = json!({ "idp_initiated_application": application });
        world.put(&path, json!({ "metadata_xml": METADATA, "options": options })).await
    };
    let nobody = json!("app_00000000000000000000000000000000");
    for unfit in [nobody, register(None).await, register(Some("com.example.app:/login")).await] {
        let answer = choose(&unfit).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], "/options/idp_initiated_application");
    }
    let fit = register(Some("https://app.example.com/login")).await;
    assert_eq!(choose(&fit).await.done()["options"]["idp_initiated_application"], fit);
    let off = world.put(&path, json!({ "metadata_xml": METADATA })).await.done();
    assert_eq!(off["options"].get("idp_initiated_application"), None);
}
