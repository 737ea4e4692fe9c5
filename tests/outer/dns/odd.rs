//! Servers that do what no real one does.

use std::net::SocketAddr;

use hickory_server::proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

/// What such a server does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Oddity {
    /// It takes questions and says nothing.
    Silent,
    /// It answers anything with a value, without being in charge of it, as a resolver does.
    NotInCharge,
    /// It answers with something else than a DNS message.
    Noise,
    /// It answers under another number, then as somebody else, then to another question.
    Forger,
    /// It says that it does not know such questions.
    Ignorant,
    /// It promises more over TCP, and does not listen there.
    Truncates,
}

/// Starts such a server; over TCP it only takes connections, if that.
pub(crate) async fn start(address: SocketAddr, oddity: Oddity) -> JoinHandle<()> {
    let socket = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let _listener = match oddity {
            Oddity::Truncates => None,
            _ => Some(TcpListener::bind(address).await.unwrap()),
        };
        let mut buffer = vec![0; 4096];
        loop {
            let Ok((read, from)) = socket.recv_from(&mut buffer).await else { continue };
            let Ok(question) = Message::from_vec(&buffer[..read]) else { continue };
            for answer in answers(&question, oddity) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    })
}

fn answers(question: &Message, oddity: Oddity) -> Vec<Vec<u8>> {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.add_queries(question.queries.clone());
    let Some(name) = question.queries.first().map(|query| query.name().clone()) else { return Vec::new() };
    let value = RData::TXT(TXT::new(vec!["anything".to_owned()]));
    match oddity {
        Oddity::Silent => Vec::new(),
        Oddity::NotInCharge => {
            answer.metadata.recursion_available = true;
            answer.add_answer(Record::from_rdata(name, 60, value));
            vec![answer.to_vec().unwrap()]
        }
        Oddity::Noise => {
            let mut noise = question.metadata.id.to_be_bytes().to_vec();
            noise.extend([0xff; 30]);
            vec![noise]
        }
        Oddity::Forger => {
            answer.metadata.authoritative = true;
            answer.add_answer(Record::from_rdata(name, 60, value));
            let mut other_number = answer.clone();
            other_number.metadata.id ^= 1;
            let mut other_question = answer;
            other_question.queries[0].set_name("forged.example.".parse().unwrap());
            vec![other_number.to_vec().unwrap(), other_question.to_vec().unwrap()]
        }
        Oddity::Ignorant => {
            answer.metadata.response_code = ResponseCode::NotImp;
            vec![answer.to_vec().unwrap()]
        }
        Oddity::Truncates => {
            answer.metadata.authoritative = true;
            answer.metadata.truncation = true;
            vec![answer.to_vec().unwrap()]
        }
    }
}
