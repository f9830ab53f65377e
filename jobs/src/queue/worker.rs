//! One apalis worker, run until it ends.
//!
//! Tasks go through it as bytes: [`Bytes`] can't fail to decode, so a task that makes no sense
//! reaches our handler instead of ending the worker with the good tasks of its batch still locked
//! (A2). The handler always answers Ok, as apalis' answers to a failure are to try again at once
//! or never (S1, S2). It fetches a few rounds of work at once: each fetch and each acknowledgement is
//! a transaction, and one by one they take longer than the work. Not more than a few, as it shows no
//! life sign while fetched tasks wait in its memory.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{BackendExt, Codec, Event, EventListenerExt, WorkerBuilder, WorkerBuilderExt};
use apalis_redis::RedisStorage;
use apalis_sqlite::{Config, SqliteStorage};
use async_trait::async_trait;
use eencent_activations::ledger::Work;
use futures::task::AtomicWaker;
use futures::{FutureExt, Stream};
use tokio_util::sync::CancellationToken;

use super::{Place, Queue};

/// Takes a task, whatever it says. Must not panic and must not take for ever.
#[async_trait]
pub(crate) trait Handler: Send + Sync + 'static {
    /// Looks where the task points.
    async fn handle(&self, task: Vec<u8>);
}

/// How a worker ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WorkerEnd {
    /// It was asked to, and has finished what ran.
    Stopped,
    /// By itself, which it never should; why, in words for the log.
    Died(String),
}

/// Life signs go to the file this often; a worker that gave none for three of them is taken for
/// dead by the others, and what it held goes back among the waiting.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// So many rounds of work are fetched at once.
pub(crate) const ROUNDS: u32 = 4;

/// Leaves bytes as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes;

impl Codec<Vec<u8>> for Bytes {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, bytes: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.clone())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.clone())
    }
}

/// The name of the queue of this kind of work.
pub(crate) fn queue_name(work: Work) -> &'static str {
    work.as_str()
}

pub(crate) fn config(work: Work, batch: usize) -> Config {
    Config::default()
        .queue(queue_name(work))
        .batch_size(batch.max(1))
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(3)
        // One write less for each task: fetching has put our name on it already.
        .lock_tasks(false)
}

/// Rung when something was pushed.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    sleeper: AtomicWaker,
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.wake();
    }
}

/// After how long an idle worker looks without being told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    /// After a bell: a fetch that was under way then may have come back with nothing, and apalis doesn't fetch again
    /// by itself.
    pub(crate) after_a_bell: Duration,
    /// Otherwise.
    pub(crate) idle: Duration,
}

/// Wakes an idle worker: when something was pushed, and at every interval in any case. apalis fetches whenever it is
/// woken.
///
/// apalis' own `poll_with_interval` starts its next timer without polling it. A fetch that takes longer
/// than the interval then leaves nobody to wake the worker, and it sleeps until its next life sign: five
/// seconds, seen on a busy machine. Here every poll leaves both wakers registered.
struct Looks {
    bell: Arc<Bell>,
    intervals: Intervals,
    timer: Pin<Box<tokio::time::Sleep>>,
}

impl Looks {
    fn new(bell: Arc<Bell>, intervals: Intervals) -> Self {
        Self {
            bell,
            intervals,
            timer: Box::pin(tokio::time::sleep(intervals.after_a_bell)),
        }
    }
}

impl Stream for Looks {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        self.bell.sleeper.register(context.waker());
        let Intervals { after_a_bell, idle } = self.intervals;
        if self.bell.rung.swap(false, Ordering::Acquire) {
            self.timer.as_mut().reset(tokio::time::Instant::now() + after_a_bell);
        }
        let mut due = false;
        while self.timer.as_mut().poll(context).is_ready() {
            due = true;
            self.timer.as_mut().reset(tokio::time::Instant::now() + idle);
        }
        if due { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}

/// Runs a worker called `name` until `stop`, or until it dies. `alive` is called at each life sign,
/// the first once it is registered.
pub(crate) async fn work_until(
    queue: &Queue,
    work: Work,
    name: String,
    at_once: usize,
    handler: Arc<dyn Handler>,
    alive: impl Fn() + Send + Sync + 'static,
    stop: CancellationToken,
) -> WorkerEnd {
    let looks = Looks::new(queue.bell(work), queue.intervals());
    let batch = at_once.saturating_mul(ROUNDS as usize);
    let stopping = stop.clone();
    let signal = async move {
        stopping.cancelled_owned().await;
        Ok::<(), std::io::Error>(())
    };
    // The same for each kind of storage; their types have nothing in common that could be named.
    macro_rules! life_of {
        ($storage:expr) => {{
            let worker = WorkerBuilder::new(name)
                .backend($storage.with_codec(Bytes).poll_with_stream(looks))
                .concurrency(at_once.max(1))
                .on_event(move |_, event| {
                    if matches!(event, Event::HeartBeat) {
                        alive();
                    }
                })
                .build(move |task: Vec<u8>| {
                    let handler = Arc::clone(&handler);
                    async move { handler.handle(task).await }
                });
            // apalis has `unwrap` and `unreachable!` on paths we can't rule out.
            AssertUnwindSafe(worker.run_until(signal)).catch_unwind().boxed()
        }};
    }
    let life = match &queue.place {
        Place::File(file) => match file.file.pool().await {
            Ok(pool) => life_of!(SqliteStorage::<Vec<u8>>::new(&pool).with_config(config(work, batch))),
            Err(error) => return WorkerEnd::Died(crate::rows::told(&error.into())),
        },
        Place::Redis(redis) => match redis.connection().await {
            Ok(connection) => {
                life_of!(RedisStorage::<Vec<u8>>::new(connection).with_config(super::redis::config(work, batch)))
            }
            Err(error) => return WorkerEnd::Died(crate::rows::told(&error.into())),
        },
    };
    match life.await {
        _ if stop.is_cancelled() => WorkerEnd::Stopped,
        Ok(Ok(())) => WorkerEnd::Died("it ended without a word".to_owned()),
        Ok(Err(error)) => WorkerEnd::Died(crate::rows::told(&error.into())),
        Err(_) => WorkerEnd::Died("it panicked".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use futures::StreamExt as _;

    #[tokio::test(start_paused = true)]
    async fn an_idle_worker_looks_seldom_and_again_soon_after_a_bell() {
        let (soon, seldom) = (Duration::from_millis(100), Duration::from_secs(1));
        let bell = Arc::new(Bell::default());
        let intervals = Intervals {
            after_a_bell: soon,
            idle: seldom,
        };
        let mut looks = Looks::new(Arc::clone(&bell), intervals);
        for (rings, waits) in [
            (true, soon),
            (false, seldom),
            (false, seldom),
            (true, soon),
            (false, seldom),
        ] {
            if rings {
                bell.ring();
            }
            let begun = tokio::time::Instant::now();
            looks.next().await.unwrap();
            assert_eq!(begun.elapsed().as_millis() / 10, waits.as_millis() / 10);
        }
    }
}
