//! What every target does with its bytes, for one provider.

use eencent_activations::clock::Timestamp;
use eencent_activations::reread::Answer;
use eencent_webhooks::Secret;
use eencent_webhooks::endpoint::{Endpoint, EndpointSettings};
use eencent_webhooks::examples::{Sender, signed_body};
use eencent_webhooks::providers::Request;
use http::{HeaderMap, HeaderValue};

const SECRET: &str = "00112233445566778899aabbccddeeff";
const PRIVATE: &str = include_str!("../../tests/fixtures/sender.private.pem");
const PUBLIC: &str = include_str!("../../tests/fixtures/sender.public.pem");
const PUBLISHED: &str = include_str!("../../tests/fixtures/sender.jwks.json");
const URL: &str = "https://example.nl/webhooks/buckaroo";

fn endpoint(provider: &str) -> Endpoint {
    let mut settings = EndpointSettings {
        provider: provider.to_owned(),
        account: Some("account".to_owned()),
        url: Some(URL.to_owned()),
        algorithm: Some("sha512".to_owned()),
        api_key: Some(Secret::from("key")),
        api_user: Some("user".to_owned()),
        ..EndpointSettings::default()
    };
    match provider {
        "mollie_classic" => {}
        "ponto" | "rabo_v3" => settings.jwks = Some(PUBLISHED.to_owned()),
        "bunq" | "worldline_ideal2" => settings.secrets = vec![Secret::from(PUBLIC)],
        "worldline" | "paynl" => settings.keys = [("sender_1".to_owned(), Secret::from(SECRET))].into(),
        _ => settings.secrets = vec![Secret::from(SECRET)],
    }
    Endpoint::from_settings(provider, &settings).expect("the settings are right")
}

/// Fault 18: whatever bytes a provider signs, the message says something and nothing panics; whatever a
/// stranger sends, nothing is believed; whatever its API answers, nothing panics.
pub fn fuzz(provider: &str, bytes: &[u8]) {
    let endpoint = endpoint(provider);
    let now = Timestamp::from_unix_seconds(1_763_630_140);
    let asymmetric = ["bunq", "ponto", "rabo_v3", "worldline_ideal2"].contains(&provider);
    let sender = Sender {
        secret: if asymmetric { PRIVATE } else { SECRET }.to_owned(),
        key_id: "sender_1".to_owned(),
        account: "account".to_owned(),
        url: URL.to_owned(),
    };
    let judge = |headers: &HeaderMap, body: &[u8]| {
        let request = Request { method: "POST", url: "/", headers, body };
        let _ = endpoint.provider().claimed_id(&request);
        let authentic = endpoint.provider().authenticate(&request, &endpoint, now);
        authentic.map(|authentic| endpoint.provider().translate(&authentic, &endpoint)).ok()
    };
    let strangers = judge(&HeaderMap::new(), bytes);
    assert!(strangers.is_none() || provider == "mollie_classic", "a stranger was believed");
    if let Some((signed, body)) = signed_body(provider, &sender, now, "msg_1", bytes.to_vec()) {
        let mut headers = HeaderMap::new();
        for (name, value) in signed {
            headers.insert(name, HeaderValue::try_from(value).expect("signatures are ASCII"));
        }
        if let Some(events) = judge(&headers, &body) {
            assert!(!events.is_empty());
        }
    }
    // What an API answers, and what a row asks: both out of somebody's hands.
    let answers: Vec<Answer> = bytes
        .split(|byte| *byte == 0)
        .take(5)
        .map(|part| Answer { status: 200, body: part.to_vec() })
        .collect();
    for subject in ["payment/a", "payment/a/b", "link/a", "intent/a", "transactions/a", "transactions/a/b/c", "statuses/a"] {
        let _ = endpoint.provider().read_back(&endpoint, subject, &answers);
    }
    let _ = endpoint.provider().read_back(&endpoint, &String::from_utf8_lossy(bytes), &[]);
}

/// A target: `target!("mollie");`
#[macro_export]
macro_rules! target {
    ($provider:literal) => {
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::fuzz($provider, bytes));
    };
}
