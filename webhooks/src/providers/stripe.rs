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
use eencent_activations::notification::{Event, Mode, PaymentNotification, PaymentStatus, ReferenceHint, Told};
use eencent_activations::personal::{AccountNumber, HolderName};
use serde_json::Value;

use super::{Authentic, Key, Provider, Reply, Request, claimed, shared_keys};
use crate::document::{self, present, text};
use crate::endpoint::Endpoint;
use crate::refused::{Code, Refused};
use crate::signature;
use crate::translation::{
    Reading, event_of, exact, id, ignored, minor_amount, payment, reference_in_metadata, unknown_type, unreadable,
    within,
};

/// Stripe; see the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stripe;

const HEADER: &str = "stripe-signature";
const SHOWN: &str = "Stripe-Signature";

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn headers(&self) -> &'static [&'static str] {
        &[HEADER, "content-type"]
    }

    fn key(&self, secret: &str) -> Result<Key, &'static str> {
        Ok(Key::shared(secret))
    }

    fn advice(&self, _: &Endpoint) -> Vec<String> {
        Vec::new()
    }

    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused> {
        endpoint.check_basic_auth(request.headers)?;
        let Some(joined) = signature::header(request.headers, HEADER, ',')? else {
            return Err(Refused::new(
                Code::MissingSignature,
                "The header Stripe-Signature is missing. This isn't Stripe, or a proxy removed the header.",
            ));
        };
        let mut signed_at = None;
        let mut given = Vec::new();
        let mut versions = 0;
        for item in signature::items(&joined, ',', SHOWN)? {
            match item.split_once('=') {
                Some(("t", seconds)) => {
                    let read = signature::unix_seconds(seconds)
                        .ok_or_else(|| malformed("its t isn't whole seconds in digits"))?;
                    if signed_at.replace((seconds, read)).is_some() {
                        return Err(malformed("it says t twice"));
                    }
                }
                Some(("v1", code)) => {
                    versions += 1;
                    given.extend(signature::lower_hex(code));
                }
                // v0 in test mode, and whatever comes next.
                Some(_) => {}
                None => return Err(malformed("it isn't a list of name=value")),
            }
        }
        let (seconds, signed_at) = signed_at.ok_or_else(|| malformed("it has no t"))?;
        if versions == 0 {
            return Err(malformed("it has no v1"));
        }
        let secrets = endpoint.secrets();
        let parts = [seconds.as_bytes(), b".", request.body];
        let number = signature::made_by(shared_keys(endpoint), &parts, &given)
            .ok_or_else(|| signature::mismatch(secrets, SHOWN))?;
        signature::check_time(signed_at, now, endpoint.tolerance())?;
        Ok(Authentic::whole_message(
            request,
            format!("Stripe's signature over time and body (HMAC-SHA-256, v1), secret {number} of {secrets}"),
        ))
    }

    fn translate(&self, authentic: &Authentic<'_>, _: &Endpoint) -> Vec<Event> {
        let body = authentic.request().body;
        vec![match header_of(body) {
            Ok((event_id, kind, document)) => event_of(body, &event_id, reading(&kind, &document, authentic)),
            Err(why) => unreadable(body, why),
        }]
    }

    fn reply(&self) -> Reply {
        Reply::EMPTY
    }

    fn claimed_id(&self, request: &Request<'_>) -> Option<String> {
        claimed::in_body(request.body, "id")
    }
}

fn malformed(what: &str) -> Refused {
    Refused::new(
        Code::MalformedSignature,
        format!(
            "Stripe-Signature isn't written as Stripe writes it: {what}. This isn't Stripe, or a proxy rewrote the header."
        ),
    )
}

fn header_of(body: &[u8]) -> Result<(String, String, Value), String> {
    let document = document::read(body)?;
    let event_id = id(document.get("id"), "The event's `id`")?;
    let kind = id(document.get("type"), "The event's `type`")?;
    Ok((event_id, kind, document))
}

fn reading(kind: &str, event: &Value, authentic: &Authentic<'_>) -> Reading {
    if text(event, "/object") == Some("v2.core.event") {
        return ignored(kind, "a thin event, which holds no payment");
    }
    let object = present(event, "/data/object").ok_or("The event has no `data.object`.")?;
    let told = match kind {
        "charge.succeeded" | "charge.captured" => of_charge(object, PaymentStatus::Paid, authentic),
        "charge.pending" => of_charge(object, PaymentStatus::Pending, authentic),
        "charge.failed" => of_charge(object, PaymentStatus::Failed, authentic),
        "charge.expired" => of_charge(object, PaymentStatus::Expired, authentic),
        "charge.refunded" => of_charge(object, PaymentStatus::Refunded, authentic),
        "charge.dispute.created" => of_dispute(object, authentic),
        "charge.dispute.funds_reinstated" => {
            return Err(
                "A dispute ended in our favour: the money is here again. Look at the payment at Stripe.".to_owned(),
            );
        }
        "refund.failed" => of_failed_refund(object, authentic),
        "payment_intent.succeeded" => of_intent(event, object, PaymentStatus::Paid, authentic),
        "payment_intent.processing" | "payment_intent.partially_funded" | "payment_intent.requires_action" => {
            of_intent(event, object, PaymentStatus::Pending, authentic)
        }
        "payment_intent.payment_failed" => of_intent(event, object, PaymentStatus::Failed, authentic),
        "payment_intent.canceled" => of_intent(event, object, PaymentStatus::Cancelled, authentic),
        "checkout.session.expired" => of_session(object, authentic),
        "customer_cash_balance_transaction.created" => of_cash_balance(object, authentic),
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

fn of_charge(charge: &Value, said: PaymentStatus, authentic: &Authentic<'_>) -> Understood {
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
    let mut told = payment(payment_id(charge, "id")?, status, authentic.proof());
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

fn of_dispute(dispute: &Value, authentic: &Authentic<'_>) -> Understood {
    expect_object(dispute, "dispute")?;
    let mut told = payment(
        payment_id(dispute, "charge")?,
        PaymentStatus::ChargedBack,
        authentic.proof(),
    );
    told.amount = amount_of(dispute, "amount")?;
    told.reference = reference_in_metadata(dispute.get("metadata"));
    Ok(told)
}

fn of_failed_refund(refund: &Value, authentic: &Authentic<'_>) -> Understood {
    expect_object(refund, "refund")?;
    let mut told = payment(
        payment_id(refund, "charge")?,
        PaymentStatus::RefundFailed,
        authentic.proof(),
    );
    told.amount = amount_of(refund, "amount")?;
    told.reference = reference_in_metadata(refund.get("metadata"));
    Ok(told)
}

fn of_intent(event: &Value, intent: &Value, said: PaymentStatus, authentic: &Authentic<'_>) -> Understood {
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
    let mut told = payment(
        id(intent.get("id"), "The payment intent's `id`")?,
        status,
        authentic.proof(),
    );
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

fn of_session(session: &Value, authentic: &Authentic<'_>) -> Understood {
    expect_object(session, "checkout.session")?;
    let mut told = payment(payment_id(session, "id")?, PaymentStatus::Expired, authentic.proof());
    told.amount = match present(session, "/amount_total") {
        None => None,
        Some(_) => amount_of(session, "amount_total")?,
    };
    told.reference = reference(session);
    Ok(told)
}

fn of_cash_balance(transaction: &Value, authentic: &Authentic<'_>) -> Understood {
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
        authentic.proof(),
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
