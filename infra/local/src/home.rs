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
    claim: String,
}

async fn home(State(home): State<Arc<Home>>) -> Response {
    let parent = home.demo.as_ref().map_or("{parent}", |demo| &demo.parent);
    let claim = format!(
        "curl {}api/v1/parents/{parent}/domains \\\n  -H \"Authorization: Bearer $OPERATOR_KEY\" -H \"Idempotency-Key: $(date +%s)\" \\\n  \
         --json '{{\"domain\": \"example.org\"}}'",
        home.base_url
    );
    page(StatusCode::OK, &HomePage { shell: Shell::new("Vestibule, local"), demo: home.demo.as_ref(), claim })
}
