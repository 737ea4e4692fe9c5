//! What reads input from outside, as functions of any octets. None may panic, whatever it is given; libFuzzer
//! (`fuzz_targets/`) and the stable driver (`main.rs`) call the same.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use vestibule::{
    clock::Timestamp,
    saml::{
        Assertion, DecryptionKey, Expected, IdpKind, IdpMetadata, PinnedKey, ReceivedRequest, Refusal, Request,
        SigningKey, Skew, Style, Trace, Trust, Unverified, decode_redirect,
    },
};

/// A name, and what it does with the octets.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 7] = [
    ("response", response),
    ("form", form),
    ("signed", signed),
    ("metadata", metadata),
    ("redirect", redirect),
    ("request", request),
    ("certificate", certificate),
];

pub const IDP: &str = "https://idp.example.com/saml";
pub const SP: &str = "https://sp.example.com/metadata";
pub const ACS: &str = "https://sp.example.com/acs";
pub const REQUEST: &str = "_request";

pub struct Keys {
    pub signing: SigningKey,
    pub trust: Trust,
}

/// One key for all: it signs, and it opens.
pub static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let certified = rcgen::KeyPair::try_from(pkcs8.as_ref()).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&certified).unwrap();
    let signing = SigningKey::new(pkcs8.as_ref(), certificate.der()).unwrap();
    let decryption_keys = vec![DecryptionKey::from_pkcs8(pkcs8.as_ref()).unwrap()];
    let trust = Trust { decryption_keys, ..Trust::new(IDP, vec![signing.certificate().clone()]) };
    Keys { signing, trust }
});

pub fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn believe(octets: &[u8]) -> Result<Assertion, Refusal> {
    let expected = Expected {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        request: Request::Pending(REQUEST),
        authenticated_since: None,
        now: now(),
        skew: Skew::default(),
    };
    let mut trace = Trace::new(IdpKind::Other);
    Unverified::from_xml(octets, &mut trace)
        .and_then(|unverified| unverified.verify(&KEYS.trust, expected.now, &mut trace))
        .and_then(|signed| signed.check(&expected, &mut trace))
}

/// A response, from its octets to the claims.
pub fn response(octets: &[u8]) {
    let _ = believe(octets);
}

/// The field of the form that carries one.
pub fn form(octets: &[u8]) {
    let _ = Unverified::decode(&String::from_utf8_lossy(octets), &mut Trace::new(IdpKind::Other));
}

/// A response that the trusted key signs, whatever it says: what comes after the cryptography.
pub fn signed(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for id in ["_r", "_a"] {
        if let Ok(signed) = KEYS.signing.sign_element(&text, id, Style::default())
            && let Ok(assertion) = believe(signed.as_bytes())
        {
            let _ = (assertion.email(None), assertion.groups(None), assertion.display_name());
        }
    }
}

/// Metadata of an identity provider.
pub fn metadata(octets: &[u8]) {
    let _ = IdpMetadata::read(&String::from_utf8_lossy(octets));
}

/// The parameter of the redirect binding, and what is in it.
pub fn redirect(octets: &[u8]) {
    if let Ok(xml) = decode_redirect(&String::from_utf8_lossy(octets)) {
        let _ = ReceivedRequest::read(&xml);
    }
}

/// An authentication request.
pub fn request(octets: &[u8]) {
    let _ = ReceivedRequest::read(&String::from_utf8_lossy(octets));
}

/// A certificate in DER or base64, or a private key in PEM.
pub fn certificate(octets: &[u8]) {
    let _ = PinnedKey::from_certificate(octets);
    let text = String::from_utf8_lossy(octets);
    let _ = (PinnedKey::from_base64(&text), DecryptionKey::from_pem(&text));
}
