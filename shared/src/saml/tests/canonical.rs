//! Canonicalization against examples of the recommendations and against another implementation.

use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::nodeset::NodeSet;

use crate::saml::canonical::canonicalize;
use crate::saml::scan::{Comments, scan};
use crate::saml::xml::Tree;

fn ours(xml: &str, path: &[usize], inclusive: &[&str]) -> String {
    let tree = Tree::read(xml, Comments::Refuse).unwrap();
    let apex = path.iter().fold(tree.root(), |node, at| tree.elements(node).nth(*at).unwrap());
    let inclusive: Vec<String> = inclusive.iter().map(|p| (*p).to_owned()).collect();
    canonicalize(&tree, apex, &[], &inclusive).unwrap()
}

fn theirs(xml: &str, path: &[usize], inclusive: &[&str]) -> String {
    let xml = scan(xml, Comments::Refuse).unwrap();
    let doc = uppsala::parse(&xml).unwrap();
    let elements = |node| doc.children(node).into_iter().filter(|c| doc.element(*c).is_some()).collect::<Vec<_>>();
    let apex = path.iter().fold(doc.document_element().unwrap(), |node, at| elements(node)[*at]);
    let set = NodeSet::tree_without_comments(apex, &doc);
    String::from_utf8(canonicalize_doc(&doc, C14nMode::Exclusive, Some(&set), inclusive).unwrap()).unwrap()
}

/// Exclusive XML Canonicalization 1.0, section 2.2.
#[test]
fn the_examples_of_the_recommendation() {
    let pulled = r#"<n0:pdu xmlns:n0="http://a.example.com" xmlns:n1="http://b.example" xmlns:n2="http://foo.example" xml:lang="fr" xml:space="retain"><n1:elem2 xmlns:n1="http://b.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2></n0:pdu>"#;
    let expected = r#"<n1:elem2 xmlns:n1="http://b.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#;
    assert_eq!(ours(pulled, &[0], &[]), expected);
    let inclusive = r#"<n1:elem2 xmlns:n0="http://a.example.com" xmlns:n1="http://b.example" xmlns:n2="http://foo.example" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>"#;
    assert_eq!(ours(pulled, &[0], &["n0", "n2", "absent"]), inclusive);
}

/// Canonical XML 1.0, section 3.3 and 3.4.
#[test]
fn attributes_are_ordered_and_values_escaped() {
    let xml = "<e5 xmlns='urn:d' xmlns:b='http://www.ietf.org' xmlns:a='http://www.w3.org' a:attr='out' b:attr='sorted' attr2='all' attr='I&apos;m'/>";
    assert_eq!(
        ours(xml, &[], &[]),
        r#"<e5 xmlns="urn:d" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>"#
    );
    let xml = "<d>\r\n<t a='&#x9;&#10;&#13; &lt;&gt;&amp;&quot;&apos;'>&#13;&lt;&gt;&amp;\"'\u{e9}</t></d>";
    assert_eq!(
        ours(xml, &[], &[]),
        "<d>\n<t a=\"&#x9;&#xA;&#xD; &lt;>&amp;&quot;'\">&#xD;&lt;&gt;&amp;\"'\u{e9}</t></d>"
    );
}

#[test]
fn namespaces_are_declared_where_they_are_used() {
    let xml = r#"<a:r xmlns:a="urn:a" xmlns="urn:d" xmlns:u="urn:u"><b><a:c xmlns:a="urn:a2" xmlns=""><d/></a:c></b><a:e u:x=""/></a:r>"#;
    assert_eq!(
        ours(xml, &[], &[]),
        r#"<a:r xmlns:a="urn:a"><b xmlns="urn:d"><a:c xmlns:a="urn:a2"><d xmlns=""></d></a:c></b><a:e xmlns:u="urn:u" u:x=""></a:e></a:r>"#
    );
}

#[test]
fn another_implementation_agrees() {
    let documents = [
        super::fixture::RESPONSE.to_owned(),
        super::fixture::RESPONSE.replace("><", ">\r\n\t<"),
        super::fixture::signed(super::fixture::RESPONSE, super::fixture::Sign::Both),
        r#"<a:r xmlns:a="urn:a" xmlns="urn:d" xmlns:u="urn:u"><b y="1" x="2"><a:c xmlns:a="urn:a2" xmlns=""><d/></a:c></b><a:e u:x="" xml:lang="en"/></a:r>"#.to_owned(),
    ];
    for xml in &documents {
        for path in [&[][..], &[0], &[1]] {
            for inclusive in [&[][..], &["saml", "samlp"], &["#default", "u", "ds"], &["a"]] {
                assert_eq!(ours(xml, path, inclusive), theirs(xml, path, inclusive), "{path:?} {inclusive:?} {xml}");
            }
        }
    }
}

#[test]
fn the_canonical_form_is_its_own_canonical_form() {
    let once = ours(super::fixture::RESPONSE, &[], &[]);
    assert_eq!(ours(&once, &[], &[]), once);
}
