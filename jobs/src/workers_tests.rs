//! The whole of it over pretended rows: the sweep alone, poison, stopping, e-mail.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

use std::path::Path;

use eencent_activations::entropy::OsEntropy;
use eencent_activations::ledger::Nudge;

use super::*;
use crate::mail::pretend_server::{Mood, PretendServer};
use crate::mail::{Destination, Mailer, Transport};
use crate::queue::{QueueAddress, nudge};
use crate::testing::{
    Behaviour, PretendJob, PretendRows, attempt, attempts_at, default_settings, eventually, jobs_of, queue_with,
    renderer, stationery, system_clock,
};

fn settings(folder: &Path) -> Checked {
    let mut settings = default_settings();
    settings.queue.url = crate::testing::queue_url(folder);
    settings.queue.poll_interval_ms = 10;
    settings.jobs.sweep_interval_ms = 50;
    settings.jobs.events_at_once = 4;
    settings.jobs.approvals_at_once = 2;
    settings.jobs.emails_at_once = 4;
    settings.jobs.set_apart_after = 3;
    settings.jobs.grace_seconds = 2;
    settings.validate().unwrap()
}

fn workers(settings: Checked, rows: &PretendRows, feeder: Feeder, jobs: Jobs) -> Workers {
    let rows = Arc::new(rows.clone());
    Workers::of_parts(
        settings,
        rows.clone(),
        rows,
        system_clock(),
        Arc::new(OsEntropy),
        feeder,
        jobs,
    )
}

struct Run {
    stop: CancellationToken,
    health: Health,
    end: tokio::task::JoinHandle<Result<(), WorkersError>>,
}

impl Run {
    fn of(workers: Workers) -> Self {
        let (stop, health) = (CancellationToken::new(), workers.health());
        let end = tokio::spawn(workers.run(stop.clone()));
        Self { stop, health, end }
    }

    async fn stopped(self) {
        self.stop.cancel();
        self.end.await.unwrap().unwrap();
    }
}

fn pretended(limit: Duration) -> Jobs {
    jobs_of(Arc::new(PretendJob(limit)))
}

/// Throws away everything that a queue holds: FLUSHDB, or every row of the file.
async fn empty(address: &QueueAddress) {
    if let QueueAddress::Redis(_) = address {
        let client = redis::Client::open(crate::testing::redis_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd("FLUSHDB").exec_async(&mut connection).await.unwrap();
        return;
    }
    let emptier = Queue::new(crate::queue::QueueOptions {
        address: address.clone(),
        most_waiting: 1,
        poll_interval: Duration::from_secs(1),
        groups: crate::queue::Groups::ALONE,
    });
    let pool = emptier.pool().await.unwrap();
    sqlx::query("DELETE FROM Jobs").execute(&pool).await.unwrap();
    emptier.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_34_the_sweep_alone_runs_everything_while_the_queue_is_emptied_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let rows = PretendRows::default();
    for number in 0..300 {
        for work in Work::ALL {
            rows.add(*work, &format!("row_{number:03}"), Behaviour::Takes(2));
        }
    }
    let settings = settings(folder.path());
    let emptied = settings.queue.address.clone();
    // Nobody gives hints: the other end is gone from the start.
    let (_, feeder) = nudge(1);
    let run = Run::of(workers(settings, &rows, feeder, pretended(Duration::from_secs(5))));
    eventually("a third is done", || rows.count(|state| state.done > 0) > 300).await;
    empty(&emptied).await;
    eventually("two thirds are done", || rows.count(|state| state.done > 0) > 600).await;
    match &emptied {
        QueueAddress::File(file) => std::fs::remove_file(file).unwrap(),
        QueueAddress::Redis(_) => empty(&emptied).await,
    }
    eventually("all are done", || {
        rows.count(|state| state.done == 1) == 300 * Work::ALL.len()
    })
    .await;
    assert_eq!(rows.count(|state| state.begun > 1), 0, "none was begun twice");
    run.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_claimed_is_not_pushed_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let rows = PretendRows::default();
    let slow = rows.claiming.write().await;
    rows.add(Work::Event, "one", Behaviour::Works);
    let (_, feeder) = nudge(1);
    let run = Run::of(workers(
        settings(folder.path()),
        &rows,
        feeder,
        pretended(Duration::from_secs(5)),
    ));
    let asked = || *rows.asked.lock().unwrap();
    eventually("a worker claims it", || asked().1 == 1).await;
    let looks = asked().0;
    let all = u32::try_from(Work::ALL.len()).unwrap();
    eventually("the sweep finds it again and again", || asked().0 > looks + 5 * all).await;
    drop(slow);
    eventually("it is done", || rows.state(Work::Event, "one").done == 1).await;
    assert_eq!(asked().1, 1);
    run.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn fault_37_rows_that_panic_hang_or_spin_are_set_apart_and_their_neighbours_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let rows = PretendRows::default();
    rows.add(Work::Event, "a_panics", Behaviour::Panics);
    rows.add(Work::Event, "b_hangs", Behaviour::Hangs);
    rows.add(Work::Event, "c_fails", Behaviour::Fails(4));
    for number in 0..50 {
        rows.add(Work::Event, &format!("neighbour_{number}"), Behaviour::Works);
    }
    let (_, feeder) = nudge(1);
    let run = Run::of(workers(
        settings(folder.path()),
        &rows,
        feeder,
        pretended(Duration::from_millis(300)),
    ));
    eventually("the neighbours are done", || rows.count(|state| state.done == 1) >= 50).await;
    eventually("both are set apart", || {
        rows.count(|state| state.given_up.is_some()) == 2
    })
    .await;
    let panicked = rows.state(Work::Event, "a_panics").given_up.unwrap();
    assert_eq!(panicked, "the attempt panicked; set apart after 3 attempts");
    assert!(
        rows.state(Work::Event, "b_hangs")
            .given_up
            .unwrap()
            .contains("took longer")
    );
    // What merely fails is tried for as long as it takes.
    eventually("it worked in the end", || rows.state(Work::Event, "c_fails").done == 1).await;
    assert_eq!(rows.state(Work::Event, "c_fails").attempts, 4);
    assert_eq!(run.health.restarts(), 0);

    // A loop that never waits takes a thread for good, and nothing else.
    rows.add(Work::Event, "d_spins", Behaviour::Spins);
    eventually("it was put back", || rows.state(Work::Event, "d_spins").attempts > 0).await;
    rows.add(Work::Event, "after_it", Behaviour::Works);
    eventually("work goes on", || rows.state(Work::Event, "after_it").done == 1).await;
    rows.over.store(true, std::sync::atomic::Ordering::SeqCst);
    run.stopped().await;
}

#[tokio::test]
async fn the_rows_are_not_asked_while_the_queue_holds_enough_and_what_is_lost_from_it_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_with(folder.path(), 40, Duration::from_millis(100)));
    let rows = PretendRows::default();
    for number in 0..60 {
        rows.add(Work::Event, &format!("row_{number:02}"), Behaviour::Works);
    }
    let sweep = Sweep {
        rows: Arc::new(rows.clone()),
        queue: Arc::clone(&queue),
        clock: system_clock(),
        interval: Duration::from_secs(1),
        batch: 10,
    };
    let waiting = async || queue.waiting(Work::Event).await.unwrap();
    let looks = || rows.asked.lock().unwrap().0;
    // Nobody works. Each look brings a batch beyond what waits already, until there is enough.
    let mut seen = Vec::new();
    for _ in 0..4 {
        assert!(sweep.look(Work::Event).await, "there is more");
        seen.push((waiting().await, looks()));
    }
    assert_eq!(seen, [(10, 1), (20, 2), (20, 2), (20, 2)]);
    // Somebody empties the queue, which is seen within half a second.
    queue.start_over().await;
    assert!(sweep.look(Work::Event).await);
    assert_eq!((waiting().await, looks()), (10, 3));
}

#[tokio::test]
async fn hints_make_work_begin_before_the_sweep_would() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.sweep_interval = Duration::from_secs(3_600);
    let rows = PretendRows::default();
    let (hints, feeder) = nudge(100);
    let run = Run::of(workers(settings, &rows, feeder, pretended(Duration::from_secs(5))));
    eventually("all run", || run.health.all_running()).await;
    for number in 0..20 {
        let id = format!("row_{number}");
        rows.add(Work::Approval, &id, Behaviour::Works);
        hints.look(Work::Approval, &id);
        hints.look(Work::Approval, &id);
    }
    eventually("all are done", || rows.count(|state| state.done == 1) == 20).await;
    run.stopped().await;
}

#[tokio::test]
async fn a_hint_never_makes_its_teller_wait() {
    let (hints, _feeder) = nudge(2);
    for number in 0..1_000 {
        hints.look(Work::Event, &format!("row_{number}"));
    }
}

#[tokio::test]
async fn fault_31_a_stop_lets_finish_what_runs_and_begins_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let rows = PretendRows::default();
    for number in 0..40 {
        rows.add(Work::Event, &format!("row_{number:02}"), Behaviour::Takes(300));
    }
    let (_, feeder) = nudge(1);
    let run = Run::of(workers(
        settings(folder.path()),
        &rows,
        feeder,
        pretended(Duration::from_secs(5)),
    ));
    eventually("some run", || rows.running.lock().unwrap().0 == 4).await;
    run.stopped().await;
    let (begun, done) = (rows.count(|state| state.begun > 0), rows.count(|state| state.done > 0));
    assert_eq!(begun, done, "what was begun was finished");
    assert!(done < 40);
    assert_eq!(rows.peak(), 4);
}

#[tokio::test]
async fn fault_31_work_that_outlasts_the_grace_is_left_to_its_lease() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.grace = Duration::from_millis(200);
    let rows = PretendRows::default();
    rows.add(Work::Event, "long", Behaviour::Hangs);
    let (_, feeder) = nudge(1);
    let run = Run::of(workers(settings, &rows, feeder, pretended(Duration::from_secs(60))));
    eventually("it runs", || rows.state(Work::Event, "long").begun == 1).await;
    let begun = std::time::Instant::now();
    run.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(rows.state(Work::Event, "long").attempts, 0);
}

#[tokio::test]
async fn a_lost_claim_or_a_row_that_is_done_is_nothing_to_do() {
    let rows = PretendRows::default();
    rows.add(Work::Event, "one", Behaviour::Takes(50));
    let attempts = attempts_at(&rows, Arc::new(PretendJob(Duration::from_secs(5))), system_clock());
    let all = (0..20).map(|_| attempt(&attempts, Work::Event, "one"));
    futures::future::join_all(all).await;
    attempt(&attempts, Work::Event, "unknown").await;
    let state = rows.state(Work::Event, "one");
    assert_eq!((state.begun, state.done), (1, 1));
}

fn email(server: &PretendServer) -> Arc<SendEmail> {
    let destination = Destination::parse(&format!("smtp://127.0.0.1:{}", server.port)).unwrap();
    Arc::new(SendEmail {
        mailer: Mailer {
            renderer: renderer(),
            stationery: stationery(),
            transport: Transport::new(&destination, Duration::from_millis(500), 4, None).unwrap(),
        },
        clock: system_clock(),
        limit: Duration::from_secs(5),
    })
}

#[tokio::test]
async fn fault_55_an_email_goes_through_a_bad_day_and_arrives_as_the_same_mail() {
    let server = PretendServer::start(Mood::Greylists).await;
    let rows = PretendRows::default();
    rows.add(Work::Email, "eml_1", Behaviour::Works);
    let attempts = attempts_at(&rows, email(&server), system_clock());
    let again = || async {
        // As if its time had come.
        rows.all
            .lock()
            .unwrap()
            .values_mut()
            .for_each(|(_, state)| state.come());
        attempt(&attempts, Work::Email, "eml_1").await;
    };
    again().await;
    let state = rows.state(Work::Email, "eml_1");
    assert_eq!((state.attempts, state.maybe_sent), (1, 0));
    assert!(state.last_error.unwrap().contains("451"));

    server.set(Mood::SilentAfterData);
    again().await;
    assert_eq!(rows.state(Work::Email, "eml_1").maybe_sent, 1);

    // The organisation has another name by now; the mail that may have arrived has not.
    let (data, rendered) = rows.letters.lock().unwrap().get("eml_1").unwrap().clone();
    assert!(rendered.is_some());
    let mut other = data.clone();
    other["organisation"] = serde_json::json!("Anders B.V.");
    rows.letters
        .lock()
        .unwrap()
        .insert("eml_1".to_owned(), (other, rendered));
    server.set(Mood::Good);
    again().await;
    assert_eq!(rows.state(Work::Email, "eml_1").done, 1);
    let taken = server.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(
        taken.first(),
        taken.last(),
        "the repeat is the same mail, byte for byte"
    );
}

#[tokio::test]
async fn fault_55_an_email_that_is_refused_for_good_is_given_up_at_once() {
    let server = PretendServer::start(Mood::RefusesRecipient).await;
    let rows = PretendRows::default();
    rows.add(Work::Email, "eml_1", Behaviour::Works);
    let attempts = attempts_at(&rows, email(&server), system_clock());
    attempt(&attempts, Work::Email, "eml_1").await;
    let given_up = rows.state(Work::Email, "eml_1").given_up.unwrap();
    assert!(given_up.contains("550") && !given_up.contains("ans@"), "{given_up}");
}

#[tokio::test]
async fn fault_36_a_process_that_may_be_taken_for_dead_hands_nothing_over() {
    let server = PretendServer::start(Mood::Good).await;
    let rows = PretendRows::default();
    rows.add(Work::Email, "eml_1", Behaviour::Works);
    rows.taken_for_dead.store(true, std::sync::atomic::Ordering::SeqCst);
    let attempts = attempts_at(&rows, email(&server), system_clock());
    attempt(&attempts, Work::Email, "eml_1").await;
    assert!(server.taken().is_empty());
    let state = rows.state(Work::Email, "eml_1");
    assert_eq!((state.done, state.maybe_sent), (0, 0));
    assert!(state.retry_at.is_some());
}
