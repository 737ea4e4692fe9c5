//! Asking the zone's own servers.

use std::{net::Ipv4Addr, net::SocketAddr, str::FromStr as _, sync::Arc, time::Duration};

use hickory_net::proto::{
    dnssec::TrustAnchors,
    rr::{Name, RecordType},
};
use tokio::{task::JoinSet, time::timeout};

use super::{
    Challenge, DomainName, Finding, Outcome, PORT, absolute,
    answer::{Aliases, Reply},
    astray,
    chain::{Anchors, Chain, Validity},
    delegation::{Delegation, ZoneServer, delegation_of, servers_named},
    of_zone,
    question::{Question, ask},
    server::Server,
};
use crate::internet::is_public;

/// How long the whole way to the zone's own servers and their answers may take: a resolver that says nothing, then a
/// server that says nothing, and what lies in between.
const WALK: Duration = Duration::from_secs(10);
/// Delegations that are followed from one zone down to the next, for one record.
const MAX_DELEGATIONS: usize = 8;
/// How the zone's servers are spoken of where none of them could be asked.
const NOBODY: &str = "the zone's own servers";

/// How the zone's own servers are asked.
#[derive(Clone, Debug)]
pub struct ZoneServers {
    port: u16,
    /// Whether addresses that are not public are asked too.
    internal: bool,
    anchors: Anchors,
}

/// Keys that can not be trusted because they can not be read.
#[derive(Debug, thiserror::Error)]
#[error("these are not DNSKEY records in the form of a zone file")]
pub struct TrustError;

/// What one server said, when that can be acted on.
struct Answered {
    server: ZoneServer,
    reply: Reply,
    authoritative: bool,
    aliases: Aliases,
}

impl ZoneServers {
    /// On the port of DNS, at public addresses only, trusting the root's keys.
    #[must_use]
    pub fn public() -> Self {
        Self { port: PORT, internal: false, anchors: Anchors(Arc::default()) }
    }

    /// On this machine: servers on `port` at any address, trusting the root keys that `keys` holds as DNSKEY records in the
    /// form of a zone file. For tests, and for looking at a name space of one's own.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn on_port(port: u16, keys: &str) -> Result<Self, TrustError> {
        let anchors = if keys.is_empty() {
            TrustAnchors::empty()
        } else {
            TrustAnchors::from_str(keys).map_err(|_| TrustError)?
        };
        Ok(Self { port, internal: true, anchors: Anchors(Arc::new(anchors)) })
    }

    /// What each of the zone's own servers sees of a claim's record; at least one finding.
    pub(super) async fn look_up(
        &self,
        resolvers: &Arc<[Server]>,
        domain: &DomainName,
        challenge: &Challenge,
    ) -> Vec<Finding> {
        let mut walk =
            Walk { zone_servers: self, resolvers, challenge, chain: Chain::new(resolvers), asked: Vec::new() };
        let findings = match timeout(WALK, walk.find(challenge)).await {
            Ok(Ok(findings)) => findings,
            Ok(Err(outcome)) => vec![of_zone(&NOBODY, outcome, false, &[])],
            Err(_) => vec![of_zone(&NOBODY, Outcome::Timeout, false, &[])],
        };
        if findings.iter().any(|finding| finding.outcome.is_absence()) {
            return astray(&walk.asked, false, domain, challenge, findings).await;
        }
        findings
    }

    /// The server's address, if it is one to be asked.
    fn address(&self, server: &ZoneServer) -> Result<SocketAddr, Outcome> {
        let address: Ipv4Addr = server.address.ok_or(Outcome::NoServers)?;
        if self.internal || is_public(address.into()) {
            Ok((address, self.port).into())
        } else {
            Err(Outcome::Internal)
        }
    }
}

/// The way from the zone of the registrable domain to the servers that have the record.
struct Walk<'a> {
    zone_servers: &'a ZoneServers,
    resolvers: &'a Arc<[Server]>,
    challenge: &'a Challenge,
    chain: Chain,
    /// A server of each zone on the way, which may know where the record went astray.
    asked: Vec<Server>,
}

impl Walk<'_> {
    async fn find(&mut self, challenge: &Challenge) -> Result<Vec<Finding>, Outcome> {
        let mut name = absolute(&challenge.name).ok_or(Outcome::Nxdomain)?;
        let mut delegation = delegation_of(self.resolvers, &name).await?;
        let mut aliases = Aliases::default();
        for _ in 0..=MAX_DELEGATIONS {
            let answered = self.ask_all(&delegation, &name, &aliases).await;
            let known =
                |answered: &&Answered| answered.authoritative || matches!(answered.reply, Reply::Referral { .. });
            let knowing = answered.iter().find(known).map(|answered| answered.server.clone());
            self.asked.extend(knowing.and_then(|server| self.zone_servers.address(&server).ok()).map(Server::from));
            match onward(&answered) {
                Some((Reply::Referral { zone, servers }, _)) => {
                    let (zone, servers) = (zone.clone(), servers.clone());
                    delegation = servers_named(self.resolvers, zone, servers).await?;
                }
                Some((Reply::Alias(target), followed)) => {
                    (name, aliases) = (target.clone(), followed.clone());
                    if !delegation.zone.zone_of(&name) {
                        delegation = delegation_of(self.resolvers, &name).await?;
                    }
                }
                _ => return Ok(answered.iter().map(|answered| self.finding(answered)).collect()),
            }
        }
        Err(Outcome::TooManyAliases)
    }

    /// What each server says, its signatures checked where it says that the record is there, or has any.
    async fn ask_all(&self, delegation: &Delegation, name: &Name, aliases: &Aliases) -> Vec<Answered> {
        let question = Question::direct(name.clone());
        let mut asked = JoinSet::new();
        for (place, server) in delegation.servers.iter().enumerate() {
            let (address, question) = (self.zone_servers.address(server), question.clone());
            asked.spawn(async move {
                let answer = match address {
                    Ok(address) => ask(&address.into(), &question).await,
                    Err(outcome) => Err(outcome),
                };
                (place, answer)
            });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(place, _)| *place);
        let mut answered = Vec::new();
        for (server, (_, answer)) in delegation.servers.iter().zip(answers) {
            let mut aliases = aliases.clone();
            let (mut reply, mut authoritative) = match &answer {
                Ok(answer) => {
                    (Reply::of_zone(answer, name, &delegation.zone, &mut aliases), answer.metadata.authoritative)
                }
                Err(outcome) => (Reply::Trouble(*outcome), false),
            };
            if let Ok(answer) = &answer
                && needs_validation(&reply, answer)
            {
                let trouble = match self.chain.validate(&self.zone_servers.anchors, &question, answer).await {
                    Validity::Holds => None,
                    Validity::Bogus => Some(Outcome::Bogus),
                    Validity::Unknown => Some(Outcome::Failed),
                };
                if let Some(outcome) = trouble {
                    (reply, authoritative) = (Reply::Trouble(outcome), false);
                }
            }
            answered.push(Answered { server: server.clone(), reply, authoritative, aliases });
        }
        answered
    }

    fn finding(&self, answered: &Answered) -> Finding {
        let Answered { server, reply, authoritative, .. } = answered;
        let name = server.name.to_ascii();
        let name = name.trim_end_matches('.');
        let perspective = match server.address {
            Some(address) => format!("{name} ({address})"),
            None => name.to_owned(),
        };
        match reply {
            Reply::Values(values) => {
                let outcome = Outcome::of_values(values, self.challenge);
                of_zone(&perspective, outcome, *authoritative, values)
            }
            Reply::Absent(outcome) => of_zone(&perspective, *outcome, *authoritative, &[]),
            Reply::Trouble(outcome) => of_zone(&perspective, *outcome, false, &[]),
            // It leads elsewhere than most of the others.
            Reply::Alias(_) | Reply::Referral { .. } => of_zone(&perspective, Outcome::Failed, false, &[]),
        }
    }
}

/// Whether most servers that say anything lead on to the same other place; what they say of it.
fn onward(answered: &[Answered]) -> Option<(&Reply, &Aliases)> {
    let telling: Vec<&Answered> =
        answered.iter().filter(|answered| !matches!(answered.reply, Reply::Trouble(_))).collect();
    let same = |one: &Reply, other: &Reply| match (one, other) {
        (Reply::Referral { zone: one, .. }, Reply::Referral { zone: other, .. })
        | (Reply::Alias(one), Reply::Alias(other)) => one == other,
        _ => false,
    };
    let agrees =
        |one: &&&Answered| telling.iter().filter(|other| same(&one.reply, &other.reply)).count() * 2 > telling.len();
    telling.iter().find(agrees).map(|answered| (&answered.reply, &answered.aliases))
}

/// What proves something must be genuine; what says that there is nothing is checked where it comes signed.
fn needs_validation(reply: &Reply, answer: &hickory_net::proto::op::Message) -> bool {
    let signed = || answer.all_sections().any(|record| record.record_type() == RecordType::RRSIG);
    match reply {
        Reply::Values(_) | Reply::Alias(_) => true,
        Reply::Absent(_) => signed(),
        Reply::Referral { .. } | Reply::Trouble(_) => false,
    }
}
