//! What the tests share: endpoints, requests, and reading what comes of them.

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentNotification, Proof, Told};
use eencent_webhooks::endpoint::{Endpoint, EndpointSettings};
use eencent_webhooks::providers::Request;
use eencent_webhooks::refused::Refused;
use eencent_webhooks::{Secret, signing};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const MOLLIE: &str = "VpQ3WukU6uSCGQ8TPTD3WPDpac3GyNEj";
pub(crate) const STRIPE: &str = "whsec_8k2JfQz5LwYt0vR3nXcB7mHsD1aGpE6u";
pub(crate) const ADYEN: &str = "11223344D785FBAE710E7F943F307971BB61B21281C98C9129B3D4018A57B2EB";
pub(crate) const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T09:00:00Z").unwrap()
}

pub(crate) fn settings(provider: &str) -> EndpointSettings {
    let secret = match provider {
        "mollie" => MOLLIE,
        "stripe" => STRIPE,
        "adyen" => ADYEN,
        _ => STANDARD,
    };
    EndpointSettings {
        provider: provider.to_owned(),
        secrets: vec![Secret::from(secret)],
        ..EndpointSettings::default()
    }
}

pub(crate) fn endpoint(provider: &str) -> Endpoint {
    Endpoint::from_settings(provider, &settings(provider)).unwrap()
}

pub(crate) fn headers<'h>(list: impl IntoIterator<Item = (&'h str, &'h str)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

/// Headers and body as the provider would send them.
pub(crate) fn signed(provider: &str, body: &[u8]) -> (HeaderMap, Vec<u8>) {
    let list = match provider {
        "mollie" => signing::mollie(MOLLIE, body),
        "stripe" => signing::stripe(STRIPE, now(), body),
        "adyen" => {
            let mut notification = serde_json::from_slice(body).unwrap();
            signing::adyen(ADYEN, &mut notification);
            return (HeaderMap::new(), serde_json::to_vec(&notification).unwrap());
        }
        _ => signing::standard_webhooks(STANDARD, "msg_1", now(), body),
    };
    let headers = headers(list.iter().map(|(name, value)| (*name, value.as_str())));
    (headers, body.to_vec())
}

/// Verifies and, if authentic, translates.
pub(crate) fn read(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: &[u8],
    at: Timestamp,
) -> Result<(Proof, Vec<Event>), Refused> {
    let request = Request {
        method: "POST",
        url: "https://hooks.example.nl/webhooks/x",
        headers,
        body,
    };
    let authentic = endpoint.provider().authenticate(&request, endpoint, at)?;
    Ok((authentic.proof(), endpoint.provider().translate(&authentic, endpoint)))
}

/// What a body says that the provider signed.
pub(crate) fn told(provider: &str, body: &[u8]) -> Vec<Event> {
    let (headers, body) = signed(provider, body);
    read(&endpoint(provider), &headers, &body, now()).unwrap().1
}

/// The one payment that a body tells of.
pub(crate) fn payment(provider: &str, body: &str) -> PaymentNotification {
    let mut events = told(provider, body.as_bytes());
    assert_eq!(events.len(), 1);
    match events.remove(0).told {
        Told::Payment(payment) => *payment,
        other => unreachable!("{other:?}"),
    }
}

pub(crate) fn fixture(path: &str) -> String {
    let path = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap()
}
