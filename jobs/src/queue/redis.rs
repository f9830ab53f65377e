//! The queue on Redis, for several machines.
//!
//! Redis may be emptied, restarted or away: it holds hints, and the sweep tells them again. The connection
//! is made anew when it breaks, and an answer may take seconds, where apalis' own would give up after
//! half a second (R5).
//!
//! Several processes push and several work, so what waits already is remembered in Redis, not in memory:
//! a sorted set of ids, which leave when they were claimed, or by themselves when they were lost.

use std::sync::Arc;
use std::time::Duration;

use apalis_redis::{Config, RedisStorage};
use eencent_activations::ledger::Work;
use futures::SinkExt as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, Client, Script};
use tokio::sync::Mutex;

use super::{PUSH_AGAIN, Pushed, QueueError, TIDY_BATCH, task_text, worker};

/// An answer may take this long.
const RESPONSE_LIMIT: Duration = Duration::from_secs(10);
/// A connection may take this long.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Before what is asked of the queue fails, the connection is tried so often.
const TRIES: usize = 2;

/// Where a Redis is. What is shown of it holds no password.
#[derive(Clone)]
pub(crate) struct RedisAddress {
    client: Arc<Client>,
    shown: String,
}

impl std::fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl RedisAddress {
    /// Reads `redis://…` or `rediss://…`; `None` when it is another kind of address.
    ///
    /// # Errors
    /// What is wrong with it, without repeating a password.
    pub(crate) fn parse(url: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = url.split_once("://")?;
        if !matches!(scheme, "redis" | "rediss") {
            return None;
        }
        let shown = format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host));
        Some(match Client::open(url) {
            Ok(client) => Ok(Self {
                client: Arc::new(client),
                shown,
            }),
            Err(error) => Err(format!(
                "can't be read ({}); write redis://[user:password@]host[:port][/number], with rediss:// for TLS; \
                 a password is percent-encoded",
                error.category()
            )),
        })
    }
}

/// The connection, made when needed.
pub(crate) struct RedisQueue {
    address: RedisAddress,
    open: Mutex<Option<ConnectionManager>>,
    take_in: Script,
}

impl RedisQueue {
    pub(crate) fn new(address: RedisAddress) -> Self {
        Self {
            address,
            open: Mutex::new(None),
            take_in: Script::new(TAKE_IN),
        }
    }

    /// The connection, which mends itself.
    pub(crate) async fn connection(&self) -> Result<ConnectionManager, QueueError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = open.as_ref() {
            return Ok(connection.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_LIMIT))
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_max_delay(Duration::from_secs(1))
            .set_number_of_retries(TRIES);
        let made = ConnectionManager::new_with_config(self.address.client.as_ref().clone(), config).await;
        let made = made.map_err(|source| QueueError::Redis {
            address: self.address.shown.clone(),
            source,
        })?;
        Ok(open.insert(made).clone())
    }

    /// Asks whether it answers.
    pub(crate) async fn probe(&self) -> Result<(), QueueError> {
        let mut connection = self.connection().await?;
        let pong: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
        pong.map(|_| ()).map_err(|source| QueueError::Redis {
            address: self.address.shown.clone(),
            source,
        })
    }

    /// Pushes those ids that don't wait already, up to `most` in all, `group` to a task.
    pub(crate) async fn push(
        &self,
        work: Work,
        ids: &[String],
        most: usize,
        group: usize,
    ) -> Result<Pushed, QueueError> {
        let mut connection = self.connection().await?;
        let (waiting, new): (usize, Vec<String>) = self
            .take_in
            .key(waiting_key(work))
            .arg(most)
            .arg(PUSH_AGAIN.as_secs())
            .arg(ids)
            .invoke_async(&mut connection)
            .await?;
        // If we crash here, nobody pushes these until their time has run out: seconds of waiting.
        let mut storage = RedisStorage::<Vec<u8>>::new(connection).with_config(config(work, 1));
        for ids in new.chunks(group.max(1)) {
            let task = apalis::prelude::TaskBuilder::new(task_text(work, ids).into_bytes()).build();
            storage.feed(task).await?;
        }
        storage.flush().await?;
        Ok(Pushed {
            new: new.len(),
            waiting,
        })
    }

    /// How many rows of a kind wait in it.
    pub(crate) async fn waiting(&self, work: Work) -> Result<usize, QueueError> {
        let mut connection = self.connection().await?;
        // Nothing is taken in, and what has waited for too long is forgotten.
        let (waiting, _): (usize, Vec<String>) = self
            .take_in
            .key(waiting_key(work))
            .arg(0)
            .arg(0)
            .invoke_async(&mut connection)
            .await?;
        Ok(waiting)
    }

    /// They were claimed, or there is nothing to do: they may be pushed again.
    pub(crate) async fn begun(&self, work: Work, ids: &[&str]) -> Result<(), QueueError> {
        let mut connection = self.connection().await?;
        Ok(connection.zrem(waiting_key(work), ids).await?)
    }

    /// Deletes what is finished, in small batches: apalis keeps every task for ever (R9).
    pub(crate) async fn tidy(&self, work: Work) -> Result<u64, QueueError> {
        let mut connection = self.connection().await?;
        let config = config(work, 1);
        let batch = usize::try_from(TIDY_BATCH).unwrap_or(usize::MAX);
        let mut deleted = 0_u64;
        for set in [config.done_jobs_set(), config.dead_jobs_set()] {
            loop {
                let ids: Vec<String> = redis::cmd("SPOP")
                    .arg(&set)
                    .arg(batch)
                    .query_async(&mut connection)
                    .await?;
                if ids.is_empty() {
                    break;
                }
                let mut drop = redis::pipe();
                for id in &ids {
                    drop.hdel(config.job_data_hash(), id).ignore();
                    drop.unlink(format!("{}:{id}", config.job_meta_hash())).ignore();
                }
                drop.query_async::<()>(&mut connection).await?;
                deleted = deleted.saturating_add(u64::try_from(ids.len()).unwrap_or(u64::MAX));
            }
        }
        // Every start has a worker's name of its own, and a description that nobody removes.
        let mut names = connection
            .scan_match::<_, String>(format!("{}:workers:metadata:*", name(work)))
            .await?;
        let mut described = Vec::new();
        while let Some(name) = names.next_item().await {
            described.push(name?);
        }
        drop(names);
        for key in described {
            let name = key.rsplit(':').next().unwrap_or_default();
            let signs: Option<f64> = connection.zscore(config.workers_set(), name).await?;
            if signs.is_none() {
                connection.unlink::<_, ()>(&key).await?;
            }
        }
        Ok(deleted)
    }

    pub(crate) async fn close(&self) {
        self.open.lock().await.take();
    }
}

/// How apalis is to behave.
pub(crate) fn config(work: Work, batch: usize) -> Config {
    Config::default()
        .queue(name(work))
        .batch_size(batch.max(1))
        .heartbeat_interval(worker::HEARTBEAT)
        .missed_heartbeats(3)
        .lock_tasks(false)
        // Else nothing is acknowledged (R12).
        .persist_results(true)
        .emit_events(false)
}

/// The name of the queue of this kind of work, which others' keys on the same Redis stay clear of.
fn name(work: Work) -> String {
    format!("eencent:{}", worker::queue_name(work))
}

/// What waits, by id, each with the second until which it is taken to.
fn waiting_key(work: Work) -> String {
    format!("{}:waiting", name(work))
}

/// Takes in what is new and finds room: what has waited for too long is forgotten first. By the clock of Redis,
/// which is one for all.
const TAKE_IN: &str = r"
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local waiting = redis.call('ZCARD', KEYS[1])
local most, new = tonumber(ARGV[1]), {}
for place = 3, #ARGV do
  if waiting >= most then break end
  if redis.call('ZADD', KEYS[1], 'NX', now + tonumber(ARGV[2]), ARGV[place]) == 1 then
    waiting = waiting + 1
    new[#new + 1] = ARGV[place]
  end
end
return {waiting, new}";
