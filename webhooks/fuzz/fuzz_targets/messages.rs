//! Fault 18: whatever bytes a provider signs, a message says something and nothing panics; and
//! whatever a stranger sends, nothing is believed.
#![no_main]

use std::sync::LazyLock;

use eencent_activations::clock::Timestamp;
use eencent_webhooks::endpoint::{Endpoint, EndpointSettings};
use eencent_webhooks::providers::Request;
use eencent_webhooks::{Secret, signing};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "00112233445566778899aabbccddeeff";

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    ["mollie", "stripe", "adyen", "standard_webhooks"]
        .map(|provider| {
            let settings = EndpointSettings {
                provider: provider.to_owned(),
                secrets: vec![Secret::from(SECRET)],
                ..EndpointSettings::default()
            };
            Endpoint::from_settings(provider, &settings).expect("the settings are right")
        })
        .into()
});

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_unix_seconds(1_763_630_140);
    for endpoint in ENDPOINTS.iter() {
        let mut body = body.to_vec();
        let signed = match endpoint.name() {
            "mollie" => signing::mollie(SECRET, &body),
            "stripe" => signing::stripe(SECRET, now, &body),
            "adyen" => {
                let Ok(mut notification) = serde_json::from_slice(&body) else { continue };
                signing::adyen(SECRET, &mut notification);
                body = notification.to_string().into_bytes();
                Vec::new()
            }
            _ => signing::standard_webhooks(SECRET, "msg_1", now, &body),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in signed {
            headers.insert(name, HeaderValue::try_from(value).expect("signatures are ASCII"));
        }
        let request = Request { method: "POST", url: "/", headers: &headers, body: &body };
        let provider = endpoint.provider();
        let _ = provider.claimed_id(&request);
        match provider.authenticate(&request, endpoint, now) {
            Ok(authentic) => assert!(!provider.translate(&authentic, endpoint).is_empty()),
            Err(_) => assert_eq!(endpoint.name(), "adyen", "only a signature inside the body can be bent"),
        }
        if endpoint.name() != "adyen" {
            let bare = HeaderMap::new();
            let request = Request { method: "POST", url: "/", headers: &bare, body: &body };
            assert!(provider.authenticate(&request, endpoint, now).is_err());
        }
    }
});
