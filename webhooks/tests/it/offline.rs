//! A recorded request, as `eencent webhook verify` answers.

use eencent_webhooks::verify::{Question, Verification, read_headers, verify_offline};
use serde_json::{Value, json};

use crate::desk::{fixture, headers, now, settings, signed};

fn ask(provider: &str, headers: &http::HeaderMap, body: &[u8]) -> Verification {
    verify_offline(&Question {
        endpoint: &settings(provider),
        method: "POST",
        url: "",
        headers,
        body,
        now: now(),
    })
    .unwrap()
}

#[test]
fn an_authentic_message_is_told_in_the_words_of_the_api() {
    let (headers, body) = signed(
        "mollie",
        fixture("payloads/mollie/event_payment.paid.ideal.json").as_bytes(),
    );
    let answer: Value = serde_json::to_value(ask("mollie", &headers, &body)).unwrap();
    assert_eq!(
        answer,
        json!({
            "authentic": true,
            "reason": "Mollie's signature over the whole body (HMAC-SHA-256), secret 1 of 1",
            "notifications": [{
                "event_id": "event_GvJ8WHrp5isUdRub9CJyH",
                "kind": "payment",
                "payment_id": "tr_7UhSN1zuXS3eWmQk8JJHJ",
                "status": "paid",
                "amount": {"value": "0.01", "currency": "EUR"},
                "holder_name": "Bakkerij De Korenaar B.V.",
                "iban_masked": "NL** **** **** **43 00",
                "reference": "act_01JD5W9A4H8S6P0D2E7XGK5NQM",
                "reference_kind": "exact",
                "paid_at": "2026-11-20T09:15:31Z",
                "proof": "whole_message",
                "mode": "live",
                "name_comes_separately": false,
            }],
        })
    );
}

#[test]
fn a_forgery_says_its_code_and_nothing_else() {
    let forged = headers([("x-mollie-signature", "00")]);
    let answer = ask("mollie", &forged, b"{}");
    assert!(!answer.authentic && answer.notifications.is_empty());
    assert!(answer.reason.starts_with("malformed_signature: "), "{}", answer.reason);
}

#[test]
fn what_is_set_apart_says_why() {
    let (headers, body) = signed(
        "stripe",
        br#"{"id":"evt_1","type":"invoice.paid","object":"event","data":{"object":{}}}"#,
    );
    let answer = serde_json::to_value(ask("stripe", &headers, &body)).unwrap();
    assert_eq!(
        answer["notifications"],
        json!([{"event_id": "evt_1", "kind": "ignored", "why": "invoice.paid: not about a payment to us"}])
    );
}

#[test]
fn a_wrong_question_is_an_error_that_names_the_key() {
    let mut wrong = settings("adyen");
    wrong.provider = "paypal".to_owned();
    let headers = http::HeaderMap::new();
    let question = Question {
        endpoint: &wrong,
        method: "POST",
        url: "",
        headers: &headers,
        body: b"",
        now: now(),
    };
    assert!(
        verify_offline(&question)
            .unwrap_err()
            .contains("webhooks.offline.provider")
    );
}

#[test]
fn headers_are_read_one_a_line() {
    let read = read_headers("# signed\nX-A: 1\r\n\r\nx-a:2:3\n").unwrap();
    let values: Vec<&str> = read
        .get_all("x-a")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(values, ["1", "2:3"]);
    assert!(read_headers("X-A: 1\nnonsense").unwrap_err().contains("line 2"));
}
