//! Subject confirmation by possession (SAML Profiles 4.1.4.2): for whom, until when and in answer to what.

use jiff::Timestamp;

use super::validate::{BadTime, Expected, Part, Request};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// One bearer confirmation.
#[derive(Clone, Copy)]
pub(super) struct Bearer<'a> {
    has_data: bool,
    pub(super) recipient: Option<&'a str>,
    pub(super) in_response_to: Option<&'a str>,
    pub(super) not_before: Result<Option<Timestamp>, BadTime>,
    pub(super) not_on_or_after: Result<Option<Timestamp>, BadTime>,
}

/// The bearer confirmations of an assertion's only subject, in order.
pub(super) fn bearers(assertion: Part<'_>) -> Vec<Bearer<'_>> {
    let Some(subject) = assertion.only("Subject") else {
        return Vec::new();
    };
    let confirmations = subject.named("SubjectConfirmation");
    confirmations.filter(|confirmation| confirmation.attribute("Method") == Some(BEARER)).map(Bearer::read).collect()
}

impl<'a> Bearer<'a> {
    fn read(confirmation: Part<'a>) -> Self {
        let data = confirmation.only("SubjectConfirmationData");
        Self {
            has_data: data.is_some(),
            recipient: data.and_then(|data| data.attribute("Recipient")),
            in_response_to: data.and_then(|data| data.attribute("InResponseTo")),
            not_before: data.map_or(Ok(None), |data| data.time("NotBefore")),
            not_on_or_after: data.map_or(Ok(None), |data| data.time("NotOnOrAfter")),
        }
    }

    /// What is missing from it.
    pub(super) fn defect(&self) -> Option<&'static str> {
        if !self.has_data {
            return Some("one without data");
        }
        if self.recipient.is_none() {
            return Some("one without Recipient");
        }
        matches!(self.not_on_or_after, Ok(None)).then_some("one without NotOnOrAfter")
    }

    /// Whether all of it fits. Chooses among several; the checks decide on the chosen one.
    pub(super) fn holds(&self, expected: &Expected<'_>) -> bool {
        let Expected { acs_url, request, now, skew, .. } = *expected;
        let asked = match request {
            Request::Pending(id) => self.in_response_to.is_none_or(|named| named == id),
            Request::None { .. } => self.in_response_to.is_none(),
            Request::Unknown => true,
        };
        let begun = matches!(self.not_before, Ok(start) if start.is_none_or(|start| skew.has_come(start, now)));
        let ahead = matches!(self.not_on_or_after, Ok(Some(end)) if skew.is_ahead(end, now));
        self.recipient == Some(acs_url) && asked && begun && ahead
    }
}
