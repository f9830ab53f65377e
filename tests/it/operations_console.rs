//! Operations' pages, as the people who work on them meet them.

use crate::browser::{Browser, Visitor};
use crate::payments::{NAME, mollie_paid, now, post, post_mollie, started, text, wait_for_state};
use crate::people::{Member, between};
use crate::server::{Installation, Server, wait_for};

/// What a stranger fills in wherever they can.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{7*7}}";

fn operator(installation: &Installation, server: &Server) -> Member {
    Member::of(installation, server, "Olga Beheer", &["operations"])
}

/// Reads in English from now on.
fn english(member: &Member, server: &Server) {
    let chosen = member.send(&server.operations, "/account", "/language", &[("language", "en")]);
    assert_eq!(chosen.status, 303, "{}", chosen.body);
}

fn page(member: &Member, server: &Server, path: &str) -> String {
    let answer = member.get(&server.operations, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// So many activations whose payment is known, and whose e-mail waits since all mail is stopped.
fn with_waiting_mail(installation: &Installation, server: &Server, many: u32) -> Vec<String> {
    let stopped = installation.run(&["mail", "stop", "--by", "Jansen", "--reason", "a wrong template"]);
    assert!(stopped.status.success(), "{}", stopped.stderr);
    let views: Vec<_> = (1..=many).map(|number| started(server, number, "ideal")).collect();
    let ids = views.iter().enumerate().map(|(number, view)| {
        let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
        post_mollie(server, &mollie_paid(&event, &payment, text(view, "reference"), NAME)).unwrap();
        wait_for_state(server, text(view, "id"), "awaiting_confirmation");
        text(view, "id").to_owned()
    });
    ids.collect()
}

/// A day as an office has it: quiet at night, two peaks, and an hour in which somebody mistyped a secret.
fn a_day_of_counts(installation: &Installation) {
    let minute = now().unix_seconds() / 60;
    let mut rows = String::new();
    for back in 1..24 * 6_i64 {
        let at = minute - back * 10;
        let hour = (at / 60).rem_euclid(24);
        let busy = if (8..18).contains(&hour) {
            14 + (hour * 7) % 11
        } else {
            1 + hour % 3
        };
        let mut row =
            |what: &str, part: &str, many: i64| rows.push_str(&format!("({at}, '{what}', '{part}', {many}), "));
        row("taken", "mollie", busy * 3);
        row("taken", "adyen", busy);
        row("decided", "approved", busy * 3);
        row("decided", "under_review", busy / 5);
        row("waiting", "event", busy * 2);
        if hour % 7 == 3 {
            row("refused", "adyen signature_mismatch", busy / 2 + 1);
            row("failed", "email", 2);
            row("given_up", "delivery", back % 2);
        }
    }
    let rows = rows.trim_end_matches(", ");
    installation.sql(&format!(
        "INSERT INTO tallies (minute, what, part, many) VALUES {rows} ON CONFLICT (minute, what, part) DO NOTHING;"
    ));
}

fn fail_the_mail(installation: &Installation) {
    installation.sql(
        "UPDATE emails SET state = 'failed', attempts = 9, last_error = '550 5.1.1 mailbox unavailable' WHERE state = 'waiting';",
    );
}

#[test]
fn operations_see_how_things_are_in_both_languages_by_day_by_night_and_on_a_phone() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    with_waiting_mail(&installation, &server, 3);
    fail_the_mail(&installation);
    a_day_of_counts(&installation);
    let paused = installation.run(&[
        "queue",
        "pause",
        "names",
        "--by",
        "Jansen",
        "--reason",
        "the register is down",
    ]);
    assert!(paused.status.success(), "{}", paused.stderr);
    let view = started(&server, 9, "ideal");
    let message = mollie_paid("event_9", "tr_9", text(&view, "reference"), NAME).to_string();
    post(
        &server,
        "mollie",
        &[("x-mollie-signature", "00".repeat(32))],
        message.as_bytes(),
    )
    .unwrap();
    // A wrong secret shows within a minute.
    wait_for("the refusal", || {
        let overview = page(&olga, &server, "/");
        overview.contains("/refusals?of=mollie").then_some(())
    });
    let row = between(&page(&olga, &server, "/apart"), "href=\"/row/", "\"").to_owned();
    let message = between(&page(&olga, &server, "/notifications"), "href=\"/notifications/", "\"").to_owned();
    let pages = [
        ("", "overview"),
        ("queue/event", "work"),
        ("queue/email?state=failed", "emails"),
        ("queue/email/retry?state=failed", "retry-all"),
        ("apart", "apart"),
        ("notifications", "notifications"),
        ("refusals", "refusals"),
        ("audit", "audit"),
        ("replay?since=2020-01-01T00:00", "replay"),
        (&format!("row/{row}"), "row"),
        (&format!("notifications/{message}"), "notification"),
        ("queue/names/resume", "resume"),
        ("schedules/purge", "run"),
        ("account", "account"),
    ];
    let all = |visitor: Visitor, heading: &str| {
        let browser = Browser::of(visitor);
        let host = format!("http://{}", server.operations);
        browser.signs_in(&olga, &host);
        for (path, name) in &pages {
            browser.open(&format!("{host}/{path}"));
            if *name == "overview" {
                browser.sees("h1", heading);
            }
            browser.sees("header", "Olga Beheer");
            browser.finds_it_accessible();
            browser.picture(&format!("operations-{name}"));
        }
    };
    all(Visitor::speaking("nl"), "Overzicht");
    english(&olga, &server);
    all(Visitor::speaking("en").by_night(), "Overview");
    all(Visitor::speaking("en").on_a_phone(), "Overview");
    let browser = Browser::of(Visitor::speaking("en"));
    let host = format!("http://{}", server.operations);
    browser.signs_in(&olga, &host);
    browser.sees("h1", "Overview");
    browser.picture_for_docs("console-operations", (1_200, 1_000));
}

#[test]
fn fault_76_operations_see_which_provider_has_stopped_sending() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    english(&olga, &server);
    assert!(!page(&olga, &server, "/").contains("has sent nothing"));
    // Found out by whoever counts the minutes; here it is what they found.
    let minute = now().unix_seconds() / 60;
    installation.sql(&format!(
        "INSERT INTO tallies (minute, what, part, many) VALUES ({minute}, 'silent', 'mollie', 600);"
    ));
    let overview = page(&olga, &server, "/");
    let told = between(&overview, "<strong>mollie</strong>", "</div>");
    assert!(told.contains("has sent nothing for 10 h"), "{told}");
    let measured = page(&olga, &server, "/metrics");
    assert!(
        measured.contains("eencent_endpoint_silent_seconds{endpoint=\"mollie\"} 36000"),
        "{measured}"
    );
}

#[test]
fn mail_is_stopped_and_started_and_work_paused_without_scripts() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    english(&olga, &server);
    let browser = Browser::of(Visitor::speaking("en").without_scripts());
    let host = format!("http://{}", server.operations);
    browser.signs_in(&olga, &host);
    browser.click("a[href='/queue/email/pause']");
    browser.sees("h1", "Stop all mail");
    browser.fill("#reason", "a wrong template");
    browser.click("main button");
    browser.sees(".notice", "All mail is stopped");
    browser.sees(".notice", "Olga Beheer <olga.beheer@example.nl>");
    browser.sees(".notice", "a wrong template");
    let status = installation.run(&["mail", "status"]).stdout;
    assert!(status.contains("a wrong template"), "{status}");
    browser.click("a[href='/queue/event/pause']");
    browser.sees("h1", "Pause: payments to decide on");
    browser.fill("#reason", "a defect");
    browser.click("main button");
    browser.sees("main", "Paused: payments to decide on");
    for (kind, heading) in [("event", "Resume: payments to decide on"), ("email", "Start mail")] {
        browser.click(&format!("a[href='/queue/{kind}/resume']"));
        browser.sees("h1", heading);
        browser.fill("#reason", "mended");
        browser.click("main button");
        browser.sees("h1", "Overview");
    }
    assert!(!browser.html().contains("notice warn"), "{}", browser.html());
    browser.open(&format!("{host}/audit?of=work+resumed"));
    browser.sees("table", "mended");
}

#[test]
fn fault_66_all_that_a_filter_finds_is_counted_first_and_never_more_is_done() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    english(&olga, &server);
    with_waiting_mail(&installation, &server, 3);
    fail_the_mail(&installation);
    let list = page(&olga, &server, "/queue/email?state=failed");
    assert!(list.contains("550 5.1.1 mailbox unavailable"), "{list}");
    let ask = between(&list, "<a class=\"button second\" href=\"", "\"").replace("&#x2f;", "/");
    assert_eq!(ask, "/queue/email/retry?state=failed");
    let asked = page(&olga, &server, &ask);
    assert!(
        asked.contains("<strong class=\"large\">3</strong> are found"),
        "{asked}"
    );
    let at = between(&asked, "name=\"at\" value=\"", "\"");
    let order = |mend: &str, count: &str, reason: &str| {
        let fields = [("count", count), ("at", at), ("state", "failed"), ("reason", reason)];
        olga.send(&server.operations, &ask, &format!("/queue/email/{mend}"), &fields)
    };
    let unexplained = order("retry", "3", " ");
    assert_eq!(
        unexplained.status, 422,
        "nobody does anything without saying why: {}",
        unexplained.body
    );
    let done = order("retry", "2", "the server is back");
    assert!(done.body.contains("2 done</strong>, 0 skipped"), "{}", done.body);
    let dropped = order("drop", "7", "a test");
    assert!(dropped.body.contains("1 done</strong>, 0 skipped"), "{}", dropped.body);
    let left = page(&olga, &server, "/queue/email?state=dropped");
    let row = between(&left, "href=\"/row/", "\"").to_owned();
    let shown = page(&olga, &server, &format!("/row/{row}"));
    assert!(
        shown.contains("a person dropped it") && shown.contains("a test") && !shown.contains("formaction"),
        "{shown}"
    );
    // One of them, again by its own page.
    let path = format!("/row/{row}");
    let retried = olga.send(
        &server.operations,
        &path,
        &format!("{path}/retry"),
        &[("reason", "meant after all")],
    );
    assert_eq!((retried.status, retried.header("location")), (303, Some(path.as_str())));
    assert!(page(&olga, &server, &path).contains("meant after all"));
    let audit = page(&olga, &server, "/audit");
    for line in ["3 of kind email, failed", "done 2, skipped 0", "the server is back"] {
        let told = line.replace("3 of", "2 of");
        assert!(audit.contains(&told), "{told}: {audit}");
    }
}

#[test]
fn who_only_looks_sees_everything_and_can_do_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    let rik = Member::of(&installation, &server, "Rik Kijker", &["read-only"]);
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    with_waiting_mail(&installation, &server, 1);
    fail_the_mail(&installation);
    let row = between(&page(&olga, &server, "/apart"), "href=\"/row/", "\"").to_owned();
    let row = format!("/row/{row}");
    for path in [
        "/",
        "/apart",
        "/queue/email?state=failed",
        "/notifications",
        "/refusals",
        "/audit",
        &row,
    ] {
        let seen = page(&rik, &server, path);
        let main = between(&seen, "<main", "</main>");
        assert!(
            !main.contains("method=\"post\"")
                && !main.contains("/pause")
                && !main.contains("/resume")
                && !main.contains("/retry"),
            "{path}: {main}"
        );
        assert_eq!(sam.get(&server.operations, path).status, 404, "{path}");
    }
    let before = page(&olga, &server, "/audit");
    let acts = [
        format!("{row}/retry"),
        format!("{row}/drop"),
        "/queue/email/retry".to_owned(),
        "/queue/email/drop".to_owned(),
        "/queue/event/pause".to_owned(),
        "/queue/email/resume".to_owned(),
        "/schedules/purge".to_owned(),
        "/replay".to_owned(),
    ];
    let all = [
        ("reason", "r"),
        ("count", "1"),
        ("at", "2030-01-01T00:00:00Z"),
        ("state", "failed"),
        ("since", "2020-01-01T00:00"),
    ];
    for act in &acts {
        for member in [&rik, &sam] {
            let refused = member.send(&server.operations, "/account", act, &all);
            assert_eq!(refused.status, 404, "{act}: {}", refused.body);
        }
        let asked = rik.get(&server.operations, act);
        assert_eq!(asked.status, 404, "{act}");
    }
    let lines = |page: &str| page.matches("<tr><th").count();
    assert_eq!(
        lines(&page(&olga, &server, "/audit")),
        lines(&before),
        "nothing happened"
    );
}

#[test]
fn what_strangers_fill_in_is_seen_as_text() {
    let installation = Installation::new();
    let server = installation.serve();
    let olga = operator(&installation, &server);
    with_waiting_mail(&installation, &server, 1);
    // By the ways that there are from outside…
    let view = started(&server, 2, "ideal");
    let message = mollie_paid(HOSTILE, HOSTILE, text(&view, "reference"), HOSTILE);
    post_mollie(&server, &message).unwrap();
    let headers = [
        ("webhook-id", HOSTILE.to_owned()),
        ("webhook-timestamp", now().unix_seconds().to_string()),
        ("webhook-signature", format!("v1,{HOSTILE}")),
        ("user-agent", HOSTILE.to_owned()),
    ];
    post(&server, "bank", &headers, b"{}").unwrap();
    wait_for("the refusal", || {
        page(&olga, &server, "/refusals")
            .contains("<td>bank</td>")
            .then_some(())
    });
    // … and whatever else a row may come to hold.
    let quoted = HOSTILE.replace('\'', "''");
    fail_the_mail(&installation);
    installation.sql(&format!(
        "UPDATE emails SET last_error = '{quoted}', kind = '{quoted}'; \
         UPDATE events SET last_error = '{quoted}'; \
         UPDATE refusals SET endpoint = '{quoted}', claimed_id = '{quoted}', reason = '{quoted}', remote = '{quoted}'; \
         UPDATE notifications SET endpoint = '{quoted}', proven_by = '{quoted}', request_id = request_id || '{quoted}'; \
         INSERT INTO attempts (kind, row_id, number, at, outcome, error) SELECT 'email', id, 100, created_at, 'given_up', '{quoted}' FROM emails; \
         INSERT INTO attempts (kind, row_id, number, at, outcome, error) SELECT 'event', id, 100, received_at, 'again', '{quoted}' FROM events; \
         INSERT INTO tallies (minute, what, part, many) VALUES ({minute}, 'taken', '{quoted}', 1), ({minute}, 'refused', '{quoted} x', 1);",
        minute = now().unix_seconds() / 60
    ));
    let paused = olga.send(
        &server.operations,
        "/queue/names/pause",
        "/queue/names/pause",
        &[("reason", HOSTILE)],
    );
    assert_eq!(paused.status, 303, "{}", paused.body);
    let asked = olga.send(
        &server.operations,
        "/schedules/purge",
        "/schedules/purge",
        &[("reason", HOSTILE)],
    );
    assert_eq!(asked.status, 303, "{}", asked.body);
    let named = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(2)%3E";
    let row = between(&page(&olga, &server, "/queue/email"), "href=\"/row/", "\"").to_owned();
    let message = between(&page(&olga, &server, "/notifications"), "href=\"/notifications/", "\"").to_owned();
    let pages = [
        "/".to_owned(),
        "/apart".to_owned(),
        "/audit".to_owned(),
        "/refusals".to_owned(),
        "/notifications".to_owned(),
        format!("/notifications/{message}"),
        "/queue/email".to_owned(),
        "/queue/names".to_owned(),
        format!("/row/{row}"),
        format!("/queue/event?named={named}&of={named}"),
        format!("/queue/event/retry?state=failed&named={named}&of={named}"),
    ];
    for path in &pages {
        let seen = page(&olga, &server, path);
        assert!(seen.contains("&lt;script&gt;alert(1)&lt;"), "{path}: {seen}");
        for raw in ["<script>alert", "<img", "49'"] {
            assert!(!seen.contains(raw), "{path} has {raw}: {seen}");
        }
    }
    for wrong in [
        "/queue/event?state=gone",
        "/audit?since=yesterday",
        "/audit?named=%00",
        "/audit?of=a&of=b",
    ] {
        let answer = olga.get(&server.operations, wrong);
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
    }
}

#[test]
fn messages_are_read_again_after_they_were_counted_and_a_schedule_runs_when_asked() {
    let installation = Installation::new().with("JOBS__PURGE", "0 3 1 1 *");
    let server = installation.serve();
    let olga = operator(&installation, &server);
    english(&olga, &server);
    let paused = installation.run(&["queue", "pause", "event", "--by", "Jansen", "--reason", "a defect"]);
    assert!(paused.status.success(), "{}", paused.stderr);
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    // As an older program would have left it.
    installation.sql(
        "UPDATE events SET kind = 'quarantined', state = 'quarantined', payment_id = NULL, told = '\"a field that is not known\"'; \
         DELETE FROM seen WHERE seen_key LIKE 'payment:%';",
    );
    let apart = page(&olga, &server, "/apart");
    assert!(apart.contains("Payments to decide on"), "{apart}");
    let counted = "/replay?since=2020-01-01T00:00&until=&endpoint=mollie&all=";
    let asked = page(&olga, &server, counted);
    assert!(
        asked.contains("<strong class=\"large\">1</strong> messages are found")
            && asked.contains("1 events would be processed again"),
        "{asked}"
    );
    let fields = [
        ("since", "2020-01-01T00:00"),
        ("endpoint", "mollie"),
        ("reason", "1.4 reads it"),
    ];
    let done = olga.send(&server.operations, counted, "/replay", &fields);
    assert!(done.body.contains("<strong>1</strong> messages read"), "{}", done.body);
    let resumed = olga.send(
        &server.operations,
        "/queue/event/resume",
        "/queue/event/resume",
        &[("reason", "mended")],
    );
    assert_eq!(resumed.status, 303, "{}", resumed.body);
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    assert!(page(&olga, &server, "/audit?of=messages+replayed").contains("1.4 reads it"));

    let runs = olga.send(
        &server.operations,
        "/schedules/purge",
        "/schedules/purge",
        &[("reason", "a full disk")],
    );
    assert_eq!(runs.status, 303, "{}", runs.body);
    wait_for("the schedule", || {
        let overview = page(&olga, &server, "/");
        let purge = between(&overview, "kept long enough", "</tr>");
        (!purge.contains("asked for") && purge.contains("<time datetime=")).then_some(())
    });
    assert_eq!(olga.get(&server.operations, "/schedules/often").status, 404);
}
