//! The QR code that a banking app pays from (EPC069-12, version 2.1 of the guidelines, data version 002).

use std::fmt::{self, Write as _};

use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

use crate::amount::Amount;
use crate::payment::{NotPayable, Payment, PaymentReference};
use crate::xml::Element;

/// The most bytes of the text in the code: what error correction M holds at version 13.
pub const MAX_BYTES: usize = 331;

/// White modules on every side (ISO/IEC 18004 asks four).
const QUIET: usize = 4;

/// A QR code for a credit transfer.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    payload: String,
    code: QrCode,
}

impl Qr {
    /// The code that pays an amount, which may be another than an invoice's total: the rest of one paid in part.
    ///
    /// # Errors
    /// [`NotPayable::Nothing`] for nothing. [`NotPayable::TooMuch`] never happens to a [`Payment`], which
    /// was measured when it was made.
    pub fn new(payment: &Payment, amount: Amount) -> Result<Self, NotPayable> {
        if amount.is_zero() {
            return Err(NotPayable::Nothing);
        }
        let payload = payload(payment, amount);
        if payload.len() > MAX_BYTES {
            return Err(NotPayable::TooMuch);
        }
        // Bytes in one segment, as the guidelines have it; level M and no other, at most version 13.
        let segment = QrSegment::make_bytes(payload.as_bytes());
        let (least, most) = (Version::MIN, Version::new(13));
        let code = QrCode::encode_segments_advanced(&[segment], QrCodeEcc::Medium, least, most, None, false)
            .map_err(|_| NotPayable::TooMuch)?;
        Ok(Self { payload, code })
    }

    /// The text in the code.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// How many modules it has on a side, without the white around it.
    pub fn size(&self) -> usize {
        usize::try_from(self.code.size()).unwrap_or(0)
    }

    /// The dark modules, row by row, as runs beside each other: row, first column, how many.
    pub fn runs(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let is_dark = |row: usize, column: usize| match (i32::try_from(column), i32::try_from(row)) {
            (Ok(x), Ok(y)) => self.code.get_module(x, y),
            _ => false,
        };
        (0..self.size()).flat_map(move |row| {
            let begins = move |column: &usize| is_dark(row, *column) && (*column == 0 || !is_dark(row, *column - 1));
            (0..self.size()).filter(begins).map(move |first| {
                let length = (first..self.size()).take_while(|column| is_dark(row, *column)).count();
                (row, first, length)
            })
        })
    }

    /// As SVG to put into a page, its title read out by screen readers. Dark on white with its own white edge whatever
    /// the page's colours; without a size: the page's style gives it one.
    pub fn svg(&self, title: &str) -> String {
        let side = self.size() + 2 * QUIET;
        let mut path = String::new();
        for (row, first, length) in self.runs() {
            // Writing to a String can't fail.
            let _ = write!(path, "M{} {}h{length}v1h-{length}z", first + QUIET, row + QUIET);
        }
        Element::new("svg")
            .attribute("xmlns", "http://www.w3.org/2000/svg")
            .attribute("viewBox", &format!("0 0 {side} {side}"))
            .attribute("role", "img")
            .attribute("shape-rendering", "crispEdges")
            .text_child("title", title)
            .child(
                Element::new("path")
                    .attribute("fill", "#fff")
                    .attribute("d", &format!("M0 0h{side}v{side}h-{side}z")),
            )
            .child(Element::new("path").attribute("fill", "#000").attribute("d", &path))
            .to_string()
    }
}

impl fmt::Debug for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Qr").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// Service tag, version, UTF-8, SEPA credit transfer, BIC, name, IBAN, amount, purpose, reference as structure or as text.
/// Nothing follows the last line that says something.
pub(crate) fn payload(payment: &Payment, amount: Amount) -> String {
    let bic = payment.bic().map_or("", |bic| bic.as_str());
    let (name, iban) = (payment.name(), payment.iban());
    let reference = match payment.reference() {
        PaymentReference::Creditor(reference) => reference.as_str().to_owned(),
        // The structure is ISO 11649's alone: sixteen digits are text to a bank.
        PaymentReference::Betalingskenmerk(kenmerk) => format!("\n{}", kenmerk.as_str()),
    };
    format!("BCD\n002\n1\nSCT\n{bic}\n{name}\n{iban}\nEUR{amount}\n\n{reference}")
}
