//! What a finding means and what to do about it, in words for the domain's administrator.

use super::{
    Challenge, DomainName, Finding, Outcome, Source,
    evidence::{bare, is_quote},
};

/// The names under which a record ends up by mistake, with what the mistake is.
#[must_use]
pub fn usual_mistakes(domain: &DomainName, challenge: &Challenge) -> Vec<(Outcome, String)> {
    let name = &challenge.name;
    let label = name.split('.').next().unwrap_or_default();
    // The zone is the domain itself or, for a subdomain, most often the registrable domain above it.
    let registrable = domain.registrable().filter(|registrable| *registrable != domain.as_str());
    let mut mistakes = vec![
        (Outcome::DoubledSuffix, format!("{name}.{domain}")),
        (Outcome::WrongHost, domain.to_string()),
        // Consoles that do not like the underscore leave it out.
        (Outcome::WrongHost, format!("{}.{domain}", label.trim_start_matches('_'))),
    ];
    if let Some(registrable) = registrable {
        mistakes.push((Outcome::DoubledSuffix, format!("{name}.{registrable}")));
        mistakes.push((Outcome::WrongHost, format!("{label}.{registrable}")));
    } else {
        mistakes.push((Outcome::WrongHost, format!("{label}.www.{domain}")));
    }
    mistakes
}

impl Finding {
    /// What it means and what to do about it.
    #[must_use]
    pub fn explain(&self, challenge: &Challenge) -> String {
        let Challenge { name, value } = challenge;
        let elsewhere = self.elsewhere.as_deref().unwrap_or_default();
        match self.outcome {
            Outcome::Found => "The record is there.".to_owned(),
            Outcome::AlteredValue => {
                format!("The record is there, but its value is not exactly {value}: {}.", self.alteration(value))
            }
            Outcome::OlderToken => format!(
                "The record holds another token, from an earlier claim, of another domain or of another organization. \
                 Replace its value by {value}, or add a second TXT record under the same name."
            ),
            Outcome::WrongValue => format!(
                "There are TXT records at {name}, but none has the value {value}. A wildcard record in the zone can \
                 be the cause: it answers for every name that has no record of its own."
            ),
            Outcome::DoubledSuffix => format!(
                "The record is at {elsewhere}: the zone's name was added to a name that held it already. In a console \
                 that adds the zone's name itself, enter the name without it."
            ),
            Outcome::WrongHost => format!("The value is at {elsewhere}, but belongs at {name}. Move the record there."),
            Outcome::Empty => format!(
                "The name {name} exists, but has no TXT record. Check that the record's type is TXT and not \
                 another.{}",
                self.memory()
            ),
            Outcome::Nxdomain => match (self.source, self.remembered) {
                (_, Some(_)) => format!("This resolver says that there is no such name as {name}.{}", self.memory()),
                (Source::Zone, None) => format!(
                    "There is no such name as {name} on this server. Publish the record there; if it was published \
                     only now, the server has not got it yet."
                ),
                (Source::Resolver, None) => format!(
                    "There is no such name as {name}. If the record was published only now, wait a few minutes: \
                     resolvers remember for a while that it was not there."
                ),
            },
            Outcome::NotAsked => "Not asked yet: a resolver that hears that the record is not there would remember it \
                                  for as long as the zone says. It is asked once the zone's own servers have the record."
                .to_owned(),
            other => self.trouble(other),
        }
    }

    /// What keeps this server from saying anything about the record.
    fn trouble(&self, outcome: Outcome) -> String {
        let words = match (outcome, self.source) {
            (Outcome::Servfail, Source::Zone) => {
                "This server of the zone can not answer for it (SERVFAIL): the zone is broken or expired there. The \
                 domain's DNS provider has to look at it."
            }
            (Outcome::Servfail, Source::Resolver) => {
                "The domain's DNS could not be read (SERVFAIL): its name servers do not answer, or answer wrongly. The \
                 domain's DNS provider can tell why."
            }
            (Outcome::Refused, Source::Zone) => {
                "This server is named as one of the zone's but refuses to answer for it (REFUSED): the delegation is \
                 wrong, or the zone was not set up there."
            }
            (Outcome::Refused, Source::Resolver) => "This resolver refuses to answer; another check may succeed.",
            (Outcome::Timeout, Source::Zone) => {
                "This server of the zone did not answer in time. A firewall can be the cause, or the server is down."
            }
            (Outcome::Timeout, Source::Resolver) => {
                "There was no answer in time. It may be the resolver or the domain's name servers; check again later."
            }
            (Outcome::Bogus, _) => {
                "The answer's DNSSEC signatures do not hold, so it is not believed. The zone was signed wrongly, its \
                 signatures have expired, or the DS record at the registrar is of another key."
            }
            (Outcome::Lame, _) => {
                "This server is named as one of the zone's but does not serve it (a lame delegation). Correct the \
                 domain's NS records, or set the zone up on that server."
            }
            (Outcome::TooManyAliases, _) => {
                "The name is an alias (CNAME) of an alias and so on, more than eight times. Publish the record under the \
                 name itself, or shorten the chain."
            }
            (Outcome::AliasLoop, _) => {
                "The name is an alias (CNAME) that leads back to itself. Publish the record under the name itself."
            }
            (Outcome::Internal, _) => {
                "The address of this server of the zone is not a public one, so it can not be asked from here."
            }
            (Outcome::NoServers, _) => {
                "The domain is delegated to no name server whose address can be found. Check its NS records and that the \
                 domain is registered."
            }
            (Outcome::Insecure, _) => {
                "There is no secure connection to this resolver: its certificate is not one for its name, or it does not \
                 speak TLS. So it was not asked. Whoever operates this service has to look at that."
            }
            (_, Source::Zone) => {
                "This server of the zone could not be reached, or did not answer as a name server does."
            }
            (_, Source::Resolver) => "This resolver could not be reached; another check may succeed.",
        };
        words.to_owned()
    }

    /// How the value that is there differs from what it should be.
    fn alteration(&self, value: &str) -> &'static str {
        let nearest = self.values.iter().find(|found| bare(found).contains(&bare(value)));
        let Some(nearest) = nearest else {
            return "remove quotes, spaces and anything else around it, and keep capital and small letters as they are";
        };
        if nearest.chars().any(is_quote) {
            "remove the quotes; the console adds those that DNS needs by itself"
        } else if nearest.chars().any(char::is_whitespace) && bare(nearest) == bare(value) {
            "remove the spaces in and around it"
        } else if nearest.to_lowercase() == value.to_lowercase() {
            "keep capital and small letters as they are"
        } else {
            "remove everything else that is in it"
        }
    }

    /// For how long a resolver will say the same, whatever is in the zone by then.
    fn memory(&self) -> String {
        self.remembered.map_or_else(String::new, |seconds| {
            let minutes = seconds.div_ceil(60);
            format!(
                " It goes on to say so for {minutes} more minutes at most, even if the record is in the zone by now."
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(domain: &str) -> Challenge {
        Challenge { name: format!("_c.{domain}"), value: "anthropic-domain-verification=AbC".to_owned() }
    }

    #[test]
    fn mistakes_are_looked_for_where_they_are_made() {
        let names = |domain: &str| {
            let mistakes = usual_mistakes(&domain.parse().unwrap(), &challenge(domain));
            mistakes.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(
            names("example.co.uk"),
            ["_c.example.co.uk.example.co.uk", "example.co.uk", "c.example.co.uk", "_c.www.example.co.uk"]
        );
        assert_eq!(
            names("a.example.com"),
            [
                "_c.a.example.com.a.example.com",
                "a.example.com",
                "c.a.example.com",
                "_c.a.example.com.example.com",
                "_c.example.com"
            ]
        );
    }

    #[test]
    fn an_alteration_is_named() {
        let challenge = challenge("example.com");
        for (value, words) in [
            ("\"anthropic-domain-verification=AbC\"", "remove the quotes"),
            ("anthropic-domain-verification= AbC ", "remove the spaces"),
            ("anthropic-domain-verification=abc", "capital and small letters"),
            ("xanthropic-domain-verification=AbC", "everything else"),
        ] {
            let values = [value.to_owned()];
            let outcome = Outcome::of_values(&values, &challenge);
            assert_eq!(outcome, Outcome::AlteredValue, "{value}");
            let text = Finding::new(&"x", outcome, &values).explain(&challenge);
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn every_outcome_has_words_of_its_own_for_either_kind_of_server() {
        use Outcome::*;
        let all = [
            Found,
            AlteredValue,
            OlderToken,
            WrongValue,
            DoubledSuffix,
            WrongHost,
            Empty,
            Nxdomain,
            Servfail,
            Refused,
            Timeout,
            Bogus,
            Lame,
            TooManyAliases,
            AliasLoop,
            Internal,
            NoServers,
            NotAsked,
            Insecure,
            Failed,
        ];
        for source in [Source::Zone, Source::Resolver] {
            let mut words: Vec<String> = all
                .iter()
                .map(|outcome| Finding { source, ..Finding::new(&"x", *outcome, &[]) }.explain(&challenge("a.example")))
                .collect();
            assert!(words.iter().all(|text| text.ends_with('.')), "{words:?}");
            words.sort();
            words.dedup();
            assert_eq!(words.len(), all.len(), "{source:?}");
        }
    }

    #[test]
    fn a_memory_says_how_long_it_lasts() {
        let finding = Finding { remembered: Some(86_341), ..Finding::new(&"x", Outcome::Nxdomain, &[]) };
        assert!(finding.explain(&challenge("a.example")).contains("1440 more minutes"));
    }
}
