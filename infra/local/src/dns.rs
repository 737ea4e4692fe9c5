//! A DNS zone on loopback: authoritative for everything, so that whatever is published in it is all there is.

mod pages;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_server::{
    Server,
    proto::rr::{
        Name, RData, RecordSet, RecordType, RrKey,
        rdata::{NS, SOA, TXT},
    },
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, Catalog, ZoneType},
};
use serde::Serialize;
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::Mutex,
    task::JoinHandle,
};

pub(crate) use pages::router;

use crate::{
    StartError,
    data::{Data, DataError},
    stop::Stop,
};

/// Names that can have a record.
const MAX_NAMES: usize = 1_000;
/// Values of one name.
const MAX_VALUES: usize = 20;
/// Bytes of one value. A value over 255 is published as several strings (RFC 1035, section 3.3).
const MAX_VALUE: usize = 2_000;
/// Seconds a resolver may keep an answer, and the absence of one: none, so that a change is seen at once.
const TTL: u32 = 0;
/// Servers, each on a port of its own: the perspectives from which the product looks.
const SERVERS: usize = 2;
/// How long a TCP connection may rest.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// The file in the data directory.
const FILE: &str = "dns.json";

/// The zone.
#[derive(Clone)]
pub struct Zone(Arc<Inner>);

struct Inner {
    data: Data,
    handler: Arc<InMemoryZoneHandler>,
    records: Mutex<BTreeMap<String, Vec<String>>>,
    servers: Vec<SocketAddr>,
}

/// The TXT record of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The name, in lower case and without the final dot.
    pub name: String,
    /// `TXT`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its values.
    pub values: Vec<String>,
}

impl Record {
    fn txt((name, values): (&String, &Vec<String>)) -> Self {
        Self { name: name.clone(), kind: "TXT", values: values.clone() }
    }
}

/// Why a record is not published.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// The name is no DNS name.
    #[error("'{0}' is no DNS name: labels of 1 to 63 letters, digits, - or _, 253 characters in all")]
    Name(String),
    /// There is no value, or too many.
    #[error("a TXT record here has 1 to {MAX_VALUES} values")]
    Values,
    /// A value is empty or too long.
    #[error("a value has 1 to {MAX_VALUE} bytes")]
    Value,
    /// The zone is full.
    #[error("{MAX_NAMES} names have a record already: remove one")]
    Full,
    /// It could not be kept.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl Zone {
    /// Starts the servers of what the data directory holds.
    pub(crate) async fn start(data: &Data, stop: &Stop) -> Result<(Self, JoinHandle<()>), StartError> {
        let records: BTreeMap<String, Vec<String>> = data.read(FILE)?.unwrap_or_default();
        let handler = Arc::new(InMemoryZoneHandler::empty(Name::root(), ZoneType::Primary, AxfrPolicy::Deny));
        {
            let mut published = handler.records_mut().await;
            published.extend(apex());
            published.extend(records.iter().filter_map(|(name, values)| record_set(&parse_name(name).ok()?, values)));
        }
        let mut catalog = Catalog::new();
        catalog.upsert(Name::root().into(), vec![handler.clone()]);
        let mut server = Server::new(catalog);
        let mut servers = Vec::new();
        for _ in 0..SERVERS {
            let (tcp, udp) = bind().await.map_err(StartError::Listen)?;
            servers.push(udp.local_addr().map_err(StartError::Listen)?);
            server.register_socket(udp);
            server.register_listener(tcp, TCP_TIMEOUT, 16);
        }
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            stopping.asked().await;
            let _ = server.shutdown_gracefully().await;
        });
        let inner = Inner { data: data.clone(), handler, records: Mutex::new(records), servers };
        Ok((Self(Arc::new(inner)), task))
    }

    /// The addresses of the servers, each on UDP and TCP.
    #[must_use]
    pub fn servers(&self) -> &[SocketAddr] {
        &self.0.servers
    }

    /// All records, by name.
    pub async fn records(&self) -> Vec<Record> {
        self.0.records.lock().await.iter().map(Record::txt).collect()
    }

    /// Publishes `values` as the TXT record of `name`, in place of whatever it was.
    ///
    /// # Errors
    /// [`ZoneError`].
    pub async fn publish(&self, name: &str, values: Vec<String>) -> Result<Record, ZoneError> {
        let name = parse_name(name)?;
        if values.is_empty() || values.len() > MAX_VALUES {
            return Err(ZoneError::Values);
        }
        if values.iter().any(|value| value.is_empty() || value.len() > MAX_VALUE) {
            return Err(ZoneError::Value);
        }
        let mut records = self.0.records.lock().await;
        let spelled = spell(&name);
        if !records.contains_key(&spelled) && records.len() >= MAX_NAMES {
            return Err(ZoneError::Full);
        }
        let mut changed = records.clone();
        changed.insert(spelled.clone(), values.clone());
        self.0.data.write(FILE, &changed)?;
        *records = changed;
        self.0.handler.records_mut().await.extend(record_set(&name, &values));
        Ok(Record { name: spelled, kind: "TXT", values })
    }

    /// Removes the TXT record of `name`, if it has one.
    ///
    /// # Errors
    /// [`ZoneError::Name`] and [`ZoneError::Data`].
    pub async fn remove(&self, name: &str) -> Result<(), ZoneError> {
        let name = parse_name(name)?;
        let mut records = self.0.records.lock().await;
        let mut changed = records.clone();
        changed.remove(&spell(&name));
        self.0.data.write(FILE, &changed)?;
        *records = changed;
        self.0.handler.records_mut().await.remove(&RrKey::new(name.into(), RecordType::TXT));
        Ok(())
    }
}

/// TCP and UDP on one free port.
async fn bind() -> std::io::Result<(TcpListener, UdpSocket)> {
    let mut attempts = 0;
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error) if attempts == 20 => return Err(error),
            Err(_) => attempts += 1,
        }
    }
}

fn parse_name(text: &str) -> Result<Name, ZoneError> {
    let wrong = || ZoneError::Name(text.chars().take(80).collect());
    let text = text.trim().trim_end_matches('.');
    let mut name = Name::from_str_relaxed(text).map_err(|_| wrong())?.to_lowercase();
    let plain = |label: &[u8]| label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if text.is_empty() || !name.iter().all(plain) {
        return Err(wrong());
    }
    name.set_fqdn(true);
    Ok(name)
}

fn spell(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

/// What makes the root a zone. The last number of the SOA is how long an absence may be kept (RFC 2308, section 4).
fn apex() -> [(RrKey, Arc<RecordSet>); 2] {
    let server = Name::root();
    let soa = SOA::new(server.clone(), server.clone(), 1, 60, 60, 60, TTL);
    [RData::SOA(soa), RData::NS(NS(server))].map(|record| one_set(&Name::root(), record.record_type(), [record]))
}

fn record_set(name: &Name, values: &[String]) -> Option<(RrKey, Arc<RecordSet>)> {
    let strings = |value: &String| {
        let chunks: Vec<&[u8]> = value.as_bytes().chunks(255).collect();
        RData::TXT(TXT::from_bytes(chunks))
    };
    (!values.is_empty()).then(|| one_set(name, RecordType::TXT, values.iter().map(strings)))
}

fn one_set(name: &Name, kind: RecordType, data: impl IntoIterator<Item = RData>) -> (RrKey, Arc<RecordSet>) {
    let mut set = RecordSet::with_ttl(name.clone(), kind, TTL);
    for record in data {
        set.add_rdata(record);
    }
    (RrKey::new(name.into(), kind), Arc::new(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_one_way() {
        for text in ["_X.Acme.example", "_x.acme.example.", " _x.acme.example "] {
            assert_eq!(spell(&parse_name(text).unwrap()), "_x.acme.example");
        }
        assert_eq!(spell(&parse_name("bücher.example").unwrap()), "xn--bcher-kva.example");
        for bad in ["", ".", "a..b", "a b.example", "a/b", &"a".repeat(64), &"abc.".repeat(70)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_long_value_is_several_strings() {
        let (_, set) = record_set(&Name::root(), &["x".repeat(300)]).unwrap();
        let RData::TXT(txt) = &set.record().unwrap().data else { panic!("a TXT record") };
        assert_eq!(txt.txt_data.iter().map(|part| part.len()).collect::<Vec<_>>(), [255, 45]);
    }
}
