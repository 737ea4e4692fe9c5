//! What the assertion states: how the person signed in (SAML Core 2.7.2) and attributes (2.7.3).

use jiff::Timestamp;

use super::assertion::Attribute;
use super::reason::Reason;
use super::trace::{CheckName, Refusal, Trace};
use super::validate::{BadTime, Expected, Part};

/// The identity provider's session.
pub(super) struct Authentication {
    pub(super) instant: Timestamp,
    pub(super) session_index: Option<String>,
    pub(super) session_not_on_or_after: Option<Timestamp>,
}

/// At least one authentication statement (SAML Profiles 4.1.4.2); all of them must hold, the latest one counts.
pub(super) fn authentication(
    part: Part<'_>,
    expected: &Expected<'_>,
    trace: &mut Trace,
) -> Result<Authentication, Refusal> {
    let wanted = match expected.authenticated_since {
        Some(since) => format!("a sign-in since {since}, in a session that is not over"),
        None => "a sign-in in the past, in a session that is not over".to_owned(),
    };
    let statements: Result<Vec<Authentication>, BadTime> = part.named("AuthnStatement").map(read).collect();
    let Ok(statements) = statements else {
        return Err(trace.fail(CheckName::Authentication, Reason::Structure, wanted, "a time that cannot be read"));
    };
    let defects = statements.iter().filter_map(|statement| defect(statement, expected));
    let defects: Vec<(Reason, String)> = defects.collect();
    if let Some((reason, found)) = defects.into_iter().next() {
        return Err(trace.fail(CheckName::Authentication, reason, wanted, found));
    }
    let Some(latest) = statements.into_iter().max_by_key(|statement| statement.instant) else {
        return Err(trace.fail(CheckName::Authentication, Reason::Structure, wanted, "no authentication statement"));
    };
    trace.pass(CheckName::Authentication, wanted, format_args!("a sign-in at {}", latest.instant));
    Ok(latest)
}

fn read(statement: Part<'_>) -> Result<Authentication, BadTime> {
    Ok(Authentication {
        instant: statement.time("AuthnInstant")?.ok_or(BadTime)?,
        session_index: statement.attribute("SessionIndex").map(str::to_owned),
        session_not_on_or_after: statement.time("SessionNotOnOrAfter")?,
    })
}

fn defect(statement: &Authentication, expected: &Expected<'_>) -> Option<(Reason, String)> {
    let Expected { now, skew, authenticated_since, .. } = *expected;
    let instant = statement.instant;
    if !skew.has_come(instant, now) {
        return Some((Reason::NotYetValid, format!("a sign-in at {instant}, in the future")));
    }
    if let Some(end) = statement.session_not_on_or_after.filter(|end| !skew.is_ahead(*end, now)) {
        return Some((Reason::Expired, format!("a session that ended at {end}")));
    }
    authenticated_since
        .filter(|since| !skew.has_come(*since, instant))
        .map(|_| (Reason::Expired, format!("a sign-in at {instant}, before it was asked for")))
}

/// Every attribute of every statement, in order. Values that are not exactly one text are left out, never joined.
pub(super) fn attributes(part: Part<'_>) -> Vec<Attribute> {
    let statements = part.named("AttributeStatement");
    statements.flat_map(|statement| statement.named("Attribute")).filter_map(attribute).collect()
}

fn attribute(node: Part<'_>) -> Option<Attribute> {
    Some(Attribute {
        name: node.attribute("Name")?.to_owned(),
        friendly_name: node.attribute("FriendlyName").map(str::to_owned),
        values: node.named("AttributeValue").filter_map(Part::text).map(str::to_owned).collect(),
    })
}
