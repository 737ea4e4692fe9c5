//! A standard client library signs Ada in, knowing nothing of the provider but its address.

use axum::http::StatusCode;
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
    core::{CoreClient, CoreProviderMetadata, CoreResponseType, CoreUserInfoClaims},
};

use super::{CALLBACK, World};

#[tokio::test]
async fn a_standard_client_needs_the_issuer_only() {
    let world = World::new().await;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let issuer = IssuerUrl::new(world.app().settings.issuer().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let secret = world.application.secret.clone().map(ClientSecret::new);
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(world.application.id.to_string()), secret)
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let (address, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".to_owned()))
        .add_scope(Scope::new("offline_access".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let answer = world.get(&address[url::Position::BeforePath..], &[("cookie", &world.session)]).await;
    let handed_over = answer.handed_over();
    assert_eq!(&handed_over["state"], state.secret());

    let code = AuthorizationCode::new(handed_over["code"].clone());
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    let now = world.app().clock.now().to_string();
    let at = now.clone();
    let id_token_verifier = client.id_token_verifier().set_time_fn(move || at.parse().unwrap());
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&id_token_verifier, &nonce).unwrap();
    assert_eq!(claims.subject().to_string(), world.ada.id.to_string());
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&id_token_verifier).unwrap(),
    );
    assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));

    let subject = Some(claims.subject().clone());
    let told: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), subject).unwrap().request_async(&http).await.unwrap();
    assert_eq!(told.email().unwrap().as_str(), "ada@corp.example");
    assert_eq!(told.name().unwrap().get(None).unwrap().as_str(), "Ada Lovelace");

    let refresh = tokens.refresh_token().unwrap();
    let refreshed = client.exchange_refresh_token(refresh).unwrap().request_async(&http).await.unwrap();
    let verifier = client.id_token_verifier().set_time_fn(move || now.parse().unwrap());
    let claims = refreshed.id_token().unwrap().claims(&verifier, |_: Option<&Nonce>| Ok(())).unwrap();
    assert_eq!(claims.subject().to_string(), world.ada.id.to_string());
    let error = client.exchange_refresh_token(refresh).unwrap().request_async(&http).await.unwrap_err();
    let openidconnect::RequestTokenError::ServerResponse(error) = error else { panic!("{error}") };
    assert_eq!(error.error().to_string(), "invalid_grant");
}

#[tokio::test]
async fn discovery_says_what_is_so() {
    let world = World::new().await;
    let answer = world.get("/.well-known/openid-configuration", &[]).await;
    assert_eq!((answer.status, answer.cost.calls), (StatusCode::OK, 0));
    let document = answer.json();
    let issuer = world.app().settings.issuer();
    assert_eq!(document["issuer"], issuer);
    for (name, path) in [
        ("authorization_endpoint", "/oidc/authorize"),
        ("token_endpoint", "/oidc/token"),
        ("userinfo_endpoint", "/oidc/userinfo"),
        ("jwks_uri", "/oidc/jwks"),
    ] {
        assert_eq!(document[name], format!("{issuer}{path}"));
        assert_ne!(world.get(path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["request_uri_parameter_supported"], false, "left out, it would mean true");
}
