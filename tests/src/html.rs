//! As much HTML as the product's own pages have.

/// A form, filled as the page filled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it leads; relative to its page.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Its fields. Buttons are not among them: press one with [`Form::press`].
    pub fields: Vec<(String, String)>,
    /// Its named buttons.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// The form with the field `name` filled with `value`.
    #[must_use]
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The form submitted by the button `name` with `value`.
    ///
    /// # Panics
    /// When it has no such button.
    #[must_use]
    pub fn press(self, name: &str, value: &str) -> Self {
        let button = (name.to_owned(), value.to_owned());
        assert!(self.buttons.contains(&button), "no button {name}={value} in {:?}", self.buttons);
        self.fill(name, value)
    }

    /// A field's value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// A tag, or the text up to the next one.
enum Part<'a> {
    Tag { name: &'a str, attributes: Vec<(&'a str, String)> },
    Text(&'a str),
}

/// The forms of a page.
#[must_use]
pub(crate) fn forms_of(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut select: Option<(String, Vec<(bool, String)>)> = None;
    let mut textarea: Option<String> = None;
    let mut open = false;
    for part in parts(html) {
        let (name, attributes) = match part {
            Part::Tag { name, attributes } => (name, attributes),
            Part::Text(text) => {
                if let (Some(field), Some(form)) = (textarea.take(), forms.last_mut()) {
                    form.fields.push((field, unescape(text)));
                }
                continue;
            }
        };
        let get = |wanted: &str| attributes.iter().find(|(key, _)| *key == wanted).map(|(_, value)| value.clone());
        if name == "form" {
            let method = get("method").unwrap_or_else(|| "get".to_owned()).to_ascii_lowercase();
            forms.push(Form { action: get("action").unwrap_or_default(), method, fields: vec![], buttons: vec![] });
            open = true;
        }
        let Some(form) = forms.last_mut().filter(|_| open) else { continue };
        match (name, get("name")) {
            ("/form", _) => open = false,
            ("input", Some(field)) => {
                let kind = get("type").unwrap_or_default();
                if !matches!(kind.as_str(), "checkbox" | "radio") || get("checked").is_some() {
                    form.fields.push((field, get("value").unwrap_or_default()));
                }
            }
            ("button", Some(button)) => form.buttons.push((button, get("value").unwrap_or_default())),
            ("textarea", Some(field)) => textarea = Some(field),
            ("/textarea", _) => {
                if let Some(field) = textarea.take() {
                    form.fields.push((field, String::new()));
                }
            }
            ("select", Some(field)) => select = Some((field, Vec::new())),
            ("option", _) => {
                if let Some((_, options)) = &mut select {
                    options.push((get("selected").is_some(), get("value").unwrap_or_default()));
                }
            }
            ("/select", _) => {
                if let Some((field, options)) = select.take() {
                    let chosen = options.iter().find(|(selected, _)| *selected).or(options.first());
                    form.fields.extend(chosen.map(|(_, value)| (field, value.clone())));
                }
            }
            _ => {}
        }
    }
    forms
}

/// The text of a page, without markup, style and script, its white space folded.
#[must_use]
pub fn text_of(html: &str) -> String {
    let mut hidden = false;
    let mut text = String::new();
    for part in parts(html) {
        match part {
            Part::Tag { name: "style" | "script", .. } => hidden = true,
            Part::Tag { name: "/style" | "/script", .. } => hidden = false,
            Part::Tag { .. } => text.push(' '),
            Part::Text(part) if !hidden => text.push_str(&unescape(part)),
            Part::Text(_) => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parts(html: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        parts.push(Part::Tag { name, attributes: read_attributes(attributes) });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn read_attributes(mut rest: &str) -> Vec<(&str, String)> {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return attributes;
        }
        rest = after;
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
        }
        attributes.push((name, unescape(value)));
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').unwrap_or((after, ""));
        let number = entity.strip_prefix('#').and_then(|digits| match digits.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        });
        match (entity, number.and_then(char::from_u32)) {
            (_, Some(c)) => out.push(c),
            ("amp", _) => out.push('&'),
            ("lt", _) => out.push('<'),
            ("gt", _) => out.push('>'),
            ("quot", _) => out.push('"'),
            (other, _) => out.push_str(other),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_they_are_filled() {
        let forms = forms_of(
            r#"<input name="outside"><form method="POST" action="/x?a=1&amp;b">
            <input type=hidden name=h value="&#34;&lt;"><input type="checkbox" name="off" value="y">
            <input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
            <select name="s"><option value="a">A</option><option value="b" selected>B</option></select>
            <textarea name="t">one
two</textarea><textarea name="empty"></textarea><button name="go" value="yes">Go</button></form>
            <form action="/y"><button>Go</button></form>"#,
        );
        let [first, second] = forms.as_slice() else { panic!("two forms: {forms:?}") };
        assert_eq!((first.action.as_str(), first.method.as_str()), ("/x?a=1&b", "post"));
        let fields = [("h", "\"<"), ("r", "2"), ("s", "b"), ("t", "one\ntwo"), ("empty", "")];
        assert_eq!(first.fields, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(first.clone().press("go", "yes").fill("h", "1").value("h"), Some("1"));
        assert_eq!((second.action.as_str(), second.method.as_str()), ("/y", "get"));
    }

    #[test]
    fn text_is_what_people_read() {
        assert_eq!(text_of("<style>a{}</style><h1>A &amp; B</h1>\n <p>C<b>D</b>"), "A & B C D");
    }
}
