//! What mails say. Each kind gives its words once, from which both the text and the HTML are made.

use askama::Template;
use vestibule::{
    app::Settings,
    clock::Timestamp,
    domain::{Challenge, DomainName},
    mail::{Letter, Message},
    saml::IdpKind,
};

/// A mail's words.
struct Words {
    subject: String,
    /// Sentences, a paragraph each.
    paragraphs: Vec<String>,
    /// What one may want to copy, with its name.
    facts: Vec<(&'static str, String)>,
    /// Where to go on, and what that is called.
    link: Option<(&'static str, String)>,
    /// Why the reader gets it.
    reason: &'static str,
}

const SIGN_ON: &str =
    "You get this because you administer an organization that signs in through this identity provider.";
const ADMINISTRATOR: &str = "You get this because you administer an organization that the domain was claimed for.";

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    words: &'a Words,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    words: &'a Words,
}

/// A message in words.
#[must_use]
pub fn letter(message: &Message, settings: &Settings) -> Letter {
    let words = words(message, settings);
    // The templates only join text, which does not fail.
    let text = Text { words: &words }.render().unwrap_or_default();
    let html = Html { words: &words }.render().unwrap_or_default();
    Letter { subject: words.subject, text, html }
}

fn words(message: &Message, settings: &Settings) -> Words {
    match message {
        Message::DomainVerified { domain } => Words {
            subject: format!("{} is verified", domain.to_unicode()),
            paragraphs: vec![
                format!("The record for {} was found. Your organization holds the domain now.", domain.to_unicode()),
                "This alone changes nobody's access. Leave the record in place: it is looked for again each day."
                    .to_owned(),
            ],
            facts: vec![("Domain", domain.to_string())],
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::DomainConflict { domain } => Words {
            subject: format!("{} is held by another organization", domain.to_unicode()),
            paragraphs: vec![
                format!("Another organization has verified {}, and a domain is held by one alone.", domain.to_unicode()),
                "If the domain is yours, whoever set it up there must remove it first; it is then yours as soon as its \
                 record is seen again."
                    .to_owned(),
            ],
            facts: vec![("Domain", domain.to_string())],
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::DomainFailed { domain, record } => Words {
            subject: format!("{} was not verified", domain.to_unicode()),
            paragraphs: vec![
                format!(
                    "The record for {} was not seen in 30 days, so nobody looks for it any more.",
                    domain.to_unicode()
                ),
                "Publish it and ask for a refresh, or add the domain again, to have it looked for again.".to_owned(),
            ],
            facts: record_facts(domain, record),
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::DomainMissing { domain, record, hours_left } => Words {
            subject: format!("{} lapses in {hours_left} hours: its record is gone", domain.to_unicode()),
            paragraphs: vec![
                format!(
                    "The record that verifies {} is gone from the domain's DNS. Unless it is published again within \
                     {hours_left} hours, the domain lapses.",
                    domain.to_unicode()
                ),
                "Until then nothing changes. When a domain lapses, members keep their access, but nobody new joins by it."
                    .to_owned(),
            ],
            facts: record_facts(domain, record),
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::DomainLapsed { domain, record, protected_until } => Words {
            subject: format!("{} has lapsed", domain.to_unicode()),
            paragraphs: vec![
                format!(
                    "The record that verifies {} was gone from the domain's DNS for 72 hours. Members keep their access, \
                     but nobody new joins by the domain.",
                    domain.to_unicode()
                ),
                format!(
                    "Publish the record again to restore it. No other organization can take the domain until {}.",
                    protected_until.strftime("%Y-%m-%d %H:%M UTC")
                ),
            ],
            facts: record_facts(domain, record),
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::DomainRestored { domain } => Words {
            subject: format!("{} is restored", domain.to_unicode()),
            paragraphs: vec![
                format!("The record for {} is there again, and the domain is verified as before.", domain.to_unicode()),
                "Leave the record in place: it is looked for again each day.".to_owned(),
            ],
            facts: vec![("Domain", domain.to_string())],
            link: Some(domain_page(domain, settings)),
            reason: ADMINISTRATOR,
        },
        Message::CertificateExpires { identity_provider, product, fingerprint, expires_at, expired, metadata } => {
            let facts = [
                Some(("Identity provider", identity_provider.clone())),
                Some(("Certificate (SHA-256)", fingerprint.clone())),
                Some((if *expired { "Expired" } else { "Expires" }, moment(*expires_at))),
                metadata.as_ref().map(|url| ("Metadata", url.to_string())),
            ];
            certificate_expires(*product, *expires_at, *expired, facts)
        }
        Message::MetadataFails { identity_provider, product, metadata, since, detail, expires_at } => {
            let facts = vec![("Identity provider", identity_provider.clone()), ("Metadata", metadata.to_string())];
            metadata_fails(*product, *since, detail, *expires_at, facts)
        }
        Message::SignInCode { code, expires_at } => sign_in_code(code, *expires_at),
    }
}

/// Where a domain's administrators see it.
fn domain_page(domain: &DomainName, settings: &Settings) -> (&'static str, String) {
    ("Open the domain's page", settings.url(&format!("/settings/identity/domains/{domain}")))
}

fn metadata_fails(
    product: IdpKind,
    since: Timestamp,
    detail: &str,
    expires_at: Timestamp,
    facts: Vec<(&'static str, String)>,
) -> Words {
    Words {
        subject: format!("The metadata of {} can not be fetched", product.name()),
        paragraphs: vec![
            format!("Since {}, the metadata of {} was not taken over: {detail}.", day(since), product.name()),
            format!(
                "Nobody is refused for that: what was trusted before stays trusted, and the last certificate expires on \
                 {}. But a new certificate would not be noticed, and whoever signs in with it would be refused.",
                day(expires_at)
            ),
            "Mend what is at the address, or give the connection another address or the metadata as a document."
                .to_owned(),
        ],
        facts,
        link: None,
        reason: SIGN_ON,
    }
}

fn sign_in_code(code: &str, expires_at: Timestamp) -> Words {
    let (first, second) = code.split_at_checked(code.len() / 2).unwrap_or((code, ""));
    Words {
        subject: "Your sign-in code".to_owned(),
        paragraphs: vec![
            format!("Enter this code in the browser that asked for it: {first} {second}"),
            format!(
                "It is good until {} and works once. Nobody of ours will ever ask you for it.",
                expires_at.strftime("%H:%M UTC")
            ),
        ],
        facts: Vec::new(),
        link: None,
        reason: "You get this because your address was entered to sign in to the settings of an organization. If that \
                 was not you, there is nothing to do: without the code nobody gets in.",
    }
}

fn certificate_expires(
    product: IdpKind,
    expires_at: Timestamp,
    expired: bool,
    facts: [Option<(&'static str, String)>; 4],
) -> Words {
    let name = product.name();
    let [.., metadata] = &facts;
    let fetched = metadata.is_some();
    let subject = if expired {
        format!("The certificate of {name} has expired")
    } else {
        format!("The certificate of {name} expires on {}", day(expires_at))
    };
    let what = if expired {
        format!("The last certificate that {name} may sign sign-ins with expired on {}.", day(expires_at))
    } else {
        format!("The last certificate that {name} may sign sign-ins with expires on {}.", day(expires_at))
    };
    let then = if fetched {
        format!(
            "Nothing is to be done on this side: the new certificate is taken over from the metadata of {name}, which is \
             fetched every few hours. Only let it be published there before it is used."
        )
    } else {
        format!(
            "Then give the connection the new metadata, which names both certificates, before {name} signs with the new \
             one: what is signed with a certificate that is not known is refused."
        )
    };
    Words {
        subject,
        paragraphs: vec![what, product.renewal().to_owned(), then],
        facts: facts.into_iter().flatten().collect(),
        link: None,
        reason: SIGN_ON,
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

fn moment(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// The record to publish, to be copied.
fn record_facts(domain: &DomainName, record: &Challenge) -> Vec<(&'static str, String)> {
    vec![
        ("Domain", domain.to_string()),
        ("Type", "TXT".to_owned()),
        ("Name", record.name.clone()),
        ("Value", record.value.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use vestibule::seal::SealingKey;

    use super::*;

    fn text(message: &Message) -> String {
        let Letter { subject, text, .. } = letter_of(message);
        format!("{subject}\n\n{text}")
    }

    fn expires(expired: bool, metadata: Option<&str>) -> Message {
        Message::CertificateExpires {
            identity_provider: "http://www.okta.com/exk1fcia6d6EMsf331d8".to_owned(),
            product: IdpKind::Okta,
            fingerprint: "B1:94:8C".to_owned(),
            expires_at: "2027-04-20T08:30:00Z".parse().unwrap(),
            expired,
            metadata: metadata.map(|url| url.parse().unwrap()),
        }
    }

    #[test]
    fn a_certificate_that_expires() {
        insta::assert_snapshot!(text(&expires(false, None)));
    }

    #[test]
    fn a_certificate_that_has_expired_where_metadata_is_fetched() {
        insta::assert_snapshot!(text(&expires(true, Some("https://acme.okta.com/app/exk1/sso/saml/metadata"))));
    }

    #[test]
    fn metadata_that_fails() {
        insta::assert_snapshot!(text(&Message::MetadataFails {
            identity_provider: "https://sts.windows.net/72f988bf/".to_owned(),
            product: IdpKind::Entra,
            metadata: "https://login.microsoftonline.com/72f988bf/federationmetadata.xml".parse().unwrap(),
            since: "2027-03-01T09:00:00Z".parse().unwrap(),
            detail: "the server answered with the status 404".to_owned(),
            expires_at: "2029-04-20T00:00:00Z".parse().unwrap(),
        }));
    }

    fn letter_of(message: &Message) -> Letter {
        let key = SealingKey::new(&[0; 32]).unwrap();
        letter(message, &Settings::new("https://id.vendor.example".parse().unwrap(), key).unwrap())
    }

    #[test]
    fn what_became_of_a_domain_is_told_with_the_record_to_publish() {
        let domain: DomainName = "xn--bcher-kva.example".parse().unwrap();
        let record = Challenge { name: "_c.xn--bcher-kva.example".to_owned(), value: "v=token".to_owned() };
        let (hours_left, protected_until) = (48, Timestamp::UNIX_EPOCH);
        for (message, subject) in [
            (
                Message::DomainFailed { domain: domain.clone(), record: record.clone() },
                "bücher.example was not verified",
            ),
            (
                Message::DomainMissing { domain: domain.clone(), record: record.clone(), hours_left },
                "bücher.example lapses in 48 hours: its record is gone",
            ),
            (
                Message::DomainLapsed { domain: domain.clone(), record: record.clone(), protected_until },
                "bücher.example has lapsed",
            ),
        ] {
            let letter = letter_of(&message);
            assert_eq!(letter.subject, subject);
            for body in [&letter.text, &letter.html] {
                let held = [&record.name, &record.value, domain.as_str()].iter().all(|fact| body.contains(*fact));
                assert!(held, "{body}");
            }
        }
        let restored = letter_of(&Message::DomainRestored { domain });
        assert_eq!(restored.subject, "bücher.example is restored");
    }
}
