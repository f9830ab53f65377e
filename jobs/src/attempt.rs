//! One attempt at one row: claim it, do the work, write down what came of it.
//!
//! The queue only says "look here", twice if it likes; whether there is anything to do, the claim
//! tells. Whatever happens in between is an [`Outcome`] and stands on the row afterwards, so the
//! queue always hears Ok. Three things can't be left to the work itself:
//!
//! - *It panics.* The work runs as a task of its own, so that the panic ends that task and no more.
//! - *It never ends.* A limit on time; a loop that never waits for anything can't be stopped in
//!   Rust, but as it sits in a task of its own the limit passes all the same, the row is put
//!   back, and its neighbours go on.
//! - *The queue's worker dies under it* (a lost connection does that). The task of its own goes on;
//!   an e-mail half-way through its hand-over isn't torn off.
//!
//! A row that panics or hangs over and over is set apart after `set_apart_after` attempts: it is
//! the row, not the weather. Errors of a store that is away never set anything apart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use eencent_activations::clock::{Clock, Timestamp};
use eencent_activations::failpoint::{self, Moment};
use eencent_activations::ledger::Work;
use eencent_activations::trace;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use crate::backoff::Pace;
use crate::rows::{Row, RowError, Rows, broke, told};

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done; the work itself has ended the claim.
    Done,
    /// Not this time. Tried again later, but not after `until`.
    Again { error: String, until: Option<Timestamp> },
    /// It may have worked: handed over, and no answer. Tried again, as the same thing.
    Uncertain { error: String },
    /// It can't work, now or later.
    Never { error: String },
    /// It panicked or hung, in the group that it shared as well as by itself: it is the row.
    Broke { error: String },
}

impl Outcome {
    pub(crate) fn again(error: &RowError) -> Self {
        if broke(error) {
            return Self::Broke { error: told(error) };
        }
        Self::Again {
            error: told(error),
            until: None,
        }
    }
}

/// One kind of work.
#[async_trait]
pub(crate) trait Job: Send + Sync {
    /// How long one attempt may take.
    fn limit(&self) -> Duration;

    /// How long to wait between attempts.
    fn pace(&self) -> Pace;

    /// Does it.
    async fn run(&self, row: &dyn Row) -> Outcome;

    /// What it means that an attempt was cut off by its limit.
    fn cut_off(&self, error: String) -> Outcome {
        Outcome::Again { error, until: None }
    }
}

/// The jobs, one for each kind of work.
#[derive(Clone)]
pub(crate) struct Jobs {
    pub(crate) event: Arc<dyn Job>,
    pub(crate) approval: Arc<dyn Job>,
    pub(crate) email: Arc<dyn Job>,
    pub(crate) reread: Arc<dyn Job>,
    pub(crate) checkout: Arc<dyn Job>,
    pub(crate) delivery: Arc<dyn Job>,
    pub(crate) names: Arc<dyn Job>,
}

impl Jobs {
    pub(crate) fn of(&self, work: Work) -> &Arc<dyn Job> {
        match work {
            Work::Event => &self.event,
            Work::Approval => &self.approval,
            Work::Email => &self.email,
            Work::Reread => &self.reread,
            Work::Checkout => &self.checkout,
            Work::Delivery => &self.delivery,
            Work::Names => &self.names,
        }
    }
}

/// Attempts rows, for whoever says which.
pub(crate) struct Attempts {
    pub(crate) rows: Arc<dyn Rows>,
    pub(crate) jobs: Jobs,
    pub(crate) clock: Arc<dyn Clock>,
    /// After so many attempts a row that panics or hangs is set apart.
    pub(crate) set_apart_after: u32,
    /// Everything that runs, so that a stop can wait for it.
    pub(crate) running: TaskTracker,
    /// Once cancelled, nothing is begun any more.
    pub(crate) stop: CancellationToken,
}

/// A row that was taken for an attempt.
pub(crate) struct Taken {
    work: Work,
    id: String,
    row: Arc<dyn Row>,
    since: Instant,
}

/// A lease outlives its attempt by this much, so that what is written at the end still counts.
const LEASE_BEYOND_LIMIT: Duration = Duration::from_secs(30);

/// The store may take this long to give or end a claim.
const STORE_LIMIT: Duration = Duration::from_secs(25);

impl Attempts {
    /// Takes a row for an attempt, if there is anything to do. Never fails and never panics.
    pub(crate) async fn take(&self, work: Work, id: &str) -> Option<Taken> {
        if self.stop.is_cancelled() {
            return None;
        }
        let since = Instant::now();
        let lease = self.jobs.of(work).limit().saturating_add(LEASE_BEYOND_LIMIT);
        let claimed = self.rows.claim(work, id, self.clock.now(), lease);
        match within_limit(claimed).await {
            Ok(Some(row)) => {
                failpoint::pass(Moment::RowClaimed);
                let (id, row) = (id.to_owned(), Arc::from(row));
                Some(Taken { work, id, row, since })
            }
            Ok(None) => {
                count(work, "nothing_to_do");
                None
            }
            Err(error) => {
                // Nothing was begun; the sweep finds the row again.
                tracing::warn!(work = work.as_str(), id, error = told(&error), "could not claim");
                count(work, "not_claimed");
                None
            }
        }
    }

    /// The attempt at a row that was taken. Never fails and never panics.
    pub(crate) async fn attempt(&self, taken: Taken) {
        let Taken { work, id, row, since } = taken;
        let job = self.jobs.of(work);
        let (outcome, word) = self.run(job, &row, row.span()).await;
        self.write_down(work, &id, job.pace(), row.as_ref(), outcome, word)
            .await;
        metrics::histogram!("eencent_job_seconds", "work" => work.as_str()).record(since.elapsed().as_secs_f64());
    }

    async fn run(&self, job: &Arc<dyn Job>, row: &Arc<dyn Row>, span: Span) -> (Outcome, &'static str) {
        let task = {
            let (job, row) = (Arc::clone(job), Arc::clone(row));
            let work = async move { job.run(row.as_ref()).await };
            self.running.spawn(work.instrument(span))
        };
        let abort = task.abort_handle();
        match tokio::time::timeout(job.limit(), task).await {
            Ok(Ok(Outcome::Broke { error })) => {
                let again = Outcome::Again { error, until: None };
                (self.or_set_apart(row.as_ref(), again), "panicked")
            }
            Ok(Ok(outcome)) => {
                let word = match outcome {
                    Outcome::Done => "done",
                    Outcome::Again { .. } => "again",
                    Outcome::Uncertain { .. } => "uncertain",
                    Outcome::Never { .. } | Outcome::Broke { .. } => "given_up",
                };
                (outcome, word)
            }
            // The panic's own message went to standard error by the hook; it may hold anything,
            // so it isn't repeated here.
            Ok(Err(_)) => {
                let error = "the attempt panicked".to_owned();
                (
                    self.or_set_apart(row.as_ref(), Outcome::Again { error, until: None }),
                    "panicked",
                )
            }
            Err(_) => {
                abort.abort();
                let error = format!("the attempt took longer than {:?}", job.limit());
                (self.or_set_apart(row.as_ref(), job.cut_off(error)), "timed_out")
            }
        }
    }

    fn or_set_apart(&self, row: &dyn Row, outcome: Outcome) -> Outcome {
        let attempts = row.attempts().saturating_add(1);
        match outcome {
            Outcome::Again { error, .. } if attempts >= self.set_apart_after => Outcome::Never {
                error: format!("{error}; set apart after {attempts} attempts"),
            },
            other => other,
        }
    }

    async fn write_down(&self, work: Work, id: &str, pace: Pace, row: &dyn Row, outcome: Outcome, word: &'static str) {
        let now = self.clock.now();
        let retry_at = now.plus(pace.after(row.attempts().saturating_add(1), id));
        let (work_name, mut word) = (work.as_str(), word);
        let writing = async {
            match outcome {
                Outcome::Done => {
                    tracing::debug!(work = work_name, id, "done");
                    Ok(())
                }
                Outcome::Again { error, until } if until.is_some_and(|until| retry_at >= until) => {
                    word = "given_up";
                    tracing::error!(work = work_name, id, error, "given up: its time is over");
                    row.give_up(now, &error).await
                }
                Outcome::Again { error, .. } => {
                    tracing::warn!(work = work_name, id, error, %retry_at, "failed, tried again later");
                    row.put_back(now, retry_at, &error).await
                }
                Outcome::Uncertain { error } => {
                    tracing::warn!(work = work_name, id, error, %retry_at, "handed over without an answer");
                    row.maybe_sent(retry_at, &error).await
                }
                Outcome::Never { error } | Outcome::Broke { error } => {
                    tracing::error!(work = work_name, id, error, "given up");
                    row.give_up(now, &error).await
                }
            }
        };
        let written = within_limit(writing).await;
        count(work, word);
        let span = row.span();
        trace::note(&span, "outcome", word);
        if word != "done" || written.is_err() {
            trace::failed(&span);
        }
        if let Err(error) = written {
            // The lease runs out and the row is found again; its starts were counted at the claim.
            tracing::error!(
                work = work_name,
                id,
                error = told(&error),
                "could not write down what came of it"
            );
        }
    }
}

/// A store that never answers must not keep a worker's place for ever.
async fn within_limit<T>(asked: impl Future<Output = Result<T, RowError>>) -> Result<T, RowError> {
    match tokio::time::timeout(STORE_LIMIT, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(format!("the store didn't answer within {STORE_LIMIT:?}").into()),
    }
}

fn count(work: Work, outcome: &'static str) {
    metrics::counter!("eencent_jobs_total", "work" => work.as_str(), "outcome" => outcome).increment(1);
}
