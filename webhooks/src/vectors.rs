//! Test vectors: requests with the keys they were made with and what is to be thought of them. For
//! `eencent webhook verify --vectors`, and for whoever wants to compare another implementation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eencent_activations::clock::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::Secret;
use crate::document;
use crate::endpoint::{Endpoint, EndpointSettings};
use crate::providers::{Request, rabo_answers};
use crate::refused::Refused;

/// One vector. Keys that aren't here (`why`, `source`, …) are passed over.
#[derive(Debug, Deserialize)]
pub struct Vector {
    /// Names it.
    pub id: String,
    /// Whose request it is; used where the scheme doesn't say it.
    #[serde(default)]
    provider: String,
    /// How it is signed, such as `stripe-v1-hmac-sha256-hex`.
    scheme: String,
    #[serde(default)]
    secret: Option<String>,
    secrets: Option<Vec<String>>,
    keys: Option<BTreeMap<String, String>>,
    jwks: Option<Value>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    url: Option<String>,
    method: Option<String>,
    website_key: Option<String>,
    key_id: Option<String>,
    audience: Option<String>,
    issuer: Option<String>,
    now: Option<i64>,
    tolerance_s: Option<u64>,
    /// What it should be found to be.
    pub valid: bool,
    /// Nobody knows for sure: either verdict is right.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The vector's.
    pub id: String,
    /// Whether the request is believed; for a scheme without signatures, whether it is well formed.
    pub authentic: bool,
    /// How it was proven, or why not.
    pub reason: String,
}

/// Reads a file of vectors: a list, or an object with a list `vectors`.
///
/// # Errors
/// A sentence without subject that says where it isn't one.
pub fn read(bytes: &[u8]) -> Result<Vec<Vector>, String> {
    let mut document: Value = serde_json::from_slice(bytes)
        .map_err(|error| format!("isn't JSON ({error}); is it a file of test vectors?"))?;
    let listed = match document.get_mut("vectors").map(Value::take) {
        Some(listed) => listed,
        None => document,
    };
    let Value::Array(listed) = listed else {
        return Err("isn't a list of test vectors".to_owned());
    };
    listed
        .into_iter()
        .zip(1..)
        .map(|(one, number): (_, usize)| {
            let named = one.get("id").and_then(Value::as_str).unwrap_or("without id").to_owned();
            serde_json::from_value(one).map_err(|error| format!("isn't right at vector {number} ({named}): {error}"))
        })
        .collect()
}

impl Vector {
    /// Judges it, at its own time or else at `now`. Never panics, whatever is in it.
    pub fn judge(&self, now: Timestamp) -> Verdict {
        let (authentic, reason) = match self.authenticate(now) {
            Ok(proven_by) => (true, proven_by),
            Err(why) => (false, why),
        };
        Verdict {
            id: self.id.clone(),
            authentic,
            reason,
        }
    }

    /// Whether a verdict is the one that was expected.
    pub const fn expects(&self, verdict: &Verdict) -> bool {
        self.unconfirmed || self.valid == verdict.authentic
    }

    fn authenticate(&self, now: Timestamp) -> Result<String, String> {
        let settings = self.settings();
        let endpoint = Endpoint::from_settings("vector", &settings).map_err(|problems| {
            let told = problems.join(" ").replace("webhooks.vector.", "");
            format!("unusable_settings: {told}")
        })?;
        let body = match (&self.body, &self.body_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(encoded)) => {
                let decoded = STANDARD.decode(encoded);
                decoded.map_err(|_| "unusable_vector: body_base64 isn't base64.".to_owned())?
            }
            (None, None) => Vec::new(),
        };
        let headers = self.headers()?;
        let told = |refused: Refused| format!("{}: {refused}", refused.code());
        let number = |number| format!("Rabobank's signature (HMAC-SHA-512), key {number}");
        match self.scheme.as_str() {
            "rabo-hmac-sha512-status-pull" => {
                let document = document::read(&body)?;
                return rabo_answers::check_statuses(&document, &endpoint)
                    .map(number)
                    .map_err(told);
            }
            "rabo-hmac-sha512-return-url" => {
                let query = String::from_utf8_lossy(&body).into_owned();
                return rabo_answers::check_return(&query, &endpoint).map(number).map_err(told);
            }
            _ => {}
        }
        let request = Request {
            method: self.method.as_deref().unwrap_or("POST"),
            url: self.url.as_deref().unwrap_or("/"),
            headers: &headers,
            body: &body,
        };
        let at = self.now.map_or(now, Timestamp::from_unix_seconds);
        let authentic = endpoint.provider().authenticate(&request, &endpoint, at);
        authentic
            .map(|authentic| authentic.proven_by().to_owned())
            .map_err(told)
    }

    /// The endpoint that the vector was made for.
    fn settings(&self) -> EndpointSettings {
        let provider = match self.scheme.as_str() {
            "mollie-classic-unsigned-ping" => "mollie_classic",
            "adyen-header-hmac-sha256-base64-hexkey" => "adyen_platform",
            scheme if scheme.starts_with("rabo-v3") || scheme.contains("smartpay") => "rabo_v3",
            scheme if scheme.starts_with("svix") => "standard_webhooks",
            _ => &self.provider,
        };
        let given = match (&self.secrets, &self.secret) {
            (Some(several), _) => several.clone(),
            (None, Some(one)) => vec![one.clone()],
            (None, None) => Vec::new(),
        };
        let mut secrets: Vec<Secret> = given
            .into_iter()
            .filter(|it| !it.is_empty())
            .map(Secret::from)
            .collect();
        let mut keys: BTreeMap<String, Secret> = self
            .keys
            .iter()
            .flatten()
            .map(|(id, secret)| (id.clone(), Secret::from(secret.as_str())))
            .collect();
        if let (Some(id), [one], true) = (&self.key_id, secrets.as_slice(), keys.is_empty()) {
            keys.insert(id.clone(), one.clone());
        }
        // What is given by id, or published, needs no second way in.
        let published = self.jwks.is_some();
        if !keys.is_empty() || published || provider == "mollie_classic" {
            secrets.clear();
        }
        let algorithm = self
            .scheme
            .strip_prefix("buckaroo-form-")
            .and_then(|rest| rest.split('-').next())
            .map(str::to_owned);
        let reads = ["mollie_classic", "gocardless", "tink", "ponto"].contains(&provider);
        EndpointSettings {
            provider: provider.to_owned(),
            account: self.website_key.clone().or_else(|| self.audience.clone()),
            secrets,
            keys,
            jwks: self.jwks.as_ref().map(Value::to_string),
            issuer: self.issuer.clone(),
            algorithm,
            url: self.url.clone(),
            // Nothing is read while a vector is judged; these endpoints can't be without.
            api_key: reads.then(|| Secret::from("unused")),
            api_user: reads.then(|| "unused".to_owned()),
            tolerance_seconds: self.tolerance_s,
            ..EndpointSettings::default()
        }
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let unusable = || format!("unusable_vector: the header {name:?} can't be sent over HTTP.");
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unusable())?;
            headers.append(HeaderName::try_from(name).map_err(|_| unusable())?, value);
        }
        Ok(headers)
    }
}
