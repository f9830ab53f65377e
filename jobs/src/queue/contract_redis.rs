//! What we rely on apalis for on Redis, as [`super::contract`] has it for the file.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use eencent_activations::ledger::Work;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use super::WorkerEnd;
use super::contract::{Notes, ids, start};
use crate::testing::{eventually, redis_queue, redis_url};

async fn connection() -> MultiplexedConnection {
    let client = redis::Client::open(redis_url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn apalis_a1_an_idle_worker_picks_up_what_another_process_pushed() {
    let (queue, elsewhere) = (Arc::new(redis_queue(1_000)), redis_queue(1_000));
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "a1", 4, &notes);
    worker.until_it_runs().await;
    let mut waits = Vec::new();
    for number in 0..12 {
        let begun = Instant::now();
        elsewhere.feed(Work::Event, &[format!("evt_{number}")]).await.unwrap();
        eventually("picked up", || notes.count() > number).await;
        waits.push(begun.elapsed());
    }
    waits.sort();
    // The machine may be busy; without an interval it would be the heartbeat, 5 s.
    assert!(*waits.get(6).unwrap() < Duration::from_millis(600), "{waits:?}");
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_a2_a_task_that_makes_no_sense_ends_nothing_and_its_batch_goes_on() {
    let queue = Arc::new(redis_queue(1_000));
    queue.feed(Work::Event, &ids(5)).await.unwrap();
    let mut redis = connection().await;
    let tasks: Vec<String> = redis.hkeys("eencent:event:data").await.unwrap();
    assert_eq!(tasks.len(), 5);
    let first = tasks.first().unwrap();
    let () = redis
        .hset("eencent:event:data", first, &b"\xff\xfe\x00"[..])
        .await
        .unwrap();
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "a2", 4, &notes);
    eventually("all were handled", || notes.count() == 5).await;
    assert_eq!(notes.ids().len(), 4);
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_a6_no_more_run_at_once_than_was_said() {
    let queue = Arc::new(redis_queue(1_000));
    let notes = Arc::new(Notes::that_take(Duration::from_millis(10)));
    queue.feed(Work::Event, &ids(60)).await.unwrap();
    let worker = start(&queue, "a6", 3, &notes);
    eventually("all were handled", || notes.count() == 60).await;
    assert_eq!(notes.peak.load(Ordering::SeqCst), 3);
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_r1_a_queue_as_full_as_it_may_be_is_worked_off() {
    let queue = Arc::new(redis_queue(5_000));
    assert_eq!(queue.feed(Work::Event, &ids(6_000)).await.unwrap(), 5_000);
    assert_eq!(queue.feed(Work::Event, &ids(6_000)).await.unwrap(), 0);
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "r1", 32, &notes);
    eventually("all were handled", || notes.count() == 5_000).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_r2_what_one_machine_pushed_no_other_pushes_again_until_it_is_begun() {
    let (one, other) = (redis_queue(1_000), redis_queue(1_000));
    assert_eq!(one.feed(Work::Event, &ids(10)).await.unwrap(), 10);
    assert_eq!(other.feed(Work::Event, &ids(12)).await.unwrap(), 2);
    assert_eq!(one.waiting(Work::Event).await.unwrap(), 12);
    other.begun(Work::Event, &["evt_0003"]).await;
    assert_eq!(one.waiting(Work::Event).await.unwrap(), 11);
    assert_eq!(one.feed(Work::Event, &ids(12)).await.unwrap(), 1);
}

#[tokio::test]
async fn apalis_r4_r7_fault_30_what_a_killed_worker_held_is_done_by_one_of_another_name() {
    let queue = Arc::new(redis_queue(1_000));
    let stuck = Arc::new(Notes::that_take(Duration::from_secs(60)));
    queue.feed(Work::Event, &ids(2)).await.unwrap();
    let killed = start(&queue, "same", 2, &stuck);
    eventually("it holds both", || stuck.at_once.load(Ordering::SeqCst) == 2).await;
    killed.end.abort();
    let _ = killed.end.await;
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "another", 2, &notes);
    worker.until_it_runs().await;
    // The sweep tells of the rows again; it doesn't wait for the old tasks.
    queue.begun(Work::Event, &["evt_0000", "evt_0001"]).await;
    assert_eq!(queue.feed(Work::Event, &ids(2)).await.unwrap(), 2);
    eventually("both were handled", || notes.count() >= 2).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
}

#[tokio::test]
async fn apalis_r9_tidying_leaves_nothing_of_what_is_finished() {
    let queue = Arc::new(redis_queue(1_000));
    let notes = Arc::new(Notes::default());
    queue.feed(Work::Event, &ids(700)).await.unwrap();
    let worker = start(&queue, "r9", 8, &notes);
    eventually("all were handled", || notes.count() == 700).await;
    assert_eq!(worker.stopped().await, WorkerEnd::Stopped);
    let all = ids(700);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    queue.begun(Work::Event, &all).await;
    assert_eq!(queue.tidy().await.unwrap(), 700);
    let mut redis = connection().await;
    let left: Vec<String> = redis.keys("eencent:event:*").await.unwrap();
    // Who worked stands there until the others have missed its life signs.
    let others = |key: &&String| !key.ends_with(":signal") && !key.contains(":workers");
    let left: Vec<&String> = left.iter().filter(others).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn apalis_a3_fault_34_connections_that_are_cut_end_nothing_for_good() {
    let queue = Arc::new(redis_queue(1_000));
    let notes = Arc::new(Notes::default());
    let worker = start(&queue, "cut", 4, &notes);
    worker.until_it_runs().await;
    let mut redis = connection().await;
    let id: i64 = redis::cmd("CLIENT").arg("ID").query_async(&mut redis).await.unwrap();
    let list: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut redis).await.unwrap();
    let ours = format!(" db={} ", std::process::id() % 512);
    for line in list.lines().filter(|line| line.contains(&ours)) {
        let other = line
            .strip_prefix("id=")
            .and_then(|rest| rest.split(' ').next())
            .unwrap();
        if other != id.to_string() {
            let _: Result<i64, _> = redis::cmd("CLIENT")
                .arg("KILL")
                .arg("ID")
                .arg(other)
                .query_async(&mut redis)
                .await;
        }
    }
    // The worker may die of it; the next, which the supervisor builds, finds the queue again.
    let mut next = None;
    let begun = Instant::now();
    while notes.count() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was done any more");
        let _ = queue.feed(Work::Event, &ids(1)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if worker.end.is_finished() && next.is_none() {
            next = Some(start(&queue, "next", 4, &notes));
        }
    }
}

#[tokio::test]
async fn fault_34_a_redis_that_was_emptied_is_fed_again_at_once() {
    let queue = redis_queue(1_000);
    assert_eq!(queue.feed(Work::Event, &ids(3)).await.unwrap(), 3);
    redis::cmd("FLUSHDB").exec_async(&mut connection().await).await.unwrap();
    assert_eq!(queue.waiting(Work::Event).await.unwrap(), 0);
    assert_eq!(queue.feed(Work::Event, &ids(3)).await.unwrap(), 3);
}

#[tokio::test]
async fn the_address_of_a_redis_that_is_not_there_is_told_without_its_password() {
    let address = super::RedisAddress::parse("redis://me:geheim@127.0.0.1:1/0")
        .unwrap()
        .unwrap();
    assert_eq!(format!("{address:?}"), "redis://127.0.0.1:1/0");
    let queue = super::redis::RedisQueue::new(address);
    let error = crate::rows::told(&queue.probe().await.unwrap_err().into());
    assert!(error.contains("127.0.0.1:1") && !error.contains("geheim"), "{error}");
    let wrong = super::RedisAddress::parse("redis://me:geheim@host:port")
        .unwrap()
        .unwrap_err();
    assert!(!wrong.contains("geheim"), "{wrong}");
}
