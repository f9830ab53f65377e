//! The documents of an invoice, read by programs that others wrote.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

mod facts;
mod pdf;
mod peppol;
mod qr;
mod samples;
mod tools;
