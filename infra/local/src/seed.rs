//! The demo customer, made through the management API itself, so that nothing comes to be in a second way.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;
use vestibule::app::Settings;

use crate::{
    StartError,
    data::Data,
    dns::Zone,
    sample::{CALLBACK, Registration, SIGN_IN},
};

/// The file in the data directory that says that the customer is there.
const FILE: &str = "demo.json";
/// Bytes of an answer.
const MAX_ANSWER: usize = 1024 * 1024;

/// The demo customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Demo {
    /// Acme's parent organization.
    pub parent: String,
    /// Acme, on the surface of people's own use.
    pub organization: String,
    /// A second organization, on the surface of developers.
    pub developers: String,
    /// The address of Acme's primary owner.
    pub primary_owner: String,
    /// What the names of Acme's groups begin with; the role follows.
    pub group_prefix: String,
    /// Where Acme's connection takes answers of its identity provider.
    pub acs_url: String,
    /// Where the product answered when the two below were told of each other.
    base_url: Url,
    pub(crate) sample: Registration,
}

impl Demo {
    /// The name of Acme's group for `role`.
    #[must_use]
    pub fn group(&self, role: &str) -> String {
        format!("{}{role}", self.group_prefix)
    }
}

/// The parts of the product that take part.
pub(crate) struct Stage<'a> {
    /// The functions.
    pub(crate) functions: &'a Router,
    /// The operator's key.
    pub(crate) operator_key: &'a str,
    /// Where domains are proven.
    pub(crate) zone: &'a Zone,
    /// The deployment's settings.
    pub(crate) settings: &'a Settings,
    /// The test identity provider's metadata.
    pub(crate) metadata: String,
}

impl Stage<'_> {
    /// The demo customer of this data; where the data is new and `wanted`, it is made now.
    ///
    /// # Errors
    /// [`StartError::Seed`] when the API does not do it; [`StartError::Data`] when it can not be kept.
    pub(crate) async fn demo(&self, wanted: bool, data: &Data) -> Result<Option<Demo>, StartError> {
        let demo = match data.read::<Demo>(FILE)? {
            Some(demo) if demo.base_url == self.settings.base_url => return Ok(Some(demo)),
            Some(demo) => self.moved(demo).await,
            None if wanted => self.make().await,
            None => return Ok(None),
        };
        let demo = demo.map_err(StartError::Seed)?;
        data.write(FILE, &demo)?;
        Ok(Some(demo))
    }

    async fn make(&self) -> Result<Demo, String> {
        let owner = "ada@acme.example";
        let acme = json!({ "name": "Acme", "surface": "claudeai", "primary_owner": owner });
        let acme = self.post("/organizations", acme, "acme").await?;
        let (organization, parent) = (text(&acme, "/id")?, text(&acme, "/parent_id")?);
        let joins = json!({ "mode": "jit", "group_mappings": false });
        self.put(&format!("/organizations/{organization}/provisioning"), joins).await?;
        self.prove(&parent, "acme.example").await?;
        let developers = json!({ "name": "Acme Developers", "surface": "console", "primary_owner": owner });
        let developers = self.post("/organizations", developers, "developers").await?;
        Ok(Demo {
            group_prefix: format!("{}-claudeai-{}-", self.settings.vendor, text(&acme, "/group_suffix")?),
            developers: text(&developers, "/id")?,
            primary_owner: owner.to_owned(),
            acs_url: self.trust(&parent).await?,
            sample: self.register().await?,
            base_url: self.settings.base_url.clone(),
            parent,
            organization,
        })
    }

    /// The demo customer after the product moved to another port: its addresses are told anew.
    async fn moved(&self, demo: Demo) -> Result<Demo, String> {
        let (acs_url, sample) = (self.trust(&demo.parent).await?, self.register().await?);
        Ok(Demo { acs_url, sample, base_url: self.settings.base_url.clone(), ..demo })
    }

    /// Connects the parent to the test identity provider, and gives where that sends its answers.
    async fn trust(&self, parent: &str) -> Result<String, String> {
        let trust = json!({ "metadata_xml": self.metadata });
        text(&self.put(&format!("/parents/{parent}/connection"), trust).await?, "/acs_url")
    }

    /// Registers the sample application at this address.
    async fn register(&self) -> Result<Registration, String> {
        let sample = json!({
            "name": "Sample application",
            "surface": "claudeai",
            "redirect_uris": [self.settings.url(CALLBACK)],
            "start_login_uri": self.settings.url(SIGN_IN),
        });
        let name = format!("sample-{}", self.settings.base_url.port_or_known_default().unwrap_or_default());
        let sample = self.post("/applications", sample, &name).await?;
        Ok(Registration { client_id: text(&sample, "/client_id")?, client_secret: text(&sample, "/client_secret")? })
    }

    /// Claims a domain, publishes what the claim asks for, and has it looked up.
    async fn prove(&self, parent: &str, domain: &str) -> Result<(), String> {
        let claims = format!("/parents/{parent}/domains");
        let claim = self.post(&claims, json!({ "domain": domain }), "domain").await?;
        let (name, value) = (text(&claim, "/record/name")?, text(&claim, "/record/value")?);
        self.zone.publish(&name, vec![value]).await.map_err(|error| error.to_string())?;
        let claim = self.post(&format!("{claims}/{domain}/refresh"), json!({}), "refresh").await?;
        match text(&claim, "/status")?.as_str() {
            "verified" => Ok(()),
            status => Err(format!("the domain {domain} is {status}: {claim}")),
        }
    }

    async fn post(&self, path: &str, body: Value, name: &str) -> Result<Value, String> {
        self.call(Method::POST, path, body, Some(name)).await
    }

    async fn put(&self, path: &str, body: Value) -> Result<Value, String> {
        self.call(Method::PUT, path, body, None).await
    }

    /// One request to the management API. A `name` makes it one that can be repeated, should a start be cut short.
    async fn call(&self, method: Method, path: &str, body: Value, name: Option<&str>) -> Result<Value, String> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.operator_key))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(name) = name {
            request = request.header("idempotency-key", format!("demo-{name}"));
        }
        let request = request.body(Body::from(body.to_string())).map_err(|error| error.to_string())?;
        let Ok(response) = self.functions.clone().oneshot(request).await;
        let status = response.status();
        let answer = to_bytes(response.into_body(), MAX_ANSWER).await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{method} {path} answers {status}: {}", String::from_utf8_lossy(&answer)));
        }
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).map_err(|error| format!("{method} {path} answers no JSON: {error}"))
    }
}

fn text(answer: &Value, pointer: &str) -> Result<String, String> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("the answer has no {pointer}: {answer}"))
}
