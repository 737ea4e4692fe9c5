//! Keys made at run time and one plain response to change.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::saml::{
    Assertion, Expected, IdpKind, Reason, Refusal, Request, SigningKey, Skew, Style, Trace, Trust, Unverified,
};

pub(super) const IDP: &str = "https://idp.example.com/metadata";
pub(super) const SP: &str = "https://sp.example.com/saml/con_1/metadata";
pub(super) const ACS: &str = "https://sp.example.com/saml/con_1/acs";
pub(super) const REQUEST: &str = "_4fee3b046395c4e751011e97f8900b52";
pub(super) const NOW: &str = "2026-03-01T12:00:00Z";

/// Unsigned; the ids are `_r` and `_a`.
pub(super) const RESPONSE: &str = r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="2026-03-01T11:59:58Z" Destination="https://sp.example.com/saml/con_1/acs" InResponseTo="_4fee3b046395c4e751011e97f8900b52"><saml:Issuer>https://idp.example.com/metadata</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ID="_a" Version="2.0" IssueInstant="2026-03-01T11:59:58Z"><saml:Issuer>https://idp.example.com/metadata</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_4fee3b046395c4e751011e97f8900b52" NotOnOrAfter="2026-03-01T12:05:00Z" Recipient="https://sp.example.com/saml/con_1/acs"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="2026-03-01T11:55:00Z" NotOnOrAfter="2026-03-01T12:05:00Z"><saml:AudienceRestriction><saml:Audience>https://sp.example.com/saml/con_1/metadata</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="2026-03-01T11:59:57Z" SessionIndex="_s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue>g1</saml:AttributeValue><saml:AttributeValue>g2</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Response,
    Assertion,
    Both,
}

pub(super) const EVERY_WAY: [Sign; 3] = [Sign::Response, Sign::Assertion, Sign::Both];

fn make(pair: &rcgen::KeyPair) -> SigningKey {
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(pair).unwrap();
    SigningKey::new(pair.serialized_der(), certificate.der()).unwrap()
}

/// The key that the fixture's connection trusts.
pub(super) fn rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let size = rcgen::RsaKeySize::_2048;
        make(&rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap())
    })
}

/// A key whose certificate ended in 2000.
pub(super) fn expired_rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let size = rcgen::RsaKeySize::_2048;
        let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        SigningKey::new(pair.serialized_der(), params.self_signed(&pair).unwrap().der()).unwrap()
    })
}

/// A key that it does not trust.
pub(super) fn other_rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let size = rcgen::RsaKeySize::_2048;
        make(&rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap())
    })
}

pub(super) fn p256() -> SigningKey {
    make(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap())
}

pub(super) fn p384() -> SigningKey {
    make(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap())
}

pub(super) fn sign(xml: &str, how: Sign, key: &SigningKey, style: Style<'_>) -> String {
    let mut xml = xml.to_owned();
    if how != Sign::Response {
        xml = key.sign_element(&xml, "_a", style).unwrap();
    }
    if how != Sign::Assertion {
        xml = key.sign_element(&xml, "_r", style).unwrap();
    }
    xml
}

pub(super) fn signed(xml: &str, how: Sign) -> String {
    sign(xml, how, rsa(), Style::default())
}

pub(super) fn trust(key: &SigningKey) -> Trust {
    Trust::new(IDP, vec![key.certificate().clone()])
}

pub(super) fn expected() -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        request: Request::Pending(REQUEST),
        authenticated_since: None,
        now: now(),
        skew: Skew::from_seconds(60),
    }
}

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(super) fn form(xml: &str) -> String {
    STANDARD.encode(xml)
}

/// Decode, verify, check.
pub(super) fn judge_with(xml: &str, trust: &Trust, expected: &Expected<'_>) -> (Result<Assertion, Refusal>, Trace) {
    let mut trace = Trace::new(IdpKind::Other);
    let result = Unverified::decode(&form(xml), &mut trace)
        .and_then(|unverified| unverified.verify(trust, expected.now, &mut trace))
        .and_then(|signed| signed.check(expected, &mut trace));
    (result, trace)
}

pub(super) fn judge(xml: &str) -> Result<Assertion, Refusal> {
    judge_with(xml, &trust(rsa()), &expected()).0
}

pub(super) fn reason(xml: &str) -> Option<Reason> {
    judge(xml).err().map(Refusal::reason)
}

/// Replaces exactly one place.
pub(super) fn replace(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "nothing to replace: {from}");
    xml.replacen(from, to, 1)
}
