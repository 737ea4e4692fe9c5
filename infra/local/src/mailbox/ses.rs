//! The part of Amazon SES that sends: `SendEmail` of its API version 2, as its clients speak it.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{Mailbox, Outgoing};

/// Bytes of one request.
const MAX_REQUEST: usize = 10 * 1024 * 1024;

pub(super) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(mailbox)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
enum Content {
    Simple(Simple),
    Raw(Text),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

async fn send_email(State(mailbox): State<Mailbox>, body: Bytes) -> Response {
    let mail = match serde_json::from_slice::<SendEmail>(&body).map_err(|error| error.to_string()).and_then(outgoing) {
        Ok(mail) => mail,
        Err(why) => return failure(StatusCode::BAD_REQUEST, "BadRequestException", &why),
    };
    match mailbox.capture(mail) {
        Ok(id) => Json(json!({ "MessageId": format!("local-{id}") })).into_response(),
        Err(error) => {
            tracing::error!(%error, "a mail was not kept");
            failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", "The mail was not kept.")
        }
    }
}

async fn unknown() -> Response {
    failure(StatusCode::NOT_FOUND, "NotFoundException", "The local mailbox knows SendEmail only.")
}

fn outgoing(request: SendEmail) -> Result<Outgoing, String> {
    let Destination { to, cc, bcc } = request.destination;
    let to = [to, cc, bcc].concat();
    if to.is_empty() {
        return Err("There is no recipient.".to_owned());
    }
    let from = request.from_email_address;
    match request.content {
        Content::Simple(Simple { subject, body: Body { text, html } }) => Ok(Outgoing {
            from,
            to,
            subject: subject.data,
            text: text.map(|text| text.data),
            html: html.map(|html| html.data),
        }),
        Content::Raw(Text { data }) => {
            let raw = STANDARD.decode(data).map_err(|_| "The raw message is not base64.".to_owned())?;
            let text = String::from_utf8_lossy(&raw).into_owned();
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or("(raw)").to_owned();
            Ok(Outgoing { from, to, subject, text: Some(text), html: None })
        }
    }
}

/// An error as the AWS REST JSON protocol spells it.
fn failure(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let header = (HeaderName::from_static("x-amzn-errortype"), kind);
    (status, [header], Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(request: serde_json::Value) -> Result<Outgoing, String> {
        serde_json::from_value(request).map_err(|error| error.to_string()).and_then(outgoing)
    }

    #[test]
    fn a_raw_message_keeps_its_subject() {
        let mail = read(json!({
            "FromEmailAddress": "a@vendor.example",
            "Destination": { "BccAddresses": ["b@acme.example"] },
            "Content": { "Raw": { "Data": STANDARD.encode("Subject: Hello\r\n\r\nText") } },
        }));
        let mail = mail.unwrap();
        assert_eq!((mail.subject.as_str(), mail.to.as_slice()), ("Hello", ["b@acme.example".to_owned()].as_slice()));
    }

    #[test]
    fn what_is_no_mail_is_refused() {
        let content = json!({ "Simple": { "Subject": { "Data": "S" }, "Body": {} } });
        assert!(read(json!({ "FromEmailAddress": "a", "Destination": {}, "Content": content })).is_err());
        assert!(read(json!({ "FromEmailAddress": "a", "Content": content })).is_err());
        let template = json!({ "Template": { "TemplateName": "x" } });
        assert!(read(json!({ "FromEmailAddress": "a", "Destination": {}, "Content": template })).is_err());
    }
}
