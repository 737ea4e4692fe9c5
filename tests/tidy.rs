//! Rules that hold for every source file.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use vestibule::table::Table;

/// Lines of a source file.
const MAX_LINES: usize = 500;

fn from_root(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(name)).unwrap()
}

/// Every Rust file, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for top in ["shared", "functions", "infra", "tests"] {
        collect(&root.join(top), &mut |path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            sources.push((name, fs::read_to_string(path).unwrap()));
        });
    }
    assert!(sources.len() > 50, "the sources are where they were");
    sources
}

fn collect(directory: &Path, found: &mut impl FnMut(&Path)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found(&path);
        }
    }
}

/// The files in which `allowed` does not hold although their code names `what`.
fn misplaced(what: &str, allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let names = |text: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(what));
    let offends = |(name, text): &(String, String)| !allowed(name) && names(text);
    sources().into_iter().filter(offends).map(|(name, _)| name).collect()
}

#[test]
fn dynamodb_is_named_in_its_place_only() {
    let allowed = |name: &str| {
        name == "shared/src/table.rs"
            || name.starts_with("shared/src/table/")
            || name == "shared/src/app.rs"
            || name == "shared/src/domain/queue.rs"
            || name == "shared/src/mail/sender.rs"
            || (name.starts_with("shared/src/") && name.ends_with("/store.rs"))
            || name.starts_with("infra/local/")
            || name.starts_with("tests/")
    };
    assert_eq!(misplaced("aws_sdk_", allowed), Vec::<String>::new());
}

#[test]
fn samael_is_named_in_its_place_only() {
    let allowed = |name: &str| name.starts_with("shared/src/saml") || name == "tests/tidy.rs";
    assert_eq!(misplaced("samael::", allowed), Vec::<String>::new());
}

/// Every word of `text` that begins with `VESTIBULE_`.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    words.filter(|word| word.starts_with("VESTIBULE_")).collect()
}

#[test]
fn the_template_sets_what_the_functions_read() {
    let sources = sources();
    let shared = sources.iter().filter(|(name, _)| name.starts_with("shared/src/"));
    let read: BTreeSet<&str> = shared.flat_map(|(_, text)| variables(text)).collect();
    assert_eq!(variables(&from_root("template.yaml")), read);
}

#[test]
fn the_template_has_every_function_and_table() {
    let template = from_root("template.yaml");
    for (name, _) in sources().iter().filter(|(name, _)| name.starts_with("functions/") && name.ends_with("/main.rs")) {
        let function = name.split('/').nth(1).unwrap();
        assert!(template.contains(&format!("Binary: vestibule-{function}\n")), "{function}");
    }
    for table in Table::ALL {
        let name = table.name("${AWS::StackName}");
        assert!(template.contains(&format!("TableName: !Sub \"{name}\"")), "{name}");
    }
}

#[test]
fn every_file_is_part_of_a_crate() {
    let sources = sources();
    let root = |name: &str| {
        let name = name.rsplit('/').next().unwrap();
        matches!(name, "lib.rs" | "main.rs" | "mod.rs")
    };
    for (name, _) in &sources {
        let path = Path::new(name);
        let directory = path.parent().unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        // Programs that Cargo finds by their place, or that a manifest names.
        let program = ["tests", "infra/local/tests", "tests/benches", "tests/fuzz/fuzz_targets"]
            .contains(&directory.to_str().unwrap());
        let declared = format!("mod {stem};");
        let parents = sources.iter().filter(|(parent, _)| {
            let parent = Path::new(parent);
            parent.parent() == Some(directory) || parent.with_extension("") == directory
        });
        let found = parents.into_iter().any(|(_, text)| text.contains(&declared));
        assert!(found || program || root(name), "{name} is in no crate");
    }
}

#[test]
fn files_are_short() {
    let long = |text: &String| text.lines().count() > MAX_LINES;
    let found: Vec<String> = sources().into_iter().filter(|(_, text)| long(text)).map(|(name, _)| name).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn nothing_is_put_off() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let marked = |text: &String| marks.iter().any(|mark| text.contains(mark));
    let found: Vec<String> = sources().into_iter().filter(|(_, text)| marked(text)).map(|(name, _)| name).collect();
    assert_eq!(found, Vec::<String>::new());
}
