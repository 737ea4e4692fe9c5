//! The DNS zone, asked as resolvers ask.

use std::{net::SocketAddr, time::Duration};

use hickory_server::proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
};
use vestibule_tests::Product;

const NAME: &str = "_anthropic-challenge.acme.example";

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

async fn udp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query(name, kind), server).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await.unwrap().unwrap();
    Message::from_vec(&buffer[..read]).unwrap()
}

async fn tcp(server: SocketAddr, name: &str) -> Message {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let message = query(name, RecordType::TXT);
    stream.write_u16(message.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&message).await.unwrap();
    let mut buffer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut buffer).await.unwrap();
    Message::from_vec(&buffer).unwrap()
}

fn values(message: &Message) -> Vec<String> {
    let text = |data: &RData| match data {
        RData::TXT(txt) => Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect()),
        _ => None,
    };
    message.answers.iter().filter_map(|record| text(&record.data)).collect()
}

#[tokio::test]
async fn what_is_published_is_answered_by_every_server() {
    let product = Product::start().await;
    let long = "x".repeat(300);
    product.local.zone.publish(NAME, vec!["one".to_owned(), long.clone()]).await.unwrap();
    for server in product.local.zone.servers() {
        for message in [udp(*server, NAME, RecordType::TXT).await, tcp(*server, NAME).await] {
            assert_eq!(message.metadata.response_code, ResponseCode::NoError);
            assert!(message.metadata.authoritative);
            assert_eq!(values(&message), ["one", &long]);
            assert_eq!(message.answers[0].ttl, 0, "nothing is kept by whoever asks");
        }
        let mixed = udp(*server, "_Anthropic-Challenge.ACME.example.", RecordType::TXT).await;
        assert_eq!(values(&mixed).len(), 2, "case does not matter");
    }
}

#[tokio::test]
async fn absence_is_told_from_an_empty_answer() {
    let product = Product::start().await;
    let server = product.local.zone.servers()[0];
    let code = async |name, kind| {
        let message = udp(server, name, kind).await;
        assert!(message.answers.is_empty());
        let RData::SOA(soa) = &message.authorities[0].data else { panic!("an SOA says how long") };
        assert_eq!(soa.minimum, 0, "no absence is kept by whoever asks");
        message.metadata.response_code
    };
    assert_eq!(code(NAME, RecordType::TXT).await, ResponseCode::NXDomain);
    product.local.zone.publish(NAME, vec!["one".to_owned()]).await.unwrap();
    assert_eq!(code(NAME, RecordType::A).await, ResponseCode::NoError);
    assert_eq!(code("acme.example", RecordType::TXT).await, ResponseCode::NoError, "there is something below it");
    product.local.zone.remove(NAME).await.unwrap();
    assert_eq!(code(NAME, RecordType::TXT).await, ResponseCode::NXDomain);
    assert_eq!(code("acme.example", RecordType::TXT).await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn programs_publish_and_remove() {
    let product = Product::start().await;
    let server = product.local.zone.servers()[0];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| product.local.base_url.join(path).unwrap();
    let record = json!({ "name": NAME, "type": "TXT", "values": ["v"] });
    let put = client.put(url(&format!("/dns/{NAME}./TXT"))).json(&json!({ "values": ["v"] })).send().await.unwrap();
    assert_eq!((put.status().as_u16(), put.json::<Value>().await.unwrap()), (200, record.clone()));
    assert_eq!(values(&udp(server, NAME, RecordType::TXT).await), ["v"]);

    let listing = client.get(url("/dns")).header(ACCEPT, "application/json").send().await.unwrap();
    let servers: Vec<String> = product.local.zone.servers().iter().map(ToString::to_string).collect();
    assert_eq!(listing.json::<Value>().await.unwrap(), json!({ "records": [record], "servers": servers }));

    for _ in 0..2 {
        let removed = client.delete(url(&format!("/dns/{NAME}/TXT"))).send().await.unwrap();
        assert_eq!(removed.status(), 204);
    }
    assert!(values(&udp(server, NAME, RecordType::TXT).await).is_empty());
    for (name, body) in
        [("a..b", json!(["v"])), (NAME, json!([])), (NAME, json!([""])), (NAME, json!(["x".repeat(3000)]))]
    {
        let refused =
            client.put(url(&format!("/dns/{name}/TXT"))).json(&json!({ "values": body })).send().await.unwrap();
        assert_eq!(refused.status(), 422, "{name} {body}");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }
    let refused = client.put(url(&format!("/dns/{NAME}/TXT"))).json(&json!(["v"])).send().await.unwrap();
    assert_eq!(refused.headers()["content-type"], "application/problem+json", "{NAME}");
}

#[tokio::test]
async fn people_publish_and_remove() {
    let product = Product::start().await;
    let mut browser = product.browser();
    let page = browser.open("/dns").await;
    let form = page.forms().into_iter().find(|form| form.action == "/dns").unwrap();
    let refused = browser.submit(&page, &form.clone().fill("name", "a b").fill("values", "<v>")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Not published: 'a b' is no DNS name"), "{}", refused.text());
    let again = refused.forms().into_iter().find(|form| form.action == "/dns").unwrap();
    assert_eq!((again.value("name"), again.value("values")), (Some("a b"), Some("<v>")), "what was typed stays");

    let page = browser.submit(&page, &form.fill("name", NAME).fill("values", " one \n\ntwo\n")).await;
    assert_eq!(product.local.zone.records().await[0].values, ["one", "two"]);
    let page = browser.submit(&page, &page.form("/dns/remove")).await;
    assert!(page.text().contains("Nothing is published yet."));
    let plain = browser.step(Method::GET, "/dns", None).await;
    assert_eq!(plain.status, 200);
}
