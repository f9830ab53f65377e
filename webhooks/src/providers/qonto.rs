//! Qonto: webhooks about one's own account (Qonto's documentation, "Webhooks").
//!
//! - **Proof.** `X-Qonto-Signature: t=<unix seconds>,v1=<hex>`, as `timed` has it; the secret is the one
//!   given when the subscription was made.
//! - **Answer.** 200, empty, within one second.
//! - The event's id is `id`. Only completed transfers that came in (`side` credit) count; the holder's name
//!   is `label` and the account `counterparty_account_number`, as the payer's bank gave them. Amounts are
//!   JSON numbers, and are read from their digits.

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;
use eencent_activations::notification::{Event, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed};
use crate::document::{self, Value, text};
use crate::endpoint::Endpoint;
use crate::refused::Refused;
use crate::timed::Timed;
use crate::translation::{Reading, event_of, id, ignored, payment, unreadable, within, within_reason};

/// Qonto; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Qonto;

const SIGNATURE: Timed = Timed {
    header: "x-qonto-signature",
    shown: "X-Qonto-Signature",
    sender: "Qonto",
};

impl Provider for Qonto {
    fn name(&self) -> &'static str {
        "qonto"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[SIGNATURE.header, "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn proven_with(&self) -> ProvenWith {
        ProvenWith::Secrets
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let number = SIGNATURE.check(request, endpoint, now)?;
        let secrets = endpoint.secrets();
        Ok(Authentic::whole_message(
            request,
            format!("Qonto's signature over time and body (HMAC-SHA-256, v1), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        let read =
            document::read(body).and_then(|document| Ok((id(document.get("id"), "The event's `id`")?, document)));
        vec![match read {
            Ok((event_id, document)) => event_of(body, &event_id, reading(body, &document, authentic.proof())),
            Err(why) => unreadable(body, why),
        }]
    }

    // Qonto's documentation asks for an answer within a second.
    fn deadline(&self) -> std::time::Duration {
        std::time::Duration::from_secs(1)
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

#[derive(Deserialize)]
struct Digits<'b> {
    #[serde(borrow)]
    data: Amount<'b>,
}

#[derive(Deserialize)]
struct Amount<'b> {
    #[serde(borrow)]
    amount: &'b RawValue,
}

fn reading(body: &[u8], document: &Value, proof: Proof) -> Reading {
    let kind = text(document, "/type").ok_or("The event has no `type`.")?;
    if kind != "v1/transactions" {
        return ignored(kind, "not about a transaction");
    }
    let data = document.get("data").unwrap_or(&Value::Null);
    match text(data, "/side") {
        Some("credit") => {}
        Some("debit") => return ignored(kind, "money that went out"),
        _ => return Err("`data.side` is neither credit nor debit.".to_owned()),
    }
    let status = match text(data, "/status").unwrap_or_default() {
        "completed" => PaymentStatus::Paid,
        "pending" => PaymentStatus::Pending,
        "declined" => PaymentStatus::Failed,
        "reversed" => PaymentStatus::Refunded,
        "canceled" | "cancelled" => PaymentStatus::Cancelled,
        _ => return Err("`data.status` is a word that isn't known here.".to_owned()),
    };
    let number =
        id(data.get("id"), "`data.id`").or_else(|_| id(data.get("transaction_id"), "`data.transaction_id`"))?;
    let mut told = payment(number, status, proof);
    let wrong = || "`data.amount` isn't a decimal number and a currency.".to_owned();
    let digits: Digits<'_> = serde_json::from_slice(body).map_err(|_| wrong())?;
    let currency = text(data, "/currency").unwrap_or_default();
    let amount = Money::parse(digits.data.amount.get(), currency).map_err(|_| wrong())?;
    told.amount = Some(within_reason(amount, "`data.amount`")?);
    told.holder = text(data, "/label").and_then(HolderName::parse);
    let kind_of = text(data, "/operation_type")
        .or_else(|| text(data, "/subject_type"))
        .unwrap_or_default();
    // Of a card or a direct debit the label is what a merchant or a creditor calls himself.
    let by_transfer = ["income", "transfer", "swift_income", "instant_income"];
    if told.holder.is_some() && !by_transfer.iter().any(|known| kind_of.eq_ignore_ascii_case(known)) {
        told.proof = Proof::SomeFields;
    }
    told.account_number = ["/income", "/transfer", "/instant_income"]
        .iter()
        .find_map(|part| text(data.pointer(part)?, "/counterparty_account_number"))
        .and_then(AccountNumber::iban);
    told.reference = within(text(data, "/reference"));
    if status == PaymentStatus::Paid {
        let at = text(data, "/settled_at").or_else(|| text(data, "/emitted_at"));
        told.paid_at = at.and_then(Timestamp::parse_rfc3339);
    }
    Ok(Told::Payment(Box::new(told)))
}
