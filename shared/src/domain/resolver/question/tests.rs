//! DNS over TLS, over real connections on loopback.

use hickory_net::proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use tokio::net::TcpListener;

use super::*;
use crate::domain::{Challenge, Finding, Resolver, ResolverAddress};

fn challenge() -> Challenge {
    Challenge {
        name: "_anthropic-challenge.example.com".to_owned(),
        value: "anthropic-domain-verification=AbC-123".to_owned(),
    }
}

/// What a resolver at an address sees of the challenge, where these authorities are believed.
async fn seen(address: &str, authorities: Option<&[Vec<u8>]>) -> Finding {
    let address: ResolverAddress = address.parse().unwrap();
    let resolver = Resolver::trusting(&[address], authorities);
    resolver.look_up(&"example.com".parse().unwrap(), &challenge()).await.remove(0)
}

/// Answers one question over a connection, with the challenge's record.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut question = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut question).await.unwrap();
    let question = Message::from_vec(&question).unwrap();
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.response_code = ResponseCode::NoError;
    answer.add_queries(question.queries.clone());
    let text = TXT::new(vec![challenge().value]);
    answer.add_answer(Record::from_rdata(question.queries[0].name().clone(), 60, RData::TXT(text)));
    let answer = answer.to_vec().unwrap();
    stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).await.unwrap();
    stream.write_all(&answer).await.unwrap();
    stream.flush().await.unwrap();
    // Until the client has gone.
    let _ = stream.read_u8().await;
}

/// A resolver over TLS, called `dns.example`, and the authority that its certificate is from.
async fn serve() -> (u16, Vec<u8>) {
    let (acceptor, authority) = tls::tests::server("dns.example");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream).await;
            }
        }
    });
    (port, authority)
}

/// A server that says one thing to whoever connects.
async fn serve_plainly(says: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(says).await;
        }
    });
    port
}

#[tokio::test]
async fn a_resolver_over_tls_proves_to_be_the_one_of_its_name() {
    let (port, authority) = serve().await;
    let trusting = Some(&[authority][..]);
    let right = seen(&format!("tls://127.0.0.1:{port}#dns.example"), trusting).await;
    assert_eq!((right.outcome, right.perspective), (Outcome::Found, format!("dns.example (127.0.0.1:{port})")));
    assert_eq!(right.values, [challenge().value]);
    let other = seen(&format!("tls://127.0.0.1:{port}#other.example"), trusting).await;
    assert_eq!((other.outcome, other.values.len()), (Outcome::Insecure, 0));
    assert!(other.explain(&challenge()).contains("certificate is not one for its name"));
    let by_address = seen(&format!("tls://127.0.0.1:{port}#127.0.0.1"), trusting).await;
    assert_eq!(by_address.outcome, Outcome::Insecure, "the certificate holds no address");
    for stranger in [Some(&[][..]), None] {
        let unknown = seen(&format!("tls://127.0.0.1:{port}#dns.example"), stranger).await;
        assert_eq!(unknown.outcome, Outcome::Insecure, "the authority is not believed");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_not_asked_in_clear() {
    let port = serve_plainly(b"\x00\x0cno TLS here ").await;
    let plain = seen(&format!("tls://127.0.0.1:{port}#dns.example"), Some(&[])).await;
    assert_eq!(plain.outcome, Outcome::Insecure);
    let port = serve_plainly(b"").await;
    let silent = seen(&format!("tls://127.0.0.1:{port}#dns.example"), Some(&[])).await;
    assert_eq!(silent.outcome, Outcome::Failed, "a connection that ends says nothing of TLS");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let gone = seen(&format!("tls://127.0.0.1:{port}#dns.example"), Some(&[])).await;
    assert_eq!(gone.outcome, Outcome::Failed);
}
