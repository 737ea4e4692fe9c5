//! Writes XML: every text and attribute value escaped, every element closed.

use super::canonical::{escape_attribute, escape_text};

/// A document in the making.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    open: Vec<String>,
}

impl Writer {
    /// Opens an element. `name` and attribute names are ours, never input.
    pub(super) fn start(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape_attribute(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
        self.open.push(name.to_owned());
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape_text(&mut self.out, text);
        self
    }

    /// Closes the innermost element.
    pub(super) fn end(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
        self
    }

    /// An element with text, or none.
    pub(super) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> &mut Self {
        self.start(name, attributes).text(text).end()
    }

    /// Closes what is open.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_elements_closed() {
        let mut writer = Writer::default();
        writer.start("a", &[("b", "\"<&\n")]).leaf("c", &[], "<x>&").start("d", &[]);
        assert_eq!(writer.finish(), "<a b=\"&quot;&lt;&amp;&#xA;\"><c>&lt;x&gt;&amp;</c><d></d></a>");
    }
}
