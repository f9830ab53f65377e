//! Payments that are read from the provider's API, because a message left them out or proved nothing.

use serde_json::{Value, json};

use crate::payments::{self, NAME, activation, post, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};
use crate::stand_in::{Reply, StandIn};

fn installation(api: &StandIn) -> Installation {
    Installation::new()
        .with("WEBHOOKS__CLASSIC__PROVIDER", "mollie_classic")
        .with("WEBHOOKS__CLASSIC__API_KEY", "live_classic")
        .with("WEBHOOKS__CLASSIC__API_URL", &api.url)
        .with("WEBHOOKS__MOLLIE__API_KEY", "live_next")
        .with("WEBHOOKS__MOLLIE__API_URL", &api.url)
}

fn paid(id: &str, reference: &str) -> Value {
    payments::mollie_paid("event_1", id, reference, NAME)["_embedded"]["entity"].clone()
}

fn ping(server: &Server, id: &str) {
    let answer = post(server, "classic", &[], format!("id={id}").as_bytes()).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

/// What the program says of something to be read, once it has given it up.
fn waiting_to_be_read(server: &Server) -> i64 {
    let metrics = crate::http::request(&server.operations, "GET", "/metrics", &[], b"").unwrap();
    let line = metrics
        .body
        .lines()
        .find(|line| line.starts_with("eencent_waiting") && line.contains("\"reread\""));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(-1)
}

#[test]
fn a_classic_ping_activates_by_what_mollies_api_says() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 31_000_001, "ideal");
    let payment = Reply::Json(200, paid("tr_classic1", text(&wanted, "reference")));
    api.answers("GET /v2/payments/tr_classic1", &[payment]);
    ping(&server, "tr_classic1");
    let now = wait_for_state(&server, text(&wanted, "id"), "awaiting_confirmation");
    assert_eq!(now["payments"][0]["holder_name"], NAME);
    let asked = api.asked();
    assert!(
        asked
            .iter()
            .all(|it| it.head.contains("authorization: Bearer live_classic")),
        "{asked:?}"
    );
}

#[test]
fn a_ping_that_says_nothing_true_changes_nothing() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 31_000_002, "ideal");
    // An id that Mollie's API doesn't know, one of another payment, and one that isn't an id.
    let other = Reply::Json(200, paid("tr_other", text(&wanted, "reference")));
    api.answers("GET /v2/payments/tr_wrong", &[other]);
    ping(&server, "tr_unknown");
    ping(&server, "tr_wrong");
    for bad in ["id=../v2/refunds", "id=", "id=tr_1&id=tr_2", "{}"] {
        assert_eq!(
            post(&server, "classic", &[], bad.as_bytes()).unwrap().status,
            401,
            "{bad}"
        );
    }
    wait_for("both to be looked up", || (api.asked().len() == 2).then_some(()));
    wait_for("neither to wait", || (waiting_to_be_read(&server) == 0).then_some(()));
    let told = home.run(&["explain", "ping:tr_unknown"]);
    assert!(told.stdout.contains("knows nothing of it (404)"), "{told:?}");
    assert_eq!(activation(&server, text(&wanted, "id"))["state"], "awaiting_payment");
}

#[test]
fn fault_15_a_provider_that_is_away_or_misbehaves_is_asked_again() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let elsewhere = StandIn::start();
    let mut waiting = Vec::new();
    for (bad, kvk) in [
        Reply::Json(503, json!({})),
        Reply::Json(401, json!({})),
        Reply::HangsUp,
        Reply::Silence,
        Reply::Redirect(elsewhere.url.clone()),
        Reply::Giant,
    ]
    .into_iter()
    .zip(31_000_010..)
    {
        let wanted = started(&server, kvk, "ideal");
        let id = format!("tr_late{kvk}");
        let good = Reply::Json(200, paid(&id, text(&wanted, "reference")));
        api.answers(&format!("GET /v2/payments/{id}"), &[bad, good]);
        ping(&server, &id);
        waiting.push(wanted);
    }
    for wanted in &waiting {
        wait_for_state(&server, text(wanted, "id"), "awaiting_confirmation");
    }
    assert!(elsewhere.asked().is_empty(), "a redirect was followed");
    assert_eq!(api.asked().len(), 2 * waiting.len());
}

#[test]
fn a_simple_event_waits_for_what_the_api_says() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 31_000_004, "ideal");
    let payment = paid("tr_simple1", text(&wanted, "reference"));
    api.answers(
        "GET /v2/payments/tr_simple1",
        &[Reply::Json(500, json!({})), Reply::Json(200, payment)],
    );
    let mut event = payments::mollie_paid("event_s1", "tr_simple1", text(&wanted, "reference"), "Iemand Anders");
    event.as_object_mut().unwrap().remove("_embedded");
    assert_eq!(payments::post_mollie(&server, &event).unwrap().status, 200);
    let now = wait_for_state(&server, text(&wanted, "id"), "awaiting_confirmation");
    assert_eq!(now["payments"][0]["holder_name"], NAME);
}

#[test]
fn fault_15_where_the_api_denies_what_a_message_claimed_nobody_is_activated() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 31_000_005, "ideal");
    let mut open = paid("tr_denied1", text(&wanted, "reference"));
    open["status"] = "open".into();
    open["paidAt"] = Value::Null;
    api.answers("GET /v2/payments/tr_denied1", &[Reply::Json(200, open)]);
    let mut event = payments::mollie_paid("event_d1", "tr_denied1", text(&wanted, "reference"), NAME);
    event.as_object_mut().unwrap().remove("_embedded");
    assert_eq!(payments::post_mollie(&server, &event).unwrap().status, 200);
    // The API may lag, so it is asked some times before its word is taken.
    wait_for("its word to be taken", || {
        (waiting_to_be_read(&server) == 0).then_some(())
    });
    let state = activation(&server, text(&wanted, "id"));
    assert!(
        ["awaiting_payment", "under_review"].contains(&text(&state, "state")),
        "{state}"
    );
    assert!(api.asked().len() > 2, "{:?}", api.asked());
}

#[test]
fn an_amount_that_isnt_the_one_asked_goes_to_review_however_it_was_read() {
    let api = StandIn::start();
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 31_000_006, "ideal");
    let mut payment = paid("tr_more1", text(&wanted, "reference"));
    payment["amount"]["value"] = "1.00".into();
    api.answers("GET /v2/payments/tr_more1", &[Reply::Json(200, payment)]);
    ping(&server, "tr_more1");
    wait_for_state(&server, text(&wanted, "id"), "under_review");
}

/// A key pair of the tests, and its public half as Ibanity would publish it.
const SENDER: &str = include_str!("../../webhooks/tests/fixtures/sender.private.pem");
const PUBLISHED: &str = include_str!("../../webhooks/tests/fixtures/sender.jwks.json");

#[test]
fn ponto_is_believed_by_its_published_keys_and_its_transactions_are_read() {
    let api = StandIn::start();
    api.answers(
        "GET /webhooks/keys",
        &[
            Reply::Json(200, json!({ "keys": [] })),
            Reply::Json(200, serde_json::from_str(PUBLISHED).unwrap()),
        ],
    );
    let home = Installation::new()
        .with("WEBHOOKS__PONTO__PROVIDER", "ponto")
        .with("WEBHOOKS__PONTO__ACCOUNT", "app_1")
        .with("WEBHOOKS__PONTO__JWKS_URL", &format!("{}/webhooks/keys", api.url))
        .with("WEBHOOKS__PONTO__API_USER", "client")
        .with("WEBHOOKS__PONTO__API_KEY", "secret")
        .with("WEBHOOKS__PONTO__API_URL", &api.url);
    let server = home.serve();
    let wanted = started(&server, 33_000_001, "invoice");
    let transaction = |id: &str, amount: &str, text: &str| {
        // Amounts are JSON numbers, whose digits count.
        let written = json!({ "id": id, "attributes": {
            "amount": "@", "currency": "EUR", "counterpartName": NAME, "counterpartReference": "NL91ABNA0417164300",
            "remittanceInformation": text, "executionDate": "2026-11-20T00:00:00.000Z" } });
        serde_json::from_str::<Value>(&written.to_string().replace("\"@\"", amount)).unwrap()
    };
    let page = json!({
        "data": [
            transaction("t1", "18.15", &format!("factuur {}", text(&wanted, "reference"))),
            transaction("t2", "-18.15", "wat eruit ging"),
        ],
        "links": { "next": "https://elsewhere.example/steal" },
    });
    api.answers(
        "POST /ponto-connect/oauth2/token",
        &[Reply::Json(200, json!({ "access_token": "tok" }))],
    );
    api.answers(
        "GET /ponto-connect/accounts/acc-1/transactions?page[limit]=100",
        &[Reply::Json(200, page)],
    );
    let body = json!({ "data": { "id": "evt-1", "type": "pontoConnect.account.transactionsCreated",
        "relationships": { "account": { "data": { "id": "acc-1", "type": "account" } } } } });
    let bytes = body.to_string().into_bytes();
    // Refused until the keys are here; Ibanity would try again too.
    wait_for("Ibanity to be believed", || {
        let signed = eencent_webhooks::signing::ponto(
            SENDER,
            "sender_1",
            "app_1",
            "https://api.ibanity.com",
            payments::now(),
            &bytes,
        );
        (post(&server, "ponto", &signed, &bytes).unwrap().status == 200).then_some(())
    });
    wait_for_state(&server, text(&wanted, "id"), "activated");
    let asked = api.asked();
    let listing = asked
        .iter()
        .find(|it| it.head.starts_with("GET /ponto-connect"))
        .unwrap();
    assert!(listing.head.contains("authorization: Bearer tok"), "{listing:?}");
}
