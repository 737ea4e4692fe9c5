//! Amazon SES, which takes the mails.

use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, MessageTag},
};

use crate::{
    account::Address,
    app::{SettingsError, variable},
};

/// Sends mails from one address.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    from: String,
    configuration_set: Option<String>,
}

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a mail was not taken. It holds neither address nor text, so that it can be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail service did not take it ({code})")]
pub struct SendError {
    /// The service's error code, or how it could not be asked.
    pub code: String,
    /// Whether another attempt would end the same.
    pub for_good: bool,
}

impl Sender {
    /// Sends through `client` from the address `from`.
    #[must_use]
    pub fn new(client: Client, from: impl Into<String>, configuration_set: Option<String>) -> Self {
        Self { client, from: from.into(), configuration_set }
    }

    /// The sender of a Lambda function: from `VESTIBULE_MAIL_FROM`, with the configuration set of
    /// `VESTIBULE_MAIL_CONFIGURATION_SET` if one is named.
    ///
    /// # Errors
    /// [`SettingsError::Missing`].
    pub async fn from_env() -> Result<Self, SettingsError> {
        let from = variable("VESTIBULE_MAIL_FROM")?;
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        Ok(Self::new(Client::new(&config), from, variable("VESTIBULE_MAIL_CONFIGURATION_SET").ok()))
    }

    /// Has the mail service take a letter, and gives what it calls it. `kind` is put on it as a tag, for its statistics.
    ///
    /// # Errors
    /// [`SendError`]. The letter may have been taken even so, when the answer was lost.
    pub async fn send(&self, to: &Address, letter: &Letter, kind: &str) -> Result<String, SendError> {
        let unbuilt = |_| SendError { code: "not built".to_owned(), for_good: true };
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build().map_err(unbuilt);
        let body = Body::builder().text(content(&letter.text)?).html(content(&letter.html)?).build();
        let message = aws_sdk_sesv2::types::Message::builder().subject(content(&letter.subject)?).body(body).build();
        let request = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to.to_string()).build())
            .content(EmailContent::builder().simple(message).build())
            .email_tags(MessageTag::builder().name("kind").value(kind).build().map_err(unbuilt)?)
            .set_configuration_set_name(self.configuration_set.clone())
            .send();
        let sent = Box::pin(request).await.map_err(|error| SendError::from(&error))?;
        Ok(sent.message_id.unwrap_or_default())
    }
}

impl From<&SdkError<SendEmailError>> for SendError {
    fn from(error: &SdkError<SendEmailError>) -> Self {
        // What is wrong with the letter stays wrong; what is wrong with the account or the network is mended.
        let for_good = error
            .as_service_error()
            .is_some_and(|error| error.is_message_rejected() || error.is_bad_request_exception());
        let code = ProvideErrorMetadata::meta(error).code();
        Self { code: code.unwrap_or("no answer").to_owned(), for_good }
    }
}
