//! A running process: its role, its parts, and how they end.
//!
//! Whatever ends without having been told to is the end of the process, with an error: a process
//! that looks alive and does nothing is worse than one that is started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use eencent_activations::clock::{Clock, SystemClock};
use eencent_activations::desk::{Actor, Desk};
use eencent_activations::entropy::{Entropy, OsEntropy};
use eencent_activations::inbox::Inbox;
use eencent_activations::ledger::{NoNudge, Nudge};
use eencent_activations::register::Lookup;
use eencent_activations::store::{self, Store};
use eencent_jobs::{Desks, Feeder, Workers};
use eencent_registers::Registers;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::accept::{Limits, Listener};
use crate::http::api::{Api, PlainKeys, UnderWay};
use crate::http::information::InformationPage;
use crate::http::invoice::InvoicePages;
use crate::http::operations::{self, Vitals};
use crate::http::pages::Pages;
use crate::http::request_id::RequestIds;
use crate::http::round_off::RoundOffPage;
use crate::http::{layers, public};
use crate::lock::WorkerLock;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::statements::{Importer, folder};
use crate::traces::Traces;
use crate::{compose, open_files, published_keys, signals};

/// How many hints wait for the queue at most; further ones are dropped, and the sweep finds the rows.
const HINTS: usize = 10_000;

/// How many connections the staff and the operations listener hold at once, each.
const INSIDE: usize = 200;

/// What a process does. Each has the operations listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Serve,
    /// The public listener.
    Receive,
    /// The workers.
    Work,
    /// The staff listener.
    Console,
}

impl Role {
    /// As the command line has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Receive => "receive",
            Self::Work => "work",
            Self::Console => "console",
        }
    }

    fn receives(self) -> bool {
        matches!(self, Self::Serve | Self::Receive)
    }

    fn works(self) -> bool {
        matches!(self, Self::Serve | Self::Work)
    }

    fn shows(self) -> bool {
        matches!(self, Self::Serve | Self::Console)
    }
}

/// What time it is, and what is measured: one of each in a process.
pub struct Surroundings {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The measurements.
    pub metrics: Metrics,
}

/// A process that has been started.
pub struct Running {
    /// Where the public listener is, if the role has one.
    pub public: Option<String>,
    /// Where the staff listener is, if the role has one.
    pub staff: Option<String>,
    /// Where the operations listener is.
    pub operations: String,
    stop: CancellationToken,
    parts: JoinSet<Ended>,
    inbox: Inbox,
    store: Store,
    _lock: Option<WorkerLock>,
}

/// A part that has ended.
type Ended = (&'static str, anyhow::Result<()>);

/// Runs a role until a signal ends it.
///
/// # Errors
/// When it can't start, or a part ends by itself.
pub async fn run(role: Role, settings: Settings, traces: Option<Traces>) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone()).context("signals can't be listened for")?;
    let surroundings = Surroundings {
        clock: Arc::new(SystemClock),
        metrics: Metrics::start()?,
    };
    let running = start(role, &settings, surroundings, stop).await?;
    // Printed whatever the log says: a port that was left to choice is found nowhere else.
    println!("{}", running.addresses());
    let database = store::without_password(&settings.database.url);
    tracing::info!(database, mail = settings.jobs.mail_goes_to(), "{}", running.addresses());
    if role.receives() {
        if settings.webhooks.is_empty() {
            tracing::warn!("no endpoint is set up in [webhooks]: nobody can post notifications");
        }
        for endpoint in settings.webhooks.iter() {
            tracing::info!(
                endpoint = endpoint.name(),
                provider = endpoint.provider().name(),
                mode = endpoint.mode().as_str(),
                "accepts notifications"
            );
        }
        for advice in settings.webhooks.advice() {
            tracing::warn!("{advice}");
        }
    }
    let traces = traces.map(Traces::hand_over);
    let ended = running.until_the_end().await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    ended
}

/// Starts a role; it runs until `stop`.
///
/// # Errors
/// When the database, an address or a key can't be used, or another process has the database.
pub async fn start(
    role: Role,
    settings: &Settings,
    around: Surroundings,
    stop: CancellationToken,
) -> anyhow::Result<Running> {
    let Surroundings { clock, metrics } = around;
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let store = compose::store(settings).await?;
    let lock = match store.file() {
        Some(file) if role.works() => Some(WorkerLock::take(file)?),
        _ => None,
    };
    store.migrate().await?;
    if lock.is_some() {
        // Whoever held a row is dead: nobody else can have the lock.
        let freed = store.free_leases().await?;
        tracing::debug!(freed, "freed what an earlier process held");
    }

    let listen = &settings.listen;
    let public = bind_if(role.receives(), "public", &listen.public).await?;
    let staff = bind_if(role.shows(), "staff", &listen.staff).await?;
    let operations = Listener::bind("operations", &listen.operations).await?;
    let public_url = match (settings.public.url.as_str(), &public) {
        ("", Some(listener)) => listener.url(),
        ("", None) => format!("http://{}", listen.public),
        (url, _) => url.to_owned(),
    };

    let rules = Arc::new(compose::rules(
        settings,
        &store,
        &public_url,
        clock.as_ref(),
        entropy.as_ref(),
    )?);
    let (nudge, feeder) = hints(role, settings);
    let desk = Desk::new(
        store.clone(),
        Arc::clone(&clock),
        Arc::clone(&entropy),
        Arc::clone(&nudge),
        Arc::clone(&rules),
    );
    let inbox = Inbox::start(store.clone(), nudge);
    let registers = Arc::new(Registers::new(&settings.register, Arc::clone(&clock)));
    let watching = desk.clone();
    let (workers, telling) = match feeder {
        Some(feeder) if role.works() => (Some(feeder), None),
        feeder => (None, feeder),
    };
    let workers = workers.map(|feeder| {
        Workers::new(
            settings.jobs.clone(),
            Desks {
                store: store.clone(),
                desk: desk.clone(),
                inbox: inbox.clone(),
                rereading: Arc::new(settings.webhooks.clone()),
                registers: Arc::clone(&registers) as Arc<dyn Lookup>,
            },
            Arc::clone(&clock),
            Arc::clone(&entropy),
            feeder,
        )
    });
    let workers = workers.transpose()?;

    let accepting = Arc::new(AtomicBool::new(false));
    let health = workers.as_ref().map(Workers::health);
    let vitals = Vitals {
        store: store.clone(),
        clock: Arc::clone(&clock),
        metrics,
        accepting: Arc::clone(&accepting),
        workers: health.map(|health| -> operations::Workers { Arc::new(move || health.all_running()) }),
    };
    let ids = RequestIds::new(Arc::clone(&clock), Arc::clone(&entropy));
    let pages = Arc::new(Pages::new().context("the pages can't be made")?);
    let console = compose::console(
        settings,
        &desk,
        &clock,
        staff.as_ref().map(Listener::url),
        operations.url(),
    )?;
    let mut running = Running {
        public: public.as_ref().map(Listener::url),
        staff: staff.as_ref().map(Listener::url),
        operations: operations.url(),
        stop,
        parts: JoinSet::new(),
        inbox: inbox.clone(),
        store,
        _lock: lock,
    };
    let open_to_all = Limits {
        connections: open_files::enough_for(listen.connections, INSIDE),
        per_address: listen.connections_per_address,
        proxies: Arc::clone(&listen.proxies),
        head: Duration::from_secs(listen.head_seconds),
    };
    // Of their own, so that no flood on the public listener shuts anybody out here.
    let inside = Limits {
        connections: INSIDE,
        per_address: INSIDE,
        ..open_to_all.clone()
    };
    if let Some(listener) = public {
        let keys = published_keys::keep(settings.webhooks.clone(), running.stop.clone());
        running.parts.spawn(async move {
            keys.await;
            ("the providers' public keys", Ok(()))
        });
        let webhooks = compose::receiver(settings, &inbox, &clock, &entropy);
        let api = Api {
            desk: desk.clone(),
            plain_keys: Arc::new(PlainKeys::of(&settings.api.keys)),
            registers,
            under_way: UnderWay::default(),
        };
        let contact = &settings.subject.contact;
        let support = (contact.support_email.clone(), contact.support_url.clone());
        let information = InformationPage::new(desk.clone(), Arc::clone(&pages), Arc::clone(&rules), support.clone());
        let invoice = InvoicePages {
            desk: desk.clone(),
            pages: Arc::clone(&pages),
            rules: Arc::clone(&rules),
            support: support.clone(),
        };
        let round_off = RoundOffPage {
            desk,
            pages: Arc::clone(&pages),
            rules,
            support,
        };
        running.listen(
            "the public listener",
            listener,
            public::router(
                webhooks,
                api,
                round_off,
                information,
                invoice,
                Arc::clone(&listen.proxies),
                &ids,
            ),
            open_to_all,
        );
    }
    if let Some(listener) = staff {
        let pages = layers::noted("staff", &ids, eencent_console::staff(&console));
        running.listen("the staff listener", listener, pages, inside.clone());
    }
    running.listen(
        "the operations listener",
        operations,
        operations::router(
            vitals,
            &ids,
            layers::noted("operations", &ids, eencent_console::operations(&console)),
        ),
        inside,
    );
    if role.works() && !settings.statements.folder.is_empty() {
        let importer = Importer {
            inbox: inbox.clone(),
            desk: watching,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            actor: Actor::watched_folder(),
        };
        let watched = folder::watch(
            settings.statements.folder.clone().into(),
            importer,
            running.stop.clone(),
        );
        running
            .parts
            .spawn(async move { ("the watched folder", watched.await) });
    }
    accepting.store(true, Ordering::SeqCst);
    if let Some(feeder) = telling {
        let telling = eencent_jobs::tell(settings.jobs.clone(), feeder, running.stop.clone());
        running.parts.spawn(async move {
            telling.await;
            ("the hints", Ok(()))
        });
    }
    if let Some(workers) = workers {
        let stop = running.stop.clone();
        running
            .parts
            .spawn(async move { ("the workers", workers.run(stop).await.map_err(Into::into)) });
    }
    Ok(running)
}

async fn bind_if(wanted: bool, name: &'static str, address: &str) -> anyhow::Result<Option<Listener>> {
    Ok(if wanted {
        Some(Listener::bind(name, address).await?)
    } else {
        None
    })
}

/// Hints go to the workers of this process, or to those of others where the queue is shared; else they find
/// the rows by sweeping.
fn hints(role: Role, settings: &Settings) -> (Arc<dyn Nudge>, Option<Feeder>) {
    if role.works() || settings.jobs.queue_is_shared() {
        let (nudge, feeder) = eencent_jobs::nudge(HINTS);
        (Arc::new(nudge), Some(feeder))
    } else {
        (Arc::new(NoNudge), None)
    }
}

impl Running {
    fn listen(&mut self, name: &'static str, listener: Listener, router: axum::Router, limits: Limits) {
        let stop = self.stop.clone();
        self.parts.spawn(async move {
            listener.serve(router, limits, stop).await;
            (name, Ok(()))
        });
    }

    /// Where it listens, in one line.
    pub fn addresses(&self) -> String {
        let mut line = "listening".to_owned();
        let parts = [
            ("public", self.public.as_deref()),
            ("staff", self.staff.as_deref()),
            ("operations", Some(self.operations.as_str())),
        ];
        for (name, url) in parts {
            if let Some(url) = url {
                line.push_str(&format!(" {name}={url}"));
            }
        }
        line
    }

    /// Waits until it was stopped and everything in it has ended, in order: nothing comes in any
    /// more, what is being done is finished, then the store is closed.
    ///
    /// # Errors
    /// When a part ended without having been told to, or failed.
    pub async fn until_the_end(mut self) -> anyhow::Result<()> {
        let mut result = Ok(());
        while let Some(ended) = self.parts.join_next().await {
            let (name, outcome) = ended.unwrap_or_else(|_| ("a part", Err(anyhow::anyhow!("it panicked"))));
            let told = match outcome {
                Ok(()) if self.stop.is_cancelled() => continue,
                Ok(()) => anyhow::anyhow!("{name} ended, which it never should; start the process again"),
                Err(error) => error.context(format!("{name} failed; start the process again")),
            };
            tracing::error!(error = format!("{told:#}"), "stopping");
            self.stop.cancel();
            result = result.and(Err(told));
        }
        self.inbox.close().await;
        self.store.close().await;
        tracing::info!("stopped");
        result
    }
}
