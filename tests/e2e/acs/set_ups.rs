//! The broken set-ups that administrators really make: what the trace of the sign-in says, and what `vestibule saml check`
//! says of the same response, in the words of their identity provider.

use std::ffi::OsString;

use reqwest::Method;
use serde_json::Value;
use vestibule::saml::IdpKind;
use vestibule_tests::Scratch;

use super::*;

/// What goes wrong, and what must be said of it: to everybody, at Okta, and at Microsoft Entra ID.
struct SetUp {
    name: &'static str,
    break_it: fn(&mut Claims),
    /// Who signs, where it is not the connection's identity provider.
    signer: Option<fn(&World) -> IdentityProvider>,
    reason: Option<Reason>,
    check: &'static str,
    said: &'static [&'static str],
    okta: &'static [&'static str],
    entra: &'static [&'static str],
}

const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

fn renewed(world: &World) -> IdentityProvider {
    IdentityProvider::writing_like(world.idp.product, &world.idp.entity_id)
}

fn other_application(world: &World) -> IdentityProvider {
    IdentityProvider::writing_like(world.idp.product, &format!("{}-other", world.idp.entity_id))
}

const SOUND: SetUp =
    SetUp { name: "", break_it: |_| {}, signer: None, reason: None, check: "", said: &[], okta: &[], entra: &[] };

const SET_UPS: &[SetUp] = &[
    SetUp {
        name: "wrong audience",
        break_it: |claims| claims.audience = "https://id.example.com".to_owned(),
        reason: Some(Reason::Audience),
        check: "audience",
        said: &["expected value shown here"],
        okta: &["Audience URI (SP Entity ID)"],
        entra: &["Identifier (Entity ID)"],
        ..SOUND
    },
    SetUp {
        name: "old certificate",
        signer: Some(renewed),
        reason: Some(Reason::Signature),
        check: "signature",
        said: &["it was renewed"],
        okta: &["Metadata URL (Sign On tab)", "SAML Signing Certificates"],
        entra: &["App Federation Metadata Url", "Token signing certificate"],
        ..SOUND
    },
    SetUp {
        name: "clock behind",
        break_it: |claims| claims.at = vestibule::clock::after(claims.at, -3600),
        reason: Some(Reason::Expired),
        check: "validity",
        said: &["clock"],
        okta: &["Okta"],
        entra: &["Microsoft Entra ID"],
        ..SOUND
    },
    SetUp {
        name: "clock ahead",
        break_it: |claims| claims.at = vestibule::clock::after(claims.at, 3600),
        reason: Some(Reason::NotYetValid),
        check: "validity",
        said: &["clock"],
        okta: &["Okta"],
        entra: &["Microsoft Entra ID"],
        ..SOUND
    },
    SetUp {
        name: "http in the ACS URL",
        break_it: |claims| claims.destination = claims.destination.replace("https:", "http:"),
        reason: Some(Reason::Destination),
        check: "destination",
        said: &["begins with http: there, and with https: here"],
        okta: &["Single sign-on URL"],
        entra: &["Reply URL (Assertion Consumer Service URL)"],
        ..SOUND
    },
    SetUp {
        name: "transient NameID",
        break_it: |claims| claims.name_id.1 = TRANSIENT.to_owned(),
        reason: Some(Reason::NameId),
        check: "name_id",
        said: &["not transient"],
        okta: &["Name ID format", "Persistent or EmailAddress"],
        entra: &["Unique User Identifier (Name ID)", "Persistent or Email address"],
        ..SOUND
    },
    SetUp {
        name: "missing e-mail",
        break_it: |claims| claims.email = String::new(),
        reason: Some(Reason::EmailMissing),
        check: "email",
        said: &[],
        okta: &["Attribute Statements", "user.email"],
        entra: &["emailaddress", "Attributes & Claims", "user.mail"],
        ..SOUND
    },
    SetUp {
        name: "groups missing",
        reason: Some(Reason::NoMappedGroup),
        check: "groups",
        said: &["names no groups"],
        okta: &["Group Attribute Statements"],
        entra: &["group claim", "Attributes & Claims"],
        ..SOUND
    },
    SetUp {
        name: "metadata of another application",
        break_it: |claims| claims.issuer.push_str("-other"),
        signer: Some(other_application),
        reason: Some(Reason::Signature),
        check: "signature",
        said: &["the metadata of another application"],
        okta: &["Metadata URL (Sign On tab)"],
        entra: &["App Federation Metadata Url"],
    },
    SetUp {
        name: "metadata of another application with the same key",
        break_it: |claims| claims.issuer.push_str("-other"),
        reason: Some(Reason::Issuer),
        check: "issuer",
        said: &["another application"],
        okta: &["Metadata URL (Sign On tab)"],
        entra: &["App Federation Metadata Url"],
        ..SOUND
    },
    SetUp {
        name: "response for another environment",
        break_it: |claims| {
            for address in [&mut claims.destination, &mut claims.audience] {
                *address = address.replace("id.example.com", "id.staging.example.com");
            }
        },
        reason: Some(Reason::Destination),
        check: "destination",
        said: &["made for id.staging.example.com", "each environment needs an application of its own"],
        okta: &["Single sign-on URL"],
        entra: &["Reply URL (Assertion Consumer Service URL)"],
        ..SOUND
    },
    SetUp {
        name: "e-mail of an unverified domain",
        break_it: |claims| claims.email = "ada@unverified.example".to_owned(),
        reason: Some(Reason::DomainNotOwned),
        check: "domain_ownership",
        said: &["Verify the domain"],
        okta: &[],
        entra: &[],
        ..SOUND
    },
];

/// What is said at a check of a trace.
fn advice<'a>(checks: &'a Value, name: &str) -> &'a Value {
    checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {checks}"))
}

impl World {
    async fn customer_of(product: IdpKind, entity_id: &str) -> Self {
        let running = Product::start().await;
        let local = &running.local.app;
        let mut settings = local.settings.clone();
        settings.base_url = "https://id.example.com".parse().unwrap();
        let (store, clock, random) = (local.store.clone(), local.clock.clone(), local.random.clone());
        let app = Arc::new(App { settings, store, clock, random });
        Self::of(running, app, IdentityProvider::writing_like(product, entity_id)).await
    }

    /// From now on roles come from groups.
    async fn map_groups(&self) {
        let Organization { id, .. } = self.organization;
        let stored = self.app().store.organization(id).await.unwrap().unwrap();
        let provisioning = Provisioning { mode: Mode::Jit, group_mappings: true };
        let mut transaction = Transaction::<()>::default();
        transaction.replace_organization(&Organization { provisioning, ..stored.value }, stored.version, ());
        self.app().store.commit(transaction).await.unwrap();
    }

    /// What the API shows of the last sign-in.
    async fn last_sign_in(&self) -> Value {
        let path = format!("/parents/{}/sign-ins?limit=1", self.connection.parent);
        self.product.done(Method::GET, &path, None).await["items"][0].clone()
    }

    /// What `vestibule saml check` says of a response.
    fn checked_offline(&self, waiting: &Waiting, response: &str) -> Value {
        let scratch = Scratch::new();
        std::fs::create_dir_all(scratch.path()).unwrap();
        let (metadata, file) = (scratch.path().join("metadata.xml"), scratch.path().join("response"));
        std::fs::write(&metadata, self.idp.metadata("https://idp.corp.example/sso")).unwrap();
        std::fs::write(&file, response).unwrap();
        let Progress::IdentityProvider { request_id, .. } = &waiting.login.progress else { panic!("waiting") };
        let (app, now) = (self.app(), self.app().clock.now().to_string());
        let (acs_url, audience) = (self.connection.acs_url(&app.settings), self.connection.entity_id(&app.settings));
        let arguments = [
            ("--metadata", metadata.to_str().unwrap()),
            ("--acs-url", acs_url.as_str()),
            ("--audience", audience.as_str()),
            ("--at", now.as_str()),
            ("--request-id", request_id.as_str()),
        ];
        let arguments = arguments.iter().flat_map(|(name, value)| [OsString::from(name), OsString::from(value)]);
        let arguments = arguments.chain([file.into_os_string()]);
        serde_json::from_str(&vestibule_local::cli::saml_check(arguments).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn each_broken_set_up_is_explained_in_the_words_of_the_identity_provider() {
    for (product, entity_id) in [
        (IdpKind::Okta, "http://www.okta.com/exk1fcia6d6EMsf331d8"),
        (IdpKind::Entra, "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/"),
    ] {
        let world = World::customer_of(product, entity_id).await;
        assert_eq!(world.connection.identity_provider.kind, product);
        let waiting = world.waiting().await;
        world.map_groups().await;
        for set_up in SET_UPS {
            let what = format!("{} at {product:?}", set_up.name);
            let mut claims = world.claims(&waiting);
            (set_up.break_it)(&mut claims);
            let other = set_up.signer.map(|signer| signer(&world));
            let response = other.as_ref().unwrap_or(&world.idp).respond(&claims, Some(Signing::Assertion));
            let page = world.post(&world.connection.id.to_string(), Some(&waiting), &response).await;
            assert_eq!(page.status(), StatusCode::FORBIDDEN, "{what}");
            let stored = world.last_sign_in().await;
            let offline = world.checked_offline(&waiting, &response);
            assert_eq!(stored["reason"], set_up.reason.unwrap().as_str(), "{what}: {stored}");
            let of_product = if product == IdpKind::Okta { set_up.okta } else { set_up.entra };
            for checks in [&stored["checks"], &offline["checks"]] {
                let check = advice(checks, set_up.check);
                let text = check["advice"].as_str().unwrap_or_else(|| panic!("{what}: {check}"));
                for word in set_up.said.iter().chain(of_product) {
                    assert!(text.contains(word), "{what}: {word:?} in {text:?}");
                }
            }
            // What is known offline is judged alike.
            let online_only = matches!(set_up.check, "domain_ownership" | "groups");
            let verdict = if online_only { Value::Null } else { stored["reason"].clone() };
            assert_eq!(offline["reason"], verdict, "{what}");
            world.product.clock.advance(SignedDuration::from_millis(1));
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_measured() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    let mut claims = world.claims(&waiting);
    claims.at = vestibule::clock::after(claims.at, -3600);
    world.refuses(&waiting, &world.idp.respond(&claims, Some(Signing::Both)), Reason::Expired).await;
    let found = world.last_sign_in().await;
    let found = advice(&found["checks"], "validity")["found"].as_str().unwrap().to_owned();
    assert!(found.ends_with("which ended 3300 s ago"), "{found}");
}

#[tokio::test]
async fn who_signed_instead_is_named() {
    let world = World::new().await;
    let waiting = world.waiting().await;
    let other = IdentityProvider::new("https://other.corp.example/saml");
    let claims = Claims { issuer: other.entity_id.clone(), ..world.claims(&waiting) };
    world.refuses(&waiting, &other.respond(&claims, Some(Signing::Both)), Reason::Signature).await;
    let sign_in = world.last_sign_in().await;
    let found = advice(&sign_in["checks"], "signature")["found"].as_str().unwrap();
    assert!(found.contains("it names the issuer https://other.corp.example/saml"), "{found}");
}
