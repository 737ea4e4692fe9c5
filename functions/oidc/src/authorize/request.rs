//! What an application asks for, read and checked against its registration.

use vestibule::{
    account::Address,
    application::Application,
    grant::{AuthorizationRequest, OPENID, known_scopes},
    id::{ApplicationId, OrganizationId},
    organization::Place,
};

use crate::parameters::{ParameterError, Parameters};

/// The values of `prompt`. Nobody is asked for consent: the operator registered the application, and the customer's
/// administrators decide who its people are.
pub(crate) const PROMPTS: [&str; 4] = ["none", "login", "select_account", "consent"];

/// Every parameter that means something here, each of which may be there once. All others are ignored.
const KNOWN: [&str; 17] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "response_mode",
    "scope",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "organization",
    "request",
    "request_uri",
    "registration",
];

/// An error that the application is told of (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) error: &'static str,
    pub(crate) description: String,
}

/// A request that can be answered.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: AuthorizationRequest,
    /// Whether nothing may be shown to the person.
    pub(crate) silent: bool,
    /// Whether the person signs in whatever session there is.
    pub(crate) anew: bool,
    /// Seconds that the authentication may be old.
    pub(crate) max_age: Option<i64>,
    /// Whom the application expects.
    pub(crate) login_hint: Option<Address>,
}

/// Whom an answer would go to, before anything else is believed.
///
/// No application for a malformed id, which is an unknown one.
pub(crate) fn recipient(parameters: &Parameters) -> Result<(Option<ApplicationId>, &str), ParameterError> {
    Ok((parameters.required("client_id")?.parse().ok(), parameters.required("redirect_uri")?))
}

/// The organization that is asked for, if one is; judged by [`Asked::read`].
pub(crate) fn organization(parameters: &Parameters) -> Option<OrganizationId> {
    parameters.one("organization").ok().flatten()?.parse().ok()
}

impl Refusal {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }

    fn invalid(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl Asked {
    /// Reads what `application` asks for. `place` is where the organization of [`organization`] is found, if anywhere.
    pub(crate) fn read(
        parameters: &Parameters,
        application: &Application,
        place: Option<&Place>,
    ) -> Result<Self, Refusal> {
        for name in KNOWN {
            parameters.one(name)?;
        }
        check_form(parameters)?;
        let scope = known_scopes(parameters.required("scope")?);
        if !scope.split(' ').any(|scope| scope == OPENID) {
            return Err(Refusal::new("invalid_scope", "the scope openid is missing"));
        }
        let prompts = prompts(parameters)?;
        let has = |prompt: &str| prompts.contains(&prompt);
        if has("none") && prompts.len() > 1 {
            return Err(Refusal::invalid("the prompt none goes with no other"));
        }
        let request = AuthorizationRequest {
            application: application.id,
            surface: application.surface.clone(),
            redirect_uri: parameters.required("redirect_uri")?.to_owned(),
            scope,
            state: parameters.one("state")?.map(ToOwned::to_owned),
            nonce: parameters.one("nonce")?.map(ToOwned::to_owned),
            code_challenge: challenge(parameters)?,
            organization: asked_organization(parameters, application, place)?,
            force: has("login"),
            subject: None,
        };
        Ok(Self {
            request,
            silent: has("none"),
            anew: has("login") || has("select_account"),
            max_age: max_age(parameters)?,
            login_hint: parameters.one("login_hint")?.and_then(|hint| hint.parse().ok()),
        })
    }
}

/// The parameters that say in what form the request and its answer are.
fn check_form(parameters: &Parameters) -> Result<(), Refusal> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if parameters.one(name)?.is_some() {
            return Err(Refusal::new(error, format!("the parameter {name} is not supported")));
        }
    }
    if parameters.required("response_type")? != "code" {
        return Err(Refusal::new("unsupported_response_type", "the only response_type is code"));
    }
    match parameters.one("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => Err(Refusal::invalid("the only response_mode is query")),
    }
}

fn prompts(parameters: &Parameters) -> Result<Vec<&str>, Refusal> {
    let prompts: Vec<&str> =
        parameters.one("prompt")?.unwrap_or_default().split(' ').filter(|prompt| !prompt.is_empty()).collect();
    if prompts.iter().all(|prompt| PROMPTS.contains(prompt)) {
        Ok(prompts)
    } else {
        Err(Refusal::invalid(format!("prompt knows {} only", PROMPTS.join(", "))))
    }
}

/// The S256 challenge (RFC 7636, section 4.2). `plain`, the default of the RFC, would show the verifier to whoever sees
/// the request.
fn challenge(parameters: &Parameters) -> Result<String, Refusal> {
    let challenge = parameters.required("code_challenge")?;
    if parameters.one("code_challenge_method")? != Some("S256") {
        return Err(Refusal::invalid("the only code_challenge_method is S256"));
    }
    let sound = challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if sound { Ok(challenge.to_owned()) } else { Err(Refusal::invalid("code_challenge is no SHA-256 in base64url")) }
}

fn max_age(parameters: &Parameters) -> Result<Option<i64>, Refusal> {
    let Some(given) = parameters.one("max_age")? else { return Ok(None) };
    let seconds = given.parse::<u32>().map_err(|_| Refusal::invalid("max_age is no number of seconds"))?;
    Ok(Some(seconds.into()))
}

fn asked_organization(
    parameters: &Parameters,
    application: &Application,
    place: Option<&Place>,
) -> Result<Option<OrganizationId>, Refusal> {
    if parameters.one("organization")?.is_none() {
        return Ok(None);
    }
    let id = organization(parameters).filter(|_| place.is_some_and(|place| place.surface == application.surface));
    id.map(Some).ok_or_else(|| Refusal::invalid("there is no such organization on the surface of this application"))
}

#[cfg(test)]
mod tests {
    use vestibule::{clock::Timestamp, id::ParentId, surface::SurfaceId};

    use super::*;

    const SOUND: &str = "client_id=app_00000000000000000000000000000001&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb\
                         &response_type=code&scope=openid&code_challenge_method=S256\
                         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn surface(id: &str) -> SurfaceId {
        serde_json::from_value(id.into()).unwrap()
    }

    fn read_query(query: &str, place: Option<&Place>) -> Result<Asked, Refusal> {
        let application = Application {
            id: ApplicationId::from_bits(1),
            name: "App".parse().unwrap(),
            surface: surface("claudeai"),
            redirect_uris: Vec::new(),
            start_login_uri: None,
            secret: None,
            created_at: Timestamp::UNIX_EPOCH,
        };
        Asked::read(&Parameters::of_query(Some(query)).unwrap(), &application, place)
    }

    fn read(more: &str) -> Result<Asked, Refusal> {
        read_query(&format!("{SOUND}{more}"), None)
    }

    fn error(asked: Result<Asked, Refusal>) -> Option<&'static str> {
        asked.err().map(|refusal| refusal.error)
    }

    #[test]
    fn a_plain_request_is_read() {
        let asked = read("&state=s&nonce=n&unknown=1&unknown=2&login_hint=Ada@Corp.example").unwrap();
        assert_eq!(asked.request.state.as_deref(), Some("s"));
        assert_eq!(asked.request.nonce.as_deref(), Some("n"));
        assert_eq!(asked.login_hint.unwrap().to_string(), "Ada@corp.example");
        assert!(!asked.silent && !asked.anew && !asked.request.force);
        assert!(read("&login_hint=ada").unwrap().login_hint.is_none(), "a hint is no reason to refuse");
    }

    #[test]
    fn prompts_are_told_apart() {
        assert!(read("&prompt=none").unwrap().silent);
        let login = read("&prompt=login%20consent").unwrap();
        assert!(login.anew && login.request.force);
        let select = read("&prompt=select_account").unwrap();
        assert!(select.anew && !select.request.force);
        assert_eq!(read("&max_age=0").unwrap().max_age, Some(0));
    }

    #[test]
    fn each_fault_has_its_error() {
        let faults = [
            ("&prompt=none%20login", "invalid_request"),
            ("&prompt=create", "invalid_request"),
            ("&max_age=-1", "invalid_request"),
            ("&max_age=x", "invalid_request"),
            ("&response_mode=fragment", "invalid_request"),
            ("&response_mode=form_post", "invalid_request"),
            ("&request=x", "request_not_supported"),
            ("&request_uri=x", "request_uri_not_supported"),
            ("&registration=x", "registration_not_supported"),
            ("&nonce=a&nonce=b", "invalid_request"),
            ("&scope=openid", "invalid_request"),
            ("&organization=x", "invalid_request"),
        ];
        for (more, name) in faults {
            assert_eq!(error(read(more)), Some(name), "{more}");
        }
        for name in ["response_type", "scope", "code_challenge", "code_challenge_method"] {
            let rest: Vec<&str> = SOUND.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
            assert_eq!(error(read_query(&rest.join("&"), None)), Some("invalid_request"), "{name}");
        }
        for (from, to, name) in [
            ("type=code", "type=token", "unsupported_response_type"),
            ("type=code", "type=code%20id_token", "unsupported_response_type"),
            ("scope=openid", "scope=email", "invalid_scope"),
            ("=S256", "=plain", "invalid_request"),
            ("w-cM", "w-c", "invalid_request"),
            ("w-cM", "w+cM", "invalid_request"),
        ] {
            assert_eq!(error(read_query(&SOUND.replace(from, to), None)), Some(name), "{to}");
        }
    }

    #[test]
    fn the_organization_is_on_the_surface_of_the_application() {
        let query = format!("{SOUND}&organization=org_00000000000000000000000000000001");
        let place = |id: &str| Place { parent: ParentId::from_bits(1), surface: surface(id) };
        let asked = read_query(&query, Some(&place("claudeai"))).unwrap();
        assert_eq!(asked.request.organization, Some(OrganizationId::from_bits(1)));
        assert_eq!(error(read_query(&query, Some(&place("console")))), Some("invalid_request"));
        assert_eq!(error(read_query(&query, None)), Some("invalid_request"));
    }
}
