//! The API's own description (`OpenAPI` 3.1), open to everybody.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::{
    BASE, applications, connections, domain_memberships, domains, events, login_options, members, organizations,
    parents,
    problems::{self, Kind},
    provisioning, service_provider, sign_ins, ties,
};

const PROBLEM_JSON: &str = "application/problem+json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule management API",
        description = "Organizations, their members and how they sign in, for the vendor's own staff and backend.\n\n\
                       Every request carries an operator key as bearer token. Every `POST` carries an \
                       `Idempotency-Key`: the same request with the same key is answered as the first one was, for 24 \
                       hours, and changes nothing twice. Listings come in pages: `next_cursor` of one is `cursor` of \
                       the next. Errors are problem details (RFC 9457); their `type` says which one it is.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        applications::list,
        applications::register,
        connections::set,
        connections::show,
        domain_memberships::list,
        domains::claim,
        domains::list,
        domains::refresh,
        domains::remove,
        domains::show,
        events::list,
        events::list_of_deployment,
        login_options::show,
        members::add,
        members::change,
        members::list,
        members::remove,
        organizations::create,
        organizations::show,
        parents::show,
        provisioning::set,
        provisioning::show,
        service_provider::rotate,
        service_provider::show,
        show,
        sign_ins::list,
        ties::reset,
    ),
    components(schemas(ProblemDetails)),
    security(("operator" = []))
)]
struct Described;

/// What went wrong (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it describes a type of the shared crate, which knows no OpenAPI")]
struct ProblemDetails {
    /// Which kind of problem it is; it does not change.
    #[schema(example = "urn:vestibule:problem:invalid-value")]
    r#type: String,
    /// The kind in words.
    #[schema(example = "A value is not acceptable")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What went wrong this time and what to do.
    #[schema(example = "this is not a well-formed e-mail address")]
    detail: String,
    /// Where in the body the value is that is not acceptable (a JSON pointer, RFC 6901).
    #[schema(example = "/email")]
    pointer: Option<String>,
    /// Which parameter of the query is not acceptable.
    #[schema(example = "limit")]
    parameter: Option<String>,
    /// Why metadata could not be fetched: one of the words of `MetadataFinding`.
    #[schema(example = "unreachable")]
    finding: Option<String>,
}

/// Describes this API
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_description",
    tag = "Description",
    security(()),
    responses((status = 200, description = "This document.", body = Object))
)]
pub(crate) async fn show() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| document().to_string());
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (StatusCode::OK, json, document.as_str()).into_response()
}

/// The document: what stands beside the handlers, and what all of them have in common.
fn document() -> Value {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    let paths = take_object(&mut document, "paths");
    let paths = paths.into_iter().map(|(path, mut item)| {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(method, operation);
        }
        (format!("{BASE}{path}"), item)
    });
    let paths: Map<_, _> = paths.collect();
    set(&mut document, "paths", paths.into());
    set(&mut document, "servers", json!([{ "url": "/" }]));
    if let Some(components) = document.get_mut("components") {
        set(
            components,
            "securitySchemes",
            json!({ "operator": {
                "type": "http",
                "scheme": "bearer",
                "description": "One of the operator's keys.",
            } }),
        );
        set(components, "parameters", json!({ "IdempotencyKey": idempotency_key() }));
    }
    document
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "Fresh for every change, and the same when the request is repeated.",
        "schema": { "type": "string", "minLength": 1, "maxLength": vestibule::operation::MAX_KEY },
        "example": "6f1c2e0a-0f57-4f4b-9f59-1c1d5b1c7d55",
    })
}

/// Adds to an operation what it shares with others of its kind, and the problems' bodies.
fn complete(method: &str, operation: &mut Value) {
    let is_open = operation.get("security").is_some();
    let has_body = operation.get("requestBody").is_some();
    if method == "post" {
        let parameters = operation.as_object_mut().map(|operation| operation.entry("parameters").or_insert(json!([])));
        if let Some(parameters) = parameters.and_then(Value::as_array_mut) {
            parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
        }
        describe(operation, "400", "`idempotency-key-missing`: there is no usable Idempotency-Key.");
        describe(operation, "409", "`changed`: somebody else changed the same.");
        describe(operation, "422", "`idempotency-key-reused`: the Idempotency-Key belongs to another request.");
        name_replays(operation);
    }
    if has_body || method == "post" {
        describe(operation, "400", "`malformed-json`: the body is not JSON.");
        describe(operation, "413", "`too-large`: the body has more than 2 MiB.");
        describe(operation, "415", "`unsupported-media-type`: the body is of another type than JSON.");
        describe(operation, "422", "`invalid-value`: a value is not acceptable; `pointer` says which.");
    }
    if !is_open {
        describe(operation, "401", "`unauthorized`: there is no operator key, or not a good one.");
        describe(operation, "503", "`unavailable`: try again in a moment.");
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with(['4', '5']) {
            add_examples(response);
        }
        add_headers(status, response);
    }
}

/// Adds a kind of problem to what is said of a status.
fn describe(operation: &mut Value, status: &str, problem: &str) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let response = responses.entry(status).or_insert(json!({ "description": "" }));
    let before = response.get("description").and_then(Value::as_str).unwrap_or_default();
    // What the handler says itself of a kind of problem is more exact.
    if slugs(before).any(|slug| slugs(problem).any(|other| slug == other)) {
        return;
    }
    let description = if before.is_empty() { problem.to_owned() } else { format!("{before}\n\n{problem}") };
    set(response, "description", description.into());
}

/// The kinds of problem that a description names.
fn slugs(description: &str) -> impl Iterator<Item = &str> {
    description.split("\n\n").filter_map(|line| line.strip_prefix('`')?.split_once('`').map(|(slug, _)| slug))
}

/// Gives a problem's response its body, with an example of each kind that it names.
fn add_examples(response: &mut Value) {
    let description = response.get("description").and_then(Value::as_str).unwrap_or_default();
    let examples: Map<_, _> = description
        .split("\n\n")
        .filter_map(|line| line.strip_prefix('`')?.split_once("`: "))
        .filter_map(|(slug, says)| {
            let kind = problems::ALL.iter().find(|kind| kind.slug == slug)?;
            Some((slug.to_owned(), json!({ "value": example(kind, says) })))
        })
        .collect();
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    set(response, "content", json!({ PROBLEM_JSON: { "schema": schema, "examples": examples } }));
}

fn example(kind: &Kind, says: &str) -> Value {
    serde_json::to_value(kind.says(says)).unwrap_or_default()
}

fn add_headers(status: &str, response: &mut Value) {
    let header = |description: &str, kind: &str| json!({ "description": description, "schema": { "type": kind } });
    let (name, value) = match status {
        "401" => ("WWW-Authenticate", header("Which key is asked for (RFC 6750).", "string")),
        "429" | "503" => ("Retry-After", header("Seconds after which to try again.", "integer")),
        _ => return,
    };
    set(response, "headers", json!({ name: value }));
}

/// Says of a `POST`'s successes that they can be another request's.
fn name_replays(operation: &mut Value) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        if status.starts_with('2') {
            let description = "Whether this is the answer that an earlier request with this Idempotency-Key got.";
            let schema = json!({ "type": "string", "enum": ["true"] });
            let header = json!({ "description": description, "schema": schema });
            set(response, "headers", json!({ "Idempotent-Replayed": header }));
        }
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn take_object(object: &mut Value, name: &str) -> Map<String, Value> {
    match object.get_mut(name).map(Value::take) {
        Some(Value::Object(taken)) => taken,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GUARDED;

    #[test]
    fn the_document_has_the_routes_and_no_others() {
        let document = document();
        let mut described: Vec<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())))
            .collect();
        let open = ("get", "/openapi.json");
        let routes =
            GUARDED.iter().chain([&open]).map(|(method, path)| ((*method).to_owned(), format!("{BASE}{path}")));
        let mut routes: Vec<_> = routes.collect();
        described.sort();
        routes.sort();
        assert_eq!(described, routes);
    }

    #[test]
    fn every_format_of_a_name_id_is_in_the_document() {
        let described = document()["components"]["schemas"]["NameIdFormat"]["enum"].take();
        let words = described.as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        assert!(words.clone().all(|word| word.parse::<vestibule::connection::NameIdFormat>().is_ok()), "{described}");
        assert_eq!(words.collect::<Vec<_>>(), ["unspecified", "email_address", "persistent"]);
    }

    #[test]
    fn what_a_handler_says_of_a_problem_stands() {
        let mut operation = json!({ "responses": { "422": { "description": "`invalid-value`: its own words." } } });
        describe(&mut operation, "422", "`invalid-value`: common words.");
        describe(&mut operation, "422", "`idempotency-key-reused`: common words.");
        let description = &operation["responses"]["422"]["description"];
        assert_eq!(description, "`invalid-value`: its own words.\n\n`idempotency-key-reused`: common words.");
    }
}
