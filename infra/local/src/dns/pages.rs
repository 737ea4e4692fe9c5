//! `/dns`: what is published, as a page with forms and as JSON.

use std::fmt::Write as _;

use askama::Template;
use axum::{
    Form, Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use vestibule::web::{Problem, Shell, page};

use super::{Record, Zone, ZoneError};
use crate::pages::wants_json;

pub(crate) fn router(zone: Zone) -> Router {
    Router::new()
        .route("/dns", get(show).post(publish_form))
        .route("/dns/remove", post(remove_form))
        .route("/dns/{name}/TXT", put(publish).delete(remove))
        .with_state(zone)
}

#[derive(Template)]
#[template(path = "dns.html")]
struct Page {
    shell: Shell,
    records: Vec<Record>,
    server: String,
    others: String,
    refused: Option<Refused>,
}

/// A form that was not accepted, to be put right.
struct Refused {
    form: RecordForm,
    why: String,
}

#[derive(Serialize)]
struct Listing {
    records: Vec<Record>,
    servers: Vec<String>,
}

#[derive(Default, Deserialize)]
struct RecordForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    values: String,
}

#[derive(Deserialize)]
struct Values {
    values: Vec<String>,
}

async fn show(State(zone): State<Zone>, headers: HeaderMap) -> Response {
    if wants_json(&headers) {
        let servers = zone.servers().iter().map(ToString::to_string).collect();
        return Json(Listing { records: zone.records().await, servers }).into_response();
    }
    render(&zone, StatusCode::OK, None).await
}

async fn render(zone: &Zone, status: StatusCode, refused: Option<Refused>) -> Response {
    let mut servers = zone.servers().iter();
    let server = servers.next().map(|address| format!("@{} -p {}", address.ip(), address.port())).unwrap_or_default();
    let others = servers.fold(String::new(), |mut text, address| {
        let _ = write!(text, " {address}");
        text
    });
    let page_of = Page { shell: Shell::new("DNS zone"), records: zone.records().await, server, others, refused };
    page(status, &page_of)
}

async fn publish_form(State(zone): State<Zone>, Form(form): Form<RecordForm>) -> Response {
    let values = form.values.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match zone.publish(&form.name, values).await {
        Ok(_) => Redirect::to("/dns").into_response(),
        Err(error) => {
            let refused = Refused { why: error.to_string(), form };
            render(&zone, StatusCode::UNPROCESSABLE_ENTITY, Some(refused)).await
        }
    }
}

async fn remove_form(State(zone): State<Zone>, Form(form): Form<RecordForm>) -> Response {
    match zone.remove(&form.name).await {
        Ok(()) => Redirect::to("/dns").into_response(),
        Err(error) => problem(&error).into_response(),
    }
}

async fn publish(
    State(zone): State<Zone>,
    Path(name): Path<String>,
    body: Result<Json<Values>, JsonRejection>,
) -> Result<Json<Record>, Problem> {
    let Json(body) = body.map_err(|error| Problem::invalid("", &error.body_text()))?;
    zone.publish(&name, body.values).await.map(Json).map_err(|error| problem(&error))
}

async fn remove(State(zone): State<Zone>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    zone.remove(&name).await.map(|()| StatusCode::NO_CONTENT).map_err(|error| problem(&error))
}

fn problem(error: &ZoneError) -> Problem {
    match error {
        ZoneError::Name(_) => Problem::invalid("/name", error),
        ZoneError::Values | ZoneError::Value => Problem::invalid("/values", error),
        ZoneError::Full => Problem::conflict("zone-full", error),
        ZoneError::Data(_) => {
            tracing::error!(%error, "the zone was not kept");
            Problem::unavailable()
        }
    }
}
