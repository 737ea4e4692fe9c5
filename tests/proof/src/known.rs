//! The mutants that are known to survive, each with the reason why nothing can notice it, or nothing needs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{layout::read, mutate::Mutant, run::Fate};

const LIST: &str = "tests/proof/survivors.txt";

/// Whether exactly the listed mutants survive. What differs is printed.
///
/// # Errors
/// If the list cannot be read or a line of it has no reason.
pub fn compare(
    product: &Path,
    mutants: &[Mutant],
    keys: &[String],
    fates: &BTreeMap<usize, Fate>,
) -> Result<bool, String> {
    let listed = list(&read(&product.join(LIST))?)?;
    let mut holds = true;
    for (number, fate) in fates {
        let Some((mutant, key)) = mutants.get(number - 1).zip(keys.get(number - 1)) else { continue };
        match (fate, listed.contains(key)) {
            (Fate::Survived, false) => {
                holds = false;
                println!("SURVIVED {}:{}\n{key}", mutant.file, mutant.line);
            }
            (Fate::Survived, true) | (_, false) => {}
            (_, true) => {
                holds = false;
                println!("LISTED, but killed by {fate:?}: {}:{}\n{key}", mutant.file, mutant.line);
            }
        }
    }
    let there: BTreeSet<&String> = keys.iter().collect();
    for key in listed.iter().filter(|key| !there.contains(key)) {
        holds = false;
        println!("LISTED, but there is no such mutant:\n{key}");
    }
    println!("{} known survivors in {LIST}", listed.len());
    Ok(holds)
}

/// A line for each mutant that stays the same when lines move; equal ones of one function are numbered.
pub fn keys(mutants: &[Mutant]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    mutants
        .iter()
        .map(|Mutant { file, function, from, to, .. }| {
            let file = file.trim_start_matches("saml/");
            let key = format!("{file} | {function} | {from} | {to}");
            let count = seen.entry(key.clone()).or_default();
            *count += 1;
            if *count == 1 { key } else { format!("{key} | {count}") }
        })
        .collect()
}

/// Lines that begin with `#` give the reason for what follows them.
fn list(text: &str) -> Result<BTreeSet<String>, String> {
    let (mut listed, mut reason) = (BTreeSet::new(), false);
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            reason = false;
        } else if line.starts_with('#') {
            reason = true;
        } else if !reason {
            return Err(format!("{LIST}: no reason for {line}"));
        } else if !listed.insert(line.to_owned()) {
            return Err(format!("{LIST}: twice: {line}"));
        }
    }
    Ok(listed)
}
