//! What DNS says of a claim, perspective by perspective, and what that means in words.

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

impl Evidence {
    /// Whether more than half of the perspectives saw the record. One that did not answer counts as not having seen it.
    #[must_use]
    pub fn is_proof(&self) -> bool {
        let seen = self.findings.iter().filter(|finding| finding.outcome == Outcome::Found).count();
        seen * 2 > self.findings.len()
    }
}

/// What one perspective saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The address of the server that was asked.
    pub perspective: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The values that were there, cut to what can be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Where the value was found instead, for [`Outcome::DoubledSuffix`] and [`Outcome::WrongHost`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
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
    /// The resolver could not find out (SERVFAIL): the zone's servers do not answer, or its signatures do not hold.
    Servfail,
    /// The resolver does not answer such questions (REFUSED).
    Refused,
    /// The resolver did not answer in time.
    Timeout,
    /// The resolver could not be reached or answered nonsense.
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
        } else if any(&|value| value.trim().starts_with(challenge.form())) {
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
}

/// A value without what administrators' tools and consoles add or change: quotes, spaces, case.
fn bare(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`')).collect::<String>().to_lowercase()
}

impl Finding {
    /// What a perspective saw under the record's own name.
    #[must_use]
    pub fn new(perspective: &impl ToString, outcome: Outcome, values: &[String]) -> Self {
        let shown = |value: &String| value.chars().filter(|c| !c.is_control()).take(MAX_VALUE).collect();
        Self {
            perspective: perspective.to_string(),
            outcome,
            values: values.iter().take(MAX_VALUES).map(shown).collect(),
            elsewhere: None,
        }
    }

    /// What it means and what to do about it, for the domain's administrator.
    #[must_use]
    pub fn explain(&self, challenge: &Challenge) -> String {
        let Challenge { name, value } = challenge;
        let elsewhere = self.elsewhere.as_deref().unwrap_or_default();
        match self.outcome {
            Outcome::Found => "The record is there.".to_owned(),
            Outcome::AlteredValue => format!(
                "The record is there, but its value is not exactly {value}: remove quotes, spaces and anything else \
                 around it, and keep capital and small letters as they are."
            ),
            Outcome::OlderToken => format!(
                "The record holds another token, from an earlier claim or of another organization. Replace its value \
                 by {value}, or add a second TXT record under the same name."
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
                "The name {name} exists, but has no TXT record. Check that the record's type is TXT and not another."
            ),
            Outcome::Nxdomain => format!(
                "There is no such name as {name}. If the record was published only now, wait a few minutes: resolvers \
                 remember for a while that it was not there."
            ),
            Outcome::Servfail => "The domain's DNS could not be read: its name servers do not answer, or its DNSSEC \
                                  signatures do not hold. The domain's DNS provider can tell which."
                .to_owned(),
            Outcome::Refused => "This resolver refuses to answer; another check may succeed.".to_owned(),
            Outcome::Timeout => {
                "There was no answer in time. It may be the resolver or the domain's name servers; check again later."
                    .to_owned()
            }
            Outcome::Failed => "This resolver could not be reached; another check may succeed.".to_owned(),
        }
    }
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
            (vec![" anthropic-domain-verification=AbC-123 "], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification = AbC-123"], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification=abc-123"], Outcome::AlteredValue),
            (vec!["TXT anthropic-domain-verification=AbC-123"], Outcome::AlteredValue),
            (vec!["anthropic-domain-verification=older"], Outcome::OlderToken),
            (vec!["v=spf1 -all"], Outcome::WrongValue),
            (vec![""], Outcome::WrongValue),
        ] {
            let values: Vec<_> = values.into_iter().map(str::to_owned).collect();
            assert_eq!(Outcome::of_values(&values, &challenge()), outcome, "{values:?}");
        }
    }

    #[test]
    fn only_a_majority_is_proof() {
        let evidence = |outcomes: &[Outcome]| Evidence {
            at: Timestamp::UNIX_EPOCH,
            findings: outcomes.iter().map(|outcome| Finding::new(&"x", *outcome, &[])).collect(),
        };
        assert!(evidence(&[Outcome::Found]).is_proof());
        assert!(evidence(&[Outcome::Found, Outcome::Found, Outcome::Timeout]).is_proof());
        assert!(!evidence(&[Outcome::Found, Outcome::Timeout]).is_proof());
        assert!(!evidence(&[Outcome::Found, Outcome::Nxdomain, Outcome::Servfail]).is_proof());
        assert!(!evidence(&[Outcome::AlteredValue]).is_proof());
        assert!(!evidence(&[]).is_proof());
    }

    #[test]
    fn what_is_kept_of_values_is_bounded_and_printable() {
        let values = vec!["a\n".repeat(300); 7];
        let finding = Finding::new(&"x", Outcome::WrongValue, &values);
        assert_eq!(finding.values, vec!["a".repeat(255); 5]);
    }
}
