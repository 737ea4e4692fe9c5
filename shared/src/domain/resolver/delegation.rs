//! Which servers a zone has, as the resolvers tell it.
//!
//! Resolvers are asked for nothing but names that exist or that nobody publishes a record under, so they learn nothing that
//! they would have to forget.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use hickory_net::proto::{
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType},
};
use tokio::task::JoinSet;

use super::{
    Outcome, absolute,
    question::{Question, ask},
    server::Server,
};

/// Servers of one zone that are asked.
const MAX_SERVERS: usize = 4;
/// Zones above the first guess at which the zone is looked for.
const MAX_ASCENT: usize = 2;

/// A zone and its servers.
#[derive(Clone, Debug)]
pub(super) struct Delegation {
    /// The zone's name.
    pub(super) zone: Name,
    /// Its servers.
    pub(super) servers: Vec<ZoneServer>,
}

/// One server of a zone.
#[derive(Clone, Debug)]
pub(super) struct ZoneServer {
    /// Its name.
    pub(super) name: Name,
    /// Its address, where it could be found.
    pub(super) address: Option<Ipv4Addr>,
}

/// What one resolver says of a zone's servers.
enum Said {
    /// Their names.
    Servers(BTreeSet<Name>),
    /// The name is in the zone of this name.
    Within(Name),
    /// Nothing.
    Nothing(Outcome),
}

/// The zone that a name's registrable domain is, or is in, and its servers; or, where resolvers do not know those, the zone
/// above it, whose servers lead on to them.
///
/// # Errors
/// Why they can not be found: what is the matter with the resolvers, or [`Outcome::NoServers`].
pub(super) async fn delegation_of(resolvers: &[Server], name: &Name) -> Result<Delegation, Outcome> {
    let text = name.to_lowercase().to_ascii();
    let text = text.trim_end_matches('.');
    let mut zone = absolute(psl::domain_str(text).unwrap_or(text)).ok_or(Outcome::NoServers)?;
    let mut why = Outcome::NoServers;
    for _ in 0..=MAX_ASCENT {
        let above = match agreed(said_of(resolvers, &zone).await) {
            Said::Servers(names) => {
                let unaddressed = names.into_iter().map(|name| (name, None));
                match servers_named(resolvers, zone.clone(), unaddressed).await {
                    Ok(delegation) => return Ok(delegation),
                    Err(_) => zone.base_name(),
                }
            }
            Said::Within(above) if above.zone_of(&zone) => above,
            Said::Within(_) => zone.base_name(),
            Said::Nothing(outcome) => {
                why = outcome;
                zone.base_name()
            }
        };
        // The root knows nothing of a name that has one label less than a top-level domain.
        if above.num_labels() >= zone.num_labels() || above.is_root() {
            break;
        }
        zone = above;
    }
    Err(why)
}

/// The zone's servers with their addresses, which are looked up where they are not given.
///
/// # Errors
/// [`Outcome::NoServers`].
pub(super) async fn servers_named(
    resolvers: &[Server],
    zone: Name,
    servers: impl IntoIterator<Item = (Name, Option<Ipv4Addr>)>,
) -> Result<Delegation, Outcome> {
    let servers: BTreeMap<Name, Option<Ipv4Addr>> =
        servers.into_iter().map(|(name, address)| (name.to_lowercase(), address)).collect();
    let mut asked = JoinSet::new();
    for (place, (name, given)) in servers.into_iter().take(MAX_SERVERS).enumerate() {
        // Each name by another resolver first, so that none of them decides on all the addresses.
        let mut resolvers = resolvers.to_vec();
        let turn = place % resolvers.len().max(1);
        resolvers.rotate_left(turn);
        asked.spawn(async move {
            let address = match given {
                Some(address) => Some(address),
                None => address_of(&resolvers, &name).await,
            };
            ZoneServer { name, address }
        });
    }
    let mut servers = asked.join_all().await;
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    let found = servers.iter().any(|server| server.address.is_some());
    if found { Ok(Delegation { zone, servers }) } else { Err(Outcome::NoServers) }
}

/// What every resolver says.
async fn said_of(resolvers: &[Server], zone: &Name) -> Vec<Said> {
    let mut asked = JoinSet::new();
    for resolver in resolvers {
        let resolver = resolver.clone();
        // Unchecked: that its signatures do not hold is to be found out of the zone's own servers.
        let question = Question { kind: RecordType::NS, unchecked: true, ..Question::recursive(zone.clone()) };
        asked.spawn(async move {
            let answer = match ask(&resolver, &question).await {
                Ok(answer) => answer,
                Err(outcome) => return Said::Nothing(outcome),
            };
            let server = |record: &Record| match &record.data {
                RData::NS(server) if record.name == question.name => Some(server.0.to_lowercase()),
                _ => None,
            };
            let names: BTreeSet<Name> = answer.answers.iter().filter_map(server).collect();
            let within = answer.authorities.iter().find(|record| record.record_type() == RecordType::SOA);
            match (answer.metadata.response_code, within) {
                (ResponseCode::ServFail, _) => Said::Nothing(Outcome::Servfail),
                (ResponseCode::Refused, _) => Said::Nothing(Outcome::Refused),
                _ if !names.is_empty() => Said::Servers(names),
                (_, Some(within)) => Said::Within(within.name.to_lowercase()),
                (_, None) => Said::Nothing(Outcome::NoServers),
            }
        });
    }
    asked.join_all().await
}

/// What most of the resolvers that say anything agree on: one that lies must not choose whom we ask.
fn agreed(said: Vec<Said>) -> Said {
    let telling = said.iter().filter(|said| !matches!(said, Said::Nothing(_))).count();
    let mut names: BTreeMap<Name, usize> = BTreeMap::new();
    let mut zones: BTreeMap<Name, usize> = BTreeMap::new();
    let mut trouble = Outcome::NoServers;
    for said in said {
        match said {
            Said::Servers(servers) => servers.into_iter().for_each(|name| *names.entry(name).or_default() += 1),
            Said::Within(zone) => *zones.entry(zone).or_default() += 1,
            Said::Nothing(outcome) => trouble = outcome,
        }
    }
    let most = |count: usize| count * 2 > telling;
    let names: BTreeSet<Name> = names.into_iter().filter(|(_, count)| most(*count)).map(|(name, _)| name).collect();
    if !names.is_empty() {
        return Said::Servers(names);
    }
    zones.into_iter().find(|(_, count)| most(*count)).map_or(Said::Nothing(trouble), |(zone, _)| Said::Within(zone))
}

/// A server's address, from the first of the resolvers that knows one.
///
/// Functions reach the IPv4 internet; servers of zones have such addresses.
async fn address_of(resolvers: &[Server], name: &Name) -> Option<Ipv4Addr> {
    let question = Question { kind: RecordType::A, unchecked: true, ..Question::recursive(name.clone()) };
    for resolver in resolvers {
        let Ok(answer) = ask(resolver, &question).await else { continue };
        let found = answer.answers.iter().find_map(|record| match record.data.ip_addr() {
            Some(IpAddr::V4(address)) => Some(address),
            _ => None,
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(names: &[&str]) -> Said {
        Said::Servers(names.iter().map(|name| absolute(name).unwrap()).collect())
    }

    fn within(zone: &str) -> Said {
        Said::Within(absolute(zone).unwrap())
    }

    #[test]
    fn most_must_agree_on_the_servers() {
        let names = |said| match agreed(said) {
            Said::Servers(names) => names.iter().map(Name::to_ascii).collect(),
            Said::Within(zone) => vec![format!("within {zone}")],
            Said::Nothing(outcome) => vec![format!("{outcome:?}")],
        };
        let (one, two, lie) = ("ns1.example.", "ns2.example.", "ns.attacker.");
        assert_eq!(names(vec![servers(&[one, two]), servers(&[one, two]), servers(&[lie])]), [one, two]);
        assert_eq!(names(vec![servers(&[one]), Said::Nothing(Outcome::Timeout)]), [one]);
        assert_eq!(names(vec![servers(&[one]), servers(&[lie])]), ["NoServers"]);
        assert_eq!(names(vec![within("com."), within("com."), servers(&[lie])]), ["within com."]);
        assert_eq!(names(vec![Said::Nothing(Outcome::Servfail), Said::Nothing(Outcome::Servfail)]), ["Servfail"]);
        assert_eq!(names(vec![]), ["NoServers"]);
    }
}
