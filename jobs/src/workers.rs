//! Everything that works after a commit, put together and run as one.

use std::sync::Arc;
use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::Desk;
use eencent_activations::entropy::Entropy;
use eencent_activations::gathered::Gathered;
use eencent_activations::inbox::Inbox;
use eencent_activations::ledger::Work;
use eencent_activations::register::Lookup;
use eencent_activations::reread::Rereading;
use eencent_activations::store::Store;
use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api_client::ApiClient;
use crate::attempt::{Attempts, Jobs};
use crate::carry_out_approval::CarryOutApproval;
use crate::check::strangers;
use crate::deliver_event::DeliverEvent;
use crate::fetch_names::FetchNames;
use crate::handler::TaskHandler;
use crate::heartbeat::heartbeat;
use crate::make_checkout::MakeCheckout;
use crate::process_notification::ProcessNotification;
use crate::queue::{Feeder, Queue, QueueError, push_hints};
use crate::read_back::ReadBack;
use crate::rows::{DeskRows, Office, Rows};
use crate::schedules::Schedules;
use crate::send_email::SendEmail;
use crate::settings::Checked;
use crate::supervisor::{GaveUp, Health, Patience, Supervisor};
use crate::sweep::Sweep;

/// A part that should run until it is stopped has ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkersError {
    /// A worker couldn't be kept running.
    #[error("the jobs can't go on")]
    GaveUp(#[from] GaveUp),
    /// What stands at the queue's address isn't ours to use.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Templates, keys or certificates of `[mail]` are wrong.
    #[error("e-mails can't be sent as the settings say:\n{}", .0.join("\n"))]
    Mail(Vec<String>),
    /// A part ended by itself, or panicked.
    #[error("the {0} ended, which it never should")]
    Ended(&'static str),
}

/// What the workers work on.
pub struct Desks {
    /// The truth.
    pub store: Store,
    /// Who acts on it.
    pub desk: Desk,
    /// Where what was read from a provider is committed.
    pub inbox: Inbox,
    /// What can be read from the providers.
    pub rereading: Arc<dyn Rereading>,
    /// The registers that names come from.
    pub registers: Arc<dyn Lookup>,
}

/// The workers, the sweep and the schedules of this process, ready to run.
pub struct Workers {
    settings: Checked,
    /// Where signs of life go; none where the rows are pretended.
    store: Option<Store>,
    rows: Arc<dyn Rows>,
    office: Arc<dyn Office>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    feeder: Feeder,
    health: Health,
    jobs: Jobs,
}

impl Workers {
    /// Puts them together, and renders every template of an e-mail with sample data. `feeder` is the other end of the nudge that `desk` was given; see
    /// [`nudge`](crate::nudge).
    ///
    /// # Errors
    /// [`WorkersError::Mail`] when a template, a key or a certificate is wrong.
    pub fn new(
        settings: Checked,
        desks: Desks,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        feeder: Feeder,
    ) -> Result<Self, WorkersError> {
        let Desks {
            store,
            desk,
            inbox,
            rereading,
            registers,
        } = desks;
        let mailer = settings.mailer().map_err(WorkersError::Mail)?;
        for stranger in strangers(&mailer.renderer) {
            tracing::warn!("{stranger}");
        }
        let store = store.pacing_mail(settings.mail.most_a_minute);
        let gathered = Gathered::start(&store, &desk);
        let rows = DeskRows {
            store,
            desk,
            inbox,
            gathered,
        };
        let limit = settings.limit;
        let email = SendEmail {
            mailer,
            clock: Arc::clone(&clock),
            limit: settings
                .mail
                .timeout
                .saturating_mul(3)
                .saturating_add(Duration::from_secs(15)),
        };
        let client = ApiClient::new();
        let jobs = Jobs {
            event: Arc::new(ProcessNotification { limit }),
            approval: Arc::new(CarryOutApproval { limit }),
            email: Arc::new(email),
            checkout: Arc::new(MakeCheckout {
                rereading: Arc::clone(&rereading),
                client: client.clone(),
                limit,
            }),
            names: Arc::new(FetchNames { registers }),
            delivery: Arc::new(DeliverEvent {
                endpoints: Arc::clone(&settings.events),
                clock: Arc::clone(&clock),
            }),
            reread: Arc::new(ReadBack {
                rereading,
                client,
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
                limit: limit.saturating_mul(2),
            }),
        };
        let store = rows.store.clone();
        let parts = Self::of_parts(
            settings,
            Arc::new(rows.clone()),
            Arc::new(rows),
            clock,
            entropy,
            feeder,
            jobs,
        );
        Ok(Self {
            store: Some(store),
            ..parts
        })
    }

    pub(crate) fn of_parts(
        settings: Checked,
        rows: Arc<dyn Rows>,
        office: Arc<dyn Office>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        feeder: Feeder,
        jobs: Jobs,
    ) -> Self {
        Self {
            settings,
            store: None,
            rows,
            office,
            clock,
            entropy,
            feeder,
            health: Health::default(),
            jobs,
        }
    }

    /// Tells whether they run; for readiness. May be asked before, during and after.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Runs them until `stop`: then nothing new is begun, and what runs may end within the grace
    /// of the settings. What doesn't keeps its lease and is done after the next start.
    ///
    /// # Errors
    /// When a part ends that should not; the process can't be of use any more.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WorkersError> {
        let settings = self.settings;
        // A child: whatever ends this function stops everything in it, and nothing beyond.
        let stop = stop.child_token();
        let _stop_at_the_end = stop.clone().drop_guard();
        let queue = Arc::new(Queue::new(settings.queue.clone()));
        // Whatever else is wrong with the file may pass; this stays until somebody changes a setting.
        queue.must_be_ours().await?;
        let running = TaskTracker::new();
        let attempts = Arc::new(Attempts {
            rows: Arc::clone(&self.rows),
            jobs: self.jobs.clone(),
            clock: Arc::clone(&self.clock),
            set_apart_after: settings.set_apart_after,
            running: running.clone(),
            stop: stop.clone(),
        });
        let handler = Arc::new(TaskHandler {
            queue: Arc::clone(&queue),
            attempts,
        });

        let mut parts: JoinSet<Result<(), WorkersError>> = JoinSet::new();
        // Until the end: what still runs when the stop was asked for is alive.
        let beating = CancellationToken::new();
        let _stop_beating = beating.clone().drop_guard();
        if let Some(store) = self.store.clone() {
            let (begun, has_begun) = oneshot::channel();
            tokio::spawn(heartbeat(store, Arc::clone(&self.clock), begun, beating.clone()));
            // Nothing is claimed before the first sign: whoever died between the two would be a process that nobody
            // ever heard of, and nobody could say that it is dead. Its claims would be held until they run out.
            tokio::select! {
                _ = has_begun => {}
                () = stop.cancelled() => {}
            }
        }
        for (work, at_once) in Work::ALL.iter().copied().zip(settings.at_once) {
            let supervisor = Supervisor {
                work,
                queue: Arc::clone(&queue),
                handler: handler.clone(),
                // A task brings a group of rows with it.
                tasks_at_once: at_once.div_ceil(settings.queue.groups.of(work)),
                patience: Patience::for_limit(self.jobs.of(work).limit()),
                health: self.health.clone(),
                clock: Arc::clone(&self.clock),
                entropy: Arc::clone(&self.entropy),
                stop: stop.clone(),
            };
            parts.spawn(async move { Ok(supervisor.run().await?) });
        }
        let sweep = Sweep {
            rows: self.rows,
            queue: Arc::clone(&queue),
            clock: Arc::clone(&self.clock),
            interval: settings.sweep_interval,
            batch: settings.sweep_batch,
        };
        let schedules = Schedules {
            office: self.office,
            queue: Arc::clone(&queue),
            clock: self.clock,
            timetable: settings.timetable,
            retention: settings.retention,
            digest: settings.digest,
        };
        let (feeder, feeding) = (self.feeder, Arc::clone(&queue));
        parts.spawn(until_stopped("sweep", stop.clone(), |stop| async move {
            sweep.run(&stop).await
        }));
        parts.spawn(until_stopped("schedules", stop.clone(), |stop| async move {
            schedules.run(&stop).await
        }));
        parts.spawn(until_stopped("hints", stop.clone(), |stop| async move {
            push_hints(feeder, &feeding, &stop).await;
        }));

        // Until everything has stopped because it was asked to, or the first part that fails.
        let ended = async {
            while let Some(part) = parts.join_next().await {
                part.unwrap_or(Err(WorkersError::Ended("supervisor")))?;
            }
            Ok(())
        };
        let graceful = async {
            stop.cancelled().await;
            tokio::time::sleep(settings.grace).await;
        };
        let (result, left) = tokio::select! {
            result = ended => (result, settings.grace),
            () = graceful => (Ok(()), Duration::ZERO),
        };
        stop.cancel();
        running.close();
        // Work outlives its worker when the queue fails under it.
        if tokio::time::timeout(left, running.wait()).await.is_err() {
            tracing::warn!(still = running.len(), "left what still runs; it keeps its leases");
        }
        parts.abort_all();
        let _ = tokio::time::timeout(Duration::from_secs(5), queue.close()).await;
        beating.cancel();
        if running.is_empty()
            && let Some(store) = &self.store
            && let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(5), store.last_beat()).await
        {
            tracing::debug!(%error, "no last sign could be given");
        }
        result
    }
}

/// Tells the queue what a process without workers commits, until `stop`; for a queue that it shares with
/// processes that work. What gets lost on the way, they find by their sweep.
pub async fn tell(settings: Checked, feeder: Feeder, stop: CancellationToken) {
    let queue = Queue::new(settings.queue);
    push_hints(feeder, &queue, &stop).await;
    let _ = tokio::time::timeout(Duration::from_secs(5), queue.close()).await;
}

/// Runs a part that ends only when stopped; anything else is an error with its name.
async fn until_stopped<F: Future<Output = ()>>(
    name: &'static str,
    stop: CancellationToken,
    part: impl FnOnce(CancellationToken) -> F,
) -> Result<(), WorkersError> {
    let ended = std::panic::AssertUnwindSafe(part(stop.clone())).catch_unwind().await;
    match ended {
        Ok(()) if stop.is_cancelled() => Ok(()),
        _ => Err(WorkersError::Ended(name)),
    }
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
