//! A sample application of the vendor: an ordinary OpenID Connect client that knows the provider by what discovery tells,
//! and its customers' names by the management API. It keeps its visitors in memory, as a small web application would.

mod backend;
mod pages;
mod provider;
mod visitors;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vestibule::app::App;

pub(crate) use pages::router;

use provider::Provider;
use visitors::Visitors;

/// The path to which the provider hands a finished login.
pub(crate) const CALLBACK: &str = "/app/callback";
/// The path at which a sign-in starts.
pub(crate) const SIGN_IN: &str = "/app/sign-in";

/// How the application authenticates, as it was told when it was registered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

/// The application.
pub(crate) struct Sample {
    app: Arc<App>,
    provider: Option<Provider>,
    visitors: Visitors,
}

impl Sample {
    /// The application as it was registered; without a registration its pages say that nobody can sign in.
    pub(crate) fn new(
        app: Arc<App>,
        operator_key: &str,
        registration: Option<Registration>,
    ) -> Result<Self, reqwest::Error> {
        let provider = |registration| Provider::new(&app.settings, app.clock.clone(), operator_key, registration);
        let provider = registration.map(provider).transpose()?;
        Ok(Self { app, provider, visitors: Visitors::default() })
    }
}
