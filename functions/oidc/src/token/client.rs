//! Which application calls, and how it proves that (RFC 6749, section 2.3; OpenID Connect Core, section 9).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use url::form_urlencoded;
use vestibule::{
    application::Application,
    id::{ApplicationId, Secret},
};

use super::TokenError;
use crate::parameters::Parameters;

/// What an application says of itself.
#[derive(Debug)]
pub(super) struct Client {
    /// Its id; none where it is malformed, which is an unknown one.
    pub(super) id: Option<ApplicationId>,
    secret: Option<Secret>,
}

impl Client {
    /// Reads it from the header (`client_secret_basic`) or the form (`client_secret_post`, or `none` without a secret),
    /// but not from both.
    pub(super) fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<Self, TokenError> {
        let (id, secret) = (parameters.one("client_id")?, parameters.one("client_secret")?);
        let mut presented = headers.get_all(header::AUTHORIZATION).iter();
        let Some(credentials) = presented.next() else {
            let id = id.ok_or(TokenError::InvalidClient("client_id is missing"))?;
            return Ok(Self::new(id, secret));
        };
        if presented.next().is_some() || secret.is_some() {
            return Err(TokenError::InvalidRequest("the client authenticates in more than one way".to_owned()));
        }
        let basic = credentials.to_str().ok().and_then(basic);
        let (name, secret) = basic.ok_or(TokenError::InvalidClient("the Authorization header is no Basic one"))?;
        if id.is_some_and(|id| id != name) {
            return Err(TokenError::InvalidRequest("client_id is not the one of the Authorization header".to_owned()));
        }
        Ok(Self::new(&name, Some(secret.as_str()).filter(|secret| !secret.is_empty())))
    }

    fn new(id: &str, secret: Option<&str>) -> Self {
        Self { id: id.parse().ok(), secret: secret.map(Secret::presented) }
    }

    /// Whether it is this application.
    pub(super) fn is(&self, application: Option<&Application>) -> bool {
        let secret = self.secret.as_ref().map(Secret::reveal);
        application.is_some_and(|application| Some(application.id) == self.id && application.authenticates(secret))
    }
}

/// The two halves of Basic credentials, each of which is form-encoded within them (RFC 6749, section 2.3.1).
fn basic(credentials: &str) -> Option<(String, String)> {
    let (scheme, encoded) = credentials.split_once(' ')?;
    let plain = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let plain = String::from_utf8(plain).ok()?;
    let (id, secret) = plain.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    Some(form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ID: &str = "app_00000000000000000000000000000001";

    fn read(authorization: &[&str], form: &str) -> Result<(Option<ApplicationId>, Option<String>), TokenError> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let client = Client::read(&headers, &Parameters::of_query(Some(form)).unwrap())?;
        Ok((client.id, client.secret.map(|secret| secret.reveal().to_owned())))
    }

    fn encoded(plain: &str) -> String {
        format!("Basic {}", STANDARD.encode(plain))
    }

    #[test]
    fn the_three_ways() {
        let id = Some(ApplicationId::from_bits(1));
        let secret = Some("a-b_c".to_owned());
        assert_eq!(read(&[&encoded(&format!("{ID}:a-b_c"))], "").unwrap(), (id, secret.clone()));
        let strict = format!("{}:a%2Db%5Fc", ID.replace('_', "%5F"));
        assert_eq!(read(&[&encoded(&strict)], &format!("client_id={ID}")).unwrap(), (id, secret.clone()));
        assert_eq!(read(&[], &format!("client_id={ID}&client_secret=a-b_c")).unwrap(), (id, secret));
        assert_eq!(read(&[], &format!("client_id={ID}")).unwrap(), (id, None));
        assert_eq!(read(&[&encoded(&format!("{ID}:"))], "").unwrap(), (id, None), "no secret is none");
        assert_eq!(read(&[], "client_id=x").unwrap(), (None, None));
    }

    #[test]
    fn not_more_than_one_at_once_and_nothing_else() {
        let basic = encoded(&format!("{ID}:s"));
        for (authorization, form) in [
            (vec![basic.as_str()], "client_secret=s"),
            (vec![basic.as_str()], "client_id=app_00000000000000000000000000000002"),
            (vec![basic.as_str(), basic.as_str()], ""),
        ] {
            assert!(matches!(read(&authorization, form), Err(TokenError::InvalidRequest(_))), "{form}");
        }
        let odd = encoded("a&b:c");
        for authorization in ["Bearer x", "Basic", "Basic !", &encoded("x"), &odd] {
            assert!(matches!(read(&[authorization], ""), Err(TokenError::InvalidClient(_))), "{authorization}");
        }
        assert!(matches!(read(&[], ""), Err(TokenError::InvalidClient(_))));
    }
}
