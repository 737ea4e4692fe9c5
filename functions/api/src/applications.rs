//! Applications.

use axum::{Json, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use vestibule::{
    application::{Application, MAX_REDIRECT_URIS, RedirectUri},
    clock::Timestamp,
    id::{ApplicationId, Secret},
    organization::Name,
    surface::SurfaceId,
    table::Transaction,
    web::Problem,
};

use crate::{
    Api,
    organizations::surface,
    page::{Listing, Paging},
    post::{Answer, Post},
    request::Parameters,
};

/// A new application.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApplication {
    /// Its name, as people see it while they sign in: 1 to 200 characters.
    name: String,
    /// The surface it belongs to.
    surface: String,
    /// Where a finished login may be handed to: 1 to 20, compared character by character.
    redirect_uris: Vec<String>,
    /// Where a person starts to sign in to it.
    start_login_uri: Option<String>,
    /// Whether it is a public client, which can keep no secret (RFC 6749, section 2.1).
    #[serde(default)]
    public: bool,
}

/// An application.
#[derive(Debug, Serialize)]
pub(crate) struct ApplicationView {
    client_id: ApplicationId,
    /// Shown once, when it is registered; a public client has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    name: Name,
    surface: SurfaceId,
    redirect_uris: Vec<RedirectUri>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_login_uri: Option<RedirectUri>,
    public: bool,
    created_at: Timestamp,
}

impl From<Application> for ApplicationView {
    fn from(application: Application) -> Self {
        Self {
            client_id: application.id,
            client_secret: None,
            name: application.name,
            surface: application.surface,
            redirect_uris: application.redirect_uris,
            start_login_uri: application.start_login_uri,
            public: application.secret.is_none(),
            created_at: application.created_at,
        }
    }
}

/// `GET /applications`, in the order of their ids.
pub(crate) async fn list(
    State(api): State<Api>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Json<Listing<ApplicationView>>, Problem> {
    let (limit, after) = (paging.limit()?, paging.after(&api, "applications")?);
    let page = api.app.store.applications(after.as_deref(), limit).await?;
    Ok(Json(Listing::of(&api, "applications", page, ApplicationView::from)))
}

/// `POST /applications`: registers an application and shows its secret, once.
pub(crate) async fn create(State(api): State<Api>, post: Post<NewApplication>) -> Result<Response, Problem> {
    if let Some(answer) = post.carried(&api).await? {
        return Ok(answer);
    }
    let app = &api.app;
    let new = &post.body;
    let secret = (!new.public).then(|| app.random.secret());
    let uri =
        |pointer: &str, text: &String| text.parse::<RedirectUri>().map_err(|error| Problem::invalid(pointer, &error));
    if !(1..=MAX_REDIRECT_URIS).contains(&new.redirect_uris.len()) {
        return Err(Problem::invalid("/redirect_uris", "an application has 1 to 20 redirect URIs"));
    }
    let redirect_uris = new.redirect_uris.iter().enumerate();
    let application = Application {
        id: app.random.id(),
        name: new.name.parse().map_err(|error| Problem::invalid("/name", &error))?,
        surface: surface(&api, "/surface", &new.surface)?.id.clone(),
        redirect_uris: redirect_uris
            .map(|(index, text)| uri(&format!("/redirect_uris/{index}"), text))
            .collect::<Result<_, _>>()?,
        start_login_uri: new.start_login_uri.as_ref().map(|text| uri("/start_login_uri", text)).transpose()?,
        secret: secret.as_ref().map(Secret::hash),
        created_at: app.clock.now(),
    };
    let mut transaction = Transaction::default();
    transaction.create_application(&application);
    let client_secret = secret.map(|secret| secret.reveal().to_owned());
    let answer = Answer::created(&ApplicationView { client_secret, ..application.into() })?;
    post.commit(&api, transaction, answer, |()| Problem::unavailable()).await
}
