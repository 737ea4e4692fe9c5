//! The attack generator. Each attack takes a response that is accepted, changes one thing, and must be refused by the one
//! reason for it; public collections of bad responses prove little, since most of them carry no valid signature at all.
//!
//! Attacks on what surrounds the message (replay, addresses of other domains, relay states) are made over HTTP in `e2e`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use vestibule::saml::{Expected, IdpKind, Refusal, Trust};
use vestibule_local::idp::response::Signing;
use world::{Attack, Base, PRODUCTS, WAYS, expected, judge, says_what_was_signed, trust};

mod claims;
mod curves;
mod differential;
mod dsig;
mod edit;
mod encryption;
mod explained;
mod forge;
mod forged;
mod markup;
mod mutants;
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
pub struct Control {
    pub name: String,
    pub message: String,
    pub trust: Trust,
    pub expected: Expected<'static>,
}

/// Every control of this process.
static CONTROLS: Mutex<Vec<Control>> = Mutex::new(Vec::new());

impl Control {
    /// What is wrong, if it is not accepted.
    pub fn defect(&self) -> Option<String> {
        let judged = judge(self.message.as_bytes(), &self.trust, &self.expected);
        judged.err().map(|refusal| format!("control {}: {refusal}", self.name))
    }
}

pub fn control(what: &str, xml: &str, trust: &Trust, expected: &Expected<'static>) {
    let (name, message) = (what.to_owned(), xml.to_owned());
    let control = Control { name, message, trust: trust.clone(), expected: *expected };
    if let Some(defect) = control.defect() {
        panic!("{defect}\n{xml}");
    }
    CONTROLS.lock().unwrap_or_else(PoisonError::into_inner).push(control);
}

impl Attack {
    /// What is wrong, if it is not refused as it should be.
    pub fn defect(&self) -> Option<String> {
        let result = judge(&self.message, &self.trust, &self.expected).map_err(Refusal::reason);
        if result.as_ref().err() == Some(&self.reason) {
            return None;
        }
        let got = result.map_or_else(|reason| reason.to_string(), |_| "ACCEPTED".to_owned());
        Some(format!("{}: wanted {}, got {got}", self.name, self.reason))
    }
}

/// Sound responses of each product, signed in each way.
fn bases(products: &[IdpKind]) -> Vec<Base> {
    let ways = |product: &IdpKind| WAYS.map(|signing| Base::new(*product, signing));
    let bases: Vec<Base> = products.iter().flat_map(ways).collect();
    for base in &bases {
        control("base", &base.xml, &trust(), &expected());
    }
    bases
}

/// Every attack of each family on responses of these products, by the family's name.
fn every_attack(products: &[IdpKind]) -> BTreeMap<&'static str, Vec<Attack>> {
    let bases = bases(products);
    let mut families: BTreeMap<&'static str, Vec<Attack>> = BTreeMap::new();
    let mut add = |family: &'static str, base: &Base, attacks: Vec<Attack>| {
        let of = format!("{family}, {:?}, {:?}", base.product, base.draft.signing);
        let named = attacks.into_iter().map(|attack| Attack { name: format!("{of}: {}", attack.name), ..attack });
        families.entry(family).or_default().extend(named);
    };
    for (family, attacks) in FAMILIES {
        for base in &bases {
            add(family, base, attacks(base));
        }
    }
    for signing in [Signing::Response, Signing::Assertion] {
        let base = Base::new(IdpKind::Other, signing);
        add("forged", &base, forged::attacks(&base));
    }
    for product in [IdpKind::Okta, IdpKind::Entra, IdpKind::Shibboleth] {
        for signing in WAYS {
            let base = Base::self_contained(product, signing);
            add("encryption", &base, encryption::attacks(&base));
        }
    }
    families
}

#[test]
#[allow(clippy::print_stdout, reason = "the number is a result")]
fn every_attack_is_refused_by_its_reason() {
    let families = every_attack(&PRODUCTS);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (family, attacks) in &families {
        println!("{family}: {} attacks", attacks.len());
        for attack in attacks {
            *counts.entry(attack.reason.as_str()).or_default() += 1;
            wrong.extend(attack.defect());
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
fn what_is_accepted_says_what_was_signed() {
    for base in bases(&PRODUCTS) {
        if let Some(defect) = says_what_was_signed(&base) {
            panic!("{:?}, {:?}: {defect}", base.product, base.draft.signing);
        }
    }
}

#[test]
fn forms_and_requests_that_are_not_clean_are_refused() {
    let base = Base::new(IdpKind::Okta, Signing::Both);
    let (forms, requests) = (octets::forms(&base), octets::requests());
    assert!(forms.len() + requests.len() >= 15);
    let defects = forms.iter().filter_map(octets::Form::defect);
    let defects: Vec<String> = defects.chain(requests.iter().filter_map(octets::Redirect::defect)).collect();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}
