//! Whether a token of the provider's is to be believed (OpenID Connect Core, 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eencent_activations::clock::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

/// Seconds that clocks may differ.
const SKEW: i64 = 60;

/// Why a token isn't believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unbelieved {
    /// It was signed with a key that isn't in the set: perhaps a new one.
    UnknownKey,
    /// It is believed, but the person has not proven enough who they are.
    Weak,
    /// Because of this.
    Because(&'static str),
}

/// What a token has to be.
pub(crate) struct Expected<'e> {
    pub issuer: &'e str,
    pub client_id: &'e str,
    pub nonce: &'e str,
    /// One of these; empty: any.
    pub acr_values: &'e [String],
    pub now: Timestamp,
}

/// The claims of a token that is believed.
pub(crate) fn believed(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Value, Unbelieved> {
    let claims = signed(token, keys)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Unbelieved::Because("it is another issuer's"));
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    };
    if !audience.contains(&expected.client_id) {
        return Err(Unbelieved::Because("it is for another client"));
    }
    let party = claims.get("azp");
    if (party.is_some() || audience.len() > 1) && party.and_then(Value::as_str) != Some(expected.client_id) {
        return Err(Unbelieved::Because("another client asked for it"));
    }
    let now = expected.now.unix_seconds();
    let seconds = |name: &str| {
        let value = claims.get(name)?;
        // A date beyond all days is still only a number.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast of a float to an integer saturates"
        )]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    };
    if seconds("exp").is_none_or(|expires| expires.saturating_add(SKEW) <= now) {
        return Err(Unbelieved::Because(
            "it has expired: compare this machine's clock with the provider's",
        ));
    }
    for from in ["iat", "nbf"] {
        if seconds(from).is_some_and(|from| from.saturating_sub(SKEW) > now) {
            return Err(Unbelieved::Because(
                "it is not valid yet: compare this machine's clock with the provider's",
            ));
        }
    }
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(Unbelieved::Because("it was made for another sign-in"));
    }
    let acr = text("acr");
    if !expected.acr_values.is_empty() && !expected.acr_values.iter().any(|one| acr == Some(one.as_str())) {
        return Err(Unbelieved::Weak);
    }
    Ok(claims)
}

/// What was signed with one of the keys, in one of the two ways that are taken.
fn signed(token: &str, keys: &JwkSet) -> Result<Value, Unbelieved> {
    let malformed = Unbelieved::Because("it is no signed token");
    let (message, signature) = token.rsplit_once('.').ok_or(malformed)?;
    let (head, payload) = message.split_once('.').ok_or(malformed)?;
    let read = |part: &str| -> Option<Value> {
        let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
        value.is_object().then_some(value)
    };
    let head = read(head).ok_or(malformed)?;
    let algorithm = match head.get("alg").and_then(Value::as_str) {
        Some("RS256") => Algorithm::RS256,
        Some("ES256") => Algorithm::ES256,
        _ => return Err(Unbelieved::Because("it is signed in another way than RS256 or ES256")),
    };
    if head.get("crit").is_some() {
        return Err(Unbelieved::Because("it asks for something that isn't known here"));
    }
    let named = head.get("kid").and_then(Value::as_str);
    let mut fitting = keys
        .keys
        .iter()
        .filter(|key| named.is_none() || key.common.key_id.as_deref() == named)
        .filter(|key| fits(key, algorithm));
    let key = match (named, fitting.next(), fitting.next()) {
        (Some(_), Some(key), _) | (None, Some(key), None) => key,
        _ => return Err(Unbelieved::UnknownKey),
    };
    let key = DecodingKey::from_jwk(key).map_err(|_| Unbelieved::UnknownKey)?;
    match jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm) {
        Ok(true) => read(payload).ok_or(malformed),
        _ => Err(Unbelieved::Because("its signature is not the provider's")),
    }
}

/// A key is used for what it is, and for what it says of itself.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        _ => false,
    };
    let said = key.common.key_algorithm;
    kind && said.is_none_or(|said| said.to_string() == format!("{algorithm:?}"))
        && matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
}

/// Reads a set of public keys. Those of kinds that aren't known here are passed over.
pub(crate) fn keys(json: &[u8]) -> Option<JwkSet> {
    let document: Value = serde_json::from_slice(json).ok()?;
    let listed = document.get("keys")?.as_array()?;
    let keys = listed
        .iter()
        .filter_map(|key| serde_json::from_value(key.clone()).ok())
        .collect();
    Some(JwkSet { keys })
}
