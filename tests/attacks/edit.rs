//! Changes documents as text, by the local names of elements, whatever their prefixes.

/// Where an element stands in a document.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// Of its start tag.
    pub start: usize,
    /// One past its start tag.
    pub inner_start: usize,
    /// Of its end tag; one past the start tag where that ends the element.
    pub inner_end: usize,
    /// One past its end tag.
    pub end: usize,
}

/// Every element of this local name, in document order.
pub fn all(xml: &str, local: &str) -> Vec<Element> {
    let mut found: Vec<(Element, bool)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(offset) = xml[at..].find('<') {
        let start = at + offset;
        let end = start + xml[start..].find('>').expect("tags end") + 1;
        let tag = &xml[start..end];
        at = end;
        if tag.starts_with("<?") || tag.starts_with("<!") {
            continue;
        }
        if tag.starts_with("</") {
            let index = open.pop().expect("tags match");
            found[index].0.inner_end = start;
            found[index].0.end = end;
            continue;
        }
        let name = tag[1..].split([' ', '/', '>', '\n', '\r', '\t']).next().unwrap();
        let is_it = name.rsplit(':').next() == Some(local);
        found.push((Element { start, inner_start: end, inner_end: end, end }, is_it));
        if !tag.ends_with("/>") {
            open.push(found.len() - 1);
        }
    }
    found.into_iter().filter(|(_, is_it)| *is_it).map(|(element, _)| element).collect()
}

/// The first element of this local name.
pub fn first(xml: &str, local: &str) -> Element {
    *all(xml, local).first().unwrap_or_else(|| panic!("no {local} in {xml}"))
}

/// The text of an element, tags included.
pub fn outer(xml: &str, element: Element) -> &str {
    &xml[element.start..element.end]
}

/// Replaces a range.
pub fn splice(xml: &str, from: usize, to: usize, with: &str) -> String {
    [&xml[..from], with, &xml[to..]].concat()
}

pub fn before(xml: &str, local: &str, text: &str) -> String {
    let at = first(xml, local).start;
    splice(xml, at, at, text)
}

pub fn after(xml: &str, local: &str, text: &str) -> String {
    let at = first(xml, local).end;
    splice(xml, at, at, text)
}

/// At the end of the first element of this name, which must have an end tag.
pub fn append(xml: &str, local: &str, text: &str) -> String {
    let at = first(xml, local).inner_end;
    splice(xml, at, at, text)
}

pub fn prepend(xml: &str, local: &str, text: &str) -> String {
    let at = first(xml, local).inner_start;
    splice(xml, at, at, text)
}

pub fn remove(xml: &str, local: &str) -> String {
    let element = first(xml, local);
    splice(xml, element.start, element.end, "")
}

/// Replaces the content of the first element of this name.
pub fn content(xml: &str, local: &str, text: &str) -> String {
    let element = first(xml, local);
    splice(xml, element.inner_start, element.inner_end, text)
}

/// Puts attributes on an element.
pub fn tag(xml: &str, element: Element, attributes: &str) -> String {
    let close = if xml[..element.inner_start].ends_with("/>") { 2 } else { 1 };
    let at = element.inner_start - close;
    splice(xml, at, at, &format!(" {attributes}"))
}

/// Puts attributes on the first element of this name.
pub fn attributes(xml: &str, local: &str, text: &str) -> String {
    tag(xml, first(xml, local), text)
}

/// Changes the value of an attribute of one element.
pub fn set_on(xml: &str, element: Element, name: &str, value: &str) -> String {
    let tag = &xml[element.start..element.inner_start];
    let key = format!(" {name}=\"");
    let from = element.start + tag.find(&key).unwrap_or_else(|| panic!("no {name} on {tag}")) + key.len();
    let to = from + xml[from..].find('"').unwrap();
    splice(xml, from, to, value)
}

/// Changes the value of an attribute of the first element of this name.
pub fn set(xml: &str, local: &str, name: &str, value: &str) -> String {
    set_on(xml, first(xml, local), name, value)
}

/// Takes an attribute off the first element of this name.
pub fn unset(xml: &str, local: &str, name: &str) -> String {
    let element = first(xml, local);
    let tag = &xml[element.start..element.inner_start];
    let key = format!(" {name}=\"");
    let from = element.start + tag.find(&key).unwrap_or_else(|| panic!("no {name} on {tag}"));
    let to = from + key.len() + xml[from + key.len()..].find('"').unwrap() + 1;
    splice(xml, from, to, "")
}

pub fn get<'a>(xml: &'a str, local: &str, name: &str) -> &'a str {
    let element = first(xml, local);
    let tag = &xml[element.start..element.inner_start];
    tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

/// Before the root element, after the XML declaration if there is one.
pub fn prolog(xml: &str, text: &str) -> String {
    before(xml, "Response", text)
}

/// The prefix of the first element of this name, with its colon.
pub fn prefix<'a>(xml: &'a str, local: &str) -> &'a str {
    let start = first(xml, local).start + 1;
    &xml[start..start + xml[start..].find(local).unwrap()]
}
