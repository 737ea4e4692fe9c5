//! What to tell the administrator: the setting to change, named as their identity provider names it.

mod settings;

use url::Url;

use super::idp::IdpKind;
use super::reason::Reason;
use settings::{Settings, settings};

/// A product's name, for sentences.
pub(super) fn product(idp: IdpKind) -> &'static str {
    settings(idp).product
}

/// One or two sentences for the first failure of a trace, given what was required and what was found.
pub(super) fn advice(reason: Reason, idp: IdpKind, expected: &str, found: &str) -> String {
    let s = settings(idp);
    let product = s.product;
    match reason {
        Reason::TooLarge => format!(
            "The response is too large. In {product}, send fewer attributes: under {}, limit the groups to those whose name starts with our prefix.",
            s.attributes
        ),
        Reason::Malformed | Reason::Dtd | Reason::Markup | Reason::Structure => format!(
            "The message is not a SAML 2.0 response that we accept. Check that {product} sends an unmodified SAML 2.0 Response by HTTP POST, and that no proxy in between changes it."
        ),
        Reason::AssertionCount | Reason::DuplicateId | Reason::DsigShape | Reason::Reference | Reason::Transform => {
            format!(
                "The signed response is not of the usual form, which an attack also looks like. In {product}, set {} to the product's default and send one assertion.",
                s.signing
            )
        }
        Reason::SignatureMissing => {
            format!("Nothing in the response is signed. In {product}, turn on {}.", s.signing)
        }
        Reason::Algorithm => {
            format!("In {product}, set {} to RSA or ECDSA with SHA-256 or stronger.", s.algorithm)
        }
        Reason::NoTrustedKey => {
            format!(
                "The connection has no certificate for this signature. Load {} into the connection again, or copy the {} from {product}.",
                s.metadata, s.certificate
            )
        }
        Reason::Digest => {
            format!(
                "The signed part was changed after signing. Check what sits between {product} and the browser, then try again."
            )
        }
        Reason::Signature => {
            format!(
                "{product} signed with a certificate that the connection does not trust: it was renewed, or the connection has the metadata of another application. Load {} of this application into the connection again, or copy its current {}.",
                s.metadata, s.certificate
            )
        }
        Reason::Decryption => {
            format!(
                "The assertion could not be decrypted. In {product}, set {} to the certificate in our metadata, or turn it off.",
                s.encryption
            )
        }
        _ => later_advice(reason, s, expected, found),
    }
}

fn later_advice(reason: Reason, s: &Settings, expected: &str, found: &str) -> String {
    let product = s.product;
    match reason {
        Reason::Status => {
            format!("{product} ended the sign-in itself. Look for the attempt in its log and check {}.", s.assignment)
        }
        Reason::Destination | Reason::Recipient => address(s.acs_url, product, expected, found),
        Reason::Audience => address(s.entity_id, product, expected, found),
        Reason::Issuer => {
            format!("The response comes from another application of {product} than the connection was set up with, or from another identity provider. Load {} of this very application into the connection.", s.metadata)
        }
        Reason::Expired | Reason::NotYetValid => {
            format!("The response was not valid at the time it arrived. Sign in again without waiting on the page of {product}, and without going back in the browser; if that does not help, compare the clock of {product} with the time.")
        }
        Reason::InResponseTo => {
            "The response does not belong to the sign-in that this browser started. Start again from the application, in one tab.".to_owned()
        }
        Reason::IdpInitiated => {
            format!("The sign-in was started from {product}. Start it from the application, or name the application on the connection that people are sent to who start from {product}.")
        }
        Reason::SubjectConfirmation | Reason::Conditions => {
            format!("The assertion lacks what browser sign-in needs or restricts its use in a way we cannot honour. In {product}, use the standard SAML 2.0 web browser SSO application type.")
        }
        Reason::NameId => {
            format!("In {product}, set {} to {}, not transient: a transient one is another at each sign-in, so that nobody is recognised.", s.name_id, s.lasting_name_ids)
        }
        Reason::EmailMissing => format!("In {product}, {}.", s.send_email),
        Reason::DomainNotOwned => {
            format!("Verify the domain of this person's e-mail address first. If the address is wrong, correct it: in {product}, {}.", s.send_email)
        }
        Reason::NameIdConflict => {
            format!("This address was signed in before with another NameID. If the person is the same, an administrator can reset the tie; keep {} unchanged from then on.", s.name_id)
        }
        Reason::Replayed => "This response was used before. Start the sign-in again.".to_owned(),
        Reason::DomainLapsed => "The TXT record that verifies this domain is gone, so nobody new joins by it. Publish it again, or add the person by hand.".to_owned(),
        Reason::NotMember => "Add the person to the organization, or change its provisioning mode.".to_owned(),
        Reason::NoMappedGroup => {
            format!("Add the person to one of the organization's groups. In {product}, check that they are sent: {}.", s.send_groups)
        }
        _ => format!("Check the application's settings in {product}."),
    }
}

/// For an address of ours that the identity provider has otherwise.
fn address(setting: &str, product: &str, expected: &str, found: &str) -> String {
    let set = format!("in {product}, set {setting} to the expected value shown here");
    let (Ok(ours), Ok(theirs)) = (Url::parse(expected), Url::parse(found)) else { return sentence(&set) };
    let same_place = ours.host_str() == theirs.host_str() && ours.port() == theirs.port();
    let set = capital(&set);
    if !same_place {
        let place = theirs.host_str().unwrap_or(found);
        return format!(
            "The response was made for {place}, which is another environment or another service. {set}; each environment needs an application of its own."
        );
    }
    if ours.scheme() == theirs.scheme() {
        return sentence(&set);
    }
    format!("The address begins with {}: there, and with {}: here. {set}.", theirs.scheme(), ours.scheme())
}

fn capital(words: &str) -> String {
    let mut rest = words.chars();
    rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect()
}

fn sentence(words: &str) -> String {
    format!("{}.", capital(words))
}

/// For an assertion without an address in the attribute that the connection names.
pub(super) fn no_email_in_attribute(idp: IdpKind) -> String {
    let s = settings(idp);
    format!(
        "In {}, send the attribute named here under {}, or name on the connection the attribute that holds the address.",
        s.product, s.attributes
    )
}

/// For an assertion that names no groups. `overflowed` is when Microsoft Entra ID left them out for their number.
pub(super) fn no_groups(idp: IdpKind, overflowed: bool) -> String {
    let s = settings(idp);
    let product = s.product;
    if overflowed {
        return format!("{product} left the groups out, since the person is in too many. {}.", capital(s.send_groups));
    }
    format!("The response names no groups, which group mappings need. In {product}, {}.", s.send_groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reason: Reason, idp: IdpKind) -> String {
        advice(reason, idp, "", "")
    }

    #[test]
    fn advice_names_the_setting_of_the_product() {
        assert!(of(Reason::Audience, IdpKind::Entra).contains("Identifier (Entity ID)"));
        assert!(of(Reason::Recipient, IdpKind::OneLogin).contains("ACS (Consumer) URL"));
        assert!(of(Reason::Algorithm, IdpKind::Other).contains("SHA-256"));
        assert!(no_groups(IdpKind::Okta, false).contains("Group Attribute Statements"));
        assert!(no_groups(IdpKind::Entra, true).contains("too many"));
    }

    #[test]
    fn advice_says_in_what_an_address_differs() {
        let ours = "https://id.example.com/saml/con_1/acs";
        for (found, says) in [
            ("http://id.example.com/saml/con_1/acs", "begins with http: there"),
            ("http://staging.example.com/saml/con_1/acs", "made for staging.example.com"),
            ("https://staging.example.com/saml/con_9/acs", "another environment"),
            ("https://id.example.com/saml/con_2/acs", "In Okta, set Single sign-on URL"),
            ("none", "In Okta, set Single sign-on URL"),
        ] {
            let text = advice(Reason::Destination, IdpKind::Okta, ours, found);
            assert!(text.contains(says) && text.contains("Single sign-on URL"), "{found}: {text}");
        }
        let local = advice(Reason::Audience, IdpKind::Other, "http://localhost:3000/a", "http://localhost:4000/a");
        assert!(local.contains("another environment"), "{local}");
    }

    #[test]
    fn every_reason_has_words_for_every_product() {
        for reason in Reason::ALL {
            for idp in IdpKind::ALL {
                let text = of(*reason, *idp);
                assert!(text.ends_with('.'), "{reason}: {text}");
                assert!(!text.starts_with("Check the application's settings"), "{reason} has no advice of its own");
            }
        }
    }
}
