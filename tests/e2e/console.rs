//! The console, as administrators use it.

mod downloads;
mod pages;
mod routes;
mod sessions;
mod sign_in;

use reqwest::Method;
use serde_json::{Value, json};
use vestibule_tests::{Browser, Page, Product};

/// The code of the latest mail.
async fn code(product: &Product) -> String {
    product.deliver_mail().await;
    let mails = product.local.mailbox.mails();
    let mail = mails.iter().find(|mail| mail.subject == "Your sign-in code").expect("a mail with a code");
    let text = mail.text.clone().unwrap();
    let digits = text.split_once("asked for it: ").unwrap().1.split('\n').next().unwrap();
    digits.replace(' ', "")
}

/// Asks for a code, and gives the page that asks for it in turn.
async fn ask(browser: &mut Browser, email: &str) -> Page {
    let page = browser.open("/settings/sign-in").await;
    let page = browser.submit(&page, &page.form("/settings/sign-in").fill("email", email)).await;
    assert_eq!(page.url.path(), "/settings/sign-in/code", "{}", page.text());
    page
}

/// Signs in, and gives the page that one arrives at.
async fn sign_in(product: &Product, browser: &mut Browser, email: &str) -> Page {
    let page = ask(browser, email).await;
    let code = code(product).await;
    browser.submit(&page, &page.form("/settings/sign-in/code").fill("code", &code)).await
}

/// A customer by the name of its domain, which is verified: organization, parent and the primary owner's address.
async fn customer(product: &Product, domain: &str) -> (String, String, String) {
    let owner = format!("owner@{domain}");
    let body = json!({ "name": domain, "surface": "claudeai", "primary_owner": owner });
    let made = product.done(Method::POST, "/organizations", Some(body)).await;
    let (organization, parent) = (text(&made, "id"), text(&made, "parent_id"));
    let claims = format!("/parents/{parent}/domains");
    let claim = product.done(Method::POST, &claims, Some(json!({ "domain": domain }))).await;
    publish(product, &claim["record"]).await;
    let claim = product.done(Method::POST, &format!("{claims}/{domain}/refresh"), None).await;
    assert_eq!(claim["status"], "verified");
    // What administrators are told of it.
    product.deliver_mail().await;
    (organization, parent, owner)
}

async fn publish(product: &Product, record: &Value) {
    product.local.zone.publish(&text(record, "name"), vec![text(record, "value")]).await.unwrap();
}

/// Adds a member, and gives the account.
async fn add_member(product: &Product, organization: &str, email: &str, role: &str) -> String {
    let body = json!({ "email": email, "role": role });
    text(&product.done(Method::POST, &format!("/organizations/{organization}/members"), Some(body)).await, "account")
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}
