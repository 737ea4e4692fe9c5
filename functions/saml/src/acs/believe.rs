//! From a form to an assertion that is meant for us.

use std::sync::Arc;

use axum::{Form, extract::rejection::FormRejection};
use http::StatusCode;
use vestibule::{
    app::App,
    clock::Timestamp,
    connection::Connection,
    saml::{
        Assertion, CheckName, Expected, MAX_MESSAGE_BYTES, Reason, Refusal, Request, Skew, Trace, Trust, Unverified,
    },
    service_provider::OpenedKeys,
};

use super::{Answer, Failure, Pending};
use crate::Service;

/// What was posted, to which connection, and the login that it can answer.
pub(super) struct Posted<'a> {
    pub(super) connection: &'a Connection,
    pub(super) pending: Option<&'a Pending>,
    pub(super) form: &'a Result<Form<Answer>, FormRejection>,
    pub(super) now: Timestamp,
}

/// Believes what was posted, or not, without any I/O as long as our keys are at hand. Where an assertion does not open
/// with `keys`, they are read again, since they may have been rotated after this process read them; how an assertion
/// does not open makes no difference.
pub(super) async fn believe(
    service: &Service,
    posted: &Posted<'_>,
    keys: Option<Arc<OpenedKeys>>,
    trace: &mut Trace,
) -> Result<Assertion, Failure> {
    let refusal = match posted.believe(&service.app, keys.as_deref(), trace) {
        Ok(assertion) => return Ok(assertion),
        Err(refusal) => refusal,
    };
    if refusal.reason() != Reason::Decryption {
        return Err(refusal.into());
    }
    match service.keys.others(keys.as_deref(), &service.app, posted.now).await? {
        None => Err(refusal.into()),
        Some(others) => {
            *trace = Trace::new(posted.connection.identity_provider.kind);
            Ok(posted.believe(&service.app, Some(&others), trace)?)
        }
    }
}

impl Posted<'_> {
    fn believe(&self, app: &App, keys: Option<&OpenedKeys>, trace: &mut Trace) -> Result<Assertion, Refusal> {
        let &Self { connection, pending, form, now } = self;
        let Form(answer) = form.as_ref().map_err(|rejection| unreadable(rejection, trace))?;
        let unverified = Unverified::decode(&answer.response, trace)?;
        let decryption_keys = keys.map(OpenedKeys::decryption_keys).unwrap_or_default().to_vec();
        let trust = Trust { decryption_keys, ..connection.trust() };
        let signed = unverified.verify(&trust, now, trace)?;
        let request = match pending {
            Some(pending) => Request::Pending(&pending.request_id),
            None => Request::None { idp_initiated_allowed: connection.options.idp_initiated_application.is_some() },
        };
        let anew = pending
            .filter(|pending| pending.login.value.request.force || connection.options.force_authn)
            .map(|pending| pending.login.value.begun_at());
        let expected = Expected {
            idp_entity_id: &connection.identity_provider.entity_id,
            sp_entity_id: &connection.entity_id(&app.settings),
            acs_url: &connection.acs_url(&app.settings),
            request,
            authenticated_since: anew,
            now,
            skew: Skew::default(),
        };
        signed.check(&expected, trace)
    }
}

/// A form that is too large or no form at all, as the check it fails.
fn unreadable(rejection: &FormRejection, trace: &mut Trace) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let most = format_args!("at most {MAX_MESSAGE_BYTES} bytes").to_string();
        trace.fail(CheckName::Size, Reason::TooLarge, most, "a larger form")
    } else {
        trace.fail(CheckName::Encoding, Reason::Malformed, "a form with one SAMLResponse", "something else")
    }
}
