//! Keeps a worker of each kind running, and says when it can't.
//!
//! An apalis worker ends at the first error of its store, and a process whose workers have ended
//! looks healthy: it answers, it receives, and nothing happens any more. So:
//!
//! - A worker that ends is built again under a fresh name, after a pause that doubles from 50 ms to
//!   30 s. From the second failure in a row the queue's file is looked at, from the fourth it is put
//!   aside whatever it looks like: it holds nothing that isn't in the rows.
//! - A worker that shows no life sign for longer than its work can explain counts as ended.
//! - Readiness is false while any worker is down ([`Health`]).
//! - After twenty failures in a row without a healthy minute it gives up: the role ends with an
//!   error, the process exits, and whoever started it sees to it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eencent_activations::clock::Clock;
use eencent_activations::entropy::{Entropy, new_id};
use eencent_activations::ledger::Work;
use tokio_util::sync::CancellationToken;

use crate::backoff::Pace;
use crate::queue::{Handler, Queue, ROUNDS, WorkerEnd, work_until};

/// Whether the workers run; clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Vitals>);

#[derive(Debug, Default)]
struct Vitals {
    /// When each worker that runs last showed a life sign.
    alive: Mutex<HashMap<Work, Instant>>,
    restarts: AtomicU64,
}

impl Health {
    /// Whether a worker of every kind runs.
    pub fn all_running(&self) -> bool {
        let alive = self.0.alive.lock().unwrap_or_else(PoisonError::into_inner);
        Work::ALL.iter().all(|work| alive.contains_key(work))
    }

    /// How often a worker had to be built again since the start.
    pub fn restarts(&self) -> u64 {
        self.0.restarts.load(Ordering::Relaxed)
    }

    fn sign(&self, work: Work) {
        let mut alive = self.0.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.insert(work, Instant::now());
    }

    fn gone(&self, work: Work) {
        let mut alive = self.0.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.remove(&work);
    }

    fn last_sign(&self, work: Work) -> Option<Instant> {
        let alive = self.0.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.get(&work).copied()
    }
}

/// A worker couldn't be kept running.
#[derive(Debug, thiserror::Error)]
#[error("the {} worker failed {failures} times in a row, the last time: {last}", work.as_str())]
pub struct GaveUp {
    /// Which.
    pub work: Work,
    /// How often.
    pub failures: u32,
    /// What the last failure said.
    pub last: String,
}

/// How much is put up with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The pause before a worker is built again.
    pub(crate) pace: Pace,
    /// So many failures in a row are the end.
    pub(crate) failures: u32,
    /// A worker that ran this long was healthy: failures are counted from nothing again.
    pub(crate) healthy_after: Duration,
    /// A worker without a life sign for this long is taken for dead. Longer than all rounds it has
    /// fetched may take: until they are begun it can't show any.
    pub(crate) silent_for: Duration,
}

impl Patience {
    pub(crate) fn for_limit(limit: Duration) -> Self {
        Self {
            pace: Pace::new(Duration::from_millis(50), Duration::from_secs(30)),
            failures: 20,
            healthy_after: Duration::from_secs(60),
            silent_for: limit.saturating_mul(ROUNDS + 2).saturating_add(Duration::from_secs(60)),
        }
    }
}

/// Keeps the worker of one kind of work running.
pub(crate) struct Supervisor {
    pub(crate) work: Work,
    pub(crate) queue: Arc<Queue>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) tasks_at_once: usize,
    pub(crate) patience: Patience,
    pub(crate) health: Health,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) stop: CancellationToken,
}

impl Supervisor {
    /// Until `stop`, or until there is no point in going on.
    pub(crate) async fn run(self) -> Result<(), GaveUp> {
        let mut failures = 0_u32;
        loop {
            let begun = Instant::now();
            let end = self.one_life().await;
            self.health.gone(self.work);
            let last = match end {
                WorkerEnd::Stopped => return Ok(()),
                WorkerEnd::Died(why) => why,
            };
            if begun.elapsed() >= self.patience.healthy_after {
                failures = 0;
            }
            failures = failures.saturating_add(1);
            let work = self.work;
            if failures >= self.patience.failures {
                tracing::error!(work = work.as_str(), failures, last, "gave up on the worker");
                return Err(GaveUp { work, failures, last });
            }
            let pause = self.patience.pace.after(failures, work.as_str());
            tracing::warn!(
                work = work.as_str(),
                failures,
                last,
                ?pause,
                "the worker died, building another"
            );
            self.health.0.restarts.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("eencent_worker_restarts_total", "work" => work.as_str()).increment(1);
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
            match failures {
                0 | 1 => {}
                2 | 3 => self.queue.mend().await,
                // A row of it may be what apalis stumbles over at each start. Not at every failure:
                // the other workers die of it too.
                times if times % 4 == 0 => self.queue.start_over().await,
                _ => {}
            }
        }
    }

    async fn one_life(&self) -> WorkerEnd {
        // Never the same name twice: apalis refuses it for a while (S6), and elsewhere locks tasks
        // for ever under a name that seems alive.
        let Ok(name) = new_id(
            &format!("eencent-{}", self.work.as_str()),
            self.clock.now(),
            self.entropy.as_ref(),
        ) else {
            return WorkerEnd::Died("no randomness for a name".to_owned());
        };
        let (health, work) = (self.health.clone(), self.work);
        let alive = move || health.sign(work);
        let life = work_until(
            &self.queue,
            work,
            name,
            self.tasks_at_once,
            Arc::clone(&self.handler),
            alive,
            self.stop.clone(),
        );
        tokio::select! {
            end = life => end,
            silence = self.silence() => WorkerEnd::Died(format!("no life sign for {silence:?}")),
        }
    }

    /// Ends when the worker has been silent for too long.
    async fn silence(&self) -> Duration {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(self.patience.silent_for / 10).await;
            let silent = self.health.last_sign(self.work).unwrap_or(begun).elapsed();
            if silent > self.patience.silent_for && !self.stop.is_cancelled() {
                return silent;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use async_trait::async_trait;
    use eencent_activations::clock::SystemClock;
    use eencent_activations::entropy::OsEntropy;

    use crate::testing::{eventually, queue_at};

    struct Nothing;

    #[async_trait]
    impl Handler for Nothing {
        async fn handle(&self, _: Vec<u8>) {}
    }

    fn supervisor(queue: Arc<Queue>, failures: u32) -> Supervisor {
        let quick = Pace::new(Duration::from_millis(5), Duration::from_millis(20));
        Supervisor {
            work: Work::Event,
            queue,
            handler: Arc::new(Nothing),
            tasks_at_once: 2,
            patience: Patience {
                pace: quick,
                failures,
                ..Patience::for_limit(Duration::from_secs(5))
            },
            health: Health::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            stop: CancellationToken::new(),
        }
    }

    #[tokio::test]
    async fn apalis_a3_a_worker_that_dies_is_built_again_and_the_file_mended() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(queue_at(folder.path()));
        let supervisor = supervisor(Arc::clone(&queue), 20);
        let (health, stop) = (supervisor.health.clone(), supervisor.stop.clone());
        let running = tokio::spawn(supervisor.run());
        eventually("it runs", || health.last_sign(Work::Event).is_some()).await;

        let pool = queue.pool().await.unwrap();
        sqlx::query("DROP TABLE Jobs").execute(&pool).await.unwrap();
        eventually("it died", || health.restarts() > 0).await;
        eventually("it runs again", || health.last_sign(Work::Event).is_some()).await;
        let aside = folder.path().join("queue.sqlite.broken-1");
        eventually("the broken file was put aside", || aside.exists()).await;

        stop.cancel();
        running.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn fault_73_apalis_a5_a_worker_that_cannot_be_kept_running_is_an_error_and_not_silence() {
        let folder = tempfile::tempdir().unwrap();
        // A folder where the file should be: nothing can be opened there. The name is taken aside
        // at first, so take away the right to do even that by putting it below a file.
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let queue = Arc::new(queue_at(&folder.path().join("file")));
        let supervisor = supervisor(queue, 6);
        let health = supervisor.health.clone();
        let error = supervisor.run().await.unwrap_err();
        assert_eq!(error.failures, 6);
        assert!(!health.all_running());
        assert_eq!(health.restarts(), 5);
    }
}
