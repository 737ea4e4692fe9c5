//! Logins under way in `DynamoDB`.

use serde::{Deserialize, Serialize};

use super::{AccountChange, Arrival, Attempt, Entrance, Joining, Login, NewTie, Next, Progress};
use crate::{
    clock::Timestamp,
    grant::Code,
    id::{ConnectionId, LoginId, ParentId, Random, Reference, Secret},
    journal::{Action, Actor, Entry},
    session::{Promised, Session},
    table::{CommitError, Key, Page, Range, Store, StoreError, Stored, Transaction},
};

/// Why an arrival could not be committed: the facts that it was decided on are no longer so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Another request finished the login, used the assertion or changed the person first. Load and decide again.
    #[error("another request was faster")]
    Changed,
}

/// What a committed arrival hands to the browser.
#[derive(Debug)]
pub struct Arrived {
    /// The session's cookie.
    pub session: Secret,
    /// The application's code, where the person entered an organization.
    pub code: Option<Secret>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UsedAssertion {
    used_at: Timestamp,
}

impl Store {
    /// Keeps an attempt that changed nothing else.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn keep_attempt(&self, attempt: &Attempt) -> Result<(), CommitError<LoginError>> {
        let mut transaction = Transaction::default();
        transaction.keep_attempt(attempt);
        self.commit(transaction).await
    }

    /// Commits an arrival: the replay marker, the end (or the next step) of the login, the account, its tie, the
    /// membership, the code and the session that begins with it, the attempt and the events; all or nothing.
    ///
    /// # Errors
    /// [`LoginError::Changed`] when what it was decided on has changed: the login, the person, the tie, or, for somebody
    /// who joins, the organization or the holder of the domain; else [`CommitError`].
    pub async fn arrive(
        &self,
        login: &Stored<Login>,
        arrival: &Arrival,
        assertion: (&str, Timestamp),
        attempt: &Attempt,
        random: &Random,
    ) -> Result<Arrived, CommitError<LoginError>> {
        let now = attempt.at;
        let changed = LoginError::Changed;
        let entry = Entry {
            trail: attempt.parent.into(),
            actor: Actor::Account { id: arrival.authentication.account },
            at: now,
        };
        let mut transaction = Transaction::default();
        transaction.use_assertion(attempt, assertion, changed);
        match &arrival.account {
            AccountChange::New(account) => transaction.create_account(account, changed),
            AccountChange::SignedIn(account, version) => transaction.replace_account(account, *version, changed),
        }
        if let Some(NewTie { tie, stale, known }) = &arrival.tie {
            transaction.tie_name_id(&arrival.authentication.email.folded(), tie, *stale, *known, changed);
            transaction.record(&entry.event(Action::NameIdTied, &tie.account, (), tie, random));
        }
        let session = random.secret();
        let promised = Promised {
            cookie: session.hash(),
            session: Session::begin(arrival.authentication.clone(), arrival.session_until),
        };
        let code = match &arrival.next {
            Next::Enter(entrance) => {
                transaction.finish_login(login.value.id, login.version, changed);
                Some(transaction.enter(&login.value, entrance, Some(promised), entry, changed, random))
            }
            Next::Choose(organizations) => {
                let progress = Progress::Choosing {
                    authentication: arrival.authentication.clone(),
                    organizations: organizations.clone(),
                    may_join: true,
                    promised: Some(Box::new(promised)),
                };
                let login_on = Login { progress, ..login.value.clone() };
                transaction.replace_login(&login_on, login.version, changed);
                None
            }
        };
        transaction.keep_attempt(attempt);
        self.commit(transaction).await?;
        Ok(Arrived { session, code })
    }

    /// Uses up an assertion that nobody asked for, and keeps the attempt. Nothing else comes of it.
    ///
    /// # Errors
    /// [`LoginError::Changed`] when it was used already; else [`CommitError`].
    pub async fn use_up(&self, assertion: (&str, Timestamp), attempt: &Attempt) -> Result<(), CommitError<LoginError>> {
        let mut transaction = Transaction::default();
        transaction.use_assertion(attempt, assertion, LoginError::Changed);
        transaction.keep_attempt(attempt);
        self.commit(transaction).await
    }

    /// Whether an assertion, given by the hash of its id, has been used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_used(&self, connection: ConnectionId, assertion: &str) -> Result<bool, StoreError> {
        Ok(self.get::<UsedAssertion>(Key::UsedAssertion(connection, assertion)).await?.is_some())
    }

    /// A page of a parent's attempts to sign in, newest first. What has ended at `now` is not among them, even where the
    /// table has not been cleaned yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attempts(
        &self,
        parent: ParentId,
        after: Option<&str>,
        limit: u16,
        now: Timestamp,
    ) -> Result<Page<Stored<Attempt>>, StoreError> {
        let mut page = self.list::<Attempt>(Range::Traces(parent), after, limit).await?;
        page.items.retain(|attempt| now < attempt.value.kept_until());
        Ok(page)
    }

    /// A parent's attempt to sign in, by the number that the person was shown; none where it is not kept any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attempt(
        &self,
        parent: ParentId,
        reference: &Reference,
        now: Timestamp,
    ) -> Result<Option<Attempt>, StoreError> {
        let second = reference.given_at(now);
        let mut after = None;
        loop {
            let page = self.list::<Attempt>(Range::TracesOf(parent, second), after.as_deref(), 100).await?;
            let mut attempts = page.items.into_iter().map(|stored| stored.value);
            if let Some(attempt) = attempts.find(|attempt| attempt.reference == *reference) {
                return Ok(Some(attempt).filter(|attempt| now < attempt.kept_until()));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    /// A login, alive or not; see [`Login::belongs_to`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn login(&self, id: LoginId) -> Result<Option<Stored<Login>>, StoreError> {
        self.get(Key::Login(id)).await
    }
}

impl<E: Clone> Transaction<E> {
    /// A person's entrance: the membership, if the person joins by it, and the application's code.
    pub fn enter(
        &mut self,
        login: &Login,
        entrance: &Entrance,
        promised: Option<Promised>,
        entry: Entry,
        changed: E,
        random: &Random,
    ) -> Secret {
        if let Some(Joining { membership, organization }) = &entrance.joins {
            self.require_organization(&organization.value, organization.version, changed.clone());
            self.require_open_domain(membership.email.domain(), organization.value.parent, changed.clone());
            self.create_membership(membership, changed);
            self.record(&entry.event(Action::MemberAdded, &membership.account, (), membership, random));
        }
        let code = random.secret();
        self.issue_code(&code.hash(), &Code::new(login.request.clone(), entrance.admission.clone(), promised));
        code
    }
}

impl<E> Transaction<E> {
    /// The marker of an assertion, given by the hash of its id, until it ends; `used` when there is one.
    fn use_assertion(&mut self, attempt: &Attempt, (assertion, until): (&str, Timestamp), used: E) {
        let marker = UsedAssertion { used_at: attempt.at };
        self.create_until(Key::UsedAssertion(attempt.connection, assertion), &marker, until, used);
    }

    /// An attempt, with its trace.
    pub fn keep_attempt(&mut self, attempt: &Attempt) {
        self.append_until(Key::Trace(attempt.parent, attempt.at, &attempt.reference), attempt, attempt.kept_until());
    }

    /// A new login.
    pub fn begin_login(&mut self, login: &Login) {
        self.append_until(Key::Login(login.id), login, login.expires_at);
    }

    /// A login as it is from now on; `gone` when it was finished or went on elsewhere.
    pub fn replace_login(&mut self, login: &Login, version: u64, gone: E) {
        self.replace_until(Key::Login(login.id), login, login.expires_at, version, gone);
    }

    /// The end of a login; `gone` when it was finished or went on elsewhere.
    pub fn finish_login(&mut self, id: LoginId, version: u64, gone: E) {
        self.delete_version(Key::Login(id), version, gone);
    }
}
