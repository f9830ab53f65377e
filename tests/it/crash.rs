//! kill -9 at any moment, again and again: what was acknowledged is there, and everything happens once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;

use crate::load::{Load, activations};
use crate::mail;
use crate::main_job::round_off_link;
use crate::payments::{NAME, mollie_paid, started, text};
use crate::server::{Installation, Server, wait_for};
use crate::vendors::MailServer;

/// How often the process is killed; more with `EENCENT_TEST_KILLS`.
fn kills() -> u64 {
    std::env::var("EENCENT_TEST_KILLS")
        .ok()
        .and_then(|many| many.parse().ok())
        .unwrap_or(40)
}

const ACTIVATIONS: u32 = 60;

/// Spread over a time in which a start, its catching up and plain work all take place.
fn moment(number: u64) -> Duration {
    let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Duration::from_millis((mixed >> 40) % 400)
}

/// A run with kills: the installation, the server after the last one, and the activations.
fn killed_in_a_loop(installation: &Installation) -> (Server, Vec<Value>) {
    let server = installation.serve();
    let views = activations(&server, ACTIVATIONS);
    let holder = |number: u32| if number % 5 == 4 { "Slagerij Van Dam B.V." } else { NAME };
    let load = Load::start(&views, holder, vec![server.public.clone()]);
    let mut server = Some(server);
    for number in 0..kills() {
        std::thread::sleep(moment(number));
        server.take().unwrap().kill();
        // Half of the time it is killed again while it starts.
        let mut next = installation.launch("serve");
        if number % 2 == 0 {
            next.wait_until_ready();
        }
        load.is_served_by(&next.public);
        server = Some(next);
    }
    server.as_mut().unwrap().wait_until_ready();
    let (acknowledged, _) = load.ended();
    println!("killed {} times, acknowledged {acknowledged}", kills());
    (server.unwrap(), views)
}

#[test]
fn fault_28_29_30_killed_in_a_loop_nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let installation = Installation::new();
    let (server, views) = killed_in_a_loop(&installation);
    verify(&server, &views);
    let told = wait_for("all e-mails", || {
        Some(by_kind(&installation)).filter(|told| told.values().map(Vec::len).sum::<usize>() == views.len())
    });
    for references in told.values() {
        let distinct: HashSet<_> = references.iter().collect();
        assert_eq!(distinct.len(), references.len(), "somebody was told twice");
    }

    // The click survives too: acknowledged is activated, and only once.
    let clear = views
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 5 != 4)
        .map(|(_, view)| view);
    let links: Vec<(String, String)> = clear
        .map(|view| {
            (
                text(view, "id").to_owned(),
                round_off_link(&installation, text(view, "reference")),
            )
        })
        .collect();
    let mut server = Some(server);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (number, (_, link)) in links.iter().enumerate() {
        if number % 8 == 7 {
            server.take().unwrap().kill();
            server = Some(installation.serve());
        }
        let to = server.as_ref().unwrap().public.clone();
        let answer = crate::http::request(&to, "POST", link, &form, b"").unwrap();
        assert!([200, 303].contains(&answer.status), "{answer:?}");
    }
    server.take().unwrap().kill();
    let server = installation.serve();
    for (id, _) in &links {
        let now = crate::payments::activation(&server, id);
        assert_eq!(text(&now, "state"), "activated");
        assert_eq!(count(&now, "confirmed"), 1);
    }
    wait_for("each to be told once that it is active", || {
        let told = by_kind(&installation).remove("activated").unwrap_or_default();
        (told.len() == links.len()).then_some(())
    });
}

/// Everybody is where a run without a kill would have put them, with one line and one e-mail for each move.
fn verify(server: &Server, views: &[Value]) {
    for (number, view) in views.iter().enumerate() {
        let wanted = if number % 5 == 4 {
            "under_review"
        } else {
            "awaiting_confirmation"
        };
        let now = crate::payments::wait_for_state(server, text(view, "id"), wanted);
        let line = if number % 5 == 4 { "paid_unclear" } else { "link_sent" };
        assert_eq!(count(&now, line), 1, "{now}");
        assert_eq!(now["emails"].as_array().unwrap().len(), 1, "{now}");
        assert_eq!(now["payments"].as_array().unwrap().len(), 1, "{now}");
    }
}

#[test]
fn fault_28_killed_in_a_loop_a_mail_server_gets_each_e_mail_and_a_repeat_is_the_same_one() {
    let mail = MailServer::start();
    // Each start takes other ports; what links begin with has to stay.
    let installation = Installation::new()
        .with("MAIL__URL", &format!("smtp://127.0.0.1:{}", mail.port))
        .with("PUBLIC__URL", "https://activate.example.nl");
    let (server, views) = killed_in_a_loop(&installation);
    verify(&server, &views);
    let mut sent: HashMap<String, Vec<String>> = HashMap::new();
    for view in &views {
        let now = wait_for("the e-mail to be sent", || {
            let now = crate::payments::activation(&server, text(view, "id"));
            assert_ne!(now["emails"][0]["state"], "failed", "given up: {}", now["emails"][0]);
            (now["emails"][0]["state"] == "sent").then_some(now)
        });
        sent.insert(text(&now["emails"][0], "message_id").to_owned(), Vec::new());
    }
    for email in mail::read(mail.folder.path()) {
        let known = sent
            .get_mut(email.header("message-id"))
            .expect("an e-mail that is on record");
        known.push(format!("{}{}", email.head, email.text));
    }
    for (message_id, copies) in &sent {
        assert!(!copies.is_empty(), "{message_id} was never handed over");
        assert!(
            copies.iter().all(|copy| *copy == copies[0]),
            "{message_id} was sent in two wordings"
        );
    }
}

fn count(view: &Value, event: &str) -> usize {
    view["history"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["event"] == event)
        .count()
}

/// The references that e-mails of each kind went to; the kind stands in the Message-ID.
fn by_kind(installation: &Installation) -> HashMap<String, Vec<String>> {
    let mut told: HashMap<String, Vec<String>> = HashMap::new();
    for email in mail::read(&installation.mail()) {
        let kind = email
            .header("message-id")
            .split('.')
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        told.entry(kind)
            .or_default()
            .push(email.header("x-activation").to_owned());
    }
    told
}

#[test]
fn fault_31_asked_to_stop_it_finishes_and_ends_well_and_a_second_worker_is_told_to_wait() {
    let installation = Installation::embedded();
    let server = installation.serve();
    let second = installation.run(&["work"]);
    assert!(!second.status.success());
    assert!(second.stderr.contains("another eencent process"), "{}", second.stderr);
    let view = started(&server, 1, "ideal");
    crate::payments::post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    server.signal("TERM");
    assert!(server.ended().success());
    let server = installation.serve();
    crate::payments::wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
}

#[test]
fn fault_34_a_queue_that_was_deleted_or_broken_loses_nothing() {
    let installation = Installation::embedded();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    server.kill();
    for (number, damage) in ["deleted", "broken"].into_iter().enumerate() {
        let queue = installation.path().join("eencent-data/queue.db");
        for file in ["queue.db", "queue.db-wal", "queue.db-shm"] {
            let _ = std::fs::remove_file(installation.path().join("eencent-data").join(file));
        }
        if damage == "broken" {
            std::fs::write(&queue, "this is no database").unwrap();
        }
        let server = installation.serve();
        let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
        crate::payments::post_mollie(&server, &mollie_paid(&event, &payment, text(&view, "reference"), NAME)).unwrap();
        let now = crate::payments::wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
        wait_for(damage, || {
            (crate::payments::activation(&server, text(&now, "id"))["payments"]
                .as_array()
                .unwrap()
                .len()
                > number)
                .then_some(())
        });
        server.kill();
    }
}
