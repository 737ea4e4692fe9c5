//! What an answer says about a name's TXT records.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr},
};

use hickory_net::proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata::TXT},
};

use super::Outcome;

/// Aliases that are followed for one record.
const MAX_ALIASES: usize = 8;

/// The aliases that were followed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases(HashSet<Name>);

impl Aliases {
    /// Notes that a name is an alias.
    fn follow(&mut self, alias: &Name) -> Result<(), Outcome> {
        if !self.0.insert(alias.to_lowercase()) {
            return Err(Outcome::AliasLoop);
        }
        if self.0.len() > MAX_ALIASES { Err(Outcome::TooManyAliases) } else { Ok(()) }
    }
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The values of the TXT records, at least one.
    Values(Vec<String>),
    /// The name is an alias of this one, about which the answer says nothing.
    Alias(Name),
    /// There is no such record: [`Outcome::Empty`] or [`Outcome::Nxdomain`].
    Absent(Outcome),
    /// Other servers are to be asked, for the zone of this name.
    Referral {
        /// The zone.
        zone: Name,
        /// Its servers, by their names, each with its address where that is within the zone and given with it.
        servers: Vec<(Name, Option<Ipv4Addr>)>,
    },
    /// None of these.
    Trouble(Outcome),
}

impl Reply {
    /// What a resolver's answer says, which found out what it could.
    pub(super) fn of_resolver(answer: &Message, name: &Name, aliases: &mut Aliases) -> Self {
        if let Some(outcome) = trouble(answer.metadata.response_code) {
            return Self::Trouble(outcome);
        }
        let last = match last_name(answer, name, aliases) {
            Ok(last) => last,
            Err(outcome) => return Self::Trouble(outcome),
        };
        let values = texts(answer, &last);
        let is_alias = last != *name;
        match answer.metadata.response_code {
            ResponseCode::NXDomain => Self::Absent(Outcome::Nxdomain),
            _ if !values.is_empty() => Self::Values(values),
            // A resolver follows aliases itself and says what became of the last; only what is no resolver leaves it open.
            _ if is_alias && answer.authorities.is_empty() => Self::Alias(last),
            _ => Self::Absent(Outcome::Empty),
        }
    }

    /// What an answer of one of the zone's own servers says, which has to speak with authority.
    pub(super) fn of_zone(answer: &Message, name: &Name, zone: &Name, aliases: &mut Aliases) -> Self {
        if let Some(outcome) = trouble(answer.metadata.response_code) {
            return Self::Trouble(outcome);
        }
        if !answer.metadata.authoritative {
            return referral(answer, name, zone).unwrap_or(Self::Trouble(Outcome::Lame));
        }
        let last = match last_name(answer, name, aliases) {
            Ok(last) => last,
            Err(outcome) => return Self::Trouble(outcome),
        };
        if last != *name && !zone.zone_of(&last) {
            // Of what is outside its zone, a server has no authority to speak.
            return Self::Alias(last);
        }
        let values = texts(answer, &last);
        match answer.metadata.response_code {
            ResponseCode::NXDomain => Self::Absent(Outcome::Nxdomain),
            _ if !values.is_empty() => Self::Values(values),
            _ if last != *name => Self::Alias(last),
            _ => Self::Absent(Outcome::Empty),
        }
    }
}

fn trouble(code: ResponseCode) -> Option<Outcome> {
    match code {
        ResponseCode::NoError | ResponseCode::NXDomain => None,
        ResponseCode::ServFail => Some(Outcome::Servfail),
        ResponseCode::Refused => Some(Outcome::Refused),
        // It says that the zone is not its own (RFC 2136, section 2.2, and what some servers make of it).
        ResponseCode::NotAuth => Some(Outcome::Lame),
        _ => Some(Outcome::Failed),
    }
}

/// The name that the answer's aliases lead to.
fn last_name(answer: &Message, name: &Name, aliases: &mut Aliases) -> Result<Name, Outcome> {
    let mut last = name.clone();
    let alias_of = |name: &Name| {
        answer.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *name => Some(target.0.clone()),
            _ => None,
        })
    };
    while let Some(target) = alias_of(&last) {
        aliases.follow(&last)?;
        last = target;
    }
    // Of a loop that a server did not walk to its end, only the way back is left.
    if last != *name && aliases.0.contains(&last.to_lowercase()) { Err(Outcome::AliasLoop) } else { Ok(last) }
}

/// A delegation to the servers of a zone below `zone` that `name` is in (RFC 1034, section 4.3.2, step 3b).
fn referral(answer: &Message, name: &Name, zone: &Name) -> Option<Reply> {
    let delegation = |record: &&Record| {
        record.record_type() == RecordType::NS
            && record.name.num_labels() > zone.num_labels()
            && zone.zone_of(&record.name)
            && record.name.zone_of(name)
    };
    let below = answer.authorities.iter().find(delegation)?.name.clone();
    // Only of names within the zone: others are not this server's to tell.
    let address_of = |server: &Name| {
        let told = answer.additionals.iter().filter(|record| below.zone_of(server) && record.name == *server);
        told.filter_map(|record| record.data.ip_addr()).find_map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
    };
    let server = |record: &Record| match &record.data {
        RData::NS(server) if record.name == below => Some((server.0.clone(), address_of(&server.0))),
        _ => None,
    };
    let servers = answer.authorities.iter().filter_map(server).collect();
    (answer.answers.is_empty()).then_some(Reply::Referral { zone: below, servers })
}

/// The values of the TXT records under a name.
pub(super) fn texts(answer: &Message, name: &Name) -> Vec<String> {
    let text = |record: &Record| match &record.data {
        RData::TXT(text) if record.name == *name => Some(joined(text)),
        _ => None,
    };
    answer.answers.iter().filter_map(text).collect()
}

/// A record's strings as one value (RFC 7208, section 3.3, says it for SPF; others do the same).
fn joined(text: &TXT) -> String {
    String::from_utf8_lossy(&text.txt_data.concat()).into_owned()
}

/// Seconds for which a resolver will go on to say that the record is not there (RFC 2308, section 5).
pub(super) fn remembered(answer: &Message) -> Option<u32> {
    if answer.metadata.authoritative {
        return None;
    }
    let memory = |record: &Record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    };
    answer.authorities.iter().find_map(memory).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use hickory_net::proto::{
        op::{OpCode, Query},
        rr::rdata::{A, CNAME, NS, SOA},
    };

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn answer(code: ResponseCode, authoritative: bool) -> Message {
        let mut answer = Message::response(1, OpCode::Query);
        answer.add_query(Query::query(name("_c.a.example."), RecordType::TXT));
        answer.metadata.response_code = code;
        answer.metadata.authoritative = authoritative;
        answer
    }

    fn txt(at: &str, strings: &[&str]) -> Record {
        let strings = strings.iter().map(|text| (*text).to_owned()).collect();
        Record::from_rdata(name(at), 60, RData::TXT(TXT::new(strings)))
    }

    fn cname(at: &str, target: &str) -> Record {
        Record::from_rdata(name(at), 60, RData::CNAME(CNAME(name(target))))
    }

    fn of_zone(answer: &Message) -> Reply {
        Reply::of_zone(answer, &name("_c.a.example."), &name("a.example."), &mut Aliases::default())
    }

    #[test]
    fn strings_are_joined_and_other_names_left_out() {
        let mut answer = answer(ResponseCode::NoError, true);
        answer.add_answer(txt("_C.A.Example.", &["one ", "value"]));
        answer.add_answer(txt("other.a.example.", &["other"]));
        assert_eq!(of_zone(&answer), Reply::Values(vec!["one value".to_owned()]));
    }

    #[test]
    fn only_who_speaks_with_authority_is_believed() {
        let mut lame = answer(ResponseCode::NoError, false);
        lame.add_answer(txt("_c.a.example.", &["value"]));
        assert_eq!(of_zone(&lame), Reply::Trouble(Outcome::Lame));
        assert_eq!(of_zone(&answer(ResponseCode::NXDomain, false)), Reply::Trouble(Outcome::Lame));
        assert_eq!(of_zone(&answer(ResponseCode::NXDomain, true)), Reply::Absent(Outcome::Nxdomain));
        assert_eq!(of_zone(&answer(ResponseCode::NoError, true)), Reply::Absent(Outcome::Empty));
        assert_eq!(of_zone(&answer(ResponseCode::Refused, true)), Reply::Trouble(Outcome::Refused));
        assert_eq!(of_zone(&answer(ResponseCode::FormErr, true)), Reply::Trouble(Outcome::Failed));
    }

    #[test]
    fn a_delegation_leads_down_and_nowhere_else() {
        let address = Ipv4Addr::new(192, 0, 2, 1);
        let delegated = |to: &str| {
            let mut answer = answer(ResponseCode::NoError, false);
            for server in ["ns.b.example.", "ns._c.a.example."] {
                answer.add_authority(Record::from_rdata(name(to), 60, RData::NS(NS(name(server)))));
                answer.add_additional(Record::from_rdata(name(server), 60, RData::A(A(address))));
            }
            of_zone(&answer)
        };
        let servers = vec![(name("ns.b.example."), None), (name("ns._c.a.example."), Some(address))];
        assert_eq!(delegated("_c.a.example."), Reply::Referral { zone: name("_c.a.example."), servers });
        for elsewhere in ["a.example.", "example.", ".", "b.a.example.", "b.example."] {
            assert_eq!(delegated(elsewhere), Reply::Trouble(Outcome::Lame), "{elsewhere}");
        }
    }

    #[test]
    fn aliases_are_followed_within_the_zone_and_so_far() {
        let mut inside = answer(ResponseCode::NoError, true);
        inside.add_answer(cname("_c.a.example.", "b.a.example."));
        inside.add_answer(txt("b.a.example.", &["value"]));
        assert_eq!(of_zone(&inside), Reply::Values(vec!["value".to_owned()]));
        let mut outside = answer(ResponseCode::NoError, true);
        outside.add_answer(cname("_c.a.example.", "b.example."));
        outside.add_answer(txt("b.example.", &["value"]));
        assert_eq!(of_zone(&outside), Reply::Alias(name("b.example.")), "its value is another server's to tell");
        let mut again = answer(ResponseCode::NoError, true);
        again.add_answer(cname("_c.a.example.", "b.a.example."));
        again.add_answer(cname("b.a.example.", "_C.a.example."));
        assert_eq!(of_zone(&again), Reply::Trouble(Outcome::AliasLoop));
        let mut long = answer(ResponseCode::NoError, true);
        long.add_answer(cname("_c.a.example.", "0.a.example."));
        for number in 0..8 {
            long.add_answer(cname(&format!("{number}.a.example."), &format!("{}.a.example.", number + 1)));
        }
        assert_eq!(of_zone(&long), Reply::Trouble(Outcome::TooManyAliases));
    }

    #[test]
    fn a_loop_is_seen_across_answers() {
        let mut aliases = Aliases::default();
        let (one, two) = (name("_c.a.example."), name("b.example."));
        let mut first = answer(ResponseCode::NoError, true);
        first.add_answer(cname("_c.a.example.", "b.example."));
        assert_eq!(Reply::of_resolver(&first, &one, &mut aliases), Reply::Alias(two.clone()));
        let mut second = answer(ResponseCode::NoError, true);
        second.add_answer(cname("b.example.", "_c.a.example."));
        assert_eq!(Reply::of_resolver(&second, &two, &mut aliases), Reply::Trouble(Outcome::AliasLoop));
    }

    #[test]
    fn a_resolver_says_how_long_it_remembers() {
        let soa = SOA::new(name("ns.a.example."), name("ns.a.example."), 1, 60, 60, 60, 86_400);
        let mut cached = answer(ResponseCode::NXDomain, false);
        assert_eq!(remembered(&cached), None);
        cached.add_authority(Record::from_rdata(name("a.example."), 3_000, RData::SOA(soa)));
        assert_eq!(remembered(&cached), Some(3_000));
        cached.metadata.authoritative = true;
        assert_eq!(remembered(&cached), None);
    }
}
