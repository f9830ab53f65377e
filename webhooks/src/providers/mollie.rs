//! Mollie: next-gen webhooks (Mollie's documentation, "Webhooks", and its OpenAPI description).
//!
//! - **Proof.** `X-Mollie-Signature: sha256=<hex>`, HMAC-SHA-256 over the raw body, the key being the
//!   webhook's secret as text. During the 24 hours after a change of secret the header comes twice;
//!   a proxy may fold the two into one with a comma. No time is signed, so a replay can't be told by
//!   its age: it is told by the event's id, which is kept.
//! - **Classic pings** (`id=tr_…`, unsigned by design) prove nothing and are refused here; they have a
//!   provider of their own, `mollie_classic`.
//! - **Read back.** With an API key, what an event leaves out is read from Mollie's API.
//! - **Answer.** 200, empty. Mollie tries ten times in 26 hours and then stops.
//!
//! | event | what it is here |
//! |---|---|
//! | `payment.*` with the payment embedded | the payment's own `status`; `amountRefunded` or `amountChargedBack` above nothing make it refunded or charged back, since Mollie leaves `status` at `paid` |
//! | `payment.*` without ("simple") | the status that the type says, no amount; name and amount come with another event or not at all |
//! | `payment-link.paid` | ignored: the payment behind the link has an id and a `payment.paid` of its own, with the payer; subscribe to that |
//! | `refund.refunded`, `refund.failed` | refunded, refund failed, of the payment that it takes back |
//! | `chargeback.received` | charged back, of that payment |
//! | `chargeback.reversed` | quarantined: money came back, a person has to see it |
//! | `unmatched-credit-transfer.received`, `.returned` | paid, refunded; the sender's name is the bank's, the reference is in the remittance information |
//! | `unmatched-credit-transfer.matched` | quarantined: the same money will be told again as a payment |
//! | other refunds, `sales-invoice.*`, `business-account-transfer.*`, … | ignored |
//! | anything else | quarantined |
//!
//! Names come from `details.consumerName` alone. `details.bankName` and `bankAccount` of a bank
//! transfer are Mollie's own and never read. The time of payment is `paidAt`, of an unmatched
//! transfer `createdAt`, of a simple event the event's `createdAt`.

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, PaymentNotification, PaymentStatus, Proof, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Order, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed, mollie_classic, shared_keys};
use crate::api;
use crate::document::{self, Value, present, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{
    Reading, decimal_amount, event_of, id, ignored, mode, more_than_nothing, payment, reference_in_metadata,
    remittance, unknown_type, unreadable, within,
};

/// Mollie; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mollie;

const HEADER: &str = "x-mollie-signature";

impl Provider for Mollie {
    fn name(&self) -> &'static str {
        "mollie"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[HEADER, "content-type"]
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
        _: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let Some(joined) = signature::header(request.headers, HEADER, ',')? else {
            return Err(unsigned(request.body));
        };
        let given: Vec<_> = signature::items(&joined, ',', "X-Mollie-Signature")?
            .into_iter()
            .filter_map(|item| signature::lower_hex(item.strip_prefix("sha256=").unwrap_or(item)))
            .collect();
        if given.is_empty() {
            return Err(Refused::new(
                Code::MalformedSignature,
                "X-Mollie-Signature isn't sha256= and 64 lower-case hexadecimal digits. This isn't Mollie, or a proxy rewrote the header.",
            ));
        }
        let secrets = endpoint.secrets();
        match signature::made_by(shared_keys(endpoint), &[request.body], &given) {
            Some(number) => Ok(Authentic::whole_message(
                request,
                format!("Mollie's signature over the whole body (HMAC-SHA-256), secret {number} of {secrets}"),
            )),
            None => Err(signature::mismatch(secrets, "X-Mollie-Signature")),
        }
    }

    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        vec![match header_of(body) {
            Ok((event_id, kind, document)) => {
                let mut event = event_of(body, &event_id, reading(&kind, &document, authentic.proof()));
                if endpoint.has_api_key() {
                    event.reread = to_read(&kind, &document, &event.told);
                }
                event
            }
            Err(why) => unreadable(body, why),
        }]
    }

    fn read_back(&self, endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> Step {
        api::step(mollie_classic::read_back(endpoint, subject, answers))
    }

    fn make(&self, endpoint: &Endpoint, order: &Order, answers: &[Answer]) -> Step {
        api::step(mollie_classic::make(endpoint, order, answers, false))
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
        claimed::in_body(request.body, "id")
    }
}

fn unsigned(body: &[u8]) -> Refused {
    let what = if body.starts_with(b"id=") {
        "This is a classic ping (id=…), which Mollie doesn't sign. Create a webhook of the next generation for this address (Mollie's dashboard, or its Webhooks API) and remove the webhookUrl from payments; or give classic pings an endpoint of their own, with provider mollie_classic."
    } else {
        "The header X-Mollie-Signature is missing. This isn't Mollie, or a proxy removed the header."
    };
    Refused::new(Code::MissingSignature, what)
}

/// What an event leaves out: a simple one everything but the status, one of a payment link the payment.
fn to_read(kind: &str, event: &Value, told: &Told) -> Option<String> {
    match told {
        Told::Payment(told) if present(event, "/_embedded/entity").is_none() => {
            api::plain(&told.payment_id).map(|id| format!("payment/{id}"))
        }
        Told::Ignored(_) if kind == "payment-link.paid" => {
            api::plain(text(event, "/entityId")?).map(|id| format!("link/{id}"))
        }
        _ => None,
    }
}

fn header_of(body: &[u8]) -> Result<(String, String, Value<'_>), String> {
    let document = document::read(body)?;
    if present(&document, "/resource").is_some_and(|resource| resource.as_str() != Some("event")) {
        return Err("This isn't an event of Mollie's next-gen webhooks (`resource` isn't event).".to_owned());
    }
    let event_id = id(document.get("id"), "The event's `id`")?;
    let kind = id(document.get("type"), "The event's `type`")?;
    Ok((event_id, kind, document))
}

fn reading(kind: &str, event: &Value, proof: Proof) -> Reading {
    let entity = present(event, "/_embedded/entity");
    let told = match kind.split_once('.') {
        Some(("payment", verb)) => match (status(verb), entity) {
            (None, _) => return unknown_type(kind),
            (Some(_), Some(entity)) => of_payment(event, entity, proof)?,
            (Some(status), None) => simple(event, status, proof)?,
        },
        // The payment behind the link has an id of its own; counting both would count the money twice.
        Some(("payment-link", "paid")) => {
            return ignored(
                kind,
                "payment.paid tells of the payment behind the link, with its payer",
            );
        }
        Some(("refund", "refunded")) => of_taking_back(event, entity, PaymentStatus::Refunded, proof)?,
        Some(("refund", "failed")) => of_taking_back(event, entity, PaymentStatus::RefundFailed, proof)?,
        Some(("refund", "queued" | "pending" | "processing" | "canceled")) => {
            return ignored(kind, "the money hasn't moved; refund.refunded tells when it has");
        }
        Some(("chargeback", "received")) => of_taking_back(event, entity, PaymentStatus::ChargedBack, proof)?,
        Some(("chargeback", "reversed")) => {
            return Err(
                "A chargeback was reversed: the money is here again. Look at the payment at Mollie.".to_owned(),
            );
        }
        Some(("unmatched-credit-transfer", "received")) => of_transfer(event, entity, PaymentStatus::Paid, proof)?,
        Some(("unmatched-credit-transfer", "returned")) => of_transfer(event, entity, PaymentStatus::Refunded, proof)?,
        Some(("unmatched-credit-transfer", "matched")) => {
            return Err("A transfer that was told before was matched to a payment at Mollie, which will be told as a payment of its own: see that the money isn't counted twice.".to_owned());
        }
        Some(("unmatched-credit-transfer", "expired")) => {
            return ignored(
                kind,
                "unmatched-credit-transfer.returned tells when the money goes back",
            );
        }
        Some((
            "sales-invoice"
            | "business-account-transfer"
            | "profile"
            | "balance-transaction"
            | "connect-balance-transfer"
            | "hook",
            _,
        )) => return ignored(kind, "not about a payment to us"),
        _ => return unknown_type(kind),
    };
    Ok(Told::Payment(Box::new(told)))
}

/// Mollie's words for where a payment stands: an entity's `status`, and the verb of an event.
fn status(word: &str) -> Option<PaymentStatus> {
    Some(match word {
        "open" | "pending" | "authorized" => PaymentStatus::Pending,
        "paid" => PaymentStatus::Paid,
        "failed" => PaymentStatus::Failed,
        "canceled" => PaymentStatus::Cancelled,
        "expired" => PaymentStatus::Expired,
        _ => return None,
    })
}

/// That the embedded entity is the one that the event is about, and its id.
fn entity_id(event: &Value, entity: &Value) -> Result<String, String> {
    let inner = id(entity.get("id"), "The entity's `id`")?;
    match present(event, "/entityId") {
        Some(outer) if outer.as_str() != Some(&inner) => {
            Err("`entityId` and the embedded entity name different ids.".to_owned())
        }
        _ => Ok(inner),
    }
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text(value, pointer)?)
}

fn of_payment(event: &Value, entity: &Value, proof: Proof) -> Result<PaymentNotification, String> {
    let payment_id = entity_id(event, entity)?;
    of_entity(entity, payment_id, proof)
}

/// A payment as Mollie describes it, in an event or in an answer of its API.
pub(super) fn of_entity(entity: &Value, payment_id: String, proof: Proof) -> Result<PaymentNotification, String> {
    let word = text(entity, "/status").ok_or("The payment has no `status`.")?;
    let mut status = status(word).ok_or("The payment's `status` is a word that isn't known here.")?;
    if more_than_nothing(entity, "/amountChargedBack")? {
        status = PaymentStatus::ChargedBack;
    } else if more_than_nothing(entity, "/amountRefunded")? {
        status = PaymentStatus::Refunded;
    }
    let mut told = payment(payment_id, status, proof);
    told.amount = Some(decimal_amount(entity.get("amount"), "The payment's `amount`")?);
    told.holder = text(entity, "/details/consumerName").and_then(HolderName::parse);
    told.account_number = text(entity, "/details/consumerAccount").and_then(AccountNumber::iban);
    // Only of these does the payer's bank say who holds the account; of a direct debit or a wallet it is
    // what somebody typed. Mollie always names the method.
    if told.holder.is_some() && !matches!(text(entity, "/method"), Some("ideal" | "banktransfer") | None) {
        told.proof = Proof::SomeFields;
    }
    told.reference = reference_in_metadata(entity.get("metadata")).or_else(|| within(text(entity, "/description")));
    told.paid_at = time(entity, "/paidAt");
    told.mode = mode(entity.get("mode"))?;
    Ok(told)
}

/// An event without its entity: only that this payment has this status.
fn simple(event: &Value, status: PaymentStatus, proof: Proof) -> Result<PaymentNotification, String> {
    let payment_id = id(event.get("entityId"), "`entityId`")?;
    let mut told = payment(payment_id, status, proof);
    if status == PaymentStatus::Paid {
        told.paid_at = time(event, "/createdAt");
    }
    told.name_comes_separately = true;
    Ok(told)
}

/// A refund or chargeback: told of the payment that it takes back.
fn of_taking_back(
    event: &Value,
    entity: Option<&Value>,
    status: PaymentStatus,
    proof: Proof,
) -> Result<PaymentNotification, String> {
    let Some(entity) = entity else {
        // A simple event names only the refund, but its link leads past the payment.
        let payment_id = text(event, "/_links/entity/href")
            .and_then(|link| link.split('/').skip_while(|part| *part != "payments").nth(1))
            .ok_or("It doesn't say which payment is taken back. Let the webhook send snapshots.")?;
        let payment_id = id(Some(&Value::from(payment_id)), "The payment's id in `_links.entity`")?;
        return Ok(payment(payment_id, status, proof));
    };
    let mut told = payment(id(entity.get("paymentId"), "`paymentId`")?, status, proof);
    told.amount = Some(decimal_amount(entity.get("amount"), "`amount`")?);
    told.reference = reference_in_metadata(entity.get("metadata"));
    told.mode = mode(entity.get("mode"))?;
    Ok(told)
}

fn of_transfer(
    event: &Value,
    entity: Option<&Value>,
    status: PaymentStatus,
    proof: Proof,
) -> Result<PaymentNotification, String> {
    let entity = entity.ok_or("The event doesn't embed the transfer. Let the webhook send snapshots.")?;
    let mut told = payment(entity_id(event, entity)?, status, proof);
    told.amount = Some(decimal_amount(entity.get("amount"), "The transfer's `amount`")?);
    told.holder = text(entity, "/source/accountHolderName").and_then(HolderName::parse);
    told.account_number = text(entity, "/source/iban").and_then(AccountNumber::iban);
    told.reference = remittance(entity.get("remittanceInformation"), "/references/creditorReference");
    told.paid_at = time(entity, "/createdAt");
    told.mode = mode(entity.get("mode"))?;
    Ok(told)
}
