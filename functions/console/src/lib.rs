//! The console: the pages by which a customer's administrators look after what their organizations share.
//!
//! Every page is rendered here and works without a script; the one script that there is only improves them. Who may see
//! and do what stands in one table, [`ROUTES`]: it is what the router is made of, so that there is no route beside it.

mod assets;
mod domain_memberships;
mod domains;
mod form;
mod frame;
mod guard;
mod organizations;
mod page;
mod sign_in;
mod sign_ins;

use std::sync::Arc;

use axum::{Router, extract::FromRef, middleware::from_fn_with_state, response::Response, routing::MethodRouter};
use vestibule::{app::App, domain::Resolver, web};

/// Bytes of a form.
const MAX_FORM: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
struct Console {
    /// The deployment.
    app: Arc<App>,
    /// How domains are looked up.
    resolver: Arc<Resolver>,
}

impl FromRef<Console> for Arc<App> {
    fn from_ref(console: &Console) -> Self {
        Self::clone(&console.app)
    }
}

/// Who reaches a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever knows the address.
    Anybody,
    /// Whoever has a session that lives, whatever they administer by now.
    SignedIn,
    /// Whoever administers the session's organization at this moment, in whatever of its surface's administrator roles.
    /// What is shown and changed is that organization's parent's.
    Administrator,
}

macro_rules! routes {
    ($($who:ident { $($path:literal { $($method:ident $handler:path),+ })* })*) => {
        /// Every route of the console: who reaches it, its method and its path.
        pub const ROUTES: &[(Who, &str, &str)] = &[$($($((Who::$who, stringify!($method), $path)),+),*),*];

        fn routes(who: Who) -> Router<Console> {
            let router = Router::new();
            match who {
                $(Who::$who => router$(.route($path, MethodRouter::new()$(.$method($handler))+))*,)*
            }
        }
    };
}

routes! {
    Anybody {
        "/settings/assets/{file}" { get assets::show }
        "/settings/sign-in" { get sign_in::show, post sign_in::ask }
        "/settings/sign-in/code" { get sign_in::show_code, post sign_in::present }
    }
    SignedIn {
        "/settings/organization" { get organizations::show, post organizations::choose }
        "/settings/sign-out" { post organizations::sign_out }
        "/settings/sign-out-everywhere" { post organizations::sign_out_everywhere }
    }
    Administrator {
        "/settings" { get domains::home }
        "/settings/identity" { get domains::list }
        "/settings/identity/domains" { get domains::home, post domains::add }
        "/settings/identity/domains/{domain}" { get domains::show }
        "/settings/identity/domains/{domain}/refresh" { get domains::back, post domains::refresh }
        "/settings/identity/domains/{domain}/remove" { get domains::confirm, post domains::remove }
        "/settings/identity/domain-memberships" { get domain_memberships::list }
        "/settings/identity/domain-memberships/{format}" { get domain_memberships::download }
        "/settings/identity/sign-ins" { get sign_ins::list }
        "/settings/identity/sign-ins/{reference}" { get sign_ins::show }
    }
}

/// The function's routes.
pub fn router(app: Arc<App>, resolver: Arc<Resolver>) -> Router {
    let console = Console { app: app.clone(), resolver };
    let signed_in = routes(Who::SignedIn).route_layer(from_fn_with_state(app.clone(), guard::signed_in));
    let administrator = routes(Who::Administrator).route_layer(from_fn_with_state(app.clone(), guard::administrator));
    routes(Who::Anybody)
        .merge(signed_in)
        .merge(administrator)
        .route("/settings/{*rest}", MethodRouter::new().fallback(nothing))
        .route_layer(from_fn_with_state(app, web::observe))
        .with_state(console)
}

/// The answer where no page is.
async fn nothing() -> Response {
    page::not_found()
}
