//! The sample application's side of OpenID Connect, by a standard client library.

use std::time::Duration;

use openidconnect::{
    AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, LoginHint, Nonce, NonceVerifier,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use vestibule::{app::Settings, clock::Clock, id::Random};

use super::{CALLBACK, Registration, backend::Backend};

/// How long the provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The provider, as this application is registered with it.
pub(super) struct Provider {
    issuer: String,
    redirect_uri: String,
    registration: Registration,
    backend: Backend,
    clock: Clock,
    http: reqwest::Client,
}

/// A sign-in under way: what only this browser's callback may be answered with.
#[derive(Clone)]
pub(super) struct Pending {
    /// Comes back with the code (RFC 6749, section 10.12).
    pub(super) state: String,
    /// Comes back in the ID token (OpenID Connect Core, section 3.1.2.1).
    pub(super) nonce: String,
    /// Shows that who exchanges the code also asked for it (RFC 7636).
    pub(super) verifier: String,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct SignedIn {
    /// What the ID token says that this application is about.
    pub(super) claims: Claims,
    /// The organization's name.
    pub(super) organization_name: Option<String>,
    /// All that the ID token says.
    pub(super) all: Value,
    refresh: Option<RefreshToken>,
}

/// What a sign-in is asked for with.
#[derive(Default, Deserialize)]
pub(super) struct Wish {
    /// The address, so that the person need not type it again.
    #[serde(default)]
    pub(super) login_hint: String,
    /// Who sent the person here, where it was not the person: only the provider may (OpenID Connect Core, section 4).
    pub(super) iss: Option<String>,
    /// Whether to sign in anew whatever session there is.
    #[serde(default)]
    pub(super) anew: Option<String>,
}

/// The claims that go beyond the standard ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    #[serde(skip)]
    pub(super) email: String,
    #[serde(default)]
    pub(super) organization: String,
    #[serde(default)]
    pub(super) surface: String,
    #[serde(default)]
    pub(super) role: String,
    /// Whatever else there is.
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, Value>,
}

impl AdditionalClaims for Claims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Claims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Client = openidconnect::Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why somebody is not signed in, in words for a page.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    /// The provider says no.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider can not be understood.
    #[error("the provider did not answer as expected: {0}")]
    Provider(String),
    /// What it answers with does not hold.
    #[error("the provider's answer does not hold: {0}")]
    Answer(String),
}

impl Provider {
    /// The provider that `settings` describe.
    pub(super) fn new(
        settings: &Settings,
        clock: Clock,
        operator_key: &str,
        registration: Registration,
    ) -> Result<Self, reqwest::Error> {
        // No proxy, since it is this machine; no redirects, so that tokens go nowhere else.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT);
        Ok(Self {
            issuer: settings.issuer().to_owned(),
            redirect_uri: settings.url(CALLBACK),
            registration,
            backend: Backend { api: settings.url("/api/v1"), key: operator_key.to_owned() },
            clock,
            http: http.build()?,
        })
    }

    /// The provider's name for itself.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Begins a sign-in: where to send the browser, and what to expect of its return.
    pub(super) async fn begin(&self, wish: &Wish, random: &Random) -> Result<(Url, Pending), SignInError> {
        let [state, nonce, verifier] = [(); 3].map(|()| random.secret().reveal().to_owned());
        let pending = Pending { state: state.clone(), nonce: nonce.clone(), verifier: verifier.clone() };
        let client = self.discover().await?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("offline_access".to_owned()))
            .set_pkce_challenge(challenge);
        if !wish.login_hint.is_empty() {
            request = request.set_login_hint(LoginHint::new(wish.login_hint.clone()));
        }
        if wish.anew.is_some() {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        Ok((request.url().0, pending))
    }

    /// Exchanges the code that a sign-in ended with.
    pub(super) async fn finish(&self, pending: Pending, code: String) -> Result<SignedIn, SignInError> {
        let client = self.discover().await?;
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| SignInError::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier));
        let tokens = request.request_async(&self.http).await.map_err(|error| token_error(&error))?;
        self.read(&client, &tokens, &Nonce::new(pending.nonce)).await
    }

    /// Asks for new tokens. The provider gives none to whom it would not let in any more.
    pub(super) async fn refresh(&self, signed_in: &SignedIn) -> Result<SignedIn, SignInError> {
        let none = || SignInError::Provider("it gave no refresh token".to_owned());
        let refresh = signed_in.refresh.as_ref().ok_or_else(none)?;
        let client = self.discover().await?;
        let request =
            client.exchange_refresh_token(refresh).map_err(|error| SignInError::Provider(error.to_string()))?;
        let tokens = request.request_async(&self.http).await.map_err(|error| token_error(&error))?;
        // A refreshed ID token need not repeat the nonce, which was compared once (OpenID Connect Core, section 12.2).
        let refreshed = self.read(&client, &tokens, |_: Option<&Nonce>| Ok(())).await?;
        if refreshed.all.get("sub") != signed_in.all.get("sub") {
            return Err(SignInError::Answer("it is about somebody else".to_owned()));
        }
        Ok(SignedIn { refresh: refreshed.refresh.or_else(|| signed_in.refresh.clone()), ..refreshed })
    }

    async fn discover(&self) -> Result<Client, SignInError> {
        let failed = |error: &dyn std::error::Error| SignInError::Provider(chain(error));
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| failed(&error))?;
        let metadata =
            CoreProviderMetadata::discover_async(issuer, &self.http).await.map_err(|error| failed(&error))?;
        let redirect_uri = RedirectUrl::new(self.redirect_uri.clone()).map_err(|error| failed(&error))?;
        let Registration { client_id, client_secret } = self.registration.clone();
        let secret = Some(ClientSecret::new(client_secret));
        let client = Client::from_provider_metadata(metadata, ClientId::new(client_id), secret);
        Ok(client.set_redirect_uri(redirect_uri))
    }

    async fn read(&self, client: &Client, tokens: &Tokens, nonce: impl NonceVerifier) -> Result<SignedIn, SignInError> {
        let missing = |what: &str| SignInError::Answer(format!("it has no {what}"));
        let id_token = tokens.id_token().ok_or_else(|| missing("ID token"))?;
        let now = self.clock.now().to_string();
        let verifier = client.id_token_verifier().set_time_fn(move || now.parse().unwrap_or_default());
        let claims = id_token.claims(&verifier, nonce).map_err(|error| SignInError::Answer(chain(&error)))?;
        let email = claims.email().ok_or_else(|| missing("e-mail address"))?.to_string();
        let all = serde_json::to_value(claims).unwrap_or_default();
        let claims = Claims { email, ..claims.additional_claims().clone() };
        let organization_name = self.backend.organization_name(&self.http, &claims.organization).await;
        Ok(SignedIn { claims, organization_name, all, refresh: tokens.refresh_token().cloned() })
    }
}

fn token_error<E: std::error::Error + 'static>(
    error: &RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>,
) -> SignInError {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            SignInError::Refused(answer.error_description().unwrap_or(&answer.error().to_string()).clone())
        }
        other => SignInError::Provider(chain(other)),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
