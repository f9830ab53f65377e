//! Which request it was: in the answer, and in the log.

use serde_json::Value;

use crate::http::request;
use crate::payments::{NAME, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::Installation;

fn id_of(to: &str, path: &str, theirs: &str) -> String {
    let headers = [("x-request-id", theirs)];
    let headers = if theirs.is_empty() { &headers[..0] } else { &headers[..] };
    let answer = request(to, "GET", path, headers, b"").unwrap();
    answer.header("x-request-id").expect("an id").to_owned()
}

#[test]
fn every_answer_has_an_id_the_callers_own_where_that_can_stand_in_a_log() {
    let home = Installation::new();
    let server = home.serve();
    let places = [
        (&server.public, "/"),
        (&server.public, "/v1/organisations"),
        (&server.public, "/nothing"),
        (&server.public, "/webhooks/mollie"),
        (&server.staff, "/"),
        (&server.operations, "/live"),
    ];
    for (to, path) in places {
        let (first, second) = (id_of(to, path, ""), id_of(to, path, ""));
        assert!(first.starts_with("req_") && first != second, "{path}: {first} {second}");
        assert!(id_of(to, path, "a b\"c").starts_with("req_"), "{path}");
        assert!(id_of(to, path, &"x".repeat(65)).starts_with("req_"), "{path}");
    }
    assert_eq!(id_of(&server.public, "/", "platform-4711.b"), "platform-4711.b");
    // A notification's id is ours: it is what the message is kept under.
    assert!(id_of(&server.public, "/webhooks/mollie", "platform-4711.b").starts_with("req_"));
}

#[test]
fn the_log_as_json_says_which_request_and_which_job_moved_an_activation() {
    let home = Installation::new().with("LOG__FORMAT", "json");
    let server = home.serve();
    let view = started(&server, 64_000_001, "ideal");
    let paid = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    let answer = post_mollie(&server, &paid).unwrap();
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    let request_id = answer.header("x-request-id").unwrap().to_owned();
    let cancel = format!("/v1/activations/{}/cancel", text(&view, "id"));
    let key = format!("Bearer {}", crate::server::KEY);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
        ("x-request-id", "platform-4711"),
    ];
    let cancelled = request(&server.public, "POST", &cancel, &headers, b"{}").unwrap();
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let lines: Vec<Value> = server
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let moved = |happening: &str| {
        let found = lines.iter().find(|line| line["fields"]["happening"] == happening);
        found.unwrap_or_else(|| panic!("{happening}: {lines:#?}"))["span"].clone()
    };
    assert_eq!(moved("withdrawn")["id"], "platform-4711");
    let job = moved("paid_clear");
    // The rows of a notification are named after its request.
    let tail = request_id.strip_prefix("req_").unwrap();
    assert_eq!((&job["name"], &job["work"]), (&"job".into(), &"event".into()));
    assert_eq!(job["id"], format!("evt_{tail}_0"));
}
