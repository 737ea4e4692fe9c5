//! Whom an assertion is about, and what is stored of them.

use vestibule::{
    account::{Address, FoldedAddress, NameIdTie, Person},
    app::App,
    clock::{Timestamp, after},
    connection::Connection,
    id::{ParentId, hex, sha256},
    login::{self, Attempt, Claim},
    saml::{Assertion, CheckName, Reason, Refusal, Trace},
    table::StoreError,
};

/// Whom an assertion is about, in the forms that they are looked up by.
pub(super) struct Asserted<'a> {
    connection: &'a Connection,
    assertion: &'a Assertion,
    email: Address,
    folded: FoldedAddress,
    pub(super) name_id_hash: String,
    assertion_hash: String,
}

/// What is stored of them.
pub(super) struct Known {
    domain_owner: Option<ParentId>,
    person: Person,
    tied: Option<NameIdTie>,
    used: bool,
}

impl<'a> Asserted<'a> {
    /// Reads the address.
    ///
    /// # Errors
    /// `email_missing`.
    pub(super) fn read(
        app: &App,
        connection: &'a Connection,
        assertion: &'a Assertion,
        trace: &mut Trace,
    ) -> Result<Self, Refusal> {
        let email = assertion.check_email(connection.options.email_attribute.as_deref(), trace)?.address.to_owned();
        let email: Address = email.parse().map_err(|error| {
            trace.fail(CheckName::Email, Reason::EmailMissing, "one well-formed e-mail address", error)
        })?;
        let name_id_hash = login::name_id_hash(
            &assertion.name_id,
            &connection.identity_provider.entity_id,
            &connection.entity_id(&app.settings),
        );
        Ok(Self {
            connection,
            assertion,
            folded: email.folded(),
            email,
            name_id_hash,
            assertion_hash: hex(&sha256(assertion.id.as_bytes())),
        })
    }

    /// Who holds the address's domain, the account with its memberships, the NameID's account and the assertion's replay
    /// marker, side by side.
    pub(super) async fn look_up(&self, app: &App) -> Result<Known, StoreError> {
        let (store, id) = (&app.store, self.connection.id);
        let (domain_owner, person, tied, used) = tokio::try_join!(
            store.domain_owner(self.email.domain()),
            store.person(&self.folded),
            store.name_id(id, &self.name_id_hash),
            store.is_used(id, &self.assertion_hash),
        )?;
        Ok(Known { domain_owner, person, tied, used })
    }

    pub(super) fn claim<'b>(&'b self, known: &'b Known) -> Claim<'b> {
        Claim {
            connection: self.connection,
            assertion: self.assertion,
            email: &self.email,
            domain_owner: known.domain_owner,
            person: &known.person,
            known_as: known.tied.as_ref(),
            used: known.used,
        }
    }

    /// Keeps the address with the attempt, where it is on a domain of the customer's.
    pub(super) fn note_address(&self, claim: &Claim<'_>, attempt: &mut Attempt) {
        if claim.domain_owner == Some(self.connection.parent) {
            attempt.email = Some(self.email.clone());
        }
    }

    /// The replay marker, which outlives the assertion's own end by a moment, so that there is no gap between the two.
    pub(super) fn once(&self) -> (&str, Timestamp) {
        (&self.assertion_hash, after(self.assertion.not_on_or_after, 1))
    }

    pub(super) const fn email(&self) -> &Address {
        &self.email
    }
}
