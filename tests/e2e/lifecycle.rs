//! Starting, ending, and starting again.

use std::{net::TcpListener, os::unix::fs::PermissionsExt as _, time::Duration};

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vestibule_local::{Local, Options, StartError};
use vestibule_tests::{Product, Scratch};

#[tokio::test]
async fn a_second_start_goes_on_with_the_same_data() {
    let scratch = Scratch::new();
    let keep = |options: &mut Options| {
        options.data = Some(scratch.path().to_owned());
        options.dynamodb = None;
    };
    let first = Product::with(keep).await;
    first.local.zone.publish("_x.acme.example", vec!["kept".to_owned()]).await.unwrap();
    let body = json!({"name": "Corp", "surface": "claudeai", "primary_owner": "owner@corp.example"});
    let organization = first.done(Method::POST, "/organizations", Some(body)).await;
    let sealed = first.local.app.settings.sealing_key.seal("test", b"kept", &first.local.app.random);
    let tables = first.local.dynamodb.list_tables().send().await.unwrap().table_names.unwrap();
    assert_eq!(tables.len(), 4);
    first.local.shutdown().await;

    let second = Product::with(keep).await;
    let path = format!("/organizations/{}", organization["id"].as_str().unwrap());
    assert_eq!(second.done(Method::GET, &path, None).await, organization);
    assert_eq!(second.local.app.settings.sealing_key.open("test", &sealed).unwrap(), b"kept");
    assert_eq!(second.local.zone.records().await[0].values, ["kept"]);
    second.local.shutdown().await;
}

#[tokio::test]
async fn only_the_owner_reads_the_data_directory() {
    let scratch = Scratch::new();
    let product = Product::at(scratch.path()).await;
    product.local.zone.publish("_x.acme.example", vec!["kept".to_owned()]).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(scratch.path()), 0o700);
    for file in ["sealing-key.json", "dns.json"] {
        assert_eq!(mode(&scratch.path().join(file)), 0o600, "{file}");
    }
    product.local.shutdown().await;
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let scratch = Scratch::new();
    let first = Product::at(scratch.path()).await;
    let options = || Options { data: Some(scratch.path().to_owned()), ..Options::default() };
    let refused = Local::start(options()).await.err().unwrap().to_string();
    assert!(refused.contains("another process is using the data directory"), "{refused}");
    assert!(refused.contains("--data"), "{refused}");
    first.local.shutdown().await;
    Local::start(options()).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Local::start(Options { port, ..Options::default() }).await.err().unwrap();
    assert!(matches!(error, StartError::PortTaken(named) if named == port));
    assert!(error.to_string().contains("--port"));
}

#[tokio::test]
async fn nothing_answers_after_the_end() {
    let product = Product::start().await;
    let url = product.local.base_url.clone();
    assert_eq!(product.browser().open("/").await.status, 200);
    tokio::time::timeout(Duration::from_secs(10), product.local.shutdown()).await.unwrap();
    assert!(reqwest::get(url).await.is_err());
}

#[tokio::test]
async fn a_request_under_way_is_finished() {
    let product = Product::start().await;
    let port = product.local.base_url.port().unwrap();
    let (mut stream, zone) = (TcpStream::connect(("127.0.0.1", port)).await.unwrap(), product.local.zone.clone());
    let head = "PUT /dns/_x.acme.example/TXT HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 17\r\n\r\n{\"values\":";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Until it is under way: an idle connection is simply closed.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let end = tokio::spawn(product.local.shutdown());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!end.is_finished(), "it waits for the request");
    stream.write_all(b"[\"v1\"]}").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    end.await.unwrap();
    assert_eq!(zone.records().await[0].values, ["v1"]);
}

#[tokio::test]
async fn only_names_of_this_machine_are_answered() {
    let product = Product::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (host, status) in
        [("localhost", 200), ("127.0.0.1:3000", 200), ("[::1]:3000", 200), ("[::1]", 200), ("rebound.example", 421)]
    {
        let request = client.request(Method::GET, product.local.base_url.clone()).header("host", host);
        assert_eq!(request.send().await.unwrap().status(), status, "{host}");
    }
}
