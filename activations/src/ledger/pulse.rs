//! Which processes are alive, and by whose clock leases are counted.
//!
//! Leases of one database are counted by one clock, whatever the machines' own clocks say or do: that of
//! PostgreSQL; on SQLite, where one process works at a time, a clock that only goes forward. So a clock that is
//! set, or two that differ, make nobody lose a claim.
//!
//! A process that was killed holds its leases until they run out, a minute or more. On PostgreSQL each process
//! gives a sign every few seconds, and one that has been silent for [`SILENT_FOR`] is dead: its claims are freed.
//! Only a process that has itself given its signs in time all that while may say so: when the database was away,
//! everybody was silent, and nobody is dead for it. One that was only stopped, and wakes up, has lost its leases
//! and writes nothing.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;

use super::{Claim, Work};
use crate::clock::Timestamp;
use crate::store::{Kind, Store, StoreError, number, text};

/// How often a working process gives a sign.
pub const BEAT: Duration = Duration::from_secs(2);

/// Who is silent for this long is dead.
pub const SILENT_FOR: Duration = Duration::from_secs(12);

/// The clock that leases are counted by: an instant of it, and when that was by our own steady one.
#[derive(Debug, Default)]
pub(crate) struct Anchor(std::sync::Mutex<Option<(Timestamp, Instant)>>);

impl Anchor {
    fn set(&self, at: Timestamp, seen: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, seen));
    }

    /// What it shows; `now` as long as nothing is known of it.
    fn shows(&self, now: Timestamp) -> Timestamp {
        let anchor = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        anchor.map_or(now, |(at, seen)| at.plus(seen.elapsed()))
    }

    /// How long ago it was looked at; nothing where it never was.
    fn age(&self) -> Option<Duration> {
        let anchor = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        anchor.map(|(_, seen)| seen.elapsed())
    }
}

/// Most that are remembered.
const MOST_FORSAKEN: usize = 10_000;

/// Leases of this process that nobody works under: the store was lost while they were taken or given back.
#[derive(Debug, Default)]
pub(crate) struct Forsaken(std::sync::Mutex<Vec<(Work, String, String)>>);

impl Forsaken {
    pub(super) fn add(&self, work: Work, ids: &[String], lease: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Beyond it the leases run out by themselves: a store that is away for long must not fill the memory.
        let room = MOST_FORSAKEN.saturating_sub(all.len());
        all.extend(ids.iter().take(room).map(|id| (work, id.clone(), lease.to_owned())));
    }

    fn take(&self) -> Vec<(Work, String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The signs of one process, and how long it has given them in time.
#[derive(Debug, Default)]
pub struct Pulse {
    steady_since: Option<Instant>,
    last: Option<Instant>,
}

impl Store {
    /// The instant that leases are counted from.
    pub(crate) fn lease_time(&self, now: Timestamp) -> Timestamp {
        self.anchor().shows(now)
    }

    /// Whether the others still take this process for alive: its claims hold, and what can't be taken back, such as
    /// handing over an e-mail, may begin. False well before they would think otherwise.
    pub fn is_known_alive(&self) -> bool {
        let silent = self.anchor().age().unwrap_or_default();
        self.kind() == Kind::Sqlite || silent < SILENT_FOR / 2
    }

    /// Nobody works on this claim any more; the row is free at the next sign of life.
    pub(crate) fn forsake(&self, claim: &Claim) {
        self.forsaken()
            .add(claim.work, std::slice::from_ref(&claim.id), &claim.lease);
    }

    /// Gives a sign, and frees what dead processes had claimed, and what this one holds in vain; how many rows. To be called every [`BEAT`].
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn beat(&self, pulse: &mut Pulse, now: Timestamp) -> Result<u64, StoreError> {
        let ours = self.free_the_forsaken().await?;
        if self.kind() == Kind::Sqlite {
            if pulse.last.is_none() {
                self.anchor().set(now, Instant::now());
            }
            pulse.last = Some(Instant::now());
            return Ok(ours);
        }
        let asked = Instant::now();
        let row = sqlx::query(
            "INSERT INTO working (instance, seen_at) VALUES ($1, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)) \
             ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at RETURNING seen_at",
        )
        .bind(self.instance())
        // Not by those that write: when all of them are held up, the process is alive all the same.
        .fetch_one(self.reader())
        .await?;
        let there = Timestamp::from_micros(number(&row, "seen_at")?);
        self.anchor().set(there, asked);
        if pulse.last.is_none_or(|last| last.elapsed() > BEAT * 2) {
            pulse.steady_since = Some(asked);
        }
        pulse.last = Some(asked);
        let steady = pulse.steady_since.is_some_and(|since| since.elapsed() > SILENT_FOR);
        let theirs = if steady { self.free_the_dead(there).await? } else { 0 };
        Ok(ours + theirs)
    }

    /// Rows that this process holds and nobody in it works on.
    async fn free_the_forsaken(&self) -> Result<u64, StoreError> {
        let forsaken = self.forsaken().take();
        if forsaken.is_empty() {
            return Ok(0);
        }
        let freed = self.free_each(&forsaken).await;
        if freed.is_err() {
            for (work, id, lease) in &forsaken {
                self.forsaken().add(*work, std::slice::from_ref(id), lease);
            }
        }
        freed
    }

    async fn free_each(&self, rows: &[(Work, String, String)]) -> Result<u64, StoreError> {
        let mut freed = 0;
        let mut tx = self.begin().await?;
        for (work, id, lease) in rows {
            let sql = format!(
                "UPDATE {} SET lease = NULL, lease_until = NULL WHERE id = $1 AND lease = $2",
                work.table()
            );
            freed += sqlx::query(AssertSqlSafe(sql))
                .bind(id.as_str())
                .bind(lease.as_str())
                .execute(&mut *tx)
                .await?
                .rows_affected();
        }
        tx.commit().await?;
        Ok(freed)
    }

    async fn free_the_dead(&self, there: Timestamp) -> Result<u64, StoreError> {
        let dead = sqlx::query("SELECT instance FROM working WHERE seen_at < $1 ORDER BY instance")
            .bind(there.minus(SILENT_FOR).micros())
            .fetch_all(self.reader())
            .await?;
        let mut freed = 0;
        for row in &dead {
            let instance = text(row, "instance")?;
            let mut tx = self.begin().await?;
            // Whoever takes the row away frees its leases; and not if it gave a sign meanwhile.
            let ours = sqlx::query("DELETE FROM working WHERE instance = $1 AND seen_at < $2")
                .bind(instance.as_str())
                .bind(there.minus(SILENT_FOR).micros())
                .execute(&mut *tx)
                .await?;
            if ours.rows_affected() == 0 {
                continue;
            }
            let rows = free(&mut tx, &instance).await?;
            tx.commit().await?;
            tracing::warn!(
                instance,
                rows,
                "a process that worked is gone; what it had claimed is free"
            );
            metrics::counter!("eencent_dead_workers_total").increment(1);
            freed += rows;
        }
        Ok(freed)
    }

    /// The last sign: nothing that this process still holds has to wait for its lease.
    ///
    /// # Errors
    /// When the store doesn't answer; the others notice the silence.
    pub async fn last_beat(&self) -> Result<(), StoreError> {
        if self.kind() == Kind::Sqlite {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM working WHERE instance = $1")
            .bind(self.instance())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}

/// Frees the leases of an instance.
async fn free(tx: &mut crate::store::Tx, instance: &str) -> Result<u64, StoreError> {
    let mut freed = 0;
    for work in Work::ALL {
        let sql = format!(
            "UPDATE {} SET lease = NULL, lease_until = NULL WHERE {} AND lease LIKE $2",
            work.table(),
            // Also what is scheduled for later: a claim may be in its last moment.
            work.waiting().replace("$1", "CAST($1 AS BIGINT)"),
        );
        freed += sqlx::query(AssertSqlSafe(sql))
            .bind(i64::MAX)
            .bind(format!("{instance}-%"))
            .execute(&mut **tx)
            .await?
            .rows_affected();
    }
    Ok(freed)
}
