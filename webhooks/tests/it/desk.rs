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

/// What Buckaroo knows the endpoint by.
const PUSHED_TO: &str = "https://hooks.example.nl/webhooks/buckaroo";

pub(crate) fn settings(provider: &str) -> EndpointSettings {
    let mut settings = EndpointSettings {
        provider: provider.to_owned(),
        ..EndpointSettings::default()
    };
    let reads = |settings: &mut EndpointSettings| {
        settings.api_key = Some(Secret::from("test_key"));
        settings.api_user = Some("12345".to_owned());
    };
    match provider {
        "mollie" => {
            settings.secrets = vec![Secret::from(MOLLIE)];
            reads(&mut settings);
        }
        "mollie_classic" => reads(&mut settings),
        "adyen" | "adyen_platform" => settings.secrets = vec![Secret::from(ADYEN)],
        "bunq" | "worldline_ideal2" => settings.secrets = vec![Secret::from(fixture("sender.public.pem"))],
        "rabo" => settings.secrets = vec![Secret::from("c2VjcmV0")],
        "rabo_v3" => settings.jwks = Some(fixture("sender.jwks.json")),
        "ponto" => {
            settings.jwks = Some(fixture("sender.jwks.json"));
            settings.account = Some("app_1".to_owned());
            reads(&mut settings);
        }
        "worldline" | "paynl" => {
            settings.keys = [("key_1".to_owned(), Secret::from(STRIPE))].into();
        }
        "buckaroo" => {
            settings.secrets = vec![Secret::from(STRIPE)];
            settings.account = Some("IBjihN7Fhp".to_owned());
            settings.url = Some(PUSHED_TO.to_owned());
            settings.algorithm = Some("sha256".to_owned());
        }
        "stripe" | "tink" | "gocardless" => {
            settings.secrets = vec![Secret::from(STRIPE)];
            reads(&mut settings);
        }
        "qonto" | "multisafepay" => settings.secrets = vec![Secret::from(STRIPE)],
        _ => settings.secrets = vec![Secret::from(STANDARD)],
    }
    settings
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
    let private = fixture("sender.private.pem");
    let changed = |sign: &dyn Fn(&mut serde_json::Value)| {
        let mut document = serde_json::from_slice(body).unwrap();
        sign(&mut document);
        (HeaderMap::new(), serde_json::to_vec(&document).unwrap())
    };
    let list = match provider {
        "mollie" => signing::mollie(MOLLIE, body),
        "mollie_classic" => Vec::new(),
        "stripe" => signing::stripe(STRIPE, now(), body),
        "adyen" => return changed(&|notification| signing::adyen(ADYEN, notification)),
        "rabo" => return changed(&|notification| signing::rabo("c2VjcmV0", notification)),
        "adyen_platform" => signing::adyen_platform(ADYEN, body),
        "multisafepay" => signing::multisafepay(STRIPE, now(), body),
        "tink" => signing::timed("x-tink-signature", STRIPE, now(), body),
        "qonto" => signing::timed("x-qonto-signature", STRIPE, now(), body),
        "gocardless" => signing::gocardless(STRIPE, body),
        "paynl" => signing::paynl("key_1", STRIPE, body),
        "worldline" => signing::worldline("key_1", STRIPE, body),
        "bunq" => signing::bunq(&private, body),
        "worldline_ideal2" => signing::worldline_ideal2(&private, "ab12", now(), body),
        "ponto" => signing::ponto(&private, "sender_1", "app_1", "https://api.ibanity.com", now(), body),
        "rabo_v3" => signing::rabo_v3(&private, "sender_1", body),
        "buckaroo" if body.starts_with(b"brq_") => {
            let form = signing::buckaroo_form("sha256", STRIPE, std::str::from_utf8(body).unwrap());
            return (HeaderMap::new(), form.into_bytes());
        }
        "buckaroo" => signing::buckaroo("IBjihN7Fhp", STRIPE, PUSHED_TO, now(), body),
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
        url: "/webhooks/x",
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
