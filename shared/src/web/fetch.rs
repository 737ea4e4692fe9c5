//! Documents of other parties, fetched from addresses that customers name.
//!
//! Such an address is an attempt to have us ask what its author can not reach: the network that a deployment runs in,
//! the metadata of the machine it runs on. So every address that a host's name stands for is looked at before anything
//! is sent, and the connection goes to the very addresses that were looked at: a name is resolved once, and a second
//! answer of a changing DNS has nobody to ask for it. Each redirect is looked at anew. There is no proxy, no cookie, no
//! credential, no compression, and a bound on every size and on the time.

mod connect;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::OnceLock, time::Duration};

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::timeout,
};
use url::Url;

use connect::Stream;

use crate::app::Reach;

/// Ports of https that products come with: the standard one, and those of application servers, Ping and WSO2.
const PORTS: [u16; 4] = [443, 8443, 9031, 9443];
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 3;
/// Bytes of an address.
pub const MAX_URL_BYTES: usize = 2048;
/// Bytes of an answer's status and headers.
const MAX_HEAD: usize = 64 * 1024;

/// Fetches documents. Its rules are the module's.
#[derive(Debug, Default)]
pub struct Fetcher {
    reach: Reach,
    stage: Option<Stage>,
    tls: OnceLock<Option<connect::Tls>>,
}

/// What a test puts in place of the machine's resolver and its authorities.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// Names and what they stand for. There are no others.
    pub names: Vec<(String, IpAddr)>,
    /// Certificates, in DER, of the authorities that servers' certificates come from. There are no others.
    pub authorities: Vec<Vec<u8>>,
}

/// Why there is no document. The words are for the administrator who named its address; none of them tells what is
/// behind an address that is not public.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is not an `https` address.
    #[error("the address does not begin with https://")]
    NotHttps,
    /// It is longer than [`MAX_URL_BYTES`], or holds a user name or a password.
    #[error("the address is longer than 2048 characters, or holds a user name or a password")]
    Address,
    /// It names a port that is none of [`PORTS`].
    #[error("the address names port {0}; 443, 8443, 9031 and 9443 are asked")]
    Port(u16),
    /// It stands for an address outside of the public internet.
    #[error("the address leads into an internal network; only what the public internet reaches is asked")]
    InternalAddress,
    /// Its host is not known.
    #[error("the host of the address is not known to DNS")]
    UnknownHost,
    /// No connection came about.
    #[error("the server can not be reached")]
    Unreachable,
    /// The server proved not to be the one of that name.
    #[error("there is no secure connection to the server: {0}")]
    Insecure(String),
    /// It was not all there in time.
    #[error("the server took too long")]
    TooSlow,
    /// What came is not HTTP, or ended too soon.
    #[error("the server's answer is not one of HTTP, or was cut off")]
    Answer,
    /// The server refused.
    #[error("the server answered with the status {0}")]
    Status(u16),
    /// More than [`MAX_REDIRECTS`], or one to nowhere.
    #[error("the server redirects more than three times, or to nowhere")]
    Redirects,
    /// It is larger than was asked for.
    #[error("the document is larger than {0} bytes")]
    TooLarge(usize),
    /// It came compressed although that was ruled out.
    #[error("the server compresses the document, which it was asked not to")]
    Compressed,
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The media types, as the `Accept` header has them.
    pub accept: &'static str,
    /// Bytes of the document at most.
    pub max_bytes: usize,
    /// How long all of it may take.
    pub within: Duration,
}

/// What one request came to.
enum Hop {
    Document(Vec<u8>),
    Redirect(Url),
}

impl Fetcher {
    /// Fetches from as far as `reach`.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self { reach, ..Self::default() }
    }

    /// As [`Fetcher::new`], with other names and authorities than the machine's; for tests.
    #[must_use]
    pub fn on_stage(reach: Reach, stage: Stage) -> Self {
        Self { reach, stage: Some(stage), ..Self::default() }
    }

    /// The document at `url`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self, url: &Url, wanted: Wanted) -> Result<Vec<u8>, FetchError> {
        // The futures of a connection are large; on the heap they leave the handlers' small.
        timeout(wanted.within, Box::pin(self.follow(url, wanted))).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn follow(&self, url: &Url, wanted: Wanted) -> Result<Vec<u8>, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            match self.hop(&url, wanted).await? {
                Hop::Document(document) => return Ok(document),
                Hop::Redirect(next) => url = next,
            }
        }
        Err(FetchError::Redirects)
    }

    async fn hop(&self, url: &Url, wanted: Wanted) -> Result<Hop, FetchError> {
        let request = request(url, wanted)?;
        match self.connect(url).await? {
            Stream::Plain(stream) => exchange(stream, request, url, wanted).await,
            Stream::Secure(stream) => exchange(stream, request, url, wanted).await,
        }
    }
}

fn request(url: &Url, wanted: Wanted) -> Result<Request<Empty<&'static [u8]>>, FetchError> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, wanted.accept)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "Vestibule")
        .body(Empty::new())
        .map_err(|_| FetchError::Address)
}

/// Asks over this connection, and ends it.
async fn exchange<S>(
    stream: S,
    request: Request<Empty<&'static [u8]>>,
    url: &Url,
    wanted: Wanted,
) -> Result<Hop, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| FetchError::Answer)?;
    // The connection is driven beside the request, and goes when this is dropped.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.map_err(|_| FetchError::Answer)?;
    let status = answer.status();
    if is_redirect(status) {
        let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| url.join(location).ok()).ok_or(FetchError::Redirects)?;
        return Ok(Hop::Redirect(next));
    }
    if status != StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    let encoding = answer.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(FetchError::Compressed);
    }
    read(answer.into_body(), wanted.max_bytes).await.map(Hop::Document)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

async fn read(body: Incoming, max: usize) -> Result<Vec<u8>, FetchError> {
    match Limited::new(body, max).collect().await {
        Ok(whole) => Ok(whole.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::TooLarge(max)),
        Err(_) => Err(FetchError::Answer),
    }
}
