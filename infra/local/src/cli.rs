//! The program `vestibule`: its subcommands, each in a file of its own.

mod dev;
mod saml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use saml::saml_check;

/// Vestibule, the enterprise identity layer of a SaaS vendor
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: dev::Dev,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine, in one process (the default)
    Dev(dev::Dev),
    Saml(saml::Saml),
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { command, dev } = Cli::parse();
    match command {
        None => dev.run(),
        Some(Command::Dev(dev)) => dev.run(),
        Some(Command::Saml(saml)) => saml.run(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subcommand_is_dev() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["vestibule"]).unwrap().command.is_none());
        let cli = Cli::try_parse_from(["vestibule", "--port", "4000"]).unwrap();
        assert!(format!("{:?}", cli.dev).contains("4000"));
        for arguments in [
            ["dev", "--port", "0"].as_slice(),
            &["dev", "--memory"],
            &["dev", "--resolver", "127.0.0.1:5353", "--resolver", "9.9.9.9"],
            &["dev", "--resolver", "tls://9.9.9.9#dns.quad9.net"],
        ] {
            assert!(Cli::try_parse_from([&["vestibule"], arguments].concat()).is_ok(), "{arguments:?}");
        }
        for arguments in [
            ["dev", "--memory", "--data", "x"].as_slice(),
            &["dev", "--resolver", "example.com"],
            &["dev", "--resolver", "tls://9.9.9.9"],
        ] {
            assert!(Cli::try_parse_from([&["vestibule"], arguments].concat()).is_err(), "{arguments:?}");
        }
    }
}
