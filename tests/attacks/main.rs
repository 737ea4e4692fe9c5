//! The attack generator. Each attack takes a response that is accepted, changes one thing, and must be refused by the one
//! reason for it; public collections of bad responses prove little, since most of them carry no valid signature at all.
//!
//! Attacks on what surrounds the message (replay, addresses of other domains, relay states) are made over HTTP in `e2e`.

use std::collections::BTreeMap;

use vestibule::saml::{Expected, IdpKind, Refusal, Trust};
use vestibule_local::idp::response::Signing;
use world::{Attack, Base, PRODUCTS, WAYS, expected, judge, trust};

mod claims;
mod curves;
mod differential;
mod dsig;
mod edit;
mod encryption;
mod forge;
mod forged;
mod markup;
mod noise;
mod octets;
mod world;
mod wrapping;

type Family = (&'static str, fn(&Base) -> Vec<Attack>);

const FAMILIES: [Family; 6] = [
    ("wrapping", wrapping::attacks),
    ("signature", dsig::attacks),
    ("markup", markup::attacks),
    ("octets", octets::attacks),
    ("claims", claims::attacks),
    ("curves", curves::attacks),
];

/// A message that must be accepted, or the attack made of it proves nothing.
pub fn control(what: &str, xml: &str, trust: &Trust, expected: &Expected<'_>) {
    if let Err(refusal) = judge(xml.as_bytes(), trust, expected) {
        panic!("control {what}: {refusal}\n{xml}");
    }
}

/// Runs attacks; the names of those that were not refused as they should be.
fn run(attacks: Vec<Attack>, of: &str, counts: &mut BTreeMap<&'static str, usize>) -> Vec<String> {
    let mut wrong = Vec::new();
    for attack in attacks {
        let result = judge(&attack.message, &attack.trust, &attack.expected).map_err(Refusal::reason);
        *counts.entry(attack.reason.as_str()).or_default() += 1;
        if result.as_ref().err() != Some(&attack.reason) {
            let got = result.map_or_else(|reason| reason.to_string(), |_| "ACCEPTED".to_owned());
            wrong.push(format!("{of}: {}: wanted {}, got {got}", attack.name, attack.reason));
        }
    }
    wrong
}

#[test]
#[allow(clippy::print_stdout, reason = "the number is a result")]
fn every_attack_is_refused_by_its_reason() {
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for (family, attacks) in FAMILIES {
        let before: usize = counts.values().sum();
        for product in PRODUCTS {
            for signing in WAYS {
                let base = Base::new(product, signing);
                control("base", &base.xml, &trust(), &expected());
                wrong.extend(run(attacks(&base), &format!("{family}, {product:?}, {signing:?}"), &mut counts));
            }
        }
        println!("{family}: {} attacks", counts.values().sum::<usize>() - before);
    }
    for signing in [Signing::Response, Signing::Assertion] {
        let base = Base::new(IdpKind::Other, signing);
        wrong.extend(run(forged::attacks(&base), &format!("forged, {signing:?}"), &mut counts));
    }
    for product in [IdpKind::Okta, IdpKind::Entra, IdpKind::Shibboleth] {
        for signing in WAYS {
            let base = Base::self_contained(product, signing);
            wrong.extend(run(
                encryption::attacks(&base),
                &format!("encryption, {product:?}, {signing:?}"),
                &mut counts,
            ));
        }
    }
    let total: usize = counts.values().sum();
    for (reason, count) in &counts {
        println!("{reason}: {count}");
    }
    println!("{total} attacks in all");
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(total >= 300, "only {total} attacks");
}

#[test]
fn forms_and_requests_that_are_not_clean_are_refused() {
    let base = Base::new(IdpKind::Okta, Signing::Both);
    assert!(octets::forms(&base) + octets::bombs() >= 15);
}
