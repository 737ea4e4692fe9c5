//! Answers that nobody asked for, from people who begin at their identity provider.
//!
//! Such an answer can not be bound to the browser that brings it: whoever has one can make anybody's browser post it. So
//! it gives no session. It is checked as any other, used up, and the browser is sent to where the application begins a
//! sign-in; there the person becomes who the identity provider says once more, in answer to a request of this browser.

use axum::response::Response;
use vestibule::{
    app::App,
    connection::Connection,
    login::{self, Attempt, LoginError},
    saml::{Assertion, CheckName},
    table::CommitError,
    web,
};

use super::{ATTEMPTS, Asserted, Failure};

/// Sends the browser to the application that the connection names. `RelayState` is whatever somebody wrote, and plays no part.
pub(super) async fn send_on(
    app: &App,
    connection: &Connection,
    assertion: &Assertion,
    attempt: &mut Attempt,
) -> Result<Response, Failure> {
    let missing = || Failure::Unavailable(Box::new("the application of a connection has no start-login address"));
    // A connection without an application accepts no such assertion.
    let application = connection.options.idp_initiated_application.ok_or_else(missing)?;
    let asserted = Asserted::read(app, connection, assertion, &mut attempt.checks)?;
    for _ in 0..ATTEMPTS {
        let (known, application) = tokio::try_join!(asserted.look_up(app), app.store.application(application))?;
        let claim = asserted.claim(&known);
        asserted.note_address(&claim, attempt);
        login::believe(&claim, &asserted.name_id_hash, &mut attempt.checks)?;
        let application = application.ok_or_else(missing)?;
        let target = application.start_login(asserted.email(), app.settings.issuer()).ok_or_else(missing)?;
        let later = "left to the sign-in that the application begins now";
        assertion.note_groups(None, false, &mut attempt.checks);
        attempt.checks.pass(CheckName::Access, later, "no session yet");
        (attempt.application, attempt.sent_on) = (Some(application.id), true);
        match app.store.use_up(asserted.once(), attempt).await {
            Ok(()) => return Ok(web::redirect(&target)),
            // Used by another request just now, which the next look shows.
            Err(CommitError::Refused(LoginError::Changed)) => {
                (attempt.application, attempt.sent_on) = (None, false);
            }
            Err(error) => return Err(Failure::Unavailable(Box::new(error))),
        }
    }
    Err(Failure::Unavailable(Box::new("the facts kept changing")))
}
