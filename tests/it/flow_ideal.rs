//! "Method 1: iDEAL, 1 cent", sentence by sentence.

use serde_json::{Value, json};

use crate::checkout::{installation, made};
use crate::clocks::set;
use crate::http::request;
use crate::mail;
use crate::main_job::{click, round_off_link, tick};
use crate::payments::{NAME, activation, mollie_broken_off, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};
use crate::stand_in::{Reply, StandIn};

const DAY: i32 = 24 * 60 * 60;

/// What happened to it, oldest first.
fn happened(activation: &Value) -> Vec<&str> {
    let lines = activation["history"].as_array().unwrap();
    lines.iter().map(|line| text(line, "event")).collect()
}

fn pay(server: &Server, event: &str, payment: &str, reference: &str, holder: &str) {
    let answer = post_mollie(server, &mollie_paid(event, payment, reference, holder)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn ideal_1_a_start_answers_the_reference_the_amount_what_to_tell_and_the_address_to_pay_at() {
    let api = StandIn::start();
    api.answers("POST /v2/payments", &[Reply::Json(503, json!({})), made("tr_made1")]);
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 34_000_001, "ideal");
    assert_eq!(wanted["checkout_url"], "https://www.mollie.com/checkout/tr_made1");
    assert_eq!(wanted["amount"], json!({ "value": "0.01", "currency": "EUR" }));
    assert!(text(&wanted, "reference").starts_with("RF"));
    let told = &wanted["instructions"];
    assert!(text(told, "nl").contains("Breek de betaling niet af; twee keer betalen helpt niet."));
    assert!(text(told, "en").contains("Don't break off the payment; paying twice does not help."));
    let asked = api.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for attempt in &asked {
        let key = format!("idempotency-key: {}", text(&wanted, "id"));
        assert!(attempt.head.contains(&key), "{attempt:?}");
        let body: Value = serde_json::from_str(&attempt.body).unwrap();
        assert_eq!(body["amount"], json!({ "currency": "EUR", "value": "0.01" }));
        assert_eq!(body["metadata"]["reference"], wanted["reference"]);
        assert_eq!(body["redirectUrl"], "https://platform.example.nl/back");
    }
    let paid = mollie_paid("event_made1", "tr_made1", text(&wanted, "reference"), NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    let now = wait_for_state(&server, text(&wanted, "id"), "awaiting_confirmation");
    assert_eq!(now["checkout_url"], Value::Null, "there is nothing to pay any more");
}

#[test]
fn ideal_2_broken_off_failed_and_expired_tries_leave_it_open_and_a_fresh_address_is_given() {
    let api = StandIn::start();
    api.answers(
        "POST /v2/payments",
        &[made("tr_try1"), made("tr_try2"), made("tr_try3"), made("tr_try4")],
    );
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 34_000_005, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    let path = format!("/v1/activations/{id}/checkout");
    let checkout = || {
        let answer = server.api("POST", &path, &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    // Whoever only closed the window goes on where the payment is.
    assert_eq!(checkout()["checkout_url"], wanted["checkout_url"]);
    for (number, status) in [(1, "canceled"), (2, "failed"), (3, "expired")] {
        let told = mollie_broken_off(
            &format!("event_{number}"),
            &format!("tr_try{number}"),
            reference,
            status,
        );
        assert_eq!(post_mollie(&server, &told).unwrap().status, 200);
        let now = wait_for("the try to be known", || {
            Some(activation(&server, id)).filter(|now| now["payments"].as_array().unwrap().len() == number)
        });
        assert_eq!(now["state"], "awaiting_payment");
        assert_eq!(now["emails"], json!([]), "nothing else happens");
        let url = format!("https://www.mollie.com/checkout/tr_try{}", number + 1);
        assert_eq!(checkout()["checkout_url"], url.as_str());
    }
    let keys: Vec<_> = api
        .asked()
        .iter()
        .map(|asked| {
            asked
                .head
                .lines()
                .find_map(|line| line.strip_prefix("idempotency-key: "))
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        keys,
        [id.to_owned(), format!("{id}.2"), format!("{id}.3"), format!("{id}.4")]
    );
    pay(&server, "event_paid", "tr_try4", reference, NAME);
    wait_for_state(&server, id, "awaiting_confirmation");
    let refused = server.api("POST", &path, &Value::Null);
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("payment_not_awaited"))
    );
}

#[test]
fn ideal_2_a_payment_link_whose_time_is_up_is_replaced_by_a_fresh_one() {
    let api = StandIn::start();
    let link = |id: &str, status: &str| json!({ "id": id, "url": format!("https://checkout.adyen.example/{id}"), "status": status });
    api.answers(
        "POST /v71/paymentLinks",
        &[
            Reply::Json(201, link("PL1", "active")),
            Reply::Json(201, link("PL2", "active")),
        ],
    );
    api.answers("GET /v71/paymentLinks/PL1", &[Reply::Json(200, link("PL1", "active"))]);
    let home = Installation::new()
        .with("WEBHOOKS__ADYEN__API_KEY", "live_key")
        .with("WEBHOOKS__ADYEN__API_URL", &api.url)
        .with("CHECKOUT__ENDPOINT", "adyen")
        .with("CHECKOUT__RETURN_URL", "https://platform.example.nl/back");
    let offset = home.path().join("clock");
    set(&offset, 0);
    let mut server = home.launch_by(&offset, "serve");
    server.wait_until_ready();
    let wanted = started(&server, 1, "ideal");
    let id = text(&wanted, "id");
    let url = |id: &str| format!("https://checkout.adyen.example/{id}");
    assert_eq!(wanted["checkout_url"], url("PL1"));
    let mut expired = link("PL1", "expired");
    expired["reference"] = wanted["reference"].clone();
    api.answers("GET /v71/paymentLinks/PL1", &[Reply::Json(200, expired)]);
    // Nobody tells of it: Adyen is asked after a while.
    set(&offset, 10 * 60);
    let now = wait_for("the link to be known as expired", || {
        Some(activation(&server, id)).filter(|now| now["payments"][0]["status"] == "expired")
    });
    assert_eq!(now["state"], "awaiting_payment");
    let path = format!("/v1/activations/{id}/checkout");
    assert_eq!(
        server.api("POST", &path, &Value::Null).json()["checkout_url"],
        url("PL2")
    );
}

#[test]
fn ideal_2_where_the_platform_makes_the_payments_it_simply_makes_another() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let reference = text(&wanted, "reference");
    let told = mollie_broken_off("event_1", "tr_1", reference, "canceled");
    assert_eq!(post_mollie(&server, &told).unwrap().status, 200);
    let path = format!("/v1/activations/{}/checkout", text(&wanted, "id"));
    let refused = server.api("POST", &path, &Value::Null);
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("checkout_elsewhere"))
    );
    pay(&server, "event_2", "tr_2", reference, NAME);
    wait_for_state(&server, text(&wanted, "id"), "awaiting_confirmation");
}

#[test]
fn ideal_2_one_that_is_never_paid_is_reminded_once_and_expires() {
    let home = Installation::new();
    let offset = home.path().join("clock");
    set(&offset, 0);
    let mut server = home.launch_by(&offset, "serve");
    server.wait_until_ready();
    let wanted = started(&server, 1, "ideal");
    let id = text(&wanted, "id");
    set(&offset, 8 * DAY);
    wait_for("the reminder", || {
        happened(&activation(&server, id))
            .ends_with(&["reminded"])
            .then_some(())
    });
    set(&offset, 15 * DAY);
    let now = wait_for_state(&server, id, "expired");
    assert_eq!(happened(&now), ["started_ideal", "reminded", "time_up"]);
    let kinds: Vec<_> = now["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "kind"))
        .collect();
    assert_eq!(kinds, ["reminder_to_pay", "expired"]);
    let path = format!("/v1/organisations/{}/activations", text(&wanted, "organisation"));
    assert_eq!(server.api("POST", &path, &json!({ "method": "ideal" })).status, 201);
}

#[test]
fn ideal_3_paid_exactly_by_a_holder_who_is_the_organisation_it_is_approved_without_a_human() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let answer = post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&view, "reference"), "BAKKERIJ DE KORENAAR BV"),
    )
    .unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    assert!(!tick(&server, &view));
    let link = round_off_link(&installation, text(&view, "reference"));
    click(&server, &link);
    let now = wait_for_state(&server, text(&view, "id"), "activated");
    assert!(tick(&server, &view));
    assert_eq!(now["payments"][0]["holder_name"], "BAKKERIJ DE KORENAAR BV");
    assert_eq!(now["payments"][0]["iban_masked"], "NL** **** **** **43 00");
    let happened: Vec<_> = now["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| text(line, "event"))
        .collect();
    assert_eq!(happened, ["started_ideal", "paid_clear", "link_sent", "confirmed"]);
    let again = request(&server.public, "GET", &link, &[], b"").unwrap();
    assert!(
        !again.body.contains("<form method=\"post\" action=\"/round-off") || again.status != 200,
        "an old link offers no click"
    );
}

#[test]
fn ideal_3_a_share_can_always_be_reviewed() {
    let home = Installation::new().with("ACTIVATION__REVIEW_SHARE", "100");
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    pay(&server, "event_1", "tr_1", text(&wanted, "reference"), NAME);
    let now = wait_for_state(&server, text(&wanted, "id"), "under_review");
    assert_eq!(now["reasons"].as_array().unwrap().len(), 1, "{now}");
}

#[test]
fn ideal_4_a_mismatch_goes_to_review_with_reasons_and_the_creator_reads_that_it_takes_longer() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let id = text(&view, "id");
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&view, "reference"), "Slagerij Van Dam B.V."),
    )
    .unwrap();
    let now = wait_for_state(&server, id, "under_review");
    assert!(!now["reasons"].as_array().unwrap().is_empty());
    let longer = wait_for("the e-mail", || mail::read(&installation.mail()).pop());
    assert!(
        longer.text.contains(NAME) && longer.link().is_none_or(|link| !link.contains("round-off")),
        "{}",
        longer.text
    );
    let act =
        serde_json::json!({ "version": now["version"], "actor": "Sanne", "reason": "extract seen", "when": "now" });
    let stale = serde_json::json!({ "version": 1, "actor": "Piet", "reason": "too late" });
    let refused = server.api("POST", &format!("/v1/activations/{id}/reject"), &stale);
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (409, Some("version_stale"))
    );
    assert_eq!(refused.json()["activation"]["state"], "under_review");
    assert_eq!(
        server
            .api("POST", &format!("/v1/activations/{id}/approve"), &act)
            .status,
        200
    );
    wait_for_state(&server, id, "awaiting_confirmation");
    click(&server, &round_off_link(&installation, text(&view, "reference")));
    wait_for_state(&server, id, "activated");
}

#[test]
fn ideal_5_paid_outside_office_hours_the_creator_reads_at_once_when_and_that_paying_again_does_not_help() {
    let installation = Installation::new().with("OFFICE__HOURS", "2040 Mar 01-2040 Mar 31 Mo-Fr 09:00-17:00");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    let now = wait_for_state(&server, text(&view, "id"), "scheduled");
    assert_eq!(now["due_at"], "2040-03-01T08:00:00Z");
    let email = wait_for("the e-mail", || mail::read(&installation.mail()).pop());
    assert!(email.text.contains("donderdag 1 maart 2040 om 09:00"), "{}", email.text);
    assert!(
        email.text.to_lowercase().contains("nog een keer betalen")
            || email.text.to_lowercase().contains("opnieuw betalen")
            || email.text.to_lowercase().contains("nog eens betalen"),
        "{}",
        email.text
    );
}

#[test]
fn ideal_6_paid_twice_is_recorded_and_shown_and_neither_activates_nor_mails_twice() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let (id, reference) = (text(&wanted, "id"), text(&wanted, "reference"));
    pay(&server, "event_1", "tr_1", reference, NAME);
    wait_for_state(&server, id, "awaiting_confirmation");
    pay(&server, "event_2", "tr_2", reference, NAME);
    let twice = wait_for("the second payment, and its flag", || {
        Some(activation(&server, id)).filter(|now| now["flags"].as_array().unwrap().len() == 1)
    });
    let standings: Vec<_> = twice["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "standing"))
        .collect();
    assert_eq!(standings, ["counts", "surplus"]);
    assert_eq!(twice["flags"][0]["code"], "paid_twice", "support sees it");
    click(&server, &round_off_link(&home, reference));
    pay(&server, "event_3", "tr_3", reference, NAME);
    let thrice = wait_for("the third payment", || {
        Some(activation(&server, id)).filter(|now| now["payments"].as_array().unwrap().len() == 3)
    });
    assert_eq!(thrice["state"], "activated");
    let moves = happened(&thrice);
    for once in ["paid_clear", "link_sent", "confirmed"] {
        assert_eq!(moves.iter().filter(|event| **event == once).count(), 1, "{moves:?}");
    }
    let kinds: Vec<_> = thrice["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "kind"))
        .collect();
    assert_eq!(kinds, ["round_off", "activated"]);
}

#[test]
fn ideal_7_the_link_shows_whose_it_is_changes_nothing_by_being_opened_and_works_once() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    pay(&server, "event_1", "tr_1", text(&wanted, "reference"), NAME);
    let link = round_off_link(&home, text(&wanted, "reference"));
    let token = link.rsplit('/').next().unwrap();
    assert!(token.len() >= 43, "256 bits in base64: {token}");
    for _ in 0..3 {
        let page = request(&server.public, "GET", &link, &[], b"").unwrap();
        assert!(page.status == 200 && page.body.contains(NAME));
    }
    assert_eq!(
        activation(&server, text(&wanted, "id"))["state"],
        "awaiting_confirmation"
    );
    // One letter off is another link, which nobody has.
    let last = if token.ends_with('A') { "B" } else { "A" };
    let guessed = format!("{}{last}", &link[..link.len() - 1]);
    assert_eq!(request(&server.public, "POST", &guessed, &[], b"").unwrap().status, 404);
    click(&server, &link);
    assert!(tick(&server, &wanted));
    let again = request(&server.public, "POST", &link, &[], b"").unwrap();
    assert!(again.body.contains("Al afgerond"), "{}", again.body);
    let moves = activation(&server, text(&wanted, "id"));
    assert_eq!(
        happened(&moves).iter().filter(|event| **event == "confirmed").count(),
        1
    );
}

#[test]
fn ideal_7_the_link_is_sent_again_by_the_platform_and_from_the_page_of_an_old_one() {
    let home = Installation::new();
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    let id = text(&wanted, "id");
    let path = format!("/v1/activations/{id}/resend");
    let early = server.api("POST", &path, &Value::Null);
    assert_eq!(
        (early.status, early.json()["code"].as_str()),
        (409, Some("no_link_to_send"))
    );
    pay(&server, "event_1", "tr_1", text(&wanted, "reference"), NAME);
    let links = |many: usize| -> Vec<String> {
        wait_for("the e-mails with links", || {
            let all = mail::read(&home.mail());
            let links: Vec<_> = all.iter().filter_map(mail::Email::link).collect();
            let path = |link: &&str| link[link.find("/round-off/").unwrap()..].to_owned();
            (links.len() == many).then(|| links.iter().map(path).collect())
        })
    };
    let first = links(1);
    assert_eq!(server.api("POST", &path, &Value::Null).status, 200);
    let second: Vec<_> = links(2).into_iter().filter(|link| !first.contains(link)).collect();
    let old = request(&server.public, "GET", &first[0], &[], b"").unwrap();
    assert_eq!(old.status, 410, "an old link offers no click");
    assert!(old.body.contains("nieuwere link"), "{}", old.body);
    let action = format!("{}/again", first[0]);
    assert!(old.body.contains(&format!("action=\"{action}\"")), "{}", old.body);
    let sent = request(&server.public, "POST", &action, &[], b"").unwrap();
    assert_eq!(sent.status, 410, "{}", sent.body);
    let third: Vec<_> = links(3)
        .into_iter()
        .filter(|link| !first.contains(link) && !second.contains(link))
        .collect();
    assert_eq!(
        request(&server.public, "POST", &second[0], &[], b"").unwrap().status,
        410
    );
    assert_eq!(activation(&server, id)["state"], "awaiting_confirmation");
    click(&server, &third[0]);
    wait_for_state(&server, id, "activated");
    for email in mail::read(&home.mail()) {
        assert!(
            email.header("to").contains("jansen@example.nl"),
            "always to the same address"
        );
    }
}

#[test]
fn ideal_7_one_that_is_never_rounded_off_is_reminded_once_and_expires() {
    let home = Installation::new();
    let offset = home.path().join("clock");
    set(&offset, 0);
    let mut server = home.launch_by(&offset, "serve");
    server.wait_until_ready();
    let wanted = started(&server, 1, "ideal");
    let id = text(&wanted, "id");
    pay(&server, "event_1", "tr_1", text(&wanted, "reference"), NAME);
    let link = round_off_link(&home, text(&wanted, "reference"));
    set(&offset, 8 * DAY);
    wait_for("the reminder", || {
        happened(&activation(&server, id))
            .ends_with(&["reminded"])
            .then_some(())
    });
    set(&offset, 15 * DAY);
    let now = wait_for_state(&server, id, "expired");
    assert_eq!(
        happened(&now),
        ["started_ideal", "paid_clear", "link_sent", "reminded", "time_up"]
    );
    let page = request(&server.public, "POST", &link, &[], b"").unwrap();
    assert!(page.status == 410 && page.body.contains("verlopen"), "{}", page.body);
    assert!(!tick(&server, &wanted));
    assert_eq!(
        now["payments"][0]["standing"], "unallocated",
        "somebody decides what becomes of the money"
    );
}

#[test]
fn ideal_7_completion_can_be_immediate_and_then_there_is_no_link() {
    let home = Installation::new().with("ACTIVATION__IDEAL_COMPLETION", "immediate");
    let server = home.serve();
    let wanted = started(&server, 1, "ideal");
    pay(&server, "event_1", "tr_1", text(&wanted, "reference"), NAME);
    let now = wait_for_state(&server, text(&wanted, "id"), "activated");
    assert_eq!(happened(&now), ["started_ideal", "paid_clear", "activated_at_once"]);
    assert_eq!(now["emails"].as_array().unwrap().len(), 1);
}
