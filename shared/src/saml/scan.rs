//! One pass over the bytes before the XML parser sees them: everything that we do not read at all, and every size that
//! could make the parser work hard, is refused here in linear time and without allocating.
//!
//! It also does the white-space half of attribute-value normalization (XML 1.0 section 3.3.3), which the parser leaves
//! out and canonicalization depends on.

use std::borrow::Cow;

use super::reason::Reason;

/// Deepest nesting of elements; the root counts as one.
pub(super) const MAX_DEPTH: usize = 64;
/// Most elements, text runs and attributes (namespace declarations included) in one document.
pub(super) const MAX_NODES: usize = 10_000;
/// Most attributes (namespace declarations included) of one element: the parser compares them pairwise.
pub(super) const MAX_ATTRIBUTES: usize = 128;

/// Most namespace declarations in scope of one element: canonicalization looks prefixes up among them, for every element.
pub(super) const MAX_DECLARATIONS: usize = 64;

/// What to do with comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// Refuse the document. For everything that is signed.
    Refuse,
    /// Leave them out. For metadata, which people write by hand.
    Skip,
}

/// Why a text is not XML that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    /// Not well-formed, or outside of the part of XML that we read.
    #[error("{0}")]
    Malformed(String),
    /// A document type declaration or an entity.
    #[error("a document type declaration or an entity")]
    Dtd,
    /// A comment, a CDATA section or a processing instruction.
    #[error("{0}")]
    Markup(&'static str),
}

impl XmlError {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    pub(super) const fn reason(&self) -> Reason {
        match self {
            Self::Malformed(_) => Reason::Malformed,
            Self::Dtd => Reason::Dtd,
            Self::Markup(_) => Reason::Markup,
        }
    }
}

/// Refuses what the parser should not see; returns the text with white space in attribute values normalized.
pub(super) fn scan(text: &str, comments: Comments) -> Result<Cow<'_, str>, XmlError> {
    let mut scanner = Scanner { rest: text, comments, depth: 0, nodes: 0, white: Vec::new() };
    scanner.refuse_foreign_characters()?;
    scanner.skip_declaration()?;
    while !scanner.rest.is_empty() {
        scanner.text_run()?;
        scanner.markup(text)?;
    }
    Ok(normalized(text, &scanner.white))
}

struct Scanner<'a> {
    rest: &'a str,
    comments: Comments,
    depth: usize,
    nodes: usize,
    /// Offsets of literal tabs, line feeds and carriage returns inside attribute values.
    white: Vec<usize>,
}

impl<'a> Scanner<'a> {
    fn refuse_foreign_characters(&self) -> Result<(), XmlError> {
        if self.rest.starts_with('\u{feff}') {
            return Err(XmlError::malformed("a byte order mark"));
        }
        if has(self.rest, |byte| byte == 0) {
            return Err(XmlError::malformed("a NUL character"));
        }
        Ok(())
    }

    fn skip_declaration(&mut self) -> Result<(), XmlError> {
        let Some(after) = self.rest.strip_prefix("<?xml") else {
            return Ok(());
        };
        if !after.starts_with([' ', '\t', '\r', '\n']) {
            return Err(XmlError::Markup("a processing instruction"));
        }
        self.take_through("?>")?;
        Ok(())
    }

    /// Consumes up to the next `<`.
    fn text_run(&mut self) -> Result<(), XmlError> {
        let run = self.take_until('<');
        if !run.is_empty() {
            self.count(1)?;
        }
        references(run)
    }

    /// Consumes one tag or comment.
    fn markup(&mut self, whole: &str) -> Result<(), XmlError> {
        let Some(after) = self.rest.strip_prefix('<') else {
            return Ok(());
        };
        self.count(1)?;
        match after.as_bytes().first() {
            Some(b'!') => self.declaration(),
            Some(b'?') => Err(XmlError::Markup("a processing instruction")),
            Some(b'/') => {
                self.depth = self.depth.saturating_sub(1);
                self.end_tag()
            }
            _ => self.start_tag(whole),
        }
    }

    fn declaration(&mut self) -> Result<(), XmlError> {
        if self.rest.starts_with("<![CDATA[") {
            return Err(XmlError::Markup("a CDATA section"));
        }
        if !self.rest.starts_with("<!--") {
            return Err(XmlError::Dtd);
        }
        match self.comments {
            Comments::Refuse => Err(XmlError::Markup("a comment")),
            Comments::Skip => self.take_through("-->").map(drop),
        }
    }

    fn end_tag(&mut self) -> Result<(), XmlError> {
        let Some(at) = self.rest.bytes().position(|byte| byte == b'>') else {
            return Err(XmlError::malformed("a tag that does not end"));
        };
        self.advance(at + 1);
        Ok(())
    }

    fn start_tag(&mut self, whole: &str) -> Result<(), XmlError> {
        let mut attributes = 0_usize;
        loop {
            let Some(at) = self.rest.bytes().position(|byte| matches!(byte, b'>' | b'"' | b'\'')) else {
                return Err(XmlError::malformed("a tag that does not end"));
            };
            let (before, from) = self.rest.split_at(at);
            if from.starts_with('>') {
                self.depth += usize::from(!before.ends_with('/'));
                self.advance(at + 1);
                break;
            }
            let quote = if from.starts_with('"') { '"' } else { '\'' };
            self.advance(at + 1);
            attributes += 1;
            self.attribute_value(quote, whole)?;
        }
        if self.depth > MAX_DEPTH {
            return Err(XmlError::malformed(format!("elements nested more than {MAX_DEPTH} deep")));
        }
        if attributes > MAX_ATTRIBUTES {
            return Err(XmlError::malformed(format!("more than {MAX_ATTRIBUTES} attributes on one element")));
        }
        self.count(attributes)
    }

    fn attribute_value(&mut self, quote: char, whole: &str) -> Result<(), XmlError> {
        let start = whole.len() - self.rest.len();
        let value = self.take_until(quote);
        if self.rest.is_empty() {
            return Err(XmlError::malformed("an attribute value that does not end"));
        }
        self.advance(1);
        let is_white = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
        if has(value, is_white) {
            let white = value.bytes().enumerate().filter(|(_, byte)| is_white(*byte));
            self.white.extend(white.map(|(at, _)| start + at));
        }
        references(value)
    }

    fn count(&mut self, more: usize) -> Result<(), XmlError> {
        self.nodes += more;
        if self.nodes > MAX_NODES * 2 {
            // End tags were counted too: this bound is loose, the tree's own is exact.
            return Err(XmlError::malformed(format!("more than {MAX_NODES} nodes and attributes")));
        }
        Ok(())
    }

    fn take_until(&mut self, end: char) -> &'a str {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(at);
        self.rest = rest;
        run
    }

    fn take_through(&mut self, end: &str) -> Result<&'a str, XmlError> {
        let Some((taken, rest)) = self.rest.split_once(end) else {
            return Err(XmlError::malformed("markup that does not end"));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// `bytes` never ends inside a character: it is one past an ASCII byte that was found.
    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Looks at many bytes at once, since nothing ends the loop early.
fn has(text: &str, what: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, byte| found | what(byte))
}

/// Only character references and the five predefined entities.
fn references(run: &str) -> Result<(), XmlError> {
    if !has(run, |byte| byte == b'&') {
        return Ok(());
    }
    for after in run.split('&').skip(1) {
        let known =
            after.starts_with('#') || ["lt;", "gt;", "amp;", "apos;", "quot;"].iter().any(|e| after.starts_with(e));
        if !known {
            let entity = after.split_once(';').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-._:".contains(c))
            });
            return Err(if entity { XmlError::Dtd } else { XmlError::malformed("a bare ampersand") });
        }
    }
    Ok(())
}

/// Each literal tab, line feed, carriage return or pair of the last two becomes one space.
fn normalized<'a>(text: &'a str, white: &[usize]) -> Cow<'a, str> {
    if white.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for at in white.iter().copied() {
        out.push_str(text.get(from..at).unwrap_or_default());
        let pair = text.get(at..).is_some_and(|rest| rest.starts_with("\r\n"));
        if !pair {
            out.push(' ');
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Reason {
        scan(text, Comments::Refuse).map_or_else(|error| error.reason(), |_| panic_accepted(text))
    }

    fn panic_accepted(text: &str) -> Reason {
        panic!("accepted {text}")
    }

    #[test]
    fn plain_documents_pass_unchanged() {
        let text = "<?xml version='1.0'?>\n<a b=\"1\" c='&lt;&#10;'>x &amp; y<d/></a>\n";
        assert_eq!(scan(text, Comments::Refuse), Ok(Cow::Borrowed(text)));
    }

    #[test]
    fn white_space_in_attribute_values_becomes_spaces() {
        let text = "<a b=\"1\n2\t3\r\n4\r5&#10;6\">\n\t</a>";
        assert_eq!(scan(text, Comments::Refuse).as_deref(), Ok("<a b=\"1 2 3 4 5&#10;6\">\n\t</a>"));
    }

    #[test]
    fn what_we_do_not_read_is_told_apart() {
        assert_eq!(refused("<!DOCTYPE a><a/>"), Reason::Dtd);
        assert_eq!(refused("<a>&ent;</a>"), Reason::Dtd);
        assert_eq!(refused("<a b='&ent;'/>"), Reason::Dtd);
        assert_eq!(refused("<a><!ENTITY x 'y'></a>"), Reason::Dtd);
        assert_eq!(refused("<a><!-- c --></a>"), Reason::Markup);
        assert_eq!(refused("<a><![CDATA[c]]></a>"), Reason::Markup);
        assert_eq!(refused("<a><?pi?></a>"), Reason::Markup);
        assert_eq!(refused(" <?xml version='1.0'?><a/>"), Reason::Markup);
        assert_eq!(refused("<a>a & b</a>"), Reason::Malformed);
        assert_eq!(refused("<a>\0</a>"), Reason::Malformed);
        assert_eq!(refused("\u{feff}<a/>"), Reason::Malformed);
        assert_eq!(refused("<a b='1></a>"), Reason::Malformed);
        assert_eq!(scan("<a><!-- c & d --></a>", Comments::Skip).map(|_| ()), Ok(()));
    }

    #[test]
    fn sizes_are_bounded() {
        let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
        assert!(scan(&deep(MAX_DEPTH), Comments::Refuse).is_ok());
        assert_eq!(refused(&deep(MAX_DEPTH + 1)), Reason::Malformed);
        assert_eq!(refused(&deep(10_000)), Reason::Malformed);
        let wide = |n: usize| format!("<a {}/>", (0..n).map(|i| format!("a{i}=''")).collect::<Vec<_>>().join(" "));
        assert!(scan(&wide(MAX_ATTRIBUTES), Comments::Refuse).is_ok());
        assert_eq!(refused(&wide(MAX_ATTRIBUTES + 1)), Reason::Malformed);
        assert_eq!(refused(&wide(80_000)), Reason::Malformed);
    }
}
