//! What an invoice or a credit note says, and its totals.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::amount::{Amount, NoSplit, NotAnAmount, VatRate};
use crate::identifiers::Country;
use crate::party::{Buyer, CompanyNumber, Seller};
use crate::payment::{NotPayable, Payment};
use crate::qr::Qr;
use crate::text::Text;
use crate::written::written_as_text;

/// The number of an invoice: 1 to 30 letters, digits, hyphens, dots, slashes and underscores (ASCII), a letter or digit
/// first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

impl Number {
    /// Takes a number as it is.
    ///
    /// # Errors
    /// [`NotAnInvoice::Number`] when it has other characters, none, or too many.
    pub fn parse(text: &str) -> Result<Self, NotAnInvoice> {
        let may_be = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b'_');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && text.len() <= 30 && text.bytes().all(may_be) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnInvoice::Number)
        }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

written_as_text!(Number, NotAnInvoice);

/// The language that a document is written in for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

impl Language {
    /// Its code (ISO 639-1).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }
}

/// The currency of all amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// Euro.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// Its code (ISO 4217).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
        }
    }
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Document {
    /// It asks for its total.
    Invoice {
        /// The last day to pay.
        due: NaiveDate,
        /// How to pay.
        payment: Payment,
    },
    /// It takes back the invoice that it refers to, or part of it. Its amounts are positive, as that one's are.
    CreditNote {
        /// The number of the invoice.
        invoice: Number,
        /// The day of the invoice.
        invoice_issued: NaiveDate,
    },
}

/// What the buyer knows it by. Peppol asks for one of them (PEPPOL-EN16931-R003).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", content = "text", rename_all = "snake_case")]
pub enum BuyersReference {
    /// A person, department or case of the buyer's (BT-10).
    Buyer(Text),
    /// The number of the buyer's order (BT-13).
    Order(Text),
}

impl BuyersReference {
    /// The text, whatever it refers to.
    pub const fn text(&self) -> &Text {
        match self {
            Self::Buyer(text) | Self::Order(text) => text,
        }
    }
}

/// One thing that is asked for, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenLine", into = "WrittenLine")]
pub struct Line {
    description: Text,
    net: Amount,
    vat: VatRate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine {
    description: Text,
    net: Amount,
    vat: VatRate,
}

impl Line {
    /// A line of a net amount.
    ///
    /// # Errors
    /// [`NotAnInvoice::NothingAsked`] when the amount is nothing.
    pub fn new(description: Text, net: Amount, vat: VatRate) -> Result<Self, NotAnInvoice> {
        if net.is_zero() {
            return Err(NotAnInvoice::NothingAsked);
        }
        Ok(Self { description, net, vat })
    }

    /// A line of which the amount with VAT is set: an invoice with this line alone asks exactly that.
    ///
    /// # Errors
    /// [`NotAnInvoice::NoSplit`] when no net amount in whole cents comes to it, [`NotAnInvoice::NothingAsked`] when it is
    /// nothing.
    pub fn from_gross(description: Text, gross: Amount, vat: VatRate) -> Result<Self, NotAnInvoice> {
        let (net, _) = vat.split(gross)?;
        Self::new(description, net, vat)
    }

    /// What it is for.
    pub const fn description(&self) -> &Text {
        &self.description
    }

    /// Without VAT.
    pub const fn net(&self) -> Amount {
        self.net
    }

    /// At which rate.
    pub const fn vat(&self) -> VatRate {
        self.vat
    }
}

impl TryFrom<WrittenLine> for Line {
    type Error = NotAnInvoice;
    fn try_from(written: WrittenLine) -> Result<Self, NotAnInvoice> {
        Self::new(written.description, written.net, written.vat)
    }
}

impl From<Line> for WrittenLine {
    fn from(line: Line) -> Self {
        Self {
            description: line.description,
            net: line.net,
            vat: line.vat,
        }
    }
}

/// All that a document is made from. As JSON this is what is kept of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Its number.
    pub number: Number,
    /// Invoice or credit note.
    pub document: Document,
    /// The day that it was made.
    pub issued: NaiveDate,
    /// Who asks.
    pub seller: Seller,
    /// Who is asked.
    pub buyer: Buyer,
    /// What the buyer knows it by.
    pub reference: BuyersReference,
    /// What is asked for: one or more.
    pub lines: Vec<Line>,
    /// Of all amounts.
    pub currency: Currency,
    /// Of what people read.
    pub language: Language,
}

/// The VAT of all lines of one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VatTotal {
    /// The rate.
    pub rate: VatRate,
    /// The sum of the lines, without VAT.
    pub net: Amount,
    /// The VAT on that sum, rounded once.
    pub vat: Amount,
}

/// What a document comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// By rate, in the order of the lines.
    pub by_rate: Vec<VatTotal>,
    /// Without VAT.
    pub net: Amount,
    /// VAT.
    pub vat: Amount,
    /// With VAT: what is to be paid or is taken back.
    pub gross: Amount,
}

/// Why facts are no invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInvoice {
    /// The number has other characters than it may have, none, or too many.
    #[error(
        "the number of an invoice is 1 to 30 letters, digits, hyphens, dots, slashes and underscores, such as `2026-00042`"
    )]
    Number,
    /// There are no lines.
    #[error("an invoice has at least one line")]
    NoLines,
    /// A line of nothing.
    #[error("a line asks at least one cent")]
    NothingAsked,
    /// The gross amount of a line can't be split to the cent.
    #[error(transparent)]
    NoSplit(#[from] NoSplit),
    /// The sum is more than a credit transfer can carry.
    #[error("an invoice asks at most {}", Amount::MAX)]
    TooMuch,
    /// To be paid before it is made.
    #[error("an invoice can't be due before its date")]
    DueBeforeIssued,
    /// Takes back an invoice that is younger, or itself.
    #[error("a credit note refers to another document, of the same day or before")]
    NotCorrectable,
    /// A Dutch seller without a KvK number (NL-R-003).
    #[error("a Dutch seller has a KvK number on its invoices")]
    SellerWithoutKvk,
}

impl From<NotAnAmount> for NotAnInvoice {
    fn from(_: NotAnAmount) -> Self {
        Self::TooMuch
    }
}

/// What an invoice lacks to be taken by the Peppol network. It is an invoice all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeppolGap {
    /// The buyer has no number that Peppol has a scheme for (PEPPOL-EN16931-R010).
    #[error("Peppol needs the buyer's KvK number, Belgian enterprise number or Dutch VAT number (PEPPOL-EN16931-R010)")]
    BuyerEndpoint,
    /// Seller and buyer are Dutch, and the buyer's address isn't complete (NL-R-004). Dutch law doesn't ask it up
    /// to € 100 with VAT (Uitvoeringsregeling omzetbelasting, simplified invoice); Peppol does.
    #[error("Peppol needs street, postcode and city of a Dutch buyer of a Dutch seller (NL-R-004)")]
    BuyerAddress,
}

/// An invoice or credit note, its totals computed. In JSON its [`Facts`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Facts", into = "Facts")]
pub struct Invoice {
    facts: Facts,
    totals: Totals,
}

impl Invoice {
    /// # Errors
    /// Why the facts don't make one.
    pub fn new(facts: Facts) -> Result<Self, NotAnInvoice> {
        match &facts.document {
            Document::Invoice { due, .. } if *due < facts.issued => return Err(NotAnInvoice::DueBeforeIssued),
            Document::CreditNote {
                invoice,
                invoice_issued,
            } if *invoice == facts.number || *invoice_issued > facts.issued => {
                return Err(NotAnInvoice::NotCorrectable);
            }
            Document::Invoice { .. } | Document::CreditNote { .. } => {}
        }
        let dutch = facts.seller.address.country == Country::NL;
        if dutch && !matches!(facts.seller.company, CompanyNumber::Kvk(_)) {
            return Err(NotAnInvoice::SellerWithoutKvk);
        }
        let totals = totals(&facts.lines)?;
        Ok(Self { facts, totals })
    }

    /// What it was made from.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What it comes to.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether it is a credit note.
    pub const fn is_credit_note(&self) -> bool {
        matches!(self.facts.document, Document::CreditNote { .. })
    }

    /// How it is paid: `None` for a credit note.
    pub const fn payment(&self) -> Option<&Payment> {
        match &self.facts.document {
            Document::Invoice { payment, .. } => Some(payment),
            Document::CreditNote { .. } => None,
        }
    }

    /// The QR code that pays all of it: `None` for a credit note. For another amount see [`Qr::new`].
    ///
    /// # Errors
    /// None that [`Payment::new`] hasn't refused before.
    pub fn qr(&self) -> Result<Option<Qr>, NotPayable> {
        self.payment()
            .map(|payment| Qr::new(payment, self.totals.gross))
            .transpose()
    }

    /// What it lacks to be sent over the Peppol network; empty when it can be. Whatever is in the list, the document is
    /// valid by EN 16931.
    pub fn peppol_gaps(&self) -> Vec<PeppolGap> {
        let Facts { seller, buyer, .. } = &self.facts;
        let both_dutch = seller.address.country == Country::NL && buyer.address.country == Country::NL;
        let endpoint = buyer.endpoint().is_none().then_some(PeppolGap::BuyerEndpoint);
        let address = (both_dutch && !buyer.address.is_complete()).then_some(PeppolGap::BuyerAddress);
        endpoint.into_iter().chain(address).collect()
    }
}

/// By rate, VAT once for each (BR-CO-17, BR-S-08, BR-S-09), then all together.
fn totals(lines: &[Line]) -> Result<Totals, NotAnInvoice> {
    if lines.is_empty() {
        return Err(NotAnInvoice::NoLines);
    }
    let mut by_rate: Vec<VatTotal> = Vec::new();
    for line in lines {
        if by_rate.iter().any(|total| total.rate == line.vat) {
            continue;
        }
        let of_rate = lines.iter().filter(|other| other.vat == line.vat);
        let net = Amount::sum(of_rate.map(|other| other.net))?;
        by_rate.push(VatTotal {
            rate: line.vat,
            net,
            vat: line.vat.vat_on(net),
        });
    }
    let net = Amount::sum(by_rate.iter().map(|total| total.net))?;
    let vat = Amount::sum(by_rate.iter().map(|total| total.vat))?;
    Ok(Totals {
        gross: Amount::sum([net, vat].into_iter())?,
        by_rate,
        net,
        vat,
    })
}

/// Who buys isn't shown.
impl fmt::Debug for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoice")
            .field("number", &self.facts.number)
            .field("issued", &self.facts.issued)
            .field("gross", &self.totals.gross)
            .finish_non_exhaustive()
    }
}

impl TryFrom<Facts> for Invoice {
    type Error = NotAnInvoice;
    fn try_from(facts: Facts) -> Result<Self, NotAnInvoice> {
        Self::new(facts)
    }
}

impl From<Invoice> for Facts {
    fn from(invoice: Invoice) -> Self {
        invoice.facts
    }
}
