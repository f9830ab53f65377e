//! Invoices and credit notes: what they say, and the documents that say it.
//!
//! # Map
//! - [`invoice`]: [`Facts`] and the [`Invoice`] that holds them, with its totals computed once. Kept as JSON, it is the
//!   same invoice years later.
//! - [`party`]: [`Seller`] and [`Buyer`], their addresses and numbers ([`identifiers`]).
//! - [`payment`]: where the money goes to and with which reference.
//! - [`amount`]: cents, VAT rates, and VAT to the cent. [`text`]: names and descriptions as documents can hold them.
//! - [`ubl()`]: the invoice for machines (UBL 2.1, Peppol BIS Billing 3.0).
//! - [`pdf()`]: the invoice for people.
//! - [`qr`]: the QR code for banking apps (EPC069-12), as SVG for a page.
//!
//! Private: `xml` (writes elements), `written` (types that are written as one text).
//!
//! # Rules
//! A value of these types is right, however it came about: what can't be on an invoice is refused where it is read, also
//! from JSON. Everything is computed from the facts alone, without clock, randomness or I/O: the same facts
//! give the same bytes.

pub mod amount;
pub mod identifiers;
pub mod invoice;
pub mod party;
pub mod payment;
mod pdf;
pub mod qr;
pub mod text;
mod ubl;
mod written;
mod xml;

pub use amount::{Amount, VatRate};
pub use invoice::{Facts, Invoice, Language, Line};
pub use party::{Buyer, Seller};
pub use payment::Payment;
pub use pdf::{NotDrawn, pdf};
pub use text::Text;
pub use ubl::ubl;
