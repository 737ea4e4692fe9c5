//! What must get in.

use super::fixture::*;
use crate::saml::{CheckName, Expected, ExpiredKeys, Outcome, Reason, Request, Style, Trust};

#[test]
fn each_way_of_signing_is_accepted() {
    for how in EVERY_WAY {
        let assertion = judge(&signed(RESPONSE, how)).unwrap_or_else(|refusal| panic!("{how:?}: {refusal}"));
        assert_eq!(assertion.id, "_a");
        assert_eq!(assertion.name_id.value, "ada@example.com");
        assert_eq!(assertion.session_index.as_deref(), Some("_s"));
        assert_eq!(assertion.groups(None), ["g1", "g2"]);
        assert_eq!(assertion.not_on_or_after.to_string(), "2026-03-01T12:06:00Z");
        assert_eq!(assertion.authn_instant.to_string(), "2026-03-01T11:59:57Z");
    }
}

#[test]
fn the_trace_of_an_accepted_response_passes_everything_up_to_the_name_id() {
    let (result, trace) = judge_with(&signed(RESPONSE, Sign::Both), &trust(rsa()), &expected());
    result.unwrap();
    for check in trace.checks() {
        let outcome = if check.name <= CheckName::NameId { Outcome::Passed } else { Outcome::NotReached };
        assert_eq!(check.outcome, outcome, "{}", check.name);
    }
}

#[test]
fn elliptic_curves_are_accepted() {
    for key in [p256(), p384()] {
        for how in EVERY_WAY {
            let xml = sign(RESPONSE, how, &key, Style::default());
            judge_with(&xml, &trust(&key), &expected()).0.unwrap();
        }
    }
}

#[test]
fn styles_do_not_matter() {
    for style in [
        Style { prefix: "", ..Style::default() },
        Style { wrapped: true, ..Style::default() },
        Style { prefix: "dsig", inclusive: &["saml", "samlp", "xs", "#default"], key_info: false, wrapped: false },
    ] {
        for how in EVERY_WAY {
            judge(&sign(RESPONSE, how, rsa(), style)).unwrap();
        }
    }
}

#[test]
fn pretty_printed_and_wrapped_documents_are_accepted() {
    let pretty = RESPONSE.replace("><", ">\r\n  <");
    for how in EVERY_WAY {
        judge(&signed(&pretty, how)).unwrap();
    }
    let wrapped = form(&signed(RESPONSE, Sign::Response));
    let lines: Vec<&str> = wrapped.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let mut trace = crate::saml::Trace::new(crate::saml::IdpKind::Other);
    crate::saml::Unverified::decode(&lines.join("\r\n"), &mut trace).unwrap();
}

#[test]
fn default_namespaces_and_unknown_attribute_types_are_accepted() {
    let xml = RESPONSE
        .replace("<saml:", "<")
        .replace("</saml:", "</")
        .replace("<Assertion ID", r#"<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID"#)
        .replacen("<Issuer>", r#"<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">"#, 1)
        .replace(
            "<AttributeValue>g1",
            r#"<AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">g1"#,
        );
    for how in EVERY_WAY {
        assert_eq!(judge(&signed(&xml, how)).unwrap().groups(None), ["g1", "g2"]);
    }
}

#[test]
fn carriage_returns_as_references_survive() {
    let xml = replace(RESPONSE, ">g1<", ">g1&#13;&#xD;\nx<");
    for how in EVERY_WAY {
        assert_eq!(judge(&signed(&xml, how)).unwrap().groups(None), ["g1\r\r\nx", "g2"]);
    }
}

#[test]
fn values_that_are_not_text_are_left_out() {
    let xml = replace(RESPONSE, ">g1<", "><saml:NameID>g1</saml:NameID><");
    assert_eq!(judge(&signed(&xml, Sign::Both)).unwrap().groups(None), ["g2"]);
}

#[test]
fn an_unsigned_issuer_in_another_form_only_warns() {
    let xml = replace(&signed(RESPONSE, Sign::Assertion), IDP, "urn:other:form");
    let (result, trace) = judge_with(&xml, &trust(rsa()), &expected());
    result.unwrap();
    let issuer = trace.checks().iter().find(|check| check.name == CheckName::Issuer).unwrap();
    assert!(issuer.advice.is_some() && issuer.outcome == Outcome::Passed);
}

#[test]
fn a_second_pinned_key_serves_during_rollover() {
    let keys = vec![other_rsa().certificate().clone(), rsa().certificate().clone()];
    judge_with(&signed(RESPONSE, Sign::Both), &Trust::new(IDP, keys), &expected()).0.unwrap();
}

#[test]
fn one_bearer_confirmation_of_several_is_enough() {
    let other = r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-03-01T12:05:00Z" Recipient="https://elsewhere.example.com/acs"/></saml:SubjectConfirmation>"#;
    let xml = replace(RESPONSE, "<saml:SubjectConfirmation ", &format!("{other}<saml:SubjectConfirmation "));
    judge(&signed(&xml, Sign::Both)).unwrap();
}

/// The one that holds is found, whatever another one lacks.
#[test]
fn a_bearer_confirmation_that_does_not_hold_is_passed_over() {
    let first = |data: &str| {
        let other = format!(
            r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData {data}/></saml:SubjectConfirmation>"#
        );
        format!("{other}<saml:SubjectConfirmation ")
    };
    let to_us = format!("Recipient=\"{ACS}\"");
    let until = "NotOnOrAfter=\"2026-03-01T12:05:00Z\"";
    for data in [
        format!("{to_us} {until} InResponseTo=\"_another\""),
        format!("{to_us} {until} NotBefore=\"2026-03-01T12:01:01Z\""),
        format!("{to_us} {until} NotBefore=\"soon\""),
        format!("{to_us} NotOnOrAfter=\"2026-03-01T11:59:00Z\""),
        format!("{to_us} NotOnOrAfter=\"soon\""),
        to_us.clone(),
        until.to_owned(),
    ] {
        let xml = replace(RESPONSE, "<saml:SubjectConfirmation ", &first(&data));
        assert_eq!(judge(&signed(&xml, Sign::Both)).err(), None, "{data}");
    }
    let unsolicited = RESPONSE.replace(&format!(" InResponseTo=\"{REQUEST}\""), "");
    let xml =
        replace(&unsolicited, "<saml:SubjectConfirmation ", &first(&format!("{to_us} {until} InResponseTo=\"_x\"")));
    let allowed = Expected { request: Request::None { idp_initiated_allowed: true }, ..expected() };
    assert_eq!(judge_with(&signed(&xml, Sign::Both), &trust(rsa()), &allowed).0.err(), None);
    // Signed, and the response names the request: a confirmation that names none holds, and comes first.
    let silent = replace(
        RESPONSE,
        "<saml:SubjectConfirmation ",
        &first(&format!("{to_us} NotOnOrAfter=\"2026-03-01T12:03:00Z\"")),
    );
    let accepted = judge(&signed(&silent, Sign::Response)).unwrap();
    assert_eq!(accepted.not_on_or_after.to_string(), "2026-03-01T12:04:00Z");
}

#[test]
fn sign_in_from_the_identity_provider_where_it_is_allowed() {
    let xml = RESPONSE.replace(&format!(" InResponseTo=\"{REQUEST}\""), "");
    let allowed = Expected { request: Request::None { idp_initiated_allowed: true }, ..expected() };
    judge_with(&signed(&xml, Sign::Both), &trust(rsa()), &allowed).0.unwrap();
}

#[test]
fn the_edges_of_the_clock_skew_are_inside() {
    for (now, accepted) in [
        ("2026-03-01T11:58:58Z", true),
        ("2026-03-01T11:58:57Z", false),
        ("2026-03-01T12:05:59Z", true),
        ("2026-03-01T12:06:00Z", false),
    ] {
        let at = Expected { now: now.parse().unwrap(), ..expected() };
        let (result, _) = judge_with(&signed(RESPONSE, Sign::Response), &trust(rsa()), &at);
        assert_eq!(result.is_ok(), accepted, "{now}");
    }
}

#[test]
fn an_expired_certificate_warns_or_refuses_by_policy() {
    let key = expired_rsa();
    let xml = sign(RESPONSE, Sign::Response, key, Style::default());
    let (result, trace) = judge_with(&xml, &trust(key), &expected());
    result.unwrap();
    let signature = trace.checks().iter().find(|check| check.name == CheckName::Signature).unwrap();
    assert!(signature.advice.as_deref().unwrap().contains("validity"));
    let refusing = Trust { expired_keys: ExpiredKeys::Refuse, ..trust(key) };
    let refusal = judge_with(&xml, &refusing, &expected()).0.unwrap_err();
    assert_eq!(refusal.reason(), Reason::NoTrustedKey);
    let current = Trust { expired_keys: ExpiredKeys::Refuse, ..trust(rsa()) };
    judge_with(&signed(RESPONSE, Sign::Response), &current, &expected()).0.unwrap();
}
