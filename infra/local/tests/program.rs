//! The program itself: what it prints, how it ends, and what it refuses.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    time::Duration,
};

/// How often to look whether it has ended, and how long to wait in between.
const LOOKS: u32 = 3_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The running program.
struct Program {
    child: Child,
    /// What it printed until it was ready.
    printed: String,
}

fn command(directory: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["dev", "--port", "0", "--data"]).arg(directory);
    command.env("RUST_LOG", "off").stdin(Stdio::null());
    command
}

impl Program {
    fn start(directory: &PathBuf) -> Self {
        let mut child = command(directory).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        while !printed.contains("Ctrl-C ends it") {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {printed}")).unwrap();
            printed = printed + &line + "\n";
        }
        Self { child, printed }
    }

    /// What was printed behind `label`.
    fn said(&self, label: &str) -> &str {
        let line = self.printed.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no {label} in {}", self.printed)).trim()
    }

    fn end(mut self, signal: &str) -> ExitStatus {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        panic!("it does not end");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

fn errors(stderr: ChildStderr) -> String {
    std::io::read_to_string(stderr).unwrap()
}

#[test]
fn it_ends_when_asked_and_goes_on_with_the_same_data() {
    let directory = scratch("goes-on");
    let first = Program::start(&directory);
    assert!(first.said("Open this first").starts_with("http://localhost:"));
    let key = first.said("Operator's key").to_owned();
    assert_eq!(key.len(), 43);
    assert!(first.end("-TERM").success());
    let second = Program::start(&directory);
    assert_eq!(second.said("Operator's key"), key);
    assert!(second.end("-INT").success());
    // Even cut off without warning, it leaves data that the next start goes on with.
    let third = Program::start(&directory);
    assert!(!third.end("-KILL").success());
    assert_eq!(Program::start(&directory).said("Operator's key"), key);
}

#[test]
fn a_second_one_on_the_same_data_says_why_it_does_not_start() {
    let directory = scratch("in-use");
    let _first = Program::start(&directory);
    let mut second = command(&directory).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let said = errors(second.stderr.take().unwrap());
    assert!(said.starts_with("vestibule does not start: another process is using the data directory"), "{said}");
    assert_eq!(second.wait().unwrap().code(), Some(1));
}
