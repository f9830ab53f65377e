//! What an operator sets of invoices, and an invoice made of it.

use chrono::NaiveDate;
use eencent_invoices::amount::{Amount, VatRate};
use eencent_invoices::identifiers::{BelgianEnterprise, Country, Kvk, Rsin, VatNumber};
use eencent_invoices::invoice::{
    BuyersReference, Currency, Document, Facts, Invoice, Language, Line, NotAnInvoice, Number,
};
use eencent_invoices::party::{Address, Buyer, BuyerAddress, CompanyNumber, Seller};
use eencent_invoices::payment::{Bic, Iban, Payment, PaymentReference};
use eencent_invoices::text::Text;
use serde::Deserialize;

use crate::money::Money;
use crate::views::AddressView;

/// Section `[invoice]`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InvoiceSettings {
    /// The account to pay to; empty: there are no invoices.
    pub iban: String,
    /// In whose name it is; empty: the seller's.
    pub beneficiary: String,
    /// The bank; may be empty.
    pub bic: String,
    /// What invoices are known by: `creditor_reference` or `betalingskenmerk`.
    pub reference: String,
    /// What stands before the number.
    pub number_prefix: String,
    /// VAT in the amount, in per cent.
    pub vat_percent: String,
    /// The seller's name in the trade register.
    pub seller_name: String,
    /// Street and number.
    pub seller_street: String,
    /// Postcode.
    pub seller_postcode: String,
    /// City.
    pub seller_city: String,
    /// KvK number.
    pub seller_kvk: String,
    /// VAT number.
    pub seller_vat: String,
    /// E-mail address for questions; may be empty.
    pub seller_email: String,
}

/// How invoices and credit notes are numbered: also where there are no invoices any more, a credit note of one that
/// there was has a number.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(String);

impl Numbers {
    pub(crate) fn number(&self, sequence: i64) -> Result<Number, NoInvoice> {
        Ok(Number::parse(&format!("{}{sequence:06}", self.0))?)
    }
}

/// Makes invoices: the settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Invoicing {
    numbers: Numbers,
    vat: VatRate,
    seller: Seller,
    iban: Iban,
    beneficiary: Text,
    bic: Option<Bic>,
}

/// Of whom and for what.
pub(crate) struct Asked<'a> {
    pub sequence: i64,
    pub issued: NaiveDate,
    pub due: NaiveDate,
    pub organisation: &'a str,
    pub creator: &'a str,
    pub country: &'a str,
    pub address: Option<&'a AddressView>,
    pub identifier: (&'a str, &'a str),
    pub reference: &'a str,
    pub amount: Money,
    pub dutch: bool,
}

impl InvoiceSettings {
    /// How documents are numbered.
    pub(crate) fn numbers(&self, problems: &mut Vec<String>) -> Numbers {
        if Number::parse(&format!("{}1", self.number_prefix)).is_err() || self.number_prefix.len() > 15 {
            let rule =
                "write at most 15 letters, digits, hyphens and slashes, a letter or digit first, such as \"EC-\"";
            problems.push(format!("invoice.number_prefix: {rule}"));
        }
        Numbers(self.number_prefix.clone())
    }

    /// Checks what is set. `None`: there are no invoices, because there is no account to pay to.
    pub(crate) fn checked(&self, amount: Money, problems: &mut Vec<String>) -> Option<Invoicing> {
        if self.iban.trim().is_empty() {
            return None;
        }
        let mut check = Check { wrong: Vec::new() };
        let iban = check.take("iban", Iban::parse(&self.iban));
        let bic = match self.bic.trim() {
            "" => None,
            bic => check.take("bic", Bic::parse(bic)),
        };
        let vat = check.take("vat_percent", VatRate::parse(self.vat_percent.trim()));
        let name = check.needed("seller_name", &self.seller_name);
        let street = check.needed("seller_street", &self.seller_street);
        let postcode = check.needed("seller_postcode", &self.seller_postcode);
        let city = check.needed("seller_city", &self.seller_city);
        let kvk = check.take("seller_kvk", Kvk::parse(self.seller_kvk.trim()));
        let number = check.take("seller_vat", VatNumber::parse(self.seller_vat.trim()));
        let beneficiary = match self.beneficiary.trim() {
            "" => name.clone(),
            text => check.take("beneficiary", Text::parse(text)),
        };
        if let Some(vat) = vat
            && let Ok(gross) = amount_of(amount)
            && let Err(error) = vat.split(gross)
        {
            let both = "activation.invoice_amount and invoice.vat_percent don't go together";
            check.wrong.push(format!("{both}: {error}"));
        }
        // All references of a kind are equally long: what fits now fits every time.
        if let (Some(iban), Some(beneficiary)) = (&iban, &beneficiary)
            && let Ok(reference) = PaymentReference::parse("RF18539007547034")
        {
            let payment = Payment::new(iban.clone(), beneficiary.clone(), bic.clone(), reference);
            check.take("beneficiary", payment);
        }
        if !check.wrong.is_empty() {
            problems.append(&mut check.wrong);
            return None;
        }
        Some(Invoicing {
            numbers: Numbers(self.number_prefix.clone()),
            vat: vat?,
            seller: Seller {
                name: name?,
                address: Address {
                    street: street?,
                    postcode: postcode?,
                    city: city?,
                    country: Country::NL,
                },
                company: CompanyNumber::Kvk(kvk?),
                vat: number?,
                email: Text::parse(&self.seller_email).ok(),
                phone: None,
                website: None,
            },
            iban: iban?,
            beneficiary: beneficiary?,
            bic,
        })
    }
}

/// Collects what is wrong with the section.
struct Check {
    wrong: Vec<String>,
}

impl Check {
    fn take<T, E: std::fmt::Display>(&mut self, key: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.wrong.push(format!("invoice.{key}: {error}")))
            .ok()
    }

    fn needed(&mut self, key: &str, value: &str) -> Option<Text> {
        let why = "fill this in: it stands on every invoice (or leave invoice.iban empty: then there are none)";
        self.take(key, Text::parse(value).map_err(|_| why))
    }
}

/// An invoice can't be made of what there is.
#[derive(Debug, thiserror::Error)]
#[error("no invoice can be made of this: {0}")]
pub(crate) struct NoInvoice(String);

impl NoInvoice {
    fn because(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl From<NotAnInvoice> for NoInvoice {
    fn from(error: NotAnInvoice) -> Self {
        Self::because(error)
    }
}

impl Invoicing {
    /// In whose name the account is.
    pub(crate) fn beneficiary(&self) -> &str {
        self.beneficiary.as_str()
    }

    /// The account, in groups of four.
    pub(crate) fn iban(&self) -> String {
        self.iban.grouped()
    }

    /// The invoice with this place in the sequence.
    pub(crate) fn invoice(&self, asked: &Asked<'_>) -> Result<Invoice, NoInvoice> {
        let reference = PaymentReference::parse(asked.reference).map_err(NoInvoice::because)?;
        let payment = Payment::new(self.iban.clone(), self.beneficiary.clone(), self.bic.clone(), reference)
            .map_err(NoInvoice::because)?;
        let what = match asked.dutch {
            true => "Activering van",
            false => "Activation of",
        };
        let description = text(&format!("{what} {}", asked.organisation))?;
        let gross = amount_of(asked.amount).map_err(NoInvoice::because)?;
        let (scheme, number) = asked.identifier;
        let part = |of: fn(&AddressView) -> &String| asked.address.map(|address| text(of(address))).transpose();
        let buyer = Buyer {
            name: text(asked.organisation)?,
            address: BuyerAddress {
                street: part(|address| &address.street)?,
                postcode: part(|address| &address.postcode)?,
                city: part(|address| &address.city)?,
                country: Country::parse(asked.country).map_err(NoInvoice::because)?,
            },
            kvk: Kvk::parse(number).ok().filter(|_| scheme == "NL:KVK"),
            belgian_enterprise: BelgianEnterprise::parse(number).ok().filter(|_| scheme == "BE:EN"),
            rsin: Rsin::parse(number).ok().filter(|_| scheme == "NL:RSIN"),
            vat: VatNumber::parse(number).ok().filter(|_| scheme == "NL:VAT"),
            contact: Some(text(asked.creator)?),
        };
        Ok(Invoice::new(Facts {
            number: self.numbers.number(asked.sequence)?,
            document: Document::Invoice {
                due: asked.due.max(asked.issued),
                payment,
            },
            issued: asked.issued,
            seller: self.seller.clone(),
            buyer,
            reference: BuyersReference::Buyer(text(asked.reference)?),
            lines: vec![Line::from_gross(description, gross, self.vat)?],
            currency: Currency::Eur,
            language: match asked.dutch {
                true => Language::Nl,
                false => Language::En,
            },
        })?)
    }
}

/// The credit note that takes an invoice back, whole.
pub(crate) fn credit_note(of: &Invoice, number: Number, issued: NaiveDate) -> Result<Invoice, NoInvoice> {
    let facts = of.facts().clone();
    Ok(Invoice::new(Facts {
        document: Document::CreditNote {
            invoice: facts.number.clone(),
            invoice_issued: facts.issued,
        },
        number,
        // A clock that was set back makes no credit note older than its invoice.
        issued: issued.max(facts.issued),
        ..facts
    })?)
}

fn amount_of(money: Money) -> Result<Amount, NoInvoice> {
    let cents = u64::try_from(money.minor).map_err(NoInvoice::because)?;
    Amount::from_cents(cents).map_err(NoInvoice::because)
}

/// As much of a text as an invoice can hold.
fn text(text: &str) -> Result<Text, NoInvoice> {
    let short: String = text.chars().take(Text::MAX_CHARS).collect();
    Text::parse(&short).map_err(NoInvoice::because)
}
