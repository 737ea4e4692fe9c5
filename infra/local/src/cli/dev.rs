//! `vestibule dev`: everything on this machine, until it is told to end.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use tracing_subscriber::EnvFilter;
use vestibule::{clock::Clock, domain::ResolverAddress, id::Random};

use crate::{Local, Options};

/// What is logged, unless `RUST_LOG` says otherwise.
const LOGGED: &str = "warn,dynoxide=error,vestibule=info";

/// How to start everything on this machine.
#[derive(Args, Debug)]
pub(crate) struct Dev {
    /// The port on loopback; 0 for any free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = ".vestibule")]
    data: PathBuf,
    /// Keep nothing: begin with new data and forget it at the end
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// The operator's key for the management API, in place of the one that was made for the data directory
    #[arg(long, value_name = "KEY", value_parser = operator_key)]
    operator_key: Option<String>,
    /// A DNS server to ask in place of the local zone, as ADDRESS or ADDRESS:PORT, or over TLS as
    /// `tls://ADDRESS[:PORT]#NAME`; several are several perspectives
    #[arg(long = "resolver", value_name = "ADDR")]
    resolvers: Vec<ResolverAddress>,
}

impl Dev {
    /// Starts, prints what to open, and runs until Ctrl-C or SIGTERM.
    pub(crate) fn run(self) -> ExitCode {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
        let colours = io::stderr().is_terminal();
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(colours)
            .with_target(false)
            .init();
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error),
        };
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> ExitCode {
        let data = (!self.memory).then_some(self.data);
        let options = Options {
            port: self.port,
            data: data.clone(),
            operator_key: self.operator_key,
            resolvers: self.resolvers,
            clock: Clock::System,
            random: Random::System,
            seed: true,
            schedules: true,
            dynamodb: None,
        };
        // From the beginning, so that an impatient Ctrl-C does not cut a start short half-way.
        let mut signals = Signals::listen();
        let local = match Local::start(options).await {
            Ok(local) => local,
            Err(error) => return fail(&error),
        };
        if announce(&local, data.as_deref()).is_err() {
            tracing::warn!("the terminal is gone; the product runs on");
        }
        signals.next().await;
        // Whoever asks twice does not want to wait for the requests under way.
        tokio::select! {
            () = local.shutdown() => {}
            () = signals.next() => {}
        }
        ExitCode::SUCCESS
    }
}

fn operator_key(text: &str) -> Result<String, &'static str> {
    let sound = (16..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if sound { Ok(text.to_owned()) } else { Err("a key has 16 to 200 visible ASCII characters") }
}

/// Prints what to open.
fn announce(local: &Local, data: Option<&std::path::Path>) -> io::Result<()> {
    let url = &local.base_url;
    let kept = match data {
        Some(path) => format!("kept in {}; the next start goes on with it", path.display()),
        None => "in memory; all is gone at the end".to_owned(),
    };
    let dns: Vec<String> = local.zone.servers().iter().map(ToString::to_string).collect();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "
  Vestibule, the local product.

  Open this first       {url}
  Console               {url}settings
  Sample application    {url}app
  Identity provider     {url}idp
  DNS zone              {url}dns  (servers: {dns})
  Mailbox               {url}mailbox
  Management API        {url}api/v1/openapi.json
  Operator's key        {key}
  Data                  {kept}

  Ctrl-C ends it.
",
        dns = dns.join(", "),
        key = local.operator_key,
    )?;
    out.flush()
}

#[expect(clippy::print_stderr, reason = "a program says why it does not start")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("vestibule does not start: {error}");
    ExitCode::FAILURE
}

/// Who asks for the end: Ctrl-C, and SIGTERM where there is such a thing.
struct Signals {
    #[cfg(unix)]
    heard: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Signals {
    /// From now on nothing is missed. Where the system does not let itself be asked, a signal ends the process at once.
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let both = signal(SignalKind::interrupt()).and_then(|one| Ok([one, signal(SignalKind::terminate())?]));
            Self { heard: both.ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        match &mut self.heard {
            Some([interrupt, terminate]) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            None => std::future::pending().await,
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
