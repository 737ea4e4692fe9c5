//! The tree that everything else reads: elements, attributes and text, and nothing else.
//!
//! There is no comment, CDATA section, processing instruction, document type or entity in a [`Tree`]: a document that
//! holds one never becomes a tree. Nodes lie in document order, so a subtree is one contiguous range.
//!
//! A tree keeps the text it was read from, and every name and value is a piece of it: reading costs a few allocations,
//! however many nodes there are.

use std::ops::Range;

use uppsala::pull::{PullEvent, PullParser};
use uppsala::{Attribute as ParsedAttribute, QName};

use super::scan::{Comments, MAX_DECLARATIONS, MAX_DEPTH, MAX_NODES, XmlError, scan};
use super::uri::is_absolute;

/// Position of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(usize);

/// A piece of the tree's text, as offsets in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Piece {
    from: u32,
    to: u32,
}

impl Piece {
    /// No text that is read is longer than a `u32` can say: see the limits of messages and of metadata.
    fn new(from: usize, length: usize) -> Self {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { from: offset(from), to: offset(from + length) }
    }

    fn of(self, text: &str) -> &str {
        let offset = |at| usize::try_from(at).unwrap_or(usize::MAX);
        text.get(offset(self.from)..offset(self.to)).unwrap_or_default()
    }
}

/// A qualified name, with the prefix it was written with.
#[derive(Debug, Clone, Copy)]
struct NamePieces {
    /// Empty for no prefix.
    prefix: Piece,
    local: Piece,
    /// Empty for no namespace.
    namespace: Piece,
}

#[derive(Debug, Clone)]
enum Content {
    Element {
        name: NamePieces,
        /// Which of the tree's attributes.
        attributes: Range<usize>,
        /// Which of the tree's declarations.
        declarations: Range<usize>,
    },
    Text(Piece),
}

#[derive(Debug, Clone)]
struct Node {
    content: Content,
    parent: Option<NodeId>,
    /// One past the last node of this subtree.
    end: usize,
    /// Bytes of the text that was read.
    source: Range<usize>,
}

/// A document that passed the strict reader.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// What was read, and after it the values that were written with references or other line ends.
    text: String,
    nodes: Vec<Node>,
    attributes: Vec<(NamePieces, Piece)>,
    declarations: Vec<(Piece, Piece)>,
}

/// What a node is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    Element(Element<'a>),
    Text(&'a str),
}

/// An element without its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    /// Empty for no prefix.
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
    tree: &'a Tree,
    attributes: &'a [(NamePieces, Piece)],
    declarations: &'a [(Piece, Piece)],
}

impl<'a> Element<'a> {
    /// Its attributes as they stand; namespace declarations are none.
    pub(super) fn attributes(self) -> impl ExactSizeIterator<Item = Attribute<'a>> {
        let piece = |piece| self.tree.piece(piece);
        self.attributes.iter().map(move |(name, value)| Attribute {
            prefix: piece(name.prefix),
            local: piece(name.local),
            namespace: piece(name.namespace),
            value: piece(*value),
        })
    }

    /// Prefix (empty for the default) and namespace of each declaration on this element.
    pub(super) fn declarations(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.declarations.iter().map(move |(prefix, uri)| (self.tree.piece(*prefix), self.tree.piece(*uri)))
    }
}

/// An attribute that is no namespace declaration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    /// Empty for no prefix.
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
    /// Empty for no namespace.
    pub(super) namespace: &'a str,
    pub(super) value: &'a str,
}

impl Tree {
    /// Reads a document.
    ///
    /// # Errors
    /// Anything that is not the small part of XML 1.0 described in the module, or exceeds a limit.
    pub(super) fn read(text: &str, comments: Comments) -> Result<Self, XmlError> {
        let source = scan(text, comments)?;
        let mut builder = Builder::new(&source);
        let depth = u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX);
        let mut parser =
            PullParser::new(&source).with_max_depth(depth).with_forbid_dtd(true).with_forbid_entities(true);
        while let Some(event) = parser.next_event().map_err(|error| XmlError::malformed(error.to_string()))? {
            builder.event(event, comments)?;
        }
        builder.finish()
    }

    /// The document element.
    #[allow(clippy::unused_self, reason = "a tree is never empty: its root is the first node")]
    pub(super) const fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many bytes it was read from.
    pub(super) const fn size(&self) -> usize {
        self.text.len()
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    fn piece(&self, piece: Piece) -> &str {
        piece.of(&self.text)
    }

    pub(super) fn kind(&self, id: NodeId) -> Option<Kind<'_>> {
        Some(match &self.node(id)?.content {
            Content::Text(text) => Kind::Text(self.piece(*text)),
            Content::Element { name, attributes, declarations } => Kind::Element(Element {
                prefix: self.piece(name.prefix),
                local: self.piece(name.local),
                tree: self,
                attributes: self.attributes.get(attributes.clone()).unwrap_or_default(),
                declarations: self.declarations.get(declarations.clone()).unwrap_or_default(),
            }),
        })
    }

    pub(super) fn element(&self, id: NodeId) -> Option<Element<'_>> {
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

    fn is_element(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| matches!(node.content, Content::Element { .. }))
    }

    /// Child elements in order.
    pub(super) fn elements(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children(id).filter(|child| self.is_element(*child))
    }

    /// Every element of the document, in order.
    pub(super) fn all_elements(&self) -> impl Iterator<Item = (NodeId, Element<'_>)> + '_ {
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
        let Some(Node { content: Content::Element { name, .. }, .. }) = self.node(id) else { return false };
        self.piece(name.local) == local && self.piece(name.namespace) == namespace
    }

    /// The value of an attribute without prefix.
    pub(super) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let mut attributes = self.element(id)?.attributes();
        attributes.find(|a| a.prefix.is_empty() && a.local == name).map(|a| a.value)
    }

    /// Leaves only these unprefixed attributes on an element.
    pub(super) fn retain_attributes(&mut self, id: NodeId, names: &[&str]) {
        let Some(Content::Element { attributes, .. }) = self.node(id).map(|node| node.content.clone()) else { return };
        let of = self.attributes.get(attributes).unwrap_or_default().iter().copied();
        let kept = |name: &NamePieces| self.piece(name.prefix).is_empty() && names.contains(&self.piece(name.local));
        let kept: Vec<_> = of.filter(|(name, _)| kept(name)).collect();
        let from = self.attributes.len();
        self.attributes.extend(kept);
        let to = self.attributes.len();
        if let Some(Node { content: Content::Element { attributes, .. }, .. }) = self.nodes.get_mut(id.0) {
            *attributes = from..to;
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

struct Builder<'a> {
    source: &'a str,
    /// Values that are no piece of the source.
    resolved: String,
    nodes: Vec<Node>,
    attributes: Vec<(NamePieces, Piece)>,
    declarations: Vec<(Piece, Piece)>,
    open: Vec<NodeId>,
    weight: usize,
    /// Namespace declarations in scope.
    declared: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a str) -> Self {
        // Responses have an element, a text or an attribute about every forty bytes.
        let guess = (source.len() / 40).min(MAX_NODES);
        Self {
            source,
            resolved: String::new(),
            nodes: Vec::with_capacity(guess),
            attributes: Vec::with_capacity(guess),
            declarations: Vec::new(),
            open: Vec::new(),
            weight: 0,
            declared: 0,
        }
    }

    /// Finds a part that the parser took from the source; keeps one that it made.
    fn piece(&mut self, part: &str) -> Piece {
        if part.is_empty() {
            return Piece::default();
        }
        let offset = part.as_ptr().addr().wrapping_sub(self.source.as_ptr().addr());
        if offset < self.source.len() {
            return Piece::new(offset, part.len());
        }
        let from = self.source.len() + self.resolved.len();
        self.resolved.push_str(part);
        Piece::new(from, part.len())
    }

    /// Namespaces in XML (section 4): at most one colon, with something on either side.
    fn name(&mut self, name: &QName<'_>) -> Result<NamePieces, XmlError> {
        if name.local_name.contains(':') {
            return Err(XmlError::malformed("a name with a misplaced colon"));
        }
        Ok(NamePieces {
            prefix: self.piece(name.prefix.as_deref().unwrap_or_default()),
            local: self.piece(&name.local_name),
            namespace: self.piece(name.namespace_uri.as_deref().unwrap_or_default()),
        })
    }

    fn attribute(&mut self, attribute: &ParsedAttribute<'_>) -> Result<(), XmlError> {
        let name = self.name(&attribute.name)?;
        let value = self.piece(&attribute.value);
        self.attributes.push((name, value));
        Ok(())
    }

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
                let name = self.name(&name)?;
                let (first_attribute, first_declaration) = (self.attributes.len(), self.declarations.len());
                attributes.iter().try_for_each(|attribute| self.attribute(attribute))?;
                for (prefix, uri) in &namespace_declarations {
                    check_declaration(prefix, uri)?;
                    let declaration = (self.piece(prefix), self.piece(uri));
                    self.declarations.push(declaration);
                }
                let content = Content::Element {
                    name,
                    attributes: first_attribute..self.attributes.len(),
                    declarations: first_declaration..self.declarations.len(),
                };
                let id = self.add(content, byte_start..byte_start)?;
                self.open.push(id);
                Ok(())
            }
            PullEvent::EndElement { byte_end, .. } => {
                let end = self.nodes.len();
                if let Some(node) = self.open.pop().and_then(|id| self.nodes.get_mut(id.0)) {
                    node.end = end;
                    node.source.end = byte_end;
                    if let Content::Element { declarations, .. } = &node.content {
                        self.declared -= declarations.len();
                    }
                }
                Ok(())
            }
            PullEvent::Text { content, byte_start, byte_end } => {
                let text = self.piece(&content);
                self.add(Content::Text(text), byte_start..byte_end).map(drop)
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

    fn add(&mut self, content: Content, source: Range<usize>) -> Result<NodeId, XmlError> {
        self.weigh(1)?;
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { content, parent: self.open.last().copied(), end: id.0 + 1, source });
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
        let root = self.nodes.first().is_some_and(|node| matches!(node.content, Content::Element { .. }));
        if !root || !self.open.is_empty() {
            return Err(XmlError::malformed("no document element"));
        }
        let text = [self.source, &self.resolved].concat();
        let Self { nodes, attributes, declarations, .. } = self;
        Ok(Tree { text, nodes, attributes, declarations })
    }
}

/// Namespaces in XML (section 2): no relative reference, no prefix bound to nothing, `xml` and `xmlns` left alone.
fn check_declaration(prefix: &str, uri: &str) -> Result<(), XmlError> {
    if prefix == "xml" || prefix == "xmlns" {
        return Err(XmlError::malformed("a declaration of a reserved prefix"));
    }
    let undeclares_default = prefix.is_empty() && uri.is_empty();
    if !undeclares_default && !is_absolute(uri) {
        return Err(XmlError::malformed("a relative namespace name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
