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

#[test]
fn every_provider_has_a_page_that_says_its_address_and_what_is_proven() {
    for provider in eencent_webhooks::providers::ALL {
        let name = provider.name();
        let path = format!("{}/../config/providers/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|_| unreachable!("{path}"));
        assert!(page.contains(&format!("provider = \"{name}\"")), "{name}");
        assert!(
            page.contains(&format!(
                "/webhooks/{}",
                if name == "standard_webhooks" { "" } else { name }
            )),
            "{name}"
        );
        let endpoint = crate::desk::endpoint(name);
        for (key, _) in provider.lacks(&endpoint) {
            assert!(page.contains(key), "{name}: {key}");
        }
    }
}

#[test]
fn check_says_up_front_where_every_payment_goes_to_review() {
    for provider in ["rabo", "rabo_v3", "gocardless"] {
        let endpoint = crate::desk::endpoint(provider);
        let advice = endpoint.provider().advice(&endpoint).concat();
        assert!(advice.contains("review"), "{provider}: {advice}");
    }
}

#[test]
fn fault_71_what_a_provider_cannot_do_without_is_told_by_key() {
    for (settings, key) in [
        (json!({"provider": "mollie_classic"}), "api_key"),
        (
            json!({"provider": "mollie_classic", "secrets": "x", "api_key": "k"}),
            "secrets",
        ),
        (json!({"provider": "worldline", "secrets": "x"}), "secrets"),
        (json!({"provider": "paynl", "secrets": "x"}), "secrets"),
        (
            json!({"provider": "ponto", "account": "a", "api_key": "k", "api_user": "u"}),
            "jwks_url",
        ),
        (
            json!({"provider": "ponto", "jwks_url": "http://example.nl/keys"}),
            "jwks_url",
        ),
        (json!({"provider": "rabo_v3", "jwks": "{}"}), "jwks"),
        (json!({"provider": "buckaroo", "secrets": "x"}), "url"),
        (
            json!({"provider": "buckaroo", "secrets": "x", "algorithm": "md5"}),
            "algorithm",
        ),
        (json!({"provider": "bunq"}), "secrets"),
        (json!({"provider": "bunq", "secrets": "no key"}), "secrets"),
        (json!({"provider": "tink", "secrets": "x"}), "api_key"),
        (
            json!({"provider": "gocardless", "secrets": "x", "api_key": ""}),
            "api_key",
        ),
        (json!({"provider": "rabo", "secrets": "geen base64!"}), "secrets"),
    ] {
        let problems = read(json!({ "x": settings })).unwrap_err();
        assert!(
            problems.iter().any(|it| it.starts_with(&format!("webhooks.x.{key} "))),
            "{problems:?}"
        );
    }
}
