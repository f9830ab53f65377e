//! The providers, one file each: how their messages are proven, what they say, what they expect back.
//!
//! A provider is pure and synchronous: the clock is passed in, nothing is fetched, nothing is stored.
//! No method that proves or translates has a default body, so that nothing is let through by omission. What is translated is
//! what was proven: [`Authentic`] holds the request, and only [`Provider::authenticate`] makes one.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Proof};
use eencent_activations::reread::{Answer, Order, Step};
use http::HeaderMap;

use crate::endpoint::Endpoint;
use crate::jws::{Token, Unbelieved};
use crate::refused::{Code, Refused};

mod adyen;
mod adyen_platform;
mod buckaroo;
mod bunq;
mod claimed;
mod gocardless;
mod mollie;
mod mollie_classic;
mod multisafepay;
mod paynl;
mod ponto;
mod qonto;
mod rabo;
mod rabo_v3;
mod standard_webhooks;
mod stripe;
mod tink;
mod worldline;
mod worldline_ideal2;

/// What Rabobank signs besides its notifications.
pub(crate) mod rabo_answers {
    pub(crate) use super::rabo::{check_return, check_statuses, statuses_texts};
}

/// What Buckaroo signs, for whoever signs as Buckaroo does.
pub(crate) mod buckaroo_texts {
    pub(crate) use super::buckaroo::{form_signature, signed};
}

/// All providers, in the order in which they are listed to people. A new one is a file, and a line
/// here.
pub const ALL: [&dyn Provider; 18] = [
    &mollie::Mollie,
    &mollie_classic::MollieClassic,
    &adyen::Adyen,
    &adyen_platform::AdyenPlatform,
    &stripe::Stripe,
    &multisafepay::MultiSafepay,
    &buckaroo::Buckaroo,
    &paynl::PayNl,
    &worldline::Worldline,
    &worldline_ideal2::WorldlineIdeal2,
    &rabo::Rabo,
    &rabo_v3::RaboV3,
    &bunq::Bunq,
    &ponto::Ponto,
    &tink::Tink,
    &gocardless::GoCardless,
    &qonto::Qonto,
    &standard_webhooks::StandardWebhooks,
];

/// The provider of that name (`mollie`, `adyen`, …), as in the settings. Svix signs as the Standard
/// Webhooks specification says, under header names of its own, and goes by both names.
pub fn by_name(name: &str) -> Option<&'static dyn Provider> {
    let name = if name == "svix" { "standard_webhooks" } else { name };
    ALL.into_iter().find(|provider| provider.name() == name)
}

/// A request as it came in, before anything is believed of it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path and query that it came to. A scheme that signs the whole address takes it from the
    /// settings, and only the query from here.
    pub url: &'a str,
    /// All headers, repeats included.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} with {} bytes)", self.method, self.body.len())
    }
}

/// A request that was proven to come from the provider, together with how. Only a provider's
/// [`Provider::authenticate`] makes one.
#[derive(Debug)]
pub struct Authentic<'r> {
    request: &'r Request<'r>,
    proof: Proof,
    proven_by: String,
    message_id: Option<String>,
}

impl<'r> Authentic<'r> {
    /// Every byte of the body is covered.
    fn whole_message(request: &'r Request<'r>, proven_by: String) -> Self {
        Self {
            request,
            proof: Proof::WholeMessage,
            proven_by,
            message_id: None,
        }
    }

    /// Nothing is proven: it is well formed, and a reason to look.
    fn unproven(request: &'r Request<'r>, what: &str) -> Self {
        Self {
            request,
            proof: Proof::Nothing,
            proven_by: format!("nothing: {what}; only what is read from the provider's API counts"),
            message_id: None,
        }
    }

    /// The request that was proven.
    pub const fn request(&self) -> &'r Request<'r> {
        self.request
    }

    /// How much of it is proven.
    pub const fn proof(&self) -> Proof {
        self.proof
    }

    /// How it was proven, in words that operators read: the scheme, and which of the secrets by
    /// number. Holds no secret.
    pub fn proven_by(&self) -> &str {
        &self.proven_by
    }
}

/// What a provider expects to hear once its message is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, where there is a body.
    pub content_type: Option<&'static str>,
    /// The body; may be empty.
    pub body: &'static str,
}

impl Reply {
    /// 200 and nothing else.
    const EMPTY: Self = Self {
        status: 200,
        content_type: None,
        body: "",
    };
}

/// A secret in the form that a scheme verifies with. Prints as stars.
#[derive(Clone)]
pub struct Key {
    kind: KeyKind,
    id: Option<String>,
    advice: Option<&'static str>,
}

#[derive(Clone)]
enum KeyKind {
    /// A key that both sides share.
    Shared(Vec<u8>),
    /// The public half of the sender's Ed25519 key.
    PublicEd25519(Box<ed25519_dalek::VerifyingKey>),
    /// The public half of the sender's RSA key.
    PublicRsa(Box<jsonwebtoken::DecodingKey>),
}

impl Key {
    fn shared(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            kind: KeyKind::Shared(bytes.into()),
            id: None,
            advice: None,
        }
    }

    /// An RSA public key or certificate in PEM.
    fn rsa(pem: &str) -> Result<Self, &'static str> {
        let key = jsonwebtoken::DecodingKey::from_rsa_pem(pem.as_bytes());
        let key = key.map_err(|_| "isn't an RSA public key or certificate in PEM (-----BEGIN PUBLIC KEY-----)")?;
        Ok(Self {
            kind: KeyKind::PublicRsa(Box::new(key)),
            id: None,
            advice: None,
        })
    }

    /// The same key, under the id that messages name it by.
    #[must_use]
    pub fn named(self, id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..self
        }
    }

    /// The id that messages name it by, if the settings say one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The same key, with something that an operator should know about how it is written.
    #[must_use]
    pub fn with_advice(self, advice: &'static str) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }

    /// What an operator should know about this secret, if anything.
    pub const fn advice(&self) -> Option<&'static str> {
        self.advice
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The shared keys with their numbers as the operator counts secrets, from 1.
pub(crate) fn shared_keys(endpoint: &Endpoint) -> impl Iterator<Item = (usize, &[u8])> {
    endpoint
        .keys()
        .iter()
        .zip(1..)
        .filter_map(|(key, number)| match &key.kind {
            KeyKind::Shared(bytes) => Some((number, bytes.as_slice())),
            KeyKind::PublicEd25519(_) | KeyKind::PublicRsa(_) => None,
        })
}

/// The shared keys that may have made a message which names a key: the one of that id, or those whose
/// id the settings don't say. Ids are compared without regard to case: in the environment a setting's name
/// has none.
///
/// # Errors
/// Refused as [`Code::UnknownSecret`] when there is none.
fn shared_keys_named<'e>(endpoint: &'e Endpoint, id: &str) -> Result<Vec<(usize, &'e [u8])>, Refused> {
    let named = |number: usize| endpoint.keys().get(number - 1).and_then(Key::id);
    let found: Vec<_> = shared_keys(endpoint)
        .filter(|(number, _)| named(*number).is_none_or(|known| known.eq_ignore_ascii_case(id)))
        .collect();
    if found.is_empty() {
        return Err(unknown_key(endpoint, id));
    }
    Ok(found)
}

/// A message names a key that the endpoint doesn't have. The id is shown: it is no secret, and it is
/// what has to be looked up.
fn unknown_key(endpoint: &Endpoint, id: &str) -> Refused {
    let shown: String = id.chars().filter(char::is_ascii_graphic).take(60).collect();
    Refused::new(
        Code::UnknownSecret,
        format!(
            "It names key {shown:?}, which webhooks.{} doesn't have. The key was changed at the provider and not here, it was retired here too early, or this is another account's message.",
            endpoint.name()
        ),
    )
}

/// Which of the endpoint's RSA keys signed a message (PKCS #1 v1.5, SHA-256): its number.
fn rsa_signer(endpoint: &Endpoint, id: Option<&str>, message: &[u8], signature: &[u8]) -> Option<usize> {
    let encoded = URL_SAFE_NO_PAD.encode(signature);
    endpoint
        .keys()
        .iter()
        .zip(1..)
        .filter(|(key, _)| {
            key.id()
                .zip(id)
                .is_none_or(|(known, named)| known.eq_ignore_ascii_case(named))
        })
        .find_map(|(key, number)| match &key.kind {
            KeyKind::PublicRsa(key) => {
                let verified = jsonwebtoken::crypto::verify(&encoded, message, key, jsonwebtoken::Algorithm::RS256);
                matches!(verified, Ok(true)).then_some(number)
            }
            KeyKind::Shared(_) | KeyKind::PublicEd25519(_) => None,
        })
}

/// That one of the keys which the provider publishes signed a token, in one of the ways allowed. When
/// the token names a key that isn't known, the keys are fetched anew, and the provider's next try succeeds.
fn verify_token(
    token: &Token<'_>,
    endpoint: &Endpoint,
    allowed: &[jsonwebtoken::Algorithm],
    over: Option<&[u8]>,
    header: &str,
) -> Result<(), Refused> {
    let Some(keys) = endpoint.published() else {
        endpoint.want_published();
        return Err(Refused::new(
            Code::UnknownSecret,
            format!(
                "The provider's public keys aren't here yet: they are fetched from webhooks.{}.jwks_url, and the provider's next try is checked with them.",
                endpoint.name()
            ),
        ));
    };
    token.verify(&keys, allowed, over).map_err(|unbelieved| match unbelieved {
        Unbelieved::UnknownKey => {
            endpoint.want_published();
            unknown_key(endpoint, token.key_id().unwrap_or_default())
        }
        Unbelieved::Algorithm => Refused::new(
            Code::MalformedSignature,
            format!("{header} is signed in a way that this scheme doesn't know. This isn't the provider, or it has changed its scheme."),
        ),
        Unbelieved::Mismatch => Refused::new(
            Code::SignatureMismatch,
            format!("The key that {header} names didn't make its signature. A proxy that rewrites the body, or a forgery."),
        ),
    })
}

/// What proves a provider's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvenWith {
    /// Secrets or public keys in the settings.
    Secrets,
    /// The same where there are any; without, a message is only a reason to look.
    SecretsIfAny,
    /// Public keys that the provider publishes.
    PublishedKeys,
    /// Nothing: a message is only a reason to look.
    Nothing,
}

/// A payment provider, or a bank or in-house system that speaks a known scheme.
pub trait Provider: Send + Sync {
    /// The name in the settings and in the database, such as `mollie`.
    fn name(&self) -> &'static str;

    /// The headers that the scheme reads, in lower case: they are kept with the message.
    /// Never `authorization`.
    fn headers(&self) -> &'static [&'static str];

    /// Reads a secret in the form that the provider hands it out.
    ///
    /// # Errors
    /// A sentence without subject and without the secret, such as "isn't hexadecimal: …", when no
    /// signature could ever be verified with it. There is no other condition on length or contents,
    /// except that the settings refuse an empty one.
    fn key(&self, secret: &str) -> Result<Key, &'static str>;

    /// What proves its messages.
    fn proven_with(&self) -> ProvenWith;

    /// Settings that an endpoint can't do without and that it lacks: the key, and a sentence without
    /// subject.
    fn lacks(&self, _: &Endpoint) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// What an operator should know about an endpoint that works but could prove more; sentences.
    fn advice(&self, _: &Endpoint) -> Vec<String> {
        Vec::new()
    }

    /// Whether the request comes from the provider and is meant for this endpoint. Every secret of
    /// the endpoint is tried; comparisons take the same time whatever differs.
    ///
    /// # Errors
    /// [`Refused`] for anything that isn't proven, with the reason for the operator. Never panics,
    /// whatever the bytes.
    fn authenticate<'r>(
        &self,
        request: &'r Request<'r>,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Authentic<'r>, Refused>;

    /// What the proven message says: one event or, in a batch, several; never none. What can't be
    /// read is an event too, [`quarantined`](eencent_activations::notification::Told::Quarantined).
    fn translate(&self, authentic: &Authentic<'_>, endpoint: &Endpoint) -> Vec<Event>;

    /// What comes next in reading a subject, named by an event's `reread`, from the provider's API.
    fn read_back(&self, _: &Endpoint, _: &str, _: &[Answer]) -> Step {
        Step::Never("This provider's messages say everything; there is nothing to read.".to_owned())
    }

    /// What comes next in making a payment at the provider.
    fn make(&self, _: &Endpoint, _: &Order, _: &[Answer]) -> Step {
        Step::Never("Payments can't be made at this provider from here: let checkout.endpoint name another, or make them in the platform.".to_owned())
    }

    /// Whether payments can be made at it.
    fn makes_payments(&self) -> bool {
        false
    }

    /// How long the provider waits for an answer before it gives up: ten seconds, as Adyen, MultiSafepay and
    /// GoCardless document it, unless its own documentation says otherwise.
    fn deadline(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// What the provider expects to hear on success.
    fn reply(&self) -> Reply;

    /// The event id that an unproven message claims to have, for the operator who looks for it:
    /// letters, digits, `_`, `-`, `.` and `:` only, at most 100 of them. Found by a bounded scan;
    /// nothing is parsed.
    fn claimed_id(&self, request: &Request<'_>) -> Option<String>;
}
