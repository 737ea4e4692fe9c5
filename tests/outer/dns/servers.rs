//! The name servers: two of Knot DNS with all zones from the root down, two resolvers of Unbound that trust the root's key,
//! all on loopback addresses and ports of their own.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::task::JoinHandle;
use vestibule::domain::{Challenge, Resolver, ZoneServers};
use vestibule_tests::Scratch;

use super::{
    cases::{Case, Signing},
    odd::{self, Oddity},
};

/// A server of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Servers {
    /// Knot DNS, which serves the root and everything else too.
    First,
    /// Another Knot DNS, which may have other records.
    Second,
    /// A third address of the first one.
    Third,
    /// Knot DNS, which has the zone in its configuration and can not load it.
    Broken,
    /// Knot DNS, which knows nothing of the zone.
    Stranger,
    /// Nobody listens there.
    Nobody,
    /// See [`Oddity`].
    Silent,
    NotInCharge,
    Noise,
    Forger,
    Ignorant,
    Truncates,
    /// A name without an address.
    Nameless,
}

const ODD: [(Servers, Oddity); 6] = [
    (Servers::Silent, Oddity::Silent),
    (Servers::NotInCharge, Oddity::NotInCharge),
    (Servers::Noise, Oddity::Noise),
    (Servers::Forger, Oddity::Forger),
    (Servers::Ignorant, Oddity::Ignorant),
    (Servers::Truncates, Oddity::Truncates),
];

impl Servers {
    /// Its last octet.
    fn octet(self) -> Option<u8> {
        Some(match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
            // The first one again, which fails for this zone only.
            Self::Broken => 1,
            Self::Stranger => 4,
            Self::Nobody => 5,
            Self::Silent => 6,
            Self::NotInCharge => 7,
            Self::Noise => 8,
            Self::Forger => 9,
            Self::Ignorant => 10,
            Self::Truncates => 11,
            Self::Nameless => return None,
        })
    }
}

pub(crate) struct World {
    scratch: Scratch,
    net: [u8; 3],
    port: u16,
    anchor: String,
    resolvers: Vec<SocketAddr>,
    processes: Vec<Child>,
    odd: Vec<JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        for task in &self.odd {
            task.abort();
        }
    }
}

impl World {
    /// Starts all servers with the zones of these cases.
    pub(crate) async fn start(cases: &[Case]) -> Self {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path()).unwrap();
        // A network of our own within 127.0.0.0/8, so that no two tests meet.
        let [_, a, b, _] = u32::from_be_bytes(vestibule::id::Random::System.bytes()).to_be_bytes();
        let net = [127, a, b];
        let port = free_port(Ipv4Addr::new(127, a, b, 1));
        let mut world = Self {
            scratch,
            net,
            port,
            anchor: String::new(),
            resolvers: Vec::new(),
            processes: Vec::new(),
            odd: Vec::new(),
        };
        world.start_knot(cases);
        for (server, oddity) in ODD {
            world.odd.push(odd::start((world.address(server).unwrap(), port).into(), oddity).await);
        }
        world.start_unbound(cases, 20);
        world.start_unbound(cases, 21);
        for server in [
            (world.address(Servers::First).unwrap(), port).into(),
            (world.address(Servers::Second).unwrap(), port).into(),
        ] {
            world.wait_for(server, "example. SOA").await;
        }
        for server in world.resolvers.clone() {
            world.wait_for(server, "example. SOA").await;
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn ip(&self, octet: u8) -> Ipv4Addr {
        let [a, b, c] = self.net;
        Ipv4Addr::new(a, b, c, octet)
    }

    fn address(&self, server: Servers) -> Option<Ipv4Addr> {
        server.octet().map(|octet| self.ip(octet))
    }

    pub(crate) fn zone_servers(&self) -> ZoneServers {
        ZoneServers::on_port(self.port, &self.anchor).unwrap()
    }

    pub(crate) fn resolver(&self, zone_servers: ZoneServers) -> Resolver {
        Resolver::new(&self.resolvers).with_zone_servers(zone_servers)
    }

    // ---- Knot DNS ----

    fn start_knot(&mut self, cases: &[Case]) {
        let signed: Vec<String> = cases.iter().filter(|case| case.signing.is_signed()).map(Case::zone_name).collect();
        self.configure("first", &[Servers::First, Servers::Third], cases, &signed);
        self.configure("second", &[Servers::Second], cases, &[]);
        self.configure("stranger", &[Servers::Stranger], &[], &[]);
        // Keys first, because the zone above names those of the zone below.
        let key_of = |zone: &str| {
            let generate = ["generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes"];
            self.run("keymgr", "first", &[&[zone], &generate[..]].concat());
            let ds = self.run("keymgr", "first", &[zone, "ds"]);
            ds.lines().find(|line| line.contains(" 13 2 ")).unwrap().to_owned()
        };
        let mut top = self.zone_file("example", &[Servers::First], "", 60);
        for case in cases.iter().filter(|case| case.delegated) {
            top.push_str(&self.delegation(&case.zone_name(), &case.servers));
            for (zone, _) in case.further.iter().filter(|(zone, _)| !zone.ends_with(&case.zone_name())) {
                top.push_str(&self.delegation(zone, &[Servers::First, Servers::Second]));
            }
            let name = case.zone_name();
            match case.signing {
                Signing::None => {}
                Signing::Signed => writeln!(top, "{}", key_of(&name)).unwrap(),
                Signing::WrongDs => {
                    let ds = key_of(&name);
                    let (right, last) = ds.split_at(ds.len() - 8);
                    writeln!(top, "{right}{}", flip(last)).unwrap();
                }
                Signing::Stripped => writeln!(top, "{name}. DS 1 13 2 {}", "ab".repeat(32)).unwrap(),
            }
        }
        let ds = key_of("example");
        let root = format!(
            "$ORIGIN .\n$TTL 60\n@ SOA a.root. h.root. 1 60 60 60 60\n@ NS a.root.\na.root. A {0}\nexample. NS ns1.example.\nns1.example. A {0}\n{ds}\n",
            self.ip(1)
        );
        let _ = key_of(".");
        let anchor = self.run("keymgr", "first", &[".", "dnskey"]);
        self.anchor = anchor.replace(". DNSKEY", ". 3600 IN DNSKEY");
        self.write("first", "example", &top);
        self.write("second", "example", &top);
        self.write("first", ".", &root);
        self.write("second", ".", &root);
        for case in cases {
            for (server, records) in
                [("first", &case.records), ("second", case.second.as_ref().unwrap_or(&case.records))]
            {
                self.write_case(server, case, records, 1);
            }
            for (zone, records) in &case.further {
                let file = self.zone_file(zone, &[Servers::First, Servers::Second], &case.filled(records), 60);
                self.write("first", zone, &file);
                self.write("second", zone, &file);
            }
        }
        for server in ["first", "second", "stranger"] {
            let process = self.spawn("knotd", &["-c", &format!("{server}.conf")], server);
            self.processes.push(process);
        }
    }

    /// A configuration with every zone, and the zones that are signed.
    fn configure(&self, server: &str, addresses: &[Servers], cases: &[Case], signed: &[String]) {
        let listen: Vec<String> =
            addresses.iter().map(|address| format!("{}@{}", self.address(*address).unwrap(), self.port)).collect();
        let place = self.path(server);
        fs::create_dir(&place).unwrap();
        let place = place.display();
        let mut text = format!(
            "server:\n    rundir: \"{place}\"\n    listen: [ {} ]\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n\
             log:\n  - target: stderr\n    any: warning\n\
             database:\n    storage: \"{place}\"\n    journal-db-max-size: 64M\n    kasp-db-max-size: 64M\n    timer-db-max-size: 16M\n\
             policy:\n  - id: keys\n    manual: on\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n\
             zone:\n",
            listen.join(", ")
        );
        let mut zones: Vec<String> = Vec::new();
        if server != "stranger" {
            zones.extend([".".to_owned(), "example".to_owned()]);
            // A server of the zone above that had the zone itself would not say whose it is.
            let of_case = if server == "first" {
                [Servers::First, Servers::Third, Servers::Broken]
            } else {
                [Servers::Second; 3]
            };
            let has = |case: &&Case| case.delegated && of_case.iter().any(|server| case.servers.contains(server));
            zones.extend(cases.iter().filter(has).map(Case::zone_name));
            zones.extend(cases.iter().flat_map(|case| case.further.iter().map(|(zone, _)| zone.clone())));
        } else {
            zones.push("stranger.example".to_owned());
        }
        for zone in zones {
            let signs = server == "first" && (zone == "." || zone == "example" || signed.contains(&zone));
            writeln!(text, "  - domain: \"{zone}\"\n    file: \"{}\"", self.zone_path(server, &zone).display())
                .unwrap();
            if signs {
                text.push_str("    dnssec-signing: on\n    dnssec-policy: keys\n    zonefile-sync: -1\n    zonefile-load: difference-no-serial\n    journal-content: all\n");
            }
        }
        fs::write(self.path(&format!("{server}.conf")), text).unwrap();
    }

    fn zone_path(&self, server: &str, zone: &str) -> PathBuf {
        let name = if zone == "." { "root" } else { zone };
        self.path(server).join(format!("{name}.zone"))
    }

    fn write(&self, server: &str, zone: &str, text: &str) {
        fs::write(self.zone_path(server, zone), text).unwrap();
    }

    fn write_case(&self, server: &str, case: &Case, records: &str, serial: u32) {
        // A zone that its server can not load is one whose file is not there.
        if case.servers.contains(&Servers::Broken) {
            return;
        }
        let text = self.zone_file(&case.zone_name(), &case.servers, &case.filled(records), case.minimum);
        self.write(server, &case.zone_name(), &text.replace(" 1 60 60 60 ", &format!(" {serial} 60 60 60 ")));
    }

    fn zone_file(&self, zone: &str, servers: &[Servers], records: &str, minimum: u32) -> String {
        let mut text = format!("$ORIGIN {zone}.\n$TTL 60\n@ {minimum} SOA ns1 h 1 60 60 60 {minimum}\n");
        for (number, server) in servers.iter().enumerate() {
            writeln!(text, "@ NS ns{}", number + 1).unwrap();
            if let Some(address) = self.address(*server) {
                writeln!(text, "ns{} A {address}", number + 1).unwrap();
            }
        }
        text + records + "\n"
    }

    /// What the zone above says of a zone.
    fn delegation(&self, zone: &str, servers: &[Servers]) -> String {
        let mut text = String::new();
        for (number, server) in servers.iter().enumerate() {
            let number = number + 1;
            writeln!(text, "{zone}. NS ns{number}.{zone}.").unwrap();
            if let Some(address) = self.address(*server) {
                writeln!(text, "ns{number}.{zone}. A {address}").unwrap();
            }
        }
        text
    }

    /// Has both servers of Knot DNS serve these records of a case's from now on.
    pub(crate) async fn publish(&self, case: &Case, records: &str) {
        for server in ["first", "second"] {
            self.write_case(server, case, records, 2);
            self.run("knotc", server, &["zone-reload", &case.zone_name()]);
        }
        let Challenge { name, .. } = case.claim().challenge;
        for server in [1, 2] {
            self.wait_for((self.ip(server), self.port).into(), &format!("{name}. TXT")).await;
        }
    }

    // ---- Unbound ----

    fn start_unbound(&mut self, cases: &[Case], octet: u8) {
        let (ip, port) = (self.ip(octet), free_port(self.ip(octet)));
        let place = self.scratch.path().display();
        let mut text = format!(
            "server:\n    interface: {ip}@{port}\n    directory: \"{place}\"\n    chroot: \"\"\n    username: \"\"\n    pidfile: \"\"\n    \
             use-syslog: no\n    logfile: \"\"\n    do-daemonize: no\n    do-ip6: no\n    num-threads: 1\n    do-not-query-localhost: no\n    \
             access-control: 127.0.0.0/8 allow\n    module-config: \"validator iterator\"\n    trust-anchor: \"{}\"\n    \
             outgoing-range: 256\n    cache-max-negative-ttl: 86400\n    num-queries-per-thread: 128\nremote-control:\n    control-enable: no\n",
            self.anchor.trim()
        );
        let first = [Servers::First];
        let mut zones: Vec<(String, Vec<Servers>)> =
            vec![(".".to_owned(), first.to_vec()), ("example".to_owned(), first.to_vec())];
        for case in cases.iter().filter(|case| case.delegated) {
            zones.push((case.zone_name(), case.resolvers_ask.clone().unwrap_or_else(|| case.servers.clone())));
            zones.extend(case.further.iter().map(|(zone, _)| (zone.clone(), vec![Servers::First])));
        }
        for (zone, servers) in zones {
            writeln!(text, "stub-zone:\n    name: \"{zone}\"\n    stub-prime: no").unwrap();
            for address in servers.iter().filter_map(|server| self.address(*server)) {
                writeln!(text, "    stub-addr: {address}@{}", self.port).unwrap();
            }
        }
        let name = format!("unbound-{octet}");
        fs::write(self.path(&format!("{name}.conf")), text).unwrap();
        let process = self.spawn("unbound", &["-d", "-c", &format!("{name}.conf")], &name);
        self.processes.push(process);
        self.resolvers.push((ip, port).into());
    }

    /// Asks some of the resolvers for a case's record, as anybody may.
    pub(crate) async fn ask_as_a_stranger(&self, case: &Case, resolvers: &[usize]) {
        let claim = case.claim();
        for place in resolvers {
            Resolver::new(&self.resolvers[*place..=*place]).look_up(&claim.domain, &claim.challenge).await;
        }
    }

    // ---- Processes ----

    fn run(&self, program: &str, server: &str, arguments: &[&str]) -> String {
        let config = format!("{server}.conf");
        let output =
            Command::new(program).args(["-c", &config]).args(arguments).current_dir(self.scratch.path()).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn spawn(&self, program: &str, arguments: &[&str], name: &str) -> Child {
        let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        let command = Command::new(program)
            .args(arguments)
            .current_dir(self.scratch.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        command.unwrap_or_else(|error| panic!("{program} does not start: {error}"))
    }

    /// Waits until a server answers a question with something.
    async fn wait_for(&self, server: SocketAddr, question: &str) {
        let (name, kind) = question.split_once(' ').unwrap();
        for _ in 0..200 {
            if answered(server, name, kind).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{server} does not answer {question}: {}", logs(self.scratch.path()));
    }
}

async fn answered(server: SocketAddr, name: &str, kind: &str) -> bool {
    use hickory_server::proto::{
        op::{Message, Query},
        rr::Name,
    };
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind.parse().unwrap()));
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let _ = socket.send_to(&message.to_vec().unwrap(), server).await;
    let mut buffer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await;
    let Ok(Ok(read)) = read else { return false };
    Message::from_vec(&buffer[..read]).is_ok_and(|answer| !answer.answers.is_empty())
}

fn logs(place: &Path) -> String {
    let files = fs::read_dir(place).unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| format!("{}:\n{}", path.display(), fs::read_to_string(&path).unwrap())).collect()
}

fn free_port(address: Ipv4Addr) -> u16 {
    StdListener::bind((address, 0)).unwrap().local_addr().unwrap().port()
}

/// The same hexadecimal text with another first digit.
fn flip(digits: &str) -> String {
    let first = if digits.starts_with('0') { '1' } else { '0' };
    format!("{first}{}", &digits[1..])
}
