//! The main job, from a signed notification to the activated organisation, over every provider.

use serde_json::Value;

use crate::http::request;
use crate::mail;
use crate::payments::{
    ADYEN_BASIC, NAME, activation, adyen_paid, mollie_paid, organisation, post_adyen, post_bank, post_mollie,
    post_stripe, started, stripe_charge, text, transfer, wait_for_state,
};
use crate::server::{Installation, Server, wait_for};

/// The round-off e-mail of an activation, and the path of its link.
pub fn round_off_link(installation: &Installation, reference: &str) -> String {
    let email = wait_for("the e-mail with the link", || {
        mail::read(&installation.mail())
            .into_iter()
            .find(|email| email.header("x-activation") == reference && email.text.contains("/round-off/"))
    });
    assert!(email.header("to").contains("jansen@example.nl"));
    assert!(email.text.contains(NAME), "{}", email.text);
    let link = email.link().unwrap();
    link[link.find("/round-off/").unwrap()..].to_owned()
}

/// Opens the link, clicks the one button, and sees the tick.
pub fn click(server: &Server, path: &str) {
    let page = request(&server.public, "GET", path, &[], b"").unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<form") && page.body.contains(NAME), "{}", page.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let done = request(&server.public, "POST", path, &form, b"").unwrap();
    assert!([200, 303].contains(&done.status), "{done:?}");
}

pub fn tick(server: &Server, activation: &Value) -> bool {
    let answer = server.api(
        "GET",
        &format!("/v1/organisations/{}", text(activation, "organisation")),
        &Value::Null,
    );
    answer.json()["active"].as_bool().unwrap()
}

#[test]
fn a_matching_ideal_payment_by_stripe_waits_for_the_charge_with_the_verified_name() {
    let installation = Installation::new().with("ACTIVATION__IDEAL_COMPLETION", "immediate");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let answer = post_stripe(&server, &stripe_charge("evt_1", "pi_1", text(&view, "reference"), NAME)).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let now = wait_for_state(&server, text(&view, "id"), "activated");
    assert_eq!(now["payments"][0]["id"], "pi_1");
    assert_eq!(now["payments"][0]["holder_name"], NAME, "never what the payer typed");
}

#[test]
fn adyen_with_basic_auth_is_believed_whole_and_without_it_is_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let body = adyen_paid("QFQTPCQ8HXSKGK82", text(&view, "reference"), NAME);
    assert_eq!(post_adyen(&server, &body, None).unwrap().status, 401);
    let answer = post_adyen(&server, &body, Some(ADYEN_BASIC)).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "[accepted]"));
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
}

#[test]
fn adyen_without_basic_auth_on_the_endpoint_is_reviewed_and_review_says_why() {
    let installation = Installation::new()
        .without("WEBHOOKS__ADYEN__USERNAME")
        .without("WEBHOOKS__ADYEN__PASSWORD");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let body = adyen_paid("QFQTPCQ8HXSKGK82", text(&view, "reference"), NAME);
    assert_eq!(post_adyen(&server, &body, None).unwrap().status, 200);
    let now = wait_for_state(&server, text(&view, "id"), "under_review");
    assert_eq!(now["reasons"][0]["code"], "name_not_proven");
}

#[test]
fn a_bank_transfer_with_the_reference_in_free_text_activates_an_invoiced_one() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "invoice");
    let reference = text(&view, "reference");
    let body = transfer(
        "trx_1",
        1815,
        &format!("Factuur activering {}", reference.to_lowercase()),
        NAME,
    );
    assert_eq!(post_bank(&server, "msg_1", &body).unwrap().status, 200);
    let now = wait_for_state(&server, text(&view, "id"), "activated");
    assert!(tick(&server, &now));
}

#[test]
fn fault_45_when_the_office_hours_change_between_two_starts_what_was_scheduled_follows() {
    let mut installation = Installation::new().with("OFFICE__HOURS", "2040 Mar 01-2040 Mar 31 Mo-Fr 09:00-17:00");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    wait_for_state(&server, text(&view, "id"), "scheduled");
    server.kill();
    installation = installation.with("OFFICE__HOURS", "24/7");
    let server = installation.serve();
    let now = wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    assert!(
        now["history"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["event"] == "hours_changed")
    );
}

#[test]
fn an_english_creator_reads_english() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut body = organisation(1);
    body["creator"]["language"] = "en".into();
    let organisation = server.api("POST", "/v1/organisations", &body).json();
    let path = format!("/v1/organisations/{}/activations", text(&organisation, "id"));
    let view = server
        .api("POST", &path, &serde_json::json!({ "method": "ideal" }))
        .json();
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    let link = round_off_link(&installation, text(&view, "reference"));
    let page = request(&server.public, "GET", &link, &[], b"").unwrap();
    assert!(page.body.contains("lang=\"en\""), "{}", page.body);
    assert_eq!(activation(&server, text(&view, "id"))["state"], "awaiting_confirmation");
}
