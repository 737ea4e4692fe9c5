//! A parent's connection to its identity provider.

use serde_json::{Value, json};

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
        (json!({ "metadata_url": "https://idp.example.com/metadata" }), json!("/metadata_url")),
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
