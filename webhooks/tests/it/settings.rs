//! What the settings may say, and what is said about them.

use eencent_webhooks::endpoint::{Endpoints, Settings};
use serde_json::{Value, json};

fn read(settings: Value) -> Result<Endpoints, Vec<String>> {
    Endpoints::from_settings(&serde_json::from_value::<Settings>(settings).unwrap())
}

#[test]
fn fault_71_all_problems_are_told_at_once_by_key_and_without_secrets() {
    let problems = read(json!({
        "Bad Name": {"provider": "mollie", "secrets": "geheim"},
        "a": {"provider": "paypal", "secrets": ["geheim"]},
        "b": {"provider": "adyen", "secrets": ["geheim", "00ff"]},
        "c": {"provider": "mollie", "secrets": ["geheim", ""], "mode": "life", "account": " "},
        "d": {"provider": "stripe"},
        "e": {"provider": "standard_webhooks", "secrets": ["whpk_geheim", "whsk_geheim"]},
        "f": {"provider": "adyen", "secrets": "00", "username": "u"},
        "g": {"provider": "adyen", "secrets": "00", "password": "geheim"},
        "h": {"provider": "adyen", "secrets": "00", "username": "u:v", "password": "geheim"},
        "i": {"secrets": "geheim"},
    }))
    .unwrap_err();
    let keys: Vec<&str> = problems
        .iter()
        .map(|problem| problem.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "webhooks.Bad",
            "webhooks.a.provider",
            "webhooks.b.secrets",
            "webhooks.c.secrets",
            "webhooks.c.mode",
            "webhooks.c.account",
            "webhooks.d.secrets",
            "webhooks.e.secrets",
            "webhooks.e.secrets",
            "webhooks.f.password",
            "webhooks.g.username",
            "webhooks.h.username",
            "webhooks.i.provider",
        ]
    );
    assert!(!problems.concat().contains("geheim"), "{problems:#?}");
}

#[test]
fn a_secret_is_refused_only_when_nothing_could_be_verified_with_it() {
    for provider in ["mollie", "stripe", "standard_webhooks"] {
        let endpoints = read(json!({"x": {"provider": provider, "secrets": "x"}})).unwrap();
        assert_eq!(endpoints.advice().len(), usize::from(provider == "standard_webhooks"));
        let endpoint = endpoints.get("x").unwrap();
        assert_eq!(
            (endpoint.account(), endpoint.mode().as_str(), endpoint.secrets()),
            ("x", "live", 1)
        );
    }
}

#[test]
fn check_says_when_adyens_names_decide_nothing() {
    let advice = |settings: Value| read(json!({"psp": settings})).unwrap().advice();
    assert_eq!(advice(json!({"provider": "adyen", "secrets": "00"})).len(), 2);
    assert_eq!(
        advice(json!({"provider": "adyen", "secrets": "00", "username": "u", "password": "p"})).len(),
        1
    );
    assert_eq!(
        advice(json!({"provider": "adyen", "secrets": "00", "username": "u", "password": "p", "account": "A"})).len(),
        0
    );
}

#[test]
fn secrets_never_show() {
    let settings: Settings = serde_json::from_value(
        json!({"x": {"provider": "adyen", "secrets": ["aabbcc"], "username": "u", "password": "geheim"}}),
    )
    .unwrap();
    let shown = format!("{settings:?} {:?}", Endpoints::from_settings(&settings).unwrap());
    assert!(!shown.contains("aabbcc") && !shown.contains("geheim"), "{shown}");
}

#[test]
fn check_says_when_a_secret_was_pasted_with_white_space() {
    let advice = read(json!({"x": {"provider": "mollie", "secrets": ["geheim\n", "ander"]}}))
        .unwrap()
        .advice();
    assert_eq!(advice.len(), 1);
    assert!(advice[0].starts_with("webhooks.x.secrets has white space") && !advice[0].contains("geheim"));
}
