//! The first login of the demo customer's people, from the sample application and back to it.

use reqwest::Method;
use serde_json::Value;
use vestibule::clock::SignedDuration;
use vestibule_local::idp::Fault;
use vestibule_tests::{Browser, Page, Product};

/// From the application to the page where the identity provider asks who signs in.
pub(super) async fn to_identity_provider(browser: &mut Browser, email: &str) -> Page {
    let identify = browser.open("/app/sign-in").await;
    assert_eq!((identify.status.as_u16(), identify.url.path()), (200, "/saml/start"), "{}", identify.text());
    let page = browser.submit(&identify, &identify.form("/saml/start").fill("email", email)).await;
    assert_eq!(page.url.path(), "/idp/sso", "{}", page.text());
    page
}

/// Signs in with `email` at the identity provider, and follows wherever that leads.
pub(super) async fn sign_in(browser: &mut Browser, email: &str, fault: &str) -> Page {
    let page = to_identity_provider(browser, "ada@acme.example").await;
    let form = page.form("/idp/sign-in").fill("email", email).fill("fault", fault);
    let answer = browser.submit(&page, &form).await;
    browser.submit(&answer, &answer.form("/saml/")).await
}

/// What the application says of who is signed in.
pub(super) fn claim(page: &Page, name: &str) -> String {
    let label = format!("data-claim=\"{name}\">");
    let (_, rest) = page.body.split_once(&label).unwrap_or_else(|| panic!("no {name}: {}", page.text()));
    vestibule_tests::text_of(rest.split("</dd>").next().unwrap())
}

pub(super) async fn attempts(product: &Product) -> Vec<Value> {
    let parent = &product.local.demo.as_ref().unwrap().parent;
    let answer = product.done(Method::GET, &format!("/parents/{parent}/sign-ins"), None).await;
    answer["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn somebody_new_becomes_a_member_and_the_application_knows_them() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let page = sign_in(&mut browser, "grace@acme.example", "").await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/app"), "{}", page.text());
    let demo = product.local.demo.as_ref().unwrap();
    assert_eq!(claim(&page, "email"), "grace@acme.example");
    assert_eq!(claim(&page, "role"), "user");
    assert_eq!(claim(&page, "surface"), "claudeai");
    assert_eq!(claim(&page, "organization"), format!("Acme {}", demo.organization));

    let members = product.done(Method::GET, &format!("/organizations/{}/members", demo.organization), None).await;
    let joined = members["items"].as_array().unwrap().iter().find(|member| member["email"] == "grace@acme.example");
    assert_eq!((&joined.unwrap()["role"], &joined.unwrap()["source"]), (&"user".into(), &"jit".into()), "{members}");
    let attempt = &attempts(&product).await[0];
    assert_eq!(attempt["outcome"], "signed_in");
    assert_eq!((&attempt["reason"], &attempt["email"]), (&Value::Null, &"grace@acme.example".into()));
}

#[tokio::test]
async fn the_primary_owner_comes_with_the_highest_role() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let page = to_identity_provider(&mut browser, "ada@acme.example").await;
    let answer = browser.submit(&page, &page.form("/idp/sign-in").press("person", "ada@acme.example")).await;
    let page = browser.submit(&answer, &answer.form("/saml/")).await;
    assert_eq!(claim(&page, "role"), "owner");
}

#[tokio::test]
async fn a_session_saves_the_way_to_the_identity_provider() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    sign_in(&mut browser, "grace@acme.example", "").await;
    let page = browser.open("/app").await;
    let page = browser.submit(&page, &page.form("/app/sign-out")).await;
    assert!(page.body.contains("href=\"/app/sign-in\""), "signed out");
    let page = browser.open("/app/sign-in").await;
    assert_eq!(claim(&page, "email"), "grace@acme.example", "signed in again at once");
    let page = browser.open("/app/sign-in?anew=yes").await;
    assert_ne!(page.url.path(), "/app", "whoever asks to sign in anew does");
}

#[tokio::test]
async fn a_hint_saves_typing_the_address() {
    let product = Product::demo().await;
    let page = product.browser().open("/app/sign-in?login_hint=grace%40acme.example").await;
    assert_eq!(page.url.path(), "/idp/sso", "{}", page.text());
}

#[tokio::test]
async fn each_fault_is_refused_with_a_reference_and_leaves_its_reason() {
    let product = Product::demo().await;
    sign_in(&mut product.browser(), "ada@acme.example", "").await;
    for fault in Fault::ALL {
        // Attempts are listed by their time.
        product.clock.advance(SignedDuration::from_secs(1));
        let mut browser = product.browser();
        let page = sign_in(&mut browser, "ada@acme.example", fault.word()).await;
        assert_eq!(page.status, 403, "{fault:?}: {}", page.text());
        let attempt = &attempts(&product).await[0];
        assert_eq!(attempt["reason"], fault.reason().as_str(), "{fault:?}");
        assert_eq!(attempt["outcome"], "refused");
        assert!(page.text().contains(attempt["reference"].as_str().unwrap()), "{fault:?}");
        assert!(browser.open("/app").await.body.contains("href=\"/app/sign-in\""), "{fault:?}: nobody is signed in");
    }
}

#[tokio::test]
async fn another_name_id_is_refused_until_the_tie_is_reset() {
    let product = Product::demo().await;
    let demo = product.local.demo.as_ref().unwrap();
    sign_in(&mut product.browser(), "grace@acme.example", "").await;
    let members = product.done(Method::GET, &format!("/organizations/{}/members", demo.organization), None).await;
    let grace = members["items"].as_array().unwrap().iter().find(|member| member["email"] == "grace@acme.example");
    let tie = format!("/parents/{}/connection/ties/{}", demo.parent, grace.unwrap()["account"].as_str().unwrap());
    let with_another = Fault::OtherNameId.word();

    product.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(sign_in(&mut product.browser(), "grace@acme.example", with_another).await.status, 403);
    let (status, _) = product.api(Method::DELETE, &tie, None).await;
    assert_eq!(status, 204);
    let (status, _) = product.api(Method::DELETE, &tie, None).await;
    assert_eq!(status, 404, "there is none any more");

    product.clock.advance(SignedDuration::from_secs(1));
    let mut browser = product.browser();
    let page = sign_in(&mut browser, "grace@acme.example", with_another).await;
    assert_eq!(claim(&page, "email"), "grace@acme.example");
    let page = sign_in(&mut product.browser(), "grace@acme.example", "").await;
    assert_eq!(page.status, 403, "the earlier NameID is nobody's now");
    let events = product.done(Method::GET, &format!("/parents/{}/events?limit=2", demo.parent), None).await;
    let actions: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["name_id.tied", "name_id.reset"]);
}

#[tokio::test]
async fn who_is_removed_is_signed_out_at_the_next_refresh() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let page = sign_in(&mut browser, "grace@acme.example", "").await;
    let members = format!("/organizations/{}/members", product.local.demo.as_ref().unwrap().organization);
    let account = |listed: &Value| {
        let items = listed["items"].as_array().unwrap();
        items.iter().find(|member| member["email"] == "grace@acme.example").unwrap()["account"].clone()
    };
    let account = account(&product.done(Method::GET, &members, None).await);
    let member = format!("{members}/{}", account.as_str().unwrap());

    product.done(Method::PATCH, &member, Some(serde_json::json!({ "role": "admin" }))).await;
    let page = browser.submit(&page, &page.form("/app/refresh")).await;
    assert_eq!(claim(&page, "role"), "admin", "a refresh shows the role as it is now");

    product.done(Method::DELETE, &member, None).await;
    let refused = browser.submit(&page, &page.form("/app/refresh")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("The provider refused") || refused.text().contains("the provider refused"));
    assert!(browser.open("/app").await.body.contains("href=\"/app/sign-in\""), "nobody is signed in");
}

#[tokio::test]
async fn a_callback_of_another_browser_is_worth_nothing() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let page = to_identity_provider(&mut browser, "grace@acme.example").await;
    let answer = browser.submit(&page, &page.form("/idp/sign-in").fill("email", "grace@acme.example")).await;
    let handed_over = browser.send(&answer, &answer.form("/saml/")).await;
    let callback = handed_over.location().unwrap();
    assert_eq!(callback.path(), "/app/callback");
    let stolen = product.browser().open(callback.as_str()).await;
    assert_eq!(stolen.status, 403);
    assert!(stolen.text().contains("belongs to no sign-in that this browser has under way"));
    assert_eq!(browser.open(callback.as_str()).await.url.path(), "/app", "the right one is not harmed");
}

#[tokio::test]
async fn the_demo_customer_is_made_once() {
    let scratch = vestibule_tests::Scratch::new();
    let keep = |options: &mut vestibule_local::Options| {
        options.seed = true;
        options.data = Some(scratch.path().to_owned());
    };
    let first = Product::with(keep).await;
    let demo = first.local.demo.clone().unwrap();
    let page = sign_in(&mut first.browser(), "grace@acme.example", "").await;
    assert_eq!(claim(&page, "role"), "user");
    first.local.shutdown().await;
    // On another port, which both sides are told of.
    let second = Product::with(keep).await;
    assert_eq!(second.local.demo.as_ref().unwrap().organization, demo.organization);
    let page = sign_in(&mut second.browser(), "grace@acme.example", "").await;
    assert_eq!(claim(&page, "role"), "user");
    second.local.shutdown().await;
}

#[tokio::test]
async fn a_start_that_was_cut_short_goes_on_where_it_was() {
    let scratch = vestibule_tests::Scratch::new();
    let keep = |options: &mut vestibule_local::Options| {
        options.seed = true;
        options.data = Some(scratch.path().to_owned());
    };
    let first = Product::with(keep).await;
    let demo = first.local.demo.clone().unwrap();
    first.local.shutdown().await;
    // The last thing that a start does.
    std::fs::remove_file(scratch.path().join("demo.json")).unwrap();
    let second = Product::with(keep).await;
    let again = second.local.demo.as_ref().unwrap();
    assert_eq!((&again.organization, &again.developers), (&demo.organization, &demo.developers));
    second.local.shutdown().await;
}

#[tokio::test]
async fn what_the_provider_refuses_is_shown_in_words() {
    let product = Product::demo().await;
    let mut browser = product.browser();
    let state = async |browser: &mut Browser| {
        let asked = browser.step(Method::GET, "/app/sign-in", None).await.location().unwrap();
        let (_, state) = asked.query_pairs().find(|(name, _)| name == "state").unwrap();
        state.into_owned()
    };
    for (answer, words) in [
        ("error=access_denied&error_description=No+way", "the provider refused: No way."),
        ("error=access_denied", "the provider refused: access_denied."),
        ("code=x", "the provider refused: "),
        ("code=x&iss=https%3A%2F%2Felsewhere.example", "it comes from another provider."),
        ("", "it has no code."),
    ] {
        let state = state(&mut browser).await;
        let page = browser.open(&format!("/app/callback?state={state}&{answer}")).await;
        assert_eq!(page.status, 403, "{answer}");
        assert!(page.text().contains(words), "{answer}: {}", page.text());
    }
    let page = browser.open("/app/callback?state=x&code=y").await;
    assert!(page.text().contains("it belongs to no sign-in that this browser has under way"));
}

#[tokio::test]
async fn the_demo_customer_leaves_an_audit_trail() {
    let product = Product::demo().await;
    sign_in(&mut product.browser(), "grace@acme.example", "").await;
    let parent = &product.local.demo.as_ref().unwrap().parent;
    let events = product.done(Method::GET, &format!("/parents/{parent}/events"), None).await;
    let events = events["items"].as_array().unwrap().iter().map(line_of);
    let mut lines: Vec<String> = events.map(|line| product.stable(&line)).collect();
    // Within one moment they have no order.
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r"
    connection.changed con_… by operator
    domain.claimed acme.example by operator
    domain.verified acme.example by operator
    member.added acc_… by account
    member.added acc_… by operator
    name_id.tied acc_… by account
    organization.created org_… by operator
    provisioning.changed org_… by operator
    ");
}

fn line_of(event: &Value) -> String {
    let word = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{} {} by {}", word("/action"), word("/subject"), word("/actor/type"))
}
