//! What a notification costs the store when it holds much already: `cargo bench -p eencent-activations`.
//!
//! For each size the database is filled (processed notifications, one activation each, which has ended except for the
//! first 2,000), and then measured: notifications committed by the inbox, 64 at a time; events taken and processed, one
//! after another; what the sweep and the metrics ask. ROWS=1000,100000 (the default) says how many; 10000000 takes a while, and sixty gigabytes, or half of
//! that with BODY=200: so many bytes are stored of each message that was there before (default 2400).
//! On PostgreSQL: `tests/with-servers env EENCENT_TEST_STORE=postgres cargo bench -p eencent-activations`.
#![expect(clippy::unwrap_used, reason = "a measurement that fails may stop")]

#[expect(dead_code, reason = "made for the tests, which use all of it")]
#[path = "../tests/it/office.rs"]
mod office;

use std::time::{Duration, Instant};

use eencent_activations::clock::Clock as _;
use eencent_activations::ledger::Work;
use office::{LEASE, Office, paid};
use sqlx::{AnyPool, AssertSqlSafe};

/// How many are measured.
const MEASURED: u32 = 1_000;

/// How many rows of each table share a transaction.
const GROUP: i64 = 100_000;

/// As long as that of a provider.
const BODY: usize = 2_400;

/// From the number $1 to $2, in each table that a notification touches. The keys are in no order, as those of providers are.
const FILL: [&str; 8] = [
    "INSERT INTO organisations (id, environment, legal_name, trade_names, country, names_source, creator, language, created_at, changed_at) \
     SELECT 'org_' || i, 'bench', 'Name ' || i, '[]', 'NL', 'register', '{\"name\":\"Bench\",\"email\":\"bench@example.org\",\"language\":\"nl\",\"role\":\"administrator\"}', 'nl', i, i FROM n",
    "INSERT INTO activations (id, organisation_id, method, reference, amount_minor, currency, completion, identifier_scheme, identifier_value, \
     started_by, state, version, created_at) \
     SELECT 'act_' || i, 'org_' || i, 'ideal', 'ACT-' || (i * 7919 % 1000000007), 1, 'EUR', 'link', 'NL:KVK', '' || i, 'bench', \
     CASE WHEN i > 2000 THEN 'expired' ELSE 'awaiting_payment' END, CASE WHEN i > 2000 THEN 2 ELSE 1 END, i FROM n",
    "INSERT INTO history (activation_id, number, at, happening, from_state, to_state, actor, reason) \
     SELECT 'act_' || i, 1, i, 'started_ideal', 'none', 'awaiting_payment', 'bench', '' FROM n",
    "INSERT INTO history (activation_id, number, previous, at, happening, from_state, to_state, actor, reason) \
     SELECT 'act_' || i, 2, 1, i, 'time_up', 'awaiting_payment', 'expired', 'bench', '' FROM n WHERE i > 2000",
    "INSERT INTO notifications (id, endpoint, provider, account, mode, received_at, request_id, proven_by, headers, body) \
     SELECT 'ntf_b' || i, 'mollie', 'mollie', 'mollie', 'live', i, 'req_b' || i, 'whole_message', '[]', $3 FROM n",
    "INSERT INTO events (id, notification_id, account, event_id, kind, payment_id, told, received_at, state, processed_at) \
     SELECT 'evt_b' || i, 'ntf_b' || i, 'mollie', 'e' || (i * 7919 % 1000000007), 'payment', 'p' || (i * 7919 % 1000000007), '{}', i, 'processed', i FROM n",
    "INSERT INTO seen (account, seen_key, event, digest, facts, seen_at) \
     SELECT 'mollie', 'event:e' || (i * 7919 % 1000000007), 'evt_b' || i, 'd', '{}', i FROM n",
    "INSERT INTO seen (account, seen_key, event, digest, facts, seen_at) \
     SELECT 'mollie', 'payment:p' || (i * 7919 % 1000000007) || ':paid', 'evt_b' || i, 'd', '{}', i FROM n",
];

fn main() {
    let sizes = std::env::var("ROWS").unwrap_or_else(|_| "1000,100000".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!(
        "{:>10} {:>9} {:>14} {:>14} {:>10} {:>12}",
        "rows", "fill", "ingest", "process", "due", "waiting"
    );
    for size in sizes.split(',') {
        runtime.block_on(measure(size.trim().parse().unwrap()));
    }
}

async fn measure(rows: i64) {
    let office = Office::open().await;
    let begun = Instant::now();
    fill(&office, rows).await;
    let filled = begun.elapsed();

    let begun = Instant::now();
    for group in 0..MEASURED / 64 {
        let posted = (0..64).map(|one| {
            let number = group * 64 + one;
            let mut payment = paid(&format!("ACT-{}", i64::from(number + 1) * 7919 % 1_000_000_007));
            payment.payment_id = format!("tr_{number}");
            let office = &office;
            async move { office.posted(&format!("event_{number}"), payment).await }
        });
        futures::future::join_all(posted).await;
    }
    let ingest = begun.elapsed();

    let now = office.clock.now();
    let begun = Instant::now();
    let due = office.store.due(Work::Event, now, MEASURED).await.unwrap();
    let looked = begun.elapsed();
    let begun = Instant::now();
    for id in &due {
        let claim = office.store.claim(Work::Event, id, now, LEASE).await.unwrap().unwrap();
        office.desk.process_event(&claim).await.unwrap();
    }
    let processed = begun.elapsed();
    let begun = Instant::now();
    office.store.waiting(now).await.unwrap();
    let waiting = begun.elapsed();
    println!(
        "{rows:>10} {:>7.1} s {:>8.3} ms/1 {:>8.3} ms/1 {:>7.1} ms {:>9.1} ms",
        filled.as_secs_f64(),
        each(ingest, MEASURED / 64 * 64),
        each(processed, u32::try_from(due.len()).unwrap()),
        looked.as_secs_f64() * 1e3,
        waiting.as_secs_f64() * 1e3,
    );
}

fn each(all: Duration, many: u32) -> f64 {
    all.as_secs_f64() * 1e3 / f64::from(many)
}

async fn fill(office: &Office, rows: i64) {
    let pool = AnyPool::connect(&office.url).await.unwrap();
    let body = std::env::var("BODY").map_or(BODY, |bytes| bytes.parse().unwrap());
    let body = vec![b'x'; body];
    let mut from = 1;
    while from <= rows {
        let to = (from + GROUP - 1).min(rows);
        let mut tx = pool.begin().await.unwrap();
        for insert in FILL {
            let numbers =
                "WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $2)";
            let mut query = sqlx::query(AssertSqlSafe(format!("{numbers} {insert}")))
                .bind(from)
                .bind(to);
            if insert.contains("$3") {
                query = query.bind(body.as_slice());
            }
            query.execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        from = to + 1;
    }
}
