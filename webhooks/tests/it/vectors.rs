//! Every vector: recorded by the providers' own libraries' test suites, made with their own signers, or
//! our own rules where those are stricter. See `tests/fixtures/README.md`.

use eencent_activations::clock::Timestamp;
use eencent_webhooks::vectors::{self, Vector, Verdict};
use serde_json::Value;

use crate::desk::{fixture, now};

fn all() -> Vec<Vector> {
    vectors::read(fixture("vectors.json").as_bytes()).unwrap()
}

fn judge(id: &str) -> Verdict {
    all().iter().find(|vector| vector.id == id).unwrap().judge(now())
}

#[test]
fn every_vector_gets_the_verdict_that_it_stands_for() {
    let all = all();
    let wrong: Vec<String> = all
        .iter()
        .map(|vector| (vector, vector.judge(now())))
        .filter(|(vector, verdict)| !vector.expects(verdict))
        .map(|(vector, verdict)| format!("{}: {} {}", vector.id, verdict.authentic, verdict.reason))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(all.len(), 215);
}

#[test]
fn no_verdict_repeats_a_secret_and_none_fails_for_its_settings() {
    let raw: Vec<Value> = serde_json::from_str(&fixture("vectors.json")).unwrap();
    for (vector, raw) in all().iter().zip(&raw) {
        let verdict = vector.judge(now());
        let secret = raw["secret"].as_str().unwrap_or_default();
        assert!(secret.len() < 8 || !verdict.reason.contains(secret), "{}", vector.id);
        assert!(
            !verdict.reason.starts_with("unusable"),
            "{}: {}",
            vector.id,
            verdict.reason
        );
    }
}

#[test]
fn a_believed_request_with_one_byte_changed_is_not_believed() {
    // What a scheme leaves out of its signature is marked as its weakness, or isn't signed at all.
    let raw: Vec<Value> = serde_json::from_str(&fixture("vectors.json")).unwrap();
    let mut changed = 0;
    for raw in raw.iter().filter(|raw| raw["valid"] == true && raw["weakness"] != true) {
        let scheme = raw["scheme"].as_str().unwrap();
        let whole =
            !scheme.starts_with("adyen-item") && !scheme.starts_with("rabo") && !scheme.starts_with("mollie-classic");
        let Some(body) = raw["body"].as_str().filter(|body| whole && !body.is_empty()) else {
            continue;
        };
        if scheme.starts_with("buckaroo-form") {
            continue;
        }
        let mut other = raw.clone();
        other["body"] = format!("{body} ").into();
        other["unconfirmed"] = false.into();
        let vector: Vector = serde_json::from_value(other).unwrap();
        assert!(!vector.judge(now()).authentic, "{}", vector.id);
        changed += 1;
    }
    assert!(changed > 60, "{changed}");
}

#[test]
fn fault_01_each_way_of_being_wrong_has_its_own_code() {
    for (id, code) in [
        ("stripe-09", "missing_signature"),
        ("stripe-05", "malformed_signature"),
        ("stripe-33", "malformed_signature"),
        ("stripe-22", "signature_mismatch"),
        ("stripe-24", "stale"),
        ("stdwh-16", "from_the_future"),
        ("stdwh-20", "missing_signature"),
        ("stdwh-07", "malformed_signature"),
        ("adyen-15", "missing_signature"),
        ("adyen-38", "malformed_body"),
        ("mollie-42", "malformed_body"),
        ("multisafepay-18", "from_the_future"),
        ("buckaroo-23", "missing_signature"),
        ("buckaroo-49", "wrong_account"),
        ("ponto-03", "wrong_account"),
        ("ponto-04", "stale"),
        ("ponto-23", "malformed_signature"),
        ("ponto-25", "from_the_future"),
        ("ideal2-11", "malformed_signature"),
    ] {
        let verdict = judge(id);
        assert!(
            verdict.reason.starts_with(&format!("{code}: ")),
            "{id}: {}",
            verdict.reason
        );
    }
}

#[test]
fn fault_05_a_message_that_names_a_key_we_lack_says_which() {
    let verdict = judge("paynl-16");
    assert!(verdict.reason.starts_with("unknown_secret: "), "{}", verdict.reason);
    assert!(verdict.reason.contains("SL-9999-9999"), "{}", verdict.reason);
}

#[test]
fn fault_07_a_clock_that_is_off_refuses_as_stale_or_from_the_future() {
    let mut raw: Vec<Value> = serde_json::from_str(&fixture("vectors.json")).unwrap();
    raw.retain(|raw| raw["id"] == "stripe-01");
    for (away, code) in [(-600, "from_the_future"), (600, "stale")] {
        raw[0]["now"] = (1_763_630_133 + away).into();
        let vector: Vector = serde_json::from_value(raw[0].clone()).unwrap();
        let verdict = vector.judge(Timestamp::from_unix_seconds(0));
        assert!(
            verdict.reason.starts_with(code) && verdict.reason.contains("clock"),
            "{}",
            verdict.reason
        );
    }
}
