//! The tree that everything else reads: elements, attributes and text, and nothing else.
//!
//! There is no comment, CDATA section, processing instruction, document type or entity in a [`Tree`]: a document that
//! holds one never becomes a tree. Nodes lie in document order, so a subtree is one contiguous range.

use std::ops::Range;

use uppsala::pull::{PullEvent, PullParser};
use uppsala::{Attribute as ParsedAttribute, QName};

use super::scan::{Comments, MAX_DECLARATIONS, MAX_DEPTH, MAX_NODES, XmlError, scan};

/// Position of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(usize);

/// A qualified name, with the prefix it was written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Empty for no prefix.
    pub(super) prefix: String,
    pub(super) local: String,
    /// Empty for no namespace.
    pub(super) namespace: String,
}

/// An attribute that is no namespace declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Name,
    pub(super) value: String,
}

/// An element without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: Name,
    pub(super) attributes: Vec<Attribute>,
    /// Prefix (empty for the default) and namespace of each declaration on this element.
    pub(super) declarations: Vec<(String, String)>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Element(Element),
    Text(String),
}

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    parent: Option<NodeId>,
    /// One past the last node of this subtree.
    end: usize,
    /// Bytes of the text that was read.
    source: Range<usize>,
}

/// A document that passed the strict reader.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Reads a document.
    ///
    /// # Errors
    /// Anything that is not the small part of XML 1.0 described in the module, or exceeds a limit.
    pub(super) fn read(text: &str, comments: Comments) -> Result<Self, XmlError> {
        let text = scan(text, comments)?;
        let mut builder = Builder::default();
        let depth = u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX);
        let parser = PullParser::new(&text).with_max_depth(depth).with_forbid_dtd(true).with_forbid_entities(true);
        for event in parser {
            builder.event(event.map_err(|error| XmlError::malformed(error.to_string()))?, comments)?;
        }
        builder.finish()
    }

    /// The document element.
    #[allow(clippy::unused_self, reason = "a tree is never empty: its root is the first node")]
    pub(super) const fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    pub(super) fn kind(&self, id: NodeId) -> Option<&Kind> {
        self.node(id).map(|node| &node.kind)
    }

    pub(super) fn element(&self, id: NodeId) -> Option<&Element> {
        match self.kind(id)? {
            Kind::Element(element) => Some(element),
            Kind::Text(_) => None,
        }
    }

    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id)?.parent
    }

    /// Where the node stands in the text that was read, white space in attribute values already normalized.
    pub(super) fn source(&self, id: NodeId) -> Range<usize> {
        self.node(id).map(|node| node.source.clone()).unwrap_or_default()
    }

    /// Child nodes in order.
    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(id).map_or(0, |node| node.end);
        let first = Some(NodeId(id.0 + 1)).filter(|child| child.0 < end);
        std::iter::successors(first, move |child| {
            self.node(*child).map(|node| NodeId(node.end)).filter(|next| next.0 < end)
        })
    }

    /// Child elements in order.
    pub(super) fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children(id).filter(|child| self.element(*child).is_some())
    }

    /// Every element of the document, in order.
    pub(super) fn all_elements(&self) -> impl Iterator<Item = (NodeId, &Element)> + '_ {
        (0..self.nodes.len()).map(NodeId).filter_map(|id| Some((id, self.element(id)?)))
    }

    /// Child elements of this name.
    pub(super) fn named<'a>(
        &'a self,
        id: NodeId,
        namespace: &'a str,
        local: &'a str,
    ) -> impl Iterator<Item = NodeId> + 'a {
        self.elements(id).filter(move |child| self.is(*child, namespace, local))
    }

    /// The only child element of this name; `None` when there is none or more than one.
    pub(super) fn only(&self, id: NodeId, namespace: &str, local: &str) -> Option<NodeId> {
        let mut found = self.named(id, namespace, local);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    pub(super) fn is(&self, id: NodeId, namespace: &str, local: &str) -> bool {
        self.element(id).is_some_and(|e| e.name.namespace == namespace && e.name.local == local)
    }

    /// The value of an attribute without prefix.
    pub(super) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let attributes = &self.element(id)?.attributes;
        attributes.iter().find(|a| a.name.prefix.is_empty() && a.name.local == name).map(|a| a.value.as_str())
    }

    /// Leaves only these unprefixed attributes on an element.
    pub(super) fn retain_attributes(&mut self, id: NodeId, names: &[&str]) {
        if let Some(Node { kind: Kind::Element(element), .. }) = self.nodes.get_mut(id.0) {
            element.attributes.retain(|a| a.name.prefix.is_empty() && names.contains(&a.name.local.as_str()));
        }
    }

    /// The text of an element whose content is exactly one text node.
    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        let mut children = self.children(id);
        let (Some(only), None) = (children.next(), children.next()) else {
            return None;
        };
        match self.kind(only)? {
            Kind::Text(text) => Some(text),
            Kind::Element(_) => None,
        }
    }

    /// Whether an element holds nothing but elements and white space.
    pub(super) fn holds_only_elements(&self, id: NodeId) -> bool {
        self.children(id).all(|child| match self.kind(child) {
            Some(Kind::Text(text)) => text.bytes().all(|b| b.is_ascii_whitespace()),
            Some(Kind::Element(_)) => true,
            None => false,
        })
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    open: Vec<NodeId>,
    weight: usize,
    /// Namespace declarations in scope.
    declared: usize,
}

impl Builder {
    fn event(&mut self, event: PullEvent<'_>, comments: Comments) -> Result<(), XmlError> {
        match event {
            PullEvent::XmlDeclaration(declaration) => {
                let encoding = declaration.encoding.as_deref().unwrap_or("UTF-8");
                if declaration.version != "1.0" || !encoding.eq_ignore_ascii_case("UTF-8") {
                    return Err(XmlError::malformed("an XML declaration other than version 1.0 in UTF-8"));
                }
                Ok(())
            }
            PullEvent::StartElement { name, attributes, namespace_declarations, byte_start, .. } => {
                self.weigh(attributes.len() + namespace_declarations.len())?;
                self.declared += namespace_declarations.len();
                if self.declared > MAX_DECLARATIONS {
                    return Err(XmlError::malformed(format!("more than {MAX_DECLARATIONS} namespaces in scope")));
                }
                let element = Element {
                    name: checked_name(name)?,
                    attributes: attributes.into_iter().map(checked_attribute).collect::<Result<_, _>>()?,
                    declarations: namespace_declarations
                        .into_iter()
                        .map(|(prefix, uri)| checked_declaration(prefix.into_owned(), uri.into_owned()))
                        .collect::<Result<_, _>>()?,
                };
                let id = self.add(Kind::Element(element), byte_start..byte_start)?;
                self.open.push(id);
                Ok(())
            }
            PullEvent::EndElement { byte_end, .. } => {
                let end = self.nodes.len();
                if let Some(node) = self.open.pop().and_then(|id| self.nodes.get_mut(id.0)) {
                    node.end = end;
                    node.source.end = byte_end;
                    if let Kind::Element(element) = &node.kind {
                        self.declared -= element.declarations.len();
                    }
                }
                Ok(())
            }
            PullEvent::Text { content, byte_start, byte_end } => {
                self.add(Kind::Text(content.into_owned()), byte_start..byte_end).map(drop)
            }
            PullEvent::StartNamespace { .. } | PullEvent::EndNamespace => Ok(()),
            PullEvent::Comment { .. } if comments == Comments::Skip => Ok(()),
            // The scan before the parser refuses these: a tree has no place for them.
            PullEvent::Comment { .. } => Err(XmlError::Markup("a comment")),
            PullEvent::CData { .. } => Err(XmlError::Markup("a CDATA section")),
            PullEvent::ProcessingInstruction { .. } => Err(XmlError::Markup("a processing instruction")),
            PullEvent::Doctype(_) => Err(XmlError::Dtd),
        }
    }

    fn add(&mut self, kind: Kind, source: Range<usize>) -> Result<NodeId, XmlError> {
        self.weigh(1)?;
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { kind, parent: self.open.last().copied(), end: id.0 + 1, source });
        Ok(id)
    }

    fn weigh(&mut self, more: usize) -> Result<(), XmlError> {
        self.weight += more;
        if self.weight > MAX_NODES {
            return Err(XmlError::malformed(format!("more than {MAX_NODES} nodes and attributes")));
        }
        Ok(())
    }

    fn finish(self) -> Result<Tree, XmlError> {
        let root = self.nodes.first().is_some_and(|node| matches!(node.kind, Kind::Element(_)));
        if !root || !self.open.is_empty() {
            return Err(XmlError::malformed("no document element"));
        }
        Ok(Tree { nodes: self.nodes })
    }
}

fn checked_attribute(attribute: ParsedAttribute<'_>) -> Result<Attribute, XmlError> {
    Ok(Attribute { name: checked_name(attribute.name)?, value: attribute.value.into_owned() })
}

/// Names in XML (section 4): at most one colon, with something on either side.
fn checked_name(name: QName<'_>) -> Result<Name, XmlError> {
    if name.local_name.contains(':') {
        return Err(XmlError::malformed("a name with a misplaced colon"));
    }
    Ok(Name {
        prefix: name.prefix.map(Into::into).unwrap_or_default(),
        local: name.local_name.into_owned(),
        namespace: name.namespace_uri.map(Into::into).unwrap_or_default(),
    })
}

/// Namespaces in XML (section 2): no relative reference, no prefix bound to nothing, `xml` and `xmlns` left alone.
fn checked_declaration(prefix: String, uri: String) -> Result<(String, String), XmlError> {
    if prefix == "xml" || prefix == "xmlns" {
        return Err(XmlError::malformed("a declaration of a reserved prefix"));
    }
    let undeclares_default = prefix.is_empty() && uri.is_empty();
    if !undeclares_default && !is_absolute(&uri) {
        return Err(XmlError::malformed("a relative namespace name"));
    }
    Ok((prefix, uri))
}

/// An absolute URI of RFC 3986 (section 4.3, with a fragment allowed), its authority narrowed to a name and a port.
///
/// A name outside of it is more than untidy. Exclusive canonicalization leaves out declarations that nothing visibly
/// uses, so no digest notices them, and other readers fail on a namespace name that is no URI.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let (hierarchy, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let authority = hierarchy.strip_prefix("//").map(|after| after.split(['/', '?']).next().unwrap_or_default());
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !hierarchy.is_empty()
        && authority.is_none_or(is_authority)
        && [hierarchy, fragment].iter().all(|part| has_uri_characters(part))
}

fn is_authority(authority: &str) -> bool {
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// RFC 3986 appendix A: `pchar`, `/` and `?`.
fn has_uri_characters(part: &str) -> bool {
    let mut pieces = part.split('%');
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&b));
    let escaped = |text: &str| text.get(..2).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    pieces.next().is_none_or(plain) && pieces.all(|text| escaped(text) && plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tree, XmlError> {
        Tree::read(text, Comments::Refuse)
    }

    #[test]
    fn nodes_lie_in_document_order() {
        let tree = read("<r xmlns='urn:r' xmlns:x='urn:x' x:ID='1' ID='2'>\n<a>t</a><b><c/></b></r>").unwrap();
        let names: Vec<_> = tree.all_elements().map(|(_, e)| e.name.local.as_str()).collect();
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
        for good in ["urn:r", "http://www.w3.org/2000/09/xmldsig#", "http://a:80/b?c=d&amp;e#f", "urn:a%4F", "http://a"]
        {
            assert!(read(&format!("<r xmlns='{good}'><a xmlns=''/></r>")).is_ok(), "{good}");
        }
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
}
