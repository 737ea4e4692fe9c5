//! What DNS says of a claim, perspective by perspective, and what that amounts to.

use serde::{Deserialize, Serialize};

use super::Challenge;
use crate::clock::Timestamp;

/// Values of one perspective that are kept to be shown.
const MAX_VALUES: usize = 5;
/// Characters of a value that are kept to be shown.
const MAX_VALUE: usize = 255;

/// What was found at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When the last perspective had answered.
    pub at: Timestamp,
    /// What each perspective saw.
    pub findings: Vec<Finding>,
}

/// What evidence amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A majority of the perspectives saw the record.
    Proof,
    /// Those who decide what is in the zone say that the record is not.
    Absence,
    /// Neither: somebody did not answer, or they do not agree.
    Unclear,
}

impl Evidence {
    /// What it amounts to.
    ///
    /// The zone's own servers are one perspective, for which most of those that say anything decide; each resolver is
    /// another. More than half of the perspectives must have seen the record; one that did not answer, or was not asked, has
    /// not seen it. For the absence the zone's own servers decide alone, because no resolver's trouble or memory may cost
    /// anybody a domain: at least half of them must say so with authority, and nobody have seen the record. Where none of
    /// them is among the perspectives, that goes for all.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let (zone, resolvers): (Vec<&Finding>, Vec<&Finding>) =
            self.findings.iter().partition(|finding| finding.source == Source::Zone);
        let count = |findings: &[&Finding], holds: fn(&Finding) -> bool| {
            findings.iter().filter(|finding| holds(finding)).count()
        };
        let of_zone = usize::from(has_most(&zone));
        let votes = of_zone + count(&resolvers, Finding::is_found);
        if votes * 2 > resolvers.len() + usize::from(!zone.is_empty()) {
            return Verdict::Proof;
        }
        let deciding = if zone.is_empty() { resolvers } else { zone };
        let absent = count(&deciding, Finding::is_authoritative_absence);
        let nobody_saw_it = !self.findings.iter().any(Finding::is_found);
        if nobody_saw_it && absent > 0 && absent * 2 >= deciding.len() {
            return Verdict::Absence;
        }
        Verdict::Unclear
    }

    /// What the perspectives say together that none of them says alone, in words.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let zone = || self.findings.iter().filter(|finding| finding.source == Source::Zone);
        let seen = zone().filter(|finding| finding.is_found()).count();
        if seen > 0 && zone().any(Finding::is_authoritative_absence) {
            return Some(
                "The zone's own servers do not agree: some have the record and others do not. If it was published only \
                 now, it is still on its way to them; otherwise the DNS provider has to look at the servers without it.",
            );
        }
        if seen > 0 && self.findings.iter().any(|finding| finding.remembered.is_some()) {
            return Some(
                "The zone's own servers have the record, and resolvers still remember that it was not there. Nothing \
                 has to be done but to wait for as long as they say.",
            );
        }
        if self.findings.iter().any(|finding| finding.outcome == Outcome::Bogus) {
            return Some(
                "The domain's DNSSEC signatures do not hold, so nothing that its DNS says is believed. The domain's DNS \
                 provider has to mend that first.",
            );
        }
        None
    }

    /// The finding that tells most about what is in the way: what the zone's own servers say before what resolvers say.
    #[must_use]
    pub fn foremost(&self) -> Option<&Finding> {
        self.findings.iter().filter(|finding| !finding.is_found()).min_by_key(|finding| {
            (finding.outcome == Outcome::NotAsked, finding.source == Source::Resolver, finding.outcome.is_silence())
        })
    }
}

/// Whether most of a zone's own servers that say anything have the record: one that is out of order has no say.
pub(super) fn has_most(zone: &[&Finding]) -> bool {
    let found = zone.iter().filter(|finding| finding.is_found()).count();
    found * 2 > zone.iter().filter(|finding| finding.authoritative).count()
}

/// Where a finding comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// One of the zone's own servers, asked directly.
    Zone,
    /// A resolver, or whatever server is asked in the place of one.
    #[default]
    Resolver,
}

/// What one perspective saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The server that was asked: its address, behind its name where it has one.
    pub perspective: String,
    /// What kind of server it is.
    #[serde(default)]
    pub source: Source,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the server spoke with authority for the zone (the AA bit of RFC 1035, section 4.1.1).
    #[serde(default)]
    pub authoritative: bool,
    /// The values that were there, cut to what can be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Where the value was found instead, for [`Outcome::DoubledSuffix`] and [`Outcome::WrongHost`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// Seconds for which a resolver still remembers the absence that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remembered: Option<u32>,
}

impl Finding {
    /// What a resolver saw under the record's own name.
    #[must_use]
    pub fn new(perspective: &impl ToString, outcome: Outcome, values: &[String]) -> Self {
        let shown = |value: &String| value.chars().filter(|c| !c.is_control()).take(MAX_VALUE).collect();
        Self {
            perspective: perspective.to_string(),
            source: Source::Resolver,
            outcome,
            authoritative: false,
            values: values.iter().take(MAX_VALUES).map(shown).collect(),
            elsewhere: None,
            remembered: None,
        }
    }

    fn is_found(&self) -> bool {
        self.outcome == Outcome::Found
    }

    fn is_authoritative_absence(&self) -> bool {
        self.authoritative && self.outcome.says_absent()
    }
}

/// What came of asking one perspective for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The record is there.
    Found,
    /// The value is there, with something around it or in other letters.
    AlteredValue,
    /// There is a value of our form, with another token.
    OlderToken,
    /// There are TXT records, and none of them is ours.
    WrongValue,
    /// The zone's name stands twice in the name of the record.
    DoubledSuffix,
    /// The value is there under another name.
    WrongHost,
    /// The name exists and has no TXT record.
    Empty,
    /// The name does not exist (NXDOMAIN, RFC 8020).
    Nxdomain,
    /// The server could not find out (SERVFAIL).
    Servfail,
    /// The server does not answer such questions (REFUSED).
    Refused,
    /// The server did not answer in time.
    Timeout,
    /// The answer's DNSSEC signatures do not hold (RFC 4033, section 5).
    Bogus,
    /// The server is named as one of the zone's and does not serve it (a lame delegation, RFC 9499).
    Lame,
    /// The name is an alias of an alias, and so on, for too long.
    TooManyAliases,
    /// The name is an alias that leads back to itself.
    AliasLoop,
    /// The server's address is one that no server of a public zone has.
    Internal,
    /// The domain has no servers that could be asked.
    NoServers,
    /// The resolver was not asked, so that it does not begin to remember that the record is not there.
    NotAsked,
    /// The resolver is to be asked over TLS and did not prove its name, or does not speak TLS (RFC 7858).
    Insecure,
    /// The server could not be reached or answered nonsense.
    Failed,
}

impl Outcome {
    /// What the TXT records under the record's own name amount to: the best of what each of them is.
    #[must_use]
    pub fn of_values(values: &[String], challenge: &Challenge) -> Self {
        let any = |holds: &dyn Fn(&str) -> bool| values.iter().any(|value| holds(value));
        if any(&|value| value == challenge.value) {
            Self::Found
        } else if any(&|value| bare(value).contains(&bare(&challenge.value))) {
            Self::AlteredValue
        } else if any(&|value| bare(value).starts_with(challenge.form())) {
            Self::OlderToken
        } else if values.is_empty() {
            Self::Empty
        } else {
            Self::WrongValue
        }
    }

    /// Whether there may be a record that went astray: the zone answered, and has nothing under the record's name.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::Empty | Self::Nxdomain)
    }

    /// Whether somebody who answered says that the record is not there as it was handed out.
    fn says_absent(self) -> bool {
        matches!(
            self,
            Self::AlteredValue
                | Self::OlderToken
                | Self::WrongValue
                | Self::DoubledSuffix
                | Self::WrongHost
                | Self::Empty
                | Self::Nxdomain
        )
    }

    fn is_silence(self) -> bool {
        matches!(self, Self::Timeout | Self::Insecure | Self::Failed | Self::Refused)
    }
}

/// A value without what administrators' tools and consoles add or change: quotes, spaces, case.
pub(super) fn bare(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && !is_quote(*c)).collect::<String>().to_lowercase()
}

/// Whether a character is a quotation mark, straight or as text editors make them.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge() -> Challenge {
        Challenge {
            name: "_anthropic-challenge.example.com".to_owned(),
            value: "anthropic-domain-verification=AbC-123".to_owned(),
        }
    }

    #[test]
    fn values_are_told_apart() {
        for (values, outcome) in [
            (vec![], Outcome::Empty),
            (vec!["anthropic-domain-verification=AbC-123"], Outcome::Found),
            (vec!["v=spf1 -all", "anthropic-domain-verification=AbC-123"], Outcome::Found),
            (vec!["\"anthropic-domain-verification=AbC-123\""], Outcome::AlteredValue),
            (vec!["\u{201c}anthropic-domain-verification=AbC-123\u{201d}"], Outcome::AlteredValue),
            (vec![" anthropic-domain-verification=AbC-123 "], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification = AbC-123"], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification=abc-123"], Outcome::AlteredValue),
            (vec!["TXT anthropic-domain-verification=AbC-123"], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification=older"], Outcome::OlderToken),
            (vec!["\"Anthropic-Domain-Verification=older\""], Outcome::OlderToken),
            (vec!["v=spf1 -all"], Outcome::WrongValue),
            (vec![""], Outcome::WrongValue),
        ] {
            let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
            assert_eq!(Outcome::of_values(&values, &challenge()), outcome, "{values:?}");
        }
    }

    fn resolver(outcome: Outcome) -> Finding {
        Finding::new(&"x", outcome, &[])
    }

    fn server(outcome: Outcome) -> Finding {
        Finding { source: Source::Zone, authoritative: true, ..resolver(outcome) }
    }

    fn verdict(findings: Vec<Finding>) -> Verdict {
        Evidence { at: Timestamp::UNIX_EPOCH, findings }.verdict()
    }

    #[test]
    fn only_a_majority_of_perspectives_is_proof() {
        use Outcome::{AlteredValue, Found, NotAsked, Nxdomain, Servfail, Timeout};
        for (zone, resolvers, proof) in [
            // Without the zone's own servers.
            (vec![], vec![Found], true),
            (vec![], vec![Found, Found, Timeout], true),
            (vec![], vec![Found, Timeout], false),
            (vec![], vec![Found, Nxdomain, Servfail], false),
            (vec![], vec![AlteredValue], false),
            (vec![], vec![], false),
            // With them: one perspective, however many they are.
            (vec![Found, Found], vec![Found, Found, Nxdomain], true),
            (vec![Found, Found], vec![Found, Nxdomain, Nxdomain], false),
            (vec![Found, Found, Found, Found], vec![NotAsked, NotAsked, NotAsked], false),
            (vec![Found, Nxdomain], vec![Found, Found, Found], true),
            (vec![Found, Nxdomain], vec![Found, Found, Timeout], false),
            (vec![Timeout, Timeout], vec![Found, Found, Found], true),
            (vec![Timeout, Timeout], vec![Found, Found, Nxdomain], false),
            (vec![Found, Timeout], vec![Found, Found, Nxdomain], true),
        ] {
            let findings = zone.iter().map(|outcome| match outcome {
                Timeout => Finding { authoritative: false, ..server(Timeout) },
                outcome => server(*outcome),
            });
            let findings = findings.chain(resolvers.iter().map(|outcome| resolver(*outcome))).collect();
            assert_eq!(verdict(findings) == Verdict::Proof, proof, "{zone:?} {resolvers:?}");
        }
    }

    #[test]
    fn only_those_who_decide_what_is_in_the_zone_say_that_it_is_not() {
        use Outcome::{Empty, Found, Lame, Nxdomain, Servfail, Timeout, WrongValue};
        assert_eq!(verdict(vec![server(Nxdomain), server(WrongValue), resolver(Timeout)]), Verdict::Absence);
        assert_eq!(verdict(vec![server(Nxdomain), server(Timeout)]), Verdict::Absence);
        for unclear in [
            vec![server(Nxdomain), server(Timeout), server(Servfail)],
            vec![server(Nxdomain), server(Found)],
            vec![server(Servfail), server(Lame), resolver(Nxdomain), resolver(Nxdomain)],
            vec![server(Nxdomain), resolver(Found)],
            // A resolver tells what it heard, perhaps long ago.
            vec![resolver(Nxdomain), resolver(Empty), resolver(Nxdomain)],
            vec![],
        ] {
            assert_eq!(verdict(unclear.clone()), Verdict::Unclear, "{unclear:?}");
        }
        let authority = |outcome| Finding { authoritative: true, ..resolver(outcome) };
        assert_eq!(verdict(vec![authority(Nxdomain), authority(Empty), resolver(Timeout)]), Verdict::Absence);
        assert_eq!(verdict(vec![authority(Nxdomain), resolver(Timeout), resolver(Timeout)]), Verdict::Unclear);
    }

    #[test]
    fn what_they_say_together_is_said() {
        let hint = |findings| Evidence { at: Timestamp::UNIX_EPOCH, findings }.hint();
        assert!(hint(vec![server(Outcome::Found), server(Outcome::Nxdomain)]).unwrap().contains("do not agree"));
        let remembers = Finding { remembered: Some(86_000), ..resolver(Outcome::Nxdomain) };
        assert!(hint(vec![server(Outcome::Found), remembers]).unwrap().contains("remember"));
        assert!(hint(vec![resolver(Outcome::Bogus)]).unwrap().contains("DNSSEC"));
        assert_eq!(hint(vec![server(Outcome::Found), resolver(Outcome::Found)]), None);
    }

    #[test]
    fn what_the_zone_says_comes_first() {
        let evidence = Evidence {
            at: Timestamp::UNIX_EPOCH,
            findings: vec![
                resolver(Outcome::NotAsked),
                server(Outcome::Timeout),
                server(Outcome::Nxdomain),
                server(Outcome::Found),
            ],
        };
        assert_eq!(evidence.foremost().unwrap().outcome, Outcome::Nxdomain);
    }

    #[test]
    fn what_is_kept_of_values_is_bounded_and_printable() {
        let values = vec!["a\n".repeat(300); 7];
        let finding = Finding::new(&"x", Outcome::WrongValue, &values);
        assert_eq!(finding.values, vec!["a".repeat(255); 5]);
    }
}
