//! `/openapi.json`, held to its word: by a linter, by an API tester that calls everything it says, and by the events
//! that are really sent.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::clocks::set;
use crate::http::request;
use crate::main_job::{click, round_off_link};
use crate::payments::{NAME, mollie_paid, post_bank, post_mollie, started, text, transfer, wait_for_state};
use crate::platform::{Platform, SECRET};
use crate::server::{Installation, KEY, Server, wait_for};
use crate::vendors::python;

fn description(server: &Server, installation: &Installation) -> PathBuf {
    let file = installation.path().join("openapi.json");
    let answer = request(&server.public, "GET", "/openapi.json", &[], b"").unwrap();
    std::fs::write(&file, answer.body).unwrap();
    file
}

/// The linter, as `tests/run` installs it.
fn redocly() -> PathBuf {
    let linter = std::env::var_os("EENCENT_TEST_REDOCLY").map(PathBuf::from);
    let linter = linter.unwrap_or_else(|| {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-linter/node_modules/.bin/redocly")
    });
    assert!(
        linter.exists(),
        "no linter at {}; run tests/run once, it installs it",
        linter.display()
    );
    linter
}

#[test]
fn the_description_passes_a_linter_without_a_warning() {
    let installation = Installation::new();
    let server = installation.serve();
    let ran = Command::new(redocly())
        .arg("lint")
        .arg(description(&server, &installation))
        .args(["--extends", "recommended", "--format", "json"])
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .current_dir(installation.path())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&ran.stdout);
    let report: Value = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(
        report["totals"],
        json!({ "errors": 0, "warnings": 0, "ignored": 0 }),
        "{report:#}"
    );
}

#[test]
fn an_api_tester_finds_nothing_that_the_description_does_not_say() {
    let installation = Installation::new();
    let server = installation.serve();
    let ran = Command::new(python().with_file_name("schemathesis"))
        .arg("--config-file")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/schemathesis.toml"))
        .arg("run")
        .arg(description(&server, &installation))
        .args(["--url", &format!("http://{}", server.public)])
        .args(["--header", &format!("Authorization: Bearer {KEY}")])
        .args([
            "--seed",
            "1",
            "--max-examples",
            "25",
            "--no-shrink",
            "--continue-on-failure",
            "--workers",
            "1",
        ])
        .args(["--no-color", "--output-truncate", "true"])
        .current_dir(installation.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("passed") && !told.contains("Tested: 0"), "{told}");
    assert!(!server.log().contains(" ERROR "), "an error in the log");
}

#[test]
fn every_event_that_is_really_sent_is_as_the_description_says() {
    let platform = Platform::start();
    let installation = Installation::new()
        .with(
            "EVENTS__PLATFORM__URL",
            &format!("http://127.0.0.1:{}/events", platform.port),
        )
        .with("EVENTS__PLATFORM__SECRETS", SECRET)
        .with("EVENTS__PLATFORM__PRIVATE", "true");
    let offset = installation.path().join("clock");
    set(&offset, 0);
    let mut server = installation.launch_by(&offset, "serve");
    server.wait_until_ready();
    let file = description(&server, &installation);
    // approved, activated
    let whole = started(&server, 1, "ideal");
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&whole, "reference"), NAME),
    )
    .unwrap();
    click(&server, &round_off_link(&installation, text(&whole, "reference")));
    // invoiced, partly paid, cancelled
    let parts = started(&server, 2, "invoice");
    post_bank(
        &server,
        "msg_1",
        &transfer("trx_1", 1_000, text(&parts, "reference"), NAME),
    )
    .unwrap();
    // under review, rejected
    let other = started(&server, 3, "ideal");
    post_mollie(
        &server,
        &mollie_paid("event_2", "tr_2", text(&other, "reference"), "Slagerij Van Dam B.V."),
    )
    .unwrap();
    let now = wait_for_state(&server, text(&other, "id"), "under_review");
    let act = json!({ "version": now["version"], "actor": "Sanne", "reason": "no extract" });
    let path = format!("/v1/activations/{}/reject", text(&other, "id"));
    assert_eq!(server.api("POST", &path, &act).status, 200);
    let kinds = || -> Vec<String> {
        let heard = platform.at("/events");
        let told = heard
            .iter()
            .map(|one| serde_json::from_str::<Value>(&one.body).unwrap());
        told.map(|one| text(&one, "type").to_owned()).collect()
    };
    wait_for("the part to be told", || {
        kinds().contains(&"activation.partly_paid".to_owned()).then_some(())
    });
    let path = format!("/v1/activations/{}/cancel", text(&parts, "id"));
    assert_eq!(server.api("POST", &path, &Value::Null).status, 200);
    // What isn't taken within three days is given up, also where a clock is only set.
    let before = ["organisation.activated", "activation.cancelled", "activation.rejected"];
    wait_for("all to be told", || {
        let kinds = kinds();
        before
            .iter()
            .all(|kind| kinds.iter().any(|one| one == kind))
            .then_some(())
    });
    // expired
    started(&server, 4, "ideal");
    set(&offset, 15 * 24 * 60 * 60);
    wait_for("the end to be told", || {
        kinds().contains(&"activation.expired".to_owned()).then_some(())
    });
    server.kill();
    // scheduled
    let installation = installation.with("OFFICE__HOURS", "2040 Mar 01-2040 Mar 31 Mo-Fr 09:00-17:00");
    let server = installation.serve();
    let closed = started(&server, 5, "ideal");
    post_mollie(
        &server,
        &mollie_paid("event_3", "tr_3", text(&closed, "reference"), NAME),
    )
    .unwrap();
    wait_for("the schedule to be told", || {
        kinds().contains(&"activation.scheduled".to_owned()).then_some(())
    });

    let mut checking = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/check_events.py"))
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = checking.stdin.take().unwrap();
    for one in platform.at("/events") {
        writeln!(stdin, "{}", one.body).unwrap();
    }
    drop(stdin);
    let checked = checking.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let seen = String::from_utf8_lossy(&checked.stdout);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut described: Vec<&String> = document["webhooks"].as_object().unwrap().keys().collect();
    described.sort();
    assert_eq!(seen.lines().collect::<Vec<_>>(), described, "each of them was sent");
}
