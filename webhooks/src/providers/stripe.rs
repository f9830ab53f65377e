//! Stripe: snapshot events (Stripe's documentation, "Webhooks", and the types of its libraries).
//!
//! - **Proof.** `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA-256 over `t`, a
//!   point and the raw body, the key being the whole secret as text, `whsec_` included. Any `v1` may
//!   match; other versions are not looked at. Stricter than Stripe's libraries: the time may be as
//!   far ahead as behind, is of digits alone, and is said once.
//! - **Answer.** 200, empty. Stripe retries for three days, in any order.
//!
//! | event | what it is here |
//! |---|---|
//! | `charge.succeeded`, `.captured`, `.pending`, `.failed`, `.expired` | the payment; for iDEAL with the name that the bank verified and the account's last four digits |
//! | `charge.*` that spends a cash balance | ignored: that money was told when it came in, and counting it here would count it twice |
//! | `charge.refunded`, `charge.dispute.created` | refunded, charged back |
//! | `refund.failed` | refund failed |
//! | `payment_intent.*` | where the payment stands, never a name: the charge follows |
//! | `payment_intent.succeeded` that can only have spent a cash balance | ignored, as above; one that may have waits for its charge |
//! | `checkout.session.expired` | expired |
//! | `customer_cash_balance_transaction.created`, `funded` | a bank transfer came in: paid, with the sender's name as his bank supplied it |
//! | the same, `funding_reversed` or `return_initiated` | quarantined: money went back, and it doesn't say of which payment |
//! | `charge.dispute.funds_reinstated` | quarantined: money came back, a person has to see it |
//! | other types of these families | quarantined if unknown |
//! | other families, and v2 thin events | ignored |
//!
//! So the endpoint at Stripe needs `charge.*` for iDEAL and `customer_cash_balance_transaction.created`
//! for bank transfers. `billing_details.name` is what the payer typed: it is never read.
//!
//! The payment's id is that of the payment intent where there is one, so that intent, charge and
//! refund are one payment. Its time is the charge's or transaction's `created`; a payment intent's
//! `created` is when it was begun, so there it is the event's. A charge's amount is the charge's even
//! when part of it was refunded.

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Mode, PaymentNotification, PaymentStatus, Proof, ReferenceHint, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use eencent_activations::reread::{Answer, Step};

use super::{Authentic, Key, ProvenWith, Provider, Reply, Request, claimed};
use crate::api;
use crate::document::{self, Value, present, text};
use crate::endpoint::Endpoint;
use crate::refused::Refused;
use crate::timed::Timed;
use crate::translation::{
    Reading, event_of, exact, id, ignored, minor_amount, payment, reference_in_metadata, unknown_type, unreadable,
    within,
};

/// Stripe; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stripe;

const SIGNATURE: Timed = Timed {
    header: "stripe-signature",
    shown: "Stripe-Signature",
    sender: "Stripe",
};

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
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
            format!("Stripe's signature over time and body (HMAC-SHA-256, v1), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        vec![match header_of(body) {
            Ok((event_id, kind, document)) => {
                let mut event = event_of(body, &event_id, reading(&kind, &document, authentic.proof()));
                // Its charge tells by whom; asking makes sure of it where charges aren't subscribed to.
                if let Told::Payment(told) = &event.told
                    && told.name_comes_separately
                    && told.status == PaymentStatus::Paid
                    && endpoint.has_api_key()
                {
                    event.reread = api::plain(&told.payment_id).map(|id| format!("intent/{id}"));
                }
                event
            }
            Err(why) => unreadable(body, why),
        }]
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

/// A payment intent with its last charge, which says by whom it was paid.
fn read_back(endpoint: &Endpoint, subject: &str, answers: &[Answer]) -> api::Ended<Step> {
    let (_, ids) = api::subject(subject)?;
    let Some(asked) = ids.first().copied() else {
        return Ok(Step::Never("A payment intent is read by its id.".to_owned()));
    };
    let Some(answer) = answers.first() else {
        let base = api::base(endpoint, "https://api.stripe.com");
        let url = format!("{base}/v1/payment_intents/{asked}?expand%5B%5D=latest_charge");
        return Ok(api::get(url, vec![api::bearer(endpoint)?]));
    };
    let intent = api::document(answer, endpoint)?;
    api::about(text(&intent, "/id"), asked)?;
    let Some(charge) = present(&intent, "/latest_charge").filter(|charge| charge.is_object()) else {
        return Ok(Step::Never(
            "The payment intent has no charge yet; its charge is told when there is one.".to_owned(),
        ));
    };
    let said = match text(charge, "/status") {
        Some("succeeded") => PaymentStatus::Paid,
        Some("failed") => PaymentStatus::Failed,
        _ => PaymentStatus::Pending,
    };
    Ok(match of_charge(charge, said, Proof::ReadBack) {
        Ok(mut told) => {
            told.mode = match intent.get("livemode") {
                Some(Value::Bool(live)) => Some(if *live { Mode::Live } else { Mode::Test }),
                _ => None,
            };
            Step::Told(vec![api::event(Ok(told), asked)])
        }
        Err(Unusable::Spent | Unusable::NotFunding(_)) => Step::Told(Vec::new()),
        Err(Unusable::Unreadable(why)) => Step::Told(vec![api::event(Err(why), asked)]),
    })
}

fn header_of(body: &[u8]) -> Result<(String, String, Value<'_>), String> {
    let document = document::read(body)?;
    let event_id = id(document.get("id"), "The event's `id`")?;
    let kind = id(document.get("type"), "The event's `type`")?;
    Ok((event_id, kind, document))
}

fn reading(kind: &str, event: &Value, proof: Proof) -> Reading {
    if text(event, "/object") == Some("v2.core.event") {
        return ignored(kind, "a thin event, which holds no payment");
    }
    let object = present(event, "/data/object").ok_or("The event has no `data.object`.")?;
    let told = match kind {
        "charge.succeeded" | "charge.captured" => of_charge(object, PaymentStatus::Paid, proof),
        "charge.pending" => of_charge(object, PaymentStatus::Pending, proof),
        "charge.failed" => of_charge(object, PaymentStatus::Failed, proof),
        "charge.expired" => of_charge(object, PaymentStatus::Expired, proof),
        "charge.refunded" => of_charge(object, PaymentStatus::Refunded, proof),
        "charge.dispute.created" => of_dispute(object, proof),
        "charge.dispute.funds_reinstated" => {
            return Err(
                "A dispute ended in our favour: the money is here again. Look at the payment at Stripe.".to_owned(),
            );
        }
        "refund.failed" => of_failed_refund(object, proof),
        "payment_intent.succeeded" => of_intent(event, object, PaymentStatus::Paid, proof),
        "payment_intent.processing" | "payment_intent.partially_funded" | "payment_intent.requires_action" => {
            of_intent(event, object, PaymentStatus::Pending, proof)
        }
        "payment_intent.payment_failed" => of_intent(event, object, PaymentStatus::Failed, proof),
        "payment_intent.canceled" => of_intent(event, object, PaymentStatus::Cancelled, proof),
        "checkout.session.expired" => of_session(object, proof),
        "customer_cash_balance_transaction.created" => of_cash_balance(object, proof),
        "charge.updated"
        | "charge.refund.updated"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "refund.created"
        | "refund.updated"
        | "payment_intent.created"
        | "payment_intent.amount_capturable_updated"
        | "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed" => {
            return ignored(kind, "another event tells what matters of it");
        }
        other => {
            let families = [
                "charge.",
                "refund.",
                "payment_intent.",
                "checkout.session.",
                "customer_cash_balance_transaction.",
            ];
            return if families.iter().any(|family| other.starts_with(family)) {
                unknown_type(other)
            } else {
                ignored(other, "not about a payment to us")
            };
        }
    };
    match told {
        Ok(mut told) => {
            told.mode = match event.get("livemode") {
                Some(Value::Bool(live)) => Some(if *live { Mode::Live } else { Mode::Test }),
                None | Some(Value::Null) => None,
                Some(_) => return Err("`livemode` is neither true nor false.".to_owned()),
            };
            Ok(Told::Payment(Box::new(told)))
        }
        Err(Unusable::Spent) => ignored(
            kind,
            "spends a cash balance; the money was told when it came in (customer_cash_balance_transaction.created)",
        ),
        Err(Unusable::NotFunding(what)) => ignored(kind, &format!("moves money that is here already ({what})")),
        Err(Unusable::Unreadable(why)) => Err(why),
    }
}

/// Why an object is no payment to us.
enum Unusable {
    /// It spends money that was told already.
    Spent,
    /// A cash balance transaction of a kind that brings no money.
    NotFunding(String),
    /// It can't be read.
    Unreadable(String),
}

impl From<String> for Unusable {
    fn from(why: String) -> Self {
        Self::Unreadable(why)
    }
}

type Understood = Result<PaymentNotification, Unusable>;

fn expect_object(object: &Value, name: &str) -> Result<(), String> {
    match text(object, "/object") {
        Some(found) if found == name => Ok(()),
        _ => Err(format!("`data.object` isn't a {name}.")),
    }
}

/// The payment intent's id, else the object's own.
fn payment_id(object: &Value, own: &str) -> Result<String, String> {
    match present(object, "/payment_intent") {
        // A field that may be expanded into the whole object.
        Some(Value::Object(intent)) => id(intent.get("id"), "The payment intent's `id`"),
        Some(intent) => id(Some(intent), "`payment_intent`"),
        None => id(object.get(own), &format!("The object's `{own}`")),
    }
}

fn created(object: &Value) -> Option<Timestamp> {
    object.get("created")?.as_i64().map(Timestamp::from_unix_seconds)
}

fn amount_of(object: &Value, field: &str) -> Result<Option<eencent_activations::money::Money>, String> {
    minor_amount(object.get(field), object.get("currency"), &format!("`{field}`")).map(Some)
}

fn reference(object: &Value) -> Option<ReferenceHint> {
    reference_in_metadata(object.get("metadata"))
        .or_else(|| exact(text(object, "/client_reference_id")))
        .or_else(|| within(text(object, "/description")))
}

fn of_charge(charge: &Value, said: PaymentStatus, proof: Proof) -> Understood {
    expect_object(charge, "charge")?;
    let method = text(charge, "/payment_method_details/type");
    if method == Some("customer_balance") && said != PaymentStatus::Refunded {
        return Err(Unusable::Spent);
    }
    let status = match said {
        PaymentStatus::Paid if charge.get("paid") != Some(&Value::Bool(true)) => {
            return Err("The charge succeeded, yet its `paid` isn't true.".to_owned().into());
        }
        PaymentStatus::Paid if charge.get("captured") == Some(&Value::Bool(false)) => PaymentStatus::Pending,
        PaymentStatus::Paid
            if charge
                .get("amount_refunded")
                .and_then(Value::as_i64)
                .is_some_and(|back| back > 0) =>
        {
            PaymentStatus::Refunded
        }
        other => other,
    };
    let mut told = payment(payment_id(charge, "id")?, status, proof);
    told.amount = amount_of(charge, "amount")?;
    if method == Some("ideal") {
        told.holder = text(charge, "/payment_method_details/ideal/verified_name").and_then(HolderName::parse);
        told.account_number =
            text(charge, "/payment_method_details/ideal/iban_last4").and_then(AccountNumber::last_digits);
    }
    told.reference = reference(charge);
    if matches!(status, PaymentStatus::Paid | PaymentStatus::Refunded) {
        told.paid_at = created(charge);
    }
    Ok(told)
}

fn of_dispute(dispute: &Value, proof: Proof) -> Understood {
    expect_object(dispute, "dispute")?;
    let mut told = payment(payment_id(dispute, "charge")?, PaymentStatus::ChargedBack, proof);
    told.amount = amount_of(dispute, "amount")?;
    told.reference = reference_in_metadata(dispute.get("metadata"));
    Ok(told)
}

fn of_failed_refund(refund: &Value, proof: Proof) -> Understood {
    expect_object(refund, "refund")?;
    let mut told = payment(payment_id(refund, "charge")?, PaymentStatus::RefundFailed, proof);
    told.amount = amount_of(refund, "amount")?;
    told.reference = reference_in_metadata(refund.get("metadata"));
    Ok(told)
}

fn of_intent(event: &Value, intent: &Value, said: PaymentStatus, proof: Proof) -> Understood {
    expect_object(intent, "payment_intent")?;
    let methods: Vec<&str> = intent
        .get("payment_method_types")
        .and_then(Value::as_array)
        .map(|methods| methods.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let status = match said {
        PaymentStatus::Paid if methods == ["customer_balance"] => return Err(Unusable::Spent),
        // It doesn't say which of its methods was used; its charge does.
        PaymentStatus::Paid if methods.contains(&"customer_balance") => PaymentStatus::Pending,
        other => other,
    };
    let mut told = payment(id(intent.get("id"), "The payment intent's `id`")?, status, proof);
    let field = if status == PaymentStatus::Paid {
        "amount_received"
    } else {
        "amount"
    };
    told.amount = amount_of(intent, field)?;
    told.reference = reference(intent);
    if status == PaymentStatus::Paid {
        told.paid_at = created(event);
    }
    told.name_comes_separately = true;
    Ok(told)
}

fn of_session(session: &Value, proof: Proof) -> Understood {
    expect_object(session, "checkout.session")?;
    let mut told = payment(payment_id(session, "id")?, PaymentStatus::Expired, proof);
    told.amount = match present(session, "/amount_total") {
        None => None,
        Some(_) => amount_of(session, "amount_total")?,
    };
    told.reference = reference(session);
    Ok(told)
}

fn of_cash_balance(transaction: &Value, proof: Proof) -> Understood {
    expect_object(transaction, "customer_cash_balance_transaction")?;
    match text(transaction, "/type") {
        Some("funded") => {}
        Some("funding_reversed" | "return_initiated") => {
            return Err("Money of a customer's cash balance went back, and it doesn't say of which payment. Look at the customer at Stripe.".to_owned().into());
        }
        Some(other) => return Err(Unusable::NotFunding(other.chars().take(60).collect())),
        None => return Err("The transaction has no `type`.".to_owned().into()),
    }
    let mut told = payment(
        id(transaction.get("id"), "The transaction's `id`")?,
        PaymentStatus::Paid,
        proof,
    );
    told.amount = amount_of(transaction, "net_amount")?;
    let transfer = present(transaction, "/funded/bank_transfer")
        .ok_or_else(|| "The transaction has no `funded.bank_transfer`.".to_owned())?;
    told.holder = text(transfer, "/eu_bank_transfer/sender_name").and_then(HolderName::parse);
    told.account_number = text(transfer, "/eu_bank_transfer/iban_last4").and_then(AccountNumber::last_digits);
    told.reference = within(text(transfer, "/reference"));
    told.paid_at = created(transaction);
    Ok(told)
}
