//! Runs the attacks against mutants of the verifier: `vestibule-proof mutants` builds it with them, starts this worker
//! and tells it the numbers.
//!
//! The attacks are made before the first mutant is at work, so that what is mutated is never what attacks.

use std::{
    io::{self, BufRead as _},
    panic,
    sync::PoisonError,
};

use vestibule::saml::IdpKind;
use vestibule_local::idp::response::Signing;

use crate::{
    CONTROLS, Control, bases, every_attack, explained, octets,
    world::{Base, says_what_was_signed},
};

/// Anything that holds for the verifier as it is: what is wrong, if it does not.
type Case = Box<dyn Fn() -> Option<String>>;

/// Products that between them have every prefix, line end, prefix list and quirk.
const PRODUCTS: [IdpKind; 3] = [IdpKind::Okta, IdpKind::Entra, IdpKind::Keycloak];

fn cases() -> Vec<Case> {
    let attacks = every_attack(&PRODUCTS);
    let controls: Vec<Control> = std::mem::take(&mut *CONTROLS.lock().unwrap_or_else(PoisonError::into_inner));
    let okta = Base::new(IdpKind::Okta, Signing::Both);
    let mut cases: Vec<Case> = Vec::new();
    for base in bases(&PRODUCTS) {
        cases.push(Box::new(move || says_what_was_signed(&base)));
    }
    for control in controls {
        cases.push(Box::new(move || control.defect()));
    }
    for form in octets::forms(&okta) {
        cases.push(Box::new(move || form.defect()));
    }
    for request in octets::requests() {
        cases.push(Box::new(move || request.defect()));
    }
    for attack in explained::attacks() {
        let wanted = explained::explanation(&attack);
        cases.push(Box::new(move || {
            let got = explained::explanation(&attack);
            (got != wanted).then(|| format!("explanation: {got}"))
        }));
    }
    for attack in attacks.into_values().flatten() {
        cases.push(Box::new(move || attack.defect()));
    }
    cases
}

#[test]
#[ignore = "started by vestibule-proof"]
#[allow(clippy::print_stdout, reason = "it answers there")]
fn worker() {
    let cases = cases();
    // Those that noticed something come first the next time.
    let mut order: Vec<usize> = (0..cases.len()).collect();
    panic::set_hook(Box::new(|_| {}));
    assert_eq!(first_defect(&cases, &mut order), None, "without a mutant all hold");
    println!("ready");
    for line in io::stdin().lock().lines() {
        let mutant: u32 = line.unwrap().trim().parse().unwrap();
        vestibule_switch::select(mutant);
        let defect = first_defect(&cases, &mut order);
        vestibule_switch::select(0);
        println!("mutant {mutant}: {}", defect.unwrap_or_else(|| "survived".to_owned()).replace('\n', " "));
    }
}

/// What the first case says that does not hold, or panics.
fn first_defect(cases: &[Case], order: &mut [usize]) -> Option<String> {
    let (place, defect) = order.iter().enumerate().find_map(|(place, case)| {
        let run = panic::AssertUnwindSafe(|| cases[*case]());
        let defect = panic::catch_unwind(run).unwrap_or_else(|_| Some("a panic".to_owned()));
        defect.map(|defect| (place, defect))
    })?;
    order[..=place].rotate_right(1);
    Some(defect)
}
