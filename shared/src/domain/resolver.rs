//! Looking a claim's record up in DNS, from several perspectives.
//!
//! The zone's own servers are asked first, directly, so that nothing old is heard. Resolvers are asked only once they have
//! the record, or can not be asked: a resolver that hears that a record is not there remembers it for as long as the zone
//! says, a day perhaps, and would go on to say so after the record was published. Nothing is cached here. Every question has
//! a limit of time, every chain a limit of length.

mod answer;
mod chain;
mod delegation;
mod question;
mod server;
mod zone;

use std::{sync::Arc, time::Duration};

use hickory_net::proto::rr::Name;
use tokio::{task::JoinSet, time::timeout};

use self::{
    answer::{Aliases, Reply},
    question::{Question, ask},
    server::Server,
};
use super::{Challenge, DomainName, Finding, Outcome, Source, evidence::has_most, usual_mistakes};
use crate::{
    app::{SettingsError, variable},
    tls,
};

pub use server::{ResolverAddress, ResolverAddressError};
pub use zone::{TrustError, ZoneServers};

/// The public resolvers that a deployment asks unless it is told otherwise. There are three, so that one that does not
/// answer holds up nobody. All of them validate DNSSEC.
const PUBLIC: &str = "1.1.1.1, 8.8.8.8, 9.9.9.9";
/// The port of DNS (RFC 1035, section 4.2).
const PORT: u16 = 53;
/// Resolvers of a deployment.
const MAX_RESOLVERS: usize = 8;
/// How long a resolver may take for the record, whatever has to be followed on the way. A request waits ten seconds for the
/// zone's own servers before, or looks for records that went astray for five, and has 29 seconds.
const LOOKUP: Duration = Duration::from_secs(8);
/// How long the places where records go astray are searched.
const SEARCH: Duration = Duration::from_secs(5);

/// The perspectives from which DNS is asked.
#[derive(Clone, Debug)]
pub struct Resolver {
    resolvers: Arc<[Server]>,
    zone_servers: Option<ZoneServers>,
}

impl Resolver {
    /// Asks these servers, each a perspective of its own, and nobody else.
    #[must_use]
    pub fn new<A: Clone + Into<ResolverAddress>>(servers: &[A]) -> Self {
        Self::trusting(servers, None)
    }

    /// As [`Resolver::new`]; whom to believe over TLS is as [`tls::client`] has it.
    fn trusting<A: Clone + Into<ResolverAddress>>(servers: &[A], authorities: Option<&[Vec<u8>]>) -> Self {
        let addresses = servers.iter().cloned().map(Into::into);
        Self { resolvers: Server::all(addresses, || tls::client(authorities)), zone_servers: None }
    }

    /// Asks the zone's own servers as well.
    #[must_use]
    pub fn with_zone_servers(self, zone_servers: ZoneServers) -> Self {
        Self { zone_servers: Some(zone_servers), ..self }
    }

    /// The perspectives of a Lambda function: the zone's own servers, and `VESTIBULE_RESOLVERS`, one [`ResolverAddress`]
    /// after another, separated by commas; else public ones.
    ///
    /// # Errors
    /// [`SettingsError::Unusable`].
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::parse(variable("VESTIBULE_RESOLVERS").as_deref().unwrap_or(PUBLIC))
            .map(|resolver| resolver.with_zone_servers(ZoneServers::public()))
            .map_err(|why| SettingsError::Unusable("VESTIBULE_RESOLVERS", why))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let servers = text.split(',').map(|text| text.trim().parse()).collect::<Result<Vec<ResolverAddress>, _>>();
        let servers = servers.map_err(
            |ResolverAddressError| "is not a list of IP addresses, each with or without a port, or tls://ADDR[:PORT]#NAME",
        )?;
        if servers.len() > MAX_RESOLVERS { Err("names more than 8 resolvers") } else { Ok(Self::new(&servers)) }
    }

    /// What every perspective sees of a claim's record: the zone's own servers by their names, then the resolvers in the
    /// order of the configuration.
    pub async fn look_up(&self, domain: &DomainName, challenge: &Challenge) -> Vec<Finding> {
        let Some(zone_servers) = &self.zone_servers else { return self.ask_resolvers(domain, challenge, true).await };
        let mut findings = zone_servers.look_up(&self.resolvers, domain, challenge).await;
        if worth_asking_resolvers(&findings) {
            findings.extend(self.ask_resolvers(domain, challenge, false).await);
        } else {
            let not_asked = |server| Finding::new(server, Outcome::NotAsked, &[]);
            findings.extend(self.resolvers.iter().map(not_asked));
        }
        findings
    }

    async fn ask_resolvers(&self, domain: &DomainName, challenge: &Challenge, search: bool) -> Vec<Finding> {
        let mut asked = JoinSet::new();
        for (place, server) in self.resolvers.iter().cloned().enumerate() {
            let (domain, challenge) = (domain.clone(), challenge.clone());
            asked.spawn(async move { (place, perspective(&server, &domain, &challenge, search).await) });
        }
        let mut findings = asked.join_all().await;
        findings.sort_by_key(|(place, _)| *place);
        findings.into_iter().map(|(_, finding)| finding).collect()
    }
}

/// Whether resolvers may be asked: most of the zone's own servers have the record, or none of them says anything.
fn worth_asking_resolvers(zone: &[Finding]) -> bool {
    has_most(&zone.iter().collect::<Vec<_>>()) || !zone.iter().any(|finding| finding.authoritative)
}

/// What one resolver sees: the record, or why not, or where it went astray.
async fn perspective(server: &Server, domain: &DomainName, challenge: &Challenge, search: bool) -> Finding {
    let asked = timeout(LOOKUP, resolve(server, &challenge.name, challenge)).await;
    let finding = asked.unwrap_or_else(|_| Finding::new(server, Outcome::Timeout, &[]));
    if search && finding.outcome.is_absence() {
        return astray(std::slice::from_ref(server), true, domain, challenge, vec![finding]).await.remove(0);
    }
    finding
}

/// What one resolver sees under a name, aliases followed.
async fn resolve(server: &Server, name: &str, challenge: &Challenge) -> Finding {
    let Some(mut name) = absolute(name) else { return Finding::new(server, Outcome::Nxdomain, &[]) };
    let mut aliases = Aliases::default();
    loop {
        let answer = match ask(server, &Question::recursive(name.clone())).await {
            Ok(answer) => answer,
            Err(outcome) => return Finding::new(server, outcome, &[]),
        };
        let finding = |outcome, values: &[String]| Finding {
            authoritative: answer.metadata.authoritative,
            ..Finding::new(server, outcome, values)
        };
        match Reply::of_resolver(&answer, &name, &mut aliases) {
            Reply::Values(values) => return finding(Outcome::of_values(&values, challenge), &values),
            Reply::Absent(outcome) => {
                let remembered = answer::remembered(&answer);
                return Finding { remembered, ..finding(outcome, &[]) };
            }
            Reply::Alias(target) => name = target,
            Reply::Referral { .. } => return finding(Outcome::Failed, &[]),
            // A resolver that validates says no more than this of signatures that do not hold; asked not to, it answers.
            Reply::Trouble(Outcome::Servfail) if answers_unchecked(server, &name).await => {
                return finding(Outcome::Bogus, &[]);
            }
            Reply::Trouble(outcome) => return Finding::new(server, outcome, &[]),
        }
    }
}

/// Whether a resolver answers where it is asked not to check signatures (the CD bit of RFC 4035, section 3.2.2).
async fn answers_unchecked(server: &Server, name: &Name) -> bool {
    let question = Question { unchecked: true, ..Question::recursive(name.clone()) };
    let answer = ask(server, &question).await;
    answer.is_ok_and(|answer| {
        let mut aliases = Aliases::default();
        !matches!(Reply::of_resolver(&answer, name, &mut aliases), Reply::Trouble(_))
    })
}

/// The findings, with those that tell of an absence told where the record was published by one of the usual mistakes, as
/// seen by these servers.
async fn astray(
    servers: &[Server],
    recursive: bool,
    domain: &DomainName,
    challenge: &Challenge,
    findings: Vec<Finding>,
) -> Vec<Finding> {
    let mut asked = JoinSet::new();
    for (place, (outcome, name)) in usual_mistakes(domain, challenge).into_iter().enumerate() {
        for server in servers {
            let (server, name, value) = (server.clone(), name.clone(), challenge.value.clone());
            asked.spawn(async move {
                let question = Question { recursive, ..Question::recursive(absolute(&name)?) };
                let answer = timeout(SEARCH, ask(&server, &question)).await.ok()?.ok()?;
                answer::texts(&answer, &question.name).contains(&value).then_some((place, outcome, name))
            });
        }
    }
    let found = asked.join_all().await.into_iter().flatten().min_by_key(|(place, ..)| *place);
    let Some((_, outcome, name)) = found else { return findings };
    let retold = |finding: Finding| {
        if finding.outcome.is_absence() {
            Finding { outcome, elsewhere: Some(name.clone()), ..finding }
        } else {
            finding
        }
    };
    findings.into_iter().map(retold).collect()
}

/// A name as DNS has it, from the root on.
fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// What one of the zone's own servers saw.
fn of_zone(perspective: &impl ToString, outcome: Outcome, authoritative: bool, values: &[String]) -> Finding {
    Finding { source: Source::Zone, authoritative, ..Finding::new(perspective, outcome, values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_addresses() {
        let servers = |text| {
            let resolver = Resolver::parse(text)?;
            Ok::<_, &str>(resolver.resolvers.iter().map(Server::to_string).collect::<Vec<_>>())
        };
        assert_eq!(servers(PUBLIC).unwrap().len(), 3);
        assert_eq!(servers("127.0.0.1:5353, ::1").unwrap(), ["127.0.0.1:5353", "[::1]:53"]);
        let mixed = servers("tls://1.1.1.1#cloudflare-dns.com,8.8.8.8");
        assert_eq!(mixed.unwrap(), ["cloudflare-dns.com (1.1.1.1:853)", "8.8.8.8:53"]);
        for bad in ["", "dns.example.com", "1.1.1.1,", "1.1.1.1,tls://9.9.9.9", &["1.1.1.1"; 9].join(",")] {
            assert!(servers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn resolvers_are_not_taught_that_the_record_is_not_there() {
        let zone = |outcomes: &[(Outcome, bool)]| {
            let findings = outcomes.iter().map(|(outcome, spoke)| of_zone(&"x", *outcome, *spoke, &[]));
            worth_asking_resolvers(&findings.collect::<Vec<_>>())
        };
        let (found, absent) = ((Outcome::Found, true), (Outcome::Nxdomain, true));
        let (silent, wrong) = ((Outcome::Timeout, false), (Outcome::WrongValue, true));
        assert!(zone(&[found, found]) && zone(&[found, found, absent]) && zone(&[silent, silent]) && zone(&[]));
        assert!(!zone(&[absent, absent]) && !zone(&[found, absent]) && !zone(&[absent, silent]) && !zone(&[wrong]));
        assert!(zone(&[found, silent]), "who is out of order has no say");
    }
}
