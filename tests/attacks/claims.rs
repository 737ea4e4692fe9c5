//! Responses that the identity provider itself signed, but not for us, not now, or not about this sign-in.

use vestibule::{
    clock::{SignedDuration, Timestamp},
    saml::{Expected, Reason, Request, Trust},
};

use crate::{
    edit::{after, all, append, attributes, before, content, first, outer, remove, set, set_on, splice, unset},
    world::{ACS, Attack, Base, IDP, OURS, REQUEST, SKEW, SP, expected, now, trust},
};

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = changes(base)
        .into_iter()
        .map(|(name, xml, reason)| Attack::new(name, base.resigned(|_| xml), reason))
        .collect();
    attacks.extend(times(base));
    attacks.extend(elsewhere(base));
    attacks
}

type Change = (String, String, Reason);

/// Changes of the document before it is signed.
fn changes(base: &Base) -> Vec<Change> {
    let xml = base.draft.xml.as_str();
    let mut changes: Vec<Change> = Vec::new();
    let mut add = |name: &str, xml: String, reason| changes.push((name.to_owned(), xml, reason));
    response(xml, &mut add);
    if base.response_signed() {
        add("no destination although signed", unset(xml, "Response", "Destination"), Reason::Destination);
        let issuer = all(xml, "Issuer")[0];
        let other = splice(xml, issuer.inner_start, issuer.inner_end, "https://other.example.com");
        add("another issuer of the response", other, Reason::Issuer);
        add(
            "no plain issuer of the response",
            splice(xml, issuer.inner_start, issuer.inner_end, "<x/>"),
            Reason::Issuer,
        );
    }
    assertion(xml, &mut add);
    confirmation(xml, &mut add);
    subject(xml, &mut add);
    changes
}

type Add<'a> = dyn FnMut(&str, String, Reason) + 'a;

fn response(xml: &str, add: &mut Add<'_>) {
    let status = "urn:oasis:names:tc:SAML:2.0:status:";
    for code in ["Requester", "Responder", "VersionMismatch", "success", "Success ", ""] {
        add(&format!("status {code}"), set(xml, "StatusCode", "Value", &format!("{status}{code}")), Reason::Status);
    }
    add("no status", remove(xml, "Status"), Reason::Status);
    let p = crate::edit::prefix(xml, "Response");
    let nested = format!(
        "<{p}StatusCode Value=\"{status}Responder\"><{p}StatusCode Value=\"{status}Success\"/></{p}StatusCode>"
    );
    add("success inside of a failure", content(xml, "Status", &nested), Reason::Status);
    let second = outer(xml, first(xml, "Status")).to_owned();
    add("two statuses", after(xml, "Status", &second), Reason::Status);
    for other in ["https://sp.example.com/saml/con_2/acs", "https://SP.example.com/saml/con_1/acs", ""] {
        add(&format!("destination {other:?}"), set(xml, "Response", "Destination", other), Reason::Destination);
    }
    add("destination with a query", set(xml, "Response", "Destination", &format!("{ACS}?x")), Reason::Destination);
    add("another version of the response", set(xml, "Response", "Version", "1.1"), Reason::Structure);
    add("another version of the assertion", set(xml, "Assertion", "Version", "2.1"), Reason::Structure);
}

fn assertion(xml: &str, add: &mut Add<'_>) {
    for other in ["https://other.example.com", "https://idp.example.com/saml/", "HTTPS://idp.example.com/saml", ""] {
        let issuers = all(xml, "Issuer");
        let inner = issuers[1];
        add(&format!("issuer {other:?}"), splice(xml, inner.inner_start, inner.inner_end, other), Reason::Issuer);
    }
    for other in ["https://sp.example.com/saml/con_2/metadata", "https://sp.example.com", ""] {
        add(&format!("audience {other:?}"), content(xml, "Audience", other), Reason::Audience);
    }
    add("an audience in two parts", content(xml, "Audience", &format!("<x/>{SP}")), Reason::Audience);
    add("no audience", remove(xml, "Audience"), Reason::Audience);
    add("no audience restriction", remove(xml, "AudienceRestriction"), Reason::Audience);
    add("no conditions", remove(xml, "Conditions"), Reason::Audience);
    let restriction = outer(xml, first(xml, "AudienceRestriction")).replace(SP, "https://other.example.com");
    add("a second restriction to others", append(xml, "Conditions", &restriction), Reason::Audience);
    let conditions = outer(xml, first(xml, "Conditions")).to_owned();
    add("conditions twice", after(xml, "Conditions", &conditions), Reason::Conditions);
    let a = crate::edit::prefix(xml, "Assertion").to_owned();
    let typed = format!("<{a}Condition/>");
    add("an unknown condition", append(xml, "Conditions", &typed), Reason::Conditions);
    add("a condition of another namespace", append(xml, "Conditions", "<x:y xmlns:x=\"urn:x\"/>"), Reason::Conditions);
    add("text among conditions", append(xml, "Conditions", "x"), Reason::Conditions);
    let twice = format!("<{a}OneTimeUse/><{a}OneTimeUse/>");
    add("one-time use twice", append(xml, "Conditions", &twice), Reason::Conditions);
    add("no authentication statement", remove(xml, "AuthnStatement"), Reason::Structure);
    add("no time of authentication", unset(xml, "AuthnStatement", "AuthnInstant"), Reason::Structure);
}

fn confirmation(xml: &str, add: &mut Add<'_>) {
    let method = "urn:oasis:names:tc:SAML:2.0:cm:";
    for other in ["sender-vouches", "holder-of-key", ""] {
        let xml = set(xml, "SubjectConfirmation", "Method", &format!("{method}{other}"));
        add(&format!("confirmation {other:?}"), xml, Reason::SubjectConfirmation);
    }
    add("no subject", remove(xml, "Subject"), Reason::SubjectConfirmation);
    let subject = outer(xml, first(xml, "Subject")).to_owned();
    add("two subjects", after(xml, "Subject", &subject), Reason::SubjectConfirmation);
    add("no confirmation", remove(xml, "SubjectConfirmation"), Reason::SubjectConfirmation);
    add("no confirmation data", remove(xml, "SubjectConfirmationData"), Reason::SubjectConfirmation);
    for name in ["Recipient", "NotOnOrAfter"] {
        let xml = unset(xml, "SubjectConfirmationData", name);
        add(&format!("confirmation without {name}"), xml, Reason::SubjectConfirmation);
    }
    for other in ["https://sp.example.com/saml/con_2/acs", "https://sp.example.com/saml/con_1/acs/", ""] {
        let xml = set(xml, "SubjectConfirmationData", "Recipient", other);
        add(&format!("recipient {other:?}"), xml, Reason::Recipient);
    }
    for local in ["Response", "SubjectConfirmationData"] {
        let xml = set(xml, local, "InResponseTo", "_another");
        add(&format!("{local} in response to another request"), xml, Reason::InResponseTo);
    }
    let nothing = unset(&unset(xml, "Response", "InResponseTo"), "SubjectConfirmationData", "InResponseTo");
    add("in response to nothing", nothing, Reason::InResponseTo);
}

fn subject(xml: &str, add: &mut Add<'_>) {
    let a = crate::edit::prefix(xml, "Assertion").to_owned();
    let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    add("a transient NameID", set(xml, "NameID", "Format", transient), Reason::NameId);
    add("an empty NameID", content(xml, "NameID", ""), Reason::NameId);
    add("a NameID of white space", content(xml, "NameID", " \n"), Reason::NameId);
    add("a NameID in two parts", content(xml, "NameID", "root@<x/>corp.example"), Reason::NameId);
    add("a NameID with a line break", content(xml, "NameID", "ada&#10;root"), Reason::NameId);
    add("an endless NameID", content(xml, "NameID", &"a".repeat(1025)), Reason::NameId);
    add("no NameID", remove(xml, "NameID"), Reason::NameId);
    let second = outer(xml, first(xml, "NameID")).to_owned();
    add("two NameIDs", after(xml, "NameID", &second), Reason::NameId);
    add("an encrypted NameID", before(xml, "NameID", &format!("<{a}EncryptedID/>")), Reason::NameId);
    let foreign = remove(xml, "NameID");
    let foreign = before(&foreign, "SubjectConfirmation", "<x:NameID xmlns:x=\"urn:x\">root@corp.example</x:NameID>");
    add("a NameID of another namespace", foreign, Reason::NameId);
}

/// Every limit in time, one second on its far side; the near side is the control.
fn times(base: &Base) -> Vec<Attack> {
    let skew = i64::from(SKEW);
    let at = |seconds: i64| instant(now(), seconds);
    let mut attacks = Vec::new();
    for (name, local, attribute, inside, outside, reason) in [
        ("conditions end", "Conditions", "NotOnOrAfter", 1 - skew, -skew, Reason::Expired),
        ("confirmation ends", "SubjectConfirmationData", "NotOnOrAfter", 1 - skew, -skew, Reason::Expired),
        ("conditions begin", "Conditions", "NotBefore", skew, skew + 1, Reason::NotYetValid),
        ("issued", "Assertion", "IssueInstant", skew, skew + 1, Reason::NotYetValid),
        ("signed in", "AuthnStatement", "AuthnInstant", skew, skew + 1, Reason::NotYetValid),
    ] {
        let change = |seconds| {
            base.resigned(|xml| {
                // Everything else long ago, so that no window is contradictory.
                let early =
                    set(&set(xml, "Assertion", "IssueInstant", &at(-3000)), "Conditions", "NotBefore", &at(-3000));
                set(&early, local, attribute, &at(seconds))
            })
        };
        crate::control(name, &change(inside), &trust(), &expected());
        attacks.push(Attack::new(format!("{name} one second too far"), change(outside), reason));
        attacks.push(Attack::new(
            format!("{name} at no time"),
            base.resigned(|xml| set(xml, local, attribute, "soon")),
            Reason::Structure,
        ));
        let zoneless = now().to_string().replace('Z', "");
        attacks.push(Attack::new(
            format!("{name} without a zone"),
            base.resigned(|xml| set(xml, local, attribute, &zoneless)),
            Reason::Structure,
        ));
    }
    let session = |seconds| {
        base.resigned(|xml| {
            let bare = if xml.contains("SessionNotOnOrAfter") {
                unset(xml, "AuthnStatement", "SessionNotOnOrAfter")
            } else {
                xml.to_owned()
            };
            attributes(&bare, "AuthnStatement", &format!("SessionNotOnOrAfter=\"{}\"", at(seconds)))
        })
    };
    crate::control("session", &session(1 - skew), &trust(), &expected());
    attacks.push(Attack::new("a session that is over", session(-skew), Reason::Expired));
    let begins = |seconds| {
        base.resigned(|xml| attributes(xml, "SubjectConfirmationData", &format!("NotBefore=\"{}\"", at(seconds))))
    };
    crate::control("confirmation begins", &begins(skew), &trust(), &expected());
    attacks.push(Attack::new("a confirmation that has not begun", begins(skew + 1), Reason::NotYetValid));
    let forced = Expected {
        authenticated_since: Some(now().checked_add(SignedDuration::from_secs(skew + 1)).unwrap()),
        ..expected()
    };
    attacks.push(Attack {
        expected: forced,
        ..Attack::new("an old sign-in where a new one was asked for", base.xml.clone(), Reason::Expired)
    });
    attacks
}

fn instant(from: Timestamp, seconds: i64) -> String {
    from.checked_add(SignedDuration::from_secs(seconds)).unwrap().to_string()
}

/// A sound response in the wrong place.
fn elsewhere(base: &Base) -> Vec<Attack> {
    let sound = || base.xml.clone();
    let with =
        |name: &str, expected: Expected<'static>, reason| Attack { expected, ..Attack::new(name, sound(), reason) };
    let unsolicited = base.resigned(|xml| {
        let bare = unset(xml, "Response", "InResponseTo");
        set_on(&bare, first(&bare, "SubjectConfirmationData"), "InResponseTo", REQUEST)
    });
    let nobody_asked =
        base.resigned(|xml| unset(&unset(xml, "Response", "InResponseTo"), "SubjectConfirmationData", "InResponseTo"));
    let by_its_response = base.resigned(|xml| unset(xml, "SubjectConfirmationData", "InResponseTo"));
    let closed = Expected { request: Request::None { idp_initiated_allowed: false }, ..expected() };
    let open = Expected { request: Request::None { idp_initiated_allowed: true }, ..expected() };
    crate::control("sign-in from the provider", &nobody_asked, &trust(), &open);
    let keys = || vec![OURS.signing.certificate().clone()];
    vec![
        with(
            "another tenant's consumer service",
            Expected { acs_url: "https://sp.example.com/saml/con_2/acs", ..expected() },
            Reason::Destination,
        ),
        with(
            "another tenant's audience",
            Expected { sp_entity_id: "https://sp.example.com/saml/con_2/metadata", ..expected() },
            Reason::Audience,
        ),
        with(
            "another tenant's provider with the same key",
            Expected { idp_entity_id: "https://idp.example.com/tenant/2", ..expected() },
            Reason::Issuer,
        ),
        with(
            "another browser's request",
            Expected { request: Request::Pending("_another"), ..expected() },
            Reason::InResponseTo,
        ),
        with("an answer although nobody asked", open, Reason::InResponseTo),
        Attack {
            expected: open,
            ..Attack::new("an answer by its confirmation only", unsolicited, Reason::InResponseTo)
        },
        Attack {
            expected: open,
            ..Attack::new("an answer by its response only", by_its_response, Reason::InResponseTo)
        },
        Attack {
            expected: closed,
            ..Attack::new("sign-in from the provider where that is closed", nobody_asked, Reason::IdpInitiated)
        },
        Attack {
            trust: Trust::new(IDP, Vec::new()),
            ..Attack::new("no certificate configured", sound(), Reason::NoTrustedKey)
        },
        Attack {
            trust: Trust::new(IDP, keys()),
            expected: Expected { now: "2027-01-01T00:00:00Z".parse().unwrap(), ..expected() },
            ..Attack::new("kept for a year", sound(), Reason::Expired)
        },
    ]
}
