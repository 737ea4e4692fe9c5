//! A customer's identity provider to try the product with: it lets anybody be anybody, signs for real, and can be asked
//! to get it wrong.

mod fault;
mod pages;
mod people;
mod recipient;
pub mod response;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule::{
    app::App,
    saml::{EMAIL_FORMAT, PERSISTENT_FORMAT, SignError, SigningKey},
};

pub use fault::Fault;
pub(crate) use pages::router;

use crate::{StartError, data::Data};

/// The path of the metadata, whose address is the entity id.
const METADATA: &str = "/idp/metadata";
/// The path where people sign in, on both bindings.
const SSO: &str = "/idp/sso";
/// The file in the data directory.
const FILE: &str = "idp-key.json";

/// The identity provider.
pub(crate) struct Idp {
    app: Arc<App>,
    key: SigningKey,
    /// A key that nobody trusts.
    other_key: SigningKey,
    entity_id: String,
    sso_url: String,
    /// Asks service providers for their metadata.
    http: reqwest::Client,
}

/// Why the identity provider has no key.
#[derive(Debug, thiserror::Error)]
pub enum IdpKeyError {
    /// None can be made.
    #[error(transparent)]
    Make(#[from] rcgen::Error),
    /// The kept one can not be read.
    #[error(transparent)]
    Read(#[from] SignError),
}

/// A private key (PKCS#8) and its certificate, both DER in base64.
#[derive(Deserialize, Serialize)]
struct KeptKey {
    private_key: String,
    certificate: String,
}

impl KeptKey {
    /// A fresh one.
    fn make() -> Result<Self, IdpKeyError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "Vestibule test identity provider");
        parameters.distinguished_name = name;
        let certificate = parameters.self_signed(&pair)?;
        let [private_key, certificate] = [pair.serialized_der(), certificate.der()].map(|der| STANDARD.encode(der));
        Ok(Self { private_key, certificate })
    }

    fn open(&self) -> Result<SigningKey, IdpKeyError> {
        // What is not base64 is no key either.
        let [private_key, certificate] =
            [&self.private_key, &self.certificate].map(|text| STANDARD.decode(text).unwrap_or_default());
        Ok(SigningKey::new(&private_key, &certificate)?)
    }
}

impl Idp {
    /// The identity provider with the key of the data directory, which is made if there is none.
    pub(crate) fn new(app: Arc<App>, data: &Data) -> Result<Self, StartError> {
        let fresh = KeptKey::make()?;
        let kept = data.keep(FILE, || fresh)?;
        let (entity_id, sso_url) = (app.settings.url(METADATA), app.settings.url(SSO));
        Ok(Self {
            app,
            key: kept.open()?,
            other_key: KeptKey::make()?.open()?,
            entity_id,
            sso_url,
            http: recipient::client()?,
        })
    }

    /// The metadata, for the other side (SAML Metadata, section 2.4.3).
    pub(crate) fn metadata(&self) -> String {
        // Every value is ours and needs no escaping: an address of this machine, or base64.
        let Self { entity_id, sso_url, .. } = self;
        let certificate = STANDARD.encode(self.key.certificate().certificate_der());
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
        <ds:X509Data>
          <ds:X509Certificate>{certificate}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:NameIDFormat>{PERSISTENT_FORMAT}</md:NameIDFormat>
    <md:NameIDFormat>{EMAIL_FORMAT}</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{sso_url}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"#
        )
    }

    /// Whether an answer may be sent to `acs_url`: only to this product, so that nobody is sent on by accident.
    fn answers_to(&self, acs_url: &str) -> bool {
        Url::parse(acs_url).is_ok_and(|url| url.origin() == self.app.settings.base_url.origin())
    }
}
