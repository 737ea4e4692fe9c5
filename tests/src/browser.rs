//! A browser: cookies, redirects by hand, and forms found in pages.

use std::collections::BTreeMap;

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE},
};
use url::{Url, form_urlencoded};
use vestibule::table::Cost;

use crate::{
    html::{Form, forms_of, text_of},
    product::client,
};

/// Redirects that are followed in a row.
const MAX_REDIRECTS: usize = 10;

/// A browser with cookies of its own. All of them belong to the one host there is.
pub struct Browser {
    client: reqwest::Client,
    base: Url,
    /// The cookies, by name.
    pub cookies: BTreeMap<String, String>,
}

/// What came back.
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Page {
    /// A header's value, empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where it redirects to.
    #[must_use]
    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        self.url.join(location).ok()
    }

    /// Its forms, in their order.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        forms_of(&self.body)
    }

    /// The form that leads to a path that begins with `action`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn form(&self, action: &str) -> Form {
        let leads = |form: &Form| self.url.join(&form.action).is_ok_and(|url| url.path().starts_with(action));
        let found = self.forms().into_iter().find(leads);
        found.unwrap_or_else(|| panic!("no form leads to {action} on {}: {}", self.url, self.body))
    }

    /// Its text, without markup.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.body)
    }

    /// What it cost.
    ///
    /// # Panics
    /// When it does not say.
    #[must_use]
    pub fn cost(&self) -> Cost {
        cost_of(&self.headers).unwrap_or_else(|| panic!("{} does not say what it cost", self.url))
    }
}

/// What a response says that it cost, in the `Server-Timing` header of the local product.
#[must_use]
pub fn cost_of(headers: &HeaderMap) -> Option<Cost> {
    let line = headers.get("server-timing")?.to_str().ok()?;
    let words = line.strip_prefix("dynamodb;desc=\"")?.strip_suffix('"')?;
    let mut numbers = words.split(", ").flat_map(|part| part.split(" in ")).filter_map(|part| part.split(' ').next());
    Some(Cost {
        calls: numbers.next()?.parse().ok()?,
        round_trips: numbers.next()?.parse().ok()?,
        read_units: numbers.next()?.parse().ok()?,
        write_units: numbers.next()?.parse().ok()?,
    })
}

impl Browser {
    pub(crate) fn new(base: &Url) -> Self {
        Self { client: client(), base: base.clone(), cookies: BTreeMap::new() }
    }

    /// One request, and no redirect followed.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn step(&mut self, method: Method, url: &str, form: Option<&[(String, String)]>) -> Page {
        let url = self.base.join(url).unwrap();
        let mut request = self.client.request(method, url.clone()).header(ACCEPT, "text/html");
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(fields) = form {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep_cookies(&headers);
        Page { url, status, headers, body: response.text().await.unwrap() }
    }

    /// Opens an address and follows its redirects.
    pub async fn open(&mut self, url: &str) -> Page {
        let page = self.step(Method::GET, url, None).await;
        self.follow(page).await
    }

    /// Submits a form as it is filled, and follows its redirects.
    pub async fn submit(&mut self, page: &Page, form: &Form) -> Page {
        let page = self.send(page, form).await;
        self.follow(page).await
    }

    /// Submits a form as it is filled, and follows nothing.
    ///
    /// # Panics
    /// When the form leads nowhere.
    pub async fn send(&mut self, page: &Page, form: &Form) -> Page {
        let mut url = page.url.join(&form.action).unwrap();
        if form.method == "post" {
            return self.step(Method::POST, url.as_str(), Some(&form.fields)).await;
        }
        url.query_pairs_mut().clear().extend_pairs(&form.fields);
        self.step(Method::GET, url.as_str(), None).await
    }

    /// Follows redirects, as far as they lead.
    ///
    /// # Panics
    /// When they do not end.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..MAX_REDIRECTS {
            let Some(next) = page.location().filter(|_| page.status.is_redirection()) else { return page };
            page = self.step(Method::GET, next.as_str(), None).await;
        }
        panic!("redirects without an end at {}", page.url);
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
