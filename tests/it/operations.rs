//! What operations sees.

use crate::http::request;
use crate::payments::{started, text};
use crate::server::{Installation, wait_for};

#[test]
fn it_is_live_ready_and_measured() {
    let installation = Installation::new();
    let server = installation.serve();
    assert_eq!(
        request(&server.operations, "GET", "/live", &[], b"").unwrap().status,
        200
    );
    assert_eq!(
        request(&server.operations, "GET", "/ready", &[], b"").unwrap().status,
        200
    );
    started(&server, 1, "ideal");
    let metrics = wait_for("the age of the oldest row that waits", || {
        let metrics = request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
        metrics
            .lines()
            .any(|line| line.contains("\"awaiting_payment\"") && line.ends_with(" 1"))
            .then_some(metrics)
    });
    assert!(metrics.contains("oldest"), "{metrics}");
    assert_eq!(request(&server.staff, "GET", "/sign-in", &[], b"").unwrap().status, 200);
    assert_eq!(
        request(&server.public, "GET", "/metrics", &[], b"").unwrap().status,
        404,
        "only where operations listens"
    );
}

#[test]
fn after_a_kill_it_is_ready_again_within_ten_seconds() {
    let installation = Installation::new();
    let server = installation.serve();
    started(&server, 1, "ideal");
    server.kill();
    let begun = std::time::Instant::now();
    let server = installation.serve();
    // Not a measurement: the promise is ten seconds, and it takes a fraction of one.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    drop(server);
}

#[test]
fn with_nothing_set_it_starts_in_an_empty_folder_and_says_where_it_is() {
    let installation = Installation::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eencent"));
    command.args(["check"]).current_dir(installation.path()).env_clear();
    let output = command.output().unwrap();
    // The default ports may be taken on this machine; nothing else may be wrong.
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() || told.contains("listen."), "{told}");
}

#[test]
fn the_links_key_is_made_once_and_it_and_the_database_are_for_the_program_alone() {
    use std::os::unix::fs::PermissionsExt;
    let installation = Installation::embedded();
    let server = installation.serve();
    server.kill();
    let path = installation.path().join("eencent-data/links.key");
    let made = std::fs::read_to_string(&path).unwrap();
    for file in ["links.key", "eencent.db"] {
        let file = installation.path().join("eencent-data").join(file);
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
    }
    let server = installation.serve();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
    let view = started(&server, 1, "ideal");
    assert!(text(&view, "reference").starts_with("RF"));
}
