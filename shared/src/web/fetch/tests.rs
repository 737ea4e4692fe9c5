//! What is fetched, and what is not, over real connections on loopback.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::tls;

const WANTED: Wanted = Wanted { accept: "text/xml", max_bytes: 1000, within: Duration::from_secs(5) };

/// A server that answers each connection with what `answer` makes of the request's head, and then waits.
async fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            converse(stream, &answer).await;
        }
    });
    port
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &impl Fn(&str) -> String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    // Whoever has read enough goes away.
    let _ = stream.write_all(answer(&String::from_utf8(head).unwrap()).as_bytes()).await;
    let _ = stream.read_u8().await;
}

fn document(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<String, FetchError> {
    let document = fetcher.get(&url.parse().unwrap(), WANTED).await?;
    Ok(String::from_utf8(document).unwrap())
}

fn staged(names: &[(&str, &str)]) -> Stage {
    let names = names.iter().map(|(name, address)| ((*name).to_owned(), address.parse().unwrap())).collect();
    Stage { names, authorities: Vec::new() }
}

#[tokio::test]
async fn an_address_is_looked_at_before_anything_is_asked() {
    let fetcher = Fetcher::new(Reach::Public);
    for (url, error) in [
        ("http://idp.example/metadata", FetchError::NotHttps),
        ("http://127.0.0.1/", FetchError::NotHttps),
        ("ftp://idp.example/", FetchError::NotHttps),
        ("file:///etc/passwd", FetchError::NotHttps),
        ("https://ada@idp.example/", FetchError::Address),
        ("https://:secret@idp.example/", FetchError::Address),
        ("https://idp.example:22/", FetchError::Port(22)),
        ("https://idp.example:80/", FetchError::Port(80)),
        ("https://127.0.0.1:3000/", FetchError::Port(3000)),
        ("https://127.0.0.1/", FetchError::InternalAddress),
        // The same in other words (WHATWG URL, host parsing).
        ("https://127.1/", FetchError::InternalAddress),
        ("https://0x7f.0.0.1/", FetchError::InternalAddress),
        ("https://2130706433/", FetchError::InternalAddress),
        ("https://0177.0.0.1/", FetchError::InternalAddress),
        ("https://169.254.169.254/latest/meta-data/", FetchError::InternalAddress),
        ("https://[::1]/", FetchError::InternalAddress),
        ("https://[::ffff:10.0.0.1]/", FetchError::InternalAddress),
        ("https://[fd00:ec2::254]/", FetchError::InternalAddress),
        // A name, looked up where the machine looks names up.
        ("https://localhost/", FetchError::InternalAddress),
    ] {
        assert_eq!(get(&fetcher, url).await, Err(error), "{url}");
    }
    let long = format!("https://idp.example/{}", "a".repeat(MAX_URL_BYTES));
    assert_eq!(get(&fetcher, &long).await, Err(FetchError::Address));
}

#[tokio::test]
async fn every_address_of_a_name_is_looked_at() {
    let names = staged(&[
        ("inside.example", "10.1.2.3"),
        ("both.example", "93.184.215.14"),
        ("both.example", "169.254.169.254"),
        ("six.example", "fd12::1"),
        ("embedded.example", "64:ff9b::127.0.0.1"),
        ("public.example", "93.184.215.14"),
    ]);
    let fetcher = Fetcher::on_stage(Reach::Public, names.clone());
    for name in ["inside", "both", "six", "embedded"] {
        assert_eq!(
            get(&fetcher, &format!("https://{name}.example/")).await,
            Err(FetchError::InternalAddress),
            "{name}"
        );
    }
    assert_eq!(get(&fetcher, "https://nowhere.example/").await, Err(FetchError::UnknownHost));
    // The local product is no way into other networks, and asks the internet as a deployment does.
    let fetcher = Fetcher::on_stage(Reach::Loopback, names);
    assert_eq!(get(&fetcher, "http://inside.example/").await, Err(FetchError::InternalAddress));
    assert_eq!(get(&fetcher, "http://public.example/").await, Err(FetchError::NotHttps));
    assert_eq!(get(&fetcher, "https://public.example:3000/").await, Err(FetchError::Port(3000)));
}

#[tokio::test]
async fn a_document_is_fetched_without_anything_of_ours() {
    let port = serve(|head| {
        assert!(head.starts_with("GET /metadata?a=b HTTP/1.1\r\n"), "{head}");
        let mut lines: Vec<_> = head.trim_end().lines().skip(1).map(str::to_ascii_lowercase).collect();
        lines.sort();
        assert_eq!(lines.len(), 5, "{head}");
        assert_eq!(lines[..3], ["accept-encoding: identity", "accept: text/xml", "connection: close"]);
        assert!(lines[3].starts_with("host: localhost:") && lines[4] == "user-agent: vestibule", "{head}");
        document("<a/>")
    })
    .await;
    let url = format!("http://localhost:{port}/metadata?a=b#c");
    assert_eq!(get(&Fetcher::new(Reach::Loopback), &url).await.unwrap(), "<a/>");
}

#[tokio::test]
async fn redirects_are_bounded_and_looked_at_anew() {
    let port = serve(|head| {
        let path = head.split(' ').nth(1).unwrap();
        let elsewhere = |location: &str| format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n");
        match path.trim_start_matches('/').parse::<u32>() {
            Ok(0) => document("here"),
            Ok(left) => elsewhere(&format!("/{}", left - 1)),
            Err(_) => elsewhere(path.strip_prefix("/to/").unwrap()),
        }
    })
    .await;
    let fetcher = Fetcher::new(Reach::Loopback);
    let at = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    assert_eq!(get(&fetcher, &at("3")).await.unwrap(), "here");
    assert_eq!(get(&fetcher, &at("4")).await, Err(FetchError::Redirects));
    assert_eq!(get(&fetcher, &at("to/https://")).await, Err(FetchError::Redirects));
    for (location, error) in [
        ("https://169.254.169.254/latest/", FetchError::InternalAddress),
        ("https://10.0.0.1/", FetchError::InternalAddress),
        ("https://[::ffff:127.0.0.1]/", FetchError::InternalAddress),
        ("//192.168.0.1/", FetchError::InternalAddress),
        ("http://93.184.215.14/", FetchError::NotHttps),
        ("https://ada:secret@93.184.215.14/", FetchError::Address),
        ("https://93.184.215.14:25/", FetchError::Port(25)),
        ("file:///etc/passwd", FetchError::NotHttps),
    ] {
        assert_eq!(get(&fetcher, &at(&format!("to/{location}"))).await, Err(error), "{location}");
    }
}

#[tokio::test]
async fn an_answer_has_bounds() {
    let port = serve(|head| match head.split(' ').nth(1).unwrap() {
        "/slow" => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand then".to_owned(),
        "/silent" => String::new(),
        "/missing" => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "/exact" => document(&"a".repeat(1000)),
        "/large" => document(&"a".repeat(1001)),
        "/unannounced" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(100_000)),
        "/chunked" => format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{}\r\n", "a".repeat(4095)),
        "/headers" => format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(1_000_000)),
        "/gzip" => "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na".to_owned(),
        _ => "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
    })
    .await;
    let fetcher = Fetcher::new(Reach::Loopback);
    let get = async |path: &str, millis| {
        let wanted = Wanted { within: Duration::from_millis(millis), ..WANTED };
        let url = format!("http://127.0.0.1:{port}/{path}");
        fetcher.get(&url.parse().unwrap(), wanted).await.map(|document| document.len())
    };
    assert_eq!(get("slow", 300).await, Err(FetchError::TooSlow));
    assert_eq!(get("silent", 300).await, Err(FetchError::TooSlow));
    assert_eq!(get("missing", 5000).await, Err(FetchError::Status(404)));
    assert_eq!(get("exact", 5000).await, Ok(1000));
    for path in ["large", "unannounced", "chunked"] {
        assert_eq!(get(path, 5000).await, Err(FetchError::TooLarge(1000)), "{path}");
    }
    assert_eq!(get("headers", 5000).await, Err(FetchError::Answer));
    assert_eq!(get("gzip", 5000).await, Err(FetchError::Compressed));
    assert_eq!(get("ssh", 5000).await, Err(FetchError::Answer));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_from_one_that_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let gone = get(&Fetcher::new(Reach::Loopback), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(gone, Err(FetchError::Unreachable));
}

/// A server with a certificate for `idp.example`, and the certificate of the authority that it is from.
async fn serve_securely() -> (u16, Vec<u8>) {
    let (acceptor, authority) = tls::tests::server("idp.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, &|_| document("secure")).await;
            }
        }
    });
    (port, authority)
}

#[tokio::test]
async fn a_server_proves_to_be_the_one_of_the_name() {
    let (port, authority) = serve_securely().await;
    let stage = staged(&[("idp.example", "127.0.0.1"), ("other.example", "127.0.0.1")]);
    let trusting = Stage { authorities: vec![authority], ..stage.clone() };
    let fetcher = Fetcher::on_stage(Reach::Loopback, trusting);
    assert_eq!(get(&fetcher, &format!("https://idp.example:{port}/")).await.unwrap(), "secure");
    let other = get(&fetcher, &format!("https://other.example:{port}/")).await;
    assert!(matches!(other, Err(FetchError::Insecure(_))), "{other:?}");
    let stranger = Fetcher::on_stage(Reach::Loopback, stage);
    let unknown = get(&stranger, &format!("https://idp.example:{port}/")).await;
    assert!(matches!(unknown, Err(FetchError::Insecure(_))), "{unknown:?}");
    let ours = get(&Fetcher::new(Reach::Loopback), &format!("https://localhost:{port}/")).await;
    assert!(matches!(ours, Err(FetchError::Insecure(_))), "the machine's own authorities: {ours:?}");
}
