//! One trace follows a notification from the request to the e-mail, across processes and days; nothing personal is in
//! it, and nothing waits for whoever collects it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_webhooks::signing;

use crate::collector::{Collector, shape};
use crate::http::request;
use crate::main_job::{click, round_off_link};
use crate::payments::{MOLLIE, NAME, mollie_paid, post, post_mollie, started, text, wait_for_state};
use crate::platform::Platform;
use crate::server::{Installation, Server, wait_for};

const STRANGERS: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn metric(server: &Server, name: &str) -> f64 {
    let shown = request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
    let values = shown.lines().filter_map(|line| {
        let (what, value) = line.rsplit_once(' ')?;
        (what.split('{').next() == Some(name)).then(|| value.parse::<f64>().unwrap())
    });
    values.sum()
}

#[test]
fn one_trace_leads_from_the_request_to_the_e_mail_and_the_platform_across_processes() {
    let (collector, platform) = (Collector::start(), Platform::start());
    let home = platform.told(collector.told(Installation::new()));
    let receiver = home.role("receive");
    let worker = home.role("work");
    let view = started(&receiver, 70_000_001, "ideal");
    let (id, reference) = (text(&view, "id"), text(&view, "reference"));
    let body = mollie_paid("event_1", "tr_1", reference, NAME).to_string().into_bytes();
    let mut headers = signing::mollie(MOLLIE, &body).to_vec();
    headers.push(("traceparent", format!("00-{STRANGERS}-00f067aa0ba902b7-01")));
    assert_eq!(post(&receiver, "mollie", &headers, &body).unwrap().status, 200);
    wait_for_state(&receiver, id, "awaiting_confirmation");
    platform.first("activation.approved");

    let begun = collector.first("notification", |_| true);
    // The platform says 503 first: the event is delivered at the second attempt.
    let whole = collector.trace(&begun.trace, 10);
    assert_eq!(
        shape(&whole),
        [
            "commit < notification",
            "decide < process notification",
            "deliver event < decide",
            "deliver event < decide",
            "hand over e-mail < send e-mail",
            "notification",
            "post event < deliver event",
            "post event < deliver event",
            "process notification < commit",
            "send e-mail < decide",
        ]
    );
    assert_ne!(begun.trace, STRANGERS, "a stranger's trace is not gone on with");
    let named = |name: &str| whole.iter().filter(move |span| span.name == name).collect::<Vec<_>>();
    for (name, role) in [
        ("notification", "receive"),
        ("commit", "receive"),
        ("decide", "work"),
        ("send e-mail", "work"),
    ] {
        assert_eq!(named(name)[0].field("eencent.role"), role, "{name}");
    }
    assert_eq!(begun.field("eencent.endpoint"), "mollie");
    assert_eq!(begun.field("eencent.provider"), "mollie");
    assert_eq!(begun.field("service.name"), "eencent");
    assert_eq!(named("decide")[0].field("eencent.outcome"), "clear");
    assert_eq!(named("decide")[0].field("eencent.activation"), id);
    // From a line of the log to the trace.
    let said = format!("trace={}", begun.trace);
    let (log, of_worker) = (receiver.log(), worker.log());
    let committed = log.lines().find(|line| line.contains("notification committed"));
    assert!(committed.is_some_and(|line| line.contains(&said)), "{log}");
    assert!(of_worker.contains(&said), "{of_worker}");
    // From a row to its trace.
    let event = named("process notification")[0].field("eencent.id");
    let ran = home.run(&["queue", "show", event]);
    assert!(ran.stdout.contains(&format!("trace {}", begun.trace)), "{ran:?}");
    assert_eq!(named("hand over e-mail")[0].field("eencent.kind"), "round_off");
    let mut delivered: Vec<_> = named("deliver event")
        .iter()
        .map(|span| {
            (
                span.field("eencent.attempt"),
                span.field("eencent.outcome"),
                span.failed,
            )
        })
        .collect();
    delivered.sort_unstable();
    assert_eq!(delivered, [("1", "again", true), ("2", "done", false)]);
    // What was started by the platform is another trace, and one leads to the other.
    let start = collector.first("POST /v1/organisations/{id}/activations", |_| true);
    assert_eq!(named("decide")[0].links, [start.trace.as_str()]);

    // A repeat begins its own, and changes nothing of the first's.
    assert_eq!(post(&receiver, "mollie", &headers, &body).unwrap().status, 200);
    let again = collector.first("notification", |span| span.trace != begun.trace);
    assert_eq!(
        shape(&collector.trace(&again.trace, 2)),
        ["commit < notification", "notification"]
    );

    // So does the click of a person.
    let link = round_off_link(&home, reference);
    click(&receiver, &link);
    wait_for_state(&receiver, id, "activated");
    let clicked = collector.first("POST /round-off/{token}", |_| true);
    assert_eq!(clicked.links, [begun.trace.as_str()]);
    let mail = collector.first("hand over e-mail", |span| span.field("eencent.kind") == "activated");
    assert_eq!(mail.trace, clicked.trace);

    // What nobody believed, and whoever asks whether we are alive, is not in it; nor what anybody is called.
    assert_eq!(post(&receiver, "mollie", &[], b"{}").unwrap().status, 401);
    let account = [("x-request-id", "NL91ABNA0417164300")];
    assert_eq!(
        request(&receiver.public, "GET", "/nothing", &account, b"")
            .unwrap()
            .status,
        404
    );
    assert_eq!(
        request(&receiver.public, "GET", &link, &account, b"").unwrap().status,
        200
    );
    for server in [receiver, worker] {
        server.signal("TERM");
        assert!(server.ended().success());
    }
    let spans = collector.spans();
    assert!(
        spans
            .iter()
            .all(|span| !span.name.ends_with("/ready") && !span.name.contains("none"))
    );
    assert_eq!(spans.iter().filter(|span| span.name == "notification").count(), 2);
    for personal in [
        "jansen",
        "Jansen",
        "Korenaar",
        "0417164300",
        "Brink",
        "tr_1",
        reference,
        link.rsplit('/').next().unwrap(),
    ] {
        assert!(!collector.was_told(personal), "{personal}");
    }
}

#[test]
fn an_approval_that_waits_for_the_office_goes_on_in_its_trace_in_another_process() {
    let collector = Collector::start();
    let mut home = collector
        .told(Installation::new())
        .with("OFFICE__HOURS", "2040 Mar 01-2040 Mar 31 Mo-Fr 09:00-17:00");
    let server = home.serve();
    let view = started(&server, 70_000_002, "ideal");
    let paid = mollie_paid("event_2", "tr_2", text(&view, "reference"), NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, text(&view, "id"), "scheduled");
    let scheduled = collector.first("decide", |_| true);
    server.signal("TERM");
    assert!(server.ended().success());

    home = home.with("OFFICE__HOURS", "24/7");
    let server = home.serve();
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    let sent = collector.first("hand over e-mail", |span| span.field("eencent.kind") == "round_off");
    let carried = collector.first("carry out approval", |_| true);
    assert_eq!(carried.parent, scheduled.id);
    assert_eq!((&carried.trace, &sent.trace), (&scheduled.trace, &scheduled.trace));
    assert_ne!(
        carried.field("service.instance.id"),
        scheduled.field("service.instance.id")
    );
}

#[test]
fn a_collector_that_is_away_loses_nothing_but_spans_and_holds_nobody_up() {
    // One that hangs, and one that isn't there.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [hangs.local_addr().unwrap(), gone] {
        let home = Installation::new().with("TRACES__ENDPOINT", &format!("http://{address}"));
        let server = home.serve();
        let view = started(&server, 70_000_003, "ideal");
        let paid = mollie_paid("event_3", "tr_3", text(&view, "reference"), NAME);
        assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
        wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
        round_off_link(&home, text(&view, "reference"));
        if address == gone {
            wait_for("spans to be dropped", || {
                (metric(&server, "eencent_spans_dropped_total") > 0.0).then_some(())
            });
            assert_eq!(
                server.log().matches("spans are not taken").count(),
                1,
                "{}",
                server.log()
            );
        }
        server.signal("TERM");
        let asked = Instant::now();
        assert!(server.ended().success());
        assert!(asked.elapsed() < Duration::from_secs(12), "{:?}", asked.elapsed());
    }
}

#[test]
fn whether_a_trace_is_put_out_is_decided_where_it_begins_for_all_of_it() {
    let collector = Collector::start();
    let none = collector.told(Installation::new()).with("TRACES__ONE_IN", "4294967295");
    let receiver = none.role("receive");
    // The worker would put out all that begins with it; what it does here began elsewhere.
    let all = none.without("TRACES__ONE_IN");
    let worker = all.role("work");
    let view = started(&receiver, 70_000_004, "ideal");
    let paid = mollie_paid("event_4", "tr_4", text(&view, "reference"), NAME);
    assert_eq!(post_mollie(&receiver, &paid).unwrap().status, 200);
    wait_for_state(&receiver, text(&view, "id"), "awaiting_confirmation");
    for server in [receiver, worker] {
        server.signal("TERM");
        assert!(server.ended().success());
    }
    let spans = collector.spans();
    assert!(spans.is_empty(), "{spans:?}");
}

#[test]
fn check_says_whether_the_collector_takes_spans() {
    let collector = Collector::start();
    let ran = collector.told(Installation::new()).run(&["check"]);
    assert!(
        ran.stdout
            .contains(&format!("traces go to {}/v1/traces", collector.url)),
        "{ran:?}"
    );
    let known = collector.url.replace("//", "//eencent:secret@");
    let ran = Installation::new().with("TRACES__ENDPOINT", &known).run(&["check"]);
    assert!(ran.status.success(), "{ran:?}");
    let password = format!(
        "authorization: basic {}",
        STANDARD.encode("eencent:secret").to_lowercase()
    );
    assert!(collector.was_told(&password));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Installation::new().with("TRACES__ENDPOINT", &format!("http://eencent:secret@{gone}"));
    let ran = home.run(&["check"]);
    assert!(!ran.status.success());
    assert!(
        ran.stdout.contains(&format!(
            "traces.endpoint, http://{gone}/v1/traces: the collector can't be reached"
        )),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("secret"), "{ran:?}");
    let ran = Installation::new()
        .with("TRACES__ENDPOINT", "localhost:4317")
        .with("TRACES__ONE_IN", "0")
        .run(&["check"]);
    assert!(
        ran.stdout.contains("traces.endpoint") && ran.stdout.contains("traces.one_in"),
        "{ran:?}"
    );
}
