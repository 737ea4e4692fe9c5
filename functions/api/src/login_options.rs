//! What an application asks before it shows its sign-in form.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use vestibule::{account::Address, web::Problem};

use crate::{Api, organizations::surface, request::Parameters};

/// Whose options, and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    /// The address that the person typed.
    email: String,
    /// The application's surface.
    surface: String,
}

/// The options.
#[derive(Debug, Serialize)]
pub(crate) struct LoginOptions {
    /// Whether the person signs in by single sign-on.
    sso: Sso,
    /// Where single sign-on starts: send an authorization request there, with the address as `login_hint`. Absent
    /// where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<String>,
}

/// Whether a person signs in by single sign-on.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sso {
    /// It can be used.
    Optional,
    /// There is none for this address on this surface.
    None,
}

/// `GET /login-options`: two round trips. It tells of a domain only what its sign-in page tells everybody.
pub(crate) async fn show(
    State(api): State<Api>,
    Parameters(whose): Parameters<Whose>,
) -> Result<Json<LoginOptions>, Problem> {
    let email: Address = whose.email.parse().map_err(|error| Problem::invalid("/email", &error))?;
    let surface = surface(&api, "/surface", &whose.surface)?;
    let store = &api.app.store;
    let connected = match store.domain_owner(email.domain()).await? {
        None => false,
        Some(parent) => {
            let (parent, organizations) =
                tokio::try_join!(store.parent(parent), store.organizations_on(parent, &surface.id))?;
            !organizations.is_empty() && parent.is_some_and(|parent| parent.value.connection.is_some())
        }
    };
    Ok(Json(if connected {
        let authorization_endpoint = Some(api.app.settings.url("/oidc/authorize"));
        LoginOptions { sso: Sso::Optional, authorization_endpoint }
    } else {
        LoginOptions { sso: Sso::None, authorization_endpoint: None }
    }))
}
