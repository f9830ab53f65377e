//! Every vector of these providers: recorded by their own libraries' test suites, made with their
//! own signers, or our own rules where those are stricter. See `tests/fixtures/README.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::Proof;
use eencent_webhooks::Secret;
use eencent_webhooks::endpoint::{Endpoint, EndpointSettings};
use serde::Deserialize;

use crate::desk::{fixture, headers, read};

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    scheme: String,
    secret: String,
    secrets: Option<Vec<String>>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    valid: bool,
    why: String,
    now: Option<i64>,
    tolerance_s: Option<u64>,
}

fn vectors(scheme: &str) -> Vec<Vector> {
    let all: Vec<Vector> = serde_json::from_str(&fixture("vectors.json")).unwrap();
    let of_scheme: Vec<_> = all.into_iter().filter(|vector| vector.scheme == scheme).collect();
    assert!(!of_scheme.is_empty());
    of_scheme
}

/// The stable code of the refusal, or `None` when it was believed.
fn judge(vector: &Vector) -> Option<&'static str> {
    let secrets = vector.secrets.clone().unwrap_or_else(|| vec![vector.secret.clone()]);
    let settings = EndpointSettings {
        provider: vector.provider.clone(),
        secrets: secrets.into_iter().map(Secret::from).collect(),
        tolerance_seconds: vector.tolerance_s,
        ..EndpointSettings::default()
    };
    let endpoint = Endpoint::from_settings("x", &settings).unwrap();
    let headers = headers(
        vector
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let at = Timestamp::from_unix_seconds(vector.now.unwrap_or(1_763_630_140));
    let body = match (&vector.body, &vector.body_base64) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(encoded)) => STANDARD.decode(encoded).unwrap(),
        (None, None) => unreachable!("{} has no body", vector.id),
    };
    match read(&endpoint, &headers, &body, at) {
        Ok((proof, events)) => {
            assert!(!events.is_empty(), "{}", vector.id);
            assert_eq!(proof == Proof::SomeFields, vector.provider == "adyen", "{}", vector.id);
            None
        }
        Err(refused) => {
            assert!(!refused.sentence().contains(&vector.secret), "{}", vector.id);
            Some(refused.code().as_str())
        }
    }
}

fn all_are_judged_right(scheme: &str) {
    let wrong: Vec<String> = vectors(scheme)
        .iter()
        .filter_map(|vector| {
            let judged = judge(vector);
            (judged.is_none() != vector.valid).then(|| format!("{}: {judged:?}, but {}", vector.id, vector.why))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn mollie_vectors() {
    all_are_judged_right("mollie-nextgen-hmac-sha256-hex");
}

#[test]
fn stripe_vectors() {
    all_are_judged_right("stripe-v1-hmac-sha256-hex");
}

#[test]
fn adyen_vectors() {
    all_are_judged_right("adyen-item-hmac-sha256-base64-hexkey");
}

#[test]
fn standard_webhooks_vectors() {
    all_are_judged_right("standard-webhooks-v1-hmac-sha256-base64");
    all_are_judged_right("standard-webhooks-v1a-ed25519");
}

#[test]
fn a_classic_ping_of_mollies_proves_nothing_and_is_refused() {
    for mut vector in vectors("mollie-classic-unsigned-ping") {
        "any".clone_into(&mut vector.secret);
        assert_eq!(judge(&vector), Some("missing_signature"), "{}", vector.id);
    }
}

#[test]
fn adyens_other_scheme_is_refused_by_its_standard_endpoint() {
    for vector in vectors("adyen-header-hmac-sha256-base64-hexkey") {
        assert_eq!(judge(&vector), Some("malformed_body"), "{}", vector.id);
    }
}

#[test]
fn fault_01_each_way_of_being_wrong_has_its_own_code() {
    let codes = |scheme: &str, id: &str| vectors(scheme).iter().find(|vector| vector.id == id).and_then(judge);
    let stripe = "stripe-v1-hmac-sha256-hex";
    let standard = "standard-webhooks-v1-hmac-sha256-base64";
    for (scheme, id, code) in [
        (stripe, "stripe-09", "missing_signature"),
        (stripe, "stripe-05", "malformed_signature"),
        (stripe, "stripe-33", "malformed_signature"),
        (stripe, "stripe-22", "signature_mismatch"),
        (stripe, "stripe-24", "stale"),
        (standard, "stdwh-16", "from_the_future"),
        (standard, "stdwh-20", "missing_signature"),
        ("standard-webhooks-v1a-ed25519", "stdwh-07", "malformed_signature"),
        ("adyen-item-hmac-sha256-base64-hexkey", "adyen-15", "missing_signature"),
        ("adyen-item-hmac-sha256-base64-hexkey", "adyen-38", "malformed_body"),
    ] {
        assert_eq!(codes(scheme, id), Some(code), "{id}");
    }
}
