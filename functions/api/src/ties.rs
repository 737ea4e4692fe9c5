//! `/parents/{id}/connection/ties`: which NameID the identity provider knows an account by.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use vestibule::{
    app::App,
    id::{AccountId, ParentId},
    journal::{Action, Actor, Entry},
    table::{Stored, Transaction, settle},
    web::Problem,
};

use crate::{once::Obstacle, request::Path};

/// Resets an account's tie
///
/// A connection knows an account by the NameID of its first sign-in, and refuses any other. Reset the tie when the
/// identity provider has given the same person another NameID: the next sign-in ties the account anew. Make sure that
/// it is the same person, and not somebody else who was given the address.
#[utoipa::path(
    delete,
    path = "/parents/{id}/connection/ties/{account}",
    operation_id = "reset_tie",
    tag = "Parent organizations",
    params(
        ("id" = String, Path, description = "The parent organization's identifier."),
        ("account" = String, Path, description = "The account.")
    ),
    responses(
        (status = 204, description = "The tie is gone."),
        (
            status = 404,
            description = "`not-found`: There is no such parent organization, or its connection has no tie to such an \
                           account."
        ),
        (status = 409, description = "`changed`: Somebody else changed the same.")
    )
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    Path((id, account)): Path<(ParentId, AccountId)>,
) -> Result<StatusCode, Problem> {
    settle(|| reset_once(&app, id, account)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_once(app: &App, id: ParentId, account: AccountId) -> Result<(), Obstacle> {
    let none = || Problem::not_found("tie of this parent organization's connection");
    let (parent, address) = tokio::try_join!(app.store.parent(id), app.store.address(account))?;
    let connection = parent.and_then(|parent| parent.value.connection).ok_or_else(none)?;
    let address = address.ok_or_else(none)?.folded();
    let person = app.store.person(&address).await?;
    let tie = person.name_id(connection).filter(|tie| tie.value.account == account);
    let Stored { value: tie, version } = tie.ok_or_else(none)?;
    let entry = Entry { trail: id.into(), actor: Actor::Operator, at: app.clock.now() };
    let mut transaction = Transaction::default();
    transaction.reset_name_id(&address, tie, *version, Obstacle::Changed);
    transaction.record(&entry.event(Action::NameIdReset, &account, tie, (), &app.random));
    app.store.commit(transaction).await?;
    Ok(())
}
