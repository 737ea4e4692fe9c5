//! From a signed assertion to one that is meant for us, here and now: SAML Profiles 4.1.4.2 and 4.1.4.3.

use jiff::Timestamp;

use super::ASSERTION_NS;
use super::assertion::{Assertion, NameId, TRANSIENT_FORMAT};
use super::confirmation::{Bearer, bearers};
use super::reason::Reason;
use super::signature::Signed;
use super::statement::{attributes, authentication};
use super::time::{self, Skew};
use super::trace::{CheckName, Refusal, Trace};
use super::xml::{NodeId, Tree};

/// Longest `NameID`, in bytes.
const MAX_NAME_ID_BYTES: usize = 1024;

/// Which request the response must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// The request of this id, pending in this browser.
    Pending(&'a str),
    /// None is pending. The response must not claim to answer one, and is refused unless the connection accepts
    /// sign-in that starts at the identity provider.
    None {
        /// Whether the connection accepts that.
        idp_initiated_allowed: bool,
    },
    /// Not known. Only for looking at a response offline: it proves nothing about a browser.
    Unknown,
}

/// What a response must say to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Entity id of the connection's identity provider.
    pub idp_entity_id: &'a str,
    /// Our entity id for this connection.
    pub sp_entity_id: &'a str,
    /// Our assertion consumer service for this connection.
    pub acs_url: &'a str,
    /// The request it must answer.
    pub request: Request<'a>,
    /// When re-authentication was asked for (`ForceAuthn`): the person must have signed in since.
    pub authenticated_since: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
    /// How far the clocks may differ.
    pub skew: Skew,
}

impl Signed {
    /// Checks everything the response says about where, when and for whom it is.
    ///
    /// # Errors
    /// `status`, `destination`, `issuer`, `audience`, `subject_confirmation`, `recipient`, `expired`,
    /// `not_yet_valid`, `in_response_to`, `idp_initiated`, `conditions`, `structure`, `name_id`.
    pub fn check(self, expected: &Expected<'_>, trace: &mut Trace) -> Result<Assertion, Refusal> {
        let part = Part { tree: &self.tree, node: self.assertion };
        self.envelope.check_status(trace)?;
        self.check_destination(expected, trace)?;
        self.check_issuer(part, expected, trace)?;
        let conditions = check_audience(part, expected, trace)?;
        let bearer = check_bearer(part, expected, trace)?;
        check_recipient(&bearer, expected, trace)?;
        let not_on_or_after = check_validity(part, conditions, &bearer, expected, trace)?;
        self.check_request(&bearer, expected.request, trace)?;
        check_conditions(conditions, trace)?;
        let authn = authentication(part, expected, trace)?;
        let name_id = check_name_id(part, trace)?;
        Ok(Assertion {
            id: part.tree.attribute(part.node, "ID").unwrap_or_default().to_owned(),
            name_id,
            session_index: authn.session_index,
            authn_instant: authn.instant,
            session_not_on_or_after: authn.session_not_on_or_after,
            not_on_or_after: expected.skew.after(not_on_or_after),
            attributes: attributes(part),
        })
    }

    /// SAML Bindings 3.5.5.2: exact, and present if the Response is signed.
    fn check_destination(&self, expected: &Expected<'_>, trace: &mut Trace) -> Result<(), Refusal> {
        let found = self.envelope.destination.as_deref();
        let holds = match found {
            Some(destination) => destination == expected.acs_url,
            None => !self.envelope.signed,
        };
        let found = found.unwrap_or("none");
        trace.require(CheckName::Destination, Reason::Destination, holds, expected.acs_url, found)
    }

    /// The assertion's issuer is the identity provider, and so is the Response's, where that is signed. An unsigned one
    /// proves nothing, and some providers write it in another form: it only warns.
    fn check_issuer(&self, part: Part<'_>, expected: &Expected<'_>, trace: &mut Trace) -> Result<(), Refusal> {
        let wanted = expected.idp_entity_id;
        let issuer = part.only("Issuer").and_then(Part::text);
        let outer = self.envelope.issuer.as_deref().unwrap_or(wanted);
        let outer_holds = outer == wanted || !self.envelope.signed;
        let found = if issuer == Some(wanted) && !outer_holds { outer } else { issuer.unwrap_or("none") };
        let holds = issuer == Some(wanted) && outer_holds;
        trace.require(CheckName::Issuer, Reason::Issuer, holds, wanted, found)?;
        if outer != wanted {
            trace.warn(CheckName::Issuer, "The unsigned Response names its issuer differently from the assertion.");
        }
        Ok(())
    }

    /// SAML Profiles 4.1.4.3 and 4.1.5: somebody who signed must have named the request, and nobody another one.
    fn check_request(&self, bearer: &Bearer<'_>, request: Request<'_>, trace: &mut Trace) -> Result<(), Refusal> {
        let outer = self.envelope.in_response_to.as_deref();
        let inner = bearer.in_response_to;
        let found = inner.or(outer).unwrap_or("none");
        match request {
            Request::Pending(id) => {
                let signed = if self.envelope.signed { inner.or(outer) } else { inner };
                let holds = signed == Some(id) && [inner, outer].into_iter().flatten().all(|named| named == id);
                trace.require(CheckName::InResponseTo, Reason::InResponseTo, holds, id, found)
            }
            Request::None { idp_initiated_allowed } => {
                let unsolicited = inner.is_none() && outer.is_none();
                trace.require(
                    CheckName::InResponseTo,
                    Reason::InResponseTo,
                    unsolicited,
                    "no pending request",
                    found,
                )?;
                let expected = "a sign-in that started at the application";
                let found = "one that started at the identity provider";
                trace.require(CheckName::InResponseTo, Reason::IdpInitiated, idp_initiated_allowed, expected, found)
            }
            Request::Unknown => {
                trace.pass(CheckName::InResponseTo, "not compared: the request is not known", found);
                Ok(())
            }
        }
    }
}

/// An element of a tree of hashed octets.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) tree: &'a Tree,
    pub(super) node: NodeId,
}

impl<'a> Part<'a> {
    /// Child elements in the assertion namespace.
    pub(super) fn named(self, local: &'a str) -> impl Iterator<Item = Part<'a>> {
        self.tree.named(self.node, ASSERTION_NS, local).map(move |node| Part { node, ..self })
    }

    /// The only child element of this name.
    pub(super) fn only(self, local: &str) -> Option<Part<'a>> {
        self.tree.only(self.node, ASSERTION_NS, local).map(|node| Part { node, ..self })
    }

    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.tree.attribute(self.node, name)
    }

    /// Exactly one text node, without surrounding white space; `None` if there is nothing else in it.
    pub(super) fn text(self) -> Option<&'a str> {
        self.tree.text(self.node).map(str::trim_ascii).filter(|text| !text.is_empty())
    }

    /// A time attribute. An attribute that is no time is an error, not an absence.
    pub(super) fn time(self, name: &str) -> Result<Option<Timestamp>, BadTime> {
        self.attribute(name).map(|text| time::parse(text).ok_or(BadTime)).transpose()
    }
}

/// A text that should be a time and is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct BadTime;

/// SAML Core 2.5.1.4: each restriction holds our entity id among its audiences, and there is at least one.
fn check_audience<'a>(part: Part<'a>, expected: &Expected<'_>, trace: &mut Trace) -> Result<Part<'a>, Refusal> {
    let wanted = expected.sp_entity_id;
    if part.named("Conditions").count() > 1 {
        return Err(trace.fail(CheckName::Audience, Reason::Conditions, "one Conditions element", "several"));
    }
    let Some(conditions) = part.only("Conditions") else {
        return Err(trace.fail(CheckName::Audience, Reason::Audience, wanted, "no conditions"));
    };
    let restrictions: Vec<Vec<&str>> = conditions
        .named("AudienceRestriction")
        .map(|restriction| restriction.named("Audience").filter_map(Part::text).collect())
        .collect();
    let holds = !restrictions.is_empty() && restrictions.iter().all(|audiences| audiences.contains(&wanted));
    let found = match &restrictions[..] {
        [] => "no audience restriction".to_owned(),
        all => all.iter().map(|audiences| audiences.join(" or ")).collect::<Vec<_>>().join(" and "),
    };
    trace.require(CheckName::Audience, Reason::Audience, holds, wanted, found)?;
    Ok(conditions)
}

/// A bearer confirmation that holds, or else the first one, so that the trace can say what is wrong with it.
fn check_bearer<'a>(part: Part<'a>, expected: &Expected<'_>, trace: &mut Trace) -> Result<Bearer<'a>, Refusal> {
    let all = bearers(part);
    let best = all.iter().position(|bearer| bearer.holds(expected)).unwrap_or(0);
    let wanted = "a bearer confirmation with Recipient and NotOnOrAfter";
    let Some(bearer) = all.into_iter().nth(best) else {
        return Err(trace.fail(CheckName::SubjectConfirmation, Reason::SubjectConfirmation, wanted, "none"));
    };
    let defect = bearer.defect();
    let found = defect.unwrap_or("the same");
    let reason = Reason::SubjectConfirmation;
    trace.require(CheckName::SubjectConfirmation, reason, defect.is_none(), wanted, found)?;
    Ok(bearer)
}

fn check_recipient(bearer: &Bearer<'_>, expected: &Expected<'_>, trace: &mut Trace) -> Result<(), Refusal> {
    let found = bearer.recipient.unwrap_or("none");
    let holds = bearer.recipient == Some(expected.acs_url);
    trace.require(CheckName::Recipient, Reason::Recipient, holds, expected.acs_url, found)
}

/// Every window that the assertion gives itself; the end of the shortest.
fn check_validity(
    part: Part<'_>,
    conditions: Part<'_>,
    bearer: &Bearer<'_>,
    expected: &Expected<'_>,
    trace: &mut Trace,
) -> Result<Timestamp, Refusal> {
    let wanted = format!("valid at {}, give or take {} s", expected.now, expected.skew.seconds());
    let read = || -> Result<_, BadTime> {
        let issued = part.time("IssueInstant")?.ok_or(BadTime)?;
        let starts = [Some(issued), conditions.time("NotBefore")?, bearer.not_before?];
        let ends = [conditions.time("NotOnOrAfter")?, bearer.not_on_or_after?];
        Ok((starts, ends))
    };
    let Ok((starts, ends)) = read() else {
        return Err(trace.fail(CheckName::Validity, Reason::Structure, wanted, "a time that cannot be read"));
    };
    let start = starts.into_iter().flatten().max().unwrap_or(Timestamp::MAX);
    let end = ends.into_iter().flatten().min().unwrap_or(Timestamp::MIN);
    let found = format!("valid from {start} until {end}");
    if !expected.skew.has_come(start, expected.now) {
        let ahead = start.duration_since(expected.now).as_secs();
        let found = format!("{found}, which begins in {ahead} s");
        return Err(trace.fail(CheckName::Validity, Reason::NotYetValid, wanted, found));
    }
    if !expected.skew.is_ahead(end, expected.now) {
        let over = expected.now.duration_since(end).as_secs();
        let found = format!("{found}, which ended {over} s ago");
        return Err(trace.fail(CheckName::Validity, Reason::Expired, wanted, found));
    }
    // A window that never opens: nobody honest writes one.
    trace.require(CheckName::Validity, Reason::Conditions, start < end, wanted, found)?;
    Ok(end)
}

/// SAML Core 2.5.1: a condition that is not understood makes the assertion unusable. `OneTimeUse` is honoured by the
/// replay marker, which every assertion gets; `ProxyRestriction` only binds those who issue assertions of their own.
fn check_conditions(conditions: Part<'_>, trace: &mut Trace) -> Result<(), Refusal> {
    let tree = conditions.tree;
    let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
    let unknown =
        tree.elements(conditions.node).find(|node| !known.iter().any(|local| tree.is(*node, ASSERTION_NS, local)));
    let single = ["OneTimeUse", "ProxyRestriction"].iter().all(|local| conditions.named(local).count() <= 1);
    let found = match unknown.and_then(|node| tree.element(node)) {
        Some(element) => element.local,
        None if !single => "a condition twice",
        None if !tree.holds_only_elements(conditions.node) => "text",
        None => "known conditions",
    };
    trace.require(CheckName::Conditions, Reason::Conditions, found == "known conditions", "known conditions", found)
}

/// A `NameID` in plain text that will be the same next time.
fn check_name_id(part: Part<'_>, trace: &mut Trace) -> Result<NameId, Refusal> {
    let wanted = "one NameID that is not transient";
    let subject = part.only("Subject");
    let node = subject.and_then(|subject| subject.only("NameID"));
    let value = node.and_then(Part::text);
    let format = node.and_then(|node| node.attribute("Format"));
    let found = match (subject, value) {
        (Some(subject), _) if subject.only("EncryptedID").is_some() => "an encrypted one",
        (_, None) => "none, or not plain text",
        (_, Some(value)) if value.len() > MAX_NAME_ID_BYTES || value.contains(char::is_control) => {
            "one too long or odd"
        }
        _ if format == Some(TRANSIENT_FORMAT) => "a transient one",
        (_, Some(value)) => {
            trace.pass(CheckName::NameId, wanted, format.unwrap_or("one without format"));
            let attribute = |name| node.and_then(|node| node.attribute(name)).map(str::to_owned);
            return Ok(NameId {
                value: value.to_owned(),
                format: attribute("Format"),
                name_qualifier: attribute("NameQualifier"),
                sp_name_qualifier: attribute("SPNameQualifier"),
            });
        }
    };
    Err(trace.fail(CheckName::NameId, Reason::NameId, wanted, found))
}
