//! From an address to a connection: what may be asked, where it is, and that the server is the one of that name.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::{Host, Url};

use super::{FetchError, Fetcher, MAX_URL_BYTES, PORTS, Stage};
use crate::{app::Reach, internet::is_public, tls};

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;
/// How long one of them is tried.
const ATTEMPT: Duration = Duration::from_secs(3);

/// How secure connections are made.
pub(super) type Tls = Arc<ClientConfig>;

/// A connection.
pub(super) enum Stream {
    /// To this machine itself.
    Plain(TcpStream),
    /// To the server of the address's name.
    Secure(Box<TlsStream<TcpStream>>),
}

impl Fetcher {
    /// Connects to the server of `url`.
    pub(super) async fn connect(&self, url: &Url) -> Result<Stream, FetchError> {
        check(url, self.reach)?;
        let addresses = self.addresses(url).await?;
        for address in &addresses {
            self.may_reach(address.ip(), url)?;
        }
        let stream = first_to_answer(&addresses).await?;
        if url.scheme() == "http" {
            return Ok(Stream::Plain(stream));
        }
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|_| FetchError::UnknownHost)?,
            Some(Host::Ipv4(address)) => IpAddr::from(address).into(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).into(),
            None => return Err(FetchError::Address),
        };
        let stream = TlsConnector::from(self.tls()?).connect(name, stream).await.map_err(insecure)?;
        Ok(Stream::Secure(Box::new(stream)))
    }

    /// What the host of `url` stands for: asked once, and never empty.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
        let port = url.port_or_known_default().ok_or(FetchError::Address)?;
        let name = match url.host() {
            Some(Host::Ipv4(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
            Some(Host::Ipv6(address)) => return Ok(vec![SocketAddr::new(address.into(), port)]),
            Some(Host::Domain(name)) => name,
            None => return Err(FetchError::Address),
        };
        let addresses: Vec<_> = match &self.stage {
            Some(Stage { names, .. }) => {
                let of_name = names.iter().filter(|(known, _)| known == name);
                of_name.map(|(_, address)| SocketAddr::new(*address, port)).collect()
            }
            None => lookup_host((name, port)).await.map_err(|_| FetchError::UnknownHost)?.collect(),
        };
        if addresses.is_empty() { Err(FetchError::UnknownHost) } else { Ok(addresses) }
    }

    /// Plain http, and ports other than the usual ones, are for this machine itself only.
    fn may_reach(&self, address: IpAddr, url: &Url) -> Result<(), FetchError> {
        if self.reach == Reach::Loopback && address.is_loopback() {
            return Ok(());
        }
        if !is_public(address) {
            return Err(FetchError::InternalAddress);
        }
        check(url, Reach::Public)
    }

    fn tls(&self) -> Result<Tls, FetchError> {
        let made = self.tls.get_or_init(|| tls::client(self.stage.as_ref().map(|stage| stage.authorities.as_slice())));
        made.clone().ok_or_else(|| FetchError::Insecure("this deployment can make none".to_owned()))
    }
}

/// What an address says by itself, before its host is looked up.
///
/// # Errors
/// [`FetchError`].
fn check(url: &Url, reach: Reach) -> Result<(), FetchError> {
    let allowed = match url.scheme() {
        "https" => true,
        "http" => reach == Reach::Loopback,
        _ => false,
    };
    if !allowed {
        return Err(FetchError::NotHttps);
    }
    let plain = url.username().is_empty() && url.password().is_none();
    if !plain || url.as_str().len() > MAX_URL_BYTES {
        return Err(FetchError::Address);
    }
    match url.port() {
        Some(port) if reach == Reach::Public && !is_usual_port(url) => Err(FetchError::Port(port)),
        _ => Ok(()),
    }
}

fn is_usual_port(url: &Url) -> bool {
    url.port_or_known_default().is_some_and(|port| PORTS.contains(&port))
}

async fn first_to_answer(addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    for address in addresses.iter().take(MAX_ADDRESSES) {
        if let Ok(Ok(stream)) = timeout(ATTEMPT, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    Err(FetchError::Unreachable)
}

/// Why TLS does not come about, in the library's words: what is wrong with the certificate is for the administrator.
#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn insecure(error: std::io::Error) -> FetchError {
    tls::reason(&error).map_or(FetchError::Answer, |reason| FetchError::Insecure(reason.to_string()))
}
