//! Mollie: classic webhooks (Mollie's documentation, "Webhooks").
//!
//! - **Proof.** None, by design: the body is `id=tr_…` and anybody can post one. So a ping says only that
//!   there is something to look at, and what is then read from Mollie's API with the API key counts.
//! - **What is asked.** `GET /v2/payments/{id}`; of a payment link `GET /v2/payment-links/{id}/payments`.
//!   The id is checked before an address is made of it: `^[a-z]{2,8}_[A-Za-z0-9.]+$`.
//! - **Answer.** 200, also for ids that Mollie's API doesn't know. Mollie tries ten times in 26 hours.
//! - Ids of orders, subscriptions and the rest are of no concern; so is Mollie's test call.

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Proof};
use eencent_activations::reread::{Answer, Made, Order, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, mollie};
use crate::api;
use crate::document::{Value, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature::sha256;
use crate::translation::{ignored, told};

/// Mollie's classic pings; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct MollieClassic;

impl Provider for MollieClassic {
    fn name(&self) -> &'static str {
        "mollie_classic"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["content-type"]
    }

    fn key(&self, _: &str) -> Result<Key, &'static str> {
        Err("has no use: classic pings are not signed")
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Nothing
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        if endpoint.has_api_key() {
            return Vec::new();
        }
        vec![(
            "api_key",
            "is missing: classic pings prove nothing, so the payment has to be read from Mollie's API (live_… or test_…, from Mollie's dashboard under Developers).",
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        if ping(request.body).is_some() {
            return Ok(Authentic::unproven(
                request,
                "a classic ping, which Mollie doesn't sign",
            ));
        }
        Err(Refused::new(
            Code::MalformedBody,
            "The body isn't a classic ping (id=tr_…). If this is a webhook of Mollie's next generation, give it an endpoint with provider mollie.",
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let (name, reading, reread) = match ping(body) {
            Some(Ping::About(id)) => {
                let kind = match id.split_once('_') {
                    Some(("tr", _)) => Some("payment"),
                    Some(("pl", _)) => Some("link"),
                    _ => None,
                };
                let why = match kind {
                    Some(_) => "a ping; Mollie's API says what there is to know",
                    None => "not about a payment",
                };
                let reread = kind.map(|kind| format!("{kind}/{id}"));
                (format!("ping:{id}"), ignored(&id, why), reread)
            }
            Some(Ping::Trial) => (
                "ping:test".to_owned(),
                ignored("test", "a call to try the address"),
                None,
            ),
            None => ("ping:unreadable".to_owned(), Err("It isn't a ping.".to_owned()), None),
        };
        // The id is the same for every ping about one payment: repeats are counted, not stored, so that
        // nobody can fill a disk with them; each is a new reason to look.
        vec![Event {
            digest: sha256(name.as_bytes()),
            event_id: name,
            told: told(reading),
            reread,
        }]
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(read_back(endpoint, subject, answers))
    }

    fn make(&self, endpoint: &Endpoint, order: &Order, answers: &[Answer]) -> Step {
        api::step(make(endpoint, order, answers, true))
    }

    fn makes_payments(&self) -> bool {
        true
    }

    // Fifteen seconds, says docs.mollie.com/docs/webhooks.
    fn deadline(&self) -> std::time::Duration {
        std::time::Duration::from_secs(15)
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        match ping(request.body)? {
            Ping::About(id) => claimed::plain(&id),
            Ping::Trial => None,
        }
    }
}

/// What a ping is about.
enum Ping {
    /// Something at Mollie.
    About(String),
    /// Nothing: Mollie, or somebody at its dashboard, tries the address.
    Trial,
}

/// Reads a ping: one `id`, well formed. The body of an honest one is under a hundred bytes.
fn ping(body: &[u8]) -> Option<Ping> {
    if body.len() > 1_000 {
        return None;
    }
    let fields: Vec<_> = form_urlencoded::parse(body).collect();
    let mut ids = fields.iter().filter(|(name, _)| name == "id");
    match (ids.next(), ids.next()) {
        (Some((_, id)), None) => {
            let (prefix, rest) = id.split_once('_')?;
            let lower = (2..=8).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_lowercase());
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.';
            let well = lower && (1..=80).contains(&rest.len()) && rest.bytes().all(plain);
            well.then(|| Ping::About(id.clone().into_owned()))
        }
        (None, None) => fields
            .iter()
            .any(|(name, _)| name == "testByMollie")
            .then_some(Ping::Trial),
        _ => None,
    }
}

/// A payment, or the payments of a link, from Mollie's API.
pub(super) fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (kind, ids) = api::subject(subject)?;
    let asked = ids.first().copied().unwrap_or_default();
    let Some(answer) = answers.first() else {
        let base = api::base(endpoint, "https://api.mollie.com");
        let url = match kind {
            "payment" => format!("{base}/v2/payments/{asked}"),
            _ => format!("{base}/v2/payment-links/{asked}/payments?limit=250"),
        };
        return Ok(api::get(url, vec![api::bearer(endpoint)?]));
    };
    let document = api::document(answer, endpoint)?;
    if kind == "payment" {
        api::about(text(&document, "/id"), asked)?;
        let reading = mollie::of_entity(&document, asked.to_owned(), Proof::ReadBack);
        return Ok(Step::Told(vec![api::event(reading, asked)]));
    }
    let listed = document.pointer("/_embedded/payments").and_then(Value::as_array);
    let listed = listed.ok_or_else(|| Step::Never("The answer of Mollie's API lists no payments.".to_owned()))?;
    let events = listed.iter().map(|entity| {
        let id = text(entity, "/id").and_then(api::plain).unwrap_or_default();
        let reading = match id {
            "" => Err("A payment of this link has no id.".to_owned()),
            id => mollie::of_entity(entity, id.to_owned(), Proof::ReadBack),
        };
        api::event(reading, id)
    });
    Ok(Step::Told(events.collect()))
}

/// Makes a payment by iDEAL. Classic pings go to an address that is said with each payment; next-gen
/// webhooks are set up once.
pub(super) fn make(endpoint: &Endpoint, order: &Order, answers: &[Answer], says_where: bool) -> api::Ended<Step> {
    let Some(answer) = answers.first() else {
        let mut body = serde_json::json!({
            "amount": { "currency": order.amount.currency.as_str(), "value": order.amount.value() },
            "description": order.reference,
            "method": "ideal",
            "redirectUrl": order.return_url,
            "metadata": { "reference": order.reference, "activation": order.activation },
        });
        if says_where && let serde_json::Value::Object(fields) = &mut body {
            fields.insert("webhookUrl".to_owned(), order.notify_url.clone().into());
        }
        let headers = vec![
            api::bearer(endpoint)?,
            ("content-type", "application/json".to_owned()),
            ("idempotency-key", order.key.clone()),
        ];
        let base = api::base(endpoint, "https://api.mollie.com");
        return Ok(api::post(
            format!("{base}/v2/payments"),
            headers,
            body.to_string().into_bytes(),
        ));
    };
    let document = api::document(answer, endpoint)?;
    let id = text(&document, "/id").and_then(api::plain);
    let url = text(&document, "/_links/checkout/href").and_then(api::to_a_payer);
    let (Some(payment_id), Some(url)) = (id, url) else {
        return Err(Step::Later(
            "Mollie's answer names no payment and checkout address.".to_owned(),
        ));
    };
    Ok(Step::Made(Made {
        payment_id: payment_id.to_owned(),
        url: url.to_owned(),
        subject: format!("payment/{payment_id}"),
    }))
}
