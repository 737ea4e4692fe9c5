//! To whom an assertion is encrypted: the certificate in the service provider's metadata, read anew each time.

use std::time::Duration;

use vestibule::saml::PinnedKey;

use super::Idp;

/// How long a service provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client for this machine only.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).build()
}

impl Idp {
    /// The certificate to encrypt to for the service provider of this entity id, which is where its metadata is.
    /// `None` where there is no metadata of this product, or no such certificate in it.
    pub(super) async fn recipient(&self, sp_entity_id: &str) -> Option<PinnedKey> {
        if !self.answers_to(sp_entity_id) {
            return None;
        }
        let answer = self.http.get(sp_entity_id).send().await.ok()?;
        encryption_certificate(&answer.error_for_status().ok()?.text().await.ok()?)
    }
}

/// The first certificate for encryption in metadata as this product writes it.
fn encryption_certificate(metadata: &str) -> Option<PinnedKey> {
    let (_, key) = metadata.split_once("use=\"encryption\"")?;
    let (_, certificate) = key.split_once("X509Certificate>")?;
    let (base64, _) = certificate.split_once('<')?;
    PinnedKey::from_base64(base64).ok()
}
