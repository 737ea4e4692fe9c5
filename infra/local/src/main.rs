//! The `vestibule` program; all it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule_local::cli::main()
}
