//! `/login-options`: what an application asks before it shows its sign-in form.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vestibule::{account::Address, app::App, web::Problem};

use crate::{once::Answer, organizations::named_surface, problems::invalid_parameter, request::Query};

/// Whose options, and where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    /// The e-mail address that the person typed.
    #[param(example = "grace@example.com")]
    email: String,
    /// The application's surface.
    #[param(example = "claudeai")]
    surface: String,
}

/// How a person can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginOptions {
    /// Whether it is by single sign-on.
    sso: Sso,
    /// Where single sign-on starts: send an authorization request there, with the address as `login_hint`. Absent
    /// where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://id.example.com/oidc/authorize")]
    authorization_endpoint: Option<String>,
}

/// Whether a person signs in by single sign-on. Clients must expect `required` too, and then offer nothing else.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sso {
    /// It can be used.
    Optional,
    /// There is none for this address on this surface.
    None,
}

/// Tells how a person can sign in
///
/// It goes by the domain of the address alone: the answer is the same whether or not the address has an account.
#[utoipa::path(
    get,
    path = "/login-options",
    operation_id = "get_login_options",
    tag = "Applications",
    params(Whose),
    responses(
        (status = 200, description = "The options.", body = LoginOptions),
        (status = 422, description = "`invalid-value`: the address or the surface is not acceptable.")
    )
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Query(whose): Query<Whose>) -> Result<Answer, Problem> {
    let email: Address = whose.email.parse().map_err(|error| invalid_parameter("email", &error))?;
    let surface = named_surface(&whose.surface, &app).map_err(|error| invalid_parameter("surface", &error))?;
    let connected = match app.store.domain_owner(email.domain()).await? {
        None => false,
        Some(parent) => {
            let (parent, present) =
                tokio::try_join!(app.store.parent(parent), app.store.has_organization_on(parent, &surface.id))?;
            present && parent.is_some_and(|parent| parent.value.connection.is_some())
        }
    };
    let options = if connected {
        let authorization_endpoint = Some(app.settings.url("/oidc/authorize"));
        LoginOptions { sso: Sso::Optional, authorization_endpoint }
    } else {
        LoginOptions { sso: Sso::None, authorization_endpoint: None }
    };
    Answer::new(StatusCode::OK, &options)
}
