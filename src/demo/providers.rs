//! Plays the providers: messages as they send them, signed as they sign them.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use eencent_webhooks::signing;
use serde_json::{Value, json};

use super::client::{Answer, send};

/// Test values, known to everybody who reads this.
const MOLLIE: &str = "demo-secret-of-mollie";
const ADYEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ADYEN_ACCOUNT: &str = "DemoMerchant";
const ADYEN_USER: (&str, &str) = ("adyen", "demo-password-of-adyen");
const STRIPE: &str = "whsec_demo-secret-of-stripe";
const BANK: &str = "whsec_ZGVtby1zZWNyZXQtb2YtdGhlLWJhbms=";

/// The settings of the endpoints that they post to.
pub fn settings() -> Vec<(String, String)> {
    [
        ("MOLLIE__PROVIDER", "mollie"),
        ("MOLLIE__SECRETS", MOLLIE),
        ("ADYEN__PROVIDER", "adyen"),
        ("ADYEN__SECRETS", ADYEN),
        ("ADYEN__ACCOUNT", ADYEN_ACCOUNT),
        ("ADYEN__USERNAME", ADYEN_USER.0),
        ("ADYEN__PASSWORD", ADYEN_USER.1),
        ("STRIPE__PROVIDER", "stripe"),
        ("STRIPE__SECRETS", STRIPE),
        ("BANK__PROVIDER", "standard_webhooks"),
        ("BANK__SECRETS", BANK),
    ]
    .into_iter()
    .map(|(name, value)| (format!("EENCENT__WEBHOOKS__{name}"), value.to_owned()))
    .collect()
}

/// A payment, as its bank made it.
pub struct Paid<'a> {
    /// A number that makes its ids.
    pub number: u32,
    /// What it says it is for.
    pub reference: &'a str,
    /// The account holder.
    pub holder: &'a str,
    /// The account.
    pub iban: &'a str,
    /// When it was made.
    pub at: Timestamp,
    /// How much.
    pub cents: i64,
}

fn euros(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A message, ready to be posted.
pub struct Message {
    endpoint: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Message {
    /// Posts it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, to: SocketAddr) -> anyhow::Result<Answer> {
        send(
            to,
            "POST",
            &format!("/webhooks/{}", self.endpoint),
            &self.headers,
            &self.body,
        )
        .await
    }

    /// As it goes over the line.
    pub fn written(&self) -> String {
        let mut text = format!("POST /webhooks/{}\n", self.endpoint);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text + "\n" + &String::from_utf8_lossy(&self.body)
    }

    /// The same with another name put in after signing.
    #[must_use]
    pub fn tampered(mut self, from: &str, to: &str) -> Self {
        self.body = String::from_utf8_lossy(&self.body).replace(from, to).into_bytes();
        self
    }

    fn new(endpoint: &'static str, body: &Value, sign: impl FnOnce(&[u8]) -> signing::Headers) -> Self {
        let body = body.to_string().into_bytes();
        let mut headers = sign(&body);
        headers.push(("content-type", "application/json".to_owned()));
        Self {
            endpoint,
            headers,
            body,
        }
    }
}

/// One cent by iDEAL, as Mollie tells it.
pub fn mollie(paid: &Paid<'_>) -> Message {
    let Paid { number, at, .. } = paid;
    let body = json!({
        "resource": "event", "id": format!("event_demo{number:04}"), "type": "payment.paid",
        "entityId": format!("tr_demo{number:04}"), "createdAt": at,
        "_embedded": {"entity": {
            "resource": "payment", "id": format!("tr_demo{number:04}"), "mode": "live", "createdAt": at,
            "amount": {"value": euros(paid.cents), "currency": "EUR"}, "description": "Activation",
            "method": "ideal", "metadata": {"reference": paid.reference}, "status": "paid", "paidAt": at,
            "details": {"consumerName": paid.holder, "consumerAccount": paid.iban, "consumerBic": "ABNANL2A"}
        }}
    });
    Message::new("mollie", &body, |body| signing::mollie(MOLLIE, body))
}

/// One cent by iDEAL, as Adyen tells it.
pub fn adyen(paid: &Paid<'_>) -> Message {
    let mut body = json!({"live": "true", "notificationItems": [{"NotificationRequestItem": {
        "additionalData": {"iDealConsumerName": paid.holder, "iDealConsumerIBAN": paid.iban,
            "ownerName": paid.holder, "iban": paid.iban},
        "amount": {"currency": "EUR", "value": paid.cents}, "eventCode": "AUTHORISATION", "eventDate": paid.at,
        "merchantAccountCode": ADYEN_ACCOUNT, "merchantReference": paid.reference, "paymentMethod": "ideal",
        "pspReference": format!("DEMO{:012}", paid.number), "reason": "", "success": "true"
    }}]});
    signing::adyen(ADYEN, &mut body);
    let (user, password) = ADYEN_USER;
    Message::new("adyen", &body, |_| {
        vec![(
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
        )]
    })
}

/// A bank transfer, as a bank that speaks Standard Webhooks tells it.
pub fn bank(paid: &Paid<'_>) -> Message {
    let Paid { number, at, .. } = paid;
    let body = json!({"type": "bank_transfer.received", "timestamp": at, "data": {
        "id": format!("trx_demo{number:04}"), "status": "booked", "direction": "credit", "mode": "live", "booked_at": at,
        "amount": {"value": euros(paid.cents), "currency": "EUR"},
        "debtor": {"name": paid.holder, "iban": paid.iban},
        "remittance_information": {"unstructured": format!("Betaling {}", paid.reference)}
    }});
    Message::new("bank", &body, |body| {
        signing::standard_webhooks(BANK, &format!("msg_demo{number:04}"), *at, body)
    })
}

/// A bank transfer to an account at Stripe, as Stripe tells it.
pub fn stripe(paid: &Paid<'_>) -> Message {
    let Paid { number, at, .. } = paid;
    let digits: String = paid
        .iban
        .chars()
        .rev()
        .take(4)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let body = json!({
        "id": format!("evt_demo{number:04}"), "object": "event", "created": at.unix_seconds(), "livemode": true,
        "type": "customer_cash_balance_transaction.created",
        "data": {"object": {
            "id": format!("ccsbtxn_demo{number:04}"), "object": "customer_cash_balance_transaction",
            "created": at.unix_seconds(), "currency": "eur", "customer": "cus_demo", "ending_balance": paid.cents,
            "livemode": true, "net_amount": paid.cents, "type": "funded",
            "funded": {"bank_transfer": {"type": "eu_bank_transfer", "reference": paid.reference, "eu_bank_transfer": {
                "bic": "ABNANL2A", "iban_last4": digits, "sender_name": paid.holder
            }}}
        }}
    });
    Message::new("stripe", &body, |body| signing::stripe(STRIPE, *at, body))
}
