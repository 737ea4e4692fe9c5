//! What the vendor's backend knows beside the tokens: the names of its customers, from the management API.

use serde::Deserialize;

/// The management API, as the vendor's backend uses it.
pub(super) struct Backend {
    /// Where it is, without a final slash.
    pub(super) api: String,
    /// The operator's key.
    pub(super) key: String,
}

#[derive(Deserialize)]
struct Organization {
    name: String,
}

impl Backend {
    /// The name of an organization; `None` where it can not be had, which keeps nobody from signing in.
    pub(super) async fn organization_name(&self, http: &reqwest::Client, id: &str) -> Option<String> {
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let request = http.get(format!("{}/organizations/{id}", self.api)).bearer_auth(&self.key);
        let answer = if plain { request.send().await.ok()? } else { return None };
        Some(answer.error_for_status().ok()?.json::<Organization>().await.ok()?.name)
    }
}
