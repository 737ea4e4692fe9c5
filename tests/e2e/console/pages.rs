//! Domains, domain memberships and sign-ins, as pages.

use reqwest::{Method, StatusCode};
use serde_json::json;
use vestibule::clock::SignedDuration;
use vestibule_tests::{Browser, Page, Product};

use super::{add_member, customer, publish, sign_in};

async fn add(browser: &mut Browser, domain: &str) -> Page {
    let page = browser.open("/settings/identity").await;
    browser.submit(&page, &page.form("/settings/identity/domains").fill("domain", domain)).await
}

#[tokio::test]
async fn a_domain_is_added_proven_and_removed() {
    let product = Product::start().await;
    let (_, parent, owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    product.clock.advance(SignedDuration::from_secs(1));
    sign_in(&product, &mut browser, &owner).await;

    let page = add(&mut browser, "Bücher.Example").await;
    assert_eq!(page.url.path(), "/settings/identity/domains/xn--bcher-kva.example");
    assert!(page.text().contains("bücher.example Pending"), "{}", page.text());
    let again = add(&mut browser, "bücher.example").await;
    assert_eq!((again.status, again.url.path()), (StatusCode::OK, page.url.path()), "to add it again leads to it");
    let claims = format!("/parents/{parent}/domains");
    let claim = product.done(Method::GET, &format!("{claims}/xn--bcher-kva.example"), None).await;
    for part in ["name", "value"] {
        let record = claim["record"][part].as_str().unwrap();
        assert!(page.body.contains(&format!("<code id=\"record-{part}\">{record}</code>")), "{part}");
    }

    let refreshed = browser.submit(&page, &page.form(&format!("{}/refresh", page.url.path()))).await;
    assert!(refreshed.text().contains("There is no such name as"), "{}", refreshed.text());
    let soon = browser.submit(&refreshed, &refreshed.form(&format!("{}/refresh", page.url.path()))).await;
    assert_eq!((soon.status, soon.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "5"));
    assert!(soon.text().contains("DNS was asked a moment ago; ask again in 5 s."), "{}", soon.text());
    let reloaded = browser.open(soon.url.as_str()).await;
    assert_eq!(reloaded.status, StatusCode::OK, "an address that a form answered can be opened");

    publish(&product, &claim["record"]).await;
    product.clock.advance(SignedDuration::from_secs(5));
    let verified = browser.submit(&soon, &soon.form(&format!("{}/refresh", page.url.path()))).await;
    assert!(verified.text().contains("bücher.example Verified"), "{}", verified.text());
    assert!(verified.text().contains("Seen 127.0.0.1"), "{}", verified.text());
    let servers = verified.text().matches(" Resolver The record is there.").count();
    assert_eq!(servers, product.local.zone.servers().len(), "{}", verified.text());

    product.clock.advance(SignedDuration::from_secs(1));
    let sure = browser.open(&format!("{}/remove", page.url.path())).await;
    assert!(sure.text().contains("Another customer can verify the domain."), "{}", sure.text());
    let gone = browser.submit(&sure, &sure.form(&format!("{}/remove", page.url.path()))).await;
    assert_eq!(gone.url.path(), "/settings/identity");
    assert!(!gone.text().contains("xn--bcher-kva.example"));

    let events = product.done(Method::GET, &format!("/parents/{parent}/events?limit=3"), None).await;
    let events: Vec<_> = events["items"].as_array().unwrap().iter().collect();
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["domain.removed", "domain.verified", "domain.claimed"]);
    assert!(events.iter().all(|event| event["actor"]["type"] == "account"), "{events:?}");
}

/// The text of the page that asks whether a domain is to be removed.
async fn removal(browser: &mut Browser, domain: &str) -> String {
    browser.open(&format!("/settings/identity/domains/{domain}/remove")).await.text()
}

#[tokio::test]
async fn what_a_removal_means_depends_on_where_the_claim_stands() {
    let product = Product::start().await;
    let (_, parent, owner) = customer(&product, "corp.example").await;
    let claims = format!("/parents/{parent}/domains");
    let held = product.done(Method::GET, &format!("{claims}/corp.example"), None).await;
    product.done(Method::POST, &claims, Some(json!({ "domain": "other.example" }))).await;
    product.local.zone.remove(held["record"]["name"].as_str().unwrap()).await.unwrap();
    // The absence of a record is looked for twice a day, and counts for as long as it is looked for.
    for _ in 0..2 * 31 {
        product.clock.advance(SignedDuration::from_hours(12));
        product.verify_domains().await;
    }
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;

    let lapsed = browser.open("/settings/identity/domains/corp.example").await.text();
    assert!(lapsed.contains("corp.example Lapsed") && lapsed.contains("New sign-ins with addresses on it"), "{lapsed}");
    let lapsed = removal(&mut browser, "corp.example").await;
    assert!(lapsed.contains("New sign-ins with addresses on it are refused from then on"), "{lapsed}");
    assert!(lapsed.contains("can verify the domain at once"), "{lapsed}");
    let failed = removal(&mut browser, "other.example").await;
    assert!(failed.contains("nobody looks for it any more") && failed.contains("keep the domain"), "{failed}");
    assert!(failed.contains("nobody's access changes") && !failed.contains("sign-ins"), "{failed}");
    product.done(Method::POST, &format!("{claims}/other.example/refresh"), None).await;
    let pending = removal(&mut browser, "other.example").await;
    assert!(pending.contains("nobody's access changes") && !pending.contains("looks for"), "{pending}");
}

#[tokio::test]
async fn a_refused_domain_is_explained_beside_the_field() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    for (domain, words) in [
        ("co.uk", "This is a public suffix"),
        ("1.2.3.4", "An IP address is not a domain name"),
        ("localhost", "A single label"),
        ("*.corp.example", "A wildcard covers names that were not proven"),
        ("https://corp.example", "Enter the domain name alone"),
        ("<script>alert(1)</script>.example", "Enter the domain name alone"),
        ("a\"onfocus=\"b.example", "This is not a well-formed domain name"),
        ("", "Enter a domain name"),
    ] {
        let page = add(&mut browser, domain).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{domain}");
        assert!(page.text().contains(words), "{domain}: {}", page.text());
        assert!(page.body.contains("aria-describedby=\"refused\" aria-invalid=\"true\""), "{domain}");
        assert_eq!(page.form("/settings/identity/domains").value("domain"), Some(domain));
        assert!(!page.body.contains("<script>") && !page.body.contains("\"onfocus"), "{}", page.body);
    }
}

#[tokio::test]
async fn domain_memberships_are_found_by_address_and_place() {
    let product = Product::start().await;
    let (organization, _, owner) = customer(&product, "corp.example").await;
    let (other, ..) = customer(&product, "other.example").await;
    for number in 0..60 {
        add_member(&product, &organization, &format!("person{number:02}@corp.example"), "user").await;
    }
    add_member(&product, &other, "Person07@corp.example", "admin").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;

    let path = "/settings/identity/domain-memberships";
    let addresses = |page: &Page| page.body.matches("data-label=\"Account\"").count();
    let first = browser.open(path).await;
    assert_eq!(addresses(&first), 50);
    assert!(
        first.text().contains("owner@corp.example corp.example Inside Claude owner Added by hand"),
        "{}",
        first.text()
    );
    let next = first.body.split('"').find(|part| part.contains("cursor=")).unwrap().replace("&#38;", "&");
    let second = browser.open(&next).await;
    assert_eq!(addresses(&second), 12, "{}", second.text());
    assert!(second.text().contains("From the beginning") && !second.body.contains("rel=\"next\""));

    let found = browser.submit(&first, &first.form(path).fill("begins", "PERSON07")).await;
    assert_eq!(addresses(&found), 2, "{}", found.text());
    let outside = browser.submit(&first, &first.form(path).fill("show", "outside")).await;
    assert_eq!(addresses(&outside), 1);
    assert!(outside.text().contains("other.example Outside Claude admin"), "{}", outside.text());
    let last = browser.submit(&first, &first.form(path).fill("order", "backwards")).await;
    let (one, two) = (last.body.find("person59@").unwrap(), last.body.find("person58@").unwrap());
    assert!(one < two);
    let none = browser.submit(&first, &first.form(path).fill("begins", "<nobody>")).await;
    assert!(none.text().contains("Nobody like that.") && !none.body.contains("<nobody>"), "{}", none.text());
    // A cursor of another listing begins it anew instead of showing something else.
    let strange = browser
        .open(&format!(
            "{path}?begins=person07&{}",
            next.split_once("cursor=").map(|(_, c)| format!("cursor={c}")).unwrap()
        ))
        .await;
    assert_eq!(addresses(&strange), 2);
}

#[tokio::test]
async fn without_a_verified_domain_there_is_nobody_to_show() {
    let product = Product::start().await;
    let (_, parent, owner) = customer(&product, "corp.example").await;
    product.done(Method::DELETE, &format!("/parents/{parent}/domains/corp.example"), None).await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    let page = browser.open("/settings/identity/domain-memberships").await;
    assert!(page.text().contains("Once a domain is verified") && !page.body.contains("<table"), "{}", page.text());
}

/// Somebody comes through the test identity provider, with what goes wrong there, and gives the reference they see.
async fn refused(product: &Product, email: &str) -> String {
    let mut browser = product.browser();
    let page = browser.open("/app/sign-in").await;
    let page = browser.submit(&page, &page.form("/saml/start").fill("email", "grace@acme.example")).await;
    let answer = browser.submit(&page, &page.form("/idp/sign-in").fill("email", email)).await;
    let page = browser.submit(&answer, &answer.form("/saml/")).await;
    let (_, reference) = page.body.split_once("data-reference>").unwrap_or_else(|| panic!("{}", page.text()));
    reference.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_refused_sign_in_is_found_by_its_reference_with_every_check() {
    let product = Product::demo().await;
    let reference = refused(&product, "grace@elsewhere.example").await;
    product.clock.advance(SignedDuration::from_secs(86_400));
    let mut browser = product.browser();
    let page = sign_in(&product, &mut browser, "ada@acme.example").await;
    let acme = product.local.demo.as_ref().unwrap().organization.clone();
    browser.submit(&page, &page.form("/settings/organization").press("organization", &acme)).await;

    let list = browser.open("/settings/identity/sign-ins").await;
    assert!(list.text().contains("Refused") && list.text().contains(&reference), "{}", list.text());
    let spoken = reference.to_lowercase().replace('-', " ");
    let find = list.form("/settings/identity/sign-ins").fill("reference", &spoken);
    let trace = browser.submit(&list, &find).await;
    assert_eq!(trace.url.path(), format!("/settings/identity/sign-ins/{reference}"));
    let words = trace.text();
    assert!(words.contains("What to change") && words.contains("Sample application"), "{words}");
    let parent = &product.local.demo.as_ref().unwrap().parent;
    let attempts = product.done(Method::GET, &format!("/parents/{parent}/sign-ins"), None).await;
    let checks = attempts["items"][0]["checks"].as_array().unwrap();
    assert_eq!(trace.body.matches("class=\"finding\"").count(), checks.len(), "every check is shown");
    let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
    for part in ["expected", "found", "advice"] {
        assert!(words.contains(failed[part].as_str().unwrap()), "{part}: {words}");
    }
    assert!(!words.contains("grace@elsewhere.example"), "an address off the domains is nobody's to see");

    for none in ["00000-00000", "no reference"] {
        let find = list.form("/settings/identity/sign-ins").fill("reference", none);
        let missed = browser.submit(&list, &find).await;
        assert_eq!(missed.status, StatusCode::NOT_FOUND);
        assert!(missed.text().contains(&format!("has the number {none}")), "{}", missed.text());
    }
    // Another customer's administrator does not find it.
    let (.., owner) = customer(&product, "other.example").await;
    let mut other = product.browser();
    sign_in(&product, &mut other, &owner).await;
    let page = other.open(&format!("/settings/identity/sign-ins/{reference}")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    // And after seven days nobody does.
    product.clock.advance(SignedDuration::from_secs(6 * 86_400));
    let page = sign_in(&product, &mut browser, "ada@acme.example").await;
    browser.submit(&page, &page.form("/settings/organization").press("organization", &acme)).await;
    let page = browser.open(&format!("/settings/identity/sign-ins/{reference}")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_name_holds_is_text_on_every_page() {
    let product = Product::start().await;
    let body =
        json!({ "name": "<img src=x onerror=alert(1)>", "surface": "claudeai", "primary_owner": "o@corp.example" });
    product.done(Method::POST, "/organizations", Some(body)).await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, "o@corp.example").await;
    for path in ["/settings/identity", "/settings/identity/sign-ins", "/settings/organization"] {
        let page = browser.open(path).await;
        assert!(!page.body.contains("<img"), "{path}");
        assert!(page.text().contains("<img src=x onerror=alert(1)>"), "{path}");
    }
}
