//! Once more with current keys: a response that no trusted key signed may be signed with one that the identity provider
//! has published since.
//!
//! A fetch is spent only on a browser whose login waits for this connection, and on a connection not more often than
//! every five minutes, whatever is posted to it. Whoever arrives while it is under way waits for it, so that a rollover
//! refuses nobody; whoever arrives after it finds the new keys or an answer at once.

use std::time::Duration;

use vestibule::{
    app::App,
    clock::{Timestamp, after},
    connection::{Connection, Refetched},
    saml::{CheckName, Reason, Refusal, Trace},
    table::{StoreError, Stored},
    web::Fetcher,
};

/// Seconds in which metadata is fetched once, whatever fails.
const QUIET: i64 = 5 * 60;
/// How long the document may take, while a person waits.
const WITHIN: Duration = Duration::from_secs(5);
/// How often, and how many times, somebody else's fetch is waited for: a little longer than it may take.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSES: usize = 24;

/// Whether other keys could have prevented this refusal. What goes wrong inside of an encrypted assertion, its
/// signature included, is always told as the same.
pub(crate) fn may_help(refusal: Refusal, connection: &Connection) -> bool {
    connection.refresh.is_some()
        && matches!(refusal.reason(), Reason::NoTrustedKey | Reason::Signature | Reason::Decryption)
}

/// The connection as it is once its metadata was fetched again, by this request or by another one.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn current(
    app: &App,
    fetcher: &Fetcher,
    present: &Stored<Connection>,
    now: Timestamp,
) -> Result<Stored<Connection>, StoreError> {
    match app.refetch(fetcher, present, QUIET, WITHIN, now).await? {
        Refetched::Stored(connection) => Ok(*connection),
        Refetched::Elsewhere { since } => wait(app, present, since, now).await,
    }
}

/// The connection once the fetch that began at `since` has come to its end, or should have.
async fn wait(
    app: &App,
    present: &Stored<Connection>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Stored<Connection>, StoreError> {
    let is_over =
        |connection: &Connection| connection.refresh.as_ref().is_none_or(|refresh| since <= refresh.tried_at());
    // Whoever began so long ago will not end it any more.
    let is_lost = after(since, 2 * i64::try_from(WITHIN.as_secs()).unwrap_or_default()) < now;
    for _ in 0..PAUSES {
        let Some(connection) = app.store.connection(present.value.id).await? else { break };
        if is_lost || connection.version != present.version || is_over(&connection.value) {
            return Ok(connection);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(present.clone())
}

/// Says in the trace what fetching again has brought: the check that failed for want of a key, or passed with a new one.
pub(crate) fn explain(trace: &mut Trace, before: &Connection, connection: &Connection) {
    let failed = trace.failed().map(|check| check.name);
    let failing = connection.refresh.as_ref().and_then(|refresh| refresh.failing.as_ref());
    let words = match (failing, before.identity_provider.certificates == connection.identity_provider.certificates) {
        (Some(failing), _) => format!("The metadata could not be fetched again: {}.", failing.failure),
        (None, true) => {
            "The metadata was fetched again in the last minutes and names the same certificates.".to_owned()
        }
        (None, false) => "The metadata was fetched again for this and names other certificates now.".to_owned(),
    };
    trace.warn(failed.unwrap_or(CheckName::Signature), &words);
}

#[cfg(test)]
mod tests {
    use vestibule::{
        connection::Options,
        id::Random,
        saml::{IdpKind, IdpMetadata},
    };

    use super::*;

    #[test]
    fn other_keys_may_help_where_a_signature_failed_and_metadata_is_fetched() {
        let (now, random) = (Timestamp::UNIX_EPOCH, Random::default());
        let metadata = IdpMetadata {
            entity_id: "https://idp.example".to_owned(),
            kind: IdpKind::Other,
            sso_redirect: None,
            sso_post: None,
            wants_signed_requests: false,
            certificates: Vec::new(),
            valid_until: None,
            name_id_formats: Vec::new(),
        };
        let given = Connection::to_identity_provider(random.id(), None, metadata, Options::default(), now, &random);
        let fetched = given.clone().published_at("https://idp.example/metadata".parse().unwrap(), now, &random);
        for reason in Reason::ALL {
            let refusal = Trace::new(IdpKind::Other).fail(CheckName::Signature, *reason, "", "");
            let expected = matches!(reason, Reason::NoTrustedKey | Reason::Signature | Reason::Decryption);
            assert_eq!(may_help(refusal, &fetched), expected, "{reason}");
            assert!(!may_help(refusal, &given), "{reason}");
        }
    }
}
