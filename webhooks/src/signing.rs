//! What a provider does before it posts, for demonstrations and tests: nothing in the product's own
//! path signs. Whether these signatures are right is shown by the verification tests, whose vectors
//! come from the providers' own libraries.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use eencent_activations::clock::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use crate::document;
use crate::hash::Hash;
use crate::providers::{buckaroo_texts as buckaroo, rabo_answers};
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

fn sum_of(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hash.code(key, parts).unwrap_or_default()
}

/// As Adyen's platforms sign a body, with a key in hexadecimal.
pub fn adyen_platform(key: &str, body: &[u8]) -> Headers {
    let key = hex::decode(key).unwrap_or_default();
    let code = STANDARD.encode(sum_of(Hash::Sha256, &key, &[body]));
    vec![("hmacsignature", code), ("protocol", "HmacSHA256".to_owned())]
}

/// As MultiSafepay signs a body with a site's API key at a time.
pub fn multisafepay(key: &str, at: Timestamp, body: &[u8]) -> Headers {
    let seconds = at.unix_seconds().to_string();
    let code = hex::encode(sum_of(Hash::Sha512, key.as_bytes(), &[seconds.as_bytes(), b":", body]));
    vec![("auth", STANDARD.encode(format!("{seconds}:{code}")))]
}

/// As Tink (`x-tink-signature`) and Qonto (`x-qonto-signature`) sign a body at a time.
pub fn timed(header: &'static str, secret: &str, at: Timestamp, body: &[u8]) -> Headers {
    let [(_, value)] = &stripe(secret, at, body)[..] else {
        return Headers::new();
    };
    vec![(header, value.clone())]
}

/// As GoCardless signs a body.
pub fn gocardless(secret: &str, body: &[u8]) -> Headers {
    vec![("webhook-signature", hex_of(secret.as_bytes(), &[body]))]
}

/// As Pay. signs a body with the secret of a token code.
pub fn paynl(key_id: &str, secret: &str, body: &[u8]) -> Headers {
    let code = hex::encode(sum_of(Hash::Sha512, secret.as_bytes(), &[body]));
    vec![
        ("signature", code),
        ("signature-keyid", key_id.to_owned()),
        ("signature-method", "HMAC".to_owned()),
        ("signature-algorithm", "sha512".to_owned()),
    ]
}

/// As Worldline Direct and Connect sign a body with the secret of a key.
pub fn worldline(key_id: &str, secret: &str, body: &[u8]) -> Headers {
    let code = sum_of(Hash::Sha256, secret.as_bytes(), &[body]);
    vec![
        ("x-gcs-signature", STANDARD.encode(code)),
        ("x-gcs-keyid", key_id.to_owned()),
    ]
}

/// As Rabo Smart Pay signs a notification with a key in base64: puts `signature` into it.
pub fn rabo(key: &str, notification: &mut Value) {
    let key = STANDARD.decode(key).unwrap_or_default();
    let text = ["authentication", "expiry", "eventName", "poiId"].map(|name| match notification.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    });
    let code = hex::encode(sum_of(Hash::Sha512, &key, &[text.join(",").as_bytes()]));
    if let Value::Object(fields) = notification {
        fields.insert("signature".to_owned(), code.into());
    }
}

/// As Rabo Smart Pay signs order statuses that are fetched: puts `signature` into them.
pub fn rabo_statuses(key: &str, statuses: &mut Value) {
    let key = STANDARD.decode(key).unwrap_or_default();
    let written = statuses.to_string();
    let texts = document::read(written.as_bytes()).ok();
    let [text, _] = texts
        .and_then(|statuses| rabo_answers::statuses_texts(&statuses))
        .unwrap_or_default();
    let code = hex::encode(sum_of(Hash::Sha512, &key, &[text.as_bytes()]));
    if let Value::Object(fields) = statuses {
        fields.insert("signature".to_owned(), code.into());
    }
}

/// As Buckaroo signs a JSON push to an address, for a website with its secret.
pub fn buckaroo(site: &str, secret: &str, url: &str, at: Timestamp, body: &[u8]) -> Headers {
    let seconds = at.unix_seconds().to_string();
    let nonce = hex::encode(Hash::Sha256.sum(body).get(..16).unwrap_or_default());
    let signed = buckaroo::signed(site, "POST", url, &seconds, &nonce, body);
    let code = STANDARD.encode(sum_of(Hash::Sha256, secret.as_bytes(), &[signed.as_bytes()]));
    vec![("authorization", format!("hmac {site}:{code}:{nonce}:{seconds}"))]
}

/// As Buckaroo signs a form push with SHA-1, SHA-256 or SHA-512: the form with its signature. Nothing is
/// added when the algorithm isn't one of those.
pub fn buckaroo_form(algorithm: &str, secret: &str, form: &str) -> String {
    match Hash::parse(algorithm) {
        Some(hash) => format!("{form}&brq_signature={}", buckaroo::form_signature(hash, secret, form)),
        None => form.to_owned(),
    }
}

/// An RSA signature (PKCS #1 v1.5) with a private key in PEM; empty when it isn't one.
fn rsa(pem: &str, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    EncodingKey::from_rsa_pem(pem.as_bytes())
        .and_then(|key| jsonwebtoken::crypto::sign(message, &key, algorithm))
        .ok()
        .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
        .unwrap_or_default()
}

/// As bunq signs a body with its server's private key, in PEM.
pub fn bunq(private: &str, body: &[u8]) -> Headers {
    let code = STANDARD.encode(rsa(private, Algorithm::RS256, body));
    vec![("x-bunq-server-signature", code)]
}

/// As a bank signs a notification of iDEAL 2.0 with the private key of its certificate, in PEM.
pub fn worldline_ideal2(private: &str, key_id: &str, at: Timestamp, body: &[u8]) -> Headers {
    let digest = format!("SHA-256={}", STANDARD.encode(Hash::Sha256.sum(body)));
    let (created, request_id) = (at.to_string(), "00000000-0000-4000-8000-000000000001");
    let text = format!("messagecreatedatetime: {created}\nx-request-id: {request_id}\ndigest: {digest}");
    let code = STANDARD.encode(rsa(private, Algorithm::RS256, text.as_bytes()));
    let signature = format!(
        "keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"messagecreatedatetime x-request-id digest\",signature=\"{code}\""
    );
    vec![
        ("messagecreatedatetime", created),
        ("x-request-id", request_id.to_owned()),
        ("digest", digest),
        ("signature", signature),
    ]
}

/// A token over some claims, or detached over a body.
fn token(private: &str, key_id: &str, algorithm: Algorithm, payload: &[u8], detached: bool) -> String {
    let header = serde_json::json!({ "alg": format!("{algorithm:?}"), "kid": key_id }).to_string();
    let (head, payload) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let code = URL_SAFE_NO_PAD.encode(rsa(private, algorithm, format!("{head}.{payload}").as_bytes()));
    let shown = if detached { "" } else { &payload };
    format!("{head}.{shown}.{code}")
}

/// As Ibanity signs a body for an application, with one of its private keys.
pub fn ponto(private: &str, key_id: &str, application: &str, issuer: &str, at: Timestamp, body: &[u8]) -> Headers {
    let seconds = at.unix_seconds();
    let claims = serde_json::json!({
        "aud": application,
        "iss": issuer,
        "iat": seconds,
        "exp": seconds.saturating_add(60),
        "digest": STANDARD.encode(Hash::Sha512.sum(body)),
    });
    let token = token(private, key_id, Algorithm::RS512, claims.to_string().as_bytes(), false);
    vec![("signature", token)]
}

/// As Rabobank signs a body of Rabo Smart Pay's third version, with one of its private keys.
pub fn rabo_v3(private: &str, key_id: &str, body: &[u8]) -> Headers {
    let token = token(private, key_id, Algorithm::RS256, body, true);
    vec![("x-smartpay-signature", token)]
}
