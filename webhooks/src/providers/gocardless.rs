//! GoCardless: webhooks about direct debits (GoCardless' documentation, "Responding to webhooks", and its
//! libraries).
//!
//! - **Proof.** `Webhook-Signature`: lower-case hexadecimal HMAC-SHA-256 over the raw body, the key being
//!   the endpoint's secret as text. No time is signed.
//! - **Answer.** 200, empty, within ten seconds; else eight more tries.
//! - A request tells of several events. None says an amount or a name, so each payment is read from the API
//!   (`GET /payments/{id}`, its mandate, and its bank account) with the access token.
//! - **What it proves.** Of a direct debit the payer types name and account himself; no bank vouches for
//!   them. So a payment by GoCardless always goes to review, with the name for a person to see.
//!
//! | event of a payment | what it is here |
//! |---|---|
//! | `confirmed`, `paid_out` | paid |
//! | `created`, `submitted`, `customer_approval_granted`, `resubmission_requested` | pending |
//! | `failed`, `customer_approval_denied` | failed |
//! | `cancelled` | cancelled |
//! | `charged_back`, `late_failure_settled` | charged back |
//! | `chargeback_cancelled` | quarantined: money came back, a person has to see it |
//! | events of other things | ignored |

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, shared_keys};
use crate::api;
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::hash::Hash;
use crate::refused::{Code, Refused};
use crate::signature::{self, sha256};
use crate::translation::{
    Reading, id, ignored, minor_amount, payment, reference_in_metadata, told, unknown_type, unreadable, unreadable_id,
};

/// GoCardless; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoCardless;

impl Provider for GoCardless {
    fn name(&self) -> &'static str {
        "gocardless"
    }

    fn headers(&self) -> &'static [&'static str] {
        &["webhook-signature", "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn lacks(&self, endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
        if endpoint.has_api_key() {
            return Vec::new();
        }
        vec![(
            "api_key",
            "is missing: GoCardless' messages say no amount, so each payment has to be read from its API (an access token with read rights, from the dashboard under Developers).",
        )]
    }

    fn advice(&self, endpoint: &Endpoint) -> Vec<String> {
        vec![format!(
            "webhooks.{}: of a direct debit no bank says who holds the account, so every payment of this endpoint goes to review.",
            endpoint.name()
        )]
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let given = signature::single(request.headers, "webhook-signature", "Webhook-Signature", "GoCardless")?;
        let given = Hash::Sha256.lower_hex(&given).ok_or_else(|| {
            Refused::new(
                Code::MalformedSignature,
                "Webhook-Signature isn't 64 lower-case hexadecimal digits. This isn't GoCardless, or a proxy rewrote the header.",
            )
        })?;
        let secrets = endpoint.secrets();
        let number = Hash::Sha256
            .made_by(shared_keys(endpoint), &[request.body], &given)
            .ok_or_else(|| signature::mismatch(secrets, "Webhook-Signature"))?;
        Ok(Authentic::whole_message(
            request,
            format!("GoCardless' signature over the whole body (HMAC-SHA-256), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let document = match document::read(body) {
            Ok(document) => document,
            Err(why) => return vec![unreadable(body, why)],
        };
        let listed = document
            .get("events")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        if listed.is_empty() {
            return vec![unreadable(body, "There are no events in it.".to_owned())];
        }
        listed.iter().map(|event| one(event, authentic.proof())).collect()
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(read_back(endpoint, subject, answers))
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn one(event: &Value, proof: Proof) -> Event {
    let digest = sha256(serde_json::Value::from(event).to_string().as_bytes());
    let named = id(event.get("id"), "The event's `id`");
    let (event_id, reading) = match named {
        Ok(event_id) => (event_id, reading(event, proof)),
        Err(why) => (unreadable_id("item", digest), Err(why)),
    };
    let reread = match &reading {
        Ok(Told::Payment(told)) => api::plain(&told.payment_id).map(|id| format!("payment/{id}")),
        _ => None,
    };
    Event {
        event_id,
        digest,
        told: told(reading),
        reread,
    }
}

fn reading(event: &Value, proof: Proof) -> Reading {
    let family = text(event, "/resource_type").ok_or("The event has no `resource_type`.")?;
    let action = text(event, "/action").ok_or("The event has no `action`.")?;
    let kind = format!("{family}.{action}");
    if family != "payments" {
        return ignored(&kind, "not about a payment to us");
    }
    let Some(status) = status(action) else {
        return match action {
            "chargeback_cancelled" => Err(
                "A chargeback was cancelled: the money is here again. Look at the payment at GoCardless.".to_owned(),
            ),
            "chargeback_settled" | "surcharge_fee_credited" | "surcharge_fee_debited" => {
                ignored(&kind, "another event tells what matters of it")
            }
            _ => unknown_type(&kind),
        };
    };
    let mut told = payment(id(event.pointer("/links/payment"), "`links.payment`")?, status, proof);
    if status == PaymentStatus::Paid {
        told.paid_at = text(event, "/created_at").and_then(Timestamp::parse_rfc3339);
    }
    told.name_comes_separately = true;
    Ok(Told::Payment(Box::new(told)))
}

/// GoCardless' words, of an event's action and of a payment's own status.
fn status(word: &str) -> Option<PaymentStatus> {
    Some(match word {
        "confirmed" | "paid_out" => PaymentStatus::Paid,
        "created"
        | "submitted"
        | "pending_submission"
        | "pending_customer_approval"
        | "customer_approval_granted"
        | "resubmission_requested" => PaymentStatus::Pending,
        "failed" | "customer_approval_denied" => PaymentStatus::Failed,
        "cancelled" => PaymentStatus::Cancelled,
        "charged_back" | "late_failure_settled" => PaymentStatus::ChargedBack,
        _ => return None,
    })
}

/// The payment, then its mandate, then the account that the mandate debits.
fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (_, ids) = api::subject(subject)?;
    let asked = ids.first().copied().unwrap_or_default();
    let ask = |path: String| -> api::Ended<Step> {
        let base = api::base(endpoint, "https://api.gocardless.com");
        let version = ("gocardless-version", "2015-07-06".to_owned());
        Ok(api::get(
            format!("{base}/{path}"),
            vec![api::bearer(endpoint)?, version],
        ))
    };
    let linked = |document: &Value, pointer: &str| -> api::Ended<String> {
        let id = text(document, pointer).and_then(api::plain);
        id.map(str::to_owned).ok_or_else(|| {
            Step::Never("The answer of GoCardless' API doesn't say what belongs to the payment.".to_owned())
        })
    };
    let Some(answer) = answers.first() else {
        return ask(format!("payments/{asked}"));
    };
    let paid = api::document(answer, endpoint)?;
    api::about(text(&paid, "/payments/id"), asked)?;
    let mandate = linked(&paid, "/payments/links/mandate")?;
    let Some(answer) = answers.get(1) else {
        return ask(format!("mandates/{mandate}"));
    };
    let debited = api::document(answer, endpoint)?;
    api::about(text(&debited, "/mandates/id"), &mandate)?;
    let account = linked(&debited, "/mandates/links/customer_bank_account")?;
    let Some(answer) = answers.get(2) else {
        return ask(format!("customer_bank_accounts/{account}"));
    };
    let held = api::document(answer, endpoint)?;
    api::about(text(&held, "/customer_bank_accounts/id"), &account)?;
    let reading = |paid: &Value, held: &Value| {
        let status = text(paid, "/status")
            .and_then(status)
            .ok_or("The payment's `status` is a word that isn't known here.")?;
        let mut told = api::payment(asked.to_owned(), status);
        told.proof = Proof::SomeFields;
        told.amount = Some(minor_amount(paid.get("amount"), paid.get("currency"), "`amount`")?);
        told.reference = reference_in_metadata(paid.get("metadata"));
        told.holder = text(held, "/account_holder_name").and_then(HolderName::parse);
        told.account_number = text(held, "/account_number_ending")
            .and_then(|end| AccountNumber::last_digits(end.get(end.len().checked_sub(4)?..)?));
        Ok(told)
    };
    let (paid, held) = (paid.get("payments"), held.get("customer_bank_accounts"));
    let (paid, held) = (paid.unwrap_or(&Value::Null), held.unwrap_or(&Value::Null));
    Ok(Step::Told(vec![api::event(reading(paid, held), asked)]))
}
