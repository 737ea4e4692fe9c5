//! A resolver that says what a test tells it to, over UDP and TCP.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hickory_server::proto::{
    op::{Message, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{CNAME, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};

/// What a name is answered with.
#[derive(Clone, Debug)]
enum Says {
    /// TXT records, each of several strings.
    Txt(Vec<Vec<String>>),
    /// Another name.
    Cname(String),
    /// The name is there, without a TXT record.
    Nothing,
    /// An error.
    Code(ResponseCode),
    /// No answer at all.
    Silence,
}

/// A resolver under test.
pub struct Dns {
    /// Where it answers.
    pub address: SocketAddr,
    names: Arc<Names>,
}

#[derive(Default)]
struct Names {
    says: Mutex<HashMap<String, Says>>,
    asked: Mutex<Vec<String>>,
}

impl Dns {
    /// Starts one that knows no name.
    ///
    /// # Panics
    /// When it can not listen.
    pub async fn start() -> Self {
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let names = Arc::new(Names::default());
        tokio::spawn(serve_udp(udp, names.clone()));
        tokio::spawn(serve_tcp(tcp, names.clone()));
        Self { address, names }
    }

    fn set(&self, name: &str, says: Says) {
        self.names.says.lock().unwrap().insert(name.to_ascii_lowercase(), says);
    }

    /// Answers a name with TXT records, each of several strings.
    pub fn txt(&self, name: &str, records: &[&[&str]]) {
        let strings = |record: &&[&str]| record.iter().map(|&text| text.to_owned()).collect();
        self.set(name, Says::Txt(records.iter().map(strings).collect()));
    }

    /// Answers a name with another one.
    pub fn cname(&self, name: &str, target: &str) {
        self.set(name, Says::Cname(target.to_owned()));
    }

    /// Answers that a name is there without a TXT record.
    pub fn nothing(&self, name: &str) {
        self.set(name, Says::Nothing);
    }

    /// Answers a name with an error.
    pub fn fails(&self, name: &str, code: ResponseCode) {
        self.set(name, Says::Code(code));
    }

    /// Does not answer for a name.
    pub fn silent(&self, name: &str) {
        self.set(name, Says::Silence);
    }

    /// How often a name was asked for.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        self.names.asked.lock().unwrap().iter().filter(|asked| *asked == name).count()
    }
}

impl Names {
    fn answer(&self, query: &[u8], over_udp: bool) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).ok()?;
        let asked = query.queries.first()?.name().clone();
        let name = asked.to_ascii().trim_end_matches('.').to_ascii_lowercase();
        self.asked.lock().unwrap().push(name.clone());
        let says = self.says.lock().unwrap().get(&name).cloned().unwrap_or(Says::Code(ResponseCode::NXDomain));
        let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
        answer.add_queries(query.queries.clone());
        answer.metadata.recursion_available = true;
        answer.metadata.authoritative = true;
        match says {
            Says::Silence => return None,
            Says::Nothing => {}
            Says::Code(code) => answer.metadata.response_code = code,
            Says::Cname(target) => {
                let target = RData::CNAME(CNAME(Name::from_ascii(format!("{target}.")).unwrap()));
                answer.add_answer(Record::from_rdata(asked, 60, target));
            }
            Says::Txt(records) => {
                let text = |strings| Record::from_rdata(asked.clone(), 60, RData::TXT(TXT::new(strings)));
                answer.add_answers(records.into_iter().map(text));
            }
        }
        let bytes = answer.to_vec().unwrap();
        if over_udp && bytes.len() > 1200 {
            answer.answers.clear();
            answer.metadata.truncation = true;
            return Some(answer.to_vec().unwrap());
        }
        Some(bytes)
    }
}

async fn serve_udp(socket: UdpSocket, names: Arc<Names>) {
    let mut buffer = vec![0; 4096];
    loop {
        let (read, from) = socket.recv_from(&mut buffer).await.unwrap();
        if let Some(answer) = names.answer(&buffer[..read], true) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, names: Arc<Names>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve_stream(stream, names.clone()));
    }
}

async fn serve_stream(mut stream: TcpStream, names: Arc<Names>) -> Option<()> {
    loop {
        let mut query = vec![0; stream.read_u16().await.ok()?.into()];
        stream.read_exact(&mut query).await.ok()?;
        let answer = names.answer(&query, false)?;
        stream.write_u16(answer.len().try_into().ok()?).await.ok()?;
        stream.write_all(&answer).await.ok()?;
    }
}
