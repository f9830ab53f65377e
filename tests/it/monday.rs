//! An office opens on many at once, while others go on paying.

use chrono::Timelike as _;
use serde_json::Value;

use crate::clocks::set;
use crate::http::request;
use crate::load::Load;
use crate::payments::{MOLLIE, NAME, mollie_paid};
use crate::server::{Installation, wait_for};

/// So many wait for nine o'clock, and so many may be in the queue.
const WAITING: u32 = 1_200;
const MOST: u32 = 60;

/// How far off a clock has to be to say half past eight, in Amsterdam, today.
fn until_half_past_eight() -> i32 {
    let now = chrono::DateTime::from_timestamp_micros(crate::payments::now().micros()).unwrap();
    let there = now.with_timezone(&chrono_tz::Europe::Amsterdam);
    let minute = i32::try_from(there.hour() * 60 + there.minute()).unwrap();
    (8 * 60 + 30 - minute) * 60
}

/// A payment of one cent for the activation of that number, made when a clock so far off says that it is now.
fn paid(n: u32, offset: i32) -> Value {
    let mut body = mollie_paid(&format!("e_{n}"), &format!("tr_{n}"), &format!("ACT-{n:06}"), NAME);
    let now = crate::payments::now().micros() + i64::from(offset) * 1_000_000;
    let then = chrono::DateTime::from_timestamp_micros(now).unwrap().to_rfc3339();
    body["_embedded"]["entity"]["paidAt"] = then.as_str().into();
    body
}

fn number(metrics: &str, line: &str) -> u32 {
    let found = metrics
        .lines()
        .find_map(|one| one.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or_default()
}

#[test]
fn fault_35_when_an_office_opens_on_many_whoever_pays_then_does_not_wait_for_all_of_them() {
    let installation = Installation::new()
        .with("OFFICE__HOURS", "Mo-Su 09:00-17:00")
        .with("QUEUE__MOST_WAITING", &MOST.to_string())
        .with("PUBLIC__URL", "https://activate.example.nl");
    let offset = installation.path().join("clock");
    let early = until_half_past_eight();
    let open = early + 31 * 60;
    set(&offset, early);
    let seeds: String = (0..WAITING + 12)
        .map(|n| format!("ACT-{n:06}\t{NAME}\tjansen@example.nl\t{NAME}\n"))
        .collect();
    std::fs::write(installation.path().join("seeds.tsv"), seeds).unwrap();
    let seeded = installation.run(&["bench", "seed", "seeds.tsv"]);
    assert!(seeded.status.success(), "{}", seeded.stderr);
    let mut server = installation.launch_by(&offset, "serve");
    server.wait_until_ready();
    let to = server.public.clone();
    std::thread::scope(|all| {
        for lane in 0..8 {
            let to = &to;
            all.spawn(move || {
                for n in (0..WAITING).filter(|n| n % 8 == lane) {
                    let body = paid(n, early).to_string();
                    let signature = eencent_webhooks::signing::mollie(MOLLIE, body.as_bytes());
                    let headers: Vec<_> = signature.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let answer = request(to, "POST", "/webhooks/mollie", &headers, body.as_bytes()).unwrap();
                    assert_eq!(answer.status, 200);
                }
            });
        }
    });
    let metrics = || request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
    let scheduled = || number(&metrics(), "eencent_waiting{what=\"scheduled\"} ");
    wait_for("all to be scheduled", || (scheduled() == WAITING).then_some(()));

    set(&offset, open);
    wait_for("the office to open", || (scheduled() < WAITING).then_some(()));
    let fresh = WAITING..WAITING + 12;
    let load = Load::of(fresh.clone().map(|n| paid(n, open)), vec![server.public.clone()]);
    load.ended();
    // Those who paid now have their links while others of the weekend still wait.
    for n in fresh {
        let path = format!("/v1/activations?reference=ACT-{n:06}");
        wait_for("a link for who paid now", || {
            let found = server.api("GET", &path, &Value::Null).json();
            (found[0]["state"] == "awaiting_confirmation").then_some(())
        });
    }
    let left = scheduled();
    assert!(left > 0, "all of the weekend were served before who paid now");
    let depth = number(&metrics(), "eencent_queue_depth{work=\"approval\"} ");
    assert!(depth <= MOST, "{depth} in the queue");
    wait_for("the weekend to be served", || (scheduled() == 0).then_some(()));
    println!("{WAITING} were waiting; {left} still were when the last of who paid then was served");
}
