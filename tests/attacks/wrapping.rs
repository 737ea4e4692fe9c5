//! Signature wrapping: the signed part is kept, somewhere, and another one is put where it would be read
//! (Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be", 2012; numbered as there).

use vestibule::saml::Reason;

use crate::{
    edit::{after, all, append, before, first, outer, remove, set, splice},
    world::{Attack, Base},
};

/// The attacker's assertion: the original without its signature and with another person in it.
fn evil(base: &Base, id: &str) -> String {
    let assertion = original(&base.xml).replace("ada@corp.example", "root@corp.example");
    let bare = if base.assertion_signed() { remove(&assertion, "Signature") } else { assertion };
    set(&bare, "Assertion", "ID", id)
}

fn original(xml: &str) -> String {
    outer(xml, first(xml, "Assertion")).to_owned()
}

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (ids, id) in [("same id", base.draft.assertion_id.as_str()), ("another id", "_evil")] {
        let mut add =
            |name: &str, xml: String, reason| attacks.push(Attack::new(format!("{name}, {ids}"), xml, reason));
        if base.response_signed() {
            responses(base, id, &mut add);
        }
        if base.assertion_signed() {
            assertions(base, id, &mut add);
        }
        beside(base, id, &mut add);
        decoys(base, id, &mut add);
    }
    attacks.extend(moved(base));
    attacks
}

type Add<'a> = dyn FnMut(&str, String, Reason) + 'a;

/// 1 and 2: a whole Response is kept inside of another one.
fn responses(base: &Base, id: &str, add: &mut Add<'_>) {
    let root = outer(&base.xml, first(&base.xml, "Response")).to_owned();
    let outermost = *all(&root, "Signature").first().unwrap();
    let signature = outer(&root, outermost).to_owned();
    let unsigned = splice(&root, outermost.start, outermost.end, "");
    let evil_root = unsigned.replace("ada@corp.example", "root@corp.example");
    let evil_root = if id == "_evil" { set(&evil_root, "Response", "ID", "_evil") } else { evil_root };
    let inside = append(&signature, "Signature", &unsigned);
    add("wrapping 1: original response in the signature", after(&evil_root, "Issuer", &inside), Reason::Structure);
    let detached = format!("{unsigned}{signature}");
    add(
        "wrapping 2: original response beside the signature",
        after(&evil_root, "Issuer", &detached),
        Reason::Structure,
    );
}

/// 4, 5, 6 and 8: the signature of the assertion goes along.
fn assertions(base: &Base, id: &str, add: &mut Add<'_>) {
    let original = original(&base.xml);
    let place = first(&base.xml, "Assertion");
    let with = |text: &str| splice(&base.xml, place.start, place.end, text);
    let signature = outer(&original, first(&original, "Signature")).to_owned();
    let bare = remove(&original, "Signature");
    let evil = evil(base, id);
    add("wrapping 4: original in the evil one", with(&append(&evil, "Assertion", &original)), Reason::AssertionCount);
    let carrying = after(&evil, "Issuer", &signature);
    add("wrapping 5: signature in the evil one", with(&format!("{carrying}{bare}")), Reason::AssertionCount);
    let holding = after(&evil, "Issuer", &append(&signature, "Signature", &bare));
    add("wrapping 6: original in the signature", with(&holding), Reason::AssertionCount);
    let object = format!("<o:Object xmlns:o=\"http://www.w3.org/2000/09/xmldsig#\">{bare}</o:Object>");
    let holding = after(&evil, "Issuer", &append(&signature, "Signature", &object));
    add("wrapping 8: original in an object", with(&holding), Reason::AssertionCount);
}

/// 3 and 7, and a second assertion on either side.
fn beside(base: &Base, id: &str, add: &mut Add<'_>) {
    let evil = evil(base, id);
    add("wrapping 3: evil before original", before(&base.xml, "Assertion", &evil), Reason::AssertionCount);
    add("evil after original", after(&base.xml, "Assertion", &evil), Reason::AssertionCount);
    let extensions = format!("<p:Extensions xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\">{evil}</p:Extensions>");
    add("wrapping 7: evil in extensions", after(&base.xml, "Issuer", &extensions), Reason::AssertionCount);
    let place = first(&base.xml, "Assertion");
    let kept = extensions.replace(&evil, &original(&base.xml));
    let swapped = splice(&base.xml, place.start, place.end, &evil);
    add("original in extensions", after(&swapped, "Issuer", &kept), Reason::AssertionCount);
}

/// A decoy where nobody looks, or somebody does.
fn decoys(base: &Base, id: &str, add: &mut Add<'_>) {
    let evil = evil(base, id);
    let detail = format!("<p:StatusDetail xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\">{evil}</p:StatusDetail>");
    add("decoy in the status detail", after(&base.xml, "StatusCode", &detail), Reason::AssertionCount);
    let advice = format!("<a:Advice xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">{evil}</a:Advice>");
    add("decoy in the advice", after(&base.xml, "Conditions", &advice), Reason::AssertionCount);
    let object = format!("<o:Object xmlns:o=\"http://www.w3.org/2000/09/xmldsig#\">{evil}</o:Object>");
    add("decoy in an object", append(&base.xml, "Signature", &object), Reason::AssertionCount);
    let value = format!("<v>{evil}</v>");
    add("decoy in an attribute value", append(&base.xml, "AttributeValue", &value), Reason::AssertionCount);
    let foreign = "<x:Assertion xmlns:x=\"urn:x\"/>";
    add("assertion of another namespace", before(&base.xml, "Status", foreign), Reason::AssertionCount);
    let place = first(&base.xml, "Assertion");
    let only = "<x:Assertion xmlns:x=\"urn:x\" ID=\"_x\" Version=\"2.0\"/>";
    add(
        "only an assertion of another namespace",
        splice(&base.xml, place.start, place.end, only),
        Reason::AssertionCount,
    );
    let encrypted = "<e:EncryptedAssertion xmlns:e=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    add("an encrypted one beside", before(&base.xml, "Assertion", encrypted), Reason::AssertionCount);
    let nested = "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>";
    add("a nested response", before(&base.xml, "Status", nested), Reason::Structure);
    let place = first(&base.xml, "Assertion");
    let wrapped = format!("<w>{}</w>", original(&base.xml));
    add("assertion one level deeper", splice(&base.xml, place.start, place.end, &wrapped), Reason::AssertionCount);
}

/// Signatures that no longer sit in what they sign.
fn moved(base: &Base) -> Vec<Attack> {
    let signature = outer(&base.xml, first(&base.xml, "Signature")).to_owned();
    let stripped = remove(&base.xml, "Signature");
    let mut attacks = vec![
        Attack::new(
            "signature taken off and a copy in the status",
            append(&base.xml, "Status", &signature),
            Reason::DsigShape,
        ),
        Attack::new("signature in the subject", append(&base.xml, "Subject", &signature), Reason::DsigShape),
        Attack::new("signature twice", after(&base.xml, "Signature", &signature), Reason::DsigShape),
        Attack::new(
            "signature in another namespace beside",
            after(&base.xml, "Signature", "<x:Signature xmlns:x=\"urn:x\"/>"),
            Reason::DsigShape,
        ),
    ];
    let (response_id, assertion_id) = (base.draft.response_id.as_str(), base.draft.assertion_id.as_str());
    if base.response_signed() != base.assertion_signed() {
        let (to, name) = if base.response_signed() { ("Subject", "down") } else { ("Status", "up") };
        attacks.push(Attack::new(
            format!("signature moved {name}"),
            before(&stripped, to, &signature),
            Reason::Reference,
        ));
        attacks.push(Attack::new("signature removed", stripped.clone(), Reason::SignatureMissing));
    }
    let swapped = base.xml.replace(&format!(" ID=\"{response_id}\""), " ID=\"_swap\"");
    let swapped = swapped.replace(&format!(" ID=\"{assertion_id}\""), &format!(" ID=\"{response_id}\""));
    let swapped = swapped.replace(" ID=\"_swap\"", &format!(" ID=\"{assertion_id}\""));
    attacks.push(Attack::new("ids exchanged", swapped, Reason::Reference));
    attacks
}
