//! `/settings/identity/domain-memberships`: who is on the verified domains, and in which organizations.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;
use vestibule::{
    account::Source,
    app::App,
    domain::DomainName,
    domain_membership::{self, DomainMembership, Format, Found, Place},
    download::{Download, Recipient},
    id::ParentId,
    surface::Surfaces,
};

use crate::{
    frame::{Frame, Head, Moment, Section},
    guard::Administrator,
    page::{self, Otherwise},
};

const PATH: &str = "/settings/identity/domain-memberships";
/// Rows of a page.
const ROWS: u16 = 50;
/// Characters of an address that can be looked for.
const MAX_BEGINS: usize = 254;

#[derive(Template)]
#[template(path = "domain-memberships.html")]
struct ListPage {
    head: Head,
    frame: Frame,
    domains: Vec<String>,
    asked: Asked,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    is_first: bool,
}

#[derive(Template)]
#[template(path = "download.html")]
struct DownloadPage {
    head: Head,
    frame: Frame,
    format: &'static str,
    url: String,
    file: String,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// What the addresses begin with.
    #[serde(default)]
    begins: String,
    /// `inside`, `outside`, else all.
    #[serde(default)]
    show: String,
    /// `backwards`, else forwards.
    #[serde(default)]
    order: String,
    #[serde(default)]
    cursor: String,
}

struct Row {
    email: String,
    name: Option<String>,
    last_sign_in: Option<Moment>,
    organization: Option<Organization>,
}

struct Organization {
    name: String,
    surface: String,
    role: String,
    source: &'static str,
    is_inside: bool,
}

impl Asked {
    fn query(&self) -> domain_membership::Query {
        domain_membership::Query {
            begins: self.begins.trim().chars().take(MAX_BEGINS).collect(),
            backwards: self.order == "backwards",
            inside: match self.show.as_str() {
                "inside" => Some(true),
                "outside" => Some(false),
                _ => None,
            },
        }
    }

    /// The listing that a cursor continues: of this parent, asked for in this way.
    fn listing(&self, parent: ParentId) -> String {
        format!("domain memberships {parent} {:?}", self.query())
    }

    fn is_all(&self) -> bool {
        let domain_membership::Query { begins, inside, .. } = self.query();
        begins.is_empty() && inside.is_none()
    }

    /// The address of the page at `place`.
    fn at(&self, place: &Place, parent: ParentId, app: &App) -> Option<String> {
        let place = serde_json::to_string(place).ok()?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("begins", &self.begins), ("show", &self.show), ("order", &self.order)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", &page::cursor(app, &self.listing(parent), &place));
        Some(format!("{PATH}?{}", query.finish()))
    }
}

impl Row {
    fn new(row: DomainMembership, surfaces: &Surfaces) -> Self {
        let organization = row.organization.map(|_| Organization {
            name: row.organization_name.map(|name| name.to_string()).unwrap_or_default(),
            surface: row
                .surface
                .map(|id| surfaces.get(id.as_str()).map_or_else(|| id.to_string(), |surface| surface.name.clone()))
                .unwrap_or_default(),
            role: row.role.map(|role| role.to_string()).unwrap_or_default(),
            source: match row.source {
                Some(Source::Manual) => "Added by hand",
                Some(Source::Jit) => "Joined at sign-in",
                Some(Source::Scim) => "From the directory",
                None => "",
            },
            is_inside: row.inside_parent.unwrap_or_default(),
        });
        Self { email: row.email.to_string(), name: row.name, last_sign_in: row.last_sign_in.map(Moment), organization }
    }
}

/// `GET /settings/identity/domain-memberships`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Otherwise> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let parent = administrator.authority.parent;
    // What was not handed out for this listing begins it anew.
    let position = page::position(&app, &asked.listing(parent), &asked.cursor);
    let place = position.and_then(|position| serde_json::from_str(&position).ok());
    let is_first = place.is_none();
    let found = async {
        let listing = app.store.domain_memberships(parent, asked.query(), place).await?;
        let domains: Vec<String> = listing.verified().iter().map(DomainName::to_unicode).collect();
        Ok((domains, listing.page(ROWS).await?))
    };
    let frame = Frame::of(&app, &administrator, Section::DomainMemberships);
    let (frame, (domains, Found { items, next })) = tokio::try_join!(frame, found)?;
    let next = next.and_then(|place| asked.at(&place, parent, &app));
    let shown = ListPage {
        head: Head::new("Domain memberships"),
        frame,
        domains,
        rows: items.into_iter().map(|row| Row::new(row, &app.settings.surfaces)).collect(),
        asked,
        next,
        is_first,
    };
    Ok(page::page(StatusCode::OK, &shown))
}

/// `GET /settings/identity/domain-memberships/{format}`: the page from which a download begins, by itself.
pub(crate) async fn download(
    State(app): State<Arc<App>>,
    administrator: Administrator,
    Path(format): Path<String>,
) -> Result<Response, Otherwise> {
    let Ok(format) = format.parse::<Format>() else { return Ok(page::not_found()) };
    let frame = Frame::of(&app, &administrator, Section::DomainMemberships).await?;
    let session = &administrator.visitor.session.value;
    let recipient = Recipient::Administrator {
        account: session.account,
        email: session.email.clone(),
        organization: administrator.authority.organization,
    };
    let now = app.clock.now();
    let download = Download::new(administrator.authority.parent, format, recipient, now);
    let shown = DownloadPage {
        head: Head::new("Download domain memberships"),
        frame,
        format: match format {
            Format::Csv => "CSV",
            Format::Json => "JSON",
        },
        url: download.url(&app),
        file: download.file_name(now),
    };
    Ok(page::page_reading(StatusCode::OK, &shown, &app.settings.downloads_url))
}
