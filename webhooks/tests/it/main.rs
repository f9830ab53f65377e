//! The crate from outside: every recorded signature, every recorded payload, arbitrary bytes, and the
//! receiver over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

mod desk;
mod every_provider;
mod examples;
mod offline;
mod overload;
mod payloads;
mod properties;
mod receiver;
mod settings;
mod statements;
mod vectors;
