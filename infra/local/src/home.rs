//! `/`: what there is and what to try.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, http::StatusCode, response::Response, routing::get};
use url::Url;
use vestibule::web::{Shell, page};

use crate::seed::Demo;

pub(crate) fn router(base_url: Url, demo: Option<Demo>) -> Router {
    Router::new().route("/", get(home)).with_state(Arc::new(Home { base_url, demo }))
}

struct Home {
    base_url: Url,
    demo: Option<Demo>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    shell: Shell,
    demo: Option<&'a Demo>,
    /// The commands that show the traces of sign-ins, and that claim a domain.
    traces: String,
    claim: String,
}

async fn home(State(home): State<Arc<Home>>) -> Response {
    let parent = home.demo.as_ref().map_or("{parent}", |demo| &demo.parent);
    let api = format!("{}api/v1/parents/{parent}", home.base_url);
    let authorized = "-H \"Authorization: Bearer $OPERATOR_KEY\"";
    let posting = |what| format!("{authorized} -H \"Idempotency-Key: {what}-$(date +%s)\"");
    let home_page = HomePage {
        shell: Shell::new("Vestibule, local"),
        demo: home.demo.as_ref(),
        traces: format!("curl -s {authorized} \\\n  {api}/sign-ins"),
        claim: format!(
            "curl -s {} \\\n  --json '{{\"domain\": \"example.org\"}}' \\\n  {api}/domains\n\n\
             curl -s -X POST {} \\\n  {api}/domains/example.org/refresh",
            posting("claim"),
            posting("look"),
        ),
    };
    page(StatusCode::OK, &home_page)
}
