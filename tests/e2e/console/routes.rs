//! Who reaches what, and what every answer carries.

use reqwest::{Method, StatusCode};
use vestibule_console::{ROUTES, Who};
use vestibule_tests::Product;

use super::{customer, sign_in};

/// Routes that anybody reaches. One more here is one more thing to think about.
const OPEN: &[&str] = &[
    "get /settings/assets/{file}",
    "get /settings/sign-in",
    "post /settings/sign-in",
    "get /settings/sign-in/code",
    "post /settings/sign-in/code",
];

fn filled(path: &str) -> String {
    path.replace("{domain}", "corp.example").replace("{format}", "csv").replace("{reference}", "AAAAA-AAAAA")
}

#[tokio::test]
async fn without_a_session_nothing_else_is_reached() {
    let product = Product::start().await;
    customer(&product, "corp.example").await;
    let open: Vec<_> = ROUTES.iter().filter(|(who, ..)| *who == Who::Anybody).collect();
    assert_eq!(open.iter().map(|(_, method, path)| format!("{method} {path}")).collect::<Vec<_>>(), OPEN);
    for (_, method, path) in ROUTES.iter().filter(|(who, ..)| *who != Who::Anybody) {
        for cookie in [None, Some("x".repeat(43))] {
            let mut browser = product.browser();
            browser.cookies.extend(cookie.map(|cookie| ("vestibule-console".to_owned(), cookie)));
            let method: Method = method.to_uppercase().parse().unwrap();
            let form = [("domain".to_owned(), "x.example".to_owned())];
            let form = (method == Method::POST).then_some(form.as_slice());
            let page = browser.step(method.clone(), &filled(path), form).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{method} {path}");
            assert_eq!(page.location().unwrap().path(), "/settings/sign-in", "{method} {path}");
            assert_eq!(page.header("cache-control"), "no-store", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_page_has_its_policy_and_one_heading() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    let mut seen = 0;
    for (_, _, path) in ROUTES.iter().filter(|(_, method, _)| *method == "get") {
        let page = browser.step(Method::GET, &filled(path), None).await;
        if page.status.is_redirection() || path.contains("assets") {
            continue;
        }
        seen += 1;
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
        assert!(page.body.contains("<html lang=\"en\">") && page.body.contains("<title>"), "{path}");
        // Nothing stands in a page that a script could have been put into.
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
        assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="), "{path}");
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    }
    assert!(seen >= 7, "{seen}");
    let page = browser.open("/settings/identity").await;
    for ending in ["css", "js"] {
        let link = page.body.split('"').find(|part| part.starts_with("/settings/assets/") && part.ends_with(ending));
        let asset = browser.step(Method::GET, link.unwrap(), None).await;
        assert_eq!((asset.status, asset.header("x-content-type-options")), (StatusCode::OK, "nosniff"));
        assert!(asset.header("cache-control").contains("immutable"));
    }
    assert_eq!(browser.open("/settings/assets/other.css").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.open("/settings/nothing/here").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_costs_a_bounded_number_of_reads() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    // The session, the person, the organization's place and the organization twice, and what the page shows. Reads that
    // go side by side in more than one step end in any order, so they are counted and not their round trips.
    for (path, most) in [
        ("/settings/identity", 6),
        ("/settings/identity/domains/corp.example", 7),
        ("/settings/identity/sign-ins", 7),
        ("/settings/identity/domain-memberships", 10),
    ] {
        let page = browser.step(Method::GET, path, None).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.cost().calls <= most, "{path}: {}", page.cost());
        assert!(page.cost().write_units < 0.1, "{path}: {}", page.cost());
    }
}
