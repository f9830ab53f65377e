//! Fires at the edges of the calendar, with jumps of the clock, and shared between processes.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use eencent_activations::clock::ManualClock;

use super::*;
use crate::testing::{PretendRows, at, default_settings, eventually, queue_at};

fn hand(expression: &str) -> Hand {
    Hand::new(Times::parse(expression).unwrap())
}

/// Looks every minute from the one to the other; the first look catches up, and isn't told.
fn fires(expression: &str, from: &str, until: &str) -> Vec<String> {
    let mut hand = hand(expression);
    let mut now = at(from);
    hand.due(now);
    let mut fires = Vec::new();
    while now < at(until) {
        now = now.plus(Duration::from_secs(60));
        fires.extend(hand.due(now).map(|fire| fire.to_string()));
    }
    fires
}

#[test]
fn five_fields_and_nothing_else_are_a_cron_expression() {
    for good in [
        "* * * * *",
        "*/5 * * * *",
        "0 9 * * 1-5",
        "30 2 * * *",
        "0 0 29 2 *",
        "0 6 * * MON",
    ] {
        assert!(Times::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "often",
        "@daily",
        "0 0 30 2 *",
    ] {
        let error = Times::parse(bad).unwrap_err();
        assert!(error.contains(&format!("{bad:?}")), "{error}");
    }
}

#[test]
fn times_are_those_of_the_office() {
    let july = fires("0 9 * * 1-5", "2026-07-03T00:00:00Z", "2026-07-06T12:00:00Z");
    assert_eq!(july, ["2026-07-03T07:00:00Z", "2026-07-06T07:00:00Z"]);
    let january = fires("0 9 * * 1-5", "2026-01-09T00:00:00Z", "2026-01-09T12:00:00Z");
    assert_eq!(january, ["2026-01-09T08:00:00Z"]);
}

/// Each fire is one row for all machines, whichever of them looks at which moment.
#[test]
fn machines_that_look_at_different_moments_see_the_same_fire() {
    for expression in ["30 8 * * 1-5", "23 * * * *", "*/5 * * * *", "* * * * *", "0 0 29 2 *"] {
        let seen = |first: &str, then: &str| {
            let mut hand = hand(expression);
            (hand.due(at(first)), hand.next, hand.due(at(then)))
        };
        let one = seen("2026-07-02T04:00:00.833458Z", "2028-03-06T10:31:00.1Z");
        let other = seen("2026-07-02T04:00:17.000001Z", "2028-03-06T10:31:59.999999Z");
        assert_eq!(one, other, "{expression}");
        for fire in [one.0, one.1, one.2].into_iter().flatten() {
            assert_eq!(fire.micros() % 60_000_000, 0, "{expression}: {fire}");
        }
    }
}

#[test]
fn fault_41_half_past_two_comes_once_on_the_days_the_clock_changes() {
    // 29 March 2026 has no 02:30, 25 October 2026 has two.
    let spring = fires("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(spring.len(), 1, "{spring:?}");
    let autumn = fires("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");
    assert_eq!(autumn.len(), 1, "{autumn:?}");
    let after = fires("30 2 * * *", "2026-10-25T12:00:00Z", "2026-10-26T12:00:00Z");
    assert_eq!(after, ["2026-10-26T01:30:00Z"]);
}

#[test]
fn what_runs_each_minute_does_so_through_both_changes() {
    let spring = fires("* * * * *", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z");
    assert_eq!(spring.len(), 180);
    let autumn = fires("* * * * *", "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z");
    assert_eq!(autumn.len(), 240);
}

#[test]
fn missed_fires_are_caught_up_once() {
    let mut hand = hand("*/5 * * * *");
    assert_eq!(hand.due(at("2026-03-10T09:02:00Z")), Some(at("2026-03-10T09:00:00Z")));
    assert_eq!(hand.due(at("2026-03-10T09:04:59Z")), None);
    assert_eq!(hand.due(at("2026-03-10T11:01:00Z")), Some(at("2026-03-10T11:00:00Z")));
    assert_eq!(hand.due(at("2026-03-10T11:01:00Z")), None);
    // Years, as a demonstration turns its clock.
    assert_eq!(hand.due(at("2036-03-10T11:01:00Z")), Some(at("2036-03-10T11:00:00Z")));
}

#[test]
fn fault_44_a_clock_that_is_set_back_starts_again_from_there() {
    let mut hand = hand("* * * * *");
    hand.due(at("2027-03-10T09:00:00Z"));
    // It was a year ahead; nobody wants to wait that year.
    assert_eq!(hand.due(at("2026-03-10T09:00:30Z")), Some(at("2026-03-10T09:00:00Z")));
    assert_eq!(hand.due(at("2026-03-10T09:01:00Z")), Some(at("2026-03-10T09:01:00Z")));
    // A little is what clocks do.
    assert_eq!(hand.due(at("2026-03-10T09:00:59Z")), None);
    assert_eq!(hand.due(at("2026-03-10T09:01:30Z")), None);
    assert_eq!(hand.due(at("2026-03-10T09:02:00Z")), Some(at("2026-03-10T09:02:00Z")));
}

#[tokio::test]
async fn fault_74_two_processes_fire_each_once_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Arc::new(queue_at(folder.path()));
    let rows = PretendRows::default();
    let clock = ManualClock::at(at("2026-03-10T09:00:00Z"));
    let stop = CancellationToken::new();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let schedules = Schedules {
            office: Arc::new(rows.clone()),
            queue: Arc::clone(&queue),
            clock: Arc::new(clock.clone()),
            timetable: Timetable {
                time_passes: Times::parse("* * * * *").unwrap(),
                tidy_queue: Times::parse("*/5 * * * *").unwrap(),
                purge: Times::parse("0 0 1 1 *").unwrap(),
                digest: Times::parse("* * * * *").unwrap(),
            },
            digest: Digest {
                to: Vec::new(),
                language: "nl".to_owned(),
                console: String::new(),
            },
            retention: default_settings().retention,
        };
        let stop = stop.clone();
        running.spawn(async move { schedules.run(&stop).await });
    }
    for fires in 1..=3 {
        eventually("it fired", || passed(&rows) == fires).await;
        clock.advance(Duration::from_secs(60));
    }
    eventually("it fired", || passed(&rows) == 4).await;
    // Each fire goes on until nothing is left to move: twice in these pretended rows.
    eventually("it went on", || *rows.passed.lock().unwrap() == 8).await;
    stop.cancel();
    running.join_all().await;
}

/// How many different fires of the reminders there were.
fn passed(rows: &PretendRows) -> usize {
    let fires = rows.fires.lock().unwrap();
    fires.iter().filter(|(schedule, _)| schedule == "time_passes").count()
}
