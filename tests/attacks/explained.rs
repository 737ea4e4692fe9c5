//! What administrators read of each attack: the check that failed, what it expected and what it found.

use vestibule::saml::{CheckName, IdpKind, Outcome, Reason, Trace, Unverified};
use vestibule_local::idp::response::Signing;

use crate::{
    FAMILIES,
    world::{Attack, Base, OURS, THEIRS},
};

/// A few responses, which between them have everything that is explained.
pub fn attacks() -> Vec<Attack> {
    let bases =
        [(IdpKind::Okta, Signing::Both), (IdpKind::Entra, Signing::Assertion), (IdpKind::Other, Signing::Response)];
    let mut attacks = Vec::new();
    for (product, signing) in bases {
        let base = Base::new(product, signing);
        attacks.push(Attack::new("nothing changed", base.xml.clone(), Reason::Status));
        // Keys on curves are new each time, and nothing is said of them that is not said of RSA.
        for (_, family) in FAMILIES.iter().filter(|(name, _)| *name != "curves") {
            attacks.extend(family(&base));
        }
        for attack in &mut attacks {
            if !attack.name.contains(" | ") {
                attack.name = format!("{product:?} {signing:?} | {}", attack.name);
            }
        }
    }
    for signing in [Signing::Assertion, Signing::Both] {
        attacks.push(crate::encryption::sound(&Base::self_contained(IdpKind::Okta, signing)));
    }
    let unsigned = Base::new(IdpKind::Okta, Signing::Assertion).xml;
    attacks.push(Attack::new("no issuer of the response", crate::edit::remove(&unsigned, "Issuer"), Reason::Issuer));
    attacks.extend(crate::forged::attacks(&Base::new(IdpKind::Other, Signing::Response)));
    attacks
}

/// One line for each check that did not simply pass, or for all of them where nothing failed.
pub fn explanation(attack: &Attack) -> String {
    let mut trace = Trace::new(IdpKind::Other);
    let result = Unverified::from_xml(&attack.message, &mut trace)
        .and_then(|unverified| unverified.verify(&attack.trust, attack.expected.now, &mut trace))
        .and_then(|signed| signed.check(&attack.expected, &mut trace));
    let mut lines = vec![attack.name.clone()];
    for check in trace.checks().iter().filter(|check| result.is_ok() || check.outcome == Outcome::Failed) {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let warning = check.advice.as_deref().filter(|_| check.outcome == Outcome::Passed).unwrap_or_default();
        // Certificates are new each time, and not always of one size.
        let found = if check.name == CheckName::Size { "<size>".to_owned() } else { text(&check.found) };
        let line = format!("    {}: {} | {found} {warning}", check.name, text(&check.expected));
        lines.push(line.trim_end().to_owned());
    }
    let text = lines.join("\n");
    let named = |text: String, key: &crate::world::Key, name: &str| {
        text.replace(&key.signing.certificate().fingerprint(), name)
    };
    named(named(text, &OURS, "<ours>"), &THEIRS, "<theirs>")
}

#[test]
fn every_refusal_says_what_was_expected_and_found() {
    let lines: Vec<String> = attacks().iter().map(explanation).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
