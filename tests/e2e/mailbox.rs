//! Mails that the product's own client sends are captured and shown.

use aws_sdk_sesv2::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{Body, Content, Destination, EmailContent, Message},
};
use reqwest::header::ACCEPT;
use serde_json::Value;
use vestibule_tests::{Product, Scratch, start_time};

fn client(product: &Product) -> Client {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(&product.local.ses_url)
        .build();
    Client::from_conf(config)
}

fn content(text: &str) -> Content {
    Content::builder().data(text).build().unwrap()
}

async fn send(product: &Product, subject: &str) {
    let body = Body::builder()
        .text(content("Hello <Ada>,\nopen http://localhost/x?a=1&b=2."))
        .html(content("<p>Hello <b>Ada</b></p><script>1</script>"))
        .build();
    let message = Message::builder().subject(content(subject)).body(body).build();
    let to = Destination::builder().to_addresses("ada@acme.example").bcc_addresses("log@vendor.example").build();
    let sent = client(product)
        .send_email()
        .from_email_address("Vestibule <no-reply@vendor.example>")
        .destination(to)
        .content(EmailContent::builder().simple(message).build());
    assert_eq!(sent.send().await.unwrap().message_id(), Some("local-1"));
}

#[tokio::test]
async fn a_mail_is_captured_and_shown() {
    let product = Product::start().await;
    let mut browser = product.browser();
    assert!(browser.open("/mailbox").await.text().contains("No mail yet."));
    send(&product, "Your domain <is> verified").await;

    let list = browser.open("/mailbox").await;
    assert!(list.text().contains("Your domain <is> verified to ada@acme.example, log@vendor.example"));
    assert!(list.body.contains("href=\"/mailbox/1\""));

    let mail = browser.open("/mailbox/1").await;
    assert!(mail.text().contains("Hello <Ada>,"));
    assert!(mail.body.contains("href=\"http://localhost/x?a=1&#38;b=2\""), "{}", mail.body);
    assert!(mail.header("content-security-policy").ends_with("; frame-src 'self'"));
    let html = browser.open("/mailbox/1/html").await;
    assert_eq!(html.body, "<p>Hello <b>Ada</b></p><script>1</script>");
    assert!(html.header("content-security-policy").ends_with("; sandbox"));
    assert_eq!(browser.open("/mailbox/2").await.status, 404);
}

#[tokio::test]
async fn programs_get_json() {
    let product = Product::start().await;
    send(&product, "S").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let url = product.local.base_url.join(path).unwrap();
        client.get(url).header(ACCEPT, "application/json").send().await.unwrap().json::<Value>().await.unwrap()
    };
    let mail = serde_json::json!({
        "id": 1,
        "at": start_time(),
        "from": "Vestibule <no-reply@vendor.example>",
        "to": ["ada@acme.example", "log@vendor.example"],
        "subject": "S",
        "text": "Hello <Ada>,\nopen http://localhost/x?a=1&b=2.",
        "html": "<p>Hello <b>Ada</b></p><script>1</script>",
    });
    assert_eq!(get("/mailbox").await, serde_json::json!({ "mails": [mail] }));
    assert_eq!(get("/mailbox/1").await, mail);
}

#[tokio::test]
async fn what_is_no_mail_is_refused_as_amazon_does() {
    let product = Product::start().await;
    let error = client(&product).send_email().content(EmailContent::builder().build()).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_bad_request_exception());
}

#[tokio::test]
async fn mails_are_kept() {
    let scratch = Scratch::new();
    let product = Product::at(scratch.path()).await;
    send(&product, "Kept").await;
    product.local.shutdown().await;
    let product = Product::at(scratch.path()).await;
    assert_eq!(product.local.mailbox.mails()[0].subject, "Kept");
    product.local.shutdown().await;
}
