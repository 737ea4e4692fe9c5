//! Cookies: host-only, unreadable for scripts, and secure wherever the deployment is.

use axum::{http::HeaderMap, response::Response};
use http::{HeaderValue, header};
use url::Url;

/// From where a browser sends a cookie along (RFC 6265bis, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieReach {
    /// Along with requests from other sites too: an identity provider's form brings the person back.
    CrossSite,
    /// From other sites only when the person follows a link.
    Lax,
}

/// A cookie to set or to remove.
#[derive(Clone, Copy, Debug)]
pub struct Cookie<'a> {
    /// The name without the `__Host-` prefix, which is added on https.
    pub name: &'a str,
    /// The value; of characters that need no quoting.
    pub value: &'a str,
    /// How many seconds it lives; 0 removes it.
    pub max_age: i64,
    /// From where it is sent along.
    pub reach: CookieReach,
}

/// The value of the cookie `name`, if the browser sent it.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, base_url: &Url, name: &str) -> Option<&'a str> {
    let name = full_name(base_url, name);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// `response` with the cookie set.
#[must_use]
pub fn with_cookie(mut response: Response, base_url: &Url, cookie: Cookie<'_>) -> Response {
    let Cookie { name, value, max_age, reach } = cookie;
    let secure = is_secure(base_url);
    // Without https (the local product on loopback) browsers refuse `SameSite=None`, and do not need it: all is one site.
    let reach = match reach {
        CookieReach::CrossSite if secure => "None",
        CookieReach::CrossSite | CookieReach::Lax => "Lax",
    };
    let name = full_name(base_url, name);
    let secure = if secure { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite={reach}{secure}");
    if let Ok(line) = HeaderValue::try_from(line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

fn full_name(base_url: &Url, name: &str) -> String {
    if is_secure(base_url) { format!("__Host-{name}") } else { name.to_owned() }
}

fn is_secure(base_url: &Url) -> bool {
    base_url.scheme() == "https"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(base_url: &str) -> String {
        let cookie = Cookie { name: "session", value: "v", max_age: 60, reach: CookieReach::CrossSite };
        let response = with_cookie(Response::default(), &base_url.parse().unwrap(), cookie);
        response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_cookie_is_host_only_and_secure_on_https() {
        assert_eq!(
            set("https://id.example.com"),
            "__Host-session=v; Path=/; Max-Age=60; HttpOnly; SameSite=None; Secure"
        );
        assert_eq!(set("http://localhost:3000"), "session=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_cookie_is_found_by_its_full_name() {
        let base_url = "https://id.example.com".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("session=planted; __Host-session=ours"));
        assert_eq!(cookie(&headers, &base_url, "session"), Some("ours"));
        assert_eq!(cookie(&headers, &base_url, "other"), None);
    }
}
