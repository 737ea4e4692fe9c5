//! The management API: JSON for the operator's backend, errors as problem details (RFC 9457).
//!
//! Every route but the API's own description asks for the operator's key; every POST for an `Idempotency-Key`.

mod applications;
mod connections;
mod domain_memberships;
mod domains;
mod events;
mod login_options;
mod members;
mod once;
mod openapi;
mod operator;
mod organizations;
mod page;
mod parents;
mod problems;
mod provisioning;
mod request;
mod service_provider;
mod sign_ins;
mod ties;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::{MethodRouter, get},
};
use http::{HeaderValue, header};
use vestibule::{
    app::App,
    domain::Resolver,
    web::{self, Fetcher},
};

/// Bytes of a request's body: metadata of an identity provider is the largest thing that anybody sends.
const MAX_REQUEST: usize = 2 * 1024 * 1024;
/// Where the API is.
const BASE: &str = "/api/v1";

/// What the handlers share.
#[derive(Clone, Debug)]
struct Api {
    /// The deployment.
    app: Arc<App>,
    /// How domains are looked up.
    resolver: Arc<Resolver>,
    /// How metadata of identity providers is fetched.
    fetcher: Arc<Fetcher>,
}

impl FromRef<Api> for Arc<App> {
    fn from_ref(api: &Api) -> Self {
        Self::clone(&api.app)
    }
}

impl FromRef<Api> for Arc<Resolver> {
    fn from_ref(api: &Api) -> Self {
        Self::clone(&api.resolver)
    }
}

impl FromRef<Api> for Arc<Fetcher> {
    fn from_ref(api: &Api) -> Self {
        Self::clone(&api.fetcher)
    }
}

macro_rules! routes {
    ($($path:literal { $($method:ident $handler:path),+ })*) => {
        /// The routes that ask for the operator's key.
        fn guarded() -> Router<Api> {
            Router::new()$(.route($path, MethodRouter::new()$(.$method($handler))+))*
        }

        /// Their methods and paths, for the test that holds the document against them.
        #[cfg(test)]
        const GUARDED: &[(&str, &str)] = &[$($((stringify!($method), $path)),+),*];
    };
}

routes! {
    "/organizations" { post organizations::create }
    "/organizations/{id}" { get organizations::show }
    "/organizations/{id}/members" { get members::list, post members::add }
    "/organizations/{id}/members/{account}" { patch members::change, delete members::remove }
    "/organizations/{id}/provisioning" { get provisioning::show, put provisioning::set }
    "/parents/{id}" { get parents::show }
    "/parents/{id}/connection" { get connections::show, put connections::set }
    "/parents/{id}/connection/ties/{account}" { delete ties::reset }
    "/parents/{id}/domain-memberships" { get domain_memberships::list }
    "/parents/{id}/domains" { get domains::list, post domains::claim }
    "/parents/{id}/domains/{domain}" { get domains::show, delete domains::remove }
    "/parents/{id}/domains/{domain}/refresh" { post domains::refresh }
    "/parents/{id}/events" { get events::list }
    "/parents/{id}/sign-ins" { get sign_ins::list }
    "/events" { get events::list_of_deployment }
    "/applications" { get applications::list, post applications::register }
    "/service-provider/keys" { get service_provider::show }
    "/service-provider/keys/rotate" { post service_provider::rotate }
    "/login-options" { get login_options::show }
}

/// The routes that are open to everybody. Each one added here is one more thing that strangers reach.
fn open() -> Router<Api> {
    Router::new().route("/openapi.json", get(openapi::show))
}

/// The function's routes.
pub fn router(app: Arc<App>, resolver: Arc<Resolver>) -> Router {
    let routes = guarded()
        .method_not_allowed_fallback(problems::method_not_allowed)
        .route_layer(from_fn_with_state(app.clone(), operator::require))
        .merge(open().method_not_allowed_fallback(problems::method_not_allowed))
        .fallback(web::not_found)
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(map_response(uncached))
        .layer(from_fn_with_state(app.clone(), web::observe));
    let fetcher = Arc::new(Fetcher::new(app.settings.reach));
    Router::new().nest(BASE, routes).with_state(Api { app, resolver, fetcher })
}

/// Answers of the API are for nobody's cache.
async fn uncached(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
