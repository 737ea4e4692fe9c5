//! Looking a claim's record up in DNS, from several perspectives.
//!
//! Every perspective is a server of its own, asked afresh and without a cache: over UDP, then over TCP where the answer
//! is too long for it, with a bound on time and on CNAMEs (eight, the resolver library's).

use std::{net::IpAddr, net::SocketAddr, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, rdata::TXT},
    },
};
use tokio::{task::JoinSet, time::timeout};

use super::{Challenge, DomainName, Finding, Outcome};
use crate::app::{SettingsError, variable};

/// The public resolvers that a deployment asks unless it is told otherwise. There are three, so that one that does not
/// answer holds up nobody.
const PUBLIC: &str = "1.1.1.1, 8.8.8.8, 9.9.9.9";
/// The port of DNS (RFC 1035, section 4.2).
const PORT: u16 = 53;
/// Perspectives of a deployment.
const MAX_PERSPECTIVES: usize = 8;
/// How long one attempt waits for its answer; there are two.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long one name is looked up from one perspective, whatever has to be followed on the way. A request looks up
/// two names after another, and has 30 seconds.
const LOOKUP: Duration = Duration::from_secs(8);

/// The perspectives from which DNS is asked.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
}

impl Resolver {
    /// Asks these servers, each a perspective of its own.
    #[must_use]
    pub fn new(servers: &[SocketAddr]) -> Self {
        Self { servers: servers.to_vec() }
    }

    /// The perspectives of a Lambda function: `VESTIBULE_RESOLVERS`, addresses with or without a port, separated by
    /// commas; else public ones.
    ///
    /// # Errors
    /// [`SettingsError::Unusable`].
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::parse(variable("VESTIBULE_RESOLVERS").as_deref().unwrap_or(PUBLIC))
            .map_err(|why| SettingsError::Unusable("VESTIBULE_RESOLVERS", why))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let server = |text: &str| {
            let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
            text.parse().or(address).map_err(|_| "is not a list of IP addresses, each with or without a port")
        };
        let servers = text.split(',').map(|text| server(text.trim())).collect::<Result<Vec<_>, _>>()?;
        if servers.len() > MAX_PERSPECTIVES { Err("names more than 8 resolvers") } else { Ok(Self { servers }) }
    }

    /// What every perspective sees of a claim's record, side by side, in the order of the configuration.
    pub async fn look_up(&self, domain: &DomainName, challenge: &Challenge) -> Vec<Finding> {
        let mut asked = JoinSet::new();
        for (place, server) in self.servers.iter().copied().enumerate() {
            let (domain, challenge) = (domain.clone(), challenge.clone());
            asked.spawn(async move { (place, perspective(server, &domain, &challenge).await) });
        }
        let mut findings = asked.join_all().await;
        findings.sort_by_key(|(place, _)| *place);
        findings.into_iter().map(|(_, finding)| finding).collect()
    }
}

/// What one perspective sees: the record, or why not, or where it went astray.
async fn perspective(server: SocketAddr, domain: &DomainName, challenge: &Challenge) -> Finding {
    let values = match values_at(server, &challenge.name).await {
        Ok(values) => values,
        Err(outcome) if outcome.is_absence() => {
            return match astray(server, domain, challenge).await {
                Some((outcome, name)) => Finding { elsewhere: Some(name), ..Finding::new(&server, outcome, &[]) },
                None => Finding::new(&server, outcome, &[]),
            };
        }
        Err(outcome) => return Finding::new(&server, outcome, &[]),
    };
    Finding::new(&server, Outcome::of_values(&values, challenge), &values)
}

/// Where a record that is not where it belongs was published by one of the usual mistakes.
async fn astray(server: SocketAddr, domain: &DomainName, challenge: &Challenge) -> Option<(Outcome, String)> {
    let mut asked = JoinSet::new();
    for (outcome, name) in usual_mistakes(domain, challenge) {
        let value = challenge.value.clone();
        asked.spawn(async move {
            let values = values_at(server, &name).await.unwrap_or_default();
            values.contains(&value).then_some((outcome, name))
        });
    }
    asked.join_all().await.into_iter().flatten().next()
}

/// The names under which the record ends up by mistake.
fn usual_mistakes(domain: &DomainName, challenge: &Challenge) -> Vec<(Outcome, String)> {
    let name = &challenge.name;
    // The zone is the domain itself or, for a subdomain, most often the registrable domain above it.
    let registrable = psl::domain_str(domain.as_str()).filter(|registrable| *registrable != domain.as_str());
    let mut mistakes =
        vec![(Outcome::DoubledSuffix, format!("{name}.{domain}")), (Outcome::WrongHost, domain.to_string())];
    if let Some(registrable) = registrable {
        let label = name.split('.').next().unwrap_or_default();
        mistakes.push((Outcome::DoubledSuffix, format!("{name}.{registrable}")));
        mistakes.push((Outcome::WrongHost, format!("{label}.{registrable}")));
    }
    mistakes
}

/// The values of the TXT records at a name as one server sees them; never an empty list.
async fn values_at(server: SocketAddr, name: &str) -> Result<Vec<String>, Outcome> {
    let asked = async {
        let mut name = Name::from_ascii(name).map_err(|_| Outcome::Nxdomain)?;
        name.set_fqdn(true);
        let answer = resolver(server)?.txt_lookup(name).await.map_err(|error| outcome_of(&error))?;
        let texts = answer.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => Some(joined(text)),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        if texts.is_empty() { Err(Outcome::Empty) } else { Ok(texts) }
    };
    timeout(LOOKUP, asked).await.unwrap_or(Err(Outcome::Timeout))
}

/// A record's strings as one value (RFC 7208, section 3.3, says it for SPF; others do the same).
fn joined(text: &TXT) -> String {
    String::from_utf8_lossy(&text.txt_data.concat()).into_owned()
}

/// A resolver that asks one server. A new one for each lookup has no cache, and no connection that the platform cut
/// while the function slept.
fn resolver(server: SocketAddr) -> Result<TokioResolver, Outcome> {
    let connection = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = server.port();
        connection
    };
    let connections = vec![connection(ProtocolConfig::Udp), connection(ProtocolConfig::Tcp)];
    let name_server = NameServerConfig::new(server.ip(), true, connections);
    let config = ResolverConfig::from_name_servers(vec![name_server]);
    let mut options = ResolverOpts::default();
    options.timeout = ATTEMPT;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.with_options(options).build().map_err(|_| Outcome::Failed)
}

fn outcome_of(error: &NetError) -> Outcome {
    match error {
        NetError::Timeout => Outcome::Timeout,
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
            Outcome::Nxdomain
        }
        NetError::Dns(DnsError::NoRecordsFound(_)) => Outcome::Empty,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) => Outcome::Servfail,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_addresses() {
        let servers = |text| Resolver::parse(text).map(|resolver| resolver.servers);
        assert_eq!(servers(PUBLIC).unwrap().len(), 3);
        assert_eq!(servers("127.0.0.1:5353, ::1").unwrap(), ["127.0.0.1:5353", "[::1]:53"].map(|a| a.parse().unwrap()));
        for bad in ["", "dns.example.com", "1.1.1.1,", &["1.1.1.1"; 9].join(",")] {
            assert!(servers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_looked_for_where_they_are_made() {
        let challenge = |domain: &str| Challenge { name: format!("_c.{domain}"), value: String::new() };
        let names = |domain: &str| {
            let mistakes = usual_mistakes(&domain.parse().unwrap(), &challenge(domain));
            mistakes.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("example.co.uk"), ["_c.example.co.uk.example.co.uk", "example.co.uk"]);
        assert_eq!(
            names("a.example.com"),
            ["_c.a.example.com.a.example.com", "a.example.com", "_c.a.example.com.example.com", "_c.example.com"]
        );
    }
}
