//! Which servers are asked, and how.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use rustls::{ClientConfig, pki_types::ServerName};

use super::PORT;

/// The port of DNS over TLS (RFC 7858, section 3.1).
const TLS_PORT: u16 = 853;
/// What an address of a resolver that is asked over TLS begins with.
const TLS: &str = "tls://";

/// Where a resolver is, and how it is asked: an IP address with or without a port, for DNS over UDP and TCP; or
/// `tls://ADDR[:PORT]#NAME`, for DNS over TLS (RFC 7858) to a server whose certificate is one for `NAME` (the
/// authentication domain name of RFC 8310, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverAddress {
    address: SocketAddr,
    /// The name to be proven.
    name: Option<ServerName<'static>>,
}

/// It is no resolver's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a resolver is an IP address, with or without a port, or tls://ADDR[:PORT]#NAME with its certificate's name")]
pub struct ResolverAddressError;

impl From<SocketAddr> for ResolverAddress {
    fn from(address: SocketAddr) -> Self {
        Self { address, name: None }
    }
}

impl FromStr for ResolverAddress {
    type Err = ResolverAddressError;

    fn from_str(text: &str) -> Result<Self, ResolverAddressError> {
        let Some(text) = text.strip_prefix(TLS) else { return Ok(socket(text, PORT)?.into()) };
        let (address, name) = text.split_once('#').ok_or(ResolverAddressError)?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| ResolverAddressError)?;
        Ok(Self { address: socket(address, TLS_PORT)?, name: Some(name) })
    }
}

/// An address with its port, or with this one where it names none.
fn socket(text: &str, port: u16) -> Result<SocketAddr, ResolverAddressError> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    // As a URL has it without a port.
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let ip = match bracketed {
        Some(text) => text.parse::<Ipv6Addr>().map(IpAddr::from),
        None => text.parse::<IpAddr>(),
    };
    ip.map(|ip| SocketAddr::new(ip, port)).map_err(|_| ResolverAddressError)
}

/// A server, and how it is asked.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Where it is asked over TLS: how.
    pub(super) tls: Option<Tls>,
}

/// How a server is asked over TLS.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// The name that its certificate must be for.
    pub(super) name: ServerName<'static>,
    /// Whom to believe. Nothing where there is no way to make secure connections.
    pub(super) config: Option<Arc<ClientConfig>>,
}

impl Server {
    /// The servers at these addresses. Those that are asked over TLS are believed by what `configure` says.
    pub(super) fn all(
        addresses: impl IntoIterator<Item = ResolverAddress>,
        configure: impl Fn() -> Option<Arc<ClientConfig>>,
    ) -> Arc<[Self]> {
        let addresses: Vec<_> = addresses.into_iter().collect();
        let is_any_secure = addresses.iter().any(|address| address.name.is_some());
        // One for all of them, since a machine has more than a hundred authorities.
        let config = if is_any_secure { configure() } else { None };
        let server = |ResolverAddress { address, name }| {
            let tls = name.map(|name| Tls { name, config: config.clone() });
            Self { address, tls }
        };
        addresses.into_iter().map(server).collect()
    }
}

impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tls {
            Some(Tls { name, .. }) => write!(f, "{} ({})", name.to_str(), self.address),
            None => self.address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_a_resolver_is_asked() {
        let shown = |text: &str| {
            let address: ResolverAddress = text.parse()?;
            Ok::<_, ResolverAddressError>(Server::all([address], || None).iter().map(Server::to_string).collect())
        };
        for (text, expected) in [
            ("1.1.1.1", "1.1.1.1:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
            ("tls://1.1.1.1#cloudflare-dns.com", "cloudflare-dns.com (1.1.1.1:853)"),
            ("tls://9.9.9.9:8853#dns.quad9.net", "dns.quad9.net (9.9.9.9:8853)"),
            ("tls://2620:fe::fe#dns.quad9.net", "dns.quad9.net ([2620:fe::fe]:853)"),
            ("tls://[2620:fe::fe]#dns.quad9.net", "dns.quad9.net ([2620:fe::fe]:853)"),
            ("tls://[2620:fe::fe]:853#dns.quad9.net", "dns.quad9.net ([2620:fe::fe]:853)"),
        ] {
            assert_eq!(shown(text), Ok(expected.to_owned()), "{text}");
        }
        for bad in [
            "",
            "dns.example.com",
            "1.1.1.1:",
            "1.1.1.1#cloudflare-dns.com",
            "[1.1.1.1]",
            // Whose certificate would be believed is to be said.
            "tls://1.1.1.1",
            "tls://1.1.1.1:853",
            "tls://1.1.1.1#",
            "tls://1.1.1.1#not a name",
            "tls://1.1.1.1#a.example#b.example",
            "tls://cloudflare-dns.com#cloudflare-dns.com",
            "tls://1.1.1.1:853/dns-query#cloudflare-dns.com",
            "TLS://1.1.1.1#cloudflare-dns.com",
            "https://1.1.1.1#cloudflare-dns.com",
        ] {
            assert_eq!(shown(bad), Err(ResolverAddressError), "{bad}");
        }
    }
}
