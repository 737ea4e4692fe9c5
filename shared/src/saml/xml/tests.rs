//! What is a tree and what is not.

use super::*;

fn read(text: &str) -> Result<Tree, XmlError> {
    Tree::read(text, Comments::Refuse)
}

#[test]
fn nodes_lie_in_document_order() {
    let tree = read("<r xmlns='urn:r' xmlns:x='urn:x' x:ID='1' ID='2'>\n<a>t</a><b><c/></b></r>").unwrap();
    let names: Vec<_> = tree.all_elements().map(|(_, e)| e.local).collect();
    assert_eq!(names, ["r", "a", "b", "c"]);
    assert_eq!(tree.attribute(tree.root(), "ID"), Some("2"));
    let a = tree.only(tree.root(), "urn:r", "a").unwrap();
    assert_eq!((tree.text(a), tree.parent(a)), (Some("t"), Some(tree.root())));
    assert_eq!(tree.elements(tree.root()).count(), 2);
    assert!(tree.holds_only_elements(tree.root()) && !tree.holds_only_elements(a));
    assert_eq!(tree.only(tree.root(), "urn:x", "a"), None);
}

#[test]
fn text_is_one_node_with_references_resolved() {
    let tree = read("<r>a&amp;b&#13;\r\nc</r>").unwrap();
    assert_eq!(tree.text(tree.root()), Some("a&b\r\nc"));
    assert_eq!(read("<r>a<b/>c</r>").unwrap().text(NodeId(0)), None);
    assert_eq!(read("<r/>").unwrap().text(NodeId(0)), None);
}

#[test]
fn namespaces_are_strict() {
    for bad in [
        "<r xmlns='relative'/>",
        "<r xmlns:a='../x'/>",
        "<r xmlns:a='urn:\u{301}'/>",
        "<r xmlns:a='urn:a b'/>",
        "<r xmlns:a='urn:a%zz'/>",
        "<r xmlns:a='urn:a%4'/>",
        "<r xmlns:a='urn:a#b#c'/>",
        "<r xmlns:a='urn:'/>",
        "<r xmlns:a='urn:[a]'/>",
        "<r xmlns:a='1urn:a'/>",
        "<r xmlns:a='http://a:b/'/>",
        "<r xmlns:a='http:///a'/>",
        "<r xmlns:a='http://a@b/'/>",
        "<r xmlns:a=''/>",
        "<r xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<r xmlns:xmlns='urn:x'/>",
        "<a:r/>",
        "<r a:b='1'/>",
        "<r xmlns:a='urn:a'><a:b:c/></r>",
        "<r :a='1'/>",
        "<r xmlns:a='urn:a' xmlns:b='urn:a' a:x='1' b:x='2'/>",
    ] {
        assert!(matches!(read(bad), Err(XmlError::Malformed(_))), "{bad}");
    }
    for good in ["urn:r", "http://www.w3.org/2000/09/xmldsig#", "http://a:80/b?c=d&amp;e#f", "urn:a%4F", "http://a"] {
        assert!(read(&format!("<r xmlns='{good}'><a xmlns=''/></r>")).is_ok(), "{good}");
    }
}

#[test]
fn namespaces_in_scope_are_bounded() {
    let declare = |n: usize, prefix: &str| -> String {
        (0..n).map(|i| format!(" xmlns:{prefix}{i}='urn:{prefix}{i}'")).collect::<Vec<_>>().concat()
    };
    let nested = |n: usize| format!("<r{}><a{}/></r>", declare(n / 2, "x"), declare(n - n / 2, "y"));
    assert!(read(&nested(MAX_DECLARATIONS)).is_ok());
    assert!(matches!(read(&nested(MAX_DECLARATIONS + 1)), Err(XmlError::Malformed(_))));
    let beside = format!("<r><a{0}/><b{0}/></r>", declare(MAX_DECLARATIONS, "x"));
    assert!(read(&beside).is_ok(), "what is out of scope does not count");
}

#[test]
fn only_one_utf8_document() {
    for bad in [
        "",
        "text",
        "<a/><b/>",
        "<a/>x",
        "<a></b>",
        "<a>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='UTF-16'?><a/>",
        "<a>\u{1}</a>",
        "<a>&#0;</a>",
        "<a>&#xFFFE;</a>",
        "<a b='<'/>",
        "<a b='1' b='2'/>",
    ] {
        assert!(matches!(read(bad), Err(XmlError::Malformed(_))), "{bad}");
    }
    assert!(read("<?xml version='1.0' encoding='utf-8' standalone='no'?>\r\n<a/>\n").is_ok());
}

#[test]
fn comments_can_be_skipped_but_still_split_text() {
    let tree = Tree::read("<!-- x --><a><b>1<!-- y -->2</b></a>", Comments::Skip).unwrap();
    let b = tree.only(tree.root(), "", "b").unwrap();
    assert_eq!(tree.text(b), None);
}

#[test]
fn too_many_nodes_are_refused() {
    let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n));
    assert!(read(&many(MAX_NODES - 1)).is_ok());
    assert!(read(&many(MAX_NODES)).is_err());
}
