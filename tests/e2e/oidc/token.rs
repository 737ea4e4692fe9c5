//! Codes and refresh tokens, each of which is good once.

use std::sync::Arc;

use axum::http::{Method, StatusCode, header};
use vestibule::{
    clock::after,
    grant::{ACCESS_LIFETIME, CODE_LIFETIME, GRANT_LIFETIME},
    surface::Role,
    table::Transaction,
};

use super::{VERIFIER, World, claims, posted, register, request};

const BAD: StatusCode = StatusCode::BAD_REQUEST;

#[tokio::test]
async fn a_code_gives_tokens_that_say_who_entered_where_and_as_what() {
    let world = World::new().await;
    world.wait(5);
    let code = world.code(&[]).await;
    world.wait(CODE_LIFETIME - 1);
    let answer = world.token(&world.application, &World::exchange(&code, &[])).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!((answer.header(header::CACHE_CONTROL), answer.header(header::PRAGMA)), ("no-store", "no-cache"));
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert!(answer.cost.round_trips <= 3, "even in a fresh process: {}", answer.cost);
    let tokens = answer.json();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(ACCESS_LIFETIME)));
    assert_eq!(tokens["scope"], "openid email profile offline_access");
    let claims = claims(&tokens);
    let now = world.app().clock.now();
    let expected = serde_json::json!({
        "iss": world.app().settings.issuer(),
        "sub": world.ada.id,
        "aud": world.application.id,
        "exp": after(now, ACCESS_LIFETIME).as_second(),
        "iat": now.as_second(),
        "auth_time": vestibule_tests::start_time().as_second(),
        "amr": ["saml"],
        "at_hash": claims["at_hash"],
        "nonce": "a nonce",
        "email": "ada@corp.example",
        "email_verified": true,
        "organization": world.organization.id,
        "surface": "claudeai",
        "role": "owner",
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn an_application_authenticates_in_one_of_three_ways() {
    let world = World::new().await;
    let id = world.application.id.to_string();
    let secret = world.application.secret.clone().unwrap();
    let code = world.code(&[]).await;
    let posted = World::exchange(&code, &[("client_id", &id), ("client_secret", &secret)]);
    assert_eq!(world.post("/oidc/token", &[], &posted).await.status, StatusCode::OK);

    let public = register(world.app(), false).await;
    let public_id = public.id.to_string();
    let code = world.code(&[("client_id", &public_id)]).await;
    let none = World::exchange(&code, &[("client_id", &public_id)]);
    let answer = world.post("/oidc/token", &[], &none).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

    // Whatever is wrong with it, a good code stays good.
    let code = world.code(&[]).await;
    let other = world.other.id.to_string();
    for (changes, headers) in [
        (vec![], vec![]),
        (vec![("client_id", id.as_str())], vec![]),
        (vec![("client_id", &id), ("client_secret", "guess")], vec![]),
        (vec![("client_id", &other), ("client_secret", &secret)], vec![]),
        (vec![("client_id", "nonsense"), ("client_secret", &secret)], vec![]),
        (vec![("client_id", &public_id), ("client_secret", &secret)], vec![]),
        (vec![], vec![("authorization", "Bearer x")]),
        (vec![], vec![("authorization", "Basic eA==")]),
    ] {
        let answer = world.post("/oidc/token", &headers, &World::exchange(&code, &changes)).await;
        answer.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_client");
        assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Basic "));
    }
    let both = World::exchange(&code, &[("client_id", &id), ("client_secret", &secret)]);
    world.token(&world.application, &both).await.assert_json_error(BAD, "invalid_request");
    let answer = world.token(&world.application, &World::exchange(&code, &[])).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_costs_the_code_nothing() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let wrong = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (changes, error) in [
        ([("grant_type", "")], "invalid_request"),
        ([("grant_type", "password")], "unsupported_grant_type"),
        ([("grant_type", "client_credentials")], "unsupported_grant_type"),
        ([("code", "")], "invalid_request"),
        ([("code", "unknown")], "invalid_grant"),
        ([("code_verifier", "")], "invalid_request"),
        ([("code_verifier", wrong)], "invalid_grant"),
        ([("code_verifier", "short")], "invalid_grant"),
        ([("redirect_uri", "")], "invalid_request"),
        ([("redirect_uri", "com.example.app:/cb")], "invalid_grant"),
        ([("redirect_uri", "https://app.example.com/cb")], "invalid_grant"),
    ] {
        let answer = world.token(&world.application, &World::exchange(&code, &changes)).await;
        answer.assert_json_error(BAD, error);
    }
    let sound = World::exchange(&code, &[]);
    world.token(&world.other, &sound).await.assert_json_error(BAD, "invalid_grant");
    let twice = [sound.as_slice(), &[("code", code.as_str())]].concat();
    world.token(&world.application, &twice).await.assert_json_error(BAD, "invalid_request");
    let query = posted(&format!("/oidc/token?code_verifier={VERIFIER}"), &[], &[("client_id", "x")]);
    world.send(query).await.assert_json_error(BAD, "invalid_request");
    for (kind, body) in
        [("application/json", "{}".to_owned()), ("application/x-www-form-urlencoded", "x".repeat(20_000))]
    {
        let answer = world.send(request(Method::POST, "/oidc/token", &[("content-type", kind)], body)).await;
        answer.assert_json_error(BAD, "invalid_request");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    }
    let get = world.get("/oidc/token", &[]).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.token(&world.application, &sound).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    world.wait(CODE_LIFETIME);
    world.token(&world.application, &World::exchange(&code, &[])).await.assert_json_error(BAD, "invalid_grant");
}

#[tokio::test]
async fn a_second_use_of_a_code_revokes_what_the_first_gave() {
    let world = World::new().await;
    let code = world.code(&[]).await;
    let exchange = World::exchange(&code, &[]);
    let tokens = world.token(&world.application, &exchange).await.json();
    // Not by another application, which could not have had it in the first place.
    world.token(&world.other, &exchange).await.assert_json_error(BAD, "invalid_grant");
    assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    let tokens = world.refresh(tokens["refresh_token"].as_str().unwrap()).await.json();
    world.wait(CODE_LIFETIME + 1);
    world.token(&world.application, &exchange).await.assert_json_error(BAD, "invalid_grant");
    world.assert_revoked(&tokens).await;
}

#[tokio::test]
async fn of_sixteen_at_once_one_redeems_a_code_and_what_it_got_is_revoked() {
    let world = Arc::new(World::new().await);
    let code = world.code(&[]).await;
    let requests = (0..16).map(|_| {
        let (world, code) = (world.clone(), code.clone());
        tokio::spawn(async move { world.token(&world.application, &World::exchange(&code, &[])).await })
    });
    let mut given = Vec::new();
    for answer in requests.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        match answer.status {
            StatusCode::OK => given.push(answer.json()),
            StatusCode::BAD_REQUEST => answer.assert_json_error(BAD, "invalid_grant"),
            _ => answer.assert_json_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        }
    }
    assert_eq!(given.len(), 1);
    world.assert_revoked(&given[0]).await;
}

#[tokio::test]
async fn refresh_tokens_are_given_for_offline_access_only() {
    let world = World::new().await;
    let tokens = world.tokens(&[("scope", "openid unknown")]).await;
    assert_eq!((tokens["refresh_token"].as_str(), tokens["scope"].as_str()), (None, Some("openid")));
}

#[tokio::test]
async fn a_refresh_gives_the_next_token_and_the_role_as_it_is_now() {
    let world = World::new().await;
    let first = world.tokens(&[]).await;
    world.wait(3600);
    let stored = world.membership(world.organization.id).await.unwrap();
    let role: Role = serde_json::from_value("admin".into()).unwrap();
    let mut transaction = Transaction::<()>::default();
    let admin = vestibule::account::Membership { role, ..stored.value };
    transaction.replace_membership(&admin, stored.version, ());
    world.app().store.commit(transaction).await.unwrap();

    let token = first["refresh_token"].as_str().unwrap();
    let answer = world.refresh(token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.cost.round_trips <= 3, "{}", answer.cost);
    let second = answer.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (before, now) = (claims(&first), claims(&second));
    assert_eq!((now["role"].as_str(), now.get("nonce")), (Some("admin"), None));
    for same in ["iss", "sub", "aud", "auth_time", "amr", "organization"] {
        assert_eq!(before[same], now[same], "{same}");
    }
    assert_ne!(before["iat"], now["iat"]);

    // Less may be asked for, more may not, and neither spends the token.
    let token = second["refresh_token"].as_str().unwrap();
    let scoped = |scope| [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
    world.token(&world.application, &scoped("openid admin")).await.assert_json_error(BAD, "invalid_scope");
    let less = world.token(&world.application, &scoped("openid")).await;
    assert_eq!(less.json()["scope"], "openid email profile offline_access", "it says what is granted");
}

#[tokio::test]
async fn an_older_refresh_token_revokes_the_grant() {
    let world = World::new().await;
    let first = world.tokens(&[]).await;
    let stolen = first["refresh_token"].as_str().unwrap();
    let second = world.refresh(stolen).await.json();
    let of_other = [("grant_type", "refresh_token"), ("refresh_token", stolen)];
    world.token(&world.other, &of_other).await.assert_json_error(BAD, "invalid_grant");
    assert_eq!(world.userinfo(second["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    world.refresh(stolen).await.assert_json_error(BAD, "invalid_grant");
    world.assert_revoked(&second).await;
    for odd in ["x", "grt_00000000000000000000000000000001.x", "."] {
        world.refresh(odd).await.assert_json_error(BAD, "invalid_grant");
    }
}

#[tokio::test]
async fn of_eight_at_once_one_refreshes_and_what_it_got_is_revoked() {
    let world = Arc::new(World::new().await);
    let token = world.tokens(&[]).await["refresh_token"].as_str().unwrap().to_owned();
    let requests = (0..8).map(|_| {
        let (world, token) = (world.clone(), token.clone());
        tokio::spawn(async move { world.refresh(&token).await })
    });
    let mut given = Vec::new();
    for answer in requests.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        if answer.status == StatusCode::OK {
            given.push(answer.json());
        }
    }
    assert_eq!(given.len(), 1);
    world.assert_revoked(&given[0]).await;
}

#[tokio::test]
async fn a_grant_ends_after_its_days_however_often_it_is_refreshed() {
    let world = World::new().await;
    let first = world.tokens(&[]).await;
    world.wait(GRANT_LIFETIME - 1);
    let last = world.refresh(first["refresh_token"].as_str().unwrap()).await.json();
    world.wait(1);
    world.refresh(last["refresh_token"].as_str().unwrap()).await.assert_json_error(BAD, "invalid_grant");
    world.userinfo(last["access_token"].as_str().unwrap()).await;
    world.assert_revoked(&last).await;
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_stays_out_after_coming_back() {
    let world = World::new().await;
    let tokens = world.tokens(&[]).await;
    let unspent = world.code(&[]).await;
    world.leave(world.organization.id).await;
    for came_back in [false, true] {
        if came_back {
            world.wait(1);
            world.join(world.organization.id, "owner").await;
        }
        let refreshed = world.refresh(tokens["refresh_token"].as_str().unwrap()).await;
        refreshed.assert_json_error(BAD, "invalid_grant");
        let exchanged = world.token(&world.application, &World::exchange(&unspent, &[])).await;
        exchanged.assert_json_error(BAD, "invalid_grant");
        let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
        told.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_token");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask() {
    let world = World::new().await;
    for path in ["/.well-known/openid-configuration", "/oidc/jwks", "/oidc/token", "/oidc/userinfo"] {
        let preflight = [("origin", "https://app.example.com"), ("access-control-request-method", "POST")];
        let answer = world.send(request(Method::OPTIONS, path, &preflight, String::new())).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("Authorization"));
        assert!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS).is_none());
    }
    for path in ["/oidc/authorize", "/oidc/choose"] {
        let answer = world.send(request(Method::OPTIONS, path, &[], String::new())).await;
        assert!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none(), "{path}");
    }
}
