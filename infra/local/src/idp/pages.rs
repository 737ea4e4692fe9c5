//! `/idp`: what it is, where people sign in, and the form that takes the answer back.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Form, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use vestibule::{
    account::Address,
    saml::{EMAIL_FORMAT, ReceivedRequest, decode_redirect},
    web::{self, POST_SCRIPT, Shell, elsewhere, page, page_posting_to},
};

use super::{
    Fault, Idp, METADATA, SSO,
    fault::Answering,
    people::{Person, people},
    response::Cipher,
};
use crate::seed::Demo;

/// Groups that one person can be given.
const MAX_GROUPS: usize = 200;

pub(crate) fn router(idp: Arc<Idp>, demo: Option<&Demo>) -> Router {
    let acs_url = demo.map(|demo| demo.acs_url.clone()).unwrap_or_default();
    let desk = Arc::new(Desk { idp, people: people(demo), acs_url });
    Router::new()
        .route("/idp", get(home))
        .route(METADATA, get(metadata))
        .route(SSO, get(by_redirect).post(by_post))
        .route("/idp/sign-in", post(sign_in))
        .layer(DefaultBodyLimit::max(web::MAX_BODY))
        .with_state(desk)
}

/// The identity provider and whom it knows.
struct Desk {
    idp: Arc<Idp>,
    people: Vec<Person>,
    /// Where the demo customer's connection takes answers; empty without one.
    acs_url: String,
}

#[derive(Template)]
#[template(path = "idp-home.html")]
struct HomePage<'a> {
    shell: Shell,
    entity_id: &'a str,
    sso_url: &'a str,
    fingerprint: String,
    acs_url: &'a str,
    people: &'a [Person],
}

#[derive(Template)]
#[template(path = "idp-sign-in.html")]
struct SignInPage<'a> {
    shell: Shell,
    people: &'a [Person],
    faults: &'static [Fault],
    ciphers: &'static [Cipher],
    asked: Asked,
    /// The message as it came, for those who want to see it.
    xml: String,
    force_authn: bool,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "idp-answer.html")]
struct AnswerPage {
    shell: Shell,
    action: String,
    response: String,
    relay_state: String,
    script: &'static str,
}

#[derive(Template)]
#[template(path = "idp-unusable.html")]
struct UnusablePage {
    shell: Shell,
    why: &'static str,
}

/// A request as the bindings carry it, or the wish to begin here.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "SAMLRequest", default)]
    request: String,
    #[serde(rename = "RelayState", default)]
    relay_state: String,
    /// For a sign-in that begins here: where to.
    #[serde(default)]
    acs_url: String,
}

/// What was asked for, carried through the form. This identity provider believes what it is told.
#[derive(Clone, Default, Deserialize)]
struct Asked {
    /// Who asks.
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    acs_url: String,
    /// The request to answer; empty for a sign-in that begins here.
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    relay_state: String,
    /// The NameID format that the request asks for; empty for any.
    #[serde(default)]
    name_id_format: String,
}

/// Who signs in, and how.
#[derive(Deserialize)]
struct Choice {
    #[serde(flatten)]
    asked: Asked,
    /// A typed address.
    #[serde(default)]
    email: String,
    /// A chosen person's address.
    #[serde(default)]
    person: String,
    /// Groups, one a line.
    #[serde(default)]
    groups: String,
    #[serde(default)]
    fault: String,
    /// How to encrypt the assertion; empty for not at all.
    #[serde(default)]
    cipher: String,
}

async fn home(State(desk): State<Arc<Desk>>) -> Response {
    let Idp { entity_id, sso_url, key, .. } = &*desk.idp;
    let home = HomePage {
        shell: Shell::new("Test identity provider"),
        entity_id,
        sso_url,
        fingerprint: key.certificate().fingerprint(),
        acs_url: &desk.acs_url,
        people: &desk.people,
    };
    page(StatusCode::OK, &home)
}

async fn metadata(State(desk): State<Arc<Desk>>) -> Response {
    let kind = HeaderValue::from_static("application/samlmetadata+xml");
    ([(header::CONTENT_TYPE, kind)], desk.idp.metadata()).into_response()
}

/// The redirect binding (SAML Bindings, section 3.4), or a sign-in that begins here.
async fn by_redirect(State(desk): State<Arc<Desk>>, Query(message): Query<Message>) -> Response {
    if message.request.is_empty() {
        return begin_here(&desk, message);
    }
    match decode_redirect(&message.request) {
        Ok(xml) => ask(&desk, xml, message.relay_state),
        Err(_) => unusable("What came is no authentication request on the redirect binding."),
    }
}

/// The POST binding (SAML Bindings, section 3.5).
async fn by_post(State(desk): State<Arc<Desk>>, Form(message): Form<Message>) -> Response {
    let xml = STANDARD.decode(&message.request).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match xml {
        Some(xml) => ask(&desk, xml, message.relay_state),
        None => unusable("What came is no authentication request on the POST binding."),
    }
}

fn ask(desk: &Desk, xml: String, relay_state: String) -> Response {
    let Ok(request) = ReceivedRequest::read(&xml) else {
        return unusable("The message is not a SAML 2.0 AuthnRequest.");
    };
    if request.destination.is_some_and(|destination| destination != desk.idp.sso_url) {
        return unusable("The request is addressed to another identity provider.");
    }
    let acs_url = request.acs_url.unwrap_or_default();
    if !desk.idp.answers_to(&acs_url) {
        return unusable("The request wants its answer somewhere else than at this product.");
    }
    let name_id_format = request.name_id_format.unwrap_or_default();
    let asked = Asked { issuer: request.issuer, acs_url, request_id: request.id, relay_state, name_id_format };
    choose(desk, asked, xml, request.force_authn, None)
}

fn begin_here(desk: &Desk, message: Message) -> Response {
    let Some(connection) = message.acs_url.strip_suffix("/acs").filter(|_| desk.idp.answers_to(&message.acs_url))
    else {
        return unusable("A sign-in that begins here needs the address of a connection's ACS at this product.");
    };
    let issuer = format!("{connection}/metadata");
    let Message { relay_state, acs_url, .. } = message;
    let asked = Asked { issuer, acs_url, relay_state, ..Asked::default() };
    choose(desk, asked, String::new(), false, None)
}

fn choose(desk: &Desk, asked: Asked, xml: String, force_authn: bool, problem: Option<&'static str>) -> Response {
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let choose = SignInPage {
        shell: Shell::new("Who signs in?"),
        people: &desk.people,
        faults: Fault::ALL,
        ciphers: Cipher::ALL,
        asked,
        xml,
        force_authn,
        problem,
    };
    // The answer's own answer leads on to an application, and browsers hold that to the policy of the first form.
    page_posting_to(status, &choose, elsewhere(&desk.idp.app.settings.base_url))
}

async fn sign_in(State(desk): State<Arc<Desk>>, Form(choice): Form<Choice>) -> Response {
    let Choice { asked, email, person, groups, fault, cipher } = choice;
    if !desk.idp.answers_to(&asked.acs_url) {
        return unusable("The answer would go somewhere else than to this product.");
    }
    let known = desk.people.iter().find(|known| known.email == person).cloned();
    let typed = email.trim().parse::<Address>().ok().map(|_| Person::of_address(email.trim()));
    let Some(mut person) = known.or(typed) else {
        return choose(&desk, asked, String::new(), false, Some("Type a whole address, or choose somebody."));
    };
    person.groups.extend(groups.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    person.groups.truncate(MAX_GROUPS);
    let fault = Fault::ALL.iter().copied().find(|known| known.word() == fault);
    let cipher = Cipher::ALL.iter().copied().find(|known| known.word() == cipher);
    let encryption = match cipher {
        None => None,
        Some(cipher) => match desk.idp.recipient(&asked.issuer).await {
            Some(certificate) => Some((cipher, certificate)),
            None => return unusable("The service provider's metadata has no certificate to encrypt to."),
        },
    };
    let answering = Answering {
        acs_url: &asked.acs_url,
        sp_entity_id: &asked.issuer,
        in_response_to: Some(asked.request_id.as_str()).filter(|id| !id.is_empty()),
        by_address: asked.name_id_format == EMAIL_FORMAT,
        encryption,
    };
    let response = match desk.idp.response(&answering, &person, fault) {
        Ok(response) => STANDARD.encode(response),
        Err(error) => {
            tracing::error!(%error, "the test identity provider did not sign");
            return unusable("The answer could not be signed.");
        }
    };
    let answer = AnswerPage {
        shell: Shell::new("Going back"),
        action: asked.acs_url,
        response,
        relay_state: asked.relay_state,
        script: POST_SCRIPT,
    };
    page_posting_to(StatusCode::OK, &answer, elsewhere(&desk.idp.app.settings.base_url))
}

fn unusable(why: &'static str) -> Response {
    page(StatusCode::BAD_REQUEST, &UnusablePage { shell: Shell::new("Nobody can sign in with this"), why })
}
