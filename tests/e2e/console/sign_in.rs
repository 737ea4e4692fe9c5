//! Signing in by a code: for administrators, in the browser that asked, for ten minutes, and telling strangers nothing.

use reqwest::{Method, StatusCode};
use vestibule::clock::SignedDuration;
use vestibule_tests::{Browser, Page, Product};

use super::{add_member, ask, code, customer, sign_in};

async fn enter(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, &page.form("/settings/sign-in/code").fill("code", code)).await
}

#[tokio::test]
async fn an_administrator_of_one_organization_arrives_at_its_settings() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    let asked = browser.open("/settings/identity/sign-ins?reference=AAAAA-AAAAA").await;
    assert_eq!(asked.url.path(), "/settings/sign-in");
    let page = browser.submit(&asked, &asked.form("/settings/sign-in").fill("email", "OWNER@corp.example")).await;
    assert!(page.text().contains("If OWNER@corp.example belongs to an administrator"), "{}", page.text());
    let code = code(&product).await;
    assert_eq!(product.local.mailbox.mails()[0].to, [owner.as_str()]);
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    let page = enter(&mut browser, &page, &spaced).await;
    assert_eq!(page.url.path(), "/settings/identity/sign-ins", "where one wanted to go: {}", page.text());
    let page = browser.open("/settings").await;
    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/settings/identity"));
    assert!(page.text().contains("Signed in as owner@corp.example , owner of corp.example"), "{}", page.text());
    // A code works once.
    let mut again = product.browser();
    again.cookies = browser.cookies.clone();
    let back = again.open("/settings/sign-in/code").await;
    assert_eq!(back.url.path(), "/settings/sign-in");
}

#[tokio::test]
async fn an_administrator_of_several_chooses() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let page = sign_in(&product, &mut browser, "ada@acme.example").await;
    assert_eq!(page.url.path(), "/settings/organization");
    assert_eq!(browser.open("/settings/identity").await.url.path(), "/settings/organization", "not before the choice");
    let demo = product.local.demo.clone().unwrap();
    let choose = page.form("/settings/organization");
    let acme = browser.submit(&page, &choose.clone().press("organization", &demo.organization)).await;
    assert_eq!(acme.url.path(), "/settings/identity");
    assert!(acme.text().contains("owner of Acme ") && acme.text().contains("acme.example Verified"), "{}", acme.text());
    let developers = browser.submit(&page, &choose.press("organization", &demo.developers)).await;
    assert!(developers.text().contains("admin of Acme Developers"), "{}", developers.text());
    assert!(!developers.text().contains("acme.example Verified"), "another parent's: {}", developers.text());
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_tries_run_out() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    let mut page = ask(&mut browser, &owner).await;
    let right = code(&product).await;
    let wrong = if right == "00000000" { "00000001" } else { "00000000" };
    for left in ["4 more times", "3 more times", "2 more times", "one more time"] {
        page = enter(&mut browser, &page, wrong).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text().contains(left), "{left}: {}", page.text());
    }
    let form = page.form("/settings/sign-in/code");
    let over = enter(&mut browser, &page, wrong).await;
    assert!(over.text().contains("Have a new one sent"), "{}", over.text());
    let late = browser.submit(&page, &form.fill("code", &right)).await;
    assert!(late.text().contains("Have a new one sent"), "even the right one: {}", late.text());
    assert!(!browser.cookies.contains_key("vestibule-console"));
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    for (seconds, good) in [(599, true), (600, false)] {
        let mut browser = product.browser();
        let page = ask(&mut browser, &owner).await;
        let code = code(&product).await;
        product.clock.advance(SignedDuration::from_secs(seconds));
        let page = enter(&mut browser, &page, &code).await;
        assert_eq!(page.status.is_success(), good, "{seconds}: {}", page.text());
        assert_eq!(browser.cookies.contains_key("vestibule-console"), good, "{seconds}");
    }
}

#[tokio::test]
async fn a_code_is_good_in_its_browser_only() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let (mut one, mut other) = (product.browser(), product.browser());
    ask(&mut one, &owner).await;
    let first = code(&product).await;
    let page = ask(&mut other, &owner).await;
    let refused = enter(&mut other, &page, &first).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Only the last code of a browser is good.
    let page = ask(&mut one, &owner).await;
    assert_eq!(enter(&mut one, &page, &first).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// What a browser sees of an address: everything but what it typed itself, and what differs each time.
async fn seen(product: &Product, email: &str) -> Vec<String> {
    let mut browser = product.browser();
    let page = browser.open("/settings/sign-in").await;
    let sent = browser.send(&page, &page.form("/settings/sign-in").fill("email", email)).await;
    let mut seen = vec![show(&sent, email)];
    let mut page = browser.follow(sent).await;
    for _ in 0..5 {
        seen.push(show(&page, email));
        let form = page.form("/settings/sign-in");
        page = browser.send(&page, &form.fill("code", "no digits").fill("email", email)).await;
    }
    seen.push(show(&page, email));
    seen
}

fn show(page: &Page, email: &str) -> String {
    let mut names: Vec<_> = page.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let token = page.forms().first().and_then(|form| form.value("token").map(str::to_owned)).unwrap_or_default();
    let body = page.body.replace(email, "…").replace(&token, "…");
    let cost = page.cost();
    format!("{} {:?} {names:?} {} {} {body}", page.status, page.location(), cost.calls, cost.round_trips)
}

#[tokio::test]
async fn an_address_can_not_be_probed() {
    let product = Product::start().await;
    let (organization, _, owner) = customer(&product, "corp.example").await;
    add_member(&product, &organization, "member@corp.example", "user").await;
    let known = seen(&product, &owner).await;
    assert_eq!(product.deliver_mail().await, 1);
    assert_eq!(known, seen(&product, "member@corp.example").await, "somebody who is no administrator");
    product.deliver_mail().await;
    let before = product.local.mailbox.mails().len();
    assert_eq!(known, seen(&product, "nobody@corp.example").await, "nobody");
    assert_eq!(known, seen(&product, "nobody@elsewhere.example").await, "nobody anywhere");
    assert_eq!(
        (product.deliver_mail().await, product.local.mailbox.mails().len()),
        (0, before),
        "nobody is written to"
    );
}

#[tokio::test]
async fn somebody_who_administers_nothing_is_told_so_after_the_code() {
    let product = Product::start().await;
    let (organization, ..) = customer(&product, "corp.example").await;
    add_member(&product, &organization, "member@corp.example", "user").await;
    let mut browser = product.browser();
    let page = sign_in(&product, &mut browser, "member@corp.example").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text().contains("not the address of an administrator"), "{}", page.text());
    assert!(!browser.cookies.contains_key("vestibule-console"));
}

#[tokio::test]
async fn a_browser_and_an_address_have_their_limits() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    for _ in 0..10 {
        ask(&mut browser, &owner).await;
    }
    let page = browser.open("/settings/sign-in").await;
    let refused = browser.submit(&page, &page.form("/settings/sign-in").fill("email", &owner)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3600"));
    assert_eq!(product.deliver_mail().await, 10);
    // The address has had its codes, and another browser is told nothing of that.
    ask(&mut product.browser(), &owner).await;
    assert_eq!(product.deliver_mail().await, 0);
    product.clock.advance(SignedDuration::from_secs(3600));
    sign_in(&product, &mut browser, &owner).await;
    assert!(browser.cookies.contains_key("vestibule-console"));
}

#[tokio::test]
async fn what_is_no_address_is_said_beside_the_field() {
    let product = Product::start().await;
    let mut browser = product.browser();
    let page = browser.open("/settings/sign-in").await;
    let page = browser.submit(&page, &page.form("/settings/sign-in").fill("email", "<b>ada")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("aria-describedby=\"problem\"") && !page.body.contains("<b>ada"), "{}", page.body);
    assert_eq!(page.form("/settings/sign-in").value("email"), Some("<b>ada"));
}

#[tokio::test]
async fn a_sign_in_without_cookies_or_from_elsewhere_is_refused() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    let page = browser.open("/settings/sign-in").await;
    let form = page.form("/settings/sign-in").fill("email", &owner);
    let mut other = product.browser();
    assert_eq!(other.submit(&page, &form).await.status, StatusCode::FORBIDDEN, "no cookie");
    other.open("/settings/sign-in").await;
    assert_eq!(other.submit(&page, &form).await.status, StatusCode::FORBIDDEN, "another browser's form");
    let bare = [("email".to_owned(), owner.clone())];
    let refused = browser.step(Method::POST, "/settings/sign-in", Some(&bare)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "no token");
    assert_eq!(product.deliver_mail().await, 0);
}

#[tokio::test]
async fn nobody_is_sent_away_after_signing_in() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    let page = browser.open("/settings/sign-in?next=https%3A%2F%2Fevil.example%2F").await;
    let page = browser.submit(&page, &page.form("/settings/sign-in").fill("email", &owner)).await;
    let form = page.form("/settings/sign-in/code").fill("next", "//evil.example").fill("code", &code(&product).await);
    let sent = browser.send(&page, &form).await;
    assert_eq!(sent.location().unwrap().path(), "/settings/identity");
    assert_eq!(sent.location().unwrap().host_str(), Some("localhost"));
}
