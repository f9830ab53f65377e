//! Each provider's API by a stand-in over real HTTP: what its message left out is read, and decides or not.

use eencent_activations::clock::Timestamp;
use eencent_webhooks::signing::{self, Headers};
use serde_json::{Value, json};

use crate::payments::{NAME, now, post, started, text, wait_for_state};
use crate::server::{Installation, Server};
use crate::stand_in::{Reply, StandIn};

const SECRET: &str = "a secret of the tests";
const RABO: &str = "c2VjcmV0";
const IBAN: &str = "NL91ABNA0417164300";

fn serve(api: &StandIn, provider: &str, secret: Option<&str>) -> (Installation, Server) {
    let mut home = Installation::new()
        .with("WEBHOOKS__X__PROVIDER", provider)
        .with("WEBHOOKS__X__API_URL", &api.url)
        .with("WEBHOOKS__X__API_KEY", "the-key")
        .with("WEBHOOKS__X__API_USER", "the-user");
    if let Some(secret) = secret {
        home = home.with("WEBHOOKS__X__SECRETS", secret);
    }
    let server = home.serve();
    (home, server)
}

fn tell(server: &Server, headers: &Headers, body: &Value) {
    let answer = post(server, "x", headers, body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn at() -> Timestamp {
    now()
}

#[test]
fn stripes_charge_is_read_when_only_the_intent_is_told() {
    let api = StandIn::start();
    let (_home, server) = serve(&api, "stripe", Some(SECRET));
    let wanted = started(&server, 35_000_001, "ideal");
    let charge = json!({ "id": "py_1", "object": "charge", "status": "succeeded", "paid": true, "amount": 1, "currency": "eur",
        "payment_intent": "pi_1", "created": at().unix_seconds(), "metadata": { "reference": wanted["reference"] },
        "payment_method_details": { "type": "ideal", "ideal": { "verified_name": NAME, "iban_last4": "4300" } } });
    api.answers(
        "GET /v1/payment_intents/pi_1?expand%5B%5D=latest_charge",
        &[Reply::Json(
            200,
            json!({ "id": "pi_1", "object": "payment_intent", "livemode": true, "latest_charge": charge }),
        )],
    );
    let event = json!({ "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "livemode": true, "created": at().unix_seconds(),
        "data": { "object": { "id": "pi_1", "object": "payment_intent", "amount": 1, "amount_received": 1, "currency": "eur",
            "payment_method_types": ["ideal"], "metadata": { "reference": wanted["reference"] } } } });
    tell(
        &server,
        &signing::stripe(SECRET, at(), event.to_string().as_bytes()),
        &event,
    );
    wait_for_state(&server, text(&wanted, "id"), "awaiting_confirmation");
}

#[test]
fn bunqs_unsigned_callback_is_only_a_reason_to_read() {
    let api = StandIn::start();
    let (_home, server) = serve(&api, "bunq", None);
    let wanted = started(&server, 35_000_002, "invoice");
    let payment = |name: &str, amount: &str| {
        json!({ "id": 7, "monetary_account_id": 9, "created": "2026-11-20 08:02:11.95", "type": "EBA_SCT",
            "amount": { "currency": "EUR", "value": amount }, "description": wanted["reference"],
            "counterparty_alias": { "iban": IBAN, "display_name": name } })
    };
    let answer = json!({ "Response": [{ "Payment": payment(NAME, "18.15") }] });
    api.answers(
        "GET /v1/user/the-user/monetary-account/9/payment/7",
        &[Reply::Json(200, answer)],
    );
    // What the callback itself says of name and amount is nobody's word.
    let callback = json!({ "NotificationUrl": { "category": "MUTATION", "event_type": "MUTATION_RECEIVED",
        "object": { "Payment": payment("Iemand Anders", "0.01") } } });
    tell(&server, &Headers::new(), &callback);
    let done = wait_for_state(&server, text(&wanted, "id"), "activated");
    assert_eq!(done["payments"][0]["holder_name"], NAME);
}

#[test]
fn tinks_transactions_are_read_for_the_user_that_the_message_names() {
    let api = StandIn::start();
    let (_home, server) = serve(&api, "tink", Some(SECRET));
    let wanted = started(&server, 35_000_003, "invoice");
    api.answers(
        "POST /api/v1/oauth/token",
        &[
            Reply::Json(200, json!({ "access_token": "client-token" })),
            Reply::Json(200, json!({ "access_token": "user-token" })),
        ],
    );
    api.answers(
        "POST /api/v1/oauth/authorization-grant",
        &[Reply::Json(200, json!({ "code": "c0de" }))],
    );
    let listed = json!({ "transactions": [{ "id": "t1", "status": "BOOKED", "dates": { "booked": "2026-11-20" },
        "amount": { "value": { "unscaledValue": "1815", "scale": "2" }, "currencyCode": "EUR" },
        "counterparties": { "payer": { "name": NAME, "identifiers": { "financialInstitution": { "accountNumber": IBAN } } } },
        "descriptions": { "original": format!("betreft {}", text(&wanted, "reference")) } }], "nextPageToken": "" });
    api.answers(
        "GET /data/v2/transactions?accountIdIn=acc1&bookedDateGte=2026-11-20&pageSize=100",
        &[Reply::Json(200, listed)],
    );
    let message = json!({ "event": "account-transactions:modified", "context": { "userId": "user1" },
        "content": { "account": { "id": "acc1" }, "transactions": { "earliestModifiedBookedDate": "2026-11-20" } } });
    let signed = signing::timed("x-tink-signature", SECRET, at(), message.to_string().as_bytes());
    tell(&server, &signed, &message);
    wait_for_state(&server, text(&wanted, "id"), "activated");
    let list = api.asked().pop().unwrap();
    assert!(list.head.contains("authorization: Bearer user-token"), "{list:?}");
}

#[test]
fn rabos_statuses_are_read_until_there_are_no_more_and_a_person_decides() {
    let api = StandIn::start();
    let (_home, server) = serve(&api, "rabo", Some(RABO));
    let wanted = started(&server, 35_000_004, "ideal");
    let page = |order: &str, reference: &str, more: bool| {
        let mut statuses = json!({ "moreOrderResultsAvailable": more, "orderResults": [{ "poiId": 1000,
            "merchantOrderId": reference, "omnikassaOrderId": order, "orderStatus": "COMPLETED",
            "orderStatusDateTime": "2026-11-20T10:15:31.304+01:00", "errorCode": "NONE",
            "paidAmount": { "currency": "EUR", "amount": 1 }, "totalAmount": { "currency": "EUR", "amount": 1 } }] });
        signing::rabo_statuses(RABO, &mut statuses);
        statuses
    };
    let mut forged = page("o2", text(&wanted, "reference"), false);
    forged["orderResults"][0]["orderStatus"] = "CANCELLED".into();
    let question = "GET /order/server/api/v2/events/results/merchant.order.status.changed";
    api.answers(
        question,
        &[
            Reply::Json(200, page("o1", "another", true)),
            Reply::Json(200, page("o2", text(&wanted, "reference"), false)),
            Reply::Json(200, forged),
        ],
    );
    let mut message = json!({ "authentication": "tok.en", "expiry": "2026-11-20T11:15:31+01:00",
        "eventName": "merchant.order.status.changed", "poiId": 1000 });
    signing::rabo(RABO, &mut message);
    tell(&server, &Headers::new(), &message);
    let state = wait_for_state(&server, text(&wanted, "id"), "under_review");
    assert_eq!(state["payments"][0]["holder_name"], Value::Null);
    assert_eq!(api.asked().len(), 2, "two pages");
    let bearer = api
        .asked()
        .iter()
        .all(|it| it.head.contains("authorization: Bearer tok.en"));
    assert!(bearer, "with the notification's own token");
}

#[test]
fn gocardless_tells_a_name_that_no_bank_vouches_for() {
    let api = StandIn::start();
    let (_home, server) = serve(&api, "gocardless", Some(SECRET));
    let wanted = started(&server, 35_000_005, "invoice");
    let payment = json!({ "payments": { "id": "PM1", "status": "confirmed", "amount": 1815, "currency": "EUR",
        "metadata": { "reference": wanted["reference"] }, "links": { "mandate": "MD1" } } });
    api.answers(
        "GET /payments/PM1",
        &[Reply::Json(429, json!({})), Reply::Json(200, payment)],
    );
    let mandate = json!({ "mandates": { "id": "MD1", "links": { "customer_bank_account": "BA1" } } });
    api.answers("GET /mandates/MD1", &[Reply::Json(200, mandate)]);
    let account = json!({ "customer_bank_accounts": { "id": "BA1", "account_holder_name": NAME, "account_number_ending": "00" } });
    api.answers("GET /customer_bank_accounts/BA1", &[Reply::Json(200, account)]);
    let message = json!({ "events": [{ "id": "EV1", "created_at": at(), "resource_type": "payments", "action": "confirmed",
        "links": { "payment": "PM1" } }] });
    tell(
        &server,
        &signing::gocardless(SECRET, message.to_string().as_bytes()),
        &message,
    );
    let state = wait_for_state(&server, text(&wanted, "id"), "under_review");
    assert_eq!(state["payments"][0]["holder_name"], NAME, "a person sees it");
}
