//! The outbox: mails of what happened, to whom they concern, once.

use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use reqwest::{Method, StatusCode};
use serde_json::json;
use vestibule::{
    clock::SignedDuration,
    domain::DomainName,
    id::{OrganizationId, ParentId},
    mail::{Delivery, MAX_ATTEMPTS, Mail, Message, Recipient, Sender},
    table::{Due, Key, Queue, Transaction},
};
use vestibule_mailer::Mailer;
use vestibule_tests::Product;

/// A product with an organization of two administrators and a member; its parent.
async fn customer() -> (Product, ParentId, OrganizationId) {
    let product = Product::start().await;
    let founding = json!({ "name": "Acme", "surface": "claudeai", "primary_owner": "ada@acme.example" });
    let founded = product.done(Method::POST, "/organizations", Some(founding)).await;
    let id = founded["id"].as_str().unwrap();
    for (email, role) in [("grace@acme.example", "admin"), ("linus@acme.example", "user")] {
        let member = json!({ "email": email, "role": role });
        product.done(Method::POST, &format!("/organizations/{id}/members"), Some(member)).await;
    }
    let parent = founded["parent_id"].as_str().unwrap().parse().unwrap();
    (product, parent, id.parse().unwrap())
}

fn message() -> Message {
    Message::DomainVerified { domain: "acme.example".parse::<DomainName>().unwrap() }
}

/// Writes a mail into the outbox.
async fn write(product: &Product, to: Recipient) -> Mail {
    let app = &product.local.app;
    let mail = Mail::new(to, &message(), &app.settings.sealing_key, app.clock.now(), &app.random);
    let mut transaction = Transaction::<()>::default();
    transaction.send(&mail);
    app.store.commit(transaction).await.unwrap();
    mail
}

/// Whom the mailbox has mails for, in order.
fn readers(product: &Product) -> Vec<String> {
    let mut readers: Vec<String> = product.local.mailbox.mails().into_iter().flat_map(|mail| mail.to).collect();
    readers.sort();
    readers
}

fn address(email: &str) -> Recipient {
    Recipient::Address { email: email.parse().unwrap() }
}

#[tokio::test]
async fn everybody_who_administers_is_told_and_nobody_else() {
    let (product, parent, organization) = customer().await;
    write(&product, Recipient::Administrators { parent }).await;
    // The mail that is passed on, and one for each.
    assert_eq!(product.deliver_mail().await, 3);
    assert_eq!(readers(&product), ["ada@acme.example", "grace@acme.example"]);
    assert_eq!(product.deliver_mail().await, 0);

    let mail = product.local.mailbox.mails().into_iter().find(|mail| mail.to == ["grace@acme.example"]).unwrap();
    insta::assert_snapshot!("domain_verified_text", product.stable(&mail.text.unwrap()));
    insta::assert_snapshot!("domain_verified_html", product.stable(&mail.html.unwrap()));

    // Whoever is no administrator any more is not told, and whoever became one is.
    let members = format!("/organizations/{organization}/members");
    let listed = product.done(Method::GET, &members, None).await;
    for (email, role) in [("grace@acme.example", "user"), ("linus@acme.example", "owner")] {
        let listed = listed["items"].as_array().unwrap();
        let account = listed.iter().find(|member| member["email"] == email).unwrap()["account"].as_str().unwrap();
        product.done(Method::PATCH, &format!("{members}/{account}"), Some(json!({ "role": role }))).await;
    }
    write(&product, Recipient::Administrators { parent }).await;
    product.deliver_mail().await;
    let expected = ["ada@acme.example", "ada@acme.example", "grace@acme.example", "linus@acme.example"];
    assert_eq!(readers(&product), expected);
}

#[tokio::test]
async fn who_is_removed_is_not_told() {
    let (product, parent, organization) = customer().await;
    let members = format!("/organizations/{organization}/members");
    let listed = product.done(Method::GET, &members, None).await;
    let listed = listed["items"].as_array().unwrap();
    let grace = listed.iter().find(|member| member["email"] == "grace@acme.example").unwrap();
    let (status, _) =
        product.api(Method::DELETE, &format!("{members}/{}", grace["account"].as_str().unwrap()), None).await;
    assert_eq!(status, 204);
    write(&product, Recipient::Administrators { parent }).await;
    product.deliver_mail().await;
    assert_eq!(readers(&product), ["ada@acme.example"]);
}

#[tokio::test]
async fn many_at_the_same_time_send_each_mail_once() {
    let (product, parent, _) = customer().await;
    for _ in 0..10 {
        write(&product, Recipient::Administrators { parent }).await;
    }
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mailer = product.local.mailer.clone();
        // Whoever passes the same mails on at the same moment is told so, and the next run goes on.
        runs.spawn(async move { mailer.run().await.is_ok() });
    }
    runs.join_all().await;
    product.clock.advance(SignedDuration::from_mins(2));
    product.deliver_mail().await;
    let each = |reader: &str| std::iter::repeat_n(reader.to_owned(), 10);
    let expected: Vec<String> = each("ada@acme.example").chain(each("grace@acme.example")).collect();
    assert_eq!(readers(&product), expected);
}

#[tokio::test]
async fn a_mail_service_that_is_away_is_asked_again_until_it_is_back() {
    let (product, ..) = customer().await;
    let mail = write(&product, address("ada@acme.example")).await;
    // Nobody listens there.
    let away = away(&product);
    assert_eq!(away.run().await.unwrap().failed, 1);
    assert_eq!(product.deliver_mail().await, 0, "not before its time");
    product.clock.advance(SignedDuration::from_secs(59));
    assert_eq!(product.deliver_mail().await, 0);
    product.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(product.deliver_mail().await, 1);
    assert_eq!(readers(&product), ["ada@acme.example"]);
    let stored = product.local.app.store.mail(mail.id).await.unwrap().unwrap();
    assert!(matches!(stored.value.delivery, Delivery::Sent { message_id: Some(_), .. }));
}

#[tokio::test]
async fn a_mail_that_is_never_taken_is_given_up_after_a_day() {
    let (product, ..) = customer().await;
    let mail = write(&product, address("ada@acme.example")).await;
    let away = away(&product);
    for attempt in 1..=MAX_ATTEMPTS {
        assert_eq!(away.run().await.unwrap().failed, 1, "{attempt}");
        product.clock.advance(SignedDuration::from_hours(5));
    }
    assert_eq!(away.run().await.unwrap().failed, 1, "nothing is sent any more");
    let stored = product.local.app.store.mail(mail.id).await.unwrap().unwrap().value;
    assert!(matches!(stored.delivery, Delivery::GivenUp { .. }));
    assert_eq!(product.deliver_mail().await, 0);
    assert_eq!(readers(&product), Vec::<String>::new());
}

/// Amazon refuses in the same words what nobody may send and what this account may not send yet.
#[tokio::test]
async fn a_sender_that_is_not_set_up_yet_loses_no_mail() {
    let (product, ..) = customer().await;
    write(&product, address("ada@acme.example")).await;
    let refuse = async || (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "MessageRejected")], "{}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(refuse);
    tokio::spawn(async move { axum::serve(listener, router).await });
    assert_eq!(sending_to(&product, &url).run().await.unwrap().failed, 1);
    product.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(product.deliver_mail().await, 1);
}

#[tokio::test]
async fn a_mail_that_nobody_can_read_holds_up_no_other() {
    let (product, ..) = customer().await;
    let app = &product.local.app;
    let due = Due { queue: Queue::Mails, at: vestibule_tests::start_time() };
    let mut transaction = Transaction::<()>::default();
    // Of a release to come.
    transaction.append_due(Key::Mail(app.random.id()), &json!({ "to": { "to": "everybody" } }), Some(due));
    app.store.commit(transaction).await.unwrap();
    product.clock.advance(SignedDuration::from_secs(1));
    write(&product, address("ada@acme.example")).await;
    assert_eq!(product.deliver_mail().await, 1);
    assert!(product.local.mailer.run().await.is_err(), "and it is said");
}

fn away(product: &Product) -> Mailer {
    sending_to(product, "http://127.0.0.1:1")
}

fn sending_to(product: &Product, url: &str) -> Mailer {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .retry_config(aws_sdk_sesv2::config::retry::RetryConfig::disabled())
        .endpoint_url(url)
        .build();
    let sender = Sender::new(aws_sdk_sesv2::Client::from_conf(config), "a@vendor.example", None);
    Mailer { app: product.local.app.clone(), sender }
}
