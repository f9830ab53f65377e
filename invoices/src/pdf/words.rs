//! What the document says, in Dutch and English.

use chrono::{Datelike as _, NaiveDate};

use crate::amount::{Amount, VatRate};
use crate::identifiers::Country;
use crate::invoice::{BuyersReference, Language, Number};

/// The words of one language.
#[derive(Clone, Copy)]
pub(super) struct Words(pub Language);

impl Words {
    const fn choose<'a>(self, dutch: &'a str, english: &'a str) -> &'a str {
        match self.0 {
            Language::Nl => dutch,
            Language::En => english,
        }
    }

    pub(super) const fn title(self, is_credit_note: bool) -> &'static str {
        if is_credit_note {
            self.choose("Creditfactuur", "Credit note")
        } else {
            self.choose("Factuur", "Invoice")
        }
    }

    pub(super) const fn to(self) -> &'static str {
        self.choose("Aan", "To")
    }

    pub(super) fn attention(self, person: &str) -> String {
        format!("{} {person}", self.choose("T.a.v.", "Attn."))
    }

    pub(super) const fn number(self, is_credit_note: bool) -> &'static str {
        if is_credit_note {
            self.choose("Nummer", "Number")
        } else {
            self.choose("Factuurnummer", "Invoice number")
        }
    }

    pub(super) const fn issued(self, is_credit_note: bool) -> &'static str {
        if is_credit_note {
            self.choose("Datum", "Date")
        } else {
            self.choose("Factuurdatum", "Invoice date")
        }
    }

    pub(super) const fn due(self) -> &'static str {
        self.choose("Vervaldatum", "Due date")
    }

    pub(super) const fn credited(self) -> &'static str {
        self.choose("Bij factuur", "For invoice")
    }

    pub(super) const fn credited_issued(self) -> &'static str {
        self.choose("Factuurdatum", "Invoice date")
    }

    pub(super) const fn buyers(self, reference: &BuyersReference) -> &'static str {
        match reference {
            BuyersReference::Buyer(_) => self.choose("Uw kenmerk", "Your reference"),
            BuyersReference::Order(_) => self.choose("Uw ordernummer", "Your order number"),
        }
    }

    pub(super) const fn description(self) -> &'static str {
        self.choose("Omschrijving", "Description")
    }

    pub(super) const fn vat(self) -> &'static str {
        self.choose("Btw", "VAT")
    }

    pub(super) const fn net(self) -> &'static str {
        self.choose("Bedrag excl. btw", "Amount excl. VAT")
    }

    pub(super) const fn net_total(self) -> &'static str {
        self.choose("Totaal exclusief btw", "Total excluding VAT")
    }

    pub(super) fn vat_total(self, rate: VatRate, net: Amount) -> String {
        let (rate, net) = (self.rate(rate), self.amount(net));
        match self.0 {
            Language::Nl => format!("Btw {rate} over {net}"),
            Language::En => format!("VAT {rate} on {net}"),
        }
    }

    pub(super) const fn gross_total(self, is_credit_note: bool) -> &'static str {
        if is_credit_note {
            self.choose("Totaal creditbedrag", "Total credited")
        } else {
            self.choose("Te betalen", "Total due")
        }
    }

    pub(super) const fn pay(self) -> &'static str {
        self.choose("Betalen", "Payment")
    }

    pub(super) fn please_pay(self, gross: Amount, due: NaiveDate) -> String {
        let (gross, due) = (self.amount(gross), self.date(due));
        match self.0 {
            Language::Nl => format!(
                "Maak {gross} uiterlijk {due} over en vermeld het betalingskenmerk. Zo herkennen wij uw betaling direct."
            ),
            Language::En => format!(
                "Please transfer {gross} by {due} and state the payment reference, so that we recognise your payment at once."
            ),
        }
    }

    pub(super) const fn account_holder(self) -> &'static str {
        self.choose("Ten name van", "Account holder")
    }

    pub(super) const fn payment_reference(self) -> &'static str {
        self.choose("Betalingskenmerk", "Payment reference")
    }

    pub(super) const fn asked(self) -> &'static str {
        self.choose("Bedrag", "Amount")
    }

    pub(super) const fn scan(self) -> &'static str {
        self.choose("Scan met uw bankapp", "Scan with your banking app")
    }

    pub(super) const fn qr(self) -> &'static str {
        self.choose(
            "QR-code waarmee u deze factuur in uw bankapp betaalt",
            "QR code that pays this invoice in your banking app",
        )
    }

    pub(super) const fn settled(self) -> &'static str {
        self.choose("Verrekening", "Settlement")
    }

    pub(super) fn is_set_off(self, invoice: &Number, issued: NaiveDate) -> String {
        let issued = self.date(issued);
        match self.0 {
            Language::Nl => format!(
                "Met deze creditfactuur vervalt het bedrag hierboven van factuur {invoice} van {issued}. U hoeft hiervoor niets te betalen."
            ),
            Language::En => format!(
                "This credit note takes back the amount above of invoice {invoice} of {issued}. You don't have to pay anything for it."
            ),
        }
    }

    pub(super) const fn vat_number(self) -> &'static str {
        self.choose("Btw-nummer", "VAT number")
    }

    pub(super) const fn belgian_enterprise(self) -> &'static str {
        self.choose("Ondernemingsnummer", "Enterprise number")
    }

    pub(super) fn page(self, number: usize, of: usize) -> String {
        format!(
            "{} {number} {} {of}",
            self.choose("Pagina", "Page"),
            self.choose("van", "of")
        )
    }

    /// In Dutch `€ 1.234,56`, in English `€1,234.56`, never broken.
    pub(super) fn amount(self, amount: Amount) -> String {
        let digits = (amount.cents() / 100).to_string();
        let mut euros = String::new();
        for (c, left) in digits.chars().zip((0..digits.len()).rev()) {
            euros.push(c);
            if left > 0 && left % 3 == 0 {
                euros.push_str(self.choose(".", ","));
            }
        }
        let cents = amount.cents() % 100;
        match self.0 {
            Language::Nl => format!("€\u{A0}{euros},{cents:02}"),
            Language::En => format!("€{euros}.{cents:02}"),
        }
    }

    pub(super) fn rate(self, rate: VatRate) -> String {
        format!("{}%", rate.to_string().replace('.', self.choose(",", ".")))
    }

    /// `25 december 2026`, never broken.
    pub(super) fn date(self, date: NaiveDate) -> String {
        let months = match self.0 {
            Language::Nl => "januari februari maart april mei juni juli augustus september oktober november december",
            Language::En => "January February March April May June July August September October November December",
        };
        let month = usize::try_from(date.month0())
            .ok()
            .and_then(|month| months.split(' ').nth(month));
        format!("{}\u{A0}{}\u{A0}{}", date.day(), month.unwrap_or_default(), date.year())
    }

    /// The name of a country nearby; of another its two letters.
    pub(super) fn country(self, country: Country) -> String {
        let name = match country.as_str() {
            "NL" => self.choose("Nederland", "The Netherlands"),
            "BE" => self.choose("België", "Belgium"),
            "DE" => self.choose("Duitsland", "Germany"),
            "FR" => self.choose("Frankrijk", "France"),
            "LU" => self.choose("Luxemburg", "Luxembourg"),
            other => other,
        };
        name.to_owned()
    }
}

/// A Belgian enterprise number as Belgians write it: `0202.239.951`.
pub(super) fn dotted(number: &str) -> String {
    match (number.get(..4), number.get(4..7), number.get(7..)) {
        (Some(first), Some(second), Some(third)) => format!("{first}.{second}.{third}"),
        _ => number.to_owned(),
    }
}
