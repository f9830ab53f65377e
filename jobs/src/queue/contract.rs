//! What we rely on apalis for, one test for each row of the table in [`super`]: an upgrade shows
//! here what changed. Where a row is a trap, its test shows that it can't hurt, not that it is there.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use eencent_activations::ledger::Work;
use tokio_util::sync::CancellationToken;

use super::worker::queue_name;
use super::{Handler, Queue, WorkerEnd, read_task, work_until};
use crate::testing::{eventually, queue_at, queue_with};

/// Notes what it is given.
#[derive(Default)]
pub(super) struct Notes {
    seen: Mutex<Vec<Vec<u8>>>,
    pub(super) at_once: AtomicU32,
    pub(super) peak: AtomicU32,
    takes: Duration,
}

impl Notes {
    pub(super) fn that_take(takes: Duration) -> Self {
        Self {
            takes,
            ..Self::default()
        }
    }

    pub(super) fn ids(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter_map(|task| read_task(task))
            .flat_map(|(_, ids)| ids.into_iter().map(str::to_owned))
            .collect()
    }

    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[async_trait]
impl Handler for Notes {
    async fn handle(&self, task: Vec<u8>) {
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(at_once, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push(task);
    }
}

pub(super) struct Running {
    stop: CancellationToken,
    pub(super) end: tokio::task::JoinHandle<WorkerEnd>,
    signs: Arc<AtomicU32>,
}

pub(super) fn start(queue: &Arc<Queue>, name: &str, at_once: usize, notes: &Arc<Notes>) -> Running {
    let stop = CancellationToken::new();
    let signs = Arc::new(AtomicU32::new(0));
    let (queue, name, handler) = (Arc::clone(queue), name.to_owned(), Arc::clone(notes));
    let (stopping, signing) = (stop.clone(), Arc::clone(&signs));
    let end = tokio::spawn(async move {
        let alive = move || {
            signing.fetch_add(1, Ordering::SeqCst);
        };
        work_until(&queue, Work::Event, name, at_once, handler, alive, stopping).await
    });
    Running { stop, end, signs }
}

impl Running {
    pub(super) async fn until_it_runs(&self) {
        eventually("the worker runs", || self.signs.load(Ordering::SeqCst) > 0).await;
    }

    pub(super) async fn stopped(self) -> WorkerEnd {
        self.stop.cancel();
        self.end.await.unwrap()
    }
}

pub(super) fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("evt_{number:04}")).collect()
}

async fn statuses(queue: &Queue) -> Vec<(String, i64)> {
    let pool = queue.pool().await.unwrap();
    sqlx::query_as("SELECT status, COUNT(*) FROM Jobs GROUP BY status ORDER BY status")
        .fetch_all(&pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn apalis_a1_an_idle_worker_picks_up_within_its_interval_and_not_its_heartbeat() {
    let folder = tempfile::tempdir().unwrap();
    let interval = Duration::from_millis(100);
    let queue = Arc::new(queue_with(folder.path(), 1_000, interval));
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "a1", 4, &notes);
    worker.until_it_runs().await;
    let mut waits = Vec::new();
    for number in 0..12 {
        let begun = Instant::now();
        queue.feed(Work::Event, &[format!("evt_{number}")]).await.unwrap();
        eventually("picked up", || notes.count() > number).await;
        waits.push(begun.elapsed());
    }
    waits.sort();
    // The machine may be busy; the heartbeat, which it would be without an interval, is 5 s.
    let middle = waits.get(6).unwrap();
    assert!(*middle < Duration::from_millis(600), "{waits:?}");
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_a14_a_fetch_slower_than_the_interval_strands_no_worker() {
    let folder = tempfile::tempdir().unwrap();
    let interval = Duration::from_millis(20);
    let queue = Arc::new(queue_with(folder.path(), 1_000, interval));
    let elsewhere = queue_with(folder.path(), 1_000, interval);
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "a14", 4, &notes);
    worker.until_it_runs().await;
    let mut slowest = Duration::ZERO;
    for number in 0..5 {
        // The file's only connection is taken for many intervals, so that a fetch waits for it.
        let held = queue.pool().await.unwrap().acquire().await.unwrap();
        let _ = tokio::time::timeout(10 * interval, std::future::pending::<()>()).await;
        drop(held);
        // Pushed by another process: nobody rings the bell of this one.
        let begun = Instant::now();
        elsewhere.feed(Work::Event, &[format!("evt_{number}")]).await.unwrap();
        eventually("picked up", || notes.count() > number).await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < super::worker::HEARTBEAT / 2, "{slowest:?}");
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn fault_38_apalis_a2_a_task_that_makes_no_sense_ends_nothing_and_its_batch_goes_on() {
    for nonsense in [&b"\xff\xfe\x00"[..], b"", b"null", b"{\"evil\":1}", b"unknown:evt_1"] {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(queue_at(folder.path()));
        queue.feed(Work::Event, &ids(5)).await.unwrap();
        let pool = queue.pool().await.unwrap();
        sqlx::query("UPDATE Jobs SET job = ?1 WHERE id = (SELECT MIN(id) FROM Jobs)")
            .bind(nonsense)
            .execute(&pool)
            .await
            .unwrap();
        let notes = Arc::new(Notes::default());
        let worker = start(&queue, "a2", 4, &notes);
        eventually("all were handled", || notes.count() == 5).await;
        assert_eq!(notes.ids().len(), 4);
        assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
        assert_eq!(statuses(&queue).await, [("Done".to_owned(), 5)]);
    }
}

#[tokio::test]
async fn apalis_a3_an_error_of_the_store_ends_the_worker_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "a3", 4, &notes);
    worker.until_it_runs().await;
    queue.close().await;
    let end = worker.end.await.unwrap();
    assert!(matches!(end, WorkerEnd::Died(_)), "{end:?}");
}

#[tokio::test]
async fn apalis_a6_no_more_run_at_once_than_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes {
        takes: Duration::from_millis(10),
        ..Notes::default()
    });
    queue.feed(Work::Event, &ids(60)).await.unwrap();
    let worker = start(&queue, "a6", 3, &notes);
    eventually("all were handled", || notes.count() == 60).await;
    assert_eq!(notes.peak.load(Ordering::SeqCst), 3);
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_a8_a_stop_lets_finish_what_runs_and_gives_back_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes {
        takes: Duration::from_millis(200),
        ..Notes::default()
    });
    queue.feed(Work::Event, &ids(20)).await.unwrap();
    let worker = start(&queue, "a8", 2, &notes);
    eventually("some run", || notes.at_once.load(Ordering::SeqCst) == 2).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
    assert_eq!(notes.at_once.load(Ordering::SeqCst), 0);
    // Whatever it had not finished is done by the next, some of it perhaps twice.
    let next = start(&queue, "a8-next", 2, &notes);
    eventually("each was handled", || {
        let mut ids = notes.ids();
        ids.sort();
        ids.dedup();
        ids.len() == 20
    })
    .await;
    assert_eq!(next.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_s1_s2_every_task_ends_as_done_after_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes::default());
    queue.feed(Work::Event, &ids(30)).await.unwrap();
    let worker = start(&queue, "s1", 4, &notes);
    eventually("all were handled", || notes.count() == 30).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
    assert_eq!(notes.count(), 30);
    assert_eq!(statuses(&queue).await, [("Done".to_owned(), 30)]);
}

#[tokio::test]
async fn apalis_s3_synchronous_and_the_journal_are_as_we_set_them() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes::default());
    queue.feed(Work::Event, &ids(3)).await.unwrap();
    let worker = start(&queue, "s3", 4, &notes);
    eventually("all were handled", || notes.count() == 3).await;
    let pool = queue.pool().await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pool).await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (1, "wal"));
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_s5_tidying_deletes_what_is_finished_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes::default());
    queue.feed(Work::Event, &ids(700)).await.unwrap();
    let worker = start(&queue, "s5", 8, &notes);
    eventually("all were handled", || notes.count() == 700).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
    for id in ids(700) {
        queue.begun(Work::Event, &[id.as_str()]).await;
    }
    queue.feed(Work::Event, &ids(3)).await.unwrap();
    assert_eq!(queue.tidy().await.unwrap(), 700);
    assert_eq!(statuses(&queue).await, [("Pending".to_owned(), 3)]);
}

#[tokio::test]
async fn apalis_s8_an_acknowledgement_goes_by_the_task_and_not_through_all_of_its_worker() {
    let folder = tempfile::tempdir().unwrap();
    let pool = queue_at(folder.path()).pool().await.unwrap();
    // The statement of apalis' `ack.sql`, in short.
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN WITH j AS (SELECT value ->> 'task_id' AS task_id FROM json_each(?1)) \
         UPDATE Jobs SET status = 'Done' FROM j WHERE Jobs.id = j.task_id AND Jobs.lock_by = ?2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let looks_up =
        |(_, _, _, step): &(i64, i64, i64, String)| step.starts_with("SEARCH Jobs") && step.contains("(id=?)");
    assert!(plan.iter().any(looks_up), "{plan:?}");
}

/// kill -9 leaves a worker's name with a fresh life sign, and tasks under it.
#[tokio::test]
async fn apalis_s6_fault_30_a_restart_works_at_once_as_it_has_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let notes = Arc::new(Notes {
        takes: Duration::from_secs(60),
        ..Notes::default()
    });
    queue.feed(Work::Event, &ids(2)).await.unwrap();
    let killed = start(&queue, "same", 2, &notes);
    eventually("it holds both", || notes.at_once.load(Ordering::SeqCst) == 2).await;
    killed.end.abort();
    let _ = killed.end.await;

    let notes = Arc::new(Notes::default());
    let refused = start(&queue, "same", 2, &notes).end.await.unwrap();
    assert!(
        matches!(&refused, WorkerEnd::Died(why) if why.contains("WORKER_ALREADY_EXISTS") || why.contains("NOT NULL")),
        "{refused:?}"
    );

    let worker = start(&queue, "another", 2, &notes);
    worker.until_it_runs().await;
    // The sweep of the new process tells of the rows again; it doesn't wait for the old tasks.
    for id in ids(2) {
        queue.begun(Work::Event, &[id.as_str()]).await;
    }
    queue.feed(Work::Event, &ids(2)).await.unwrap();
    eventually("both were handled", || notes.count() >= 2).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn the_queue_is_never_fed_past_its_bound_nor_twice_with_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let queue = queue_with(folder.path(), 25, Duration::from_millis(20));
    assert_eq!(queue.feed(Work::Event, &ids(10)).await.unwrap(), 10);
    assert_eq!(queue.feed(Work::Event, &ids(10)).await.unwrap(), 0);
    assert_eq!(queue.feed(Work::Event, &ids(100)).await.unwrap(), 15);
    assert_eq!(queue.feed(Work::Event, &ids(100)).await.unwrap(), 0);
    // Another kind of work has a bound of its own.
    assert_eq!(queue.feed(Work::Email, &ids(5)).await.unwrap(), 5);
    let pool = queue.pool().await.unwrap();
    let waiting: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM Jobs WHERE job_type = ?1")
        .bind(queue_name(Work::Event))
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(waiting, 25);
}

#[tokio::test]
async fn fault_35_a_backlog_leaves_a_quarter_of_the_queue_to_what_is_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let queue = queue_with(folder.path(), 100, Duration::from_millis(20));
    let (old, fresh) = (ids(200), ids(300).split_off(200));
    assert_eq!(queue.feed_backlog(Work::Approval, &old).await.unwrap(), 75);
    assert_eq!(queue.feed_backlog(Work::Approval, &old).await.unwrap(), 0);
    assert_eq!(queue.feed(Work::Approval, &fresh).await.unwrap(), 25);
}

#[tokio::test]
async fn fault_34_a_queue_file_that_is_no_database_is_put_aside_and_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("queue.sqlite"),
        "not a database, and long enough to be read as one".repeat(100),
    )
    .unwrap();
    let queue = queue_at(folder.path());
    assert_eq!(queue.feed(Work::Event, &ids(3)).await.unwrap(), 3);
    assert!(folder.path().join("queue.sqlite.broken-1").exists());
}

#[tokio::test]
async fn fault_34_a_queue_file_that_is_deleted_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let queue = queue_at(folder.path());
    assert_eq!(queue.feed(Work::Event, &ids(3)).await.unwrap(), 3);
    std::fs::remove_file(folder.path().join("queue.sqlite")).unwrap();
    eventually_fed(&queue).await;
    assert!(folder.path().join("queue.sqlite").exists());
}

#[tokio::test]
async fn fault_34_an_emptied_queue_is_fed_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let queue = queue_at(folder.path());
    assert_eq!(queue.feed(Work::Event, &ids(3)).await.unwrap(), 3);
    let pool = queue.pool().await.unwrap();
    sqlx::query("DELETE FROM Jobs").execute(&pool).await.unwrap();
    eventually_fed(&queue).await;
}

async fn eventually_fed(queue: &Queue) {
    let begun = Instant::now();
    loop {
        if queue.feed(Work::Event, &ids(3)).await.is_ok_and(|fed| fed == 3) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it was never fed again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
