//! Who an access token is about.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use vestibule::grant::ACCESS_LIFETIME;

use super::{World, request};

#[tokio::test]
async fn the_holder_of_a_token_is_told_who_it_is_about() {
    let world = World::new().await;
    let tokens = world.tokens(&[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let expected = json!({
        "sub": world.ada.id,
        "email": "ada@corp.example",
        "email_verified": true,
        "name": "Ada Lovelace",
        "organization": world.organization.id,
        "surface": "claudeai",
        "role": "owner",
    });
    let answer = world.userinfo(token).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected.clone()));
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    assert!(answer.cost.round_trips <= 2, "{}", answer.cost);
    let bearer = format!("bearer {token}");
    let post = request(Method::POST, "/oidc/userinfo", &[("authorization", &bearer)], String::new());
    assert_eq!(world.send(post).await.json(), expected);
    assert_eq!(world.post("/oidc/userinfo", &[], &[("access_token", token)]).await.json(), expected);

    let plain = world.tokens(&[("scope", "openid")]).await;
    let told = world.userinfo(plain["access_token"].as_str().unwrap()).await.json();
    assert_eq!(told.get("name"), None, "profile was not asked for");
}

#[tokio::test]
async fn everything_else_is_refused_in_the_words_of_the_rfc() {
    let world = World::new().await;
    let tokens = world.tokens(&[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    for missing in [vec![], vec![("authorization", "Basic eA==")]] {
        let answer = world.get("/oidc/userinfo", &missing).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer realm=\"vestibule\"");
    }
    let in_query = world.get(&format!("/oidc/userinfo?access_token={token}"), &[]).await;
    assert_eq!(in_query.status, StatusCode::UNAUTHORIZED, "a query is written to logs");

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    let changed = format!("{}A", &token[..token.len() - 1]);
    for odd in ["x", refresh, id_token, changed.as_str()] {
        if odd == token {
            continue;
        }
        let answer = world.userinfo(odd).await;
        answer.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_token");
        assert!(answer.header(header::WWW_AUTHENTICATE).contains("error=\"invalid_token\""));
        assert_eq!(answer.cost.calls, 0, "nothing is read for what is not ours");
    }
    for request in [
        super::posted("/oidc/userinfo", &[("authorization", &bearer)], &[("access_token", token)]),
        super::posted("/oidc/userinfo", &[], &[("access_token", token), ("access_token", token)]),
        request(
            Method::GET,
            "/oidc/userinfo",
            &[("authorization", &bearer), ("authorization", &bearer)],
            String::new(),
        ),
    ] {
        let answer = world.send(request).await;
        answer.assert_json_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    world.wait(ACCESS_LIFETIME);
    let late = world.userinfo(token).await;
    late.assert_json_error(StatusCode::UNAUTHORIZED, "invalid_token");
}
