//! Ended at each named moment between two steps (`activations/src/failpoint.rs`), started again, and counted.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;

use eencent_activations::failpoint::Moment;
use serde_json::Value;

use crate::load::{Load, activations, count};
use crate::mail;
use crate::payments::{NAME, activation, mollie_paid, post_mollie, text};
use crate::server::{Installation, Server, wait_for};
use crate::vendors::MailServer;

const ABORTED: i32 = 6;

/// Runs until it ends by itself at the moment, or until `done`; whether it ended.
pub fn runs_into(mut server: Server, mut done: impl FnMut() -> bool) -> bool {
    wait_for("the moment", || match server.has_ended() {
        Some(status) => {
            assert_eq!(status.signal(), Some(ABORTED), "{status}:\n{}", server.log());
            Some(true)
        }
        None => done().then_some(false),
    })
}

/// Ended at the moment when it comes for the first time and, after a start, for the third; how often it was.
fn killed_at(moment: Moment) -> u32 {
    let installation = Installation::new().with("PUBLIC__URL", "https://activate.example.nl");
    let server = installation.serve();
    let views = activations(&server, 16);
    server.kill();
    let load = Load::start(&views, |_| NAME, Vec::new());
    let mut kills = 0;
    for time in [1, 3] {
        let server = installation.launch_until(moment, time, "serve");
        load.is_served_by(&server.public);
        let told_all = || time > 1 && mail::read(&installation.mail()).len() == views.len();
        let ended = runs_into(server, told_all);
        assert!(ended || time > 1, "{} is never reached", moment.as_str());
        kills += u32::from(ended);
    }
    let server = installation.serve();
    load.is_served_by(&server.public);
    let (acknowledged, refused) = load.ended();
    println!("{}: killed {kills} times", moment.as_str());
    count(&server, &installation, &views, acknowledged, refused);
    kills
}

#[test]
fn fault_28_killed_at_each_moment_between_two_steps_nothing_is_lost_and_nobody_is_told_twice() {
    // Side by side: on PostgreSQL each waits until the dead process is known to be dead.
    let kills: u32 = std::thread::scope(|all| {
        let running: Vec<_> = Moment::ALL
            .iter()
            // Without a platform there is nothing to take, and none calls: `platform` and `api` have tests of their own.
            .filter(|moment| {
                let of_platform = [Moment::EventTaken, Moment::RequestWritten, Moment::RequestCommitted];
                !of_platform.contains(moment)
            })
            .map(|moment| all.spawn(|| killed_at(*moment)))
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).sum()
    });
    println!("killed {kills} times");
}

/// On PostgreSQL claims of a dead process are freed by the others, who know it by its signs. A file's are freed at the
/// start.
#[test]
fn fault_28_who_dies_at_the_first_claim_has_given_a_sign_before_and_is_known_to_be_dead() {
    if !eencent_test_stores::on_servers() {
        return;
    }
    let installation = Installation::new();
    let server = installation.role("receive");
    let view = activations(&server, 1).remove(0);
    let paid = mollie_paid("e1", "tr_1", text(&view, "reference"), NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    // For a while no sign can be given.
    installation.sql("ALTER TABLE working RENAME TO working_away");
    let mut worker = installation.launch_until(Moment::RowClaimed, 1, "work");
    wait_for(
        "a sign that can't be given, or the end of who claims without one",
        || {
            let tried = worker.log().contains("no sign of life could be given") || worker.has_ended().is_some();
            tried.then_some(())
        },
    );
    installation.sql("ALTER TABLE working_away RENAME TO working");
    assert!(runs_into(worker, || false));
    // Divides by zero where somebody holds a claim of whom no sign was seen.
    installation.sql(
        "SELECT 1 / CASE WHEN EXISTS (SELECT 1 FROM events WHERE lease IS NOT NULL \
         AND split_part(lease, '-', 1) NOT IN (SELECT instance FROM working)) THEN 0 ELSE 1 END",
    );
}

/// How often a mail server got each e-mail, by Message-ID, when the process ended at the moment of the first.
fn handed_over(moment: Moment) -> Vec<usize> {
    let mail = MailServer::start();
    let installation = Installation::new()
        .with("MAIL__URL", &format!("smtp://127.0.0.1:{}", mail.port))
        // One after the other, with its record: beside one whose record is slow the next would be with the server too.
        .with("JOBS__EMAILS_AT_ONCE", "1")
        .with("PUBLIC__URL", "https://activate.example.nl");
    let server = installation.serve();
    let views = activations(&server, 4);
    server.kill();
    let server = installation.launch_until(moment, 1, "serve");
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    assert!(runs_into(server, || false));
    let server = installation.serve();
    load.is_served_by(&server.public);
    load.ended();
    let sent = |view: &Value| {
        wait_for("the e-mail to be sent", || {
            let now = activation(&server, text(view, "id"));
            (now["emails"][0]["state"] == "sent").then(|| text(&now["emails"][0], "message_id").to_owned())
        })
    };
    let ids: Vec<String> = views.iter().map(sent).collect();
    let mut copies: HashMap<String, Vec<String>> = HashMap::new();
    for email in mail::read(mail.folder.path()) {
        let copy = format!("{}{}", email.head, email.text);
        copies
            .entry(email.header("message-id").to_owned())
            .or_default()
            .push(copy);
    }
    let times = |id: &String| {
        let copies = &copies[id];
        assert!(copies.iter().all(|copy| *copy == copies[0]), "sent in two wordings");
        copies.len()
    };
    let mut times: Vec<usize> = ids.iter().map(times).collect();
    times.sort_unstable();
    times
}

#[test]
fn fault_28_only_a_crash_between_a_mail_servers_yes_and_its_record_repeats_an_e_mail_and_it_is_the_same_one() {
    assert_eq!(handed_over(Moment::EmailRendered), [1, 1, 1, 1]);
    assert_eq!(handed_over(Moment::EmailHandedOver), [1, 1, 1, 2]);
    assert_eq!(handed_over(Moment::EmailRecorded), [1, 1, 1, 1]);
}
