//! What an identity provider can get wrong, each with the reason for which the product refuses it.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{KeySize, PrivateDecryptingKey},
};
use jiff::SignedDuration;
use vestibule::{
    clock::{Timestamp, after},
    id::hex,
    saml::{EMAIL_FORMAT, PERSISTENT_FORMAT, PinnedKey, Reason, SignError},
};

use super::{
    Idp,
    people::Person,
    response::{Cipher, Draft, EncryptError, Encryption, KeyPlace, SignIn, Transport},
};
use vestibule::saml::IdpKind;

/// How far a wrong clock is off.
const CLOCK_OFF: SignedDuration = SignedDuration::from_hours(1);

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $label:literal, $reason:ident;)+) => {
        /// Something to get wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[doc = $doc])+ $name,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// How a form names it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Whether it goes wrong around the signature.
            const fn is_of_the_signature(self) -> bool {
                matches!(self, Self::Unsigned | Self::OtherKey | Self::Changed | Self::Comment | Self::Status)
            }

            /// How a page names it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// For which reason the product refuses it.
            #[must_use]
            pub const fn reason(self) -> Reason {
                match self { $(Self::$name => Reason::$reason,)+ }
            }
        }
    };
}

faults! {
    /// No signature at all.
    Unsigned = "unsigned", "Nothing is signed", SignatureMissing;
    /// Signed by a key that is not in the metadata.
    OtherKey = "other-key", "Another key signs", Signature;
    /// Changed after it was signed.
    Changed = "changed", "Changed on its way", Digest;
    /// A comment in the middle of the address, which careless readers stop at.
    Comment = "comment", "A comment inside the address", Markup;
    /// The identity provider says that it let nobody in.
    Status = "status", "The identity provider reports a failure", Status;
    /// Another identity provider's name.
    OtherIssuer = "other-issuer", "Another identity provider's name", Issuer;
    /// Meant for another service provider.
    OtherAudience = "other-audience", "Meant for another audience", Audience;
    /// The clock is behind.
    Expired = "expired", "An hour old", Expired;
    /// The clock is ahead.
    NotYetValid = "not-yet-valid", "An hour early", NotYetValid;
    /// The answer to a request that nobody made.
    OtherRequest = "other-request", "Answers another request", InResponseTo;
    /// An address on a domain that the customer has not proven.
    OtherDomain = "other-domain", "An address on a foreign domain", DomainNotOwned;
    /// The same address with another identifier: somebody new who was given a used address, perhaps.
    OtherNameId = "other-name-id", "Another person with an address that was seen before", NameIdConflict;
    /// Encrypted to a certificate that is not the service provider's.
    OtherRecipient = "other-recipient", "Encrypted to another certificate", Decryption;
}

/// What is answered, and to whom.
pub(super) struct Answering<'a> {
    pub(super) acs_url: &'a str,
    pub(super) sp_entity_id: &'a str,
    pub(super) in_response_to: Option<&'a str>,
    /// Whether the address is the NameID, as the request asks for; else it is an identifier that stays.
    pub(super) by_address: bool,
    /// How to encrypt the assertion, and to which certificate.
    pub(super) encryption: Option<(Cipher, PinnedKey)>,
}

impl Idp {
    /// The response that signs `person` in, with one thing wrong with it or none.
    pub(super) fn response(
        &self,
        answering: &Answering<'_>,
        person: &Person,
        fault: Option<Fault>,
    ) -> Result<String, EncryptError> {
        let has = |wanted| fault == Some(wanted);
        let pick = |wanted, wrong: &str, right: &str| if has(wanted) { wrong.to_owned() } else { right.to_owned() };
        let groups: Vec<&str> = person.groups.iter().map(String::as_str).collect();
        let issuer = pick(Fault::OtherIssuer, "https://idp.elsewhere.example", &self.entity_id);
        let audience = pick(Fault::OtherAudience, "https://sp.elsewhere.example", answering.sp_entity_id);
        let (own, format) = if answering.by_address {
            (person.email.clone(), EMAIL_FORMAT)
        } else {
            (person.name_id(), PERSISTENT_FORMAT)
        };
        let name_id = pick(Fault::OtherNameId, &hex(&self.app.random.bytes::<12>()), &own);
        let email = if has(Fault::OtherDomain) { elsewhere(&person.email) } else { person.email.clone() };
        let other_request = format!("_{}", hex(&self.app.random.bytes::<16>()));
        let sign_in = SignIn {
            idp_entity_id: &issuer,
            sp_entity_id: &audience,
            acs_url: answering.acs_url,
            in_response_to: if has(Fault::OtherRequest) { Some(&other_request) } else { answering.in_response_to },
            name_id: &name_id,
            name_id_format: Some(format),
            email: &email,
            given_name: &person.given_name,
            surname: &person.surname,
            groups: &groups,
            now: clock(self.app.clock.now(), fault),
            random: self.app.random.bytes(),
        };
        let encryption = if has(Fault::OtherRecipient) {
            Some((Cipher::Gcm256, other_recipient()?))
        } else if fault.is_some_and(Fault::is_of_the_signature) {
            // Shown in the open, where it can be seen.
            None
        } else {
            answering.encryption.as_ref().map(|(cipher, certificate)| (*cipher, certificate.public_key_info()))
        };
        match encryption {
            None => Ok(self.finish(Draft::new(IdpKind::Other, &sign_in), &email, fault)?),
            Some((cipher, recipient)) => {
                let encryption = Encryption {
                    recipient: &recipient,
                    cipher,
                    transport: Transport::OaepSha256,
                    place: KeyPlace::Inside,
                    random: &self.app.random.bytes(),
                };
                Draft::self_contained(IdpKind::Other, &sign_in).sign_and_encrypt(&self.key, &encryption)
            }
        }
    }

    /// Signs, and goes wrong around the signature.
    fn finish(&self, mut draft: Draft, email: &str, fault: Option<Fault>) -> Result<String, SignError> {
        match fault {
            Some(Fault::Unsigned) => Ok(draft.xml),
            Some(Fault::OtherKey) => draft.sign(&self.other_key),
            Some(Fault::Changed) => Ok(draft.sign(&self.key)?.replace(email, &format!("x{email}"))),
            Some(Fault::Comment) => {
                let (local, domain) = email.split_once('@').unwrap_or((email, ""));
                Ok(draft.sign(&self.key)?.replace(email, &format!("{local}@<!-- -->{domain}")))
            }
            Some(Fault::Status) => {
                draft.xml = draft.xml.replace(":status:Success", ":status:Responder");
                draft.sign(&self.key)
            }
            _ => draft.sign(&self.key),
        }
    }
}

/// The public half of a key whose private half nobody has.
fn other_recipient() -> Result<Vec<u8>, EncryptError> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
    Ok(AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key())?.as_ref().to_vec())
}

/// The same name on a domain that nobody has proven.
fn elsewhere(email: &str) -> String {
    format!("{}@elsewhere.example", email.split('@').next().unwrap_or_default())
}

fn clock(now: Timestamp, fault: Option<Fault>) -> Timestamp {
    match fault {
        Some(Fault::Expired) => after(now, -CLOCK_OFF.as_secs()),
        Some(Fault::NotYetValid) => after(now, CLOCK_OFF.as_secs()),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_word_of_its_own() {
        let mut words: Vec<&str> = Fault::ALL.iter().map(|fault| fault.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Fault::ALL.len());
        assert_eq!(elsewhere("ada@acme.example"), "ada@elsewhere.example");
    }
}
