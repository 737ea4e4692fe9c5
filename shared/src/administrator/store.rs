//! Administrators' sign-ins and sessions in `DynamoDB`.

use futures_util::future::try_join_all;

use super::{Authority, CODE_LIFETIME, Code, Sent, Session, SignIn, authority};
use crate::{
    account::{Address, Person},
    app::App,
    clock::{Timestamp, after},
    id::{AccountId, OrganizationId, SecretHash},
    mail::{Mail, Message, Recipient},
    organization::Organization,
    surface::Surfaces,
    table::{Key, Store, StoreError, Stored, Transaction},
};

/// Memberships whose organizations are looked at side by side.
const SIDE_BY_SIDE: usize = 32;

/// Why a step of signing in could not be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Another request of the browser, or of the person, was faster.
    #[error("another request was faster")]
    Changed,
}

impl Store {
    /// The sign-in of a browser, over or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn administrator_sign_in(&self, browser: &SecretHash) -> Result<Option<Stored<SignIn>>, StoreError> {
        self.get(Key::AdministratorSignIn(browser)).await
    }

    /// How many codes were sent to an address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sent_codes(&self, email: &Address) -> Result<Option<Stored<Sent>>, StoreError> {
        self.get(Key::SentCodes(&email.folded())).await
    }

    /// A session of the console that lives at `now`, as far as it says itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn administrator_session(
        &self,
        cookie: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<Stored<Session>>, StoreError> {
        let stored = self.get::<Session>(Key::AdministratorSession(cookie)).await?;
        Ok(stored.filter(|stored| stored.value.lives(now)))
    }

    /// The person, and the authority that they have by an organization now: one round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn authority(
        &self,
        email: &Address,
        account: AccountId,
        organization: OrganizationId,
        surfaces: &Surfaces,
    ) -> Result<(Person, Option<Authority>), StoreError> {
        let folded = email.folded();
        let (person, place) = tokio::try_join!(self.person(&folded), self.place(organization))?;
        let authority = place.and_then(|place| authority(&person, account, organization, &place, surfaces));
        Ok((person, authority))
    }

    /// Every authority that a person has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn authorities(&self, person: &Person, surfaces: &Surfaces) -> Result<Vec<Authority>, StoreError> {
        let Some(account) = person.account.as_ref().map(|stored| stored.value.id) else { return Ok(Vec::new()) };
        let organizations: Vec<_> = person.memberships.iter().map(|stored| stored.value.organization).collect();
        let mut all = Vec::new();
        for some in organizations.chunks(SIDE_BY_SIDE) {
            let places = try_join_all(some.iter().map(|id| self.place(*id))).await?;
            let had = some
                .iter()
                .zip(places)
                .filter_map(|(id, place)| place.and_then(|place| authority(person, account, *id, &place, surfaces)));
            all.extend(had);
        }
        Ok(all)
    }

    /// The organizations of these authorities, in their order; `None` for one that has moved since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn administered(
        &self,
        authorities: &[Authority],
    ) -> Result<Vec<Option<Stored<Organization>>>, StoreError> {
        let mut all = Vec::with_capacity(authorities.len());
        for some in authorities.chunks(SIDE_BY_SIDE) {
            let reads = some.iter().map(|had| self.organization_at(had.parent, &had.surface, had.organization));
            all.extend(try_join_all(reads).await?);
        }
        Ok(all)
    }
}

impl<E> Transaction<E> {
    /// A browser's sign-in as it is from now on; `changed` when it is not the one of version `before` any more.
    pub fn put_administrator_sign_in(
        &mut self,
        browser: &SecretHash,
        sign_in: &SignIn,
        before: Option<u64>,
        changed: E,
    ) {
        self.put_until(Key::AdministratorSignIn(browser), sign_in, sign_in.kept_until(), before, changed);
    }

    /// The end of a browser's sign-in; `changed` when it is not the one of version `before` any more.
    pub fn end_administrator_sign_in(&mut self, browser: &SecretHash, before: u64, changed: E) {
        self.delete_version(Key::AdministratorSignIn(browser), before, changed);
    }

    /// How many codes an address was sent; `changed` when it is not what was read with version `before` any more.
    pub fn count_sent_codes(&mut self, email: &Address, sent: Sent, before: Option<u64>, changed: E) {
        self.put_until(Key::SentCodes(&email.folded()), &sent, sent.ends_at(), before, changed);
    }

    /// Puts the mail with a code into the outbox; one that is not sent is written all the same, as withheld.
    pub fn send_sign_in_code(&mut self, to: &Address, code: &Code, is_sent: bool, app: &App) {
        let now = app.clock.now();
        let message = Message::SignInCode { code: code.reveal().to_owned(), expires_at: after(now, CODE_LIFETIME) };
        let to = Recipient::Address { email: to.clone() };
        let mail = Mail::new(to, &message, &app.settings.sealing_key, now, &app.random);
        self.send(&if is_sent { mail } else { mail.withheld() });
    }

    /// A new session of the console.
    pub fn begin_administrator_session(&mut self, cookie: &SecretHash, session: &Session) {
        self.append_until(Key::AdministratorSession(cookie), session, session.ends_at());
    }

    /// A session of the console as it is from now on; `changed` when it is another by now or has ended.
    pub fn replace_administrator_session(&mut self, cookie: &SecretHash, session: &Session, version: u64, changed: E) {
        self.replace_until(Key::AdministratorSession(cookie), session, session.ends_at(), version, changed);
    }

    /// The end of a session of the console; `changed` when it is another by now or has ended.
    pub fn end_administrator_session(&mut self, cookie: &SecretHash, version: u64, changed: E) {
        self.delete_version(Key::AdministratorSession(cookie), version, changed);
    }
}
