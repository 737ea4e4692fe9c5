//! A workspace of the verifier alone, under the target directory: the SAML modules of the shared crate with the few that
//! they need, the builder of test responses, and the tests and measurements of the verifier. It builds in a fraction of
//! the time of the product, since nothing of AWS is in it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// What is done to the text of a source file, given its path below `shared/src`.
pub type Change<'a> = dyn FnMut(&str, &str) -> Result<String, String> + 'a;

/// Modules of the shared crate that the tests of the verifier use, besides `saml` and what that uses.
const MODULES: [&str; 3] = ["clock", "id", "saml"];

/// A workspace that was written.
pub struct Layout {
    pub root: PathBuf,
    written: BTreeSet<PathBuf>,
}

/// Writes the workspace of this label. Files that would not change are left alone, so that Cargo builds nothing anew.
///
/// # Errors
/// If a file cannot be read or written, or `change` refuses one.
pub fn write(product: &Path, label: &str, change: &mut Change<'_>) -> Result<Layout, String> {
    let mut layout = Layout { root: product.join("target").join("verifier").join(label), written: BTreeSet::new() };
    let lock = read(&product.join("Cargo.lock"))?;
    layout.file("Cargo.lock", &lock)?;
    layout.file("Cargo.toml", &workspace(&read(&product.join("Cargo.toml"))?, label))?;
    let shared = product.join("shared");
    let names = modules(&shared.join("src"))?;
    let mut used = String::new();
    for name in &names {
        for (path, text) in module(&shared.join("src"), name)? {
            let text = change(&path, &text)?;
            used.push_str(&text);
            layout.file(&format!("{label}/shared/src/{path}"), &text)?;
        }
    }
    let declared: String = names.iter().map(|name| format!("pub mod {name};\n")).collect();
    let allow = "#![allow(warnings, reason = \"the product's own build says what is wrong with it\")]\n";
    layout.file(&format!("{label}/shared/src/lib.rs"), &format!("{allow}{declared}"))?;
    let manifest = manifest(&read(&shared.join("Cargo.toml"))?, &used, &["openssl", "vestibule-switch"]);
    layout.file(&format!("{label}/shared/Cargo.toml"), &manifest)?;
    layout.responses(product, label)?;
    layout.tests(product, label)?;
    layout.remove_strangers(&layout.root.join(label))?;
    Ok(layout)
}

impl Layout {
    /// The builder of responses out of the local product.
    fn responses(&mut self, product: &Path, label: &str) -> Result<(), String> {
        let local = product.join("infra/local");
        let mut used = String::new();
        for (path, text) in module(&local.join("src/idp"), "response")? {
            used.push_str(&text);
            self.file(&format!("{label}/local/src/idp/{path}"), &text)?;
        }
        self.file(&format!("{label}/local/src/lib.rs"), "pub mod idp {\n    pub mod response;\n}\n")?;
        let manifest = manifest(&read(&local.join("Cargo.toml"))?, &used, &["vestibule"]);
        self.file(&format!("{label}/local/Cargo.toml"), &manifest)
    }

    /// The attacks, the differential, the benchmark and the inputs of any kind.
    fn tests(&mut self, product: &Path, label: &str) -> Result<(), String> {
        let tests = product.join("tests");
        let mut used = String::new();
        for directory in ["attacks", "fuzz"] {
            for (path, text) in files(&tests.join(directory)).map_err(|error| error.to_string())? {
                if path.ends_with(".rs") {
                    used.push_str(&String::from_utf8_lossy(&text));
                }
                self.bytes(&format!("{label}/tests/{directory}/{path}"), &text)?;
            }
        }
        let bench = read(&tests.join("benches/saml.rs"))?;
        used.push_str(&bench);
        self.file(&format!("{label}/tests/benches/saml.rs"), &bench)?;
        self.file(&format!("{label}/tests/src/lib.rs"), "")?;
        let whole = read(&tests.join("Cargo.toml"))?;
        let always = ["vestibule", "vestibule-local", "vestibule-switch"];
        self.file(&format!("{label}/tests/Cargo.toml"), &manifest(&whole, &used, &always))
    }

    fn file(&mut self, path: &str, text: &str) -> Result<(), String> {
        self.bytes(path, text.as_bytes())
    }

    fn bytes(&mut self, path: &str, text: &[u8]) -> Result<(), String> {
        let path = self.root.join(path);
        self.written.insert(path.clone());
        if fs::read(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(&self.root);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Files of an earlier layout.
    fn remove_strangers(&self, directory: &Path) -> Result<(), String> {
        let found = files(directory).map_err(|error| error.to_string())?;
        for path in found.into_iter().map(|(path, _)| directory.join(path)).filter(|path| !self.written.contains(path))
        {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}

pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every file below a directory, by its path from there, in order.
fn files(directory: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let inner = files(&entry.path())?;
            found.extend(inner.into_iter().map(|(path, text)| (format!("{name}/{path}"), text)));
        } else {
            found.push((name, fs::read(entry.path())?));
        }
    }
    Ok(found)
}

/// The files of a module: `name.rs` and all below `name/`.
fn module(source: &Path, name: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = vec![(format!("{name}.rs"), read(&source.join(format!("{name}.rs")))?)];
    let directory = source.join(name);
    if directory.is_dir() {
        for (path, text) in files(&directory).map_err(|error| error.to_string())? {
            found.push((format!("{name}/{path}"), String::from_utf8(text).map_err(|error| error.to_string())?));
        }
    }
    Ok(found)
}

/// The modules that are needed, with those that they name in turn.
fn modules(source: &Path) -> Result<BTreeSet<String>, String> {
    let mut needed: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = MODULES.iter().map(|name| (*name).to_owned()).collect();
    while let Some(name) = open.pop() {
        for (_, text) in module(source, &name)? {
            let named = text.split("crate::").skip(1).map(|rest| {
                rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default().to_owned()
            });
            open.extend(named.filter(|named| !named.is_empty() && *named != name && !needed.contains(named)));
        }
        needed.insert(name);
    }
    Ok(needed)
}

/// The product's workspace with other members.
fn workspace(whole: &str, label: &str) -> String {
    let mut out = String::new();
    for line in whole.lines() {
        match line.split(" = ").next().unwrap_or_default() {
            "members" => {
                out.push_str(&format!("members = [\"{label}/shared\", \"{label}/local\", \"{label}/tests\"]\n"));
            }
            "default-members" => {}
            "vestibule" => out.push_str(&format!("vestibule = {{ path = \"{label}/shared\" }}\n")),
            "vestibule-local" => out.push_str(&format!("vestibule-local = {{ path = \"{label}/local\" }}\n")),
            "vestibule-switch" => {
                out.push_str("vestibule-switch = { path = \"../../../tests/proof/switch\" }\n");
            }
            name if name.starts_with("vestibule-") => {}
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    // As in a development build: a number that leaves its range is a failure and no other number.
    if label == "mutants" {
        out.push_str("\n[profile.proof.package.vestibule]\noverflow-checks = true\n");
    }
    out
}

/// A manifest with only the targets that are laid out and the dependencies that `used` names, or that are `always` there.
fn manifest(whole: &str, used: &str, always: &[&str]) -> String {
    let mut out = String::new();
    let mut dependencies: BTreeSet<String> = BTreeSet::new();
    for section in whole.split("\n[").map(|section| section.trim_start_matches('[')) {
        let (title, body) = section.split_once("]\n").unwrap_or((section, ""));
        match title.trim_end_matches(']') {
            "package" => {
                let kept = body.lines().filter(|line| line.contains("workspace") || line.starts_with("name"));
                out.push_str(&format!("[package]\n{}\n", kept.collect::<Vec<_>>().join("\n")));
            }
            target @ ("test" | "bench")
                if ["attacks", "inputs", "saml"].iter().any(|name| body.contains(&format!("\"{name}\""))) =>
            {
                let kept = body.trim_start_matches("]\n");
                out.push_str(&format!("\n[[{target}]]\n{kept}"));
            }
            "dependencies" => {
                for line in body.lines().filter(|line| line.contains("workspace = true")) {
                    let name = line.split(['.', ' ']).next().unwrap_or_default();
                    let is_used = used.contains(&format!("{}::", name.replace('-', "_")));
                    // Of our own crates there is less here, and no feature.
                    if name.starts_with("vestibule") && (is_used || always.contains(&name)) {
                        dependencies.insert(format!("{name}.workspace = true"));
                    } else if is_used || always.contains(&name) {
                        dependencies.insert(line.to_owned());
                    }
                }
            }
            "dev-dependencies" => out.push_str(&format!("\n[dev-dependencies]\n{}", body.trim_end())),
            _ => {}
        }
        out.push('\n');
    }
    if always.contains(&"vestibule-switch") {
        dependencies.insert("vestibule-switch.workspace = true".to_owned());
    }
    let lines: Vec<String> = dependencies.into_iter().collect();
    format!("{out}\n[dependencies]\n{}\n", lines.join("\n"))
}

/// Shows each file of the SAML module, by its path below `shared/src`.
///
/// # Errors
/// If one cannot be read.
pub fn each_of_saml(product: &Path, show: &mut dyn FnMut(&str, &str)) -> Result<(), String> {
    for (path, text) in module(&product.join("shared/src"), "saml")? {
        show(&path, &text);
    }
    Ok(())
}
