//! The parameters of a request, as a query or a form carries them.

use axum::extract::rejection::BytesRejection;
use http::{HeaderMap, header};
use url::form_urlencoded;

/// Bytes of a query or a form.
pub(crate) const MAX_TEXT: usize = 16 * 1024;
/// Bytes of one parameter's value.
const MAX_VALUE: usize = 2_000;
/// Bytes of an ID token that comes back as a hint: one with a long nonce in it.
const MAX_TOKEN: usize = 8_000;
/// Parameters in one request.
const MAX_PARAMETERS: usize = 100;

/// Parameters, of which those without a value count as left out (RFC 6749, section 3.1).
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// Why parameters are not usable: always an `invalid_request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterError {
    NotAForm,
    TooMuch,
    TooLong(&'static str),
    Repeated(&'static str),
    Missing(&'static str),
}

impl std::fmt::Display for ParameterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAForm => f.write_str("the parameters are not application/x-www-form-urlencoded"),
            Self::TooMuch => f.write_str("the request is larger than this provider reads"),
            Self::TooLong(name) => write!(f, "the parameter {name} is too long"),
            Self::Repeated(name) => write!(f, "the parameter {name} is there more than once"),
            Self::Missing(name) => write!(f, "the parameter {name} is missing"),
        }
    }
}

impl Parameters {
    /// The parameters of a query.
    pub(crate) fn of_query(query: Option<&str>) -> Result<Self, ParameterError> {
        Self::read(query.unwrap_or_default().as_bytes())
    }

    /// The parameters of a form.
    pub(crate) fn of_form(
        headers: &HeaderMap,
        body: Result<axum::body::Bytes, BytesRejection>,
    ) -> Result<Self, ParameterError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ParameterError::NotAForm);
        }
        Self::read(&body.map_err(|_| ParameterError::TooMuch)?)
    }

    fn read(text: &[u8]) -> Result<Self, ParameterError> {
        if text.len() > MAX_TEXT {
            return Err(ParameterError::TooMuch);
        }
        let given: Vec<_> =
            form_urlencoded::parse(text).filter(|(_, value)| !value.is_empty()).take(MAX_PARAMETERS + 1).collect();
        if given.len() > MAX_PARAMETERS {
            return Err(ParameterError::TooMuch);
        }
        Ok(Self(given.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }

    /// The one value of a parameter, if it has one.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, ParameterError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let most = if name == "id_token_hint" { MAX_TOKEN } else { MAX_VALUE };
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(ParameterError::Repeated(name)),
            (Some(value), None) if value.len() > most => Err(ParameterError::TooLong(name)),
            (value, None) => Ok(value),
        }
    }

    /// The one value of a parameter that must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, ParameterError> {
        self.one(name)?.ok_or(ParameterError::Missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Parameters, ParameterError> {
        Parameters::of_query(Some(text))
    }

    #[test]
    fn a_parameter_has_one_value_of_bounded_length() {
        let parameters = query("a=1&b=x%20y+z&c=&d=1&d=2&c=3").unwrap();
        assert_eq!(parameters.one("a"), Ok(Some("1")));
        assert_eq!(parameters.one("b"), Ok(Some("x y z")));
        assert_eq!(parameters.one("c"), Ok(Some("3")), "one without a value was left out");
        assert_eq!(parameters.one("d"), Err(ParameterError::Repeated("d")));
        assert_eq!(parameters.one("e"), Ok(None));
        assert_eq!(parameters.required("e"), Err(ParameterError::Missing("e")));
        let long = "x".repeat(MAX_VALUE);
        assert_eq!(query(&format!("a={long}")).unwrap().one("a"), Ok(Some(long.as_str())));
        assert_eq!(query(&format!("a={long}x")).unwrap().one("a"), Err(ParameterError::TooLong("a")));
    }

    #[test]
    fn a_request_is_of_bounded_size() {
        assert!(query(&"a=1&".repeat(MAX_PARAMETERS)).is_ok());
        assert_eq!(query(&"a=1&".repeat(MAX_PARAMETERS + 1)).err(), Some(ParameterError::TooMuch));
        assert_eq!(query(&"x".repeat(MAX_TEXT + 1)).err(), Some(ParameterError::TooMuch));
    }

    #[test]
    fn a_form_says_that_it_is_one() {
        let form = |kind: &'static str| {
            let headers = [(header::CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect();
            Parameters::of_form(&headers, Ok("a=1".into()))
        };
        assert!(form("Application/X-WWW-Form-Urlencoded; charset=utf-8").is_ok());
        assert_eq!(form("application/json").err(), Some(ParameterError::NotAForm));
        assert_eq!(Parameters::of_form(&HeaderMap::new(), Ok("a=1".into())).err(), Some(ParameterError::NotAForm));
    }
}
