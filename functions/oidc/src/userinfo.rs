//! `/oidc/userinfo`: who an access token is about (OpenID Connect Core, section 5.3), and whether it still opens
//! anything (RFC 6750).

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use vestibule::{
    account::{Account, Membership},
    app::App,
    grant::{Admission, PROFILE, grant_of_access_token},
    id::{AccountId, OrganizationId},
    surface::{Role, SurfaceId},
    table::StoreError,
};

use crate::{Provider, parameters::Parameters};

pub(crate) const PATH: &str = "/oidc/userinfo";

#[derive(Serialize)]
struct UserInfo {
    sub: AccountId,
    email: String,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    organization: OrganizationId,
    surface: SurfaceId,
    role: Role,
}

/// Why there is no answer (RFC 6750, section 3.1).
#[derive(Debug)]
enum BearerError {
    /// No token: which kinds there are is all that is said.
    Missing,
    InvalidRequest(&'static str),
    InvalidToken,
    Unavailable(StoreError),
}

/// `GET /oidc/userinfo`.
pub(crate) async fn by_get(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    answer(&provider.app, &headers, None).await
}

/// `POST /oidc/userinfo`, with the token in the header or in a form (RFC 6750, section 2.2).
pub(crate) async fn by_post(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = Parameters::of_form(&headers, body).ok();
    answer(&provider.app, &headers, form.as_ref()).await
}

async fn answer(app: &App, headers: &HeaderMap, form: Option<&Parameters>) -> Response {
    let presented = presented(headers, form);
    let told = match presented {
        Ok(token) => tell(app, &token).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(told) => ([(header::CACHE_CONTROL, "no-store")], Json(told)).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The one token of the request.
fn presented(headers: &HeaderMap, form: Option<&Parameters>) -> Result<String, BearerError> {
    let twice = BearerError::InvalidRequest("the access token is there more than once");
    let in_form = match form.map(|form| form.one("access_token")) {
        Some(Ok(token)) => token,
        Some(Err(_)) => {
            return Err(BearerError::InvalidRequest("the access token is there more than once or too long"));
        }
        None => None,
    };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let in_header = given.next();
    if given.next().is_some() {
        return Err(twice);
    }
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(twice),
        (None, Some(token)) => Ok(token.to_owned()),
        (None, None) => Err(BearerError::Missing),
        (Some(credentials), None) => {
            let (scheme, token) = credentials.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
            if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim().to_owned()) } else { Err(BearerError::Missing) }
        }
    }
}

/// Two round trips: the grant, then the membership and the account as they are now.
async fn tell(app: &App, token: &str) -> Result<UserInfo, BearerError> {
    let now = app.clock.now();
    let id = grant_of_access_token(token, &app.settings.sealing_key, now).ok_or(BearerError::InvalidToken)?;
    let grant = app.store.grant(id).await?.ok_or(BearerError::InvalidToken)?.value;
    let person = app.store.person(&grant.admission.email.folded()).await?;
    let membership = person.membership(grant.admission.organization).map(|stored| &stored.value);
    if !grant.holds(membership, now) {
        return Err(BearerError::InvalidToken);
    }
    let account = person.account.as_ref().map(|stored| &stored.value).ok_or(BearerError::InvalidToken)?;
    let membership = membership.ok_or(BearerError::InvalidToken)?;
    Ok(UserInfo::new(&grant.admission, account, membership))
}

impl UserInfo {
    fn new(admission: &Admission, account: &Account, membership: &Membership) -> Self {
        Self {
            sub: admission.account,
            email: admission.email.to_string(),
            email_verified: true,
            name: account.name.clone().filter(|_| admission.may(PROFILE)),
            organization: admission.organization,
            surface: admission.surface.clone(),
            role: membership.role.clone(),
        }
    }
}

impl From<StoreError> for BearerError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::Missing => {
                let challenge = HeaderValue::from_static("Bearer realm=\"vestibule\"");
                return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
            }
            Self::Unavailable(error) => {
                tracing::error!(?error, "the store failed");
                return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response();
            }
            Self::InvalidRequest(description) => (StatusCode::BAD_REQUEST, "invalid_request", description),
            Self::InvalidToken => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "the access token is unknown, has expired or was revoked, or the person is no longer a member",
            ),
        };
        let challenge = format!("Bearer realm=\"vestibule\", error=\"{error}\", error_description=\"{description}\"");
        let body = Json(json!({ "error": error, "error_description": description }));
        (status, [(header::CACHE_CONTROL, "no-store".to_owned()), (header::WWW_AUTHENTICATE, challenge)], body)
            .into_response()
    }
}
