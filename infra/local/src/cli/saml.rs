//! `vestibule saml`: what the assertion consumer service would say of a response, offline.

use std::{
    ffi::OsString,
    fmt::Display,
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use vestibule::{
    clock::{Clock, Timestamp},
    saml::{
        Assertion, Check, CheckName, DecryptionKey, Expected, IdpMetadata, MAX_MESSAGE_BYTES, MAX_METADATA_BYTES,
        Outcome, Reason, Refusal, Request, Skew, Trace, Trust, Unverified,
    },
};

const ACCEPTED: u8 = 0;
const REFUSED: u8 = 1;
const UNUSABLE: u8 = 2;

/// Look at SAML messages offline
#[derive(Args, Debug)]
pub(crate) struct Saml {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check one response as the assertion consumer service would, and print every check
    ///
    /// Ends with 0 for an accepted response, 1 for a refused one, 2 for input that is none.
    Check(CheckArguments),
}

#[derive(Args, Debug)]
struct CheckArguments {
    /// The identity provider's metadata
    #[arg(long, value_name = "FILE")]
    metadata: PathBuf,
    /// The assertion consumer service that the response must be addressed to
    #[arg(long, value_name = "URL")]
    acs_url: String,
    /// The entity ID that the assertion must be meant for
    #[arg(long, value_name = "ID")]
    audience: String,
    /// The moment to check at, as 2026-03-01T12:00:00Z; now, if not given
    #[arg(long, value_name = "RFC3339")]
    at: Option<Timestamp>,
    /// The request that the response must answer; whichever it claims, if not given
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// The key that opens encrypted assertions
    #[arg(long, value_name = "PEM")]
    decryption_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The response: XML, or base64 as the browser posts it
    #[arg(value_name = "RESPONSE")]
    response: PathBuf,
}

/// What `vestibule saml check --json` prints, given the arguments behind `check`.
///
/// # Errors
/// What is unusable, in words: arguments or input.
pub fn saml_check(arguments: impl IntoIterator<Item = OsString>) -> Result<String, String> {
    let program = ["check".into()].into_iter().chain(arguments);
    let arguments = Alone::try_parse_from(program).map_err(|error| error.to_string())?.arguments;
    let now = arguments.at.unwrap_or_else(|| Clock::System.now());
    arguments.check(now).map(|report| report.json())
}

/// The arguments of `check` without the program around it.
#[derive(Debug, Parser)]
struct Alone {
    #[command(flatten)]
    arguments: CheckArguments,
}

impl Saml {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> ExitCode {
        let Command::Check(arguments) = self.command;
        let (json, now) = (arguments.json, arguments.at.unwrap_or_else(|| Clock::System.now()));
        let report = match arguments.check(now) {
            Ok(report) => report,
            Err(unusable) => {
                let _ = writeln!(io::stderr(), "vestibule: {unusable}");
                return ExitCode::from(UNUSABLE);
            }
        };
        let text = if json { report.json() } else { report.text(io::stdout().is_terminal()) };
        // A reader that has gone away has seen enough.
        let _ = io::stdout().write_all(text.as_bytes());
        ExitCode::from(if report.reason.is_none() { ACCEPTED } else { REFUSED })
    }
}

/// What the checks said.
#[derive(Debug, Serialize)]
struct Report {
    verdict: &'static str,
    /// The code of the first failed check.
    reason: Option<Reason>,
    checks: Trace,
    name_id: Option<String>,
    attributes: Vec<AttributeView>,
}

#[derive(Debug, Serialize)]
struct AttributeView {
    name: String,
    values: Vec<String>,
}

impl CheckArguments {
    /// Checks the response at `now`.
    ///
    /// # Errors
    /// What is unusable, in words.
    fn check(&self, now: Timestamp) -> Result<Report, String> {
        let metadata = String::from_utf8(read(&self.metadata, MAX_METADATA_BYTES)?)
            .map_err(|_| format!("{} is not UTF-8", self.metadata.display()))?;
        let metadata = IdpMetadata::read(&metadata).map_err(|error| unusable(&self.metadata, &error))?;
        let mut trust = Trust::new(&metadata.entity_id, metadata.certificates);
        if let Some(path) = &self.decryption_key {
            let pem = String::from_utf8(read(path, MAX_MESSAGE_BYTES)?).map_err(|error| unusable(path, &error))?;
            trust.decryption_keys = vec![DecryptionKey::from_pem(&pem).map_err(|error| unusable(path, &error))?];
        }
        // Well above the limit, so that a response that is only too large is refused as one.
        let response = read(&self.response, MAX_MESSAGE_BYTES * 8)?;
        let mut trace = Trace::new(metadata.kind);
        let believed = self.believe(&response, &trust, now, &mut trace);
        Ok(Report::new(believed, trace))
    }

    fn believe(&self, response: &[u8], trust: &Trust, now: Timestamp, trace: &mut Trace) -> Result<Assertion, Refusal> {
        let unverified = match std::str::from_utf8(response) {
            Ok(text) if !text.trim_start().starts_with('<') => Unverified::decode(text, trace)?,
            _ => Unverified::from_xml(response, trace)?,
        };
        let expected = Expected {
            idp_entity_id: &trust.idp_entity_id,
            sp_entity_id: &self.audience,
            acs_url: &self.acs_url,
            request: self.request_id.as_deref().map_or(Request::Unknown, Request::Pending),
            authenticated_since: None,
            now,
            skew: Skew::default(),
        };
        let assertion = unverified.verify(trust, now, trace)?.check(&expected, trace)?;
        let email = assertion.check_email(None, trace)?;
        assertion.note_groups(None, true, trace);
        let domain = email.address.rsplit('@').next().unwrap_or_default();
        let warning = format!(
            "Not known offline: the customer must have verified the domain of the address, which is {domain}. {}",
            "Verify the domain first, or correct the address at the identity provider."
        );
        trace.warn(CheckName::DomainOwnership, &warning);
        Ok(assertion)
    }
}

impl Report {
    fn new(believed: Result<Assertion, Refusal>, checks: Trace) -> Self {
        match believed {
            Ok(assertion) => Self {
                verdict: "accepted",
                reason: None,
                checks,
                name_id: Some(assertion.name_id.value),
                attributes: assertion
                    .attributes
                    .into_iter()
                    .map(|attribute| AttributeView { name: attribute.name, values: attribute.values })
                    .collect(),
            },
            Err(refusal) => Self {
                verdict: "refused",
                reason: Some(refusal.reason()),
                checks,
                name_id: None,
                attributes: Vec::new(),
            },
        }
    }

    fn json(&self) -> String {
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{json}\n")
    }

    /// One line a check, and below it what is worth reading.
    fn text(&self, colours: bool) -> String {
        let mut lines: Vec<String> = self.checks.checks().iter().map(|check| line(check, colours)).collect();
        lines.push(String::new());
        match self.reason {
            None => lines.push(paint("accepted", GREEN, colours)),
            Some(reason) => lines.push(paint(&format!("refused: {reason}"), RED, colours)),
        }
        if let Some(name_id) = &self.name_id {
            lines.push(format!("NameID {name_id}"));
        }
        lines.extend(
            self.attributes.iter().map(|attribute| format!("{} = {}", attribute.name, attribute.values.join(", "))),
        );
        lines.join("\n") + "\n"
    }
}

const GREEN: &str = "32";
const RED: &str = "31";
const FAINT: &str = "2";

fn line(check: &Check, colours: bool) -> String {
    let (mark, colour) = match check.outcome {
        Outcome::Passed => ("passed", GREEN),
        Outcome::Failed => ("FAILED", RED),
        Outcome::NotReached => ("-", FAINT),
    };
    let mut lines = vec![format!("{} {}", paint(&format!("{mark:<7}"), colour, colours), check.name)];
    if check.outcome == Outcome::Failed {
        let values = [("expected", &check.expected), ("found", &check.found)];
        lines.extend(values.iter().filter_map(|(label, text)| Some(format!("          {label:<9}{}", text.as_ref()?))));
    }
    lines.extend(check.advice.as_ref().map(|advice| format!("          {advice}")));
    lines.join("\n")
}

fn paint(text: &str, colour: &str, colours: bool) -> String {
    if colours { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| unusable(path, &error))?;
    if bytes.len() > most { Err(format!("{} is larger than {most} bytes", path.display())) } else { Ok(bytes) }
}

fn unusable(path: &Path, error: &impl Display) -> String {
    format!("{}: {error}", path.display())
}
