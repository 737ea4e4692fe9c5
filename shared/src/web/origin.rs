//! Which page a form comes from.

use axum::http::HeaderMap;
use http::header;
use url::Url;

/// Whether a form can come from one of the deployment's own pages, by what the browser says of it.
///
/// `Sec-Fetch-Site` (Fetch Metadata, section 2.4) decides where it is sent. Else `Origin` does, as far as it names one:
/// it is `null` for pages with the referrer policy that ours have. This stands beside a secret in the form, not instead.
#[must_use]
pub fn is_from_own_page(headers: &HeaderMap, base_url: &Url) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let own = base_url.origin().ascii_serialization();
    headers.get(header::ORIGIN).is_none_or(|origin| origin == "null" || *origin == own)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn from_own_page(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_from_own_page(&headers, &"https://id.example.com".parse().unwrap())
    }

    #[test]
    fn other_sites_and_siblings_are_told_apart() {
        assert!(from_own_page(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        for site in ["same-site", "cross-site", "none"] {
            assert!(!from_own_page(&[("sec-fetch-site", site), ("origin", "https://id.example.com")]), "{site}");
        }
        assert!(from_own_page(&[]));
        assert!(from_own_page(&[("origin", "https://id.example.com")]));
        assert!(!from_own_page(&[("origin", "https://evil.example.com")]));
        assert!(!from_own_page(&[("origin", "http://id.example.com")]));
    }
}
