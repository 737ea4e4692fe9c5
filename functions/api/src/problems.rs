//! Every kind of problem that this function answers with (RFC 9457), so that the document can list them and a test can
//! hold answers against it.

use axum::response::IntoResponse;
use http::{HeaderValue, StatusCode, header};
use vestibule::{
    domain::{ClaimError, DomainError, TooSoon},
    organization::TeamError,
    web::Problem,
};

/// A kind of problem. Its slug and status never change; its title may be reworded.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The last part of its `type`.
    pub(crate) slug: &'static str,
    /// The HTTP status it comes with.
    pub(crate) status: StatusCode,
    /// The kind in words.
    pub(crate) title: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:ident $slug:literal $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind { slug: $slug, status: StatusCode::$status, title: $title };)*
        /// All of them.
        pub(crate) const ALL: &[Kind] = &[$($name,)*];
    };
}

kinds! {
    MALFORMED_JSON = BAD_REQUEST "malformed-json" "The body is not JSON";
    NO_IDEMPOTENCY_KEY = BAD_REQUEST "idempotency-key-missing" "An Idempotency-Key is needed";
    UNAUTHORIZED = UNAUTHORIZED "unauthorized" "A key is needed";
    NOT_FOUND = NOT_FOUND "not-found" "Not found";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method-not-allowed" "The method is not allowed here";
    CHANGED = CONFLICT "changed" "Somebody else changed the same";
    ALREADY_MEMBER = CONFLICT "already-member" "The present state does not allow this";
    PRIMARY_OWNER = CONFLICT "primary-owner" "The present state does not allow this";
    LAST_ADMINISTRATOR = CONFLICT "last-administrator" "The present state does not allow this";
    NO_VERIFIED_DOMAIN = CONFLICT "no-verified-domain" "The present state does not allow this";
    IDENTITY_PROVIDER_IN_USE = CONFLICT "identity-provider-in-use" "The present state does not allow this";
    TOO_MANY_SHARING = CONFLICT "too-many-sharing" "The present state does not allow this";
    ROTATION_UNDER_WAY = CONFLICT "rotation-under-way" "The present state does not allow this";
    ROTATION_TOO_SOON = CONFLICT "rotation-too-soon" "The present state does not allow this";
    TOO_MANY_DOMAINS = CONFLICT "too-many-domains" "The present state does not allow this";
    TOO_LARGE = PAYLOAD_TOO_LARGE "too-large" "The body is too large";
    NOT_JSON = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The body is of another type";
    INVALID_VALUE = UNPROCESSABLE_ENTITY "invalid-value" "A value is not acceptable";
    METADATA_NOT_FETCHED = UNPROCESSABLE_ENTITY "metadata-not-fetched" "The metadata could not be fetched";
    KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency-key-reused" "The Idempotency-Key was used for another request";
    TOO_SOON = TOO_MANY_REQUESTS "too-soon" "Too soon";
    UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable" "Temporarily unavailable";
}

impl Kind {
    /// The problem of this kind that says `detail`.
    pub(crate) fn says(&self, detail: &(impl ToString + ?Sized)) -> Problem {
        Problem::new(self.status, self.slug, self.title, detail)
    }
}

/// The answer to a method that a route does not have.
pub(crate) async fn method_not_allowed() -> impl IntoResponse {
    METHOD_NOT_ALLOWED.says("This address does not answer to this method; the Allow header names those it answers to.")
}

/// A value of the query that is not acceptable.
pub(crate) fn invalid_parameter(name: &str, detail: &(impl ToString + ?Sized)) -> Problem {
    let mut problem = INVALID_VALUE.says(detail);
    problem.members.insert("parameter".to_owned(), name.into());
    problem
}

/// A refusal of team settings, where the role stands in the field `/role`.
pub(crate) fn of_team(error: &TeamError) -> Problem {
    match error {
        TeamError::UnknownRole(_) => Problem::invalid("/role", error),
        TeamError::AlreadyMember => ALREADY_MEMBER.says(error),
        TeamError::NotMember => Problem::not_found("member of this organization"),
        TeamError::PrimaryOwner => PRIMARY_OWNER.says(error),
        TeamError::LastAdministrator => LAST_ADMINISTRATOR.says(error),
        TeamError::Changed => CHANGED.says(error),
    }
}

/// Why a claim on a domain was not changed; the domain of a new one stands in the field `/domain`.
pub(crate) fn of_domain(error: DomainError) -> Problem {
    match error {
        DomainError::NoParent => Problem::not_found("parent organization"),
        DomainError::NoClaim => Problem::not_found("domain claimed by this parent organization"),
        DomainError::Refused(ClaimError::TooMany) => TOO_MANY_DOMAINS.says(&error),
        DomainError::Refused(_) => Problem::invalid("/domain", &error),
        DomainError::TooSoon(TooSoon { retry_after }) => {
            TOO_SOON.says(&error).with_header(header::RETRY_AFTER, HeaderValue::from(retry_after))
        }
        DomainError::Changed => CHANGED.says(&error),
    }
}
