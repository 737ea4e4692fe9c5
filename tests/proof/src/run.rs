//! Runs the tests against each mutant, in child processes with a limit of time and memory.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Processes at once.
const WORKERS: usize = 2;
/// A mutant that has not been noticed by then runs in circles. Without one, all cases take a second.
const LIMIT: Duration = Duration::from_secs(30);
/// Address space of a child, in KiB: a mutant that runs in circles may also collect what it finds.
const MEMORY_KIB: u32 = 4_000_000;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// By an attack or a control, with its name.
    Attacked(String),
    /// By a unit test.
    Tested,
    /// It ran in circles, or ended its process.
    Stopped,
    Survived,
}

/// The two programs of tests.
pub struct Programs {
    attacks: PathBuf,
    units: PathBuf,
}

/// Builds what was laid out.
///
/// # Errors
/// If it does not build.
#[allow(clippy::disallowed_methods, reason = "Cargo says which one it is, and where it builds")]
pub fn build(product: &Path, root: &Path) -> Result<Programs, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| product.join("target"), PathBuf::from);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--profile", "proof", "--no-run", "--message-format", "json"])
        .args(["--package", "vestibule", "--package", "vestibule-tests", "--lib", "--test", "attacks"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if !output.status.success() {
        let errors = messages.iter().filter(|message| message["message"]["level"] == "error");
        let rendered: Vec<&str> = errors.filter_map(|message| message["message"]["rendered"].as_str()).collect();
        return Err(format!("the mutated verifier does not build\n{}", rendered.join("\n")));
    }
    let program = |name: &str| {
        let of = |message: &&Value| message["target"]["name"] == name && message["executable"].is_string();
        let found = messages.iter().find(of).and_then(|message| message["executable"].as_str());
        found.map(PathBuf::from).ok_or_else(|| format!("no program {name}"))
    };
    Ok(Programs { attacks: program("attacks")?, units: program("vestibule")? })
}

/// The fate of each of these mutants.
///
/// # Errors
/// If the tests fail without a mutant.
pub fn run(programs: &Programs, mutants: VecDeque<usize>) -> Result<BTreeMap<usize, Fate>, String> {
    if !passes_units(programs, 0) {
        return Err("the unit tests fail without a mutant".to_owned());
    }
    let queue = Mutex::new(mutants);
    let fates: Mutex<BTreeMap<usize, Fate>> = Mutex::default();
    let failed: Mutex<Option<String>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                if let Err(message) = work(programs, &queue, &fates) {
                    *lock(&failed) = Some(message);
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_default() {
        Some(message) => Err(message),
        None => Ok(fates.into_inner().unwrap_or_default()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn work(
    programs: &Programs,
    queue: &Mutex<VecDeque<usize>>,
    fates: &Mutex<BTreeMap<usize, Fate>>,
) -> Result<(), String> {
    let mut worker = Worker::start(&programs.attacks)?;
    loop {
        let Some(mutant) = lock(queue).pop_front() else { return Ok(()) };
        let mut fate = match worker.attack(mutant) {
            Some(answer) if answer == "survived" => Fate::Survived,
            Some(answer) => Fate::Attacked(answer),
            None => {
                worker = Worker::start(&programs.attacks)?;
                Fate::Stopped
            }
        };
        if fate == Fate::Survived && !passes_units(programs, mutant) {
            fate = Fate::Tested;
        }
        if fate == Fate::Survived {
            println!("mutant {mutant} survived");
        }
        let mut fates = lock(fates);
        fates.insert(mutant, fate);
        if fates.len().is_multiple_of(100) {
            println!("{} run", fates.len());
        }
    }
}

/// A process that holds all attacks and runs them against the mutant it is told.
struct Worker {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Worker {
    fn start(program: &Path) -> Result<Self, String> {
        let mut child = limited(program)
            .args(["--ignored", "--exact", "mutants::worker", "--nocapture", "--test-threads", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).ok_or("a process without pipes")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            let read = BufReader::new(output).lines().map_while(Result::ok);
            read.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        let worker = Self { child, input, lines };
        worker.answer("ready").ok_or("the attacks fail without a mutant")?;
        Ok(worker)
    }

    fn attack(&mut self, mutant: usize) -> Option<String> {
        writeln!(self.input, "{mutant}").and_then(|()| self.input.flush()).ok()?;
        self.answer(&format!("mutant {mutant}: "))
    }

    /// What follows `start` on its line.
    fn answer(&self, start: &str) -> Option<String> {
        loop {
            let line = self.lines.recv_timeout(LIMIT).ok()?;
            if let Some((_, answer)) = line.split_once(start) {
                return Some(answer.to_owned());
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The unit tests of the verifier, in a process of their own, which ends with the first that fails.
fn passes_units(programs: &Programs, mutant: usize) -> bool {
    let spawned = limited(&programs.units)
        .args(["saml::", "--test-threads", "1"])
        .env("MUTANT", mutant.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else { return false };
    let began = now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if began.elapsed() < LIMIT => thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

fn limited(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -c 0; ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")]).arg(program);
    command
}

#[allow(clippy::disallowed_methods, reason = "a process that hangs is ended")]
fn now() -> Instant {
    Instant::now()
}
