//! `vestibule-proof layout` writes the workspace of the verifier alone and prints where it is; `vestibule-proof mutants`
//! proves that every check of the verifier is needed: it removes each, and the attacks or the unit tests notice. With a
//! text, only the mutants whose line holds it are run, while somebody works on one file.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it finds")]

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use mutate::Mutant;
use run::Fate;

mod known;
mod layout;
mod mutate;
mod run;

/// What is no part of the verifier: words for administrators, codes, and what writes messages instead of reading them.
const BESIDE: [&str; 5] = ["advice", "idp", "reason", "sign", "write"];

fn main() -> ExitCode {
    let product = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    let result = match std::env::args().nth(1).as_deref() {
        Some("layout") => layout::write(product, "plain", &mut |_, text| Ok(text.to_owned())).map(|layout| {
            println!("{}", layout.root.display());
            true
        }),
        Some("mutants") => mutants(product, std::env::args().nth(2).as_deref().unwrap_or_default()),
        _ => Err("usage: vestibule-proof layout | vestibule-proof mutants [TEXT]".to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The stem of a file of the verifier, given its path below `shared/src`.
fn in_scope(path: &str) -> bool {
    let stem = path.strip_prefix("saml/").and_then(|path| path.strip_suffix(".rs"));
    stem.is_some_and(|stem| {
        let mut parts = stem.split('/');
        parts.clone().next().is_some_and(|first| !BESIDE.contains(&first)) && parts.all(|part| part != "tests")
    })
}

fn mutants(product: &Path, only: &str) -> Result<bool, String> {
    let mut texts = Vec::new();
    layout::each_of_saml(product, &mut |path, text| texts.extend(in_scope(path).then(|| text.to_owned())))?;
    let predicates = mutate::predicates(&texts);
    let mut mutants: Vec<Mutant> = Vec::new();
    let layout = layout::write(product, "mutants", &mut |path, text| {
        if in_scope(path) { mutate::file(path, text, &predicates, &mut mutants) } else { Ok(text.to_owned()) }
    })?;
    println!("{} mutants of {} files", mutants.len(), texts.len());
    let lines = mutants
        .iter()
        .zip(1..)
        .map(|(m, n)| format!("{n}\t{}:{}\t{}\t{}\t{}\n", m.file, m.line, m.function, m.from, m.to));
    let list = layout.root.join("mutants.tsv");
    std::fs::write(&list, lines.collect::<String>()).map_err(|error| error.to_string())?;
    let programs = run::build(product, &layout.root)?;
    let keys = known::keys(&mutants);
    let chosen = keys.iter().zip(1..).filter(|(key, _)| key.contains(only)).map(|(_, number)| number).collect();
    let fates = run::run(&programs, chosen)?;
    report(&mutants, &fates);
    known::compare(product, &mutants, &keys, &fates)
}

fn report(mutants: &[Mutant], fates: &BTreeMap<usize, Fate>) {
    let mut files: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for (mutant, fate) in mutants.iter().zip(1..).filter_map(|(mutant, number)| Some((mutant, fates.get(&number)?))) {
        let [attacked, tested, stopped, survived] = files.entry(&mutant.file).or_default();
        *match fate {
            Fate::Attacked(_) => attacked,
            Fate::Tested => tested,
            Fate::Stopped => stopped,
            Fate::Survived => survived,
        } += 1;
    }
    println!("{:<24}{:>10}{:>10}{:>10}{:>10}", "killed by", "attacks", "units", "limits", "survived");
    let mut total = [0; 4];
    for (file, counts) in &files {
        print(file, *counts);
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    print("in all", total);
    let all: usize = total.iter().sum();
    let killed = all - total[3];
    println!("score: {killed} of {all} killed, {:.1} %", 100.0 * killed as f64 / all as f64);
}

fn print(name: &str, [attacked, tested, stopped, survived]: [usize; 4]) {
    println!("{name:<24}{attacked:>10}{tested:>10}{stopped:>10}{survived:>10}");
}
