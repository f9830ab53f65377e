//! What payment providers tell us, and whether to believe it.
//!
//! # Map
//! - [`endpoint`]: the settings, read into endpoints: who may post where, with which secrets.
//! - [`providers`]: one file a provider. A provider proves a request ([`providers::Provider::authenticate`])
//!   and then translates it ([`providers::Provider::translate`]); pure, synchronous, the clock passed in.
//! - [`refused`]: why a request was not believed.
//! - [`receiver`]: the HTTP side: bounded reading, one commit, the answer that the provider expects.
//! - [`verify`]: the same on a recorded request, for `eencent webhook verify`; [`vectors`]: on a file of
//!   test vectors, each with its own keys.
//! - [`statements`]: bank statements (camt.053, camt.054, MT940), which prove nothing by themselves: trust
//!   comes from who imports them.
//! - [`examples`]: signed examples of every provider, for `eencent webhook send`.
//! - [`signing`]: what a provider does before it posts, for demonstrations and tests.
//!
//! Private: `hash`, `signature` and `jws` (codes, tokens and their comparison), `document` (strict
//! JSON), `translation` (what all translations share), `api` (questions to a provider and its
//! answers), `secret`, `retranslating` (stored messages, read again by today's code).
//!
//! # Rules
//! Raw bytes are verified before anything of them is parsed; Adyen, whose signature stands inside the
//! JSON, is the one exception. What is authentic is stored whatever it says: what can't be read is
//! quarantined, and answered with success, since a provider that meets errors turns the endpoint off.
//! A 2xx answer is given only after the sink has committed. axum is used in [`receiver`] alone.

mod api;
mod document;
pub mod endpoint;
pub mod examples;
mod hash;
mod jws;
pub mod providers;
mod reading;
pub mod receiver;
pub mod refused;
mod retranslating;
mod secret;
mod signature;
pub mod signing;
pub mod statements;
mod timed;
mod translation;
pub mod vectors;
pub mod verify;

pub use secret::Secret;
