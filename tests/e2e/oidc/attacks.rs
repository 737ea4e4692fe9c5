//! What attackers try that no application ever does.

use axum::http::{StatusCode, header};

use super::{World, claims};

#[tokio::test]
async fn what_a_request_says_gets_into_no_header_and_no_page() {
    let world = World::new().await;
    let evil = "\r\nSet-Cookie: vestibule-session=x\r\n\r\n<script>alert(1)</script>";
    let answer = world.authorize(&[("state", evil)], &world.session).await;
    assert_eq!(answer.handed_over()["state"], evil, "escaped, and given back as it was");
    assert!(answer.headers.get(header::SET_COOKIE).is_none());
    for name in ["client_id", "redirect_uri"] {
        let answer = world.authorize(&[(name, evil)], &world.session).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "can not be answered");
        assert!(!answer.body.contains("alert"), "{}", answer.body);
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"));
    }
    for (name, value) in [("prompt", evil), ("response_type", evil), ("scope", evil), ("max_age", evil)] {
        let handed_over = world.authorize(&[(name, value)], &world.session).await.handed_over();
        assert!(!handed_over["error_description"].contains("alert"), "{name}");
    }
    let page = world.get(&format!("/oidc/choose?{}", super::encoded(&[("login", evil)])), &[]).await;
    page.assert_page(StatusCode::BAD_REQUEST, "was finished");
}

#[tokio::test]
async fn a_code_is_worth_nothing_in_another_sign_in() {
    // The victim's code, put into a sign-in that the attacker began: its verifier is another one.
    let world = World::new().await;
    let stolen = world.code(&[]).await;
    let attackers = "an-attackers-own-verifier-of-forty-three-characters";
    let injected = World::exchange(&stolen, &[("code_verifier", attackers)]);
    world.token(&world.application, &injected).await.assert_json_error(StatusCode::BAD_REQUEST, "invalid_grant");
    // And at another application, whoever asks: the code is not its own.
    let other = world.other.id.to_string();
    let secret = world.other.secret.clone().unwrap();
    let posted = World::exchange(&stolen, &[("client_id", &other), ("client_secret", &secret)]);
    world.post("/oidc/token", &[], &posted).await.assert_json_error(StatusCode::BAD_REQUEST, "invalid_grant");
    // Neither kept the victim out, and the tokens are for the application that asked.
    let tokens = world.token(&world.application, &World::exchange(&stolen, &[])).await.json();
    assert_eq!(claims(&tokens)["aud"], world.application.id.to_string());
}

#[tokio::test]
async fn halves_of_two_refresh_tokens_make_none() {
    let world = World::new().await;
    let (first, second) = (world.tokens(&[]).await, world.tokens(&[]).await);
    let halves = |tokens: &serde_json::Value| {
        let (grant, secret) = tokens["refresh_token"].as_str().unwrap().split_once('.').unwrap();
        (grant.to_owned(), secret.to_owned())
    };
    let mixed = format!("{}.{}", halves(&first).0, halves(&second).1);
    world.refresh(&mixed).await.assert_json_error(StatusCode::BAD_REQUEST, "invalid_grant");
    world.assert_revoked(&first).await;
    let untouched = world.refresh(second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(untouched.status, StatusCode::OK);
}

#[tokio::test]
async fn what_another_deployment_gave_is_nothing_here() {
    let (world, elsewhere) = (World::new().await, World::new().await);
    // Even with the same sealing key, which repeatable randomness gave both: the grant is not here.
    elsewhere.wait(1);
    let foreign = elsewhere.tokens(&[("nonce", "another")]).await;
    let token = foreign["access_token"].as_str().unwrap();
    world.userinfo(token).await.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_token");
    let refresh = foreign["refresh_token"].as_str().unwrap();
    world.refresh(refresh).await.assert_json_error(StatusCode::BAD_REQUEST, "invalid_grant");
    let hint = foreign["id_token"].as_str().unwrap();
    let silent = world.authorize(&[("id_token_hint", hint), ("prompt", "none")], &world.session).await;
    assert_eq!(silent.error(), "interaction_required");
}

#[tokio::test]
async fn a_planted_cookie_opens_nobody_elses_sign_in() {
    // The attacker begins a sign-in and lures the victim into it: without its cookie it is nobody's.
    let world = World::new().await;
    let begun = world.authorize(&[], "").await;
    let login = begun.header(header::LOCATION).strip_prefix("/saml/start?login=").unwrap().to_owned();
    let victim = world.get(&format!("/oidc/choose?login={login}"), &[("cookie", &world.session)]).await;
    victim.assert_page(StatusCode::BAD_REQUEST, "another browser");
    // With its cookie it has not come to a choice yet.
    let (name, value) = begun.cookie();
    let cookie = format!("{}; {name}={value}", world.session);
    let planted = world.get(&format!("/oidc/choose?login={login}"), &[("cookie", &cookie)]).await;
    planted.assert_page(StatusCode::BAD_REQUEST, "was finished");
    // A session begins by signing in only: a cookie that was made up is none.
    let made_up = format!("{}=fixed-by-the-attacker", vestibule::session::COOKIE);
    let answer = world.authorize(&[("prompt", "none")], &made_up).await;
    assert_eq!(answer.error(), "login_required");
}
