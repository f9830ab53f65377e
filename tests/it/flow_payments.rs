//! "Payments and time" and "Office hours", as the program shows them from outside.

use chrono::Timelike as _;
use serde_json::{Value, json};

use crate::clocks::set;
use crate::http::request;
use crate::main_job::{click, round_off_link, tick};
use crate::payments::{
    MOLLIE, NAME, activation, mollie_broken_off, mollie_paid, mollie_refunded, now, post_mollie, post_stripe, started,
    stripe_charge, text, wait_for_state,
};
use crate::server::{Installation, Server, wait_for};

fn standing(activation: &Value) -> &str {
    text(&activation["payments"][0], "standing")
}

fn posted(server: &Server, body: &Value) {
    let answer = post_mollie(server, body).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The activation once all that was posted has been processed, which `what` shows.
fn once(server: &Server, id: &str, what: impl Fn(&Value) -> bool) -> Value {
    wait_for("what was posted to be processed", || {
        Some(activation(server, id)).filter(|now| what(now))
    })
}

#[test]
fn payments_several_events_of_one_payment_make_one_picture_and_none_moves_it_back() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    posted(&server, &mollie_paid("event_1", "tr_1", reference, NAME));
    wait_for_state(&server, id, "awaiting_confirmation");
    posted(&server, &mollie_broken_off("event_2", "tr_1", reference, "expired"));
    posted(&server, &mollie_paid("event_3", "tr_1", reference, NAME));
    // One that comes last, of another payment, shows that those before it have been dealt with.
    posted(&server, &mollie_broken_off("event_4", "tr_2", reference, "canceled"));
    let now = once(&server, id, |now| now["payments"].as_array().unwrap().len() == 2);
    assert_eq!(
        (now["state"].as_str(), text(&now["payments"][0], "status")),
        (Some("awaiting_confirmation"), "paid")
    );
}

#[test]
fn payments_an_event_that_lacks_the_name_by_design_waits_for_its_companion() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    let intent = json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "livemode": true, "created": now().unix_seconds(),
        "data": { "object": { "id": "pi_1", "object": "payment_intent", "amount": 1, "amount_received": 1, "currency": "eur",
            "livemode": true, "payment_method_types": ["ideal"], "metadata": { "activation": reference } } }
    });
    assert_eq!(post_stripe(&server, &intent).unwrap().status, 200);
    let waiting = once(&server, id, |now| now["payments"].as_array().unwrap().len() == 1);
    assert_eq!(waiting["state"], "awaiting_payment", "{waiting}");
    assert_eq!(
        post_stripe(&server, &stripe_charge("evt_2", "pi_1", reference, NAME))
            .unwrap()
            .status,
        200
    );
    let now = wait_for_state(&server, id, "awaiting_confirmation");
    assert_eq!(now["payments"].as_array().unwrap().len(), 1, "{now}");
}

#[test]
fn payments_a_name_that_comes_while_only_it_was_lacking_is_decided_again() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    let mut nameless = mollie_paid("event_1", "tr_1", reference, NAME);
    nameless["_embedded"]["entity"]["details"] = json!({});
    posted(&server, &nameless);
    wait_for_state(&server, id, "under_review");
    posted(&server, &mollie_paid("event_2", "tr_1", reference, NAME));
    let now = wait_for_state(&server, id, "awaiting_confirmation");
    let moves: Vec<_> = now["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| text(line, "event"))
        .collect();
    assert!(moves.contains(&"name_arrived"), "{moves:?}");
}

#[test]
fn payments_one_for_an_activation_that_is_over_revives_nothing_and_waits_unallocated() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    let path = format!("/v1/activations/{id}/cancel");
    assert_eq!(
        server.api("POST", &path, &json!({ "reason": "by mistake" })).status,
        200
    );
    posted(&server, &mollie_paid("event_1", "tr_1", reference, NAME));
    let now = once(&server, id, |now| !now["payments"].as_array().unwrap().is_empty());
    assert_eq!(
        (now["state"].as_str(), standing(&now)),
        (Some("cancelled"), "unallocated")
    );
}

#[test]
fn payments_a_refund_before_activation_goes_to_review_and_voids_the_link_and_after_it_only_flags() {
    let home = Installation::new();
    let server = home.serve();
    let early = started(&server, 1, "ideal");
    posted(
        &server,
        &mollie_paid("event_1", "tr_1", text(&early, "reference"), NAME),
    );
    let link = round_off_link(&home, text(&early, "reference"));
    posted(&server, &mollie_refunded("event_2", "tr_1"));
    let now = wait_for_state(&server, text(&early, "id"), "under_review");
    assert_eq!(now["reasons"][0]["code"], "payment_reversed", "{now}");
    let page = request(&server.public, "POST", &link, &[], b"").unwrap();
    assert_eq!(page.status, 410);
    assert!(!tick(&server, &early));

    let late = started(&server, 2, "ideal");
    posted(&server, &mollie_paid("event_3", "tr_2", text(&late, "reference"), NAME));
    click(&server, &round_off_link(&home, text(&late, "reference")));
    posted(&server, &mollie_refunded("event_4", "tr_2"));
    let now = once(&server, text(&late, "id"), |now| {
        !now["flags"].as_array().unwrap().is_empty()
    });
    assert_eq!(now["state"], "activated");
    assert!(tick(&server, &late));
}

#[test]
fn payments_test_money_at_a_live_endpoint_is_recorded_and_activates_nobody() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let mut test = mollie_paid("event_1", "tr_1", text(&wanted, "reference"), NAME);
    test["_embedded"]["entity"]["mode"] = "test".into();
    posted(&server, &test);
    let now = once(&server, text(&wanted, "id"), |now| {
        !now["payments"].as_array().unwrap().is_empty()
    });
    assert_eq!(
        (now["state"].as_str(), standing(&now)),
        (Some("awaiting_payment"), "other_mode")
    );
}

/// How far off a clock has to be to say that it is two past five in the afternoon, in Amsterdam, today.
fn until_two_past_five() -> i32 {
    let there = chrono::DateTime::from_timestamp_micros(now().micros())
        .unwrap()
        .with_timezone(&chrono_tz::Europe::Amsterdam);
    let second = i32::try_from(there.num_seconds_from_midnight()).unwrap();
    (17 * 60 + 2) * 60 - second
}

#[test]
fn office_hours_paid_at_1659_and_handled_at_1702_takes_effect_at_once_and_paid_at_1700_waits() {
    let home = Installation::new()
        .with("OFFICE__HOURS", "Mo-Su 09:00-17:00")
        .with("PUBLIC__URL", "https://activate.example.nl");
    let offset = home.path().join("clock");
    let off = until_two_past_five();
    set(&offset, off);
    let mut server = home.launch_by(&offset, "serve");
    server.wait_until_ready();
    let paid_at = |event: &str, wanted: &Value, before: i64| {
        let mut body = mollie_paid(event, &format!("tr_{event}"), text(wanted, "reference"), NAME);
        let micros = now().micros() + (i64::from(off) - before) * 1_000_000;
        let at = chrono::DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339();
        body["_embedded"]["entity"]["paidAt"] = at.into();
        let bytes = body.to_string().into_bytes();
        let signed = eencent_webhooks::signing::mollie(MOLLIE, &bytes);
        assert_eq!(
            crate::payments::post(&server, "mollie", &signed, &bytes)
                .unwrap()
                .status,
            200
        );
    };
    // Two minutes and a half ago it was half past 16:59; half a minute ago the office was closed.
    let (within, after) = (started(&server, 1, "ideal"), started(&server, 2, "ideal"));
    paid_at("event_1", &within, 150);
    paid_at("event_2", &after, 30);
    wait_for_state(&server, text(&within, "id"), "awaiting_confirmation");
    let waits = wait_for_state(&server, text(&after, "id"), "scheduled");
    assert!(text(&waits, "due_at").ends_with(":00:00Z"), "{waits}");
    // The next morning.
    set(&offset, off + 16 * 60 * 60);
    wait_for_state(&server, text(&after, "id"), "awaiting_confirmation");
}

#[test]
fn office_hours_that_never_open_are_refused_at_start() {
    for never in ["off", "2020 Jan 01-2020 Jan 31 09:00-17:00", "Mo-Fr 25:00"] {
        let home = Installation::new().with("OFFICE__HOURS", never);
        let ran = home.run(&["serve"]);
        assert!(!ran.status.success(), "{never}");
        assert!(ran.stderr.contains("office"), "{never}: {}", ran.stderr);
    }
}
