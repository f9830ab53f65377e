//! Signed tokens (RFC 7515) and the public keys that verify them (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::document::{self, Value};

/// A token in three parts, taken apart and not yet believed.
pub(crate) struct Token<'t> {
    /// The id of the key.
    key_id: Option<String>,
    /// The way of signing, where it is one that is known.
    algorithm: Option<Algorithm>,
    /// Its payload isn't encoded (RFC 7797): the only extension that is understood.
    plain: bool,
    /// It asks for nothing beyond.
    understood: bool,
    head: &'t str,
    payload: &'t str,
    signature: &'t str,
}

/// Why a token isn't believed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unbelieved {
    /// It names no key, or one that isn't in the set.
    UnknownKey,
    /// It asks for a way of signing that this scheme doesn't know.
    Algorithm,
    /// The signature is another's.
    Mismatch,
}

impl<'t> Token<'t> {
    /// Takes a compact token apart: three parts of which the middle one may be empty (detached).
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let mut parts = text.split('.');
        let (head, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let header = URL_SAFE_NO_PAD.decode(head).ok()?;
        let header = document::read(&header).ok()?;
        let named = Value::from("b64");
        header.is_object().then(|| Self {
            key_id: document::text(&header, "/kid").map(str::to_owned),
            algorithm: document::text(&header, "/alg").and_then(|name| name.parse().ok()),
            plain: header.get("b64") == Some(&Value::Bool(false)),
            understood: match header.get("crit") {
                None => true,
                Some(Value::Array(names)) => names.iter().all(|name| *name == named),
                Some(_) => false,
            },
            head,
            payload,
            signature,
        })
    }

    /// The payload that it carries, not yet believed.
    pub(crate) fn payload(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.payload).ok()
    }

    /// Whether it carries its payload.
    pub(crate) const fn is_detached(&self) -> bool {
        self.payload.is_empty()
    }

    /// The id of the key that it says it was signed with.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// That a key of the set signed it in one of the ways allowed; the header chooses among those and
    /// no further. `over` is the detached payload.
    pub(crate) fn verify(&self, keys: &JwkSet, allowed: &[Algorithm], over: Option<&[u8]>) -> Result<(), Unbelieved> {
        let algorithm = self
            .algorithm
            .filter(|it| allowed.contains(it))
            .ok_or(Unbelieved::Algorithm)?;
        if !self.understood {
            return Err(Unbelieved::Algorithm);
        }
        let key = self
            .key_id()
            .and_then(|id| keys.find(id))
            .ok_or(Unbelieved::UnknownKey)?;
        let key = usable(key, algorithm).ok_or(Unbelieved::Algorithm)?;
        let mut message = self.head.as_bytes().to_vec();
        message.push(b'.');
        match over {
            Some(bytes) if self.plain => message.extend_from_slice(bytes),
            Some(bytes) => message.extend_from_slice(URL_SAFE_NO_PAD.encode(bytes).as_bytes()),
            None => message.extend_from_slice(self.payload.as_bytes()),
        }
        match jsonwebtoken::crypto::verify(self.signature, &message, &key, algorithm) {
            Ok(true) => Ok(()),
            _ => Err(Unbelieved::Mismatch),
        }
    }
}

/// A key as the algorithm needs it: one that says another algorithm of itself isn't used.
fn usable(key: &Jwk, algorithm: Algorithm) -> Option<DecodingKey> {
    let said = key.common.key_algorithm;
    if said.is_some_and(|said| said.to_string() != format!("{algorithm:?}")) {
        return None;
    }
    match &key.algorithm {
        // Ibanity pads its numbers, against RFC 7518, and Java's may begin with a zero for the sign.
        AlgorithmParameters::RSA(numbers) => {
            let modulus = number(&numbers.n)?;
            Some(DecodingKey::from_rsa_raw_components(&modulus, &number(&numbers.e)?))
        }
        _ => DecodingKey::from_jwk(key).ok(),
    }
}

/// A number in base64url, without what doesn't belong to it.
fn number(encoded: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(leading..).map(<[u8]>::to_vec)
}

/// Reads a set of public keys. Keys of kinds that aren't known here are passed over, so that a
/// provider can add one without stopping the rest.
///
/// # Errors
/// A sentence without subject when there is no usable key in it.
pub(crate) fn keys(json: &str) -> Result<JwkSet, &'static str> {
    let wrong = "isn't a set of public keys (JWKS: {\"keys\": […]})";
    let document = document::read(json.as_bytes()).map_err(|_| wrong)?;
    let listed = document.get("keys").and_then(Value::as_array).ok_or(wrong)?;
    let keys: Vec<Jwk> = listed
        .iter()
        .filter_map(|key| serde_json::from_value(key.into()).ok())
        .collect();
    if keys.is_empty() {
        return Err("holds no public key that can be used");
    }
    Ok(JwkSet { keys })
}
