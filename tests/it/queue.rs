//! Operators' commands, as they are typed, on a server that runs.

use crate::http::request;
use crate::payments::{
    ADYEN_BASIC, NAME, activation, adyen_paid, mollie_paid, post_adyen, post_mollie, started, text, wait_for_state,
};
use crate::server::{Installation, Server, wait_for};

const WHO: [&str; 4] = ["--by", "Jansen", "--reason", "a defect"];

fn metric(server: &Server, line: &str) -> bool {
    let metrics = request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
    metrics.lines().any(|one| one == line)
}

fn ran(installation: &Installation, arguments: &[&str]) -> String {
    let ran = installation.run(arguments);
    assert!(ran.status.success(), "{arguments:?}: {}", ran.stderr);
    ran.stdout
}

#[test]
fn work_is_paused_looked_at_and_resumed_by_commands() {
    let installation = Installation::new();
    let server = installation.serve();
    ran(&installation, &[&["queue", "pause", "event"], &WHO[..]].concat());
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    wait_for("the metrics", || {
        let all = metric(&server, "eencent_work_paused{work=\"event\"} 1")
            && metric(&server, "eencent_waiting{what=\"event\"} 1");
        all.then_some(())
    });
    let status = ran(&installation, &["queue", "status"]);
    assert!(status.contains("event is paused by Jansen (command line)"), "{status}");
    let listed = ran(&installation, &["queue", "list", "--kind", "event", "--named", "tr_1"]);
    assert!(listed.contains("  mollie  tr_1  waiting"), "{listed}");
    let messages = ran(
        &installation,
        &["queue", "list", "--kind", "notification", "--state", "waiting"],
    );
    let id = messages.split_whitespace().next().unwrap();
    let shown = ran(&installation, &["queue", "show", id]);
    assert!(shown.contains("tr_1") && !shown.contains(NAME), "{shown}");

    ran(&installation, &[&["queue", "resume", "event"], &WHO[..]].concat());
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    let audit = ran(
        &installation,
        &["queue", "list", "--kind", "audit", "--of", "work resumed"],
    );
    assert!(
        audit.contains("Jansen (command line)  work resumed  event: a defect"),
        "{audit}"
    );
    // Nobody does anything without saying why.
    let refused = installation.run(&["queue", "retry", "evt_none"]);
    assert!(
        !refused.status.success() && refused.stderr.contains("--by NAME --reason TEXT"),
        "{}",
        refused.stderr
    );
}

#[test]
fn what_an_older_program_could_not_read_is_read_again_by_one_command() {
    let installation = Installation::new();
    let server = installation.serve();
    ran(&installation, &[&["queue", "pause", "event"], &WHO[..]].concat());
    let views: Vec<_> = (1..=3).map(|number| started(&server, number, "ideal")).collect();
    for (number, view) in views.iter().take(2).enumerate() {
        let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
        post_mollie(&server, &mollie_paid(&event, &payment, text(view, "reference"), NAME)).unwrap();
    }
    // Its Basic auth isn't kept, and was checked when it came in.
    let adyen = adyen_paid("QFQTPCQ8HXSKGK82", text(&views[2], "reference"), NAME);
    post_adyen(&server, &adyen, Some(ADYEN_BASIC)).unwrap();
    // As an older program would have left them.
    installation.sql(
        "UPDATE events SET kind = 'quarantined', state = 'quarantined', payment_id = NULL, told = '\"a field that is not known\"'; \
         DELETE FROM seen WHERE seen_key LIKE 'payment:%';",
    );
    ran(&installation, &[&["queue", "resume", "event"], &WHO[..]].concat());
    let failed = ["--kind", "event", "--state", "failed"];
    let counted = ran(&installation, &[&["queue", "retry"], &failed[..]].concat());
    assert!(
        counted.starts_with("3 of kind event are found. Nothing was changed."),
        "{counted}"
    );
    let tried = ran(
        &installation,
        &[&["queue", "retry", "--count", "3"], &failed[..], &WHO[..]].concat(),
    );
    assert!(tried.starts_with("0 done, 3 skipped."), "{tried}");
    let dry = ran(&installation, &["replay", "--since", "1h", "--dry-run"]);
    assert!(dry.contains("3 events would be processed again"), "{dry}");
    assert_eq!(activation(&server, text(&views[0], "id"))["state"], "awaiting_payment");
    let done = ran(&installation, &[&["replay", "--since", "1h"], &WHO[..]].concat());
    assert!(done.contains("3 messages read, 0 left"), "{done}");
    for view in &views {
        wait_for_state(&server, text(view, "id"), "awaiting_confirmation");
    }
}

#[test]
fn a_schedule_runs_when_it_is_asked_for() {
    let installation = Installation::new().with("JOBS__PURGE", "0 3 1 1 *");
    let _server = installation.serve();
    let told = ran(&installation, &[&["schedules", "run", "purge"], &WHO[..]].concat());
    assert!(told.starts_with("It runs within seconds"), "{told}");
    wait_for("the schedule", || {
        let listed = ran(&installation, &["schedules", "list"]);
        let purge = listed.lines().find(|line| line.starts_with("purge "))?.to_owned();
        (!listed.contains("is to run now") && !purge.contains("last -")).then_some(())
    });
    let unknown = installation.run(&[&["schedules", "run", "often"], &WHO[..]].concat());
    assert!(
        unknown.stderr.contains("there are time_passes, tidy_queue, purge"),
        "{}",
        unknown.stderr
    );
}
