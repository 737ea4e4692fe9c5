//! Sessions: no authority by themselves, and over when they should be.

use reqwest::{Method, StatusCode};
use serde_json::json;
use vestibule::clock::SignedDuration;
use vestibule_tests::{Browser, Product};

use super::{add_member, customer, publish, sign_in, text};

async fn is_in(browser: &mut Browser) -> bool {
    let page = browser.open("/settings/identity").await;
    page.status == StatusCode::OK && page.url.path() == "/settings/identity"
}

#[tokio::test]
async fn whoever_is_removed_or_loses_the_role_is_out_at_once() {
    let product = Product::start().await;
    let (organization, ..) = customer(&product, "corp.example").await;
    let account = add_member(&product, &organization, "admin@corp.example", "admin").await;
    let member = format!("/organizations/{organization}/members/{account}");
    for removed in [false, true] {
        let mut browser = product.browser();
        sign_in(&product, &mut browser, "admin@corp.example").await;
        assert!(is_in(&mut browser).await);
        let old = browser.cookies.clone();
        if removed {
            product.done(Method::DELETE, &member, None).await;
        } else {
            product.done(Method::PATCH, &member, Some(json!({ "role": "user" }))).await;
        }
        let page = browser.open("/settings/identity").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.text().contains("not an administrator of this organization any more"), "{}", page.text());
        assert!(!browser.cookies.contains_key("vestibule-console"));
        // The session ended with it, and does not come back with the role.
        if !removed {
            product.done(Method::PATCH, &member, Some(json!({ "role": "admin" }))).await;
            browser.cookies = old;
            assert!(!is_in(&mut browser).await);
        }
    }
}

#[tokio::test]
async fn sessions_end_unused_and_in_any_case() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    product.clock.advance(SignedDuration::from_secs(2 * 3600 - 1));
    assert!(is_in(&mut browser).await);
    product.clock.advance(SignedDuration::from_secs(2 * 3600 - 1));
    assert!(is_in(&mut browser).await, "it was used in between");
    product.clock.advance(SignedDuration::from_secs(2 * 3600));
    assert!(!is_in(&mut browser).await, "it was not used for two hours");
    sign_in(&product, &mut browser, &owner).await;
    for _ in 0..11 {
        product.clock.advance(SignedDuration::from_secs(3600));
        assert!(is_in(&mut browser).await);
    }
    product.clock.advance(SignedDuration::from_secs(3600));
    assert!(!is_in(&mut browser).await, "it lives twelve hours at most");
}

#[tokio::test]
async fn signing_out_ends_this_session_and_everywhere_all_of_them() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let (mut one, mut two, mut three) = (product.browser(), product.browser(), product.browser());
    for browser in [&mut one, &mut two, &mut three] {
        sign_in(&product, browser, &owner).await;
    }
    let page = one.open("/settings/identity").await;
    let old = one.cookies.clone();
    let page = one.submit(&page, &page.form("/settings/sign-out")).await;
    assert_eq!(page.url.path(), "/settings/sign-in");
    one.cookies = old;
    assert!(!is_in(&mut one).await, "the cookie alone is nothing");
    assert!(is_in(&mut two).await);
    product.clock.advance(SignedDuration::from_secs(1));
    let page = two.open("/settings/identity").await;
    two.submit(&page, &page.form("/settings/sign-out-everywhere")).await;
    assert!(!is_in(&mut three).await);
    product.clock.advance(SignedDuration::from_secs(1));
    sign_in(&product, &mut three, &owner).await;
    assert!(is_in(&mut three).await);
}

#[tokio::test]
async fn signing_in_gives_a_new_session_whatever_the_cookie_was() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    browser.cookies.insert("vestibule-console".to_owned(), "planted".to_owned());
    sign_in(&product, &mut browser, &owner).await;
    let first = browser.cookies["vestibule-console"].clone();
    assert_eq!(first.len(), 43);
    sign_in(&product, &mut browser, &owner).await;
    assert_ne!(first, browser.cookies["vestibule-console"]);
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let product = Product::start().await;
    let (_, parent, owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    let page = sign_in(&product, &mut browser, &owner).await;
    let form = page.form("/settings/identity/domains").fill("domain", "new.example");
    let path = "/settings/identity/domains";
    let domain = ("domain".to_owned(), "new.example".to_owned());
    let refused = browser.step(Method::POST, path, Some(std::slice::from_ref(&domain))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "no token");
    let refused = browser.step(Method::POST, path, Some(&[domain, ("token".to_owned(), "x".repeat(64))])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "another token");
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client
            .post(product.local.base_url.join(path).unwrap())
            .header("cookie", cookies.join("; "))
            .header(name, value)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish());
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}: {value}");
    }
    let claims = product.done(Method::GET, &format!("/parents/{parent}/domains"), None).await;
    assert_eq!(claims["items"].as_array().unwrap().len(), 1);
    assert_eq!(browser.submit(&page, &form).await.status, StatusCode::OK, "the same form, from where it belongs");
}

#[tokio::test]
async fn what_is_another_customers_is_not_there() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let (other, other_parent, _) = customer(&product, "other.example").await;
    let claims = format!("/parents/{other_parent}/domains");
    let claim = product.done(Method::POST, &claims, Some(json!({ "domain": "second.example" }))).await;
    publish(&product, &claim["record"]).await;
    let mut browser = product.browser();
    let page = sign_in(&product, &mut browser, &owner).await;
    let token = page.form("/settings/sign-out").value("token").unwrap().to_owned();
    let token = [("token".to_owned(), token)];
    for path in ["other.example", "second.example", "none.example", "..%2F"] {
        let path = format!("/settings/identity/domains/{path}");
        assert_eq!(browser.step(Method::GET, &path, None).await.status, StatusCode::NOT_FOUND, "{path}");
        for change in ["refresh", "remove"] {
            let page = browser.step(Method::POST, &format!("{path}/{change}"), Some(&token)).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}/{change}");
        }
    }
    let choice = [token[0].clone(), ("organization".to_owned(), other)];
    let page = browser.step(Method::POST, "/settings/organization", Some(&choice)).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(!browser.open("/settings/identity").await.text().contains("other.example"));
    let still = product.done(Method::GET, &format!("{claims}/second.example"), None).await;
    assert_eq!(text(&still, "status"), "pending");
    assert_eq!(still["checked_at"], serde_json::Value::Null);
}
