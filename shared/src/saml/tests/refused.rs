//! What must not get in: each reason code, next to a control that differs in one thing.

use super::fixture::*;
use crate::saml::{CheckName, Expected, IdpKind, Outcome, Reason, Refusal, Request, Style, Trace, Trust, Unverified};

fn decode(form: &str) -> Option<Reason> {
    Unverified::decode(form, &mut Trace::new(IdpKind::Other)).err().map(Refusal::reason)
}

/// Refused with this reason however the changed document is signed.
fn resigned(change: impl Fn(&str) -> String, wanted: Reason) {
    for how in EVERY_WAY {
        assert_eq!(judge(&signed(RESPONSE, how)).err(), None, "control {how:?}");
        assert_eq!(reason(&signed(&change(RESPONSE), how)), Some(wanted), "{how:?}");
    }
}

/// Refused with this reason when the signed document is changed.
fn tampered(change: impl Fn(&str) -> String, wanted: Reason) {
    for how in EVERY_WAY {
        assert_eq!(reason(&change(&signed(RESPONSE, how))), Some(wanted), "{how:?}");
    }
}

#[test]
fn size_and_encoding() {
    assert_eq!(decode(&form(&"x".repeat(256 * 1024 + 1))), Some(Reason::TooLarge));
    assert_eq!(decode(&"A".repeat(2_000_000)), Some(Reason::TooLarge));
    assert_eq!(decode(&form(&"x".repeat(256 * 1024))), Some(Reason::Malformed));
    for bad in ["", "!!!!", "PHg+=", "PHg", "PHg_", "%50", "PHg+PC94Pg==x"] {
        assert_eq!(decode(bad), Some(Reason::Malformed), "{bad}");
    }
    let utf16: Vec<u8> = RESPONSE.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for octets in [utf16, b"<a>\xc0\x80</a>".to_vec(), b"\xef\xbb\xbf<a/>".to_vec(), b"<a/>\0".to_vec()] {
        let mut trace = Trace::new(IdpKind::Other);
        assert_eq!(Unverified::from_xml(&octets, &mut trace).unwrap_err().reason(), Reason::Malformed);
    }
}

#[test]
fn markup() {
    tampered(|xml| format!("<!DOCTYPE x [<!ENTITY e 'y'>]>{xml}"), Reason::Dtd);
    tampered(|xml| replace(xml, "ada@", "&e;"), Reason::Dtd);
    tampered(|xml| replace(xml, "ada@example.com", "ada@example.com<!-- -->.evil"), Reason::Markup);
    tampered(|xml| replace(xml, "ada@example.com", "<![CDATA[ada@example.com]]>"), Reason::Markup);
    tampered(|xml| replace(xml, "ada@example.com", "ada<?x?>@example.com"), Reason::Markup);
    tampered(|xml| format!("{xml}<x/>"), Reason::Malformed);
}

#[test]
fn structure() {
    resigned(|xml| xml.replacen("Version=\"2.0\"", "Version=\"1.1\"", 1), Reason::Structure);
    resigned(|xml| xml.replacen("ID=\"_a\" Version=\"2.0\"", "ID=\"_a\" Version=\"1.1\"", 1), Reason::Structure);
    resigned(|xml| xml.replace("samlp:Response", "samlp:ArtifactResponse"), Reason::Structure);
    resigned(|xml| xml.replace("SAML:2.0:protocol", "SAML:9.0:protocol"), Reason::Structure);
    let extra = "<saml:Assertion ID=\"_b\" Version=\"2.0\"/>";
    resigned(|xml| replace(xml, "</samlp:Response>", &format!("{extra}</samlp:Response>")), Reason::AssertionCount);
    let hidden = "<x:Assertion xmlns:x=\"urn:x\"/>";
    resigned(|xml| replace(xml, "</samlp:Status>", &format!("{hidden}</samlp:Status>")), Reason::AssertionCount);
    let nested = "<samlp:Extensions><samlp:Response/></samlp:Extensions><samlp:Status>";
    resigned(|xml| replace(xml, "<samlp:Status>", nested), Reason::Structure);
    tampered(|xml| replace(xml, "<samlp:Status>", "<samlp:Status xml:id=\"_a\">"), Reason::DuplicateId);
    tampered(|xml| replace(xml, "ID=\"_r\"", "ID=\"_r\" xml:id=\"_other\""), Reason::DuplicateId);
}

#[test]
fn a_failed_sign_in_tells_the_status() {
    let start = RESPONSE.find("<saml:Assertion").unwrap();
    let end = RESPONSE.find("</samlp:Response>").unwrap();
    let xml = format!("{}{}", &RESPONSE[..start], &RESPONSE[end..]);
    assert_eq!(reason(&xml), Some(Reason::AssertionCount));
    assert_eq!(reason(&replace(&xml, "status:Success", "status:Responder")), Some(Reason::Status));
}

#[test]
fn signature_shape() {
    assert_eq!(reason(RESPONSE), Some(Reason::SignatureMissing));
    let object = "<ds:Object/></ds:Signature>";
    tampered(|xml| replace(xml, "</ds:Signature>", object), Reason::DsigShape);
    tampered(|xml| replace(xml, "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo/>"), Reason::DsigShape);
    let truncated = "#rsa-sha256\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>";
    tampered(|xml| replace(xml, "#rsa-sha256\"></ds:SignatureMethod>", truncated), Reason::DsigShape);
    tampered(|xml| xml.replace(DSIG, "urn:x"), Reason::DsigShape);
    tampered(
        |xml| replace(xml, "<ds:DigestValue>", "<ds:DigestValue>A</ds:DigestValue><ds:DigestValue>"),
        Reason::DsigShape,
    );
    for (uri, how) in [("#_r", Sign::Response), ("#_a", Sign::Assertion)] {
        for bad in ["", "#", "#_x", "http://evil.example.com/", "#xpointer(/)", "#xpointer(id('_r'))"] {
            let xml = replace(&signed(RESPONSE, how), &format!("URI=\"{uri}\""), &format!("URI=\"{bad}\""));
            assert_eq!(reason(&xml), Some(Reason::Reference), "{bad}");
        }
        let xml = replace(&signed(RESPONSE, how), &format!(" URI=\"{uri}\""), "");
        assert_eq!(reason(&xml), Some(Reason::Reference));
    }
}

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

#[test]
fn transforms_and_algorithms() {
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    for other in [
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
    ] {
        tampered(|xml| replace(xml, exclusive, &format!("{other}\"></ds:Transform>")), Reason::Transform);
    }
    tampered(
        |xml| replace(xml, "</ds:Transforms>", "<ds:Transform Algorithm=\"x\"/></ds:Transforms>"),
        Reason::Transform,
    );
    for weak in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    ] {
        let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        tampered(|xml| replace(xml, rsa, weak), Reason::Algorithm);
    }
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    tampered(|xml| replace(xml, sha256, "http://www.w3.org/2000/09/xmldsig#sha1"), Reason::Algorithm);
}

#[test]
fn keys_and_cryptography() {
    let xml = signed(RESPONSE, Sign::Both);
    let nobody = Trust::new(IDP, Vec::new());
    let refusal = judge_with(&xml, &nobody, &expected()).0.unwrap_err();
    assert_eq!(refusal.reason(), Reason::NoTrustedKey);
    let refusal = judge_with(&xml, &trust(&p256()), &expected()).0.unwrap_err();
    assert_eq!(refusal.reason(), Reason::NoTrustedKey);
    for how in EVERY_WAY {
        let by_another = sign(RESPONSE, how, other_rsa(), Style::default());
        assert_eq!(reason(&by_another), Some(Reason::Signature), "{how:?}");
    }
    tampered(|xml| replace(xml, "ada@example.com", "eve@example.com"), Reason::Digest);
    let nothing = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for how in EVERY_WAY {
        let xml = signed(RESPONSE, how);
        let from = xml.find("<ds:DigestValue>").unwrap() + "<ds:DigestValue>".len();
        let to = xml.find("</ds:DigestValue>").unwrap();
        assert_eq!(reason(&format!("{}{nothing}{}", &xml[..from], &xml[to..])), Some(Reason::Digest));
    }
}

#[test]
fn every_signature_present_must_verify() {
    let good_inside = sign(RESPONSE, Sign::Assertion, rsa(), Style::default());
    let bad_outside = other_rsa().sign_element(&good_inside, "_r", Style::default()).unwrap();
    assert_eq!(reason(&bad_outside), Some(Reason::Signature));
    let bad_inside = sign(RESPONSE, Sign::Assertion, other_rsa(), Style::default());
    let good_outside = rsa().sign_element(&bad_inside, "_r", Style::default()).unwrap();
    assert_eq!(reason(&good_outside), Some(Reason::Signature));
}

#[test]
fn response() {
    resigned(|xml| replace(xml, "status:Success", "status:Requester"), Reason::Status);
    resigned(|xml| replace(xml, "Destination=\"https://sp", "Destination=\"https://evil"), Reason::Destination);
    let missing = replace(RESPONSE, " Destination=\"https://sp.example.com/saml/con_1/acs\"", "");
    assert_eq!(reason(&signed(&missing, Sign::Response)), Some(Reason::Destination));
    assert_eq!(reason(&signed(&missing, Sign::Assertion)), None);
    let outer = replace(RESPONSE, "<saml:Issuer>https://idp", "<saml:Issuer>https://other");
    assert_eq!(reason(&signed(&outer, Sign::Response)), Some(Reason::Issuer));
    resigned(|xml| xml.replace("<saml:Issuer>https://idp", "<saml:Issuer>https://other"), Reason::Issuer);
}

#[test]
fn audience_and_conditions() {
    resigned(|xml| replace(xml, "<saml:Audience>https://sp", "<saml:Audience>https://other"), Reason::Audience);
    resigned(|xml| replace(xml, &format!("<saml:Audience>{SP}</saml:Audience>"), ""), Reason::Audience);
    let second =
        "<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction></saml:Conditions>";
    resigned(|xml| replace(xml, "</saml:Conditions>", second), Reason::Audience);
    resigned(|xml| replace(xml, "</saml:Conditions>", "<saml:Condition/></saml:Conditions>"), Reason::Conditions);
    let twice = "<saml:OneTimeUse/><saml:OneTimeUse/></saml:Conditions>";
    resigned(|xml| replace(xml, "</saml:Conditions>", twice), Reason::Conditions);
    let once = replace(RESPONSE, "</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>");
    assert_eq!(reason(&signed(&once, Sign::Both)), None);
    let split = replace(RESPONSE, "<saml:Audience>https://sp", "<saml:Audience><x/>https://sp");
    assert_eq!(reason(&signed(&split, Sign::Both)), Some(Reason::Audience));
}

#[test]
fn confirmation_and_times() {
    resigned(|xml| replace(xml, "cm:bearer", "cm:sender-vouches"), Reason::SubjectConfirmation);
    resigned(|xml| replace(xml, &format!(" Recipient=\"{ACS}\""), ""), Reason::SubjectConfirmation);
    resigned(|xml| replace(xml, " NotOnOrAfter=\"2026-03-01T12:05:00Z\" R", " R"), Reason::SubjectConfirmation);
    resigned(|xml| replace(xml, "Recipient=\"https://sp", "Recipient=\"https://evil"), Reason::Recipient);
    resigned(|xml| replace(xml, "12:05:00Z\" Recipient", "11:59:00Z\" Recipient"), Reason::Expired);
    resigned(
        |xml| replace(xml, "NotBefore=\"2026-03-01T11:55:00Z\"", "NotBefore=\"2026-03-01T12:01:01Z\""),
        Reason::NotYetValid,
    );
    resigned(|xml| replace(xml, "NotBefore=\"2026-03-01T11:55:00Z\"", "NotBefore=\"soon\""), Reason::Structure);
    resigned(|xml| replace(xml, "AuthnInstant=\"2026", "AuthnInstant=\"2027"), Reason::NotYetValid);
    let over = "SessionNotOnOrAfter=\"2026-03-01T11:59:00Z\" SessionIndex";
    resigned(|xml| replace(xml, "SessionIndex", over), Reason::Expired);
    let forced = Expected { authenticated_since: Some(now()), skew: crate::saml::Skew::from_seconds(0), ..expected() };
    let refusal = judge_with(&signed(RESPONSE, Sign::Both), &trust(rsa()), &forced).0.unwrap_err();
    assert_eq!((refusal.reason(), refusal.check()), (Reason::Expired, CheckName::Authentication));
}

#[test]
fn request() {
    let unsolicited = RESPONSE.replace(&format!(" InResponseTo=\"{REQUEST}\""), "");
    for how in EVERY_WAY {
        assert_eq!(reason(&signed(&unsolicited, how)), Some(Reason::InResponseTo), "{how:?}");
        assert_eq!(reason(&signed(&RESPONSE.replace(REQUEST, "_another"), how)), Some(Reason::InResponseTo));
        let none = Expected { request: Request::None { idp_initiated_allowed: false }, ..expected() };
        let refusal = judge_with(&signed(&unsolicited, how), &trust(rsa()), &none).0.unwrap_err();
        assert_eq!(refusal.reason(), Reason::IdpInitiated);
        let allowed = Expected { request: Request::None { idp_initiated_allowed: true }, ..expected() };
        let refusal = judge_with(&signed(RESPONSE, how), &trust(rsa()), &allowed).0.unwrap_err();
        assert_eq!(refusal.reason(), Reason::InResponseTo);
    }
    // Only the unsigned Response names the request: nobody vouches for it.
    let outer_only = replace(RESPONSE, &format!("InResponseTo=\"{REQUEST}\" NotOnOrAfter"), "NotOnOrAfter");
    assert_eq!(reason(&signed(&outer_only, Sign::Assertion)), Some(Reason::InResponseTo));
    assert_eq!(reason(&signed(&outer_only, Sign::Response)), None);
}

#[test]
fn name_id() {
    resigned(|xml| replace(xml, "1.1:nameid-format:emailAddress", "2.0:nameid-format:transient"), Reason::NameId);
    resigned(|xml| replace(xml, "ada@example.com", " "), Reason::NameId);
    resigned(|xml| replace(xml, "ada@example.com", "ada<x/>@example.com"), Reason::NameId);
    resigned(|xml| replace(xml, "ada@example.com", &"a".repeat(1025)), Reason::NameId);
    let encrypted = "<saml:Subject><saml:EncryptedID/>";
    resigned(|xml| replace(xml, "<saml:Subject>", encrypted), Reason::NameId);
}

#[test]
fn an_encrypted_assertion_needs_a_key() {
    let start = RESPONSE.find("<saml:Assertion").unwrap();
    let end = RESPONSE.find("</samlp:Response>").unwrap();
    let xml = format!("{}<saml:EncryptedAssertion/>{}", &RESPONSE[..start], &RESPONSE[end..]);
    assert_eq!(reason(&xml), Some(Reason::Decryption));
}

#[test]
fn a_refusal_leaves_what_follows_not_reached() {
    let xml = replace(&signed(RESPONSE, Sign::Both), "ada@example.com", "eve@example.com");
    let (result, trace) = judge_with(&xml, &trust(rsa()), &expected());
    let at = result.unwrap_err().check();
    for check in trace.checks() {
        let outcome = match check.name.cmp(&at) {
            std::cmp::Ordering::Less => Outcome::Passed,
            std::cmp::Ordering::Equal => Outcome::Failed,
            std::cmp::Ordering::Greater => Outcome::NotReached,
        };
        assert_eq!(check.outcome, outcome, "{}", check.name);
    }
    let text = serde_json::to_string(&trace).unwrap();
    assert!(!text.contains("eve@") && !text.contains("<saml"), "{text}");
}
