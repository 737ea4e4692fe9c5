//! Changes of a sound signature by somebody without the key, and of what it signs.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::saml::{PinnedKey, Reason, Trust};

use crate::{
    edit::{after, all, append, before, content, first, outer, prefix, prepend, remove, set, splice, unset},
    forge::{DSIG, EXCLUSIVE, EXCLUSIVE_WITH_COMMENTS, HMAC_SHA256, INCLUSIVE, SHA1, canonical},
    world::{Attack, Base, IDP, OURS, THEIRS},
};

/// SHA-256 of nothing.
const NOTHING: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let mut add = |name: &str, xml: String, reason| attacks.push(Attack::new(name, xml, reason));
    contents(base, &mut add);
    digests(base, &mut add);
    shapes(base, &mut add);
    references(base, &mut add);
    algorithms(base, &mut add);
    keys(base, &mut add);
    attacks.extend(trusts(base));
    attacks
}

type Add<'a> = dyn FnMut(&str, String, Reason) + 'a;

fn contents(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    for (what, xml) in [
        ("another person", xml.replace("ada@corp.example", "root@corp.example")),
        ("one letter", xml.replacen("ada@corp", "adb@corp", 1)),
        ("another group", xml.replace(">staff<", ">anthropic-claudeai-9c9b0ada-owner<")),
        ("another audience", content(xml, "Audience", "urn:x")),
        ("a later end", set(xml, "Conditions", "NotOnOrAfter", "2099-01-01T00:00:00Z")),
        ("an attribute more", append(xml, "AttributeStatement", &attribute(xml))),
        ("an attribute less", remove(xml, "Attribute")),
        ("a space in the NameID", content(xml, "NameID", " ada@corp.example")),
        ("an element more", append(xml, "Subject", "<x/>")),
    ] {
        add(&format!("tampered: {what}"), xml, Reason::Digest);
    }
    if base.response_signed() {
        add("tampered: destination", set(xml, "Response", "Destination", "https://x.example"), Reason::Digest);
        add("tampered: status", set(xml, "StatusCode", "Value", "urn:x"), Reason::Digest);
        add("tampered: extensions added", before(xml, "Status", "<x/>"), Reason::Digest);
    }
}

fn attribute(xml: &str) -> String {
    outer(xml, first(xml, "Attribute")).to_owned()
}

/// CVE-2024-45409 and CVE-2025-66568: digest values that are found somewhere else, or are those of nothing.
fn digests(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    let evil = xml.replace("ada@corp.example", "root@corp.example");
    let smuggled = {
        let draft = base.draft.xml.replace("ada@corp.example", "root@corp.example");
        let octets = canonical(&draft, &base.draft.assertion_id, EXCLUSIVE);
        STANDARD.encode(digest::digest(&digest::SHA256, &octets))
    };
    let value = format!("<d:DigestValue xmlns:d=\"{DSIG}\">{smuggled}</d:DigestValue>");
    add("smuggled digest in the status detail", after(&evil, "StatusCode", &value), Reason::Digest);
    add("smuggled digest before the signature", before(&evil, "Status", &value), Reason::Digest);
    add("smuggled digest in the reference", append(&evil, "Reference", &value), Reason::DsigShape);
    add("smuggled digest first in the reference", prepend(&evil, "Reference", &value), Reason::DsigShape);
    add("smuggled digest in the value", append(&evil, "DigestValue", &value), Reason::DsigShape);
    add("digest of nothing", content(xml, "DigestValue", NOTHING), Reason::Digest);
    add("an empty digest", content(xml, "DigestValue", ""), Reason::DsigShape);
    add("a digest of white space", content(xml, "DigestValue", " \n"), Reason::DsigShape);
    add("half a digest", content(xml, "DigestValue", "47DEQpj8HBSa+/TImW+5JA=="), Reason::Digest);
    add("a digest that is not base64", content(xml, "DigestValue", "47DE*pj8"), Reason::DsigShape);
    if base.response_signed() != base.assertion_signed() {
        let id = if base.response_signed() { &base.draft.response_id } else { &base.draft.assertion_id };
        let draft = base.draft.xml.replace("ada@corp.example", "root@corp.example");
        let octets = canonical(&draft, id, EXCLUSIVE);
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, &octets));
        // Where an inclusive prefix list changes the octets, the new digest is not even right.
        let listed = xml.contains("InclusiveNamespaces");
        let reason = if listed { Reason::Digest } else { Reason::Signature };
        add("tampered with the digest made to fit", content(&evil, "DigestValue", &digest), reason);
    }
}

fn shapes(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    let p = prefix(xml, "SignedInfo");
    let info = outer(xml, first(xml, "SignedInfo")).to_owned();
    add("SignedInfo twice", after(xml, "SignedInfo", &info), Reason::DsigShape);
    add("SignedInfo twice, the other first", before(xml, "SignedInfo", &info), Reason::DsigShape);
    add("SignedInfo at the end too", append(xml, "Signature", &info), Reason::DsigShape);
    add("SignedInfo missing", remove(xml, "SignedInfo"), Reason::DsigShape);
    add("SignatureValue missing", remove(xml, "SignatureValue"), Reason::DsigShape);
    let value = outer(xml, first(xml, "SignatureValue")).to_owned();
    add("SignatureValue twice", after(xml, "SignatureValue", &value), Reason::DsigShape);
    add("SignatureValue first", before(&remove(xml, "SignatureValue"), "SignedInfo", &value), Reason::DsigShape);
    add("an object", append(xml, "Signature", &format!("<{p}Object/>")), Reason::DsigShape);
    add("something foreign", append(xml, "Signature", "<x/>"), Reason::DsigShape);
    add("text in the signature", prepend(xml, "Signature", "x"), Reason::DsigShape);
    add("text in SignedInfo", prepend(xml, "SignedInfo", "x"), Reason::DsigShape);
    add("text in the reference", prepend(xml, "Reference", "x"), Reason::DsigShape);
    let length = format!("<{p}HMACOutputLength>1</{p}HMACOutputLength>");
    add("an output length", content(xml, "SignatureMethod", &length), Reason::DsigShape);
    let hmac = set(&content(xml, "SignatureMethod", &length), "SignatureMethod", "Algorithm", HMAC_SHA256);
    add("a truncated HMAC", hmac, Reason::DsigShape);
    for name in ["CanonicalizationMethod", "SignatureMethod", "DigestMethod", "DigestValue"] {
        add(&format!("{name} missing"), remove(xml, name), Reason::DsigShape);
        let element = outer(xml, first(xml, name)).to_owned();
        add(&format!("{name} twice"), after(xml, name, &element), Reason::DsigShape);
    }
    add("an empty signature value", content(xml, "SignatureValue", ""), Reason::DsigShape);
    add("a signature value in two parts", append(xml, "SignatureValue", "<x/>"), Reason::DsigShape);
    let foreign = first(xml, "SignedInfo");
    let text = outer(xml, foreign).replacen("SignedInfo", "SignedInfo xmlns=\"urn:x\"", 1);
    if p.is_empty() {
        add("SignedInfo of another namespace", splice(xml, foreign.start, foreign.end, &text), Reason::DsigShape);
    }
}

fn references(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    for uri in [
        "",
        "#",
        "#_another",
        "_evil",
        "http://attacker.example/x.xml",
        "#xpointer(/)",
        "#element(/1)",
        "file:///etc/passwd",
    ] {
        add(&format!("a reference to {uri:?}"), set(xml, "Reference", "URI", uri), Reason::Reference);
    }
    let id = if base.response_signed() && !base.assertion_signed() {
        &base.draft.response_id
    } else {
        &base.draft.assertion_id
    };
    let by_pointer = format!("#xpointer(id('{id}'))");
    add("a reference by pointer", set(xml, "Reference", "URI", &by_pointer), Reason::Reference);
    add("a reference with a space", set(xml, "Reference", "URI", &format!("#{id} ")), Reason::Reference);
    add("a reference without address", unset(xml, "Reference", "URI"), Reason::Reference);
    let reference = outer(xml, first(xml, "Reference")).to_owned();
    add("two references", after(xml, "Reference", &reference), Reason::Reference);
    add("no reference", remove(xml, "Reference"), Reason::Reference);
}

fn algorithms(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    let transforms = all(xml, "Transform");
    for other in [
        INCLUSIVE,
        EXCLUSIVE_WITH_COMMENTS,
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "urn:unknown",
        "",
    ] {
        for (which, place) in ["first", "second"].iter().zip(&transforms) {
            let xml = crate::edit::set_on(xml, *place, "Algorithm", other);
            add(&format!("{which} transform {other}"), xml, Reason::Transform);
        }
        let xml = set(xml, "CanonicalizationMethod", "Algorithm", other);
        add(&format!("canonicalization {other}"), xml, Reason::Transform);
    }
    add("one transform", remove(xml, "Transform"), Reason::Transform);
    let transform = outer(xml, transforms[0]).to_owned();
    add("three transforms", after(xml, "Transform", &transform), Reason::Transform);
    add("no transforms", remove(xml, "Transforms"), Reason::Transform);
    for other in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha224",
        "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
        HMAC_SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256 ",
        "none",
        "",
    ] {
        let xml = set(xml, "SignatureMethod", "Algorithm", other);
        add(&format!("signature algorithm {other:?}"), xml, Reason::Algorithm);
    }
    for other in
        [SHA1, "http://www.w3.org/2001/04/xmldsig-more#md5", "http://www.w3.org/2001/04/xmldsig-more#sha224", ""]
    {
        let xml = set(xml, "DigestMethod", "Algorithm", other);
        add(&format!("digest algorithm {other:?}"), xml, Reason::Algorithm);
    }
    for other in
        ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"]
    {
        let xml = set(xml, "SignatureMethod", "Algorithm", other);
        add(&format!("another strong algorithm {other}"), xml, Reason::Signature);
    }
}

/// `KeyInfo` is not believed, whatever it says.
fn keys(base: &Base, add: &mut Add<'_>) {
    let evil = |xml: &str| xml.replace("ada@corp.example", "root@corp.example");
    let theirs = base.signed_by(&THEIRS.signing, evil);
    let p = prefix(&theirs, "KeyInfo").to_owned();
    add("signed and named by another key", theirs.clone(), Reason::Signature);
    let ours = STANDARD.encode(OURS.signing.certificate().certificate_der());
    let outermost = |xml: &str, text: &str| content(xml, "KeyInfo", text);
    let data = format!("<{p}X509Data><{p}X509Certificate>{ours}</{p}X509Certificate></{p}X509Data>");
    add("signed by another key in our name", outermost(&theirs, &data), Reason::Signature);
    let value = format!(
        "<{p}KeyValue><{p}RSAKeyValue><{p}Modulus>AQAB</{p}Modulus><{p}Exponent>AQAB</{p}Exponent></{p}RSAKeyValue></{p}KeyValue>"
    );
    add("signed by another key, given by value", outermost(&theirs, &value), Reason::Signature);
    let retrieval = format!("<{p}RetrievalMethod URI=\"http://attacker.example/key\"/>");
    add("signed by another key, to be fetched", outermost(&theirs, &retrieval), Reason::Signature);
    let name = format!("<{p}KeyName>../../etc/passwd</{p}KeyName>");
    add("signed by another key, by name", outermost(&theirs, &name), Reason::Signature);
    add("signed by another key, unnamed", remove(&theirs, "KeyInfo"), Reason::Signature);
    let signature = |text: &str| content(&base.xml, "SignatureValue", text);
    for (what, octets) in [
        ("zeros", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
        ("short", vec![1; 255]),
        ("long", vec![1; 257]),
    ] {
        add(&format!("a signature of {what}"), signature(&STANDARD.encode(octets)), Reason::Signature);
    }
    if base.response_signed() && base.assertion_signed() {
        let inner_by_theirs = {
            let inner = THEIRS
                .signing
                .sign_element(&evil(&base.draft.xml), &base.draft.assertion_id, base.draft.style)
                .unwrap();
            OURS.signing.sign_element(&inner, &base.draft.response_id, base.draft.style).unwrap()
        };
        add("a good signature around a bad one", inner_by_theirs, Reason::Signature);
        let outer_by_theirs = {
            let inner = OURS.signing.sign_element(&base.draft.xml, &base.draft.assertion_id, base.draft.style).unwrap();
            THEIRS.signing.sign_element(&inner, &base.draft.response_id, base.draft.style).unwrap()
        };
        add("a bad signature around a good one", outer_by_theirs, Reason::Signature);
    }
}

fn trusts(base: &Base) -> Vec<Attack> {
    let curve = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&curve).unwrap();
    let curve = PinnedKey::from_certificate(certificate.der()).unwrap();
    let with = |name: &str, keys: Vec<PinnedKey>, reason| Attack {
        trust: Trust::new(IDP, keys),
        ..Attack::new(name, base.xml.clone(), reason)
    };
    vec![
        with("nothing configured", Vec::new(), Reason::NoTrustedKey),
        with("only a key of another kind", vec![curve], Reason::NoTrustedKey),
        with("only another key", vec![THEIRS.signing.certificate().clone()], Reason::Signature),
        Attack::new("unsigned", base.draft.xml.clone(), Reason::SignatureMissing),
    ]
}
