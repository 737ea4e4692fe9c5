//! What mails say. Each kind gives its words once, from which both the text and the HTML are made.

use askama::Template;
use vestibule::{
    app::Settings,
    mail::{Letter, Message},
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

fn words(message: &Message, _settings: &Settings) -> Words {
    match message {
        Message::DomainVerified { domain } => Words {
            subject: format!("{} is verified", domain.to_unicode()),
            paragraphs: vec![
                format!("The record for {} was found. Your organization holds the domain now.", domain.to_unicode()),
                "This alone changes nobody's access. Leave the record in place: it is looked for again each day."
                    .to_owned(),
            ],
            facts: vec![("Domain", domain.to_string())],
            link: None,
            reason: ADMINISTRATOR,
        },
        Message::DomainConflict { domain } => Words {
            subject: format!("{} is held by another organization", domain.to_unicode()),
            paragraphs: vec![
                format!(
                    "The record for {} was found, but another organization has verified this domain before, and a \
                     domain is held by one alone.",
                    domain.to_unicode()
                ),
                "If the domain is yours, whoever set it up there must remove it first. Nothing has changed for anybody."
                    .to_owned(),
            ],
            facts: vec![("Domain", domain.to_string())],
            link: None,
            reason: ADMINISTRATOR,
        },
    }
}
