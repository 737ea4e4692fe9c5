//! One question to one server: over UDP, then over TCP where the answer is too long for it; or over TLS.

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, time::Duration};

use hickory_net::{
    NetError,
    proto::{
        op::{DnsRequest, DnsRequestOptions, DnsResponse, Query},
        rr::{Name, RecordType},
    },
    runtime::TokioRuntimeProvider,
    udp::UdpClientStream,
    xfer::{DnsRequestSender as _, FirstAnswer as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    Outcome,
    server::{Server, Tls},
};
use crate::tls;

/// How long a question waits for its answer over UDP.
const UDP: Duration = Duration::from_millis(3_500);
/// Milliseconds after which a question that was not answered over UDP is sent again.
const AGAIN: u64 = 1_500;
/// How often a question is sent over UDP.
const SENT: u8 = 2;
/// How long connecting, asking and reading over TCP or TLS may take.
const TCP: Duration = Duration::from_secs(3);

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The name, from the root on.
    pub(super) name: Name,
    /// The type of record.
    pub(super) kind: RecordType,
    /// Whether the server is to find the answer where it does not have it (the RD bit).
    pub(super) recursive: bool,
    /// Whether the answer is to come with its signatures (the DO bit of RFC 3225).
    pub(super) signatures: bool,
    /// Whether the server is not to check them itself (the CD bit).
    pub(super) unchecked: bool,
}

impl Question {
    /// The TXT records of a name, asked of a resolver.
    pub(super) fn recursive(name: Name) -> Self {
        Self { name, kind: RecordType::TXT, recursive: true, signatures: false, unchecked: false }
    }

    /// The TXT records of a name with their signatures, asked of a server that has them itself.
    pub(super) fn direct(name: Name) -> Self {
        Self { recursive: false, signatures: true, ..Self::recursive(name) }
    }

    fn request(&self) -> DnsRequest {
        let mut options = DnsRequestOptions::default();
        options.recursion_desired = self.recursive;
        options.edns_set_dnssec_ok = self.signatures;
        // Capital and small letters at random, which an answer must repeat: whoever did not see the question has more to
        // guess than its number and port.
        options.case_randomization = true;
        let mut request = DnsRequest::from_query(Query::query(self.name.clone(), self.kind), options);
        request.metadata.checking_disabled = self.unchecked;
        request
    }
}

/// The server's answer, whatever it says.
///
/// # Errors
/// [`Outcome::Timeout`], [`Outcome::Insecure`] and [`Outcome::Failed`].
pub(super) async fn ask(server: &Server, question: &Question) -> Result<DnsResponse, Outcome> {
    let address = server.address;
    if let Some(tls) = &server.tls {
        // The futures of a secure connection are large; on the heap they leave the handlers' small.
        return timeout(TCP, Box::pin(over_tls(address, tls, question))).await.unwrap_or(Err(Outcome::Timeout));
    }
    let mut stream = UdpClientStream::builder(address, TokioRuntimeProvider::default())
        .with_timeout(Some(UDP))
        .with_max_retries(SENT)
        .with_retry_interval_floor(AGAIN)
        .build();
    match stream.send_message(question.request()).first_answer().await {
        Ok(answer) if !answer.metadata.truncation => Ok(answer),
        // An answer in other letters than the question is forged, or comes from a server that does not keep them.
        Ok(_) | Err(NetError::QueryCaseMismatch) => {
            timeout(TCP, over_tcp(address, question)).await.unwrap_or(Err(Outcome::Timeout))
        }
        Err(NetError::Timeout) => Err(Outcome::Timeout),
        Err(_) => Err(Outcome::Failed),
    }
}

/// The same over a connection, which nobody forges who can not read it.
async fn over_tcp(server: SocketAddr, question: &Question) -> Result<DnsResponse, Outcome> {
    let stream = TcpStream::connect(server).await.map_err(|_| Outcome::Failed)?;
    exchange(stream, question).await
}

/// The same over a connection that nobody forges or reads, to a server that proves its name (RFC 7858; the strict profile
/// of RFC 8310, section 5: what can not be asked securely is not asked).
async fn over_tls(server: SocketAddr, tls: &Tls, question: &Question) -> Result<DnsResponse, Outcome> {
    let connector = TlsConnector::from(tls.config.clone().ok_or(Outcome::Insecure)?);
    let stream = TcpStream::connect(server).await.map_err(|_| Outcome::Failed)?;
    let stream = connector.connect(tls.name.clone(), stream).await.map_err(|error| match tls::reason(&error) {
        Some(reason) => {
            // For the operator, who chose the resolver; the domain's administrator can do nothing about it.
            tracing::warn!(%server, %reason, "no secure connection to a resolver");
            Outcome::Insecure
        }
        None => Outcome::Failed,
    })?;
    exchange(stream, question).await
}

/// Asks over a connection (RFC 7766, section 8).
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    question: &Question,
) -> Result<DnsResponse, Outcome> {
    let request = question.request();
    let exchange = async {
        let bytes = request.to_vec().ok()?;
        // In one piece, since some servers do not wait for the rest.
        let mut framed = u16::try_from(bytes.len()).ok()?.to_be_bytes().to_vec();
        framed.extend(bytes);
        stream.write_all(&framed).await.ok()?;
        stream.flush().await.ok()?;
        let mut answer = vec![0; stream.read_u16().await.ok()?.into()];
        stream.read_exact(&mut answer).await.ok()?;
        DnsResponse::from_buffer(answer).ok()
    };
    let answer = exchange.await.ok_or(Outcome::Failed)?;
    let fits = answer.metadata.id == request.metadata.id && answer.queries == request.queries;
    if fits && !answer.metadata.truncation { Ok(answer) } else { Err(Outcome::Failed) }
}
