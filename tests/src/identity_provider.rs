//! An identity provider for tests: it signs what it is told to, sound or not.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::{
    clock::Timestamp,
    id::sha256,
    saml::{IdpKind, SigningKey},
};
use vestibule_local::idp::response::{Draft, Encryption, SignIn, Signing};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// An identity provider with a key of its own.
pub struct IdentityProvider {
    /// Its entity id.
    pub entity_id: String,
    /// Which product it writes like.
    pub product: IdpKind,
    key: SigningKey,
}

/// What a response says. Every part can be spoiled.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The issuer.
    pub issuer: String,
    /// Where it is addressed to.
    pub destination: String,
    /// Whom it is meant for.
    pub audience: String,
    /// Which request it answers; empty for none.
    pub in_response_to: String,
    /// The NameID and its format.
    pub name_id: (String, String),
    /// The address, as an attribute.
    pub email: String,
    /// The status code.
    pub status: String,
    /// When it is issued.
    pub at: Timestamp,
}

impl IdentityProvider {
    /// An identity provider with a new key.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn new(entity_id: &str) -> Self {
        Self::writing_like(IdpKind::Other, entity_id)
    }

    /// As [`IdentityProvider::new`], with the habits of a product.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn writing_like(product: IdpKind, entity_id: &str) -> Self {
        Self::with(product, entity_id, rcgen::CertificateParams::default())
    }

    /// As [`IdentityProvider::new`], with a certificate that expires at midnight of this day.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn expiring(entity_id: &str, (year, month, day): (i32, u8, u8)) -> Self {
        let mut certificate = rcgen::CertificateParams::default();
        certificate.not_after = rcgen::date_time_ymd(year, month, day);
        Self::with(IdpKind::Other, entity_id, certificate)
    }

    fn with(product: IdpKind, entity_id: &str, certificate: rcgen::CertificateParams) -> Self {
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let key = rcgen::KeyPair::try_from(pkcs8.as_ref()).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let key = SigningKey::new(pkcs8.as_ref(), certificate.der()).unwrap();
        Self { entity_id: entity_id.to_owned(), product, key }
    }

    /// Its metadata, with the redirect binding at `sso`.
    #[must_use]
    pub fn metadata(&self, sso: &str) -> String {
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/></md:IDPSSODescriptor></md:EntityDescriptor>"#,
            self.entity_id,
            STANDARD.encode(self.key.certificate().certificate_der()),
        )
    }

    /// Its metadata with the certificates of others beside its own, as during a rollover.
    #[must_use]
    pub fn metadata_with(&self, sso: &str, others: &[&Self]) -> String {
        let (mark, end) = ("<md:KeyDescriptor", "</md:KeyDescriptor>");
        let keys: String = others
            .iter()
            .map(|other| {
                let metadata = other.metadata(sso);
                let (_, key) = metadata.split_once(mark).unwrap_or_default();
                let (key, _) = key.split_once(end).unwrap_or_default();
                format!("{mark}{key}{end}")
            })
            .collect();
        self.metadata(sso).replacen(mark, &format!("{keys}{mark}"), 1)
    }

    /// SHA-256 of its certificate.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.certificate().fingerprint()
    }

    /// The response, signed where `signing` says, or nowhere.
    ///
    /// # Panics
    /// When it can not be signed.
    #[must_use]
    pub fn xml(&self, claims: &Claims, signing: Option<Signing>) -> String {
        let mut draft = self.draft(claims, Draft::new);
        match signing {
            Some(signing) => {
                draft.signing = signing;
                draft.sign(&self.key).unwrap()
            }
            None => draft.xml,
        }
    }

    /// The response with its assertion encrypted, as a browser posts it. Without `signing` nothing is signed, inside or
    /// outside.
    ///
    /// # Panics
    /// When it can not be signed or encrypted.
    #[must_use]
    pub fn encrypted(&self, claims: &Claims, signing: Option<Signing>, encryption: &Encryption<'_>) -> String {
        let mut draft = self.draft(claims, Draft::self_contained);
        let xml = match signing {
            Some(signing) => {
                draft.signing = signing;
                draft.sign_and_encrypt(&self.key, encryption).unwrap()
            }
            None => encryption.apply(&draft.xml, draft.assertion_prefix).unwrap(),
        };
        STANDARD.encode(xml)
    }

    fn draft(&self, claims: &Claims, write: impl FnOnce(IdpKind, &SignIn<'_>) -> Draft) -> Draft {
        let mut random = [0; 16];
        random.copy_from_slice(&sha256(format!("{claims:?}").as_bytes())[..16]);
        let sign_in = SignIn {
            idp_entity_id: &claims.issuer,
            sp_entity_id: &claims.audience,
            acs_url: &claims.destination,
            in_response_to: Some(claims.in_response_to.as_str()).filter(|request| !request.is_empty()),
            name_id: &claims.name_id.0,
            name_id_format: Some(&claims.name_id.1),
            email: &claims.email,
            given_name: "Ada",
            surname: "Lovelace",
            groups: &[],
            now: claims.at,
            random,
        };
        let mut draft = write(self.product, &sign_in);
        draft.xml = draft.xml.replace(SUCCESS, &claims.status);
        draft
    }

    /// The response as a browser posts it.
    #[must_use]
    pub fn respond(&self, claims: &Claims, signing: Option<Signing>) -> String {
        STANDARD.encode(self.xml(claims, signing))
    }
}
