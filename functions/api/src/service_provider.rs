//! `/service-provider/keys`: the keys that sign our requests to identity providers and open what they encrypt to us.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    app::App,
    clock::Timestamp,
    journal::{Action, Actor, Entry, Trail},
    operation::Operation,
    saml::PinnedKey,
    service_provider::{self, MAX_NOTICE, RotationError, ServiceProviderKeys, USUAL_NOTICE},
    table::{Stored, Transaction},
    web::Problem,
};

use crate::{
    connections::Certificate,
    once::{Answer, Obstacle, once},
    problems::{ROTATION_TOO_SOON, ROTATION_UNDER_WAY},
    request::Submission,
};

/// How to rotate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// Days between the publication of the next keys and their turn to sign; 0 for at once, which also drops the former keys
    /// and is for keys that others have come to know.
    #[serde(default = "usual_notice")]
    #[schema(example = 30, default = 30, minimum = 0, maximum = 90)]
    notice_days: u32,
}

const fn usual_notice() -> u32 {
    USUAL_NOTICE
}

/// The deployment's keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Keys {
    /// Whose turn it is: its key signs our requests.
    current: Generation,
    /// Who comes next: its signing certificate is in our metadata beside the current one, and its encryption certificate
    /// in place of the current one. Null when no rotation is under way.
    #[schema(required)]
    next: Option<Generation>,
    /// Whose turn is over: its key still opens what is encrypted to it. Null before the first rotation, and while one is
    /// under way.
    #[schema(required)]
    former: Option<Generation>,
}

/// Keys that come and go together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Generation {
    /// The certificate of the key that signs.
    signing: Certificate,
    /// The certificate of the key that opens.
    encryption: Certificate,
    /// When they were made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// From when on they sign.
    #[schema(value_type = String, format = DateTime)]
    takes_over_at: Timestamp,
}

impl Keys {
    fn of(keys: &ServiceProviderKeys, now: Timestamp) -> Self {
        Self {
            current: keys.current(now).into(),
            next: keys.next(now).map(Generation::from),
            former: keys.former(now).map(Generation::from),
        }
    }
}

impl From<&service_provider::Generation> for Generation {
    fn from(generation: &service_provider::Generation) -> Self {
        let certificate = |key: &PinnedKey| Certificate::from(key);
        Self {
            signing: certificate(&generation.signing.certificate),
            encryption: certificate(&generation.encryption.certificate),
            made_at: generation.made_at,
            takes_over_at: generation.takes_over_at,
        }
    }
}

/// Shows the service provider's keys
///
/// They are the deployment's, and the same for all customers. The certificates themselves are in the metadata of every
/// connection.
#[utoipa::path(
    get,
    path = "/service-provider/keys",
    operation_id = "get_service_provider_keys",
    tag = "Service provider",
    responses((status = 200, description = "The keys, by their certificates.", body = Keys))
)]
pub(crate) async fn show(State(app): State<Arc<App>>) -> Result<Answer, Problem> {
    let now = app.clock.now();
    let keys = app.service_provider_keys(now).await?;
    Answer::new(StatusCode::OK, &Keys::of(&keys.value, now))
}

/// Rotates the service provider's keys
///
/// Makes the next keys and publishes their certificates in our metadata. From then on identity providers may encrypt to
/// the next key, and to the present one for as long as they have not read the metadata again. When the notice is over, the
/// next key signs, and the present keys become the former ones, which still open for 90 days at least. Identity
/// providers that read no metadata are told by hand meanwhile. Without notice, next keys that are published already take
/// over at once; it takes up to five minutes until they sign everywhere, and the former signing certificate stays in our
/// metadata for as long. Within ten minutes of a turn there is no other one, since the keys in use would be dropped.
#[utoipa::path(
    post,
    path = "/service-provider/keys/rotate",
    operation_id = "rotate_service_provider_keys",
    tag = "Service provider",
    request_body = Rotation,
    responses(
        (status = 200, description = "The keys as they are now.", body = Keys),
        (
            status = 409,
            description = "`rotation-under-way`: the next keys are published already, or have taken over just now.\n\n`rotation-too-soon`: the former \
                           keys may still be needed."
        )
    )
)]
pub(crate) async fn rotate(
    State(app): State<Arc<App>>,
    Submission { operation, body }: Submission<Rotation>,
) -> Result<Answer, Problem> {
    if body.notice_days > MAX_NOTICE {
        return Err(Problem::invalid("/notice_days", &format!("A notice has at most {MAX_NOTICE} days.")));
    }
    once(&app, &operation, || rotate_once(&app, &operation, body.notice_days)).await
}

async fn rotate_once(app: &App, operation: &Operation, notice: u32) -> Result<Answer, Obstacle> {
    let now = app.clock.now();
    let Stored { value: keys, version } = app.service_provider_keys(now).await?;
    let forward = if notice == 0 { keys.brought_forward(now) } else { None };
    let rotated = if let Some(forward) = forward {
        forward
    } else {
        let turn = ServiceProviderKeys::turn_after(notice, now);
        // Before the work of making keys.
        keys.may_rotate(turn, now).map_err(|error| refused(&error))?;
        let next = app.fresh_generation(turn, now).await?;
        keys.rotated(next, now).map_err(|error| refused(&error))?
    };
    let entry = Entry { trail: Trail::Deployment, actor: Actor::Operator, at: now };
    let subject = rotated.newest().signing.certificate.fingerprint();
    let (before, after) = (Keys::of(&keys, now), Keys::of(&rotated, now));
    let event = entry.event(Action::ServiceProviderKeysRotated, &subject, before, &after, &app.random);
    let answer = Answer::new(StatusCode::OK, &after)?;
    let mut transaction = Transaction::default();
    transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
    transaction.replace_service_provider_keys(&rotated, version, Obstacle::Changed);
    transaction.record(&event);
    app.store.commit(transaction).await?;
    tracing::warn!(notice, "the operator rotated the service provider's keys");
    Ok(answer)
}

fn refused(error: &RotationError) -> Problem {
    match error {
        RotationError::UnderWay(_) | RotationError::JustTurned(_) => ROTATION_UNDER_WAY.says(error),
        RotationError::TooSoon(_) => ROTATION_TOO_SOON.says(error),
    }
}
