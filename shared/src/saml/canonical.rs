//! Exclusive XML Canonicalization 1.0 without comments (<https://www.w3.org/TR/xml-exc-c14n/>) of one element, with
//! some descendants left out: the only canonicalization that the verifier knows.

use super::xml::{Attribute, Element, Kind, NodeId, Tree};

/// Algorithm identifier of exclusive canonicalization without comments.
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A tree that cannot be canonicalized. It does not happen to a tree that was read; it is here so that nothing is ever
/// hashed by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot be canonicalized")]
pub(super) struct CanonicalError;

/// Writes the canonical form of `apex`, leaving out the subtrees `without`.
///
/// `inclusive` is the `PrefixList` of `ec:InclusiveNamespaces`, `#default` standing for the default namespace.
///
/// # Errors
/// If `apex` is not an element of `tree`, or a prefix is not in scope.
pub(super) fn canonicalize(
    tree: &Tree,
    apex: NodeId,
    without: &[NodeId],
    inclusive: &[String],
) -> Result<String, CanonicalError> {
    let mut writer = Writer {
        tree,
        without,
        inclusive,
        in_scope: Vec::new(),
        rendered: Vec::new(),
        needed: Vec::new(),
        sorted: Vec::new(),
        out: String::with_capacity(tree.size()),
    };
    writer.enter_ancestors(apex)?;
    writer.element(apex, tree.element(apex).ok_or(CanonicalError)?)?;
    Ok(writer.out)
}

struct Writer<'a> {
    tree: &'a Tree,
    without: &'a [NodeId],
    inclusive: &'a [String],
    /// Declarations of the element and its ancestors, innermost last.
    in_scope: Vec<(&'a str, &'a str)>,
    /// Declarations written on the element's ancestors in the output, innermost last.
    rendered: Vec<(&'a str, &'a str)>,
    /// Room for the declarations of one element.
    needed: Vec<(&'a str, &'a str)>,
    /// Room for the attributes of one element.
    sorted: Vec<Attribute<'a>>,
    out: String,
}

impl<'a> Writer<'a> {
    fn enter_ancestors(&mut self, apex: NodeId) -> Result<(), CanonicalError> {
        let mut ancestors: Vec<NodeId> =
            std::iter::successors(self.tree.parent(apex), |id| self.tree.parent(*id)).collect();
        ancestors.reverse();
        for id in ancestors {
            self.declare(self.tree.element(id).ok_or(CanonicalError)?);
        }
        Ok(())
    }

    fn declare(&mut self, element: Element<'a>) {
        self.in_scope.extend(element.declarations());
    }

    /// Recursion is bounded by the depth limit of the reader.
    fn element(&mut self, id: NodeId, element: Element<'a>) -> Result<(), CanonicalError> {
        let (scope, rendered) = (self.in_scope.len(), self.rendered.len());
        self.declare(element);
        self.out.push('<');
        self.name(element);
        self.namespaces(element)?;
        self.attributes(element);
        self.out.push('>');
        let (tree, without) = (self.tree, self.without);
        for child in tree.children(id).filter(|child| !without.contains(child)) {
            match tree.kind(child).ok_or(CanonicalError)? {
                Kind::Element(element) => self.element(child, element)?,
                Kind::Text(text) => escape_text(&mut self.out, text),
            }
        }
        self.out.push_str("</");
        self.name(element);
        self.out.push('>');
        self.in_scope.truncate(scope);
        self.rendered.truncate(rendered);
        Ok(())
    }

    fn name(&mut self, element: Element<'a>) {
        self.qualified(element.prefix, element.local);
    }

    fn qualified(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// Declares each prefix that the element uses or that is listed, unless the output already has that binding.
    fn namespaces(&mut self, element: Element<'a>) -> Result<(), CanonicalError> {
        let mut needed = std::mem::take(&mut self.needed);
        let prefixed = element.attributes().map(|a| a.prefix).filter(|prefix| !prefix.is_empty());
        for prefix in prefixed.chain([element.prefix]).filter(|prefix| *prefix != "xml") {
            let uri = lookup(&self.in_scope, prefix);
            let uri = if prefix.is_empty() { uri.unwrap_or_default() } else { uri.ok_or(CanonicalError)? };
            needed.push((prefix, uri));
        }
        for listed in self.inclusive {
            let prefix = if listed == "#default" { "" } else { listed.as_str() };
            if let Some(uri) = lookup(&self.in_scope, prefix) {
                needed.push((prefix, uri));
            }
        }
        needed.sort_unstable();
        needed.dedup();
        for (prefix, uri) in needed.drain(..) {
            if lookup(&self.rendered, prefix).unwrap_or_default() != uri {
                self.declaration(prefix, uri);
                self.rendered.push((prefix, uri));
            }
        }
        self.needed = needed;
        Ok(())
    }

    fn declaration(&mut self, prefix: &str, uri: &str) {
        self.out.push_str(" xmlns");
        if !prefix.is_empty() {
            self.out.push(':');
            self.out.push_str(prefix);
        }
        self.out.push_str("=\"");
        escape_attribute(&mut self.out, uri);
        self.out.push('"');
    }

    /// By namespace, then by local name; those without a namespace first.
    fn attributes(&mut self, element: Element<'a>) {
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.extend(element.attributes());
        sorted.sort_by_key(|attribute| (attribute.namespace, attribute.local));
        for attribute in sorted.drain(..) {
            self.out.push(' ');
            self.qualified(attribute.prefix, attribute.local);
            self.out.push_str("=\"");
            escape_attribute(&mut self.out, attribute.value);
            self.out.push('"');
        }
        self.sorted = sorted;
    }
}

/// The innermost binding of a prefix.
fn lookup<'a>(bindings: &[(&'a str, &'a str)], prefix: &str) -> Option<&'a str> {
    bindings.iter().rev().find(|(bound, _)| *bound == prefix).map(|(_, uri)| *uri)
}

/// Canonical XML 1.0 section 2.3, text nodes.
const fn text_escape(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Canonical XML 1.0 section 2.3, attribute nodes.
const fn attribute_escape(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

pub(super) fn escape_text(out: &mut String, text: &str) {
    escape(out, text, text_escape);
}

pub(super) fn escape_attribute(out: &mut String, value: &str) {
    escape(out, value, attribute_escape);
}

/// Most texts have nothing to escape: that is found out for many bytes at once, since nothing ends that loop early.
fn escape(out: &mut String, text: &str, by: impl Fn(u8) -> Option<&'static str>) {
    if !text.bytes().fold(false, |found, byte| found | by(byte).is_some()) {
        return out.push_str(text);
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(reference) = by(byte) {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(reference);
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}
