//! A connection, keys made at run time, and sound responses to spoil.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize, PrivateDecryptingKey},
};
use vestibule::{
    clock::{SignedDuration, Timestamp},
    saml::{
        Assertion, DecryptionKey, Expected, IdpKind, Reason, Refusal, Request, SigningKey, Skew, Trace, Trust,
        Unverified,
    },
};
use vestibule_local::idp::response::{Draft, SignIn, Signing};

pub const IDP: &str = "https://idp.example.com/saml";
pub const SP: &str = "https://sp.example.com/saml/con_1/metadata";
pub const ACS: &str = "https://sp.example.com/saml/con_1/acs";
pub const REQUEST: &str = "_9a1f6c52d0b84e7c8f0e4f5d6a7b8c9d";
pub const SKEW: u32 = 60;

pub fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A private RSA key and its certificate.
pub struct Key {
    pub pair: KeyPair,
    pub signing: SigningKey,
}

fn key() -> Key {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec();
    let certified = rcgen::KeyPair::try_from(pkcs8.as_slice()).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&certified).unwrap();
    Key { pair, signing: SigningKey::new(&pkcs8, certificate.der()).unwrap() }
}

/// The identity provider's key, which the connection trusts.
pub static OURS: LazyLock<Key> = LazyLock::new(key);
/// The attacker's.
pub static THEIRS: LazyLock<Key> = LazyLock::new(key);

/// The key that opens encrypted assertions, and its public half.
pub static OPENS: LazyLock<(DecryptionKey, Vec<u8>)> = LazyLock::new(|| {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&private).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key()).unwrap().as_ref().to_vec();
    (DecryptionKey::from_pkcs8(pkcs8.as_ref()).unwrap(), public)
});

/// Another key of ours.
pub static FORMER: LazyLock<DecryptionKey> = LazyLock::new(|| {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    DecryptionKey::from_pkcs8(AsDer::<Pkcs8V1Der<'_>>::as_der(&private).unwrap().as_ref()).unwrap()
});

pub fn trust() -> Trust {
    let keys = vec![OURS.signing.certificate().clone()];
    Trust { decryption_keys: vec![OPENS.0.clone()], ..Trust::new(IDP, keys) }
}

pub fn expected() -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        request: Request::Pending(REQUEST),
        authenticated_since: None,
        now: now(),
        skew: Skew::from_seconds(SKEW),
    }
}

pub fn sign_in() -> SignIn<'static> {
    SignIn {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        in_response_to: Some(REQUEST),
        name_id: "ada@corp.example",
        name_id_format: None,
        email: "ada@corp.example",
        given_name: "Ada",
        surname: "Lovelace",
        groups: &["staff"],
        now: now(),
        random: [0x5a; 16],
    }
}

/// A sound response in one product's shape, signed in one way.
pub struct Base {
    pub product: IdpKind,
    pub draft: Draft,
    /// Signed and accepted.
    pub xml: String,
}

pub const PRODUCTS: [IdpKind; 6] =
    [IdpKind::Okta, IdpKind::Entra, IdpKind::Keycloak, IdpKind::Shibboleth, IdpKind::SimpleSamlPhp, IdpKind::Other];

pub const WAYS: [Signing; 3] = [Signing::Response, Signing::Assertion, Signing::Both];

impl Base {
    pub fn new(product: IdpKind, signing: Signing) -> Self {
        let draft = Draft { signing, ..Draft::new(product, &sign_in()) };
        let xml = draft.sign(&OURS.signing).unwrap();
        Self { product, draft, xml }
    }

    /// As [`new`](Self::new), with an assertion that can be encrypted.
    pub fn self_contained(product: IdpKind, signing: Signing) -> Self {
        let draft = Draft { signing, ..Draft::self_contained(product, &sign_in()) };
        let xml = draft.sign(&OURS.signing).unwrap();
        Self { product, draft, xml }
    }

    pub fn response_signed(&self) -> bool {
        self.draft.signing != Signing::Assertion
    }

    pub fn assertion_signed(&self) -> bool {
        self.draft.signing != Signing::Response
    }

    /// The document changed before it was signed: the identity provider itself says so.
    pub fn resigned(&self, change: impl FnOnce(&str) -> String) -> String {
        self.signed_by(&OURS.signing, change)
    }

    /// The same by another key.
    pub fn signed_by(&self, key: &SigningKey, change: impl FnOnce(&str) -> String) -> String {
        let draft = Draft { xml: change(&self.draft.xml), ..self.draft.clone() };
        draft.sign(key).unwrap()
    }
}

/// One message that must be refused, and why.
pub struct Attack {
    pub name: String,
    pub message: Vec<u8>,
    pub trust: Trust,
    pub expected: Expected<'static>,
    pub reason: Reason,
}

impl Attack {
    pub fn new(name: impl Into<String>, message: impl Into<Vec<u8>>, reason: Reason) -> Self {
        Self { name: name.into(), message: message.into(), trust: trust(), expected: expected(), reason }
    }
}

pub fn judge(message: &[u8], trust: &Trust, expected: &Expected<'_>) -> Result<Assertion, Refusal> {
    let mut trace = Trace::new(IdpKind::Other);
    Unverified::from_xml(message, &mut trace)
        .and_then(|unverified| unverified.verify(trust, expected.now, &mut trace))
        .and_then(|signed| signed.check(expected, &mut trace))
}

/// What is wrong with the claims that are read from a sound response, if anything.
pub fn says_what_was_signed(base: &Base) -> Option<String> {
    let said = match judge(base.xml.as_bytes(), &trust(), &expected()) {
        Ok(assertion) => assertion,
        Err(refusal) => return Some(refusal.to_string()),
    };
    let digits = "5a".repeat(16);
    let lives = |seconds| now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let held = said.id == format!("_a{digits}")
        && said.session_index == Some(format!("_s{digits}"))
        && said.name_id.value == "ada@corp.example"
        && base.draft.xml.contains(&format!("Format=\"{}\"", said.name_id.format.as_deref().unwrap_or_default()))
        && said.name_id.name_qualifier.is_some() == base.draft.xml.contains(" NameQualifier=")
        && said.name_id.sp_name_qualifier.is_some() == base.draft.xml.contains(" SPNameQualifier=")
        && said.email(None).map(|email| email.address) == Some("ada@corp.example")
        && said.groups(None) == ["staff"]
        && said.display_name().as_deref() == Some("Ada Lovelace")
        && said.authn_instant == now()
        && said.session_not_on_or_after.is_some() == base.draft.xml.contains("SessionNotOnOrAfter")
        && said.not_on_or_after == lives(300 + i64::from(SKEW));
    (!held).then(|| format!("{said:?}"))
}
