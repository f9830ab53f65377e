//! The providers, one file each: how their messages are proven, what they say, what they expect back.
//!
//! A provider is pure and synchronous: the clock is passed in, nothing is fetched, nothing is stored.
//! No method has a default body, so that nothing is let through by omission. What is translated is
//! what was proven: [`Authentic`] holds the request, and only [`Provider::authenticate`] makes one.

use std::fmt;

use eencent_activations::clock::Timestamp;
use eencent_activations::notification::{Event, Proof};
use http::HeaderMap;

use crate::endpoint::Endpoint;
use crate::refused::Refused;

mod adyen;
mod claimed;
mod mollie;
mod standard_webhooks;
mod stripe;

pub use adyen::Adyen;
pub use mollie::Mollie;
pub use standard_webhooks::StandardWebhooks;
pub use stripe::Stripe;

/// All providers, in the order in which they are listed to people.
pub const ALL: [&dyn Provider; 4] = [&Mollie, &Adyen, &Stripe, &StandardWebhooks];

/// The provider of that name (`mollie`, `adyen`, `stripe`, `standard_webhooks`), as in the settings.
pub fn by_name(name: &str) -> Option<&'static dyn Provider> {
    ALL.into_iter().find(|provider| provider.name() == name)
}

/// A request as it came in, before anything is believed of it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The address as the provider knows it. None of today's schemes sign it; it is here so that one
    /// that does needn't rebuild it from a `Host` header.
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
    advice: Option<&'static str>,
}

#[derive(Clone)]
enum KeyKind {
    /// A key that both sides share.
    Shared(Vec<u8>),
    /// The public half of the sender's Ed25519 key.
    PublicEd25519(Box<ed25519_dalek::VerifyingKey>),
}

impl Key {
    fn shared(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            kind: KeyKind::Shared(bytes.into()),
            advice: None,
        }
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
fn shared_keys(endpoint: &Endpoint) -> impl Iterator<Item = (usize, &[u8])> {
    endpoint
        .keys()
        .iter()
        .zip(1..)
        .filter_map(|(key, number)| match &key.kind {
            KeyKind::Shared(bytes) => Some((number, bytes.as_slice())),
            KeyKind::PublicEd25519(_) => None,
        })
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

    /// What an operator should know about an endpoint that works but could prove more; sentences.
    fn advice(&self, endpoint: &Endpoint) -> Vec<String>;

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

    /// What the provider expects to hear on success.
    fn reply(&self) -> Reply;

    /// The event id that an unproven message claims to have, for the operator who looks for it:
    /// letters, digits, `_`, `-`, `.` and `:` only, at most 100 of them. Found by a bounded scan;
    /// nothing is parsed.
    fn claimed_id(&self, request: &Request<'_>) -> Option<String>;
}
