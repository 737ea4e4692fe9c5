//! Zones as they are found in the world, each with what is to come of it.

use vestibule::{
    app::Settings,
    clock::Timestamp,
    domain::{DomainClaim, claim},
    id::{ParentId, Random, SeededRandom},
    parent::Parent,
    seal::SealingKey,
};

use super::servers::Servers::{
    self, Broken, First, Forger, Ignorant, Nameless, Nobody, Noise, NotInCharge, Second, Silent, Stranger, Third,
    Truncates,
};

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// Not at all, and the zone above says so.
    None,
    /// As it should be.
    Signed,
    /// By another key than the zone above names.
    WrongDs,
    /// Not at all, although the zone above names a key.
    Stripped,
}

impl Signing {
    pub(crate) fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::WrongDs)
    }
}

/// A zone under `example.`, a claim, and what a lookup makes of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The zone's first label.
    pub(crate) name: &'static str,
    /// Its records in the form of a zone file, in which `{c}` is the challenge's label, `{d}` the zone, and `{v}` the value
    /// that proves the claim, with `{v1}` and `{v2}` its halves and `{lower}` the same in small letters.
    pub(crate) records: String,
    /// Those that the second server has, where they are others.
    pub(crate) second: Option<String>,
    /// Further zones, which the first two servers have.
    pub(crate) further: Vec<(String, String)>,
    pub(crate) servers: Vec<Servers>,
    /// Whom the resolvers ask, where it is to be certain.
    pub(crate) resolvers_ask: Option<Vec<Servers>>,
    pub(crate) signing: Signing,
    /// Seconds for which the absence of a record may be remembered.
    pub(crate) minimum: u32,
    /// Whether the zone above knows of the zone.
    pub(crate) delegated: bool,
    /// What of it is claimed, below the zone, with a dot at the end.
    below: &'static str,
    /// Whether it is looked at as a deployment does, which asks public addresses only.
    pub(crate) public: bool,
    pub(crate) status: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) resolvers: &'static str,
    /// What the words of the findings or of the claim say among other things.
    pub(crate) words: &'static str,
}

impl Case {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            records: String::new(),
            second: None,
            further: Vec::new(),
            servers: vec![First, Second],
            resolvers_ask: None,
            signing: Signing::None,
            minimum: 60,
            delegated: true,
            below: "",
            public: false,
            status: "",
            zone: "",
            resolvers: "",
            words: "",
        }
    }

    pub(crate) fn records(self, records: &str) -> Self {
        Self { records: records.to_owned(), ..self }
    }

    pub(crate) fn second(self, records: &str) -> Self {
        Self { second: Some(records.to_owned()), ..self }
    }

    fn further(mut self, zone: &str, records: &str) -> Self {
        self.further.push((zone.to_owned(), records.to_owned()));
        self
    }

    pub(crate) fn servers(self, servers: &[Servers]) -> Self {
        Self { servers: servers.to_vec(), ..self }
    }

    fn resolvers_ask(self, servers: &[Servers]) -> Self {
        Self { resolvers_ask: Some(servers.to_vec()), ..self }
    }

    pub(crate) fn signing(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    pub(crate) fn minimum(self, minimum: u32) -> Self {
        Self { minimum, ..self }
    }

    fn below(self, below: &'static str) -> Self {
        Self { below, ..self }
    }

    fn seen(self, status: &'static str, zone: &'static str, resolvers: &'static str, words: &'static str) -> Self {
        Self { status, zone, resolvers, words, ..self }
    }

    fn verified(self) -> Self {
        self.seen("verified", "found found", "found found", "Leave the record in place")
    }

    /// The zone says that the record is not there as it should be, so no resolver is asked.
    fn pending(self, outcome: &'static str, words: &'static str) -> Self {
        self.seen("pending", outcome, "not_asked not_asked", words)
    }

    pub(crate) fn zone_name(&self) -> String {
        format!("{}.example", self.name)
    }

    /// The claim; always the same for a case.
    pub(crate) fn claim(&self) -> DomainClaim {
        let key = SealingKey::new(&[0; 32]).unwrap();
        let settings = Settings::new("https://id.vendor.example".parse().unwrap(), key).unwrap();
        let parent =
            Parent { id: ParentId::from_bits(1), connection: None, domains: 0, created_at: Timestamp::UNIX_EPOCH };
        let seed = self.name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let random = Random::Seeded(SeededRandom::new(seed));
        let domain = format!("{}{}", self.below, self.zone_name()).parse().unwrap();
        claim(&parent, domain, &settings, Timestamp::UNIX_EPOCH, &random).unwrap().1
    }

    /// Records with their placeholders filled.
    pub(crate) fn filled(&self, records: &str) -> String {
        let value = self.claim().challenge.value;
        let (one, two) = value.split_at(20);
        records
            .replace("{c}", "_anthropic-challenge")
            .replace("{d}", &self.zone_name())
            .replace("{v1}", one)
            .replace("{v2}", two)
            .replace("{lower}", &value.to_lowercase())
            .replace("{v}", &value)
    }
}

fn case(name: &'static str) -> Case {
    Case::new(name)
}

fn chain(aliases: usize) -> String {
    let mut records = "{c} CNAME a1\n".to_owned();
    for number in 1..aliases {
        records += &format!("a{number} CNAME a{}\n", number + 1);
    }
    records + &format!("a{aliases} TXT \"{{v}}\"")
}

fn many(count: usize, length: usize) -> String {
    let filler = |number| format!("{{c}} TXT \"{}{number}\"\n", "x".repeat(length));
    (0..count).map(filler).collect::<String>() + "{c} TXT \"{v}\""
}

/// What resolvers make of servers that do not work differs from one to the next; none of them sees the record.
pub(crate) const ANY: &str = "any";
const RIGHT: &str = "{c} TXT \"{v}\"";

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [records(), names(), aliases(), delegations(), troubles(), signatures()].concat()
}

fn records() -> Vec<Case> {
    vec![
        case("plain").records(RIGHT).verified(),
        case("absent").pending("nxdomain nxdomain", "Publish the record there"),
        case("no-text").records("{c} A 192.0.2.1").pending("empty empty", "Check that the record's type is TXT"),
        case("empty-between").records("x.{c} TXT \"y\"").pending("empty empty", "has no TXT record"),
        case("other-text").records("{c} TXT \"v=spf1 -all\"").pending("wrong_value wrong_value", "none has the value"),
        case("among-others").records("{c} TXT \"v=spf1 -all\"\n{c} TXT \"{v}\"\n{c} TXT \"\"").verified(),
        case("older-token")
            .records("{c} TXT \"anthropic-domain-verification=older\"")
            .pending("older_token older_token", "another token"),
        case("older-beside").records("{c} TXT \"anthropic-domain-verification=older\"\n{c} TXT \"{v}\"").verified(),
        case("quotes").records("{c} TXT \"\\\"{v}\\\"\"").pending("altered_value altered_value", "remove the quotes"),
        case("space-before").records("{c} TXT \" {v}\"").pending("altered_value altered_value", "remove the spaces"),
        case("space-within")
            .records("{c} TXT \"{v1} {v2}\"")
            .pending("altered_value altered_value", "remove the spaces"),
        case("small-letters")
            .records("{c} TXT \"{lower}\"")
            .pending("altered_value altered_value", "capital and small"),
        case("with-its-type")
            .records("{c} TXT \"TXT={v}\"")
            .pending("altered_value altered_value", "remove everything else"),
        case("several-strings").records("{c} TXT \"{v1}\" \"{v2}\"").verified(),
        case("strings-with-space")
            .records("{c} TXT \"{v1} \" \"{v2}\"")
            .pending("altered_value altered_value", "remove the spaces"),
        case("very-many").records(&many(250, 20)).verified(),
        case("too-long-for-udp").records(&many(12, 200)).verified(),
        case("long-strings")
            .records(&format!("{{c}} TXT {}", format!("\"{}\" ", "y".repeat(255)).repeat(12)))
            .pending("wrong_value wrong_value", "none has the value"),
        case("no-text-at-all")
            .records("{c} TXT \"\\200\\201\\000\"")
            .pending("wrong_value wrong_value", "none has the value"),
        case("never-kept").records("{c} 0 TXT \"{v}\"").verified(),
        case("wildcard").records("* TXT \"v=spf1 -all\"").pending("wrong_value wrong_value", "A wildcard record"),
        case("wildcard-right").records("* TXT \"{v}\"").verified(),
        case("xn--bcher-kva").records(RIGHT).verified(),
    ]
}

fn names() -> Vec<Case> {
    vec![
        case("capitals").records("_ANTHROPIC-Challenge TXT \"{v}\"").verified(),
        case("doubled")
            .records("{c}.{d} TXT \"{v}\"")
            .pending("doubled_suffix doubled_suffix", "_anthropic-challenge.doubled.example.doubled.example"),
        case("at-the-top")
            .records("@ TXT \"{v}\"")
            .pending("wrong_host wrong_host", "The value is at at-the-top.example"),
        case("no-underscore")
            .records("anthropic-challenge TXT \"{v}\"")
            .pending("wrong_host wrong_host", "The value is at anthropic-challenge.no-underscore.example"),
        case("www")
            .records("{c}.www TXT \"{v}\"")
            .pending("wrong_host wrong_host", "_anthropic-challenge.www.www.example"),
        case("below").below("sub.").records("{c}.sub TXT \"{v}\"").verified(),
        case("below-doubled")
            .below("sub.")
            .records("{c}.sub.{d} TXT \"{v}\"")
            .pending("doubled_suffix doubled_suffix", "below-doubled.example.below-doubled.example"),
        case("below-at-parent")
            .below("sub.")
            .records(RIGHT)
            .pending("wrong_host wrong_host", "The value is at _anthropic-challenge.below-at-parent.example"),
    ]
}

fn aliases() -> Vec<Case> {
    vec![
        case("alias").records("{c} CNAME proof\nproof TXT \"{v}\"").verified(),
        case("alias-elsewhere")
            .records("{c} CNAME proof.alias-host.example.")
            .further("alias-host.example", "proof TXT \"{v}\"")
            .verified(),
        case("alias-wildcard").records("* CNAME proof\nproof TXT \"{v}\"").verified(),
        case("alias-eight").records(&chain(8)).verified(),
        case("alias-nine").records(&chain(9)).seen(
            "pending",
            "too_many_aliases too_many_aliases",
            "too_many_aliases too_many_aliases",
            "more than eight times",
        ),
        case("alias-loop").records("{c} CNAME one\none CNAME two\ntwo CNAME one").seen(
            "pending",
            "alias_loop alias_loop",
            "servfail servfail",
            "leads back to itself",
        ),
        case("alias-of-itself").records("{c} CNAME {c}").seen(
            "pending",
            "alias_loop alias_loop",
            "servfail servfail",
            "leads back to itself",
        ),
        case("alias-to-nothing").records("{c} CNAME nothing").pending("nxdomain nxdomain", "There is no such name"),
        case("alias-to-no-text")
            .records("{c} CNAME host\nhost A 192.0.2.1")
            .pending("empty empty", "has no TXT record"),
    ]
}

fn delegations() -> Vec<Case> {
    vec![
        case("zone-below")
            .below("sub.")
            .records("sub NS ns1\nsub NS ns2")
            .further("sub.zone-below.example", RIGHT)
            .verified(),
        case("record-below")
            .records("{c} NS ns1\n{c} NS ns2")
            .further("_anthropic-challenge.record-below.example", "@ TXT \"{v}\"")
            .verified(),
        case("three-servers").servers(&[First, Second, Third]).records(RIGHT).seen(
            "verified",
            "found found found",
            "found found",
            "The record is there",
        ),
        case("six-servers").servers(&[First, Second, Third, First, Second, Third]).records(RIGHT).seen(
            "verified",
            "found found found found",
            "found found",
            "The record is there",
        ),
        case("not-registered").not_delegated(),
        case("nameless").servers(&[Nameless]).seen(
            "pending",
            "no_servers",
            "servfail servfail",
            "whose address can be found",
        ),
        case("one-nameless").servers(&[First, Nameless]).resolvers_ask(&[First]).records(RIGHT).seen(
            "verified",
            "found no_servers",
            "found found",
            "The record is there",
        ),
        case("internal").records(RIGHT).looked_at_as_deployed().seen(
            "verified",
            "internal internal",
            "found found",
            "is not a public one",
        ),
    ]
}

fn troubles() -> Vec<Case> {
    vec![
        case("broken").servers(&[Broken]).seen(
            "pending",
            "servfail",
            "servfail servfail",
            "the zone is broken or expired",
        ),
        case("strangers").servers(&[Stranger]).seen(
            "pending",
            "refused",
            "servfail servfail",
            "the delegation is wrong",
        ),
        case("lame").servers(&[NotInCharge]).seen("pending", "lame", ANY, "a lame delegation"),
        case("half-lame").servers(&[First, NotInCharge]).resolvers_ask(&[First]).records(RIGHT).seen(
            "verified",
            "found lame",
            "found found",
            "The record is there",
        ),
        case("dead").servers(&[Nobody]).seen("pending", "timeout", ANY, "A firewall can be the cause"),
        case("silent").servers(&[Silent]).seen("pending", "timeout", ANY, "did not answer in time"),
        case("half-dead").servers(&[First, Silent]).resolvers_ask(&[First]).records(RIGHT).seen(
            "verified",
            "found timeout",
            "found found",
            "The record is there",
        ),
        case("noise").servers(&[Noise]).seen("pending", "failed", ANY, "did not answer as a name server does"),
        case("forger").servers(&[Forger]).seen("pending", "timeout", ANY, "did not answer in time"),
        case("ignorant").servers(&[Ignorant]).seen("pending", "failed", ANY, "did not answer as a name"),
        case("no-tcp").servers(&[Truncates]).seen("pending", "failed", ANY, "could not be reached"),
        case("not-everywhere").records(RIGHT).second("").pending("found nxdomain", "do not agree"),
        case("old-on-second")
            .records(RIGHT)
            .second("{c} TXT \"anthropic-domain-verification=older\"")
            .pending("found older_token", "do not agree"),
        case("two-of-three").servers(&[First, Second, Third]).resolvers_ask(&[First]).records(RIGHT).second("").seen(
            "verified",
            "found nxdomain found",
            "found found",
            "The record is there",
        ),
    ]
}

fn signatures() -> Vec<Case> {
    let signed = |name| case(name).servers(&[First]).signing(Signing::Signed);
    vec![
        signed("signed").records(RIGHT).seen("verified", "found", "found found", "The record is there"),
        signed("signed-absent").pending("nxdomain", "Publish the record there"),
        signed("signed-no-text").records("{c} A 192.0.2.1").pending("empty", "has no TXT record"),
        signed("signed-wildcard").records("* TXT \"{v}\"").seen(
            "verified",
            "found",
            "found found",
            "The record is there",
        ),
        signed("signed-alias").records("{c} CNAME proof\nproof TXT \"{v}\"").seen(
            "verified",
            "found",
            "found found",
            "The record is there",
        ),
        signed("bogus-key").signing(Signing::WrongDs).records(RIGHT).seen(
            "pending",
            "bogus",
            "bogus bogus",
            "signatures do not hold",
        ),
        signed("bogus-absent").signing(Signing::WrongDs).seen(
            "pending",
            "bogus",
            "bogus bogus",
            "signatures do not hold",
        ),
        case("bogus-stripped").signing(Signing::Stripped).records(RIGHT).seen(
            "pending",
            "bogus bogus",
            "bogus bogus",
            "signatures do not hold",
        ),
    ]
}

impl Case {
    /// The zone above knows nothing of it: its own servers say so.
    fn not_delegated(self) -> Self {
        Self { delegated: false, ..self }.pending("nxdomain", "There is no such name")
    }

    /// It is looked at as a deployment does.
    fn looked_at_as_deployed(self) -> Self {
        Self { public: true, ..self }
    }
}
