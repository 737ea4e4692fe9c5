//! Requests and metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::fixture::*;
use crate::saml::{
    AuthnRequest, CertificateError, EMAIL_FORMAT, IdpKind, IdpMetadata, MetadataError, PinnedKey, ReceiveError,
    ReceivedRequest, RequestError, SpMetadata, decode_redirect, request_id,
};

fn request(destination: &Url) -> AuthnRequest<'_> {
    AuthnRequest {
        id: "_0123456789abcdef0123456789abcdef",
        issue_instant: now(),
        destination,
        acs_url: "https://sp.example.com/acs?a=1&b=\"2\"",
        issuer: "https://sp.example.com/<meta>&data",
        name_id_format: Some(EMAIL_FORMAT),
        force_authn: true,
    }
}

#[test]
fn request_ids_carry_all_random_bits() {
    assert_eq!(request_id([0xab; 16]), format!("_{}", "ab".repeat(16)));
}

#[test]
fn a_redirect_can_be_read_back_and_keeps_the_query_of_the_destination() {
    let destination = Url::parse("https://accounts.google.com/o/saml2/idp?idpid=C01").unwrap();
    let url = request(&destination).redirect_url(Some("a b&c"), None).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs[0], ("idpid".to_owned(), "C01".to_owned()));
    assert_eq!((pairs[1].0.as_str(), &pairs[2]), ("SAMLRequest", &("RelayState".to_owned(), "a b&c".to_owned())));
    let read = ReceivedRequest::read(&decode_redirect(&pairs[1].1).unwrap()).unwrap();
    assert_eq!(read.issuer, "https://sp.example.com/<meta>&data");
    assert_eq!(read.acs_url.as_deref(), Some("https://sp.example.com/acs?a=1&b=\"2\""));
    assert_eq!(read.destination.as_deref(), Some(destination.as_str()));
    assert_eq!((read.name_id_format.as_deref(), read.force_authn), (Some(EMAIL_FORMAT), true));
}

#[test]
fn a_signed_redirect_signs_the_query_in_the_order_of_the_binding() {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm as _};
    let destination = Url::parse("https://idp.example.com/sso").unwrap();
    let url = request(&destination).redirect_url(Some("state"), Some(rsa())).unwrap();
    let (signed, signature) = url.query().unwrap().split_once("&Signature=").unwrap();
    assert!(signed.starts_with("SAMLRequest=") && signed.contains("&RelayState=state&SigAlg=http%3A%2F%2F"));
    let signature = url
        .query_pairs()
        .find(|(name, _)| name == "Signature")
        .map(|(_, v)| v.into_owned())
        .or(Some(signature.to_owned()));
    let value = STANDARD.decode(signature.unwrap()).unwrap();
    let key = rsa().certificate().public_key();
    RSA_PKCS1_2048_8192_SHA256.verify_sig(key, signed.as_bytes(), &value).unwrap();
}

#[test]
fn a_posted_request_is_signed_after_its_issuer() {
    let destination = Url::parse("https://idp.example.com/sso").unwrap();
    let form = request(&destination).post_form(Some("s"), Some(rsa())).unwrap();
    let xml = String::from_utf8(STANDARD.decode(form.saml_request).unwrap()).unwrap();
    assert!(xml.contains("</saml2:Issuer><ds:Signature "));
    assert!(xml.contains("URI=\"#_0123456789abcdef0123456789abcdef\""));
    let long = "x".repeat(81);
    assert_eq!(request(&destination).post_form(Some(&long), None), Err(RequestError::RelayState));
}

#[test]
fn a_deflate_bomb_is_not_inflated() {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'a'; 50_000_000]).unwrap();
    assert_eq!(decode_redirect(&STANDARD.encode(encoder.finish().unwrap())), Err(ReceiveError::TooLarge));
    assert_eq!(decode_redirect("AAAA"), Err(ReceiveError::Malformed));
    assert_eq!(decode_redirect("!"), Err(ReceiveError::Malformed));
}

fn metadata() -> String {
    let certificate = String::from(rsa().certificate().clone());
    format!(
        r#"<?xml version="1.0"?>
<!-- exported -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://www.okta.com/exk1" validUntil="2036-01-01T00:00:00Z">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>
      {certificate}
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://acme.okta.com/app/sso/saml"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://acme.okta.com/app/sso/saml?x=1"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>"#
    )
}

#[test]
fn metadata_is_read() {
    let read = IdpMetadata::read(&metadata()).unwrap();
    assert_eq!((read.entity_id.as_str(), read.kind), ("http://www.okta.com/exk1", IdpKind::Okta));
    assert_eq!(read.sso_redirect.as_ref().unwrap().as_str(), "https://acme.okta.com/app/sso/saml?x=1");
    assert_eq!(read.certificates, [rsa().certificate().clone()]);
    assert!(read.wants_signed_requests && read.valid_until.is_some());
    assert_eq!(read.name_id_formats, [EMAIL_FORMAT]);
    let json = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<IdpMetadata>(&json).unwrap(), read);
}

/// What else products put into theirs: roles of other protocols, a signature, durations, key names, encryption methods.
#[test]
fn metadata_with_much_else_is_read() {
    let role = r#"<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706" cacheDuration="PT1H"><md:KeyDescriptor use="signing"/></md:RoleDescriptor><md:IDPSSODescriptor cacheDuration="PT1H" validUntil="2035-01-01T00:00:00Z" errorURL="x""#;
    let first = "<md:KeyDescriptor use=\"encryption\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:KeyName>k</ds:KeyName></ds:KeyInfo><md:EncryptionMethod Algorithm=\"x\"/></md:KeyDescriptor><md:KeyDescriptor use=\"signing\">";
    let xml = metadata()
        .replace("<md:IDPSSODescriptor", role)
        .replace("<md:KeyDescriptor use=\"signing\">\n", first)
        .replace(
            "<ds:X509Data>",
            "<ds:KeyName>n</ds:KeyName><ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName>",
        )
        .replace("</md:EntityDescriptor>", "<md:Organization/><md:ContactPerson/></md:EntityDescriptor>");
    let read = IdpMetadata::read(&xml).unwrap();
    assert_eq!(read.certificates, [rsa().certificate().clone()]);
    assert_eq!(read.valid_until.unwrap().to_string(), "2035-01-01T00:00:00Z");
}

#[test]
fn metadata_errors_are_told_apart() {
    let error = |xml: &str| IdpMetadata::read(xml).unwrap_err();
    let good = metadata();
    assert_eq!(error("<!DOCTYPE html><html>sign in</html>"), MetadataError::WebPage);
    assert!(matches!(error("hello"), MetadataError::NotXml(_)));
    assert!(matches!(error("<!DOCTYPE x []><x/>"), MetadataError::NotXml(_)));
    assert_eq!(error("<rss/>"), MetadataError::NotMetadata);
    assert_eq!(error(&"x".repeat(2_000_000)), MetadataError::TooLarge);
    assert_eq!(error(&good.replace("IDPSSODescriptor", "SPSSODescriptor")), MetadataError::ServiceProvider);
    assert_eq!(error(&good.replace("SAML:2.0:protocol", "SAML:1.1:protocol")), MetadataError::NoIdentityProvider);
    assert_eq!(error(&good.replace("entityID=\"http://www.okta.com/exk1\"", "")), MetadataError::NoEntityId);
    assert_eq!(
        error(
            &good
                .replace("SingleSignOnService", "x:SingleSignOnService")
                .replace("<md:x:", "<x:")
                .replace("entityID", "xmlns:x=\"urn:x\" entityID")
        ),
        MetadataError::NoSingleSignOn
    );
    assert_eq!(error(&good.replace("bindings:HTTP-", "bindings:X-")), MetadataError::NoSingleSignOn);
    assert_eq!(error(&good.replace("use=\"signing\"", "use=\"encryption\"")), MetadataError::NoCertificate);
    assert!(matches!(error(&good.replace("https://acme", "http://acme")), MetadataError::Address(_)));
    assert!(matches!(error(&good.replace("https://acme", "javascript://acme")), MetadataError::Address(_)));
    assert!(IdpMetadata::read(&good.replace("https://acme.okta.com", "http://127.0.0.1:3000")).is_ok());
    let entity = good.split_once("<!-- exported -->").unwrap().1;
    let several = |n: usize| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}</md:EntitiesDescriptor>",
            entity.repeat(n)
        )
    };
    assert!(IdpMetadata::read(&several(1)).is_ok());
    assert_eq!(error(&several(2)), MetadataError::Several(2));
}

#[test]
fn browsers_are_sent_to_https_or_to_this_machine_only() {
    let at = |address: &str| IdpMetadata::read(&metadata().replace("https://acme.okta.com", address));
    for good in
        ["https://a.example", "http://localhost:1", "http://idp.localhost", "http://127.0.0.1", "http://[::1]:2"]
    {
        assert!(at(good).is_ok(), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://localhost.example",
        "http://192.0.2.1",
        "http://[2001:db8::1]",
        "ftp://localhost",
        "https://user@a.example",
        "https://:secret@a.example",
        "https://user:secret@a.example",
        "relative",
    ] {
        assert!(matches!(at(bad), Err(MetadataError::Address(_))), "{bad}");
    }
}

#[test]
fn metadata_has_limits() {
    let id = |length: usize| IdpMetadata::read(&metadata().replace("http://www.okta.com/exk1", &"e".repeat(length)));
    assert!(id(1024).is_ok());
    assert_eq!(id(1025).unwrap_err(), MetadataError::NoEntityId);
    let size = |length: usize| {
        let xml = metadata();
        IdpMetadata::read(&format!("{xml}{}", " ".repeat(length - xml.len())))
    };
    assert!(size(1024 * 1024).is_ok());
    assert_eq!(size(1024 * 1024 + 1).unwrap_err(), MetadataError::TooLarge);
    let one = metadata();
    let start = one.find("<md:KeyDescriptor").unwrap();
    let end = one.find("</md:KeyDescriptor>").unwrap() + "</md:KeyDescriptor>".len();
    let ours = String::from(rsa().certificate().clone());
    let keys = |count: usize| {
        let keys = (0..count).map(|_| one[start..end].replace(&ours, &String::from(p256().certificate().clone())));
        IdpMetadata::read(&format!("{}{}{}", &one[..start], keys.collect::<String>(), &one[end..]))
    };
    assert_eq!(keys(16).unwrap().certificates.len(), 16);
    assert_eq!(keys(17).unwrap_err(), MetadataError::Certificates);
    let twice = format!("{}{}{}", &one[..end], &one[start..end], &one[end..]);
    assert_eq!(IdpMetadata::read(&twice).unwrap().certificates.len(), 1, "each once");
    let unnamed = IdpMetadata::read(&one.replace(" use=\"signing\"", "")).unwrap();
    assert_eq!(unnamed.certificates.len(), 1, "a key for any use is one for signing");
    let both =
        one.replace("=\"urn:oasis:names:tc:SAML:2.0:protocol\"", "=\"urn:x urn:oasis:names:tc:SAML:2.0:protocol\"");
    assert!(IdpMetadata::read(&both).is_ok());
}

/// RSA of 1024 bits, made with `openssl req -x509 -newkey rsa:1024`.
const WEAK: &str = include_str!("weak.pem");

#[test]
fn weak_and_foreign_certificates_are_not_pinned() {
    let weak: String = WEAK.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(PinnedKey::from_base64(&weak), Err(CertificateError::RsaSize(1024)));
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let ed25519 = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    assert_eq!(PinnedKey::from_certificate(ed25519.der()), Err(CertificateError::Algorithm));
    assert_eq!(PinnedKey::from_base64("AAAA"), Err(CertificateError::Unreadable));
    let weak_only = metadata().replace(&String::from(rsa().certificate().clone()), &weak);
    assert_eq!(IdpMetadata::read(&weak_only), Err(MetadataError::Certificate(CertificateError::RsaSize(1024))));
}

#[test]
fn our_metadata_is_escaped_and_complete() {
    let certificate = rsa().certificate().certificate_der();
    let xml = SpMetadata {
        entity_id: "https://sp.example.com/a?b&c",
        acs_url: ACS,
        name_id_formats: &[EMAIL_FORMAT],
        signs_requests: true,
        signing_certificates: &[certificate],
        encryption_certificates: &[certificate],
    }
    .to_xml()
    .unwrap();
    assert!(xml.contains("entityID=\"https://sp.example.com/a?b&amp;c\""));
    assert!(xml.contains("WantAssertionsSigned=\"true\"") && xml.contains("AuthnRequestsSigned=\"true\""));
    assert!(xml.contains("use=\"signing\"") && xml.contains("use=\"encryption\"") && xml.contains(ACS));
    assert_eq!(IdpMetadata::read(&xml), Err(MetadataError::ServiceProvider));
}
