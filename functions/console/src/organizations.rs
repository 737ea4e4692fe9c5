//! `/settings/organization`: which of several organizations is administered; and the end of sessions.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use http::StatusCode;
use vestibule::{
    account::Account,
    administrator::{Authority, Session},
    app::App,
    id::OrganizationId,
    table::{StoreError, Transaction},
};

use crate::{
    form::Fields,
    frame::Head,
    guard::{self, Visitor},
    page::{self, Otherwise},
};

#[derive(Template)]
#[template(path = "organization.html")]
struct ChoicePage<'a> {
    head: Head,
    email: String,
    token: &'a str,
    choices: Vec<Choice>,
}

struct Choice {
    id: OrganizationId,
    name: String,
    surface: String,
    role: String,
    is_chosen: bool,
}

/// `GET /settings/organization`.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Otherwise> {
    let authorities = app.store.authorities(&visitor.person, &app.settings.surfaces).await?;
    let administered = app.store.administered(&authorities).await?;
    let choices = authorities.iter().zip(administered).filter_map(|(authority, stored)| {
        let Authority { organization, surface, role, .. } = authority;
        let surface = app.settings.surfaces.get(surface.as_str()).map(|surface| surface.name.clone());
        Some(Choice {
            id: *organization,
            name: stored?.value.name.to_string(),
            surface: surface.unwrap_or_default(),
            role: role.to_string(),
            is_chosen: visitor.session.value.organization == Some(*organization),
        })
    });
    let choices = choices.collect();
    let (email, token) = (visitor.email().to_string(), visitor.token.as_str());
    Ok(page::page(StatusCode::OK, &ChoicePage { head: Head::new("Choose an organization"), email, token, choices }))
}

/// `POST /settings/organization`: the choice, which must be one now.
pub(crate) async fn choose(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Otherwise> {
    let Ok(organization) = fields.text("organization").parse::<OrganizationId>() else { return Ok(page::not_found()) };
    let Session { email, account, .. } = &visitor.session.value;
    let (_, authority) = app.store.authority(email, *account, organization, &app.settings.surfaces).await?;
    if authority.is_none() {
        return Ok(page::not_found());
    }
    let session = Session { organization: Some(organization), ..visitor.session.value.clone() };
    let mut transaction = Transaction::default();
    transaction.replace_administrator_session(&visitor.cookie, &session, visitor.session.version, ());
    // Used or ended by another request at this moment: the page is shown as it is now.
    let chosen = app.store.commit_unless_changed(transaction).await?;
    Ok(page::see(if chosen { "/settings/identity" } else { "/settings/organization" }))
}

/// `POST /settings/sign-out`: ends this session.
pub(crate) async fn sign_out(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Otherwise> {
    guard::end(&app, &visitor).await?;
    Ok(guard::without_session(&app, page::see("/settings/sign-in")))
}

/// `POST /settings/sign-out-everywhere`: voids every session that the person has had until now.
pub(crate) async fn sign_out_everywhere(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Otherwise> {
    void_sessions(&app, &visitor).await?;
    Ok(guard::without_session(&app, page::see("/settings/sign-in")))
}

async fn void_sessions(app: &App, visitor: &Visitor) -> Result<(), StoreError> {
    let mut known = visitor.person.account.clone();
    while let Some(stored) = known {
        let account = Account { signed_out_at: Some(app.clock.now()), ..stored.value };
        let mut transaction = Transaction::default();
        transaction.replace_account(&account, stored.version, ());
        if app.store.commit_unless_changed(transaction).await? {
            break;
        }
        // The person signed in somewhere at this moment.
        known = app.store.account(&account.email.folded()).await?;
    }
    Ok(())
}
