//! `/applications`: the relying programs of the vendor's surfaces.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vestibule::{
    app::App,
    application::{self, MAX_REDIRECT_URIS, RedirectUri},
    clock::Timestamp,
    id::ApplicationId,
    journal::{Action, Actor, Entry, Trail},
    operation::Operation,
    organization::Name,
    surface::SurfaceId,
    table::Transaction,
    web::Problem,
};

use crate::{
    once::{Answer, Obstacle, once},
    organizations::named_surface,
    page::{Page, PageQuery},
    request::{Query, Submission},
};

/// An application to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApplication {
    /// Its name, as people see it while they sign in: 1 to 200 characters.
    #[schema(example = "Claude", max_length = 200)]
    name: String,
    /// The surface it belongs to.
    #[schema(example = "claudeai")]
    surface: String,
    /// Where a finished login may be handed to, compared character by character.
    #[schema(example = json!(["https://app.example.com/callback"]), min_items = 1, max_items = 20)]
    redirect_uris: Vec<String>,
    /// Where people start to sign in to it.
    #[schema(example = "https://app.example.com/login")]
    start_login_uri: Option<String>,
    /// Whether it is a public client, which can keep no secret and gets none.
    #[serde(default)]
    #[schema(example = false)]
    public: bool,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Application {
    /// Its identifier, the OAuth `client_id`.
    #[schema(value_type = String, example = "app_0cc175b9c0f1b6a831c399e269772661")]
    client_id: ApplicationId,
    /// Its name.
    #[schema(value_type = String, example = "Claude")]
    name: Name,
    /// Its surface.
    #[schema(value_type = String, example = "claudeai")]
    surface: SurfaceId,
    /// Where a finished login may be handed to.
    #[schema(value_type = Vec<String>, example = json!(["https://app.example.com/callback"]))]
    redirect_uris: Vec<RedirectUri>,
    /// Where people start to sign in to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "https://app.example.com/login")]
    start_login_uri: Option<RedirectUri>,
    /// Whether it is a public client.
    public: bool,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// An application that was registered just now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredApplication {
    /// The application.
    #[serde(flatten)]
    application: Application,
    /// Its secret, shown this once; a public client has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "dGhpcyBpcyBhbiBleGFtcGxlIGFuZCBubyBzZWNyZXQ")]
    client_secret: Option<String>,
}

impl From<application::Application> for Application {
    fn from(application: application::Application) -> Self {
        Self {
            client_id: application.id,
            name: application.name,
            surface: application.surface,
            redirect_uris: application.redirect_uris,
            start_login_uri: application.start_login_uri,
            public: application.secret.is_none(),
            created_at: application.created_at,
        }
    }
}

/// What a new application is made of.
struct Registration {
    name: Name,
    surface: SurfaceId,
    redirect_uris: Vec<RedirectUri>,
    start_login_uri: Option<RedirectUri>,
    public: bool,
}

impl Registration {
    fn read(asked: &NewApplication, app: &App) -> Result<Self, Problem> {
        if !(1..=MAX_REDIRECT_URIS).contains(&asked.redirect_uris.len()) {
            let detail = format!("An application has 1 to {MAX_REDIRECT_URIS} redirect URIs.");
            return Err(Problem::invalid("/redirect_uris", &detail));
        }
        let uri = |pointer: String, uri: &String| {
            uri.parse::<RedirectUri>().map_err(|error| Problem::invalid(&pointer, &error))
        };
        let redirect_uris = asked.redirect_uris.iter().enumerate();
        Ok(Self {
            name: asked.name.parse().map_err(|error| Problem::invalid("/name", &error))?,
            surface: named_surface(&asked.surface, app)
                .map_err(|error| Problem::invalid("/surface", &error))?
                .id
                .clone(),
            redirect_uris: redirect_uris
                .map(|(place, text)| uri(format!("/redirect_uris/{place}"), text))
                .collect::<Result<_, _>>()?,
            start_login_uri: asked
                .start_login_uri
                .as_ref()
                .map(|text| uri("/start_login_uri".to_owned(), text))
                .transpose()?,
            public: asked.public,
        })
    }
}

/// Registers an application
///
/// The answer holds its secret, which can not be shown again.
#[utoipa::path(
    post,
    path = "/applications",
    operation_id = "register_application",
    tag = "Applications",
    request_body = NewApplication,
    responses((status = 201, description = "The application with its secret.", body = RegisteredApplication))
)]
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    Submission { operation, body }: Submission<NewApplication>,
) -> Result<Answer, Problem> {
    let registration = Registration::read(&body, &app)?;
    once(&app, &operation, || register_once(&app, &operation, &registration)).await
}

async fn register_once(app: &App, operation: &Operation, asked: &Registration) -> Result<Answer, Obstacle> {
    let now = app.clock.now();
    let secret = (!asked.public).then(|| app.random.secret());
    let application = application::Application {
        id: app.random.id(),
        name: asked.name.clone(),
        surface: asked.surface.clone(),
        redirect_uris: asked.redirect_uris.clone(),
        start_login_uri: asked.start_login_uri.clone(),
        secret: secret.as_ref().map(vestibule::id::Secret::hash),
        created_at: now,
    };
    let entry = Entry { trail: Trail::Deployment, actor: Actor::Operator, at: now };
    let shown = Application::from(application.clone());
    let event = entry.event(Action::ApplicationRegistered, &application.id, (), &shown, &app.random);
    let registered =
        RegisteredApplication { application: shown, client_secret: secret.map(|secret| secret.reveal().to_owned()) };
    let answer = Answer::new(StatusCode::CREATED, &registered)?;
    let mut transaction = Transaction::default();
    transaction.carry(operation, &answer.carried(operation, now, app), now, Obstacle::Repeated);
    transaction.create_application(&application);
    transaction.record(&event);
    app.store.commit(transaction).await?;
    Ok(answer)
}

/// Lists the applications
///
/// In the order of their identifiers, without their secrets.
#[utoipa::path(
    get,
    path = "/applications",
    operation_id = "list_applications",
    tag = "Applications",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of the applications.", body = Page<Application>),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list(State(app): State<Arc<App>>, Query(query): Query<PageQuery>) -> Result<Answer, Problem> {
    let place = query.of("applications", &app)?;
    let page = app.store.applications(place.after.as_deref(), place.limit).await?;
    Answer::new(StatusCode::OK, &place.page(page, Application::from, &app))
}
