//! What each step of a login costs in `DynamoDB` calls, sequential round trips and consumed units: counts, not times, and
//! therefore the same on every machine.
//!
//! `cargo bench -p vestibule-tests --bench units`

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::{clock::SignedDuration, id::sha256, table::Cost};
use vestibule_tests::{Browser, Page, Product, cost_of};

const CALLBACK: &str = "https://app.example.com/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let product = Product::demo().await;
    let body = json!({"name": "Bench", "surface": "claudeai", "redirect_uris": [CALLBACK], "public": true});
    let client = product.done(Method::POST, "/applications", Some(body)).await["client_id"].clone();
    let client = client.as_str().unwrap();
    // The signing key is made at the first exchange and kept by the process.
    login(&product, &mut product.browser(), client, "ada@acme.example").await;

    let mut browser = product.browser();
    print_table(
        "First login of a person (joins the organization)",
        &login(&product, &mut browser, client, "grace@acme.example").await,
    );
    product.clock.advance(SignedDuration::from_secs(60));
    let again = login(&product, &mut product.browser(), client, "grace@acme.example").await;
    print_table("Login of a member", &again);
    product.clock.advance(SignedDuration::from_secs(60));
    print_table("Sign-in to the application with a session", &with_session(&product, &mut browser, client).await);
}

type Steps = Vec<(&'static str, Cost)>;

/// A login by hand, from the application's request to userinfo.
async fn login(product: &Product, browser: &mut Browser, client: &str, email: &str) -> Steps {
    let mut steps = Steps::new();
    let page = browser.step(Method::GET, &authorize(client), None).await;
    steps.push(("GET  /oidc/authorize", page.cost()));
    let page = browser.step(Method::GET, page.location().unwrap().as_str(), None).await;
    steps.push(("GET  /saml/start", page.cost()));
    let page = browser.send(&page, &page.form("/saml/start").fill("email", email)).await;
    steps.push(("POST /saml/start", page.cost()));
    let idp = browser.follow(page).await;
    let answer = browser.submit(&idp, &idp.form("/idp/sign-in").fill("email", email)).await;
    let page = browser.send(&answer, &answer.form("/saml/")).await;
    steps.push(("POST /saml/{connection}/acs", page.cost()));
    exchange(product, client, &page, &mut steps).await;
    steps
}

async fn with_session(product: &Product, browser: &mut Browser, client: &str) -> Steps {
    let mut steps = Steps::new();
    let page = browser.step(Method::GET, &authorize(client), None).await;
    steps.push(("GET  /oidc/authorize", page.cost()));
    exchange(product, client, &page, &mut steps).await;
    steps
}

/// Code, refresh and userinfo, as the application's backend asks for them.
async fn exchange(product: &Product, client: &str, handed_over: &Page, steps: &mut Steps) {
    let callback = handed_over.location().unwrap_or_else(|| panic!("no redirect: {}", handed_over.text()));
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let (cost, tokens) = token(
        product,
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", client),
            ("code_verifier", VERIFIER),
        ],
    )
    .await;
    steps.push(("POST /oidc/token (code)", cost));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", client)];
    let (cost, tokens) = token(product, &form).await;
    steps.push(("POST /oidc/token (refresh)", cost));
    let url = product.local.base_url.join("/oidc/userinfo").unwrap();
    let request = http().get(url).bearer_auth(tokens["access_token"].as_str().unwrap());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    steps.push(("GET  /oidc/userinfo", cost_of(answer.headers()).unwrap()));
}

async fn token(product: &Product, form: &[(&str, &str)]) -> (Cost, Value) {
    let url = product.local.base_url.join("/oidc/token").unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http().post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = request.send().await.unwrap();
    let (status, cost) = (answer.status(), cost_of(answer.headers()).unwrap());
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
    (cost, answer)
}

fn authorize(client: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email offline_access"),
        ("state", "state"),
        ("nonce", "nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    format!("/oidc/authorize?{}", query.finish())
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn print_table(title: &str, steps: &[(&'static str, Cost)]) {
    println!("\n{title}\n{:<30}{:>7}{:>13}{:>12}{:>13}", "", "calls", "round trips", "read units", "write units");
    let mut total = Cost::default();
    for (step, cost) in steps {
        println!("{}", line(step, *cost));
        total.calls += cost.calls;
        total.round_trips += cost.round_trips;
        total.read_units += cost.read_units;
        total.write_units += cost.write_units;
    }
    println!("{}", line("total", total));
}

fn line(name: &str, Cost { calls, round_trips, read_units, write_units }: Cost) -> String {
    format!("{name:<30}{calls:>7}{round_trips:>13}{read_units:>12.1}{write_units:>13.1}")
}
