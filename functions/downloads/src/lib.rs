//! Downloads of any length: answers that stream, in constant memory, from the first byte on.
//!
//! There are no sessions and no keys here: the link that the console or the management API handed out says what may be
//! downloaded and by whom (see [`vestibule::download`]). On Lambda it is a function URL, since what passes through API
//! Gateway is held whole and has 6 MB at most; there a streamed answer has 200 MB at most, some half a million rows.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    middleware::from_fn_with_state,
    response::Response,
    routing::get,
};
use futures_util::stream::{self, Stream};
use http::{HeaderValue, StatusCode, header};
use vestibule::{
    app::App,
    domain_membership::{Document, Listing, Query},
    download::{Download, PATH, Recipient},
    id::ParentId,
    table::{Meter, StoreError},
    web::{self, ErrorPage, Shell},
};

/// The function's routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(&format!("{PATH}/{{link}}"), get(download))
        .route_layer(from_fn_with_state(app.clone(), web::observe))
        .with_state(app)
}

/// Why a document breaks off. Whoever downloads it sees that the connection did.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a row does not serialize")]
    Shape(#[from] serde_json::Error),
}

/// A document under way.
struct Writing {
    app: Arc<App>,
    parent: ParentId,
    document: Document,
    next: Next,
    meter: Meter,
}

/// What is written next.
enum Next {
    Head,
    First,
    Rows(Box<Listing>),
    End,
}

/// `GET /downloads/{link}`.
async fn download(State(app): State<Arc<App>>, Path(link): Path<String>) -> Response {
    let now = app.clock.now();
    let Some(download) = Download::open(&link, &app.settings.sealing_key, now) else { return over() };
    match may(&app, &download).await {
        Ok(true) => {}
        Ok(false) => return over(),
        Err(error) => return unavailable(&error),
    }
    let (format, name) = (download.format, download.file_name(now));
    let document = Document::new(format);
    let writing =
        Writing { app: app.clone(), parent: download.parent, document, next: Next::Head, meter: Meter::default() };
    let mut response = Response::new(Body::from_stream(written(writing)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    // The console's page, which is at another address, may read it and show how far it is.
    if let Ok(origin) = HeaderValue::try_from(app.settings.base_url.origin().ascii_serialization()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

/// Whether the recipient still may have it.
async fn may(app: &App, download: &Download) -> Result<bool, StoreError> {
    let Recipient::Administrator { account, email, organization } = &download.recipient else { return Ok(true) };
    let (_, authority) = app.store.authority(email, *account, *organization, &app.settings.surfaces).await?;
    Ok(authority.is_some_and(|authority| authority.parent == download.parent))
}

/// The document, part by part; the next one is read when the one before has been taken.
fn written(writing: Writing) -> impl Stream<Item = Result<Bytes, Broken>> {
    stream::try_unfold(writing, |mut writing| async move {
        let meter = writing.meter.clone();
        let part = meter.scope(writing.part()).await;
        if let Err(error) = &part {
            tracing::error!(%error, "a download broke off");
        }
        Ok(part?.map(|part| (part, writing)))
    })
}

impl Writing {
    /// The next part that is not empty; nothing at the end.
    async fn part(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let text = match std::mem::replace(&mut self.next, Next::End) {
                Next::Head => {
                    // At once, before anything is read.
                    self.next = Next::First;
                    self.document.head()
                }
                Next::First => {
                    let listing = self.app.store.domain_memberships(self.parent, Query::default(), None).await?;
                    self.next = Next::Rows(Box::new(listing));
                    continue;
                }
                Next::Rows(mut listing) => {
                    if let Some(rows) = listing.next().await? {
                        self.next = Next::Rows(listing);
                        self.document.rows(&rows)?
                    } else {
                        tracing::info!(read_units = self.meter.cost().read_units, "a download came to its end");
                        self.document.foot()
                    }
                }
                Next::End => return Ok(None),
            };
            if !text.is_empty() {
                return Ok(Some(text.into()));
            }
        }
    }
}

fn over() -> Response {
    refuse(
        StatusCode::GONE,
        "This link is not good, or not any more.",
        "A link works for five minutes, and only for administrators. Go back to the domain memberships and download \
         them again.",
    )
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(?error, "the store failed");
    refuse(StatusCode::SERVICE_UNAVAILABLE, "The download is not possible at this moment.", "Try again in a minute.")
}

fn refuse(status: StatusCode, message: &str, advice: &str) -> Response {
    let page = ErrorPage {
        shell: Shell::new("No download"),
        message: message.to_owned(),
        advice: advice.to_owned(),
        reference: None,
    };
    web::page(status, &page)
}
