//! `POST /oidc/token`: a code or a refresh token for tokens (RFC 6749, sections 4.1.3 and 6; OpenID Connect Core,
//! sections 3.1.3 and 12).

mod client;
mod error;

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use serde::Serialize;
use vestibule::{
    account::Membership,
    app::App,
    clock::Timestamp,
    grant::{ACCESS_LIFETIME, Grant, GrantError, GrantRefusal, IdToken, Presented, RefreshToken},
    id::{ApplicationId, GrantId, Secret, SecretHash},
    session::Promised,
    signing_key::{IdTokenKeys, KeyRingError},
    table::{CommitError, StoreError, Stored, Transaction},
};

use self::{client::Client, error::TokenError};
use crate::{
    Provider,
    parameters::{ParameterError, Parameters},
};

pub(crate) const PATH: &str = "/oidc/token";

/// A successful answer (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
#[derive(Serialize)]
struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    id_token: String,
    scope: String,
}

pub(crate) async fn exchange(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = Parameters::of_form(&headers, body);
    match tokens(&provider, &headers, form).await {
        Ok(tokens) => {
            ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(tokens)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn tokens(
    provider: &Provider,
    headers: &HeaderMap,
    form: Result<Parameters, ParameterError>,
) -> Result<Tokens, TokenError> {
    let form = form?;
    let client = Client::read(headers, &form)?;
    let now = provider.app.clock.now();
    match form.required("grant_type")? {
        "authorization_code" => redeem(provider, &client, &form, now).await,
        "refresh_token" => refresh(provider, &client, &form, now).await,
        _ => Err(TokenError::UnsupportedGrantType),
    }
}

/// The first round trip: the application, the keys, and what it presents, side by side.
async fn load<T>(
    provider: &Provider,
    client: &Client,
    presented: impl Future<Output = Result<T, StoreError>>,
    now: Timestamp,
) -> Result<(ApplicationId, Arc<IdTokenKeys>, T), TokenError> {
    let store = &provider.app.store;
    let application = async {
        match client.id {
            Some(id) => Ok::<_, KeyRingError>(store.application(id).await?),
            None => Ok(None),
        }
    };
    let presented = async { Ok(presented.await?) };
    let (application, presented, keys) =
        tokio::try_join!(application, presented, provider.keys.keys(&provider.app, now))?;
    match application {
        Some(application) if client.is(Some(&application)) => Ok((application.id, keys, presented)),
        Some(_) | None => Err(TokenError::InvalidClient("there is no such client, or its secret is another one")),
    }
}

async fn redeem(provider: &Provider, client: &Client, form: &Parameters, now: Timestamp) -> Result<Tokens, TokenError> {
    let app = &*provider.app;
    let hash = Secret::presented(form.required("code")?).hash();
    let (redirect_uri, verifier) = (form.required("redirect_uri")?, form.required("code_verifier")?);
    let (application, keys, code) = load(provider, client, app.store.code(&hash), now).await?;
    let Stored { value: code, version } = code.ok_or(GrantRefusal::Unknown)?;
    let admission = &code.admission;
    let membership = app.store.membership(&admission.email.folded(), admission.organization).await?;
    let membership = membership.as_ref().map(|stored| &stored.value);
    let presented = Presented { application, redirect_uri, verifier };
    let redeemed = match code.redeem(&presented, membership, now, &app.random) {
        Ok(redeemed) => redeemed,
        Err(refusal) => return Err(refuse(app, refusal).await),
    };

    let nonce = code.request.nonce.as_deref();
    let tokens = issue(app, &keys, &redeemed.grant, redeemed.refresh.as_ref(), membership, nonce, now)?;
    let mut transaction = Transaction::default();
    transaction.replace_code(&hash, &redeemed.code, version, GrantError::UsedTwice);
    transaction.create_grant(&redeemed.grant);
    if let Some(Promised { cookie, session }) = &redeemed.code.promised {
        transaction.begin_session(cookie, session);
    }
    match app.store.commit(transaction).await {
        Ok(()) => Ok(tokens),
        Err(CommitError::Refused(GrantError::UsedTwice) | CommitError::Contended) => Err(used_twice(app, &hash).await),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

async fn refresh(
    provider: &Provider,
    client: &Client,
    form: &Parameters,
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    let app = &*provider.app;
    let presented: Option<RefreshToken> = form.required("refresh_token")?.parse().ok();
    let scope = form.one("scope")?;
    let grant = async {
        match &presented {
            Some(token) => app.store.grant(token.grant).await,
            None => Ok(None),
        }
    };
    let (application, keys, grant) = load(provider, client, grant, now).await?;
    let (Some(presented), Some(Stored { value: grant, version })) = (presented, grant) else {
        return Err(GrantRefusal::Unknown.into());
    };
    let admission = &grant.admission;
    let membership = app.store.membership(&admission.email.folded(), admission.organization).await?;
    let membership = membership.as_ref().map(|stored| &stored.value);
    let (next, token) = match grant.refreshed(&presented, application, membership, now, &app.random) {
        Ok(refreshed) => refreshed,
        Err(refusal) => return Err(refuse(app, refusal).await),
    };
    // Less may be asked for, and is answered with all of it (section 3.3); more may not (section 6).
    if !scope.unwrap_or_default().split(' ').all(|scope| scope.is_empty() || admission.may(scope)) {
        return Err(TokenError::InvalidScope("a scope that was not granted"));
    }

    let tokens = issue(app, &keys, &next, Some(&token), membership, None, now)?;
    let mut transaction = Transaction::default();
    transaction.replace_grant(&next, version, GrantError::UsedTwice);
    match app.store.commit(transaction).await {
        Ok(()) => Ok(tokens),
        Err(CommitError::Refused(GrantError::UsedTwice)) => Err(refuse(app, GrantRefusal::UsedBefore(grant.id)).await),
        Err(error) => Err(TokenError::unavailable(error)),
    }
}

/// The tokens of a grant, with the role that the membership gives now.
fn issue(
    app: &App,
    keys: &IdTokenKeys,
    grant: &Grant,
    refresh: Option<&RefreshToken>,
    membership: Option<&Membership>,
    nonce: Option<&str>,
    now: Timestamp,
) -> Result<Tokens, TokenError> {
    let role = &membership.ok_or(GrantRefusal::NotMember)?.role;
    let access_token = grant.access_token(&app.settings.sealing_key, now, &app.random);
    let claims = IdToken::new(app.settings.issuer(), &grant.admission, role, nonce, &access_token, now);
    Ok(Tokens {
        id_token: keys.sign(&claims, now)?,
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_LIFETIME,
        refresh_token: refresh.map(RefreshToken::reveal),
        scope: grant.admission.scope.clone(),
    })
}

/// What becomes of a code that another request exchanged at the same moment.
async fn used_twice(app: &App, code: &SecretHash) -> TokenError {
    match app.store.code(code).await {
        Ok(Some(Stored { value, .. })) => match value.redeemed {
            Some(grant) => refuse(app, GrantRefusal::UsedBefore(grant)).await,
            None => TokenError::unavailable("contention on a code"),
        },
        Ok(None) => GrantRefusal::Unknown.into(),
        Err(error) => error.into(),
    }
}

/// A refusal, after the grant it names has been revoked.
async fn refuse(app: &App, refusal: GrantRefusal) -> TokenError {
    let GrantRefusal::UsedBefore(grant) = refusal else { return refusal.into() };
    match revoke(app, grant).await {
        Ok(()) => refusal.into(),
        Err(error) => error,
    }
}

async fn revoke(app: &App, grant: GrantId) -> Result<(), TokenError> {
    app.store.revoke_grant(grant).await.map_err(TokenError::unavailable)?;
    tracing::warn!(%grant, "a code or a refresh token was used again: the grant is revoked");
    Ok(())
}
