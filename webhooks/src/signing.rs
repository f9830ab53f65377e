//! What a provider does before it posts, for demonstrations and tests: nothing in the product's own
//! path signs. Whether these signatures are right is shown by the verification tests, whose vectors
//! come from the providers' own libraries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use serde_json::Value;

use crate::signature::hmac;

/// The headers of a signed request, in lower case.
pub type Headers = Vec<(&'static str, String)>;

fn hex_of(key: &[u8], parts: &[&[u8]]) -> String {
    hmac(key, parts).map(hex::encode).unwrap_or_default()
}

/// As Mollie signs a body with a webhook's secret.
pub fn mollie(secret: &str, body: &[u8]) -> Headers {
    let code = hex_of(secret.as_bytes(), &[body]);
    vec![("x-mollie-signature", format!("sha256={code}"))]
}

/// As Stripe signs a body with an endpoint's secret (`whsec_…`, used whole) at a time.
pub fn stripe(secret: &str, at: Timestamp, body: &[u8]) -> Headers {
    let seconds = at.unix_seconds().to_string();
    let code = hex_of(secret.as_bytes(), &[seconds.as_bytes(), b".", body]);
    vec![("stripe-signature", format!("t={seconds},v1={code}"))]
}

/// As the Standard Webhooks specification signs a message (v1) with a secret, `whsec_` and base64.
pub fn standard_webhooks(secret: &str, message_id: &str, at: Timestamp, body: &[u8]) -> Headers {
    let written = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(written).unwrap_or_else(|_| written.into());
    let seconds = at.unix_seconds().to_string();
    let code = hmac(&key, &[message_id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
    vec![
        ("webhook-id", message_id.to_owned()),
        ("webhook-timestamp", seconds),
        (
            "webhook-signature",
            format!("v1,{}", STANDARD.encode(code.unwrap_or_default())),
        ),
    ]
}

/// As Adyen signs every item of a notification with a key in hexadecimal: puts
/// `additionalData.hmacSignature` into each. Does nothing to what isn't a notification, or when the
/// key isn't hexadecimal.
pub fn adyen(key: &str, notification: &mut Value) {
    let Ok(key) = hex::decode(key) else { return };
    let items = notification.get_mut("notificationItems").and_then(Value::as_array_mut);
    for entry in items.into_iter().flatten() {
        let Some(item) = entry.get_mut("NotificationRequestItem") else {
            continue;
        };
        let said = |pointer| match item.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let text = [
            said("/pspReference"),
            said("/originalReference"),
            said("/merchantAccountCode"),
            said("/merchantReference"),
            said("/amount/value"),
            said("/amount/currency"),
            said("/eventCode"),
            said("/success"),
        ]
        .join(":");
        let code = hmac(&key, &[text.as_bytes()]).unwrap_or_default();
        if let Value::Object(fields) = item {
            let data = fields
                .entry("additionalData")
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Value::Object(data) = data {
                data.insert("hmacSignature".to_owned(), STANDARD.encode(code).into());
            }
        }
    }
}
