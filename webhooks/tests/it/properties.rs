//! What holds for any bytes at all.

use std::time::Instant;

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::Told;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use crate::desk::{endpoint, fixture, headers, now, read, signed};

const PROVIDERS: [&str; 4] = ["mollie", "stripe", "adyen", "standard_webhooks"];

const SIGNATURE_HEADERS: [&str; 9] = [
    "x-mollie-signature",
    "stripe-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "authorization",
];

fn genuine(provider: &str) -> String {
    fixture(match provider {
        "mollie" => "payloads/mollie/event_payment.paid.ideal.json",
        "stripe" => "payloads/stripe/charge.succeeded.ideal.json",
        "adyen" => "payloads/adyen/authorisation.ideal.success.json",
        _ => "payloads/standard_webhooks/bank_transfer.received.json",
    })
}

fn any_provider() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&PROVIDERS[..])
}

fn any_header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let values = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "(t|v1|v0|v1a|sha256)?[=, ]?[-+0-9a-fA-F.=, ]{0,80}".prop_map(String::into_bytes),
        "t=-?[0-9]{0,30},v1=[0-9a-f]{64}".prop_map(String::into_bytes),
        "(v1|v1a),[A-Za-z0-9+/]{43}=".prop_map(String::into_bytes),
    ];
    (prop::sample::select(&SIGNATURE_HEADERS[..]), values)
}

proptest! {
    #[test]
    fn fault_03_a_body_changed_by_one_byte_is_refused(
        provider in prop::sample::select(&["mollie", "stripe", "standard_webhooks"][..]),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let (headers, mut body) = signed(provider, genuine(provider).as_bytes());
        prop_assert!(read(&endpoint(provider), &headers, &body, now()).is_ok());
        let at = at.index(body.len());
        body[at] ^= flip;
        prop_assert_eq!(read(&endpoint(provider), &headers, &body, now()).unwrap_err().code().as_str(), "signature_mismatch");
    }

    #[test]
    fn fault_03_no_signed_field_of_adyens_can_be_changed(field in 0_usize..8, to in "[A-Za-z0-9]{1,12}") {
        let (headers, body) = signed("adyen", genuine("adyen").as_bytes());
        let mut changed: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let item = &mut changed["notificationItems"][0]["NotificationRequestItem"];
        let said = match field {
            0 => &mut item["pspReference"],
            1 => &mut item["originalReference"],
            2 => &mut item["merchantAccountCode"],
            3 => &mut item["merchantReference"],
            4 => &mut item["amount"]["value"],
            5 => &mut item["amount"]["currency"],
            6 => &mut item["eventCode"],
            _ => &mut item["success"],
        };
        // A number is signed as its digits, so the same digits as text say the same.
        let before = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        prop_assume!(before != to);
        *said = to.into();
        prop_assert!(read(&endpoint("adyen"), &headers, changed.to_string().as_bytes(), now()).is_err());
    }

    #[test]
    fn fault_06_no_header_makes_it_panic_or_believe(
        provider in any_provider(),
        list in prop::collection::vec(any_header(), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..300),
        at: i64,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        prop_assert!(read(&endpoint(provider), &headers, &body, Timestamp::from_micros(at)).is_err());
        prop_assert!(read(&endpoint(provider), &headers, genuine(provider).as_bytes(), now()).is_err());
    }

    #[test]
    fn fault_18_any_signed_bytes_say_something(
        provider in prop::sample::select(&["mollie", "stripe", "standard_webhooks"][..]),
        body in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let (headers, body) = signed(provider, &body);
        let (_, events) = read(&endpoint(provider), &headers, &body, now()).unwrap();
        prop_assert!(matches!(&events[0].told, Told::Quarantined(_)));
    }

    #[test]
    fn fault_18_a_genuine_message_bent_before_it_is_signed_says_something(
        provider in any_provider(),
        bends in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&[
            "null", "\"\"", "0", "-1", "1e308", "[]", "{}", "true", "\"\\u0000\"", "\"2026-99-99T00:00:00Z\"", "18446744073709551616",
        ][..])), 1..4),
    ) {
        let mut body: serde_json::Value = serde_json::from_str(&genuine(provider)).unwrap();
        for (at, to) in bends {
            let mut places = Vec::new();
            leaves(&body, String::new(), &mut places);
            if places.is_empty() {
                break;
            }
            *body.pointer_mut(&places[at.index(places.len())]).unwrap() = serde_json::from_str(to).unwrap();
        }
        let (headers, body) = signed(provider, body.to_string().as_bytes());
        match read(&endpoint(provider), &headers, &body, now()) {
            Ok((_, events)) => prop_assert!(!events.is_empty()),
            Err(_) => prop_assert_eq!(provider, "adyen", "only a signature inside the body can be bent"),
        }
    }
}

fn leaves(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, inner) in object {
                leaves(inner, format!("{at}/{name}"), found);
            }
        }
        serde_json::Value::Array(list) => {
            for (number, inner) in list.iter().enumerate() {
                leaves(inner, format!("{at}/{number}"), found);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        found.push(at);
    }
}

#[test]
fn fault_02_a_signature_of_one_provider_opens_no_other() {
    for from in PROVIDERS {
        let (headers, body) = signed(from, genuine(from).as_bytes());
        for to in PROVIDERS {
            assert_eq!(
                read(&endpoint(to), &headers, &body, now()).is_ok(),
                from == to,
                "{from} at {to}"
            );
        }
    }
}

#[test]
fn fault_04_one_of_several_signatures_is_enough() {
    for (provider, other) in [
        ("mollie", "sha256=".to_owned() + &"0".repeat(64)),
        ("stripe", String::new()),
        ("standard_webhooks", String::new()),
    ] {
        let body = genuine(provider);
        let (mut signed_headers, body) = signed(provider, body.as_bytes());
        match provider {
            "mollie" => {
                signed_headers.append("x-mollie-signature", other.parse().unwrap());
            }
            "stripe" => {
                let value = signed_headers["stripe-signature"]
                    .to_str()
                    .unwrap()
                    .replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)));
                signed_headers.insert("stripe-signature", value.parse().unwrap());
            }
            _ => {
                let value = format!(
                    "v1,{}= {}",
                    "A".repeat(43),
                    signed_headers["webhook-signature"].to_str().unwrap()
                );
                signed_headers.insert("webhook-signature", value.parse().unwrap());
            }
        }
        assert!(
            read(&endpoint(provider), &signed_headers, &body, now()).is_ok(),
            "{provider}"
        );
    }
}

#[test]
fn fault_04_ten_thousand_signatures_are_refused_in_bounded_time() {
    let code = "0".repeat(64);
    let mollie: Vec<_> = (0..10_000).map(|_| ("x-mollie-signature", code.as_str())).collect();
    let stripe = "t=1,".to_owned() + &"v1=00,".repeat(10_000);
    let standard = "v1,AAAA ".repeat(10_000);
    let few = "v1,AAAA ".repeat(17);
    let cases = [
        ("mollie", headers(mollie)),
        ("stripe", headers([("stripe-signature", stripe.as_str())])),
        (
            "standard_webhooks",
            headers([
                ("webhook-id", "a"),
                ("webhook-timestamp", "1"),
                ("webhook-signature", standard.as_str()),
            ]),
        ),
        (
            "standard_webhooks",
            headers([
                ("webhook-id", "a"),
                ("webhook-timestamp", "1"),
                ("webhook-signature", few.as_str()),
            ]),
        ),
    ];
    let body = vec![b'x'; 64 * 1024];
    let begun = Instant::now();
    for (provider, headers) in &cases {
        let refused = read(&endpoint(provider), headers, &body, now()).unwrap_err();
        assert_eq!(refused.code().as_str(), "too_many_signatures", "{provider}");
    }
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
}
