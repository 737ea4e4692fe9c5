//! The local pages, as a browser gets them.

use vestibule_tests::Product;

#[tokio::test]
async fn every_page_has_the_same_shell_and_policy() {
    let product = Product::start().await;
    let mut browser = product.browser();
    for path in ["/", "/mailbox", "/dns", "/idp", "/app"] {
        let page = browser.open(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.body.matches("<h1>").count(), 1, "{path}");
        assert!(page.body.contains("<html lang=\"en\">"), "{path}");
        assert!(page.text().contains("Local only: "), "{path}");
        assert!(!page.body.contains("<script"), "{path} runs nothing");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.cost().calls, 0, "{path}");
    }
}

#[tokio::test]
async fn every_link_of_the_local_pages_leads_somewhere() {
    let product = Product::start().await;
    let mut browser = product.browser();
    let home = browser.open("/").await;
    let links = home.body.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next());
    for link in links.filter(|link| ["dns", "mailbox", "idp", "app"].contains(link)) {
        assert_eq!(browser.open(&format!("/{link}")).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn without_a_registration_the_application_says_so() {
    let product = Product::start().await;
    let mut browser = product.browser();
    assert!(browser.open("/app").await.text().contains("The application is not registered"));
    assert_eq!(browser.open("/app/sign-in").await.url.path(), "/app");
    assert_eq!(browser.open("/app/callback?state=x&code=y").await.url.path(), "/app");
}
