//! What an application asks for, and the first step of an answer.

use axum::http::{Method, StatusCode, header};
use vestibule::{
    domain::Ownership,
    id::{LoginId, OrganizationKind},
    login::{Login, Progress},
    provisioning::Mode,
    table::{Key, Transaction},
};

use super::{Answer, CALLBACK, World, encoded, request, sign_in, somebody};

/// Begun and sent to where a person signs in; what is kept of it.
async fn begun(world: &World, answer: &Answer) -> Login {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let target = answer.header(header::LOCATION);
    let id = target.strip_prefix("/saml/start?login=").unwrap_or_else(|| panic!("{target}"));
    let id: LoginId = id.split('&').next().unwrap().parse().unwrap();
    let login = world.app().store.login(id).await.unwrap().unwrap().value;
    let (name, value) = answer.cookie();
    assert_eq!(name, vestibule::login::cookie_name(id));
    assert!(login.belongs_to(Some(&value), world.app().clock.now()));
    assert_eq!(login.progress, Progress::Identifying);
    login
}

#[tokio::test]
async fn a_session_is_answered_at_once() {
    let world = World::new().await;
    let answer = world.authorize(&[("organization", &world.organization.id.to_string())], &world.session).await;
    let handed_over = answer.handed_over();
    assert_eq!(handed_over["state"], "a state");
    assert_eq!(handed_over["iss"], world.app().settings.issuer());
    assert_eq!(handed_over["tenant"], "1", "the query of the redirect URI stays");
    assert_eq!(handed_over["code"].len(), 43);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    assert!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    assert!(answer.cost.round_trips <= 3, "{}", answer.cost);
    assert!(world.authorize(&[("prompt", "none")], &world.session).await.handed_over().contains_key("code"));
}

#[tokio::test]
async fn without_a_session_a_login_begins() {
    let world = World::new().await;
    let answer = world.authorize(&[("login_hint", "ada@corp.example")], "").await;
    assert!(answer.header(header::LOCATION).ends_with("&email=ada%40corp.example"));
    assert!(answer.cost.round_trips <= 2, "{}", answer.cost);
    let login = begun(&world, &answer).await;
    assert_eq!(login.request.state.as_deref(), Some("a state"));
    assert_eq!(login.request.redirect_uri, CALLBACK);
    assert!(!login.request.force);

    let form = world.asked(&[]);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    begun(&world, &world.post("/oidc/authorize", &[], &form).await).await;
    let planted = format!("{}=planted", vestibule::session::COOKIE);
    begun(&world, &world.authorize(&[], &planted).await).await;
}

#[tokio::test]
async fn before_the_recipient_is_certain_every_fault_is_a_page() {
    let world = World::new().await;
    for changes in [
        [("client_id", "")],
        [("client_id", "nonsense")],
        [("client_id", "app_00000000000000000000000000000000")],
        [("redirect_uri", "")],
        [("redirect_uri", "https://app.example.com/cb")],
        [("redirect_uri", "https://app.example.com/cb?tenant=1&x=2")],
        [("redirect_uri", "https://app.example.com/cb?tenant=1#x")],
        [("redirect_uri", "https://APP.example.com/cb?tenant=1")],
        [("redirect_uri", "https://app.example.com/x/../cb?tenant=1")],
        [("redirect_uri", "https://app.example.com@evil.example/cb?tenant=1")],
        [("redirect_uri", "https://evil.example/cb?tenant=1")],
        [("redirect_uri", "//evil.example")],
        [("redirect_uri", "javascript:alert(1)")],
    ] {
        let answer = world.authorize(&changes, &world.session).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "can not be answered");
    }
    let sound = encoded(&world.asked(&[]));
    for twice in ["client_id=x", "redirect_uri=https://evil.example/"] {
        let answer = world.get(&format!("/oidc/authorize?{sound}&{twice}"), &[("cookie", &world.session)]).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "more than once");
    }
    let long = world.get(&format!("/oidc/authorize?{sound}&x={}", "x".repeat(20_000)), &[]).await;
    long.assert_page(StatusCode::BAD_REQUEST, "larger");
    let json = request(Method::POST, "/oidc/authorize", &[("content-type", "application/json")], "{}".to_owned());
    world.send(json).await.assert_page(StatusCode::BAD_REQUEST, "urlencoded");
}

#[tokio::test]
async fn from_then_on_the_application_is_told() {
    let world = World::new().await;
    let elsewhere = world.organization_of("Console", Mode::Manual, world.parent, "console").await;
    let elsewhere = elsewhere.id.to_string();
    let unknown = world.app().random.id::<OrganizationKind>().to_string();
    for (changes, error) in [
        ([("response_type", "")], "invalid_request"),
        ([("response_type", "id_token")], "unsupported_response_type"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("scope", "email")], "invalid_scope"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("request", "x")], "request_not_supported"),
        ([("request_uri", "https://x")], "request_uri_not_supported"),
        ([("prompt", "none login")], "invalid_request"),
        ([("max_age", "soon")], "invalid_request"),
        ([("organization", "nonsense")], "invalid_request"),
        ([("organization", &unknown)], "invalid_request"),
        ([("organization", &elsewhere)], "invalid_request"),
        ([("nonce", &"n".repeat(2001))], "invalid_request"),
    ] {
        let answer = world.authorize(&changes, &world.session).await;
        let handed_over = answer.handed_over();
        assert_eq!(handed_over["error"], error, "{changes:?}");
        assert_eq!(handed_over["state"], "a state");
        assert_eq!(handed_over["iss"], world.app().settings.issuer());
        assert!(!handed_over["error_description"].is_empty());
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
    }
    // A state that is not one is not given back.
    let sound = encoded(&world.asked(&[]));
    let answer = world.get(&format!("/oidc/authorize?{sound}&state=b"), &[("cookie", &world.session)]).await;
    assert_eq!(answer.error(), "invalid_request");
    assert!(!answer.handed_over().contains_key("state"));
}

#[tokio::test]
async fn a_silent_request_shows_nothing() {
    let world = World::new().await;
    let silent = [("prompt", "none")];
    let refused = world.authorize(&silent, "").await;
    assert_eq!(refused.error(), "login_required");
    assert!(refused.headers.get(header::SET_COOKIE).is_none());
    let open_to_all = world.organization("Lab", Mode::Jit).await.id.to_string();
    let for_lab = [("prompt", "none"), ("organization", open_to_all.as_str())];
    assert_eq!(world.authorize(&for_lab, &world.session).await.error(), "interaction_required");
    world.join(open_to_all.parse().unwrap(), "user").await;
    assert_eq!(world.authorize(&silent, &world.session).await.error(), "account_selection_required");
    assert!(world.authorize(&for_lab, &world.session).await.handed_over().contains_key("code"));

    // In a frame, and for what is no navigation at all, nothing can be shown either.
    let address = format!("/oidc/authorize?{}", encoded(&world.asked(&[])));
    for destination in ["iframe", "image", "empty"] {
        let answer = world.get(&address, &[("sec-fetch-dest", destination)]).await;
        assert_eq!(answer.error(), "login_required", "{destination}");
        assert!(answer.headers.get(header::SET_COOKIE).is_none(), "{destination}: no cookie");
    }
    begun(&world, &world.get(&address, &[("sec-fetch-dest", "document")]).await).await;
}

#[tokio::test]
async fn the_application_decides_how_fresh_the_sign_in_is_and_whose() {
    let world = World::new().await;
    world.wait(100);
    let forced = |changes: &'static [(&'static str, &'static str)]| async {
        begun(&world, &world.authorize(changes, &world.session).await).await.request.force
    };
    assert!(forced(&[("prompt", "login")]).await);
    assert!(!forced(&[("prompt", "select_account")]).await);
    assert!(forced(&[("max_age", "99")]).await);
    assert!(!forced(&[("login_hint", "eve@corp.example")]).await);
    let stale = world.authorize(&[("max_age", "99"), ("prompt", "none")], &world.session).await;
    assert_eq!(stale.error(), "interaction_required");
    for served in [("max_age", "100"), ("login_hint", "ADA@Corp.example"), ("prompt", "consent"), ("login_hint", "?")] {
        assert!(world.authorize(&[served], &world.session).await.handed_over().contains_key("code"), "{served:?}");
    }
    world.wait(vestibule::session::LIFETIME);
    assert_eq!(world.authorize(&[("prompt", "none")], &world.session).await.error(), "login_required");
}

#[tokio::test]
async fn an_id_token_hint_names_the_only_person_to_answer_about() {
    let world = World::new().await;
    let hint = world.tokens(&[]).await["id_token"].as_str().unwrap().to_owned();
    world.wait(7200);
    let silent = [("id_token_hint", hint.as_str()), ("prompt", "none")];
    assert!(world.authorize(&silent, &world.session).await.handed_over().contains_key("code"), "expired, but hers");

    let bob = somebody(world.app(), "bob@corp.example").await;
    let his = sign_in(world.app(), &bob, world.parent).await;
    assert_eq!(world.authorize(&silent, &his).await.error(), "interaction_required");
    let login = begun(&world, &world.authorize(&silent[..1], &his).await).await;
    assert_eq!(login.request.subject, Some(world.ada.id));

    let other = world.other.id.to_string();
    let theirs = [silent[0], silent[1], ("client_id", other.as_str())];
    assert_eq!(world.authorize(&theirs, &world.session).await.error(), "interaction_required", "another client's");
    let forged = format!("{}AAAA", &hint[..hint.len() - 4]);
    let forged = [("id_token_hint", forged.as_str())];
    assert_eq!(begun(&world, &world.authorize(&forged, &world.session).await).await.request.subject, None);
}

#[tokio::test]
async fn a_session_opens_only_what_its_person_belongs_to_since_before_it() {
    let world = World::new().await;
    let silent = [("prompt", "none")];
    world.leave(world.organization.id).await;
    assert_eq!(world.authorize(&silent, &world.session).await.error(), "interaction_required");
    world.wait(1);
    world.join(world.organization.id, "admin").await;
    assert_eq!(world.authorize(&silent, &world.session).await.error(), "interaction_required", "she came back");
    let anew = sign_in(world.app(), &world.ada, world.parent).await;
    assert!(world.authorize(&silent, &anew).await.handed_over().contains_key("code"));

    // Another customer's organization, of which she is a member too.
    let stranger = world.app().random.id();
    let theirs = world.organization_of("Other", Mode::Manual, stranger, "claudeai").await;
    world.join(theirs.id, "admin").await;
    let anew = sign_in(world.app(), &world.ada, world.parent).await;
    let theirs = theirs.id.to_string();
    let asked = [("prompt", "none"), ("organization", theirs.as_str())];
    assert_eq!(world.authorize(&asked, &anew).await.error(), "interaction_required");
}

#[tokio::test]
async fn a_session_opens_nothing_once_the_domain_is_not_the_parents_any_more() {
    let world = World::new().await;
    let silent = [("prompt", "none")];
    assert!(world.authorize(&silent, &world.session).await.handed_over().contains_key("code"));
    let domain = Key::DomainOwner(world.ada.email.domain());
    let mut transaction = Transaction::<()>::default();
    transaction.delete(domain, ());
    world.app().store.commit(transaction).await.unwrap();
    assert_eq!(world.authorize(&silent, &world.session).await.error(), "interaction_required");
    let held = Ownership::new(world.app().random.id(), world.app().clock.now());
    let mut transaction = Transaction::<()>::default();
    transaction.create(domain, &held, ());
    world.app().store.commit(transaction).await.unwrap();
    assert_eq!(world.authorize(&silent, &world.session).await.error(), "interaction_required", "another's");
}
