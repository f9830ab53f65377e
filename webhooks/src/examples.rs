//! Signed examples: what each provider would post for a paid activation, for `eencent webhook send`, so
//! that a deployment can be tried before its provider is.

use std::fmt;

use eencent_activations::clock::Timestamp;
use eencent_activations::money::Money;

use crate::signing;

/// Who signs. Prints without its secrets.
#[derive(Clone, Default)]
pub struct Sender {
    /// The secret that both sides have; of an asymmetric scheme the private key, in PEM.
    pub secret: String,
    /// The id of the key, where the scheme names one.
    pub key_id: String,
    /// The account, where the scheme signs it: Buckaroo's website key, Ponto's application.
    pub account: String,
    /// The address as the provider knows it, where the scheme signs it (Buckaroo).
    pub url: String,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(key {:?})", self.key_id)
    }
}

/// What the example says.
#[derive(Debug, Clone)]
pub struct Example {
    /// Makes event and payment its own: letters and digits.
    pub id: String,
    /// The reference of an activation.
    pub reference: String,
    /// The account's holder.
    pub holder: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
}

/// Headers and body, ready to be posted.
pub type Signed = (signing::Headers, Vec<u8>);

/// The example of a provider by its name in the settings, signed; `None` for a name that isn't one.
pub fn signed(provider: &str, sender: &Sender, example: &Example) -> Option<Signed> {
    let body = example.filled(template(provider)?).into_bytes();
    signed_body(provider, sender, example.at, &format!("msg_{}", example.id), body)
}

/// Any body as the provider would sign it at that time, with a message's id where the scheme has one.
/// `None` when the signature has to stand inside the body and the body isn't JSON.
pub fn signed_body(provider: &str, sender: &Sender, at: Timestamp, message_id: &str, body: Vec<u8>) -> Option<Signed> {
    let Sender {
        secret,
        key_id,
        account,
        url,
    } = sender;
    let mut headers = match provider {
        "mollie" => signing::mollie(secret, &body),
        "stripe" => signing::stripe(secret, at, &body),
        "adyen" => return in_json(&body, |document| signing::adyen(secret, document)),
        "rabo" => return in_json(&body, |document| signing::rabo(secret, document)),
        "adyen_platform" => signing::adyen_platform(secret, &body),
        "multisafepay" => signing::multisafepay(secret, at, &body),
        "buckaroo" => signing::buckaroo(account, secret, url, at, &body),
        "paynl" => signing::paynl(key_id, secret, &body),
        "worldline" => signing::worldline(key_id, secret, &body),
        "worldline_ideal2" => signing::worldline_ideal2(secret, key_id, at, &body),
        "rabo_v3" => signing::rabo_v3(secret, key_id, &body),
        "bunq" if secret.is_empty() => signing::Headers::new(),
        "bunq" => signing::bunq(secret, &body),
        "ponto" => signing::ponto(secret, key_id, account, "https://api.ibanity.com", at, &body),
        "tink" => signing::timed("x-tink-signature", secret, at, &body),
        "qonto" => signing::timed("x-qonto-signature", secret, at, &body),
        "gocardless" => signing::gocardless(secret, &body),
        "mollie_classic" => signing::Headers::new(),
        _ => signing::standard_webhooks(secret, message_id, at, &body),
    };
    let kind = if provider == "mollie_classic" {
        "application/x-www-form-urlencoded"
    } else {
        "application/json"
    };
    headers.push(("content-type", kind.to_owned()));
    Some((headers, body))
}

/// Signed inside the JSON.
fn in_json(body: &[u8], sign: impl FnOnce(&mut serde_json::Value)) -> Option<Signed> {
    let mut document = serde_json::from_slice(body).ok()?;
    sign(&mut document);
    let body = serde_json::to_vec(&document).ok()?;
    Some((vec![("content-type", "application/json".to_owned())], body))
}

fn template(provider: &str) -> Option<&'static str> {
    Some(match provider {
        "mollie" => include_str!("examples/mollie.json"),
        "mollie_classic" => include_str!("examples/mollie_classic.form").trim_ascii_end(),
        "adyen" => include_str!("examples/adyen.json"),
        "adyen_platform" => include_str!("examples/adyen_platform.json"),
        "stripe" => include_str!("examples/stripe.json"),
        "multisafepay" => include_str!("examples/multisafepay.json"),
        "buckaroo" => include_str!("examples/buckaroo.json"),
        "paynl" => include_str!("examples/paynl.json"),
        "worldline" => include_str!("examples/worldline.json"),
        "worldline_ideal2" => include_str!("examples/worldline_ideal2.json"),
        "rabo" => include_str!("examples/rabo.json"),
        "rabo_v3" => include_str!("examples/rabo_v3.json"),
        "bunq" => include_str!("examples/bunq.json"),
        "ponto" => include_str!("examples/ponto.json"),
        "tink" => include_str!("examples/tink.json"),
        "gocardless" => include_str!("examples/gocardless.json"),
        "qonto" => include_str!("examples/qonto.json"),
        "standard_webhooks" | "svix" => include_str!("examples/standard_webhooks.json"),
        _ => return None,
    })
}

impl Example {
    fn filled(&self, template: &str) -> String {
        // As JSON writes text, without the quotes around it.
        let text = |text: &str| {
            let quoted = serde_json::Value::from(text).to_string();
            quoted.trim_matches('"').to_owned()
        };
        let number = self.at.micros().unsigned_abs().to_string();
        template
            .replace("{{id}}", &text(&self.id))
            .replace("{{number}}", &number)
            .replace("{{reference}}", &text(&self.reference))
            .replace("{{name}}", &text(&self.holder))
            .replace("{{minor}}", &self.amount.minor.to_string())
            .replace("{{decimal}}", &self.amount.value())
            .replace("{{time}}", &self.at.to_string())
    }
}
