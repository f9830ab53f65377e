//! Payments that are made at a provider, and looked after until somebody tells of them.

use serde_json::{Value, json};

use crate::payments::{activation, started, text};
use crate::server::{Installation, wait_for};
use crate::stand_in::{Reply, StandIn};

pub fn installation(api: &StandIn) -> Installation {
    Installation::new()
        .with("WEBHOOKS__MOLLIE__API_KEY", "live_key")
        .with("WEBHOOKS__MOLLIE__API_URL", &api.url)
        .with("CHECKOUT__ENDPOINT", "mollie")
        .with("CHECKOUT__RETURN_URL", "https://platform.example.nl/back")
}

pub fn made(id: &str) -> Reply {
    Reply::Json(
        201,
        json!({ "resource": "payment", "id": id, "status": "open",
            "_links": { "checkout": { "href": format!("https://www.mollie.com/checkout/{id}"), "type": "text/html" } } }),
    )
}

#[test]
fn a_provider_that_is_down_does_not_keep_an_activation_from_starting() {
    let api = StandIn::start();
    api.answers("POST /v2/payments", &[Reply::HangsUp]);
    let home = installation(&api);
    let server = home.serve();
    let wanted = started(&server, 34_000_002, "ideal");
    assert_eq!(wanted["checkout_url"], Value::Null);
    api.answers("POST /v2/payments", &[made("tr_made2")]);
    let id = text(&wanted, "id").to_owned();
    wait_for("the payment to be made", || {
        activation(&server, &id)["checkout_url"].as_str().map(|_| ())
    });
    // An invoice is paid by transfer: nothing is made for it.
    let before = api.asked().len();
    let invoice = started(&server, 34_000_003, "invoice");
    assert_eq!(invoice["checkout_url"], Value::Null);
    assert_eq!(api.asked().len(), before);
}

#[test]
fn fault_71_a_checkout_that_cannot_work_is_told_at_once() {
    for (provider, told) in [
        ("bank", "can't be made at standard_webhooks"),
        ("stripe", "EUR 0.50"),
        ("nobody", "no endpoint"),
    ] {
        let home = Installation::new()
            .with("CHECKOUT__ENDPOINT", provider)
            .with("CHECKOUT__RETURN_URL", "https://platform.example.nl/back");
        let check = home.run(&["check"]);
        assert!(!check.status.success());
        assert!(
            format!("{}{}", check.stdout, check.stderr).contains(told),
            "{provider}: {check:?}"
        );
    }
}
