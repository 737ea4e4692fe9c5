//! The whole: what starts, in which order, and how it ends.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;
use vestibule::{
    app::{App, Reach, Settings, SettingsError},
    clock::Clock,
    domain::{Resolver, ResolverAddress},
    id::{Random, Secret, hex},
    seal::SealingKey,
    table::{Store, StoreError},
    web,
};
use vestibule_mailer::Mailer;
use vestibule_refresh_metadata::Refresher;
use vestibule_verify_domains::Verifier;

use crate::{
    data::{Data, DataError},
    dns::{self, Zone},
    engine, home,
    idp::{self, Idp, IdpKeyError},
    mailbox::{self, Mailbox},
    queue::{Claims, Queue},
    sample::{self, Sample},
    schedule,
    seed::{Demo, Stage},
    stop::{self, Stop, Stopper},
};

/// How long requests under way may take once the end is asked for.
const GRACE: Duration = Duration::from_secs(10);

/// How the local product is to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on loopback; 0 for any free one.
    pub port: u16,
    /// The data directory; `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// The operator's key, in place of the one in the data directory.
    pub operator_key: Option<String>,
    /// Where DNS is asked, each a perspective of its own; empty for the local zone.
    pub resolvers: Vec<ResolverAddress>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Whether new data begins with a demo customer.
    pub seed: bool,
    /// Whether schedules run by themselves; tests run them one by one.
    pub schedules: bool,
    /// The address of an engine to use, in tables of its own, in place of the embedded one.
    pub dynamodb: Option<String>,
}

/// The running product. Dropped without [`Local::shutdown`], its servers end by themselves.
pub struct Local {
    /// Where it answers, without a path.
    pub base_url: Url,
    /// What its handlers share.
    pub app: Arc<App>,
    /// The key for the management API.
    pub operator_key: String,
    /// The captured mails.
    pub mailbox: Mailbox,
    /// Where clients of Amazon SES send to.
    pub ses_url: String,
    /// What sends the mails of the outbox.
    pub mailer: Mailer,
    /// What looks at the claims that are due.
    pub claims: Claims,
    /// What looks after connections.
    pub refresher: Refresher,
    /// The DNS zone.
    pub zone: Zone,
    /// The demo customer, where one was made.
    pub demo: Option<Demo>,
    /// A client of the database, for what is beyond the product's own needs.
    pub dynamodb: Client,
    stopper: Stopper,
    fronts: Vec<JoinHandle<()>>,
    engine: Option<(Stopper, JoinHandle<()>)>,
}

/// Why the local product does not start, in words for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is in use.
    #[error(
        "port {0} on this machine is taken, perhaps by another Vestibule: stop that one, or choose another port with \
         --port"
    )]
    PortTaken(u16),
    /// A server can not listen.
    #[error("no server can be started on loopback: {0}")]
    Listen(#[source] io::Error),
    /// The data directory can not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The embedded database does not start.
    #[error("the embedded database does not start: {0}")]
    Engine(String),
    /// The tables can not be made.
    #[error("the database's tables can not be made: {0:?}")]
    Store(#[from] StoreError),
    /// The settings do not work.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The kept sealing key is not one.
    #[error("the sealing key in the data directory is not 32 bytes in base64")]
    SealingKey,
    /// The test identity provider has no key.
    #[error("the test identity provider has no key: {0}")]
    Idp(#[from] IdpKeyError),
    /// The sample application can not ask anybody.
    #[error("the sample application does not start: {0}")]
    Sample(#[from] reqwest::Error),
    /// The demo customer can not be made.
    #[error("the demo customer could not be made: {0}")]
    Seed(String),
}

impl Local {
    /// Starts everything; the product answers when this returns.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let data = options.data.as_deref().map_or_else(|| Ok(Data::memory()), Data::open)?;
        let listeners = listen(options.port).await?;
        let address = listeners.first().map(TcpListener::local_addr).transpose().map_err(StartError::Listen)?;
        let base_url = base_url(address.map_or(options.port, |address| address.port()))?;

        let (stopper, stop) = stop::pair();
        let (dynamodb, prefix, engine) = database(&options, &data).await?;
        let store = Store::new(dynamodb.clone(), prefix);
        store.create_tables().await?;
        let operator_key = match &options.operator_key {
            Some(key) => key.clone(),
            None => data.keep("operator-key.json", || options.random.secret().reveal().to_owned())?,
        };
        let settings = settings(&base_url, &data, &options.random, &operator_key)?;
        let Options { clock, random, resolvers, seed, schedules, .. } = options;
        let app = Arc::new(App { settings, store, clock, random });

        let (zone, zone_task) = Zone::start(&data, &stop).await?;
        let (mailbox, ses_url, mailbox_task) = Mailbox::start(&data, &app.clock, &stop).await?;
        let mailer = Mailer { app: app.clone(), sender: mailbox::sender(&ses_url) };
        let refresher = Refresher::new(app.clone());
        let resolver = if resolvers.is_empty() { Resolver::new(zone.servers()) } else { Resolver::new(&resolvers) };
        let resolver = Arc::new(resolver);
        let (queue, sender, queue_task) = Queue::start(&stop).await?;
        let verifier = Verifier { app: app.clone(), resolver: resolver.clone(), queue: sender };
        let claims = Claims::new(verifier, queue);
        let functions = functions(&app, resolver);

        let idp = Arc::new(Idp::new(app.clone(), &data)?);
        let stage = Stage {
            functions: &functions,
            operator_key: &operator_key,
            zone: &zone,
            settings: &app.settings,
            metadata: idp.metadata(),
        };
        let demo = stage.demo(seed, &data).await?;
        let registration = demo.as_ref().map(|demo| demo.sample.clone());
        let sample = Arc::new(Sample::new(app.clone(), &operator_key, registration)?);
        let pages = home::router(base_url.clone(), demo.clone())
            .merge(mailbox::router(mailbox.clone()))
            .merge(dns::router(zone.clone()))
            .merge(idp::router(idp, demo.as_ref()))
            .merge(sample::router(sample))
            .layer(middleware::from_fn_with_state(app.clone(), own_forms_only))
            .layer(middleware::from_fn_with_state(app.clone(), web::observe));
        let router = functions.merge(pages).fallback(web::not_found).layer(middleware::from_fn(loopback_only));

        let mut fronts = vec![zone_task, mailbox_task, queue_task];
        fronts.extend(listeners.into_iter().map(|listener| serve(listener, router.clone(), &stop)));
        if schedules {
            fronts.push(schedule::mails(mailer.clone(), &stop));
            fronts.push(schedule::claims(claims.clone(), &stop));
            fronts.push(schedule::connections(refresher.clone(), &stop));
        }
        Ok(Self {
            base_url,
            app,
            operator_key,
            mailbox,
            ses_url,
            mailer,
            claims,
            refresher,
            zone,
            demo,
            dynamodb,
            stopper,
            fronts,
            engine,
        })
    }

    /// Ends it: requests under way are finished, then the database is closed.
    pub async fn shutdown(self) {
        self.stopper.stop();
        let fronts = async {
            for front in self.fronts {
                let _ = front.await;
            }
        };
        if tokio::time::timeout(GRACE, fronts).await.is_err() {
            tracing::warn!("a request takes too long to end and is cut off");
        }
        if let Some((stopper, task)) = self.engine {
            stopper.stop();
            let _ = tokio::time::timeout(GRACE, task).await;
        }
    }
}

/// Listens on `port` of 127.0.0.1, and of `::1` where there is one, since `localhost` names both.
async fn listen(port: u16) -> Result<Vec<TcpListener>, StartError> {
    let taken = |error: io::Error, port| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken(port),
        _ => StartError::Listen(error),
    };
    let mut attempts = 0;
    loop {
        let four = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| taken(error, port))?;
        let chosen = four.local_addr().map_err(StartError::Listen)?.port();
        match TcpListener::bind(("::1", chosen)).await {
            Ok(six) => return Ok(vec![four, six]),
            // Any free port will do, and this one is free on one half of localhost only.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 && attempts < 20 => attempts += 1,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(StartError::PortTaken(chosen)),
            Err(_) => return Ok(vec![four]),
        }
    }
}

fn base_url(port: u16) -> Result<Url, StartError> {
    let text = format!("http://localhost:{port}");
    text.parse().map_err(|_| SettingsError::Unusable("--port", "makes no address").into())
}

type Engine = Option<(Stopper, JoinHandle<()>)>;

/// The database: the given one in tables of its own, or the embedded one, which is stopped after everything else.
async fn database(options: &Options, data: &Data) -> Result<(Client, String, Engine), StartError> {
    if let Some(url) = &options.dynamodb {
        // Not from the options' randomness, which may repeat itself.
        let prefix = format!("test-{}", hex(&Random::System.bytes::<8>()));
        return Ok((engine::client(url), prefix, None));
    }
    let (stopper, stop) = stop::pair();
    let (url, task) = engine::start(data, &stop).await?;
    Ok((engine::client(&url), "vestibule".to_owned(), Some((stopper, task))))
}

fn settings(base_url: &Url, data: &Data, random: &Random, operator_key: &str) -> Result<Settings, StartError> {
    let sealing_key: String = data.keep("sealing-key.json", || STANDARD.encode(random.bytes::<32>()))?;
    let sealing_key = STANDARD.decode(sealing_key).ok().and_then(|bytes| SealingKey::new(&bytes));
    let mut settings = Settings::new(base_url.clone(), sealing_key.ok_or(StartError::SealingKey)?)?;
    settings.operator_keys = vec![Secret::presented(operator_key).hash()];
    settings.show_cost = true;
    // Identity providers on this machine can be tried, which no deployment would ask.
    settings.reach = Reach::Loopback;
    Ok(settings)
}

/// The functions, as Lambda runs them.
fn functions(app: &Arc<App>, resolver: Arc<Resolver>) -> Router {
    vestibule_saml::router(app.clone())
        .merge(vestibule_oidc::router(app.clone()))
        .merge(vestibule_downloads::router(app.clone()))
        .merge(vestibule_console::router(app.clone(), Arc::clone(&resolver)))
        .merge(vestibule_api::router(app.clone(), resolver))
}

fn serve(listener: TcpListener, router: Router, stop: &Stop) -> JoinHandle<()> {
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().asked());
    tokio::spawn(async move {
        let _ = serving.await;
    })
}

/// Refuses requests under a name that is not this machine's own: a foreign page whose name was made to point here
/// (DNS rebinding) would otherwise read mails and sign in as anybody.
async fn loopback_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).map(|host| name_of(host.to_str().unwrap_or_default()));
    if matches!(host, None | Some("localhost" | "127.0.0.1" | "[::1]")) {
        return next.run(request).await;
    }
    let words = "This is a local product: it answers as localhost only.\n";
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Refuses changes that a foreign page's form would make. Programs say nothing of where they come from and may.
async fn own_forms_only(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || web::is_from_own_page(request.headers(), &app.settings.base_url) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "This form came from a page of another site.\n").into_response()
}
