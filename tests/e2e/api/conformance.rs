//! The document is true: every answer of every test is held against it.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use vestibule_tests::operator_key;

use super::{World, world::Answer};

/// Routes that anybody reaches. One more here is one more thing to think about.
const OPEN: &[&str] = &["GET /api/v1/openapi.json"];

/// The API's own description.
pub(super) struct Description(Value);

impl Description {
    pub(super) async fn fetch(router: &Router) -> Self {
        let request = Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = axum::body::to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
        Self(serde_json::from_slice(&body).unwrap())
    }

    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            let operations = item.as_object().unwrap();
            operations.iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        })
    }

    /// The operation that answers a request; `None` where the document has no such path or method.
    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let fits = |template: &str| {
            let (mut there, mut here) = (template.split('/'), path.split('/'));
            loop {
                match (there.next(), here.next()) {
                    (None, None) => return true,
                    (Some(there), Some(here)) if there == here || there.starts_with('{') => {}
                    _ => return false,
                }
            }
        };
        let method = method.as_str().to_ascii_lowercase();
        self.operations().find(|(name, template, _)| *name == method && fits(template)).map(|found| found.2)
    }

    /// Holds an answer against the document.
    pub(super) fn holds(&self, method: &Method, path: &str, answer: &Answer) {
        let what = format!("{method} {path} {}: {}", answer.status, answer.body);
        let Some(operation) = self.operation(method, path) else {
            assert!(matches!(answer.status.as_u16(), 401 | 404 | 405), "not in the document: {what}");
            return;
        };
        let response = &operation["responses"][answer.status.as_str()];
        assert!(response.is_object(), "the status is not in the document: {what}");
        if answer.body.is_null() {
            assert!(response.get("content").is_none(), "the document promises a body: {what}");
            return;
        }
        let content_type = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
        let schema = &response["content"][content_type]["schema"];
        assert!(schema.is_object(), "the media type is not in the document: {what}");
        let faults = self.faults(schema, &answer.body, "");
        assert_eq!(faults, Vec::<String>::new(), "{what}");
        if let Some(kind) = answer.body["type"].as_str().and_then(|kind| kind.strip_prefix("urn:vestibule:problem:")) {
            let examples = &response["content"][content_type]["examples"];
            assert!(examples.get(kind).is_some(), "the kind of problem is not in the document: {what}");
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        }
    }

    /// Where a value is not as its schema says; of JSON Schema, what the document uses.
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolve(schema);
        for (word, least) in [("oneOf", 1), ("anyOf", 1)] {
            if let Some(options) = schema[word].as_array() {
                let fit = options.iter().filter(|option| self.faults(option, value, at).is_empty()).count();
                return if fit >= least { Vec::new() } else { vec![format!("{at} is none of {word}")] };
            }
        }
        let mut faults = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let mut part = self.resolve(part).clone();
            part.as_object_mut().unwrap().insert("additional".to_owned(), true.into());
            faults.extend(self.faults(&part, value, at));
        }
        if !fits_type(&schema["type"], value) {
            faults.push(format!("{at} is not of the type {}", schema["type"]));
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            faults.push(format!("{at} is not one of {words:?}"));
        }
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            let each = values.iter().enumerate();
            faults.extend(each.flat_map(|(index, value)| self.faults(items, value, &format!("{at}/{index}"))));
        }
        if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
            faults.extend(self.member_faults(schema, properties, members, at));
        }
        faults
    }

    fn member_faults(
        &self,
        schema: &Value,
        properties: &Map<String, Value>,
        members: &Map<String, Value>,
        at: &str,
    ) -> Vec<String> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missing =
            required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}/{name} is missing"));
        let mut faults: Vec<_> = missing.collect();
        for (name, value) in members {
            match properties.get(name) {
                Some(schema) => faults.extend(self.faults(schema, value, &format!("{at}/{name}"))),
                None if schema.get("additional").is_some() => {}
                None => faults.push(format!("{at}/{name} is not in the document")),
            }
        }
        faults
    }
}

fn fits_type(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            _ => false,
        },
        Value::Array(kinds) => kinds.iter().any(|kind| fits_type(kind, value)),
        _ => true,
    }
}

#[tokio::test]
async fn every_route_that_is_not_open_asks_for_the_key() {
    let world = World::new().await;
    let description = world.description();
    let mut open = Vec::new();
    for (method, path, operation) in description.operations() {
        let route = format!("{} {path}", method.to_ascii_uppercase());
        for authorization in [None, Some("Bearer wrong"), Some("Basic b3BlcmF0b3Ita2V5")] {
            let mut request = Request::builder().method(route.split(' ').next().unwrap()).uri(path);
            if let Some(authorization) = authorization {
                request = request.header(header::AUTHORIZATION, authorization);
            }
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            if OPEN.contains(&route.as_str()) {
                assert_eq!(answer.status, 200);
                continue;
            }
            assert_eq!(answer.refused(), (401, "unauthorized"), "{route}");
            assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
        }
        if operation["security"] == json!([{}]) {
            open.push(route);
        }
    }
    assert_eq!(open, OPEN);
}

#[tokio::test]
async fn a_method_is_answered_where_and_only_where_the_document_has_it() {
    let world = World::new().await;
    let description = world.description();
    let mut methods = BTreeMap::<&str, BTreeSet<String>>::new();
    for (method, path, _) in description.operations() {
        methods.entry(path).or_default().insert(method.to_ascii_uppercase());
    }
    for (path, described) in methods {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::AUTHORIZATION, format!("Bearer {}", operator_key()));
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status != 405, described.contains(method), "{method} {path}: {}", answer.body);
            if answer.status == 405 {
                assert_eq!(answer.refused(), (405, "method-not-allowed"));
                let allow = answer.headers[header::ALLOW].to_str().unwrap();
                assert!(described.iter().all(|method| allow.contains(method.as_str())), "{path}: {allow}");
            }
        }
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let world = World::new().await;
    let description = world.description();
    assert_eq!(description.0["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in description.operations() {
        let what = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{what}: the operationId is not its own");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{what}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let named = |place: &str| {
            let resolved = parameters.iter().map(|parameter| description.resolve(parameter));
            resolved.filter(|p| p["in"] == place).map(|p| p["name"].as_str().unwrap()).collect::<BTreeSet<_>>()
        };
        let in_path: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named("path"), in_path, "{what}");
        assert_eq!(named("header").contains("Idempotency-Key"), method == "post", "{what}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{what} {status}");
            if status.starts_with(['4', '5']) {
                has_examples(&description, status, &response["content"]["application/problem+json"], &what);
            }
        }
    }
}

fn has_examples(description: &Description, status: &str, content: &Value, what: &str) {
    let examples = content["examples"].as_object().unwrap();
    assert!(!examples.is_empty(), "{what} {status}");
    for (kind, example) in examples {
        let example = &example["value"];
        assert_eq!(example["status"].to_string(), status, "{what} {kind}");
        assert_eq!(example["type"], format!("urn:vestibule:problem:{kind}"), "{what}");
        assert_eq!(description.faults(&content["schema"], example, ""), Vec::<String>::new(), "{what} {kind}");
    }
}
