//! What is measured, and what Prometheus and Grafana are given to do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::http::request;
use crate::payments::{NAME, mollie_paid, post_bank, post_mollie, started, text, transfer, wait_for_state};
use crate::platform::Platform;
use crate::server::{Installation, Server, wait_for};

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// The rows of the page: name, kind, labels.
fn page() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = std::fs::read_to_string(project("docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `eencent_"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = format!("eencent_{}", cells[0].trim_end_matches('`'));
        let labels = cells[2].split(", ").filter(|label| !label.is_empty());
        (name, (cells[1].to_owned(), labels.map(str::to_owned).collect()))
    })
    .collect()
}

fn shown(server: &Server) -> String {
    request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body
}

/// The labels of a line of the text format. No value of ours holds a quotation mark.
fn labels(line: &str) -> BTreeSet<String> {
    let Some((_, rest)) = line.split_once('{') else {
        return BTreeSet::new();
    };
    let inside = rest.rsplit_once('}').unwrap().0;
    let names = inside.split('"').step_by(2).filter_map(|part| part.strip_suffix('='));
    names
        .map(|name| name.trim_start_matches(',').trim().to_owned())
        .collect()
}

#[test]
fn everything_that_is_measured_stands_on_the_page_with_its_kind_and_labels() {
    let platform = Platform::start();
    let home = platform.told(Installation::new());
    let server = home.serve();
    let known = page();
    let paid = |number, holder: &str| {
        let view = started(&server, number, "ideal");
        let body = mollie_paid(
            &format!("e{number}"),
            &format!("tr_{number}"),
            text(&view, "reference"),
            holder,
        );
        post_mollie(&server, &body).unwrap();
        view
    };
    wait_for_state(&server, text(&paid(63_000_001, NAME), "id"), "awaiting_confirmation");
    wait_for_state(&server, text(&paid(63_000_002, "P. de Boer"), "id"), "under_review");
    let invoiced = started(&server, 63_000_003, "invoice");
    post_bank(
        &server,
        "m1",
        &transfer("t1", 1_000, text(&invoiced, "reference"), NAME),
    )
    .unwrap();
    platform.first("activation.partly_paid");
    // Nobody makes labels: neither by an address, nor by a method, nor by the name of an endpoint.
    for (method, path) in [
        ("GET", "/a-strangers-address"),
        ("BREW", "/"),
        ("POST", "/webhooks/a-strangers-name"),
    ] {
        request(&server.public, method, path, &[], b"x").unwrap();
    }
    request(
        &server.public,
        "POST",
        "/webhooks/mollie",
        &[("x-mollie-signature", "sha256=00")],
        b"{}",
    )
    .unwrap();
    let text = wait_for("what was done to be measured", || {
        let text = shown(&server);
        let told = [
            "eencent_decisions_total{outcome=\"clear\"} 1",
            "eencent_decisions_total{outcome=\"unclear\"} 1",
            "eencent_decisions_total{outcome=\"paid_in_part\"} 1",
            "eencent_decision_seconds_count 3",
            "eencent_decision_reasons_total{reason=",
            "outcome=\"delivered\"} ",
            "eencent_webhook_refused_total{endpoint=\"mollie\",code=",
            "route=\"/webhooks/{endpoint}\",status=\"401\"} 1",
            "method=\"(other)\"",
            "eencent_store_answers 1",
        ];
        told.iter().all(|line| text.contains(line)).then_some(text)
    });
    assert!(!text.contains("stranger"), "{text}");
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(known.get(name).map(|(kind, _)| kind.as_str()), Some(kind), "{name}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
            kinds.insert(name.to_owned(), kind.to_owned());
        }
    }
    assert!(kinds.len() > 15, "{text}");
    for line in text.lines().filter(|line| line.starts_with("eencent_")) {
        let full = line.split(['{', ' ']).next().unwrap();
        let parts = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|part| full.strip_suffix(part));
        let name = parts
            .into_iter()
            .find(|name| kinds.get(*name).is_some_and(|kind| kind == "histogram"))
            .unwrap_or(full);
        let mut labels = labels(line);
        labels.remove("le");
        assert_eq!(labels, known[name].1, "{line}");
    }
}

/// All names of ours in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("eencent_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_dashboard_and_the_alerts_name_nothing_that_is_not_measured_and_every_alert_says_what_to_do() {
    let known = page();
    for file in ["grafana-dashboard.json", "alerts.yml", "alerts_test.yml"] {
        let text = std::fs::read_to_string(project("config/monitoring").join(file)).unwrap();
        let names = names(&text);
        assert!(!names.is_empty());
        for name in names {
            let base = name.strip_suffix("_bucket").unwrap_or(&name);
            let kind = known.get(base).map(|(kind, _)| kind.as_str());
            assert_eq!(
                kind.is_some_and(|kind| kind == "histogram"),
                base != name,
                "{file}: {name}"
            );
            assert!(kind.is_some(), "{file}: {name}");
        }
    }
    let dashboard = std::fs::read_to_string(project("config/monitoring/grafana-dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
    let alerts = std::fs::read_to_string(project("config/monitoring/alerts.yml")).unwrap();
    let many = |word: &str| alerts.matches(word).count();
    assert_eq!(many("- alert: "), many("what_to_do: '"));
}

#[test]
fn each_alert_fires_on_what_it_is_for_and_none_on_a_quiet_day() {
    let ran = Command::new("promtool")
        .args(["test", "rules", "alerts_test.yml"])
        .current_dir(project("config/monitoring"))
        .output()
        .expect("promtool; tests/run installs it, or: apt-get install prometheus");
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(ran.status.success(), "{told}");
    let read = |file: &str| std::fs::read_to_string(project("config/monitoring").join(file)).unwrap();
    let tested = read("alerts_test.yml");
    for rule in read("alerts.yml")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
    {
        assert!(
            tested.contains(&format!("alertname: {rule}\n")),
            "{rule} is not tested to fire"
        );
    }
}
