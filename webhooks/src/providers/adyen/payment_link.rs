//! Payments made at Adyen: a payment link for iDEAL (Adyen's Checkout API, version 71).
//!
//! Adyen names no call that returns the holder's name, so reading a link back proves no payment: where a
//! link is paid and no notification came, that is set apart for a person.

use eencent_activations::notification::{Event, PaymentStatus, Told};
use eencent_activations::reread::{Answer, Made, Order, Step};

use crate::api;
use crate::document::text;
use crate::endpoint::Endpoint;
use crate::signature::sha256;
use crate::translation::exact;

const TEST: &str = "https://checkout-test.adyen.com";

fn headers(endpoint: &Endpoint) -> api::Ended<Vec<(&'static str, String)>> {
    Ok(vec![
        ("x-api-key", api::key(endpoint)?.to_owned()),
        ("content-type", "application/json".to_owned()),
    ])
}

/// Makes a link.
pub(super) fn make(endpoint: &Endpoint, order: &Order, answers: &[Answer]) -> api::Ended<Step> {
    let Some(answer) = answers.first() else {
        let account = endpoint.named_account().ok_or_else(|| {
            Step::Later(format!(
                "webhooks.{}.account is not set: it is the merchant account that payments are made for.",
                endpoint.name()
            ))
        })?;
        let body = serde_json::json!({
            "merchantAccount": account,
            "amount": { "currency": order.amount.currency.as_str(), "value": order.amount.minor },
            "reference": order.reference,
            "countryCode": "NL",
            "allowedPaymentMethods": ["ideal"],
            "returnUrl": order.return_url,
            "metadata": { "activation": order.activation },
        });
        let mut headers = headers(endpoint)?;
        headers.push(("idempotency-key", order.key.clone()));
        let base = api::base(endpoint, TEST);
        return Ok(api::post(
            format!("{base}/v71/paymentLinks"),
            headers,
            body.to_string().into_bytes(),
        ));
    };
    let document = api::document(answer, endpoint)?;
    let id = text(&document, "/id").and_then(api::plain);
    let url = text(&document, "/url").and_then(api::to_a_payer);
    let (Some(payment_id), Some(url)) = (id, url) else {
        return Err(Step::Later(
            "Adyen's answer names no payment link and address.".to_owned(),
        ));
    };
    Ok(Step::Made(Made {
        payment_id: payment_id.to_owned(),
        url: url.to_owned(),
        subject: format!("link/{payment_id}"),
    }))
}

/// Looks whether a link is paid.
pub(super) fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (_, ids) = api::subject(subject)?;
    let asked = ids.first().copied().unwrap_or_default();
    let Some(answer) = answers.first() else {
        let base = api::base(endpoint, TEST);
        return Ok(api::get(format!("{base}/v71/paymentLinks/{asked}"), headers(endpoint)?));
    };
    let document = api::document(answer, endpoint)?;
    api::about(text(&document, "/id"), asked)?;
    match text(&document, "/status") {
        Some("completed") => {}
        // A failed try doesn't end a link, its time does: whoever comes back needs another.
        Some("expired") => {
            let mut told = api::payment(asked.to_owned(), PaymentStatus::Expired);
            told.reference = exact(text(&document, "/reference"));
            return Ok(Step::Told(vec![api::event(Ok(told), asked)]));
        }
        _ => return Ok(Step::Told(Vec::new())),
    }
    let why = format!(
        "Payment link {asked} is paid, and its activation still waits: Adyen's notification didn't come, or couldn't be used. Look at the webhook in the Customer Area, and send it again from there."
    );
    Ok(Step::Told(vec![Event {
        event_id: format!("link-paid:{asked}"),
        digest: sha256(why.as_bytes()),
        told: Told::Quarantined(why),
        reread: None,
    }]))
}
